"""The module over a token, with the same journal, rules and audit log as the others."""

from datetime import timedelta
from pathlib import Path

import pytest

from keys import (
    CreditRequest,
    FileJournal,
    IssueAnswer,
    KeysError,
    MeterConfiguration,
    SoftwareModule,
    Vault,
)
from keys.audit_record import AuditEvent
from keys.custody import Custody, Origin
from keys.open import Caller, ModuleOptions, open_custody, open_driver, open_module, open_store
from keys.pkcs11.module import Pkcs11Module
from keys.pkcs11.store import HsmKeys
from sts import (
    BaseDate,
    EncryptionAlgorithm,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    MeterPan,
    Service,
    encode_amount,
    tid_from_datetime,
)
from tests.journals import new_journal, open_journal
from tests.keys.conftest import VAULT_KEY, MeterMaker
from tests.keys.custody import KEY_64, KEY_128, KEY_160, NOW, fixed_random, registered
from tests.soft_hsm import SoftHsm

pytestmark = pytest.mark.hsm

KEY = registered()
DES_KEY = registered(revision=2, key_generation_algorithm=KeyGenerationAlgorithm.DKGA02)
EVEN_KEY = registered(revision=3, key_generation_algorithm=KeyGenerationAlgorithm.DKGA03)


def _request(*, later: int = 0) -> CreditRequest:
    return CreditRequest(
        service=Service.ELECTRICITY,
        tid_minutes=tid_from_datetime(NOW, BaseDate.Y2014) + later,
        amount=encode_amount(59),
    )


@pytest.fixture
def keys(hsm: SoftHsm) -> HsmKeys:
    opened = hsm.keys()
    opened.add_all([(KEY, KEY_160), (DES_KEY, KEY_64), (EVEN_KEY, KEY_128)])
    return opened


@pytest.fixture
def des_meter(make_meter: MeterMaker) -> MeterConfiguration:
    return make_meter(
        meter_pan=MeterPan.from_drn("00100001023"),
        encryption_algorithm=EncryptionAlgorithm.STA,
        key_revision_number=KeyRevisionNumber(2),
    )


def test_a_64_bit_key_serves_only_where_the_operator_lets_it_out(
    hsm: SoftHsm, keys: HsmKeys, journal: FileJournal, des_meter: MeterConfiguration
) -> None:
    module = Pkcs11Module(keys, lab_mode=True, journal=journal)
    with pytest.raises(KeysError) as refusal:
        module.issue(des_meter, _request(), message_id="m", now=NOW)
    assert refusal.value.code == "DKGA02_NOT_IN_HSM"
    assert "allow_unwrapped_dkga02" in refusal.value.hint
    allowed = Pkcs11Module(hsm.keys(allow_unwrapped_dkga02="true"), lab_mode=True, journal=journal)
    assert allowed.issue(des_meter, _request(), message_id="m", now=NOW).digits


def test_the_status_says_what_there_is_without_taking_it_out(keys: HsmKeys) -> None:
    status = Pkcs11Module(keys, lab_mode=True).status()
    assert status.kind == "pkcs11"
    assert {(held.bits, held.odd_parity) for held in status.keys} == {
        (160, None),
        (64, True),
        (128, None),
    }
    assert "ABAB" not in repr(status).upper()


def test_a_lost_token_stops_the_sale_and_nothing_is_in_the_journal(
    hsm: SoftHsm, keys: HsmKeys, journal: FileJournal, make_meter: MeterMaker
) -> None:
    module = Pkcs11Module(keys, lab_mode=True, journal=journal)
    first = module.issue(make_meter(), _request(), message_id="1", now=NOW)
    away = hsm.folder / "away"
    hsm.tokens.rename(away)
    with pytest.raises(KeysError) as refusal:
        module.issue(make_meter(), _request(later=1), message_id="2", now=NOW)
    assert refusal.value.code == "HSM_LOST"
    with journal.transaction() as transaction:
        assert transaction.find("thabaneng", "2") is None
    away.rename(hsm.tokens)
    assert module.issue(make_meter(), _request(), message_id="1", now=NOW) == first
    assert module.issue(make_meter(), _request(later=1), message_id="2", now=NOW).digits


