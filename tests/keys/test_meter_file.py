"""The key of a lab meter in a sealed file: a meter made from it takes the module's tokens."""

import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from keys import CreditRequest, FileJournal, KeyTerms, MeterConfiguration, SoftwareModule, Vault
from keys.audit import AuditLog
from keys.audit_writing import AuditWriter
from keys.audited_module import AuditedModule
from keys.chain_seal import HmacSealKey
from keys.decoder_key_file import COLUMNS, read_decoder_keys
from keys.decoder_keys import DecoderKeysModule
from keys.errors import KeysError
from keys.meter_file import LONGEST_PASSPHRASE, write_meter_file
from keys.secret import Secret
from sts import (
    BaseDate,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    Service,
    StsError,
    SupplyGroupCode,
    TokenCarrierType,
    derive_decoder_key,
    encode_amount,
    new_cipher,
    tid_from_datetime,
)
from sts.meter import Accepted, MeterSpec, Volatile, apply, new_state
from sts.meter.errors import MeterKeyFileSealError
from sts.meter.key_file import open_meter_key
from tests.keys.conftest import NOW, VAULT_KEY, VENDING_KEY, RecordMaker, sample_meter
from tests.keys.custody import fixed_random

METER: Final = sample_meter()
PASSPHRASE: Final = "seven quiet rivers"
CREDIT: Final = CreditRequest(
    service=Service.ELECTRICITY,
    amount=encode_amount(256),
    tid_minutes=tid_from_datetime(NOW, BaseDate.Y2014),
)
SUPPLIED: Final = "00112233445566778899aabbccddeeff"


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    seal = HmacSealKey(Secret(bytes(range(32))))
    return AuditLog.create(tmp_path / "audit", "test", key=seal, actor="ada", now=NOW)


