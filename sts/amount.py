"""Quantities in 16 bits: unit amounts, power limits and currency amounts.

A unit amount or a limit is a 2-bit exponent e and a 14-bit mantissa m (IEC 62055-41, 6.3.6). Each
exponent begins where the one before it ends, so every code has its own value:

    value(e, m) = m · 10^e + 2^14 · (10^e − 1) / 9

    =====  ======  ==========================  =======================
    e      step    codes                       values
    =====  ======  ==========================  =======================
    0      1       0000h to 3FFFh              0 to 16 383
    1      10      4000h to 7FFFh              16 384 to 180 214
    2      100     8000h to BFFFh              180 224 to 1 818 524
    3      1000    C000h to FFFFh              1 818 624 to 18 201 624
    =====  ======  ==========================  =======================

A currency amount has the same mantissa, a 5-bit exponent and a sign, and counts 0.00001 of the
currency (6.3.6 of the 2018 edition).

A quantity between two codes is rounded up, once, in the customer's favour. The ``encode_``
functions return the value that the code really stands for, which is the one to bill; the
``largest_`` functions return the largest value at or below a quantity, for whoever carries the
remainder over.
"""

from dataclasses import dataclass
from typing import Final, Self

from sts.errors import (
    AmountNegativeError,
    AmountNotIntegerError,
    AmountTooLargeError,
    FieldRangeError,
    FieldTypeError,
)

_MANTISSA_BITS: Final = 14
_MANTISSAS: Final = 1 << _MANTISSA_BITS
_UNIT_EXPONENTS: Final = 4
_LARGEST_CODE: Final = 0xFFFF
_LARGEST_SIGN_EXPONENT: Final = 0xF
_CURRENCY_EXPONENTS: Final = 32


