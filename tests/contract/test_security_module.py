"""What every security module promises, over all of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from keys import (
    AcceptableToken,
    ChangeReason,
    ClearTamperRequest,
    CreditRequest,
    CurrencyCreditRequest,
    KeysError,
    KeyTerms,
    MeterConfiguration,
    NewKey,
    RegisteredKey,
    UnacceptableToken,
    VendingKeyRecord,
)
from keys.issuing import JournalledModule
from keys.records import check_value_of
from sts import (
    BaseDate,
    CurrencyAmount,
    DecoderKey,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    Service,
    StsError,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
    VendingKey,
    decode,
    encode_amount,
    new_cipher,
    tid_from_datetime,
)
from sts.key_change import join
from sts.tokens import KEY_CHANGE_TOKEN_TYPES
from tests.contract.conftest import MakeModule
from tests.contract.security_modules import Held, Setup

NOW: Final = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
DAY: Final = timedelta(days=1)
PAN: Final = MeterPan.from_drn("0100200002010")
STA_PAN: Final = MeterPan.from_drn("00100001023")
GROUP: Final = SupplyGroupCode(201457)
DITK: Final = DecoderKey(bytes(range(16)))
TID: Final = tid_from_datetime(NOW, BaseDate.Y2014)
KEYS: Final = {
    KeyGenerationAlgorithm.DKGA02: VendingKey.from_hex("ABABABABABABABAB"),
    KeyGenerationAlgorithm.DKGA04: VendingKey.from_hex("ABABABABABABABAB949494949494949401234567"),
}


def _meter(revision: int = 1, **changes: object) -> MeterConfiguration:
    meter = MeterConfiguration(
        tenant="thabaneng",
        meter_pan=PAN,
        supply_group_code=GROUP,
        tariff_index=TariffIndex(1),
        key_revision_number=KeyRevisionNumber(revision),
        key_type=KeyType.UNIQUE,
        encryption_algorithm=EncryptionAlgorithm.MISTY1,
    )
    return replace(meter, **changes)  # type: ignore[arg-type]  # checked by the class


def _key(revision: int = 1, terms: KeyTerms | None = None, **changes: object) -> RegisteredKey:
    algorithm = changes.get("key_generation_algorithm", KeyGenerationAlgorithm.DKGA04)
    assert isinstance(algorithm, KeyGenerationAlgorithm)
    record = VendingKeyRecord(
        tenant="thabaneng",
        supply_group_code=GROUP,
        key_revision_number=KeyRevisionNumber(revision),
        key_type=KeyType.UNIQUE,
        key_generation_algorithm=algorithm,
        base_date=BaseDate.Y2014,
        key_expiry_number=KeyExpiryNumber(255),
        check_value=check_value_of(KEYS[algorithm]),
    )
    record = replace(record, **changes)  # type: ignore[arg-type]  # as above
    return RegisteredKey(record=record, terms=terms or KeyTerms())


def _held(key: RegisteredKey, *meters: MeterConfiguration) -> Held:
    vending_key = KEYS[key.record.key_generation_algorithm]
    return Held(key=key, vending_key=vending_key, meters=meters)


STA: Final[dict[str, Any]] = {"meter_pan": STA_PAN, "encryption_algorithm": EncryptionAlgorithm.STA}
TI_2: Final[dict[str, Any]] = {"tariff_index": TariffIndex(2)}
DEFAULT: Final[dict[str, Any]] = {"key_type": KeyType.DEFAULT}
DKGA02: Final[dict[str, Any]] = {"key_generation_algorithm": KeyGenerationAlgorithm.DKGA02}
HELD: Final = (
    _held(_key(1), _meter(1), _meter(1, **TI_2), _meter(1, **STA), _meter(1, **STA, **TI_2)),
    _held(_key(2, key_expiry_number=KeyExpiryNumber(90)), _meter(2), _meter(2, **STA)),
    _held(_key(3, **DEFAULT), _meter(3, **DEFAULT)),
    _held(_key(4, base_date=BaseDate.Y1993), _meter(4), _meter(4, **STA)),
    _held(_key(5, KeyTerms(activation=NOW + DAY)), _meter(5)),
    _held(_key(6, KeyTerms(issued_until=NOW)), _meter(6)),
    _held(_key(7, KeyTerms(credit_limit_units=10)), _meter(7)),
    _held(_key(8, **DKGA02), _meter(8, **STA)),
    _held(_key(9, key_type=KeyType.COMMON, **DKGA02), _meter(9, **STA, key_type=KeyType.COMMON)),
)


@pytest.fixture
def module(make_module: MakeModule, tmp_path: Path) -> JournalledModule:
    return make_module(Setup(folder=tmp_path, held=HELD))


@pytest.fixture
def production(make_module: MakeModule, tmp_path: Path) -> JournalledModule:
    return make_module(Setup(folder=tmp_path, held=HELD, lab_mode=False))


def _credit(tid: int = TID, tenths: int = 59) -> CreditRequest:
    return CreditRequest(service=Service.ELECTRICITY, tid_minutes=tid, amount=encode_amount(tenths))


def _currency(units: int, tid: int = TID) -> CurrencyCreditRequest:
    return CurrencyCreditRequest(
        service=Service.ELECTRICITY, tid_minutes=tid, amount=CurrencyAmount.rounding_up(units)
    )


def _new(revision: int = 1, tariff_index: int = 1, **changes: object) -> NewKey:
    new = NewKey(
        supply_group_code=GROUP,
        key_revision_number=KeyRevisionNumber(revision),
        tariff_index=TariffIndex(tariff_index),
    )
    return replace(new, **changes)  # type: ignore[arg-type]  # as above


# --- one request, one answer --------------------------------------------------------------------


def test_the_same_request_gets_the_same_answer(module: JournalledModule) -> None:
    first = module.issue(_meter(), _credit(), message_id="m", now=NOW)
    again = module.issue(_meter(), _credit(), message_id="m", now=NOW + 900 * DAY)
    assert again == first
    assert first.tid_minutes == TID


@pytest.mark.parametrize(
    ("meter", "request_"),
    [(_meter(), _credit(tenths=60)), (_meter(), _credit(TID + 1)), (_meter(1, **TI_2), _credit())],
    ids=["amount", "token identifier", "meter's key"],
)
def test_the_same_id_with_another_request_is_refused(
    module: JournalledModule, meter: MeterConfiguration, request_: CreditRequest
) -> None:
    module.issue(_meter(), _credit(), message_id="m", now=NOW)
    with pytest.raises(KeysError) as refusal:
        module.issue(meter, request_, message_id="m", now=NOW)
    assert refusal.value.code == "MESSAGE_ID_REUSED"


def test_a_key_change_is_answered_once_too(module: JournalledModule) -> None:
    first = module.change_key(_meter(), _new(tariff_index=2), message_id="m", now=NOW)
    assert module.change_key(_meter(), _new(tariff_index=2), message_id="m", now=NOW) == first
    with pytest.raises(KeysError) as refusal:
        module.issue(_meter(), _credit(), message_id="m", now=NOW)
    assert refusal.value.code == "MESSAGE_ID_REUSED"


@pytest.mark.parametrize("message_id", ["", "x" * 201, "a\nb"])
def test_a_message_id_has_a_plain_form(module: JournalledModule, message_id: str) -> None:
    with pytest.raises(KeysError) as refusal:
        module.issue(_meter(), _credit(), message_id=message_id, now=NOW)
    assert refusal.value.code == "MESSAGE_ID"


def test_a_token_identifier_is_used_once_for_a_meter(module: JournalledModule) -> None:
    module.issue(_meter(), _credit(), message_id="1", now=NOW)
    with pytest.raises(StsError) as refusal:
        module.issue(_meter(), ClearTamperRequest(tid_minutes=TID), message_id="2", now=NOW)
    assert refusal.value.code == "TID_ALREADY_USED"
    module.issue(_meter(1, **STA), _credit(), message_id="3", now=NOW)
    module.issue(_meter(), _credit(TID + 1), message_id="4", now=NOW)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meter", "codes"),
    [
        (_meter(1, supply_group_code=SupplyGroupCode(7)), {"UNKNOWN_VENDING_KEY"}),
        (_meter(1, tenant="mwanga"), {"ANOTHER_TENANTS_KEY"}),
        (_meter(1, **DEFAULT), {"KEY_TYPE_MISMATCH"}),
        (_meter(3, **DEFAULT), {"CREDIT_UNDER_DEFAULT_KEY"}),
        (_meter(9, **STA, key_type=KeyType.COMMON), {"COMMON_KEY_NOT_FOR_CARRIER"}),
        (_meter(5), {"KEY_NOT_ACTIVE"}),
        (_meter(6), {"ISSUED_UNTIL_PASSED"}),
        (_meter(2), {"KEY_EXPIRED"}),
        (_meter(4), {"AFTER_LAST_MINUTE"}),
    ],
    ids=lambda value: "" if isinstance(value, MeterConfiguration) else min(value),
)
def test_a_key_that_may_not_serve_makes_no_credit(
    module: JournalledModule, meter: MeterConfiguration, codes: set[str]
) -> None:
    # Without vending keys, a key that is not there is a meter's.
    allowed = codes | ({"UNKNOWN_DECODER_KEY"} if module.status().kind == "decoder-keys" else set())
    for _ in range(2):
        with pytest.raises((KeysError, StsError)) as refusal:
            module.issue(meter, _credit(), message_id="m", now=NOW)
        assert isinstance(refusal.value, KeysError | StsError)
        assert refusal.value.code in allowed


def test_a_default_key_makes_management_tokens(module: JournalledModule) -> None:
    request = ClearTamperRequest(tid_minutes=TID)
    assert module.issue(_meter(3, **DEFAULT), request, message_id="m", now=NOW).digits


def test_a_common_key_serves_magnetic_cards(module: JournalledModule) -> None:
    carrier = TokenCarrierType.MAGNETIC_CARD
    meter = _meter(9, **STA, key_type=KeyType.COMMON, token_carrier_type=carrier)
    assert module.issue(meter, _credit(), message_id="m", now=NOW).digits


def test_credit_in_currency_stays_within_the_limit_of_its_key(module: JournalledModule) -> None:
    """The limit is 10 units of the currency; negative credit gives nothing back."""
    module.issue(_meter(7), _currency(600_000), message_id="1", now=NOW)
    module.issue(_meter(7), _currency(-600_000, TID + 1), message_id="2", now=NOW)
    with pytest.raises(KeysError) as refusal:
        module.issue(_meter(7), _currency(600_000, TID + 2), message_id="3", now=NOW)
    assert refusal.value.code == "CREDIT_LIMIT"
    module.issue(_meter(7), _currency(390_000, TID + 2), message_id="3", now=NOW)
    module.issue(_meter(7), _credit(TID + 3), message_id="4", now=NOW)


def test_outside_lab_mode_the_sample_tables_make_nothing(production: JournalledModule) -> None:
    for attempt in (
        lambda: production.issue(_meter(1, **STA), _credit(), message_id="m", now=NOW),
        lambda: production.change_key(
            _meter(1, **STA), _new(tariff_index=2), message_id="m", now=NOW
        ),
    ):
        with pytest.raises(StsError) as refusal:
            attempt()
        assert refusal.value.code == "SAMPLE_TABLES_IN_PRODUCTION"
    answer = production.issue(_meter(), _credit(), message_id="m", now=NOW)
    assert not answer.sample_tables


def test_time_is_aware(module: JournalledModule) -> None:
    naive = NOW.replace(tzinfo=None)
    for attempt in (
        lambda: module.issue(_meter(), _credit(), message_id="m", now=naive),
        lambda: module.verify(_meter(), "0" * 20, now=naive),
    ):
        with pytest.raises(StsError) as refusal:
            attempt()
        assert refusal.value.code == "NAIVE_DATETIME"


# --- key changes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meter", "new", "size", "reasons"),
    [
        (_meter(), _new(tariff_index=2), 4, (ChangeReason.TARIFF_INDEX,)),
        (_meter(1, **STA), _new(tariff_index=2), 2, (ChangeReason.TARIFF_INDEX,)),
        (
            _meter(1, **STA),
            _new(tariff_index=2, with_supply_group_code=True),
            3,
            (ChangeReason.TARIFF_INDEX,),
        ),
        (_meter(2), _new(), 4, (ChangeReason.KEY_REVISION, ChangeReason.KEY_EXPIRY)),
        (_meter(4), _new(), 4, (ChangeReason.KEY_REVISION, ChangeReason.BASE_DATE)),
        (_meter(8, **STA), _new(), 2, (ChangeReason.KEY_REVISION, ChangeReason.ALGORITHM)),
        (
            _meter(3, **DEFAULT),
            _new(tariff_index=2),
            4,
            (ChangeReason.KEY_REVISION, ChangeReason.TARIFF_INDEX, ChangeReason.KEY_TYPE),
        ),
        (_meter(1, key_expiry_number=KeyExpiryNumber(200)), _new(), 4, (ChangeReason.KEY_EXPIRY,)),
    ],
    ids=["TI", "2 tokens", "3 tokens", "from expired", "rollover", "DKGA", "default", "KEN"],
)
def test_one_set_brings_everything_that_changes(
    module: JournalledModule,
    meter: MeterConfiguration,
    new: NewKey,
    size: int,
    reasons: tuple[ChangeReason, ...],
) -> None:
    answer = module.change_key(meter, new, message_id="m", now=NOW)
    assert answer.reasons == reasons
    assert answer.rollover is (ChangeReason.BASE_DATE in reasons)
    assert len(answer.tokens) == size
    parts = [each.token for each in answer.tokens]
    assert all(isinstance(part, KEY_CHANGE_TOKEN_TYPES) for part in parts)
    joined = join(
        (part for part in parts if isinstance(part, KEY_CHANGE_TOKEN_TYPES)),
        key_bits=meter.encryption_algorithm.key_bits,
    )
    assert joined.new_key.expose() == bytes(len(joined.new_key.expose())), "no key leaves"
    after = answer.new_configuration
    assert joined.rollover is answer.rollover
    assert (joined.key_type, joined.key_revision_number) == (after.key_type, KeyRevisionNumber(1))
    assert (joined.tariff_index, joined.key_expiry_number) == (
        after.tariff_index,
        after.key_expiry_number,
    )
    assert module.issue(after, _credit(), message_id="next", now=NOW).digits


@pytest.mark.parametrize(
    ("meter", "new", "code"),
    [
        (_meter(), _new(), "KEY_CHANGE_SAME"),
        (_meter(), _new(2), "KEY_CHANGE_TO_EXPIRED_KEY"),
        (_meter(), _new(4), "AFTER_LAST_MINUTE"),
        (_meter(), _new(5), "KEY_NOT_ACTIVE"),
        (_meter(5), _new(), "KEY_NOT_ACTIVE"),
        (_meter(6), _new(), "ISSUED_UNTIL_PASSED"),
        (_meter(1, **STA), _new(9), "KEY_CHANGE_TYPE"),
        (_meter(1, **STA), _new(8), "KEY_CHANGE_ALGORITHM"),
        (_meter(8, **STA), _new(allow_algorithm_change=False), "KEY_CHANGE_ALGORITHM"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_that_may_not_be_is_refused(
    module: JournalledModule, meter: MeterConfiguration, new: NewKey, code: str
) -> None:
    with pytest.raises((KeysError, StsError)) as refusal:
        module.change_key(meter, new, message_id="m", now=NOW)
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code


def test_a_new_meter_is_commissioned_from_the_makers_key(module: JournalledModule) -> None:
    meter = _meter(key_type=KeyType.INITIALISATION)
    answer = module.commission(meter, DITK, _new(), message_id="m", now=NOW)
    assert answer.reasons == (ChangeReason.COMMISSIONING,)
    assert not answer.rollover
    assert answer.present_key is None
    cipher = new_cipher(EncryptionAlgorithm.MISTY1, DITK)
    for each in answer.tokens:
        assert type(decode(each.digits, cipher)) is type(each.token)
    again = module.commission(meter, DITK, _new(), message_id="m", now=NOW)
    assert again == answer
    with pytest.raises(KeysError) as refusal:
        module.commission(meter, DecoderKey(bytes(16)), _new(), message_id="m", now=NOW)
    assert refusal.value.code == "MESSAGE_ID_REUSED"


def test_only_meters_with_a_makers_key_are_commissioned(module: JournalledModule) -> None:
    with pytest.raises(KeysError) as refusal:
        module.commission(_meter(), DITK, _new(), message_id="m", now=NOW)
    assert refusal.value.code == "NOT_AN_INITIALISATION_KEY"


def test_a_production_module_commissions_nothing(production: JournalledModule) -> None:
    meter = _meter(key_type=KeyType.INITIALISATION)
    with pytest.raises(KeysError) as refusal:
        production.commission(meter, DITK, _new(), message_id="m", now=NOW)
    assert refusal.value.code == "NOT_A_COMMISSIONING_MODULE"


# --- verification -------------------------------------------------------------------------------


def test_a_token_is_verified_with_its_age(module: JournalledModule) -> None:
    answer = module.issue(_meter(), _credit(), message_id="m", now=NOW)
    found = module.verify(_meter(), answer.digits, now=NOW + timedelta(minutes=7))
    assert found == AcceptableToken(token=answer.token, issued_at=NOW, age_minutes=7)


def test_a_part_of_a_key_change_is_verified_without_the_key(module: JournalledModule) -> None:
    answer = module.change_key(_meter(), _new(tariff_index=2), message_id="m", now=NOW)
    for each in answer.tokens:
        found = module.verify(_meter(), each.digits, now=NOW)
        assert found == AcceptableToken(token=each.token, issued_at=None, age_minutes=None)


def test_another_meters_token_is_not_acceptable(module: JournalledModule) -> None:
    digits = module.issue(_meter(), _credit(), message_id="m", now=NOW).digits
    found = module.verify(_meter(1, **TI_2), digits, now=NOW)
    assert isinstance(found, UnacceptableToken)
    assert (found.code, found.token) == ("CRC_MISMATCH", None)


def test_a_token_from_before_the_expiry_of_its_key_stays_acceptable(
    module: JournalledModule,
) -> None:
    request = _credit(KeyExpiryNumber(90).last_tid_minutes)
    before = datetime(2025, 1, 1, tzinfo=UTC)
    answer = module.issue(_meter(2), request, message_id="m", now=before)
    assert isinstance(module.verify(_meter(2), answer.digits, now=NOW), AcceptableToken)


def test_a_lab_gets_the_key_that_its_tokens_are_made_with(module: JournalledModule) -> None:
    answer = module.issue(_meter(), _credit(), message_id="m", now=NOW)
    key, decoder_key = module.lab_decoder_key(_meter(), now=NOW)
    assert key == answer.vending_key
    assert decode(answer.digits, new_cipher(EncryptionAlgorithm.MISTY1, decoder_key)) == (
        answer.token
    )


def test_no_key_leaves_a_production_module(production: JournalledModule) -> None:
    with pytest.raises(KeysError) as refusal:
        production.lab_decoder_key(_meter(), now=NOW)
    assert refusal.value.code == "LAB_MODULE_ONLY"


@pytest.mark.parametrize(
    ("meter", "code"),
    [
        (_meter(2), "KEY_EXPIRED"),
        (_meter(5), "KEY_NOT_ACTIVE"),
        (_meter(6), "ISSUED_UNTIL_PASSED"),
    ],
)
def test_a_key_that_may_not_serve_is_not_handed_out(
    module: JournalledModule, meter: MeterConfiguration, code: str
) -> None:
    with pytest.raises((KeysError, StsError)) as refusal:
        module.lab_decoder_key(meter, now=NOW)
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code


def test_the_status_says_what_the_module_can(module: JournalledModule) -> None:
    status = module.status()
    assert status.lab_mode
    assert status.vending_keys >= len(HELD)
    assert not status.capabilities.chooses_tid
    assert not status.capabilities.production
    assert status.capabilities.commission
    assert status.capabilities.verify
    assert "ABAB" not in repr(status)


def test_all_revisions_of_a_supply_group_are_those_found_one_by_one(
    module: JournalledModule,
) -> None:
    def found(revision: int) -> list[RegisteredKey]:
        try:
            return [module.vending_key(_meter(revision))]
        except KeysError:
            return []

    expected = [key for revision in range(1, 10) for key in found(revision)]
    told = sorted(module.revisions(_meter(9)), key=lambda key: int(key.name.key_revision_number))
    assert len(told) > 5
    assert told == expected


@pytest.mark.parametrize(
    "changes", [{"tenant": "mwanga"}, {"supply_group_code": SupplyGroupCode(201458)}], ids=str
)
def test_of_another_supply_group_there_are_no_revisions(
    module: JournalledModule, changes: dict[str, Any]
) -> None:
    assert module.revisions(_meter(**changes)) == ()