@pytest.fixture
def audited(vault: Vault, journal: FileJournal, log: AuditLog) -> AuditedModule:
    module = SoftwareModule(vault, lab_mode=True, journal=journal)
    return AuditedModule(module, AuditWriter(log, "ada"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "house.key"


def _write(
    module: AuditedModule,
    path: Path,
    meter: MeterConfiguration = METER,
    *,
    passphrase: str = PASSPHRASE,
    now: datetime = NOW,
) -> None:
    write_meter_file(
        module,
        meter,
        path=path,
        passphrase=passphrase,
        now=now,
        random_bytes=fixed_random("meter file"),
    )


def _last(log: AuditLog) -> dict[str, Any]:
    *_, entry = log.entries()
    return dict(entry.record)


def _decoder_key(meter: MeterConfiguration, made_by: RecordMaker) -> bytes:
    record = made_by().record
    attributes = meter.key_attributes(record.base_date)
    return derive_decoder_key(record.key_generation_algorithm, VENDING_KEY, attributes).expose()


@pytest.mark.parametrize("algorithm", [EncryptionAlgorithm.STA, EncryptionAlgorithm.MISTY1])
def test_a_meter_from_the_file_takes_a_token_of_the_module_without_a_key_change(
    audited: AuditedModule, path: Path, algorithm: EncryptionAlgorithm
) -> None:
    meter = sample_meter(encryption_algorithm=algorithm)
    _write(audited, path, meter)
    found = open_meter_key(path.read_text(), PASSPHRASE)
    spec = MeterSpec(
        decoder_reference_number=found.decoder_reference_number,
        encryption_algorithm=found.encryption_algorithm,
    )
    answer = audited.issue(meter, CREDIT, message_id="sale 1", now=NOW)
    reaction = apply(
        spec,
        new_state(spec, found.register, now=NOW),
        Volatile(),
        digits=answer.digits,
        cipher=new_cipher(found.encryption_algorithm, found.register.decoder_key),
        now=NOW,
    )
    assert isinstance(reaction.outcome, Accepted)


def test_the_file_says_what_the_key_is_for(audited: AuditedModule, path: Path) -> None:
    _write(audited, path)
    found = open_meter_key(path.read_text(), PASSPHRASE)
    register = found.register
    assert found.decoder_reference_number == METER.meter_pan.drn
    assert register.supply_group_code == METER.supply_group_code
    assert register.tariff_index == METER.tariff_index
    assert register.key_revision_number == METER.key_revision_number
    assert register.key_type is KeyType.UNIQUE
    assert register.base_date is BaseDate.Y2014
    assert register.key_expiry_number == KeyExpiryNumber(255)


def test_a_meter_may_have_been_told_another_expiry_number(
    audited: AuditedModule, path: Path
) -> None:
    _write(audited, path, sample_meter(key_expiry_number=KeyExpiryNumber(0)))
    register = open_meter_key(path.read_text(), PASSPHRASE).register
    assert register.key_expiry_number == KeyExpiryNumber(0)


def test_a_key_from_the_makers_file_may_go_out_as_well(
    tmp_path: Path, path: Path, log: AuditLog, journal: FileJournal
) -> None:
    row = ("0100200002010", SUPPLIED, "11", "201457", "1", "01", "2", "2014", "255", "04")
    vault = Vault.create(tmp_path / "maker.vault", VAULT_KEY)
    vault.add_decoder_keys(
        read_decoder_keys(f"{','.join(COLUMNS)}\n{','.join(row)}\n", "thabaneng")
    )
    module = DecoderKeysModule(vault, lab_mode=True, journal=journal)
    _write(AuditedModule(module, AuditWriter(log, "ada")), path)
    register = open_meter_key(path.read_text(), PASSPHRASE).register
    assert register.decoder_key.expose().hex() == SUPPLIED


def test_the_file_opens_under_no_other_passphrase(audited: AuditedModule, path: Path) -> None:
    _write(audited, path)
    with pytest.raises(MeterKeyFileSealError) as refusal:
        open_meter_key(path.read_text(), PASSPHRASE.upper())
    assert refusal.value.code == "METER_KEY_FILE_SEAL"


def test_the_file_is_for_its_owner_alone(audited: AuditedModule, path: Path) -> None:
    _write(audited, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_one_entry_says_that_the_key_went_out(
    audited: AuditedModule, path: Path, log: AuditLog, make_record: RecordMaker
) -> None:
    _write(audited, path)
    assert [entry.record["event"] for entry in log.entries()] == ["created", "meter-file"]
    entry = _last(log)
    assert entry.pop("at") == "2026-03-02T08:15:00Z"
    assert entry == {
        "event": "meter-file",
        "actor": "ada",
        "tenant": "thabaneng",
        "supply_group_code": "201457",
        "key_revision_number": 1,
        "meter_pan": METER.meter_pan.digits,
        "check_value": make_record().record.check_value,
    }


def test_the_key_is_neither_in_the_log_nor_open_in_the_file(
    audited: AuditedModule, path: Path, tmp_path: Path, make_record: RecordMaker
) -> None:
    _write(audited, path)
    key = _decoder_key(METER, make_record)
    assert open_meter_key(path.read_text(), PASSPHRASE).register.decoder_key.expose() == key
    for file in (path, tmp_path / "audit"):
        content = file.read_bytes()
        assert key not in content
        assert key.hex().encode() not in content.lower()


def test_the_entry_is_there_before_the_file(
    audited: AuditedModule, tmp_path: Path, log: AuditLog
) -> None:
    with pytest.raises(KeysError) as refusal:
        _write(audited, tmp_path / "nowhere" / "house.key")
    assert refusal.value.code == "FILE_UNREADABLE"
    events = [entry.record["event"] for entry in log.entries()]
    assert events == ["created", "meter-file", "refusal"]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"supply_group_code": SupplyGroupCode(9)}, "UNKNOWN_VENDING_KEY"),
        ({"key_revision_number": KeyRevisionNumber(2)}, "UNKNOWN_VENDING_KEY"),
        ({"tenant": "mwanga"}, "ANOTHER_TENANTS_KEY"),
        ({"key_type": KeyType.DEFAULT}, "KEY_TYPE_MISMATCH"),
        ({"key_type": KeyType.INITIALISATION}, "KEY_TYPE_MISMATCH"),
        ({"encryption_algorithm": EncryptionAlgorithm.DEA}, "UNSUPPORTED_ALGORITHM"),
    ],
)
def test_a_key_that_there_is_not_is_refused(
    audited: AuditedModule, path: Path, log: AuditLog, changes: dict[str, object], code: str
) -> None:
    with pytest.raises((KeysError, StsError)) as refusal:
        _write(audited, path, sample_meter(**changes))
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code
    assert not path.exists()
    entry = _last(log)
    assert (entry["event"], entry["refused"]) == ("refusal", "meter-file")
    assert entry["refusal_code"] == code


