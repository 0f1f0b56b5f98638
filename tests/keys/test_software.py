"""The module in process: its random bits, its parity report, and tokens that say something else."""

from datetime import datetime
from pathlib import Path

import pytest

from keys import CreditRequest, FileJournal, Secret, SoftwareModule, Vault
from keys.errors import TokenMismatchError
from keys.issuing import JournalledModule
from keys.journal_errors import NoJournalError
from keys.key_changes import require_same_change
from keys.requests import NewKey
from sts import (
    BaseDate,
    DecoderKey,
    KeyChange,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    Service,
    SetMaximumPowerLimit,
    SupplyGroupCode,
    TariffIndex,
    Token,
    TransferCredit,
    VendingKey,
    encode_amount,
    encode_power_limit,
    tid_from_datetime,
)
from sts.key_change import build
from tests.keys.conftest import MeterMaker, RecordMaker


def _request(now: datetime, *, later: int = 0, tenths: int = 59) -> CreditRequest:
    return CreditRequest(
        service=Service.ELECTRICITY,
        tid_minutes=tid_from_datetime(now, BaseDate.Y2014) + later,
        amount=encode_amount(tenths),
    )


def test_the_four_random_bits_take_all_sixteen_values(
    module: SoftwareModule, journal: FileJournal, make_meter: MeterMaker, now: datetime
) -> None:
    """300 tokens miss one of the values with a chance of 6 in 100 million."""
    found = set()
    with journal.transaction() as group:
        for number in range(300):
            token = module.issue(
                make_meter(),
                _request(now, later=number),
                message_id=f"m{number}",
                now=now,
                journal=group,
            ).token
            assert isinstance(token, TransferCredit)
            found.add(token.rnd)
    assert found == set(range(16))


@pytest.mark.parametrize(
    "decoded",
    [
        TransferCredit(service=Service.WATER, rnd=0, tid=1, amount=encode_amount(1)),
        SetMaximumPowerLimit(rnd=0, tid=1, limit=encode_power_limit(1)),
    ],
)
def test_a_token_that_decodes_to_something_else_never_leaves(
    module: SoftwareModule,
    make_meter: MeterMaker,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    decoded: Token,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("keys.token_making.decode", lambda _digits, _cipher: decoded)
        with pytest.raises(TokenMismatchError) as refusal:
            module.issue(make_meter(), _request(now), message_id="m", now=now)
    assert refusal.value.code == "TOKEN_MISMATCH"
    # Nothing of it is in the journal.
    assert module.issue(make_meter(), _request(now, tenths=1), message_id="m", now=now).digits


def test_a_set_that_leads_elsewhere_never_leaves() -> None:
    change = KeyChange(
        new_key=DecoderKey(bytes(8)),
        key_expiry_number=KeyExpiryNumber(255),
        key_revision_number=KeyRevisionNumber(1),
        key_type=KeyType.UNIQUE,
        tariff_index=TariffIndex(1),
        rollover=False,
        supply_group_code=None,
    )
    require_same_change(change, build(change), key_bits=64)
    other = KeyChange(
        new_key=DecoderKey(bytes([1] * 8)),
        key_expiry_number=KeyExpiryNumber(255),
        key_revision_number=KeyRevisionNumber(1),
        key_type=KeyType.UNIQUE,
        tariff_index=TariffIndex(1),
        rollover=False,
        supply_group_code=None,
    )
    with pytest.raises(TokenMismatchError):
        require_same_change(change, build(other), key_bits=64)


def test_nothing_is_issued_without_a_journal(
    vault: Vault, make_meter: MeterMaker, now: datetime
) -> None:
    module = SoftwareModule(vault, lab_mode=True)
    with pytest.raises(NoJournalError) as refusal:
        module.issue(make_meter(), _request(now), message_id="m", now=now)
    assert refusal.value.code == "NO_JOURNAL"


def test_a_vending_key_that_is_not_the_one_of_its_record_serves_nobody(
    vault_path: Path,
    vault_key: Secret,
    journal: FileJournal,
    make_record: RecordMaker,
    make_meter: MeterMaker,
    now: datetime,
) -> None:
    vault = Vault.create(vault_path, vault_key)
    vault.add(make_record(), VendingKey(bytes(20)))
    module = SoftwareModule(vault, lab_mode=True, journal=journal)
    with pytest.raises(Exception, match="check value") as refusal:
        module.issue(make_meter(), _request(now), message_id="m", now=now)
    assert getattr(refusal.value, "code", None) == "CHECK_VALUE_MISMATCH"


@pytest.mark.parametrize(("key", "odd"), [("ABABABABABABABAB", True), ("ABABABABABABABAA", False)])
def test_the_parity_of_64_bit_keys_is_reported(
    vault_path: Path,
    vault_key: Secret,
    make_record: RecordMaker,
    key: str,
    odd: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    vault = Vault.create(vault_path, vault_key)
    algorithm = KeyGenerationAlgorithm.DKGA02
    vault.add(make_record(key_generation_algorithm=algorithm), VendingKey.from_hex(key))
    (held,) = SoftwareModule(vault, lab_mode=True).status().keys
    assert (held.bits, held.odd_parity) == (64, odd)


def test_a_160_bit_key_has_no_parity(module: SoftwareModule) -> None:
    (held,) = module.status().keys
    assert (held.bits, held.odd_parity) == (160, None)


def test_a_manufacturing_module_commissions_outside_lab_mode(
    vault: Vault, journal: FileJournal, make_meter: MeterMaker, now: datetime
) -> None:
    module: JournalledModule = SoftwareModule(
        vault, lab_mode=False, journal=journal, manufacturing=True
    )
    new = NewKey(
        supply_group_code=SupplyGroupCode(201457),
        key_revision_number=KeyRevisionNumber(1),
        tariff_index=TariffIndex(1),
    )
    meter = make_meter(key_type=KeyType.INITIALISATION)
    answer = module.commission(meter, DecoderKey(bytes(16)), new, message_id="m", now=now)
    assert len(answer.tokens) == 4
    assert module.status().capabilities.commission
