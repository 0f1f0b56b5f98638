"""Quantities in 16 bits over columns: unit amounts, power limits, currency amounts.

The coding is that of ``sts.amount``, which explains it: exponent and mantissa, each exponent
beginning where the one before it ends.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sts.amount import LARGEST_UNIT_AMOUNT, UnitAmount
from sts.batch.arrays import Numbers, chunks, mark, mark_outside, number_column, rows_of
from sts.batch.status import Status, StatusColumn
from sts.errors import FieldRangeError

_MANTISSA_BITS: Final = 14
_MANTISSAS: Final = 1 << _MANTISSA_BITS
_LARGEST_INT64: Final = (1 << 63) - 1
_CODES: Final = 1 << 16
_MINUS: Final = 8
"""The sign bit of S&E."""

_EXPONENTS: Final = 17
"""Of these, the last begins within 64 bits and ends beyond them."""
_STEPS: Final = np.array([10**e for e in range(_EXPONENTS)], np.uint64)
_OFFSETS: Final = np.array([_MANTISSAS * (10**e // 9) for e in range(_EXPONENTS)], np.uint64)
_LAST: Final = np.array(
    [
        min(_MANTISSAS * (10**e // 9) + (_MANTISSAS - 1) * 10**e, (1 << 64) - 1)
        for e in range(_EXPONENTS)
    ],
    np.uint64,
)
"""The largest value of each exponent."""


class AmountCodes(NamedTuple):
    """Coded unit amounts or power limits.

    Attributes:
        codes: ``uint16``, the field of the token; 0 in a marked row.
        values: ``int64``, what the code stands for, in the units of the argument: bill this.
        status: ``OK``, ``AMOUNT_NEGATIVE`` or ``AMOUNT_TOO_LARGE``.
    """

    codes: NDArray[np.uint16]
    values: NDArray[np.int64]
    status: StatusColumn


class CurrencyAmountCodes(NamedTuple):
    """Coded currency amounts; every 64-bit number has a code.

    Attributes:
        sign_exponents: ``uint8``, the 4-bit field S&E.
        codes: ``uint16``, the amount field.
    """

    sign_exponents: NDArray[np.uint8]
    codes: NDArray[np.uint16]


class CurrencyValues(NamedTuple):
    """What coded currency amounts stand for.

    Attributes:
        values: ``int64``, in 0.00001 of the currency; 0 in a marked row.
        status: ``OK``, ``FIELD_RANGE`` for what is no field of an amount, or a negative zero, or
            ``AMOUNT_TOO_LARGE`` for an amount that 64 bits cannot count out.
    """

    values: NDArray[np.int64]
    status: StatusColumn


def encode_amounts(tenths: Numbers) -> AmountCodes:
    """Return the amounts for at least ``tenths`` of a unit each, as ``sts.encode_amount`` does.

    Power limits have the same code: give watts.

    Args:
        tenths: Of any integer type, of the shape (rows,).

    Raises:
        ArrayTypeError, ArrayShapeError: Not a column of whole numbers.
    """
    return _coded(tenths, round_up=True)


def largest_amounts_at_most(tenths: Numbers) -> AmountCodes:
    """Return the largest amounts of at most ``tenths`` of a unit; the rest is yours to carry.

    Raises:
        ArrayTypeError, ArrayShapeError: Not a column of whole numbers.
    """
    return _coded(tenths, round_up=False)


def amount_values(codes: Numbers) -> NDArray[np.int64]:
    """Return what codes of unit amounts or power limits stand for, as ``int64``.

    Raises:
        ArrayTypeError, ArrayShapeError: Not a column of whole numbers.
        FieldRangeError: A number that is no code of 16 bits, and no token has.
    """
    column = number_column("codes", codes, rows_of(codes))
    if column.size and not 0 <= int(column.min()) <= int(column.max()) < _CODES:
        found = f"{column.min()} to {column.max()}"
        raise FieldRangeError("amount code", low=0, high=_CODES - 1, found=found)
    values: NDArray[np.int64] = _unit_values()[column].astype(np.int64)
    return values


def encode_currency_amounts(units: Numbers) -> CurrencyAmountCodes:
    """Return the amounts for at least ``units`` of 0.00001 of the currency each, toward +∞.

    Args:
        units: Of any integer type, of the shape (rows,).

    Raises:
        ArrayTypeError, ArrayShapeError: Not a column of whole numbers.
    """
    return _coded_currency(units, up=True)


def largest_currency_amounts_at_most(units: Numbers) -> CurrencyAmountCodes:
    """Return the largest amounts of at most ``units`` of 0.00001 of the currency, toward −∞.

    Raises:
        ArrayTypeError, ArrayShapeError: Not a column of whole numbers.
    """
    return _coded_currency(units, up=False)


def currency_values(sign_exponents: Numbers, codes: Numbers) -> CurrencyValues:
    """Return what the two fields of currency amounts stand for.

    Raises:
        ArrayTypeError, ArrayShapeError: Not columns of whole numbers of one length.
    """
    rows = rows_of(sign_exponents, codes)
    status = np.zeros(rows, np.uint8)
    sign = mark_outside(
        status,
        Status.FIELD_RANGE,
        number_column("sign_exponents", sign_exponents, rows),
        low=0,
        high=15,
    ).astype(np.uint8)
    code = mark_outside(
        status, Status.FIELD_RANGE, number_column("codes", codes, rows), low=0, high=_CODES - 1
    ).astype(np.uint64)
    mark(status, Status.FIELD_RANGE, (sign == _MINUS) & (code == 0))
    exponent = (sign & 7) << 2 | (code >> np.uint64(_MANTISSA_BITS)).astype(np.uint8)
    # The offset of the last of our exponents is more than a signed number can hold already.
    too_large = exponent >= _EXPONENTS - 1
    exponent[too_large] = 0
    magnitude = _OFFSETS[exponent] + (code & np.uint64(_MANTISSAS - 1)) * _STEPS[exponent]
    too_large |= magnitude > _LARGEST_INT64
    mark(status, Status.AMOUNT_TOO_LARGE, too_large)
    magnitude[status != Status.OK] = 0
    values = magnitude.view(np.int64)
    return CurrencyValues(np.where(sign & _MINUS, -values, values), status)


def _coded(amounts: Numbers, *, round_up: bool) -> AmountCodes:
    rows = rows_of(amounts)
    column = number_column("amounts", amounts, rows)
    codes = np.empty(rows, np.uint16)
    values = np.empty(rows, np.int64)
    status = np.zeros(rows, np.uint8)
    for part in chunks(rows):
        some = column[part]
        if some.dtype == np.uint64:
            # What only unsigned numbers can hold is too large either way.
            some = np.minimum(some, np.uint64(_LARGEST_INT64))
        amount = mark_outside(
            status[part], Status.AMOUNT_NEGATIVE, some, low=0, high=_LARGEST_INT64
        )
        if round_up:
            amount = mark_outside(
                status[part], Status.AMOUNT_TOO_LARGE, amount, low=0, high=LARGEST_UNIT_AMOUNT
            )
        codes[part] = amount
        values[part] = amount
        # Few amounts have an exponent, so those are taken out, worked on and put back.
        (large,) = np.nonzero(amount >= _MANTISSAS)
        if large.size:
            magnitude = np.minimum(amount[large].astype(np.uint64), np.uint64(LARGEST_UNIT_AMOUNT))
            exponent, mantissa = (_rounded_up if round_up else _rounded_down)(magnitude)
            code = (exponent << _MANTISSA_BITS | mantissa.astype(np.intp)).astype(np.uint16)
            codes[part][large] = code
            values[part][large] = _unit_values()[code]
    return AmountCodes(codes, values, status)


def _coded_currency(units: Numbers, *, up: bool) -> CurrencyAmountCodes:
    rows = rows_of(units)
    column = number_column("units", units, rows)
    negative = column < 0
    # Two's complement in unsigned numbers, so that the smallest number of all has a magnitude too.
    magnitude = column.astype(np.uint64)
    magnitude = np.where(negative, ~magnitude + np.uint64(1), magnitude)
    away_from_zero = ~negative if up else negative
    exponent_up, mantissa_up = _rounded_up(magnitude)
    exponent_down, mantissa_down = _rounded_down(magnitude)
    exponent = np.where(away_from_zero, exponent_up, exponent_down)
    mantissa = np.where(away_from_zero, mantissa_up, mantissa_down).astype(np.intp)
    negative &= (exponent | mantissa) != 0
    return CurrencyAmountCodes(
        sign_exponents=(negative.astype(np.intp) << 3 | exponent >> 2).astype(np.uint8),
        codes=((exponent & 3) << _MANTISSA_BITS | mantissa).astype(np.uint16),
    )


def _rounded_up(magnitude: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Return exponents and mantissas of the smallest coded values at or above."""
    exponent = np.searchsorted(_LAST, magnitude)
    step = _STEPS[exponent]
    # A value in the gap before the first code of its exponent is rounded up to that.
    above = np.maximum(magnitude, _OFFSETS[exponent]) - _OFFSETS[exponent]
    whole = above // step
    return exponent, whole + (above - whole * step != 0)


def _rounded_down(magnitude: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Return exponents and mantissas of the largest coded values at or below."""
    exponent = np.searchsorted(_OFFSETS, magnitude, side="right") - 1
    mantissa = (magnitude - _OFFSETS[exponent]) // _STEPS[exponent]
    return exponent, np.minimum(mantissa, np.uint64(_MANTISSAS - 1))


@cache
def _unit_values() -> NDArray[np.int32]:
    """Return what each of the 65,536 codes stands for, by the scalar core."""
    return np.array([UnitAmount(code).value for code in range(_CODES)], np.int32)