@pytest.mark.parametrize(
    ("terms", "changes", "code"),
    [
        (KeyTerms(activation=NOW + timedelta(days=1)), {}, "KEY_NOT_ACTIVE"),
        (KeyTerms(issued_until=NOW), {}, "ISSUED_UNTIL_PASSED"),
        (KeyTerms(), {"key_expiry_number": KeyExpiryNumber(1)}, "KEY_EXPIRED"),
        (KeyTerms(), {"key_type": KeyType.COMMON}, "UNSUPPORTED_KEY_TYPE"),
    ],
)
def test_a_key_that_may_not_be_used_does_not_go_out(
    tmp_path: Path,
    path: Path,
    log: AuditLog,
    journal: FileJournal,
    make_record: RecordMaker,
    terms: KeyTerms,
    changes: dict[str, object],
    code: str,
) -> None:
    key = make_record(terms, **changes)
    vault = Vault.create(tmp_path / "other.vault", VAULT_KEY)
    vault.add(key, VENDING_KEY)
    module = SoftwareModule(vault, lab_mode=True, journal=journal)
    meter = sample_meter(
        key_type=key.record.key_type,
        token_carrier_type=TokenCarrierType.MAGNETIC_CARD,
    )
    with pytest.raises((KeysError, StsError)) as refusal:
        _write(AuditedModule(module, AuditWriter(log, "ada")), path, meter)
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code
    assert _last(log)["refusal_code"] == code
    assert not path.exists()


def test_no_key_goes_out_of_a_module_for_real_meters(
    vault: Vault, path: Path, log: AuditLog, journal: FileJournal
) -> None:
    module = SoftwareModule(vault, lab_mode=False, journal=journal, manufacturing=True)
    with pytest.raises(KeysError) as refusal:
        _write(AuditedModule(module, AuditWriter(log, "ada")), path)
    assert refusal.value.code == "LAB_MODULE_ONLY"
    assert _last(log)["refusal_code"] == "LAB_MODULE_ONLY"
    assert not path.exists()


def test_a_file_in_the_way_stays_as_it_is_and_no_key_is_used(
    audited: AuditedModule, path: Path, log: AuditLog
) -> None:
    path.write_text("precious")
    with pytest.raises(KeysError) as refusal:
        _write(audited, path)
    assert refusal.value.code == "FILE_EXISTS"
    assert path.read_text() == "precious"
    assert [entry.record["event"] for entry in log.entries()] == ["created", "refusal"]


@pytest.mark.parametrize(
    "passphrase", ["", "two\nlines", "a\tstop", "\udcff", "x" * (LONGEST_PASSPHRASE + 1)]
)
def test_a_passphrase_that_nobody_can_type_is_refused(
    audited: AuditedModule, path: Path, log: AuditLog, passphrase: str
) -> None:
    with pytest.raises(KeysError) as refusal:
        _write(audited, path, passphrase=passphrase)
    assert refusal.value.code == "METER_FILE_PASSPHRASE"
    assert _last(log)["refusal_code"] == "METER_FILE_PASSPHRASE"
    assert not path.exists()


def test_the_longest_passphrase_is_one(audited: AuditedModule, path: Path) -> None:
    _write(audited, path, passphrase="é" * LONGEST_PASSPHRASE)
    found = open_meter_key(path.read_text(), "é" * LONGEST_PASSPHRASE)
    assert found.decoder_reference_number == METER.meter_pan.drn


# --- what comes along -----------------------------------------------------------------------------


def test_key_custody_without_the_extra_for_meters_can_write_it() -> None:
    """Neither the meter's memory nor its screen is imported, even where they are installed."""
    heavy = ("sqlite_utils", "textual", "numpy")
    program = f"import keys.meter_file, sys; print([n for n in {heavy} if n in sys.modules])"
    printed = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    assert printed == "[]\n"