def test_it_makes_the_tokens_of_the_software_module(
    hsm: SoftHsm, keys: HsmKeys, tmp_path: Path, make_meter: MeterMaker
) -> None:
    vault = Vault.create(tmp_path / "vault", VAULT_KEY)
    vault.add(KEY, KEY_160)
    digits = set()
    for name, module in (
        ("token", Pkcs11Module(keys, lab_mode=False, random_bytes=fixed_random("a"))),
        ("vault", SoftwareModule(vault, lab_mode=False, random_bytes=fixed_random("a"))),
    ):
        journal = new_journal(tmp_path / f"{name}.db")
        answer = module.issue(make_meter(), _request(), message_id="m", now=NOW, journal=journal)
        digits.add(answer.digits)
        journal.close()
    assert len(digits) == 1
    assert hsm.folder.is_dir()


def _issued_by(
    folder: Path, template: str, *, journal: FileJournal, meter: MeterConfiguration
) -> IssueAnswer:
    keys = SoftHsm.prepared(folder, template).keys()
    keys.add(KEY, KEY_160)
    module = Pkcs11Module(keys, lab_mode=True, journal=journal)
    return module.issue(meter, _request(), message_id="m", now=NOW)


def test_a_second_token_with_the_same_seal_key_takes_over(
    tmp_path: Path, hsm: SoftHsm, journal: FileJournal, make_meter: MeterMaker
) -> None:
    """It knows what the first one has answered already."""
    first, second = (
        _issued_by(tmp_path / name, name, journal=journal, meter=make_meter())
        for name in ("shared 1", "shared 2")
    )
    assert first == second
    assert hsm.folder.is_dir()


def test_a_second_token_with_a_seal_key_of_its_own_cannot_read_the_journal(
    tmp_path: Path, hsm: SoftHsm, journal: FileJournal, make_meter: MeterMaker
) -> None:
    assert hsm.folder.is_dir()
    _issued_by(tmp_path / "first", "shared 1", journal=journal, meter=make_meter())
    with pytest.raises(KeysError) as refusal:
        _issued_by(tmp_path / "second", "own seal key", journal=journal, meter=make_meter())
    assert refusal.value.code == "MESSAGE_ID_REUSED"


def test_a_token_is_opened_by_the_name_of_its_settings(hsm: SoftHsm, keys: HsmKeys) -> None:
    name = f"pkcs11:{hsm.settings_file}"
    assert set(open_store(name, None).records) == set(keys.records)
    for lab_mode in (True, False):
        module = open_driver(name, ModuleOptions(lab_mode=lab_mode))
        assert module.status().kind == "pkcs11"
        assert module.status().lab_mode is lab_mode
        assert module.status().capabilities.production is not lab_mode


def test_custodians_and_the_audit_log_work_on_it_as_on_a_vault(
    hsm: SoftHsm, make_meter: MeterMaker
) -> None:
    name, later = f"pkcs11:{hsm.write_settings()}", NOW + timedelta(minutes=1)
    Custody.begin(
        hsm.settings_file,
        open_store(name, None),
        name="Thabaneng 1",
        is_lab=True,
        actor="Ada Ohm",
        now=NOW,
        random_bytes=fixed_random("module"),
    )
    custody = open_custody(name, None, actor="Ada Ohm", random_bytes=fixed_random("open"))
    custody.take(KEY, KEY_160, origin=Origin(event=AuditEvent.CEREMONY), now=NOW)
    module = open_module(
        name,
        ModuleOptions(lab_mode=True, journal=_journal_of(hsm)),
        caller=Caller(actor="till 1", now=later),
    )
    answer = module.issue(make_meter(), _request(), message_id="m", now=later)
    assert answer.vending_key == KEY
    log = Path(f"{hsm.settings_file}.audit").read_text(encoding="ascii")
    assert AuditEvent.ISSUE in log
    assert answer.digits not in log
    assert KEY_160.expose().hex() not in log.lower()


def _journal_of(hsm: SoftHsm) -> FileJournal:
    return open_journal(Path(f"{hsm.settings_file}.journal"))
