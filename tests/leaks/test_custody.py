"""No key leaves key custody: not in what it prints, writes, shows, raises or answers.

A scenario goes through everything with marked keys; then all that was printed and logged, the text
of every object and error, tracebacks with the values of local variables, and every file are
searched. Files whose purpose is to hold a secret, such as a file with a PIN, are named one by one.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from keys import (
    CreditRequest,
    CurrencyCreditRequest,
    KeysError,
    MaximumPowerLimitRequest,
    MeterConfiguration,
    NewKey,
    Vault,
)
from keys.audit import AuditLog
from keys.audit_record import AuditEvent
from keys.audited_module import AuditedModule
from keys.ceremony import Ceremony
from keys.ceremony_record import ceremony_record
from keys.check_values import check_value
from keys.custody import Custody, Origin
from keys.decoder_key_file import COLUMNS, read_decoder_keys
from keys.issuing import JournalledModule
from keys.lab_centre import LabCentre
from keys.meter_file import write_meter_file
from keys.module_home import ModuleHome
from keys.open import Caller, ModuleOptions, open_driver, open_module
from keys.security_module import SecurityModule
from keys.unlock import Passphrase, ScryptCost
from sts import (
    BaseDate,
    CurrencyAmount,
    DecoderKey,
    KeyDerivation,
    KeyRevisionNumber,
    KeyType,
    Service,
    StsError,
    SupplyGroupCode,
    TariffIndex,
    VendingKey,
    encode_amount,
    encode_power_limit,
    new_cipher,
    tid_from_datetime,
)
from tests.journals import new_journal, open_journal
from tests.keys.custody import NOW, fixed_random
from tests.leaks.marked import (
    COMPONENTS,
    DES_KEY,
    DITK,
    KEY,
    METER,
    OLD_KEY,
    OLD_METER,
    PASSPHRASE,
    PIN,
    SEARCHER,
    STA_METER,
    SUPPLIED,
    VENDING_KEY,
)
from tests.leaks.searcher import Output
from tests.soft_hsm import SoftHsm, quick_folder

TID = tid_from_datetime(NOW, BaseDate.Y2014)
LATER = NOW + timedelta(days=1)
NEW = NewKey(
    supply_group_code=SupplyGroupCode(201457),
    key_revision_number=KeyRevisionNumber(1),
    tariff_index=TariffIndex(2),
)
UNLOCK = Passphrase.from_text(PASSPHRASE)
QUICK = ScryptCost(n=2**14)


@pytest.fixture
def tmp_path() -> Path:
    """A folder in memory where there is such: every use of a key is flushed to the disk."""
    return quick_folder()


@pytest.fixture
def output(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """Everything that a scenario lets be seen; searched when the scenario is over."""
    caplog.set_level(logging.DEBUG)
    seen = Output()
    yield seen
    printed = capfd.readouterr()
    seen.add("standard output", printed.out)
    seen.add("standard error", printed.err)
    seen.add("logs", caplog.text)
    assert seen.leaks(SEARCHER) == []


def _refused(output: Output, attempt: Callable[[], object], *, local_values: bool = False) -> None:
    with pytest.raises((KeysError, StsError)) as refusal:
        attempt()
    output.refusal(refusal.value, local_values=local_values)


def _credit(tid: int = TID, tenths: int = 59) -> CreditRequest:
    return CreditRequest(service=Service.ELECTRICITY, tid_minutes=tid, amount=encode_amount(tenths))


def _use(output: Output, module: SecurityModule, *meters: MeterConfiguration) -> None:
    """Ask a module for everything that it makes, and for much that it refuses."""
    for number, meter in enumerate(meters):
        _issue_all(output, module, meter, first=TID + 10 * number)
    output.show(module, module.status(), *module.status().keys)
    for change in (
        {"tenant": "mwanga"},
        {"supply_group_code": SupplyGroupCode(9)},
        {"key_type": KeyType.DEFAULT},
    ):
        wrong = partial(module.issue, replace(meters[0], **change), _credit(), message_id="w")
        _refused(output, partial(wrong, now=NOW), local_values=True)


def _issue_all(
    output: Output, module: SecurityModule, meter: MeterConfiguration, *, first: int
) -> None:
    requests = (
        _credit(first),
        CurrencyCreditRequest(
            service=Service.ELECTRICITY,
            tid_minutes=first + 1,
            amount=CurrencyAmount.rounding_up(600_000),
        ),
        MaximumPowerLimitRequest(tid_minutes=first + 2, limit=encode_power_limit(5000)),
    )
    for request in requests:
        message_id = str(request.tid_minutes)
        answer = module.issue(meter, request, message_id=message_id, now=NOW)
        output.show(answer, module.verify(meter, answer.digits, now=NOW))
    output.show(module.verify(meter, "0" * 20, now=NOW))
    for request, message_id in ((_credit(first), "again"), (_credit(first + 9), str(first))):
        refused = partial(module.issue, meter, request, message_id=message_id, now=NOW)
        _refused(output, refused, local_values=True)


def _change(output: Output, module: SecurityModule, meter: MeterConfiguration) -> None:
    """Move a meter, and commission a new one: the tokens carry keys, their fields must not."""
    changed = module.change_key(meter, NEW, message_id="change", now=NOW)
    new_meter = replace(meter, key_type=KeyType.INITIALISATION)
    commissioned = module.commission(new_meter, DITK, NEW, message_id="commission", now=NOW)
    for answer in (changed, commissioned):
        output.show(answer, *answer.tokens, *(each.token for each in answer.tokens))
    for each in changed.tokens:
        output.show(module.verify(meter, each.digits, now=NOW))
    refused = partial(module.change_key, meter, NEW, message_id="commission", now=NOW)
    _refused(output, refused, local_values=True)


def _hand_out(output: Output, module: AuditedModule, path: Path) -> None:
    """Write the key of a meter to a file, once; the second time the file is in the way."""
    write = partial(
        write_meter_file,
        module,
        METER,
        path=path,
        passphrase=PASSPHRASE,
        now=NOW,
        random_bytes=fixed_random("meter file"),
    )
    output.show(write())
    _refused(output, write)


# --- scenarios ------------------------------------------------------------------------------------


def test_the_values_that_hold_keys_show_nothing(output: Output) -> None:
    derivation = KeyDerivation(KEY.record.key_generation_algorithm, VENDING_KEY)
    attributes = METER.key_attributes(BaseDate.Y2014)
    key = derivation.derive(attributes)
    cipher = new_cipher(METER.encryption_algorithm, key)
    output.show(VENDING_KEY, DES_KEY, DITK, derivation, key, cipher, KEY, UNLOCK, UNLOCK.secret)
    _refused(output, lambda: VendingKey(VENDING_KEY.expose()[:19]))
    _refused(output, lambda: DecoderKey(VENDING_KEY.expose()))
    _refused(output, lambda: derivation.derive(replace(attributes, key_type=KeyType.COMMON)))
    assert output.holds("<VendingKey 160 bits>")


def test_a_vault_and_the_modules_over_it_let_no_key_out(tmp_path: Path, output: Output) -> None:
    path, name = tmp_path / "keys.vault", f"software:{tmp_path / 'keys.vault'}"
    vault = Vault.create(path, UNLOCK, cost=QUICK)
    vault.add_all([(KEY, VENDING_KEY), (OLD_KEY, DES_KEY)])
    output.show(vault, *vault.records)
    Custody.begin(
        path,
        vault,
        name="Thabaneng 1",
        is_lab=True,
        actor="Ada Ohm",
        now=NOW,
        random_bytes=fixed_random("module"),
    )
    journal = open_journal(ModuleHome(path).journal)
    options = ModuleOptions(unlock=UNLOCK, lab_mode=True, journal=journal)
    module = open_module(name, options, caller=Caller(actor="till 1", now=NOW))
    _use(output, module, METER, OLD_METER, STA_METER)
    _change(output, module, METER)
    _hand_out(output, module, tmp_path / "house.key")
    output.show(options, journal, open_driver(name, options))
    for attempt in (
        lambda: vault.add(KEY, VENDING_KEY),
        lambda: Vault.open(path, Passphrase.from_text("another")),
        lambda: Vault.open(path, UNLOCK.secret),
        lambda: Vault.create(path, UNLOCK),
        lambda: open_driver(name, replace(options, lab_mode=False)),
        lambda: open_module("software:nowhere", options, caller=Caller(actor="x", now=NOW)),
    ):
        _refused(output, attempt)
    path.write_bytes(path.read_bytes().replace(b"thabaneng", b"thabanenh", 1))
    _refused(output, lambda: Vault.open(path, UNLOCK))
    # The journal is still open, so its write-ahead log is there, too.
    assert output.folder(tmp_path) >= 6
    journal.close()
    assert output.holds(KEY.record.check_value)
    assert output.holds(AuditEvent.KEY_CHANGE)


def test_decoder_keys_of_a_maker_stay_inside(tmp_path: Path, output: Output) -> None:
    row = {
        "drn": "0100200002010",
        "decoder_key": SUPPLIED.expose().hex(),
        "encryption_algorithm": "11",
        "supply_group_code": "201457",
        "key_revision_number": "1",
        "tariff_index": "01",
        "key_type": "2",
        "base_date": "2014",
        "key_expiry_number": "255",
        "key_generation_algorithm": "04",
    }
    good = _csv(row)
    keys = read_decoder_keys(good, "thabaneng")
    output.show(keys)
    vault = Vault.create(tmp_path / "maker.vault", UNLOCK, cost=QUICK)
    vault.add_decoder_keys(keys)
    journal = new_journal(tmp_path / "maker.journal")
    module = open_driver(
        f"decoder-keys:{tmp_path / 'maker.vault'}",
        ModuleOptions(unlock=UNLOCK, lab_mode=True, journal=journal),
    )
    _use(output, module, METER)
    _refused(output, lambda: vault.add_decoder_keys(keys))
    for text in (
        _csv({**row, "decoder_key": SUPPLIED.expose().hex()[:-2]}),
        _csv({**row, "supply_group_code": SUPPLIED.expose().hex()}),
        good.replace("\n0", f'\n"{SUPPLIED.expose().hex()}"x,0'),
        good + '"' + SUPPLIED.expose().hex(),
    ):
        with pytest.raises(KeysError) as refusal:
            read_decoder_keys(text, "thabaneng")
        # What the file says is a local variable of the caller, so local variables are left out.
        output.show(refusal.value)
    assert output.folder(tmp_path) >= 2
    journal.close()


def _csv(row: dict[str, str]) -> str:
    return ",".join(COLUMNS) + "\n" + ",".join(row[name] for name in COLUMNS) + "\n"


def test_a_ceremony_shows_check_values_only(output: Output) -> None:
    ceremony = Ceremony(bits=160)
    for custodian, component in zip(("Ada Ohm", "Ben Volt"), COMPONENTS, strict=True):
        digits = component.expose().hex()
        with pytest.raises(KeysError) as refusal:
            ceremony.with_entered(custodian, digits, check_value="000000")
        output.show(refusal.value)
        with pytest.raises(KeysError) as refusal:
            ceremony.with_entered(custodian, digits[:-1], check_value=check_value(component))
        output.show(refusal.value)
        ceremony = ceremony.with_entered(custodian, digits, check_value=check_value(component))
        output.show(ceremony, *ceremony.components)
    with pytest.raises(KeysError) as refusal:
        ceremony.complete("000000")
    output.refusal(refusal.value)
    combined = ceremony.complete(ceremony.combined_check_value())
    key = replace(KEY, record=replace(KEY.record, check_value=combined.check_value))
    output.add("record", ceremony_record(combined, key, led_by="Cy Watt", now=NOW))
    output.show(combined)
    assert output.holds(combined.check_value)


def test_a_key_load_file_is_readable_by_its_module_only(tmp_path: Path, output: Output) -> None:
    random_bytes = fixed_random("centre")
    centre = LabCentre.create(
        tmp_path / "lab.centre", "Lab", unlock=UNLOCK, random_bytes=random_bytes, cost=QUICK
    )
    centre.add(KEY, VENDING_KEY)
    centre.add(OLD_KEY, DES_KEY)
    modules = []
    for name in ("one", "two"):
        place = tmp_path / f"{name}.vault"
        vault = Vault.create(place, UNLOCK, cost=QUICK)
        custody = Custody.begin(
            place,
            vault,
            name=name,
            is_lab=True,
            actor="Ada Ohm",
            now=NOW,
            random_bytes=fixed_random(name),
        )
        custody.trust(centre.identity, now=NOW)
        modules.append(custody)
    one, two = modules
    names = [KEY.name, OLD_KEY.name]
    content = centre.issue(one.file.identity.public, names, now=NOW, expires_at=LATER)
    output.add("key load file", content)
    _refused(output, lambda: two.load(content, now=NOW))
    for at in range(0, len(content), 97):
        altered = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with suppress(KeysError):
            one.load(altered, now=NOW)
            pytest.fail(f"byte {at} may be altered")
    output.show(one.load(content, now=NOW))
    _refused(output, lambda: one.load(content, now=NOW))
    _refused(output, lambda: centre.add(KEY, VENDING_KEY))
    output.show(centre, one, two, one.file, one.file.identity, *centre.keys, *centre.issued)
    assert set(one.store.records) == {KEY, OLD_KEY}
    assert output.folder(tmp_path) >= 9


@pytest.mark.hsm
def test_an_hsm_lets_no_key_out(hsm: SoftHsm, output: Output) -> None:
    hsm.change_pin(PIN)
    name = f"pkcs11:{hsm.write_settings(allow_unwrapped_dkga02='true')}"
    keys = hsm.keys(allow_unwrapped_dkga02="true")
    Custody.begin(
        hsm.settings_file,
        keys,
        name="HSM 1",
        is_lab=True,
        actor="Ada Ohm",
        now=NOW,
        random_bytes=fixed_random("module"),
    ).take(KEY, VENDING_KEY, origin=Origin(event=AuditEvent.CEREMONY), now=NOW)
    keys.add(OLD_KEY, DES_KEY)
    journal = open_journal(ModuleHome(hsm.settings_file).journal)
    options = ModuleOptions(lab_mode=True, journal=journal)
    module = open_module(name, options, caller=Caller(actor="till 1", now=NOW))
    _use(output, module, METER, OLD_METER, STA_METER)
    _change(output, module, METER)
    output.show(keys, keys.settings, *keys.described, open_driver(name, options))
    away = hsm.folder / "away"
    hsm.tokens.rename(away)
    for attempt in (
        lambda: keys.mac(KEY, b"m"),
        lambda: keys.taken_out(OLD_KEY),
        lambda: keys.load_all([(KEY, VENDING_KEY)]),
        hsm.keys,
    ):
        _refused(output, attempt)
    away.rename(hsm.tokens)
    assert output.folder(hsm.folder, but=frozenset({"pin"})) > 10
    journal.close()


def test_the_log_that_was_searched_is_the_one_that_is_kept(tmp_path: Path) -> None:
    """So that the search does not pass because there was nothing to find."""
    path = tmp_path / "keys.vault"
    vault = Vault.create(path, UNLOCK, cost=QUICK)
    vault.add(KEY, VENDING_KEY)
    custody = Custody.begin(
        path,
        vault,
        name="Thabaneng 1",
        is_lab=True,
        actor="Ada Ohm",
        now=NOW,
        random_bytes=fixed_random("module"),
    )
    assert isinstance(custody.audit.log, AuditLog)
    driver: JournalledModule = open_driver(
        f"software:{path}", ModuleOptions(unlock=UNLOCK, lab_mode=True)
    )
    assert driver.vending_key(METER) == KEY
    leaky = Output()
    ModuleHome(path).audit.write_bytes(VENDING_KEY.expose().hex().encode())
    leaky.folder(tmp_path)
    assert any(".audit: vending key" in leak for leak in leaky.leaks(SEARCHER))
