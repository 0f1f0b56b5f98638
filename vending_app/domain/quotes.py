"""Quotes: what an amount of money buys, line by line.

Money stays whole numbers and prices stay fractions. Energy is rounded once, up to what a token can
carry, in the customer's favour; tax is rounded once, half a unit up; what is left of the money is
the price of the energy. So the lines always add up to the money tendered.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sts import UnitAmount, encode_amount
from vending_app.domain.errors import AmountAboveMaximumError, AmountBelowMinimumError
from vending_app.domain.money import Money, format_money
from vending_app.domain.tariffs import FlatTariff

_BASIS_POINTS: Final = 10_000
_TENTHS_PER_KWH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One line of a receipt.

    Attributes:
        kind: ``energy`` or ``tax``.
        label: For people.
        amount_minor: In the smallest unit of the currency.
    """

    kind: str
    label: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an amount of money buys under a tariff.

    Attributes:
        tendered: The money.
        lines: They add up to the money.
        energy: What the token carries; this is what was sold.
        energy_paid_kwh: What the money pays for exactly; the token carries at least that.
    """

    tendered: Money
    lines: tuple[QuoteLine, ...]
    energy: UnitAmount
    energy_paid_kwh: Fraction

    @property
    def rounding_kwh(self) -> Fraction:
        """What the customer gets on top, because a token carries steps only."""
        return Fraction(self.energy.tenths, _TENTHS_PER_KWH) - self.energy_paid_kwh


def quote(tariff: FlatTariff, amount_minor: int) -> Quote:
    """Return what ``amount_minor`` buys under ``tariff``.

    Raises:
        AmountBelowMinimumError, AmountAboveMaximumError: Outside the limits of the tariff.
        sts.errors.AmountTooLargeError: More energy than one token can carry.
    """
    if amount_minor < tariff.minimum_minor:
        raise AmountBelowMinimumError(format_money(Money(tariff.minimum_minor, tariff.currency)))
    if amount_minor > tariff.maximum_minor:
        raise AmountAboveMaximumError(format_money(Money(tariff.maximum_minor, tariff.currency)))
    energy_paid = amount_minor / tariff.price_minor_per_kwh
    tenths = energy_paid * _TENTHS_PER_KWH
    return Quote(
        tendered=Money(amount_minor, tariff.currency),
        lines=_lines(tariff, amount_minor),
        energy=encode_amount(-(-tenths.numerator // tenths.denominator)),
        energy_paid_kwh=energy_paid,
    )


def format_tenths_kwh(tenths: int) -> str:
    """Return tenths of a kWh for people: ``5.9``."""
    whole, tenth = divmod(tenths, _TENTHS_PER_KWH)
    return f"{whole}.{tenth}"


def format_per_cent(basis_points: int) -> str:
    """Return hundredths of a per cent for people, without idle zeros: ``15``, ``12.5``."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")


def _lines(tariff: FlatTariff, amount_minor: int) -> tuple[QuoteLine, ...]:
    tax_minor = _included_tax(amount_minor, tariff.tax_basis_points)
    energy = QuoteLine(kind="energy", label="Electricity", amount_minor=amount_minor - tax_minor)
    if not tariff.tax_basis_points:
        return (energy,)
    label = f"{tariff.tax_name} {format_per_cent(tariff.tax_basis_points)} %"
    return (energy, QuoteLine(kind="tax", label=label, amount_minor=tax_minor))


def _included_tax(amount_minor: int, basis_points: int) -> int:
    """Return the tax contained in an amount, rounded half up to the smallest unit."""
    exact = Fraction(amount_minor * basis_points, _BASIS_POINTS + basis_points)
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
