"""Vector files: what a case says, and why a case that says nothing sensible is unreadable."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.amount import CurrencyAmount, PowerLimit, UnitAmount
from sts.errors import VectorFileError
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import KeyChange
from sts.key_material import DecoderKey, VendingKey
from sts.tokens import (
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    Service,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)
from sts.vectors import UnreadableCase, VectorCase, read_cases
from tests.strategies import shown_in, telling_bytes

Raw = dict[str, Any]

# STS 531-1-11 Edition 2.2, CTSA01 step 1 and CTSA05 step 1.
CREDIT: Final[Raw] = {
    "id": "credit",
    "op": "token",
    "token_kind": "TransferCredit/electricity",
    "dkga": "04",
    "ea": "11",
    "vending_key_hex": "abababababababab949494949494949401234567",
    "meter_pan": "600727000000000009",
    "supply_group_code": "201457",
    "tariff_index": "01",
    "key_revision_number": 1,
    "key_type": 2,
    "base_date": "2014",
    "date_of_issue": "2014-03-01T13:00:00",
    "tid": 85740,
    "rnd": 5,
    "amount_tenths": 1,
    "decoder_key_hex": "929bd3a415c9420a05ec5ee9f3ce91c3",
    "expected_token": "58625789986991357486",
}
SET: Final[Raw] = {
    "id": "set",
    "op": "set",
    "token_kind": "KeyChange",
    "set_size": 4,
    "ro": 1,
    "new_key_expiry_number": 170,
    **{name: CREDIT[name] for name in ("ea", "decoder_key_hex")},
    **{
        f"new_{name}": CREDIT[name]
        for name in (
            "dkga",
            "vending_key_hex",
            "meter_pan",
            "supply_group_code",
            "tariff_index",
            "key_revision_number",
            "key_type",
            "base_date",
            "decoder_key_hex",
        )
    },
    "expected_tokens": ["1", "2", "3", "4"],
}


def without(case: Raw, *names: str) -> Raw:
    return {name: value for name, value in case.items() if name not in names}


def read(case: object) -> VectorCase | UnreadableCase:
    (result,) = read_cases({"title": "a title", "cases": [case]})[1]
    return result


def readable(case: Raw) -> VectorCase:
    result = read(case)
    assert isinstance(result, VectorCase), result
    return result


def reason(case: object) -> str:
    result = read(case)
    assert isinstance(result, UnreadableCase), result
    return result.reason


# --- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [None, [], "cases", 1, {}, {"cases": []}, {"cases": {}}, {"cases": "x"}, [{"cases": [1]}]],
    ids=repr,
)
def test_what_is_not_an_object_with_cases_is_refused(document: object) -> None:
    with pytest.raises(VectorFileError, match='a JSON object with a list "cases" that is not'):
        read_cases(document)


def test_a_file_may_have_a_title() -> None:
    assert read_cases({"title": "mine", "cases": [CREDIT]})[0] == "mine"
    assert read_cases({"cases": [CREDIT]})[0] == "untitled"


def test_cases_keep_their_order_and_their_names() -> None:
    _, cases = read_cases({"cases": [CREDIT, 5, without(CREDIT, "id"), {"op": "key"}]})
    assert [case.identity for case in cases] == ["credit", "case 2", "case 3", "case 4"]


@pytest.mark.parametrize(
    ("names", "group"),
    [
        ({"suite": "S", "test": "T"}, ("S", "T")),
        ({"suite": "S"}, ("S", "TransferCredit/electricity")),
        ({}, ("a title", "TransferCredit/electricity")),
    ],
)
def test_cases_are_grouped_by_suite_and_test(names: Raw, group: tuple[str, str]) -> None:
    assert read(CREDIT | names).group == group


def test_cases_without_a_kind_are_grouped_by_operation() -> None:
    assert read(without(CREDIT | {"op": "key"}, "token_kind")).group == ("a title", "key")
    assert read({}).group == ("a title", "-")
    assert read("nothing").group == ("a title", "-")


# --- what a case says -------------------------------------------------------------------------


def test_the_inputs_of_a_key_are_read() -> None:
    case = readable(CREDIT)
    assert case.encryption_algorithm is EncryptionAlgorithm.MISTY1
    key = case.key
    assert key is not None
    assert key.attributes is not None
    assert key.algorithm is KeyGenerationAlgorithm.DKGA04
    assert key.vending_key == VendingKey.from_hex(CREDIT["vending_key_hex"])
    assert key.decoder_key == DecoderKey.from_hex(CREDIT["decoder_key_hex"])
    assert str(key.attributes.meter_pan) == CREDIT["meter_pan"]
    assert key.attributes.supply_group_code == SupplyGroupCode(201457)
    assert key.attributes.tariff_index == TariffIndex(1)
    assert key.attributes.key_revision_number == KeyRevisionNumber(1)
    assert key.attributes.key_type is KeyType.UNIQUE
    assert key.attributes.base_date is BaseDate.Y2014
    assert key.attributes.encryption_algorithm is EncryptionAlgorithm.MISTY1


def test_a_decoder_key_may_stand_without_its_inputs() -> None:
    key = readable(without(CREDIT, "dkga")).key
    assert key is not None
    assert (key.algorithm, key.vending_key, key.attributes) == (None, None, None)
    assert key.decoder_key == DecoderKey.from_hex(CREDIT["decoder_key_hex"])


# Fields that take the place of the kind and the amount in CREDIT, and the token they make.
PAYLOADS: list[tuple[Raw, Token]] = [
    (
        {"token_kind": "TransferCredit/water", "amount_tenths": 16385},
        TransferCredit(service=Service.WATER, rnd=5, tid=85740, amount=UnitAmount(0x4001)),
    ),
    (
        {"token_kind": "TransferCredit/gas-currency", "currency_units": -100000},
        TransferCurrencyCredit(
            service=Service.GAS, tid=85740, amount=CurrencyAmount.from_fields(0x8, 0x60A9)
        ),
    ),
    (
        {"token_kind": "SetMaximumPowerLimit", "mpl": 16384},
        SetMaximumPowerLimit(rnd=5, tid=85740, limit=PowerLimit(0x4000)),
    ),
    (
        {"token_kind": "SetMaximumPhasePowerUnbalanceLimit", "mppul": 10},
        SetMaximumPhasePowerUnbalanceLimit(rnd=5, tid=85740, limit=PowerLimit(10)),
    ),
    (
        {"token_kind": "ClearCredit", "register": 0xFFFF},
        ClearCredit(rnd=5, tid=85740, register=CreditRegister.ALL),
    ),
    ({"token_kind": "SetTariffRate", "rate": 7}, SetTariffRate(rnd=5, tid=85740, rate=7)),
    (
        {"token_kind": "SetWaterMeterFactor", "water_meter_factor": 7},
        SetWaterMeterFactor(rnd=5, tid=85740, factor=7),
    ),
    ({"token_kind": "ClearTamperCondition"}, ClearTamperCondition(rnd=5, tid=85740)),
    (
        {"token_kind": "ExtendedToken", "extended_field": 0xFC01},
        WriteExtended(rnd=5, tid=85740, index=63, data=1),
    ),
    (
        {
            "token_kind": "InitiateMeterTest/Display1",
            "control_hex": "000000400",
            "control_bits": 36,
            "manufacturer_code": "04",
        },
        InitiateMeterTest(control=0x400, manufacturer_code=4),
    ),
    (
        {
            "token_kind": "InitiateMeterTest/Display2",
            "control_hex": "fffffff",
            "control_bits": 28,
            "manufacturer_code": "0100",
        },
        InitiateMeterTest(control=0xFFFFFFF, manufacturer_code=100, manufacturer_digits=4),
    ),
]


@pytest.mark.parametrize(
    ("payload", "token"), PAYLOADS, ids=[payload["token_kind"] for payload, _ in PAYLOADS]
)
def test_the_token_of_a_case_is_built_from_its_payload(payload: Raw, token: Token) -> None:
    case = readable(without(CREDIT, "amount_tenths") | payload)
    assert case.token == token
    assert case.expected == ("58625789986991357486",)
    assert (case.change, case.new_key, case.set_size, case.part) == (None, None, None, None)


def test_the_blocks_of_a_case_are_read() -> None:
    case = readable(CREDIT | {"block_hex": "05014EEC00013188", "expected_block_hex": "2d98"})
    assert (case.clear_block, case.cipher_block) == (0x05014EEC00013188, 0x2D98)
    assert (readable(CREDIT).clear_block, readable(CREDIT).cipher_block) == (None, None)


@pytest.mark.parametrize("tables", ["none", "sample", "licensed"])
def test_a_case_says_which_tables_it_needs(tables: str) -> None:
    assert readable(CREDIT | {"sta_tables": tables, "ea": "07"}).sta_tables == tables
    assert readable(CREDIT).sta_tables == "none"


CHANGE: Final = KeyChange(
    new_key=DecoderKey.from_hex(CREDIT["decoder_key_hex"]),
    key_expiry_number=KeyExpiryNumber(170),
    key_revision_number=KeyRevisionNumber(1),
    key_type=KeyType.UNIQUE,
    tariff_index=TariffIndex(1),
    rollover=True,
    supply_group_code=SupplyGroupCode(201457),
)


def test_a_set_says_which_change_it_makes() -> None:
    case = readable(SET)
    assert (case.change, case.set_size, case.part) == (CHANGE, 4, None)
    assert case.expected == ("1", "2", "3", "4")
    assert case.token is None


def test_a_set_is_no_rollover_unless_it_says_so() -> None:
    case = readable(without(SET, "ro"))
    assert case.change is not None
    assert not case.change.rollover


@pytest.mark.parametrize(("name", "part"), [("1st", 1), ("2nd", 2), ("3rd", 3), ("4th", 4)])
def test_one_part_says_which_of_its_change_it_is(name: str, part: int) -> None:
    kind = f"Set{name}SectionDecoderKey"
    case = readable(SET | {"op": "token", "token_kind": kind, "expected_token": "1"})
    assert (case.change, case.set_size, case.part) == (CHANGE, None, part)
    assert case.expected == ("1",)
    assert case.token is None


def test_a_key_case_has_no_tokens() -> None:
    case = readable(without(CREDIT | {"op": "key"}, "token_kind"))
    assert case.key is not None
    assert (case.expected, case.token, case.change) == ((), None, None)


def test_a_class_1_token_needs_no_key() -> None:
    payload, token = PAYLOADS[-1]
    case = readable({"op": "token", "expected_token": "1", **payload})
    assert (case.key, case.encryption_algorithm, case.token) == (None, None, token)


# --- times ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date_of_issue", "tid"),
    [
        ("2014-03-01T13:00:59", 85740),
        # An offset is not passed over, as another engine does.
        ("2014-03-01T15:00:00+02:00", 85740),
        ("2014-03-01T13:00:00Z", 85740),
        # The minute 00:01 is reserved, so the token has the next one.
        ("2026-07-29T00:01:00", 6612482),
        ("2026-07-29T00:02:00", 6612482),
        # Of three tokens made at 00:03, the third; of fifty made at 00:01, the last.
        ("2026-07-29T00:03:00", 6612485),
        ("2026-07-29T00:01:00", 6612531),
        # Special tokens have the reserved minute of their day, whenever that is.
        ("2026-07-29T00:00:00", 6612481),
        ("2026-07-29T00:01:00", 6612481),
        ("2026-07-29T23:59:00", 6612481),
    ],
)
def test_a_token_identifier_belongs_to_its_time(date_of_issue: str, tid: int) -> None:
    token = readable(CREDIT | {"date_of_issue": date_of_issue, "tid": tid}).token
    assert isinstance(token, TransferCredit)
    assert token.tid == tid


@pytest.mark.parametrize(
    ("date_of_issue", "tid"),
    [
        ("2014-03-01T13:00:00", 85739),
        ("2014-03-01T13:00:00", 85790),
        ("2014-03-01T13:00:00+02:00", 85740),
        ("2026-07-29T00:01:00", 6612480),
        ("2026-07-29T00:01:00", 6612532),
        # The reserved minutes of the day before and of the day after.
        ("2026-07-29T00:03:00", 6611041),
        ("2026-07-29T00:03:00", 6613921),
    ],
)
def test_a_token_identifier_of_another_time_makes_the_case_unreadable(
    date_of_issue: str, tid: int
) -> None:
    assert reason(CREDIT | {"date_of_issue": date_of_issue, "tid": tid}) == (
        f"VECTOR_FILE: token identifier {tid} does not belong to {date_of_issue}"
    )


@pytest.mark.parametrize("name", ["date_of_issue", "base_date"])
def test_without_a_time_or_a_base_date_the_token_identifier_stands_alone(name: str) -> None:
    case = without(CREDIT, "dkga", name) | {"tid": 1}
    token = readable(case).token
    assert isinstance(token, TransferCredit)
    assert token.tid == 1


# --- unreadable cases -------------------------------------------------------------------------

MISSING: Final = "field {!r} is missing or has an unknown value"
WRONG_FORM: Final = "a field has the wrong form ({})"
TEST: Final[Raw] = {"op": "token", "expected_token": "1", **PAYLOADS[-1][0]}

UNREADABLE: list[tuple[object, str]] = [
    ("no object", "not a JSON object"),
    (["no object"], "not a JSON object"),
    # Every field that a case of its kind must have.
    *(
        (without(CREDIT, name), MISSING.format(name))
        for name in (
            "op",
            "token_kind",
            "ea",
            "vending_key_hex",
            "meter_pan",
            "supply_group_code",
            "tariff_index",
            "key_revision_number",
            "key_type",
            "base_date",
            "tid",
            "rnd",
            "amount_tenths",
            "expected_token",
        )
    ),
    *(
        (without(SET, name), MISSING.format(name))
        for name in (
            "set_size",
            "new_key_expiry_number",
            "new_decoder_key_hex",
            "new_dkga",
            "new_vending_key_hex",
            "new_key_type",
            "expected_tokens",
        )
    ),
    *(
        (without(TEST, name), MISSING.format(name))
        for name in ("control_hex", "control_bits", "manufacturer_code")
    ),
    # A key case that would compare nothing.
    (without(CREDIT | {"op": "key"}, "decoder_key_hex"), MISSING.format("decoder_key_hex")),
    (without(CREDIT | {"op": "key"}, "dkga"), MISSING.format("dkga")),
    # Values that are not in a table.
    (CREDIT | {"op": "vend"}, MISSING.format("vend")),
    (
        CREDIT | {"token_class": 0, "subclass": 1},
        "VECTOR_FILE: class and subclass do not belong to a TransferCredit/electricity token",
    ),
    (CREDIT | {"sta_tables": "licensed"}, MISSING.format("sta_tables")),
    (SET | {"ro": "0"}, MISSING.format("ro")),
    (SET | {"ro": 2}, MISSING.format("ro")),
    (SET | {"set_size": None}, MISSING.format("set_size")),
    (SET | {"block_hex": "00"}, MISSING.format("block_hex")),
    (CREDIT | {"token_kind": "TransferCredits"}, MISSING.format("token_kind")),
    (CREDIT | {"token_kind": "TransferCredit/heat"}, MISSING.format("token_kind")),
    (CREDIT | {"token_kind": "TransferCredit/gas-money"}, MISSING.format("token_kind")),
    (CREDIT | {"sta_tables": "secret"}, MISSING.format("sta_tables")),
    (TEST | {"control_bits": 32}, MISSING.format(32)),
    # Values of the wrong form.
    (CREDIT | {"op": ["token"]}, WRONG_FORM.format("TypeError")),
    (CREDIT | {"token_kind": 1}, WRONG_FORM.format("AttributeError")),
    (CREDIT | {"vending_key_hex": 1}, WRONG_FORM.format("TypeError")),
    (CREDIT | {"block_hex": "xy"}, WRONG_FORM.format("ValueError")),
    (CREDIT | {"expected_block_hex": None}, WRONG_FORM.format("TypeError")),
    (CREDIT | {"date_of_issue": "yesterday"}, WRONG_FORM.format("ValueError")),
    (TEST | {"manufacturer_code": float("inf")}, WRONG_FORM.format("OverflowError")),
    (CREDIT | {"token_kind": "ClearCredit", "register": 8}, WRONG_FORM.format("ValueError")),
    (
        CREDIT | {"token_kind": "ExtendedToken", "extended_field": "1"},
        WRONG_FORM.format("TypeError"),
    ),
]


@pytest.mark.parametrize(("case", "expected"), UNREADABLE)
def test_a_case_that_cannot_be_read_says_why(case: object, expected: str) -> None:
    assert reason(case) == expected


# A change to a case, and how the refusal of the library itself begins.
REFUSED: list[tuple[Raw, Raw, str]] = [
    (CREDIT, {"ea": "12"}, "UNKNOWN_CODE: encryption algorithm: "),
    (CREDIT, {"dkga": "05"}, "UNKNOWN_CODE: decoder key generation algorithm: "),
    (CREDIT, {"base_date": "1970"}, "UNKNOWN_CODE: base date: "),
    (CREDIT, {"meter_pan": "600727000000000008"}, "WRONG_CHECK_DIGIT: meter PAN: "),
    (CREDIT, {"supply_group_code": "20145"}, "WRONG_LENGTH: supply group code: "),
    (CREDIT, {"tariff_index": "1x"}, "NOT_DIGITS: tariff index: "),
    (CREDIT, {"key_revision_number": 0}, "OUT_OF_RANGE: key revision number: "),
    (CREDIT, {"key_type": 4}, "OUT_OF_RANGE: key type: "),
    (SET, {"new_key_expiry_number": 256}, "OUT_OF_RANGE: key expiry number: "),
    (CREDIT, {"rnd": 16}, "FIELD_RANGE: rnd must be "),
    (CREDIT, {"tid": 85740.0}, "FIELD_RANGE: tid must be "),
    (CREDIT, {"amount_tenths": 1.0}, "AMOUNT_NOT_INTEGER: "),
    (CREDIT, {"amount_tenths": 18201625}, "AMOUNT_TOO_LARGE: 18201625 is more than "),
    (CREDIT, {"vending_key_hex": "ab"}, "KEY_LENGTH: vending key takes "),
    (CREDIT, {"decoder_key_hex": "xy"}, "KEY_FORMAT: decoder key: "),
    (CREDIT, {"date_of_issue": "2013-12-31T23:59"}, "BEFORE_BASE_DATE: 2013-12-31T23:59:00"),
    (CREDIT, {"expected_token": 58625789986991357486}, "VECTOR_FILE: an expected token is "),
    (SET, {"expected_tokens": []}, "VECTOR_FILE: an expected token is "),
    (SET, {"expected_tokens": ["1", None]}, "VECTOR_FILE: an expected token is "),
    (SET, {"expected_tokens": "1234"}, "VECTOR_FILE: an expected token is "),
]


@pytest.mark.parametrize(("case", "change", "beginning"), REFUSED)
def test_a_case_that_the_library_refuses_says_with_which_code(
    case: Raw, change: Raw, beginning: str
) -> None:
    assert reason(case | change).startswith(beginning)


KEY_FIELDS: Final = (
    "vending_key_hex",
    "decoder_key_hex",
    "new_vending_key_hex",
    "new_decoder_key_hex",
)
BOTH_KEYS: Final[Raw] = CREDIT | SET


@given(
    st.sampled_from(KEY_FIELDS),
    telling_bytes(20),
    st.sampled_from(
        [
            lambda key: f"{key}0",
            lambda key: f"0x{key}",
            lambda key: f"{key}{key}",
            lambda key: key[:30],
            lambda key: f"{key[:-1]}g",
            lambda key: [key],
            lambda key: {key: key},
            lambda key: int(key, 16),
        ]
    ),
)
def test_no_reason_holds_a_key(name: str, key: bytes, misspell: Any) -> None:  # noqa: ANN401 - any JSON
    told = reason(BOTH_KEYS | {name: misspell(key.hex())})
    assert not shown_in(key, told)


def test_no_case_shows_its_keys() -> None:
    shown = repr(readable(BOTH_KEYS))
    for name in KEY_FIELDS:
        assert not shown_in(bytes.fromhex(BOTH_KEYS[name]), shown)


# Any JSON at all in any one field of a case: it reads, or it is unreadable, but nothing else.
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from([CREDIT, SET, TEST]), st.data(), any_json)
def test_whatever_stands_in_a_field_the_case_is_read_or_unreadable(
    case: Raw, data: st.DataObject, value: object
) -> None:
    name = data.draw(st.sampled_from(sorted(case)))
    result = read(case | {name: value})
    assert isinstance(result, VectorCase) or result.reason
