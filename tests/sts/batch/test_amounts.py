"""Amounts are coded and read as the scalar core does it."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sts
from sts import batch
from sts.amount import LARGEST_UNIT_AMOUNT
from sts.batch import Status
from sts.errors import ArrayShapeError, ArrayTypeError, FieldRangeError
from tests.strategies import currency_amounts
from tests.sts.batch.rows import CHUNK_EDGES, RAGGED, codes_of, outcome

INT64: Final = st.integers(-(1 << 63), (1 << 63) - 1)
EDGES: Final = (
    *(-1, 0, 1, 16_383, 16_384, 16_385, 17_000, 180_214, 180_215, 180_223, 180_224, 180_225),
    *(1_818_524, 1_818_525, 1_818_623, 1_818_624, 1_818_625, 18_201_624, 18_201_625),
    *(-(1 << 63), (1 << 63) - 1),
)
Scalar = Callable[[int], sts.UnitAmount]
Column = Callable[[np.ndarray[tuple[int], np.dtype[np.int64]]], batch.AmountCodes]
UNIT: Final[list[tuple[Column, Scalar]]] = [
    (batch.encode_amounts, sts.encode_amount),
    (batch.largest_amounts_at_most, sts.largest_amount_at_most),
]


@pytest.mark.parametrize(("column", "scalar"), UNIT)
@given(tenths=st.lists(st.one_of(INT64, st.integers(0, 20_000_000), st.sampled_from(EDGES))))
def test_unit_amounts_are_those_of_the_scalar_core(
    column: Column, scalar: Scalar, tenths: list[int]
) -> None:
    coded = column(np.array(tenths, np.int64))
    for row, value in enumerate(tenths):
        amount, code = outcome(scalar, value)
        wanted = (amount.code, amount.tenths) if isinstance(amount, sts.UnitAmount) else (0, 0)
        assert Status(coded.status[row]).code == code
        assert (coded.codes[row], coded.values[row]) == wanted


@pytest.mark.parametrize("rows", [*RAGGED, *CHUNK_EDGES])
def test_any_number_of_amounts_will_do(rows: int) -> None:
    tenths = np.arange(rows) * 7 % 17_000
    coded = batch.encode_amounts(tenths)
    assert np.array_equal(batch.amount_values(coded.codes), coded.values)
    assert np.array_equal(coded.values[tenths <= 16_384], tenths[tenths <= 16_384])
    assert (coded.values >= tenths).all()
    assert not coded.status.any()


def test_every_code_is_worth_what_the_scalar_core_says() -> None:
    codes = np.arange(1 << 16, dtype=np.uint16)
    values = batch.amount_values(codes)
    assert values.tolist() == [sts.UnitAmount(code).tenths for code in range(1 << 16)]
    assert np.array_equal(batch.encode_amounts(values).codes, codes)
    assert np.array_equal(batch.largest_amounts_at_most(values).codes, codes)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.uint32, np.int64, np.uint64])
def test_any_type_of_whole_number_will_do(dtype: type[np.integer]) -> None:
    coded = batch.encode_amounts(np.array([0, 1, 127], dtype))
    assert coded.codes.tolist() == [0, 1, 127]
    assert [column.dtype.name for column in coded] == ["uint16", "int64", "uint8"]


def test_one_number_is_one_row() -> None:
    assert batch.encode_amounts(16_385).codes.tolist() == [0x4001]
    assert batch.encode_amounts(np.array([1 << 63], np.uint64)).status.tolist() == [
        Status.AMOUNT_TOO_LARGE
    ]


# --- currency ---------------------------------------------------------------------------------


CurrencyScalar = Callable[[int], sts.CurrencyAmount]
CurrencyColumn = Callable[[np.ndarray[tuple[int], np.dtype[np.int64]]], batch.CurrencyAmountCodes]
CURRENCY: Final[list[tuple[CurrencyColumn, CurrencyScalar]]] = [
    (batch.encode_currency_amounts, sts.encode_currency_amount),
    (batch.largest_currency_amounts_at_most, sts.largest_currency_amount_at_most),
]


@pytest.mark.parametrize(("column", "scalar"), CURRENCY)
@given(units=st.lists(st.one_of(INT64, st.integers(-(10**7), 10**7), st.sampled_from(EDGES))))
def test_currency_amounts_are_those_of_the_scalar_core(
    column: CurrencyColumn, scalar: CurrencyScalar, units: list[int]
) -> None:
    coded = column(np.array(units, np.int64))
    amounts = [scalar(value) for value in units]
    assert coded.sign_exponents.tolist() == [amount.sign_exponent for amount in amounts]
    assert coded.codes.tolist() == [amount.code for amount in amounts]


def test_currency_amounts_of_unsigned_numbers_are_positive() -> None:
    coded = batch.encode_currency_amounts(np.array([(1 << 64) - 1], np.uint64))
    amount = sts.encode_currency_amount((1 << 64) - 1)
    assert coded.sign_exponents.tolist() == [amount.sign_exponent]
    assert coded.codes.tolist() == [amount.code]


@given(st.lists(currency_amounts, max_size=30))
def test_currency_amounts_are_counted_out_where_64_bits_can(
    amounts: list[sts.CurrencyAmount],
) -> None:
    sign_exponents = np.array([amount.sign_exponent for amount in amounts], np.uint8)
    codes = np.array([amount.code for amount in amounts], np.uint16)
    values, status = batch.currency_values(sign_exponents, codes)
    for amount, value, code in zip(amounts, values.tolist(), codes_of(status), strict=True):
        if abs(amount.units) < 1 << 63:
            assert (value, code) == (amount.units, "OK")
        else:
            assert (value, code) == (0, Status.AMOUNT_TOO_LARGE.code)


@pytest.mark.parametrize(
    ("sign_exponent", "code"), [(16, 1), (-1, 1), (0, 1 << 16), (0, -1), (8, 0)]
)
def test_fields_that_are_no_currency_amount_are_marked(sign_exponent: int, code: int) -> None:
    refusal = outcome(sts.CurrencyAmount.from_fields, sign_exponent, code)[1]
    made = batch.currency_values(np.array([sign_exponent, 0]), np.array([code, 7]))
    assert codes_of(made.status) == [refusal, "OK"]
    assert made.values.tolist() == [0, 7]


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [batch.encode_amounts, batch.encode_currency_amounts])
@pytest.mark.parametrize(
    "tenths",
    [np.array([1.0]), np.array([True]), np.array(["1"]), 1.5, "1", None, 1 << 64],
    ids=repr,
)
def test_only_whole_numbers_are_amounts(
    function: Callable[[object], object], tenths: object
) -> None:
    with pytest.raises(ArrayTypeError):
        function(tenths)


@pytest.mark.parametrize("code", [-1, 1 << 16])
def test_a_code_of_an_amount_has_16_bits(code: int) -> None:
    with pytest.raises(FieldRangeError):
        batch.amount_values(np.array([0, code]))


def test_no_codes_have_no_values() -> None:
    assert batch.amount_values(np.zeros(0, np.uint16)).size == 0


def test_amounts_are_one_column() -> None:
    with pytest.raises(ArrayShapeError):
        batch.encode_amounts(np.zeros((2, 2), np.int64))
    with pytest.raises(ArrayShapeError):
        batch.currency_values(np.zeros(2, np.uint8), np.zeros(3, np.uint16))


def test_the_largest_amount_is_the_last_code() -> None:
    coded = batch.encode_amounts(np.array([LARGEST_UNIT_AMOUNT, LARGEST_UNIT_AMOUNT + 1]))
    assert coded.codes.tolist() == [0xFFFF, 0]
    assert codes_of(coded.status) == ["OK", "AMOUNT_TOO_LARGE"]