_STEPS: Final[tuple[int, ...]] = tuple(10**exponent for exponent in range(_CURRENCY_EXPONENTS))
_OFFSETS: Final[tuple[int, ...]] = tuple(
    # 2^14 · 0, 1, 11, 111, …: all the ranges below this exponent's.
    _MANTISSAS * (step // 9)
    for step in (*_STEPS, 10**_CURRENCY_EXPONENTS)
)

LARGEST_UNIT_AMOUNT: Final = _OFFSETS[3] + (_MANTISSAS - 1) * _STEPS[3]
"""18 201 624: the largest value of a unit amount or a power limit."""
LARGEST_CURRENCY_UNITS: Final = _OFFSETS[31] + (_MANTISSAS - 1) * _STEPS[31]
"""The largest magnitude of a currency amount, in 0.00001 of the currency."""


def _require_integer(value: int) -> None:
    # bool is an int to Python, but True is no amount.
    if not isinstance(value, int) or isinstance(value, bool):
        raise AmountNotIntegerError(value)


def _round_up(value: int, exponents: int) -> tuple[int, int]:
    """Return the exponent and mantissa of the smallest coded value at or above ``value``."""
    exponent = 0
    # A value in the gap behind the last code of an exponent belongs to the next one.
    while (
        exponent < exponents - 1
        and value > _OFFSETS[exponent] + (_MANTISSAS - 1) * (_STEPS[exponent])
    ):
        exponent += 1
    above = max(value - _OFFSETS[exponent], 0)
    return exponent, -(-above // _STEPS[exponent])


def _round_down(value: int, exponents: int) -> tuple[int, int]:
    """Return the exponent and mantissa of the largest coded value at or below ``value``."""
    exponent = 0
    while exponent < exponents - 1 and value >= _OFFSETS[exponent + 1]:
        exponent += 1
    mantissa = (value - _OFFSETS[exponent]) // _STEPS[exponent]
    return exponent, min(mantissa, _MANTISSAS - 1)


@dataclass(frozen=True, slots=True)
class _CodedQuantity:
    """A 16-bit code and the value it stands for.

    Raises:
        FieldRangeError: The code is not a whole number from 0 to FFFFh.
    """

    code: int

    def __post_init__(self) -> None:
        """Check that the code has 16 bits."""
        if type(self.code) is not int or not 0 <= self.code <= _LARGEST_CODE:
            raise FieldRangeError("amount code", low=0, high=_LARGEST_CODE, found=self.code)

    @property
    def value(self) -> int:
        """What the code stands for, in the field's units."""
        exponent = self.code >> _MANTISSA_BITS
        return (self.code & _MANTISSAS - 1) * _STEPS[exponent] + _OFFSETS[exponent]

    @classmethod
    def rounding_up(cls, value: int) -> Self:
        """Return the smallest coded quantity that is at least ``value``.

        Raises:
            AmountNotIntegerError: ``value`` is not an int.
            AmountNegativeError: ``value`` is below zero.
            AmountTooLargeError: ``value`` is above 18 201 624.
        """
        _require_integer(value)
        if value < 0:
            raise AmountNegativeError(value)
        if value > LARGEST_UNIT_AMOUNT:
            raise AmountTooLargeError(value, LARGEST_UNIT_AMOUNT)
        exponent, mantissa = _round_up(value, _UNIT_EXPONENTS)
        return cls(exponent << _MANTISSA_BITS | mantissa)

    @classmethod
    def at_most(cls, value: int) -> Self:
        """Return the largest coded quantity that is at most ``value``.

        Raises:
            AmountNotIntegerError: ``value`` is not an int.
            AmountNegativeError: ``value`` is below zero.
        """
        _require_integer(value)
        if value < 0:
            raise AmountNegativeError(value)
        exponent, mantissa = _round_down(value, _UNIT_EXPONENTS)
        return cls(exponent << _MANTISSA_BITS | mantissa)


@dataclass(frozen=True, slots=True)
class UnitAmount(_CodedQuantity):
    """Credit in tenths of the service's unit: 0.1 kWh, 0.1 m³ or 0.1 minute."""

    @property
    def tenths(self) -> int:
        """The amount that the meter adds, in tenths of a unit."""
        return self.value


@dataclass(frozen=True, slots=True)
class PowerLimit(_CodedQuantity):
    """A power limit in watts (IEC 62055-41, 6.3.9 and 6.3.10)."""

    @property
    def watts(self) -> int:
        """The limit that the meter keeps, in watts."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyAmount:
    """Credit in 0.00001 of the currency, positive or negative.

    Attributes:
        negative: The sign; zero is never negative.
        exponent: 0 to 31.
        mantissa: 0 to 16383.

    Raises:
        FieldTypeError: The sign is not a bool.
        FieldRangeError: A part is out of range, or a negative zero.
    """

    negative: bool
    exponent: int
    mantissa: int

    def __post_init__(self) -> None:
        """Check the parts."""
        if type(self.negative) is not bool:
            raise FieldTypeError("negative", wanted=bool, found=self.negative)
        if type(self.exponent) is not int or not 0 <= self.exponent < _CURRENCY_EXPONENTS:
            raise FieldRangeError("exponent", low=0, high=31, found=self.exponent)
        if type(self.mantissa) is not int or not 0 <= self.mantissa < _MANTISSAS:
            raise FieldRangeError("mantissa", low=0, high=_MANTISSAS - 1, found=self.mantissa)
        if self.negative and not self.exponent and not self.mantissa:
            raise FieldRangeError("sign of zero", low=0, high=0, found=1)

    @property
    def units(self) -> int:
        """The amount that the meter adds, in 0.00001 of the currency."""
        magnitude = self.mantissa * _STEPS[self.exponent] + _OFFSETS[self.exponent]
        return -magnitude if self.negative else magnitude

    @property
    def sign_exponent(self) -> int:
        """The 4-bit field S&E: the sign and the upper three bits of the exponent."""
        return int(self.negative) << 3 | self.exponent >> 2

    @property
    def code(self) -> int:
        """The 16-bit amount field: the lower two bits of the exponent and the mantissa."""
        return (self.exponent & 3) << _MANTISSA_BITS | self.mantissa

    @classmethod
    def from_fields(cls, sign_exponent: int, code: int) -> Self:
        """Join the two fields of a token.

        Raises:
            FieldRangeError: A field is out of range, or a negative zero.
        """
        if not 0 <= sign_exponent <= _LARGEST_SIGN_EXPONENT:
            raise FieldRangeError(
                "sign and exponent", low=0, high=_LARGEST_SIGN_EXPONENT, found=sign_exponent
            )
        if not 0 <= code <= _LARGEST_CODE:
            raise FieldRangeError("amount code", low=0, high=_LARGEST_CODE, found=code)
        return cls(
            negative=bool(sign_exponent >> 3),
            exponent=(sign_exponent & 7) << 2 | code >> _MANTISSA_BITS,
            mantissa=code & _MANTISSAS - 1,
        )

    @classmethod
    def rounding_up(cls, units: int) -> Self:
        """Return the smallest coded amount that is at least ``units``, toward +∞.

        Raises:
            AmountNotIntegerError: ``units`` is not an int.
            AmountTooLargeError: The magnitude is above the largest code's.
        """
        _require_integer(units)
        return cls._coded(units, round_magnitude_up=units >= 0)

    @classmethod
    def at_most(cls, units: int) -> Self:
        """Return the largest coded amount that is at most ``units``, toward −∞.

        Raises:
            AmountNotIntegerError: ``units`` is not an int.
            AmountTooLargeError: The magnitude is above the largest code's.
        """
        _require_integer(units)
        return cls._coded(units, round_magnitude_up=units < 0)

    @classmethod
    def _coded(cls, units: int, *, round_magnitude_up: bool) -> Self:
        magnitude = abs(units)
        if magnitude > LARGEST_CURRENCY_UNITS:
            raise AmountTooLargeError(units, LARGEST_CURRENCY_UNITS)
        rounded = _round_up if round_magnitude_up else _round_down
        exponent, mantissa = rounded(magnitude, _CURRENCY_EXPONENTS)
        return cls(
            negative=units < 0 and bool(exponent or mantissa),
            exponent=exponent,
            mantissa=mantissa,
        )


def encode_amount(tenths: int) -> UnitAmount:
    """Return the amount for at least ``tenths`` of a unit; bill its ``tenths``.

    Raises:
        AmountNotIntegerError, AmountNegativeError: Not a whole number of tenths from 0.
        AmountTooLargeError: Above 18 201 624 tenths; split the sale.
    """
    return UnitAmount.rounding_up(tenths)


def largest_amount_at_most(tenths: int) -> UnitAmount:
    """Return the largest amount of at most ``tenths`` of a unit; the rest is yours to carry.

    Raises:
        AmountNotIntegerError, AmountNegativeError: Not a whole number of tenths from 0.
    """
    return UnitAmount.at_most(tenths)


def encode_power_limit(watts: int) -> PowerLimit:
    """Return the limit of at least ``watts``.

    Raises:
        AmountNotIntegerError, AmountNegativeError: Not a whole number of watts from 0.
        AmountTooLargeError: Above 18 201 624 W.
    """
    return PowerLimit.rounding_up(watts)


def encode_currency_amount(units: int) -> CurrencyAmount:
    """Return the amount for at least ``units`` of 0.00001 of the currency, toward +∞.

    Raises:
        AmountNotIntegerError: Not a whole number.
        AmountTooLargeError: More than the largest code can carry.
    """
    return CurrencyAmount.rounding_up(units)


def largest_currency_amount_at_most(units: int) -> CurrencyAmount:
    """Return the largest amount of at most ``units`` of 0.00001 of the currency.

    Raises:
        AmountNotIntegerError: Not a whole number.
        AmountTooLargeError: More than the largest code can carry.
    """
    return CurrencyAmount.at_most(units)
