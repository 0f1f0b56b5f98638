"""Amounts, power limits and currency amounts: 16 bits, rounded once, in the customer's favour."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.amount import (
    LARGEST_CURRENCY_UNITS,
    LARGEST_UNIT_AMOUNT,
    CurrencyAmount,
    PowerLimit,
    UnitAmount,
    encode_amount,
    encode_currency_amount,
    encode_power_limit,
    largest_amount_at_most,
    largest_currency_amount_at_most,
)
from sts.errors import (
    AmountNegativeError,
    AmountNotIntegerError,
    AmountTooLargeError,
    FieldRangeError,
    FieldTypeError,
)
from tests.strategies import amount_codes, currency_amounts

# Value in the field's units and its code, from the IEC 62055-41 facts sheet.
WORKED = [
    (0, 0x0000),
    (1, 0x0001),
    (10, 0x000A),
    (256, 0x0100),
    (1000, 0x03E8),
    (10000, 0x2710),
    (16383, 0x3FFF),
    (16384, 0x4000),
    (16385, 0x4001),
    (16394, 0x4001),
    (16395, 0x4002),
    (17000, 0x403E),
    (20000, 0x416A),
    (180214, 0x7FFF),
    # What no code of exponent 1 reaches is carried into exponent 2, and so on.
    (180215, 0x8000),
    (180223, 0x8000),
    (180224, 0x8000),
    (180225, 0x8001),
    (1818524, 0xBFFF),
    (1818525, 0xC000),
    (1818623, 0xC000),
    (1818624, 0xC000),
    (18201624, 0xFFFF),
]
# Exponent: first code, last code, first value, last value.
RANGES = [
    (0x0000, 0x3FFF, 0, 16_383),
    (0x4000, 0x7FFF, 16_384, 180_214),
    (0x8000, 0xBFFF, 180_224, 1_818_524),
    (0xC000, 0xFFFF, 1_818_624, 18_201_624),
]

values = st.one_of(
    st.integers(min_value=0, max_value=20_000),
    st.integers(min_value=0, max_value=LARGEST_UNIT_AMOUNT),
    # Around the ends of the ranges, where rounding carries.
    st.sampled_from([16384, 180224, 1818624]).flatmap(
        lambda end: st.integers(min_value=end - 1001, max_value=end + 1001)
    ),
)


@pytest.mark.parametrize(("value", "code"), WORKED)
def test_the_worked_codes_come_out(value: int, code: int) -> None:
    assert encode_amount(value) == UnitAmount(code)
    assert encode_power_limit(value) == PowerLimit(code)


@pytest.mark.parametrize(("first_code", "last_code", "first", "last"), RANGES)
def test_each_exponent_has_its_range(
    first_code: int, last_code: int, first: int, last: int
) -> None:
    assert (UnitAmount(first_code).tenths, UnitAmount(last_code).tenths) == (first, last)
    assert (PowerLimit(first_code).watts, PowerLimit(last_code).watts) == (first, last)


def test_every_code_has_a_value_of_its_own_and_larger_codes_have_larger_values() -> None:
    all_values = [UnitAmount(code).tenths for code in range(1 << 16)]
    assert all(left < right for left, right in pairwise(all_values))
    assert all_values[-1] == LARGEST_UNIT_AMOUNT == 18_201_624


@given(amount_codes)
def test_a_value_that_has_a_code_is_not_rounded(code: int) -> None:
    amount = UnitAmount(code)
    assert encode_amount(amount.tenths) == largest_amount_at_most(amount.tenths) == amount
    limit = PowerLimit(code)
    assert encode_power_limit(limit.watts) == limit


@given(values)
def test_rounding_up_gives_the_smallest_code_that_is_enough(value: int) -> None:
    amount = encode_amount(value)
    assert amount.tenths >= value
    assert amount.code == 0 or UnitAmount(amount.code - 1).tenths < value


@given(values)
def test_the_largest_amount_at_most_is_one_code_below_what_would_be_too_much(value: int) -> None:
    amount = largest_amount_at_most(value)
    assert amount.tenths <= value
    assert amount.code == 0xFFFF or UnitAmount(amount.code + 1).tenths > value


@given(values, values)
def test_more_never_becomes_less(one: int, other: int) -> None:
    smaller, larger = sorted((one, other))
    assert encode_amount(smaller).tenths <= encode_amount(larger).tenths
    assert largest_amount_at_most(smaller).tenths <= largest_amount_at_most(larger).tenths


@given(values)
def test_the_customer_gets_at_most_a_little_more_than_he_pays_for(value: int) -> None:
    given_away = encode_amount(value).tenths - value
    assert given_away <= Fraction(55, 100_000) * value
    assert given_away == 0 or value >= 16384


@given(st.integers(min_value=LARGEST_UNIT_AMOUNT + 1, max_value=10**40))
def test_more_than_the_largest_code_is_refused(value: int) -> None:
    """In another engine 2 000 000 kWh became 18.0 kWh a minute later."""
    for encode in (encode_amount, encode_power_limit):
        with pytest.raises(AmountTooLargeError) as caught:
            encode(value)
        assert (caught.value.found, caught.value.largest) == (value, 18_201_624)
    assert largest_amount_at_most(value).tenths == LARGEST_UNIT_AMOUNT


Encode = Callable[[int], object]

UNSIGNED: list[Encode] = [encode_amount, largest_amount_at_most, encode_power_limit]
SIGNED: list[Encode] = [encode_currency_amount, largest_currency_amount_at_most]


@pytest.mark.parametrize("encode", UNSIGNED)
def test_a_quantity_without_a_sign_is_not_negative(encode: Encode) -> None:
    with pytest.raises(AmountNegativeError, match="an amount cannot be negative, found -1"):
        encode(-1)


@pytest.mark.parametrize("encode", UNSIGNED + SIGNED)
@pytest.mark.parametrize("value", [1.0, "1", True, None, Fraction(1)], ids=repr)
def test_only_whole_numbers_are_amounts(encode: Encode, value: int) -> None:
    """Floats lose cents on the way; a rounding that nobody sees is a rounding too many."""
    with pytest.raises(AmountNotIntegerError, match=type(value).__name__):
        encode(value)


@pytest.mark.parametrize("code", [-1, 0x10000])
@pytest.mark.parametrize("quantity", [UnitAmount, PowerLimit])
def test_a_code_has_sixteen_bits(quantity: type[UnitAmount | PowerLimit], code: int) -> None:
    with pytest.raises(FieldRangeError, match=r"amount code must be .* from 0 to 65535, found"):
        quantity(code)


def test_an_amount_is_not_a_power_limit() -> None:
    left: object = UnitAmount(5)
    right: object = PowerLimit(5)
    assert left != right


# --- currency ---------------------------------------------------------------------------------

# Value in 0.00001 of the currency, field S&E, field Amount: from the IEC 62055-41 facts sheet,
# where they were decoded from the tokens of CTSA20.
CURRENCY_WORKED = [
    (1_00000, 0x0, 0x60AA),
    (16383_00000, 0x1, 0x78E3),
    (16384_00000, 0x1, 0x78E4),
    (180224_00000, 0x1, 0xBF4A),
    (1818624_00000, 0x1, 0xFFEE),
    (18202624_00000, 0x2, 0x3FFF),
    (182042624_00000, 0x2, 0x8000),
    (1820442624_00000, 0x2, 0xC000),
    (18204442624_00000, 0x3, 0x0000),
    (182044 * 10**9 * 10**5, 0x4, 0x0000),
    (182044 * 10**15 * 10**5, 0x5, 0x8000),
    (182044 * 10**24 * 10**5, 0x7, 0xC000),
    (-1_00000, 0x8, 0x60A9),
    (-180224_00000, 0x9, 0xBF49),
    (-182044 * 10**9 * 10**5, 0xB, 0xFFFF),
]


@pytest.mark.parametrize(("units", "sign_exponent", "code"), CURRENCY_WORKED)
def test_the_worked_currency_codes_come_out(units: int, sign_exponent: int, code: int) -> None:
    amount = encode_currency_amount(units)
    assert (amount.sign_exponent, amount.code) == (sign_exponent, code)
    assert amount.units >= units


def ordered_currency_amounts() -> Iterator[CurrencyAmount]:
    """Walk through the ends of all ranges, from the most negative amount to the largest."""
    mantissas = (0, 1, 16382, 16383)
    for exponent in reversed(range(32)):
        for mantissa in reversed(mantissas):
            if exponent or mantissa:
                yield CurrencyAmount(negative=True, exponent=exponent, mantissa=mantissa)
    for exponent in range(32):
        for mantissa in mantissas:
            yield CurrencyAmount(negative=False, exponent=exponent, mantissa=mantissa)


def test_currency_amounts_are_in_order_through_all_exponents() -> None:
    units = [amount.units for amount in ordered_currency_amounts()]
    assert units == sorted(set(units))
    assert (units[0], units[-1]) == (-LARGEST_CURRENCY_UNITS, LARGEST_CURRENCY_UNITS)
    # Some 1.8203 · 10^30 units of currency.
    assert LARGEST_CURRENCY_UNITS // 10**31 == 18203


@given(currency_amounts)
def test_a_currency_amount_and_its_fields_make_each_other(amount: CurrencyAmount) -> None:
    assert CurrencyAmount.from_fields(amount.sign_exponent, amount.code) == amount
    assert encode_currency_amount(amount.units) == amount
    assert largest_currency_amount_at_most(amount.units) == amount


def neighbour(amount: CurrencyAmount, step: int) -> CurrencyAmount:
    """Return the coded amount just above (1) or below (-1)."""
    magnitude = amount.exponent << 14 | amount.mantissa
    signed = (-magnitude if amount.negative else magnitude) + step
    return CurrencyAmount(
        negative=signed < 0, exponent=abs(signed) >> 14, mantissa=abs(signed) & 0x3FFF
    )


currency_units = st.integers(min_value=1, max_value=117).flatmap(
    lambda width: st.integers(
        min_value=-min(1 << width, LARGEST_CURRENCY_UNITS),
        max_value=min(1 << width, LARGEST_CURRENCY_UNITS),
    )
)


@given(currency_units)
def test_currency_is_rounded_toward_plus_infinity(units: int) -> None:
    amount = encode_currency_amount(units)
    assert amount.units >= units
    assert amount.units == -LARGEST_CURRENCY_UNITS or neighbour(amount, -1).units < units


@given(currency_units)
def test_the_largest_currency_amount_at_most_is_rounded_toward_minus_infinity(units: int) -> None:
    amount = largest_currency_amount_at_most(units)
    assert amount.units <= units
    assert amount.units == LARGEST_CURRENCY_UNITS or neighbour(amount, 1).units > units


@given(currency_units)
def test_the_error_of_currency_stays_below_the_smallest_part_that_the_mantissa_can_tell(
    units: int,
) -> None:
    allowed = Fraction(55, 100_000) * abs(units) + Fraction(1)
    assert encode_currency_amount(units).units - units < allowed
    assert units - largest_currency_amount_at_most(units).units < allowed


@pytest.mark.parametrize("encode", SIGNED)
@pytest.mark.parametrize("units", [LARGEST_CURRENCY_UNITS + 1, -LARGEST_CURRENCY_UNITS - 1])
def test_a_currency_amount_beyond_the_largest_code_is_refused(encode: Encode, units: int) -> None:
    with pytest.raises(AmountTooLargeError) as caught:
        encode(units)
    assert (caught.value.found, caught.value.largest) == (units, LARGEST_CURRENCY_UNITS)
    largest = units - 1 if units > 0 else units + 1
    assert encode(largest) == CurrencyAmount(negative=units < 0, exponent=31, mantissa=16383)


def test_nothing_is_never_negative() -> None:
    """A minus sign without a number would be a second way to write zero."""
    assert not encode_currency_amount(0).negative
    with pytest.raises(FieldRangeError, match="sign of zero"):
        CurrencyAmount(negative=True, exponent=0, mantissa=0)
    with pytest.raises(FieldRangeError, match="sign of zero"):
        CurrencyAmount.from_fields(0x8, 0x0000)


@pytest.mark.parametrize(
    ("exponent", "mantissa", "field"),
    [(32, 0, "exponent"), (-1, 0, "exponent"), (0, 16384, "mantissa"), (0, -1, "mantissa")],
)
def test_the_parts_of_a_currency_amount_have_their_ranges(
    exponent: int, mantissa: int, field: str
) -> None:
    high = 31 if field == "exponent" else 16383
    with pytest.raises(FieldRangeError, match=f"{field} must be a whole number from 0 to {high},"):
        CurrencyAmount(negative=False, exponent=exponent, mantissa=mantissa)


@pytest.mark.parametrize("sign", [0, 1, 2, None, "-"])
def test_the_sign_of_a_currency_amount_is_a_bool(sign: object) -> None:
    with pytest.raises(FieldTypeError, match="negative must be a bool, found"):
        CurrencyAmount(negative=cast("bool", sign), exponent=0, mantissa=1)


@pytest.mark.parametrize(
    ("sign_exponent", "code", "field"),
    [
        (16, 0, "sign and exponent"),
        (-1, 0, "sign and exponent"),
        (0, 0x10000, "amount code"),
        (0, -1, "amount code"),
    ],
)
def test_the_fields_of_a_currency_amount_have_their_widths(
    sign_exponent: int, code: int, field: str
) -> None:
    high = 0xFFFF if field == "amount code" else 15
    with pytest.raises(FieldRangeError, match=f"{field} must be a whole number from 0 to {high},"):
        CurrencyAmount.from_fields(sign_exponent, code)
