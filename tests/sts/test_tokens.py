"""What a token may say: every field is checked when the token is made."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.amount import CurrencyAmount, PowerLimit, UnitAmount
from sts.errors import FieldRangeError, FieldTypeError
from sts.identifiers import KeyRevisionNumber, KeyType, SupplyGroupCode, TariffIndex
from sts.layouts import TOKEN_KINDS
from sts.tokens import (
    KEY_CHANGE_TOKEN_TYPES,
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
    ReservedToken,
    Service,
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)
from tests.strategies import ISSUABLE_TOKENS, bits

CREDIT = TransferCredit(service=Service.WATER, rnd=5, tid=85740, amount=UnitAmount(1))
CURRENCY = TransferCurrencyCredit(
    service=Service.TIME, tid=85740, amount=CurrencyAmount.rounding_up(1_00000)
)
FIRST = Set1stSectionDecoderKey(
    key_expiry_high=0xF,
    key_revision_number=KeyRevisionNumber(1),
    rollover=False,
    three_token_set=False,
    key_type=KeyType.UNIQUE,
    new_key_high=0xB199270A,
)
SECOND = Set2ndSectionDecoderKey(
    key_expiry_low=0xF, tariff_index=TariffIndex(2), new_key_low=0x964A8782
)
THIRD = Set3rdSectionDecoderKey(supply_group_low=0x2F1, new_key_middle_2=0x77AF96D3)
FOURTH = Set4thSectionDecoderKey(supply_group_high=0x031, new_key_middle_1=0x156C51B0)
SHORT_TEST = InitiateMeterTest(control=1)
LONG_TEST = InitiateMeterTest(control=1, manufacturer_digits=4)
READ = ReadExtended(index=0)
WRITE = WriteExtended(rnd=5, tid=1, index=0, data=123)
RATE = SetTariffRate(rnd=5, tid=1, rate=0)
FACTOR = SetWaterMeterFactor(rnd=5, tid=1, factor=0)
RESERVED = ReservedToken(token_class=0, subclass=8, content=0)

# One token of each kind, and its class and subclass in the standard's table.
EXAMPLES: list[tuple[Token, int, int]] = [
    (CREDIT, 0, 1),
    (CURRENCY, 0, 7),
    (SHORT_TEST, 1, 0),
    (LONG_TEST, 1, 1),
    (READ, 1, 2),
    (ProprietaryTest(subclass=6, control=0, manufacturer_code=100), 1, 6),
    (SetMaximumPowerLimit(rnd=5, tid=1, limit=PowerLimit(1000)), 2, 0),
    (ClearCredit(rnd=5, tid=1, register=CreditRegister.ALL), 2, 1),
    (RATE, 2, 2),
    (FIRST, 2, 3),
    (SECOND, 2, 4),
    (ClearTamperCondition(rnd=5, tid=1), 2, 5),
    (SetMaximumPhasePowerUnbalanceLimit(rnd=5, tid=1, limit=PowerLimit(10)), 2, 6),
    (FACTOR, 2, 7),
    (Set3rdSectionSupplyGroup(supply_group_code=SupplyGroupCode(201457)), 2, 8),
    (THIRD, 2, 8),
    (FOURTH, 2, 9),
    (WRITE, 2, 10),
    (ProprietaryManagement(subclass=11, content=0), 2, 11),
    (RESERVED, 0, 8),
]

# Token, field, width: the fields whose values are plain numbers.
PLAIN_FIELDS: list[tuple[Token, str, int]] = [
    (CREDIT, "rnd", 4),
    (CREDIT, "tid", 24),
    (CURRENCY, "tid", 24),
    (SHORT_TEST, "control", 36),
    (SHORT_TEST, "manufacturer_code", 8),
    (LONG_TEST, "control", 28),
    (LONG_TEST, "manufacturer_code", 16),
    (READ, "index", 6),
    (READ, "data", 30),
    (READ, "manufacturer_code", 8),
    *(
        (token, frame_field, width)
        for token, token_class, subclass in EXAMPLES
        if token_class == 2 and subclass in (0, 1, 2, 5, 6, 7, 10)
        for frame_field, width in (("rnd", 4), ("tid", 24))
    ),
    (RATE, "rate", 16),
    (FACTOR, "factor", 16),
    (WRITE, "index", 6),
    (WRITE, "data", 10),
    (FIRST, "key_expiry_high", 4),
    (FIRST, "new_key_high", 32),
    (SECOND, "key_expiry_low", 4),
    (SECOND, "new_key_low", 32),
    (THIRD, "supply_group_low", 12),
    (THIRD, "new_key_middle_2", 32),
    (FOURTH, "supply_group_high", 12),
    (FOURTH, "new_key_middle_1", 32),
    (ProprietaryTest(subclass=10, control=0, manufacturer_code=0), "control", 28),
    (ProprietaryTest(subclass=10, control=0, manufacturer_code=0), "manufacturer_code", 16),
    (ProprietaryTest(subclass=11, control=0, manufacturer_code=0), "control", 36),
    (ProprietaryTest(subclass=11, control=0, manufacturer_code=0), "manufacturer_code", 8),
    (ProprietaryManagement(subclass=15, content=0), "content", 44),
    (RESERVED, "token_class", 2),
    (RESERVED, "subclass", 4),
    (RESERVED, "content", 44),
]


def altered(token: Any, field: str, value: object) -> Any:  # noqa: ANN401 - any kind of token
    return dataclasses.replace(token, **{field: value})


def kind_name(value: object) -> str | None:
    return type(value).__name__ if dataclasses.is_dataclass(value) else None


@pytest.mark.parametrize(("token", "token_class", "subclass"), EXAMPLES, ids=kind_name)
def test_each_kind_has_its_class_and_subclass(
    token: Token, token_class: int, subclass: int
) -> None:
    assert (token.token_class, token.subclass) == (token_class, subclass)


def test_the_examples_and_the_strategies_leave_no_kind_out() -> None:
    kinds = {kind.token_type for kind in TOKEN_KINDS}
    assert {type(token) for token, _, _ in EXAMPLES} == kinds
    drawn = set(ISSUABLE_TOKENS[64]) | set(ISSUABLE_TOKENS[128])
    assert drawn == kinds - {ReservedToken}


@pytest.mark.parametrize(("token", "field", "width"), PLAIN_FIELDS, ids=kind_name)
def test_a_field_takes_as_many_bits_as_it_has(token: Token, field: str, width: int) -> None:
    largest = (1 << width) - 1
    for value in (0, largest):
        assert getattr(altered(token, field, value), field) == value
    for wrong in (-1, largest + 1, True, 1.0, "1", None):
        with pytest.raises(FieldRangeError) as caught:
            altered(token, field, wrong)
        assert caught.value.field == field
        assert f"{field} must be a whole number from 0 to {largest}," in str(caught.value)


@pytest.mark.parametrize(
    ("make", "low", "high"),
    [
        (
            lambda subclass: ProprietaryTest(subclass=subclass, control=0, manufacturer_code=0),
            6,
            15,
        ),
        (lambda subclass: ProprietaryManagement(subclass=subclass, content=0), 11, 15),
    ],
    ids=["class 1", "class 2"],
)
def test_a_maker_has_his_own_subclasses_and_no_others(
    make: Callable[[int], Token], low: int, high: int
) -> None:
    assert [make(subclass).subclass for subclass in (low, high)] == [low, high]
    for outside in (low - 1, high + 1):
        with pytest.raises(FieldRangeError, match=f"subclass must be .* from {low} to {high}"):
            make(outside)


@pytest.mark.parametrize("token", [token for token, _, _ in EXAMPLES], ids=kind_name)
def test_a_token_is_a_value(token: Token) -> None:
    twin = dataclasses.replace(token)
    assert twin == token
    assert hash(twin) == hash(token)
    assert not hasattr(token, "__dict__")
    for field in dataclasses.fields(token):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(token, field.name, getattr(token, field.name))


@pytest.mark.parametrize("token", [token for token, _, _ in EXAMPLES], ids=kind_name)
def test_the_fields_of_a_token_are_given_by_name(token: Token) -> None:
    """Two numbers in a row are easily swapped; a random one and a minute look alike."""
    make: Any = type(token)
    values = [getattr(token, field.name) for field in dataclasses.fields(token)]
    with pytest.raises(TypeError, match="positional argument"):
        make(*values)


@pytest.mark.parametrize("token", [FIRST, SECOND, THIRD, FOURTH], ids=kind_name)
def test_parts_of_a_key_are_not_shown(token: Token) -> None:
    (part,) = (field.name for field in dataclasses.fields(token) if not field.repr)
    assert part.startswith("new_key_")
    assert part not in repr(token)
    assert str(getattr(token, part)) not in repr(token)


def test_the_kinds_of_key_change_token_are_those_of_the_union() -> None:
    subclasses = {
        kind.subclass for kind in TOKEN_KINDS if kind.token_type in KEY_CHANGE_TOKEN_TYPES
    }
    assert subclasses == {3, 4, 8, 9}


def test_services_and_registers_have_the_numbers_of_the_standard() -> None:
    assert [service.name for service in Service] == ["ELECTRICITY", "WATER", "GAS", "TIME"]
    assert [service.value for service in Service] == [0, 1, 2, 3]
    assert {register.value: register.name for register in CreditRegister} == {
        0: "ELECTRICITY",
        1: "WATER",
        2: "GAS",
        3: "TIME",
        4: "ELECTRICITY_CURRENCY",
        5: "WATER_CURRENCY",
        6: "GAS_CURRENCY",
        7: "TIME_CURRENCY",
        0xFFFF: "ALL",
    }


# --- tests and displays -----------------------------------------------------------------------

EITHER_CODE: list[tuple[Literal[2, 4], int]] = [(2, 36), (4, 28)]


@pytest.mark.parametrize(("manufacturer_digits", "control_bits"), EITHER_CODE)
def test_test_n_has_control_bit_n_less_one(
    manufacturer_digits: Literal[2, 4], control_bits: int
) -> None:
    for test in range(1, control_bits + 1):
        token = InitiateMeterTest.for_tests([test], manufacturer_digits=manufacturer_digits)
        assert token.control == 1 << (test - 1)
        assert token.tests == (test,)


@pytest.mark.parametrize(("manufacturer_digits", "control_bits"), EITHER_CODE)
def test_test_zero_is_all_ones(manufacturer_digits: Literal[2, 4], control_bits: int) -> None:
    for tests in ([0], [0, 0], range(1, control_bits + 1)):
        token = InitiateMeterTest.for_tests(tests, manufacturer_digits=manufacturer_digits)
        assert token.control == (1 << control_bits) - 1
        assert token.tests == (0,)


@given(st.sets(st.integers(min_value=1, max_value=28), max_size=27))
def test_several_tests_are_told_in_ascending_order(tests: set[int]) -> None:
    for manufacturer_digits, _ in EITHER_CODE:
        token = InitiateMeterTest.for_tests(tests, manufacturer_digits=manufacturer_digits)
        assert token.tests == tuple(sorted(tests))


@pytest.mark.parametrize(("manufacturer_digits", "control_bits"), EITHER_CODE)
def test_a_test_without_a_control_bit_is_refused(
    manufacturer_digits: Literal[2, 4], control_bits: int
) -> None:
    for outside in (-1, control_bits + 1):
        with pytest.raises(FieldRangeError, match=f"test must be .* 0 to {control_bits}, found"):
            InitiateMeterTest.for_tests([outside], manufacturer_digits=manufacturer_digits)


@pytest.mark.parametrize("digits", [0, 1, 3, 8])
def test_a_manufacturer_code_has_two_or_four_digits(digits: Literal[2, 4]) -> None:
    with pytest.raises(FieldRangeError) as caught:
        InitiateMeterTest(control=0, manufacturer_digits=digits)
    assert caught.value.field == "manufacturer_digits"
    with pytest.raises(FieldRangeError):
        InitiateMeterTest.for_tests([1], manufacturer_digits=digits)


# --- the extended token set -------------------------------------------------------------------


@given(bits(9))
def test_a_flag_is_named_in_the_upper_nine_bits_of_the_data(flag: int) -> None:
    read = ReadExtended.flag(flag)
    assert (read.index, read.data >> 21, read.data % (1 << 21)) == (63, flag, 0)
    assert read.flag_number == flag
    for value in (False, True):
        write = WriteExtended(rnd=5, tid=1, index=63, data=flag << 1 | value)
        assert write.flag_number == flag
        assert write.flag_value is value


@given(bits(6).filter(lambda index: index != 63), bits(10))
def test_another_register_is_no_flag(index: int, data: int) -> None:
    assert ReadExtended(index=index, data=data).flag_number is None
    write = WriteExtended(rnd=5, tid=1, index=index, data=data)
    assert write.flag_number is None
    assert write.flag_value is None


@pytest.mark.parametrize("flag", [-1, 512])
def test_a_flag_number_has_nine_bits(flag: int) -> None:
    with pytest.raises(FieldRangeError, match="flag must be a whole number from 0 to 511"):
        ReadExtended.flag(flag)


@pytest.mark.parametrize(
    "build",
    [
        lambda: TransferCredit(service=9, rnd=0, tid=1, amount=UnitAmount(1)),  # type: ignore[arg-type]  # the mistake under test
        lambda: ClearCredit(rnd=0, tid=1, register=99),  # type: ignore[arg-type]  # as above
        lambda: SetMaximumPowerLimit(rnd=0, tid=1, limit=UnitAmount(5)),  # type: ignore[arg-type]  # as above
    ],
)
def test_what_stands_for_something_is_of_its_class(build: Callable[[], Token]) -> None:
    with pytest.raises(FieldTypeError):
        build()


def test_a_part_of_a_key_that_does_not_fit_is_not_repeated() -> None:
    with pytest.raises(FieldRangeError) as caught:
        Set4thSectionDecoderKey(supply_group_high=0, new_key_middle_1=0xA0B1C2D3E4F5A6B7)
    assert str(0xA0B1C2D3E4F5A6B7) not in str(caught.value)


def test_test_zero_stands_alone() -> None:
    with pytest.raises(FieldRangeError, match="test beside others"):
        InitiateMeterTest.for_tests([0, 5])
