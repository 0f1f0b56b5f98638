"""Tariffs: what a unit of energy costs.

A tariff is one price a kWh, tax included, as an exact fraction of the currency's smallest unit:
R3.425 is 342½ cents, ``Fraction(685, 2)``.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from vending_app.domain.errors import TariffError
from vending_app.domain.money import LARGEST_MINOR, Currency

_LARGEST_TAX_BASIS_POINTS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatTariff:
    """One price for every unit.

    Attributes:
        name: As it stands on receipts.
        currency: Of all its figures.
        price_minor_per_kwh: Tax included, in the smallest unit of the currency.
        tax_name: As it stands on receipts, ``VAT`` for one.
        tax_basis_points: Hundredths of a per cent: 1500 is 15 %.
        minimum_minor: The smallest amount of money sold for.
        maximum_minor: The largest at once.

    Raises:
        TariffError: A price that is not positive, a tax beyond 100 %, or limits in disorder.
    """

    name: str
    currency: Currency
    price_minor_per_kwh: Fraction
    tax_name: str
    tax_basis_points: int
    minimum_minor: int
    maximum_minor: int

    def __post_init__(self) -> None:
        """Check the figures."""
        if self.price_minor_per_kwh <= 0:
            raise TariffError("The price of a unit must be more than nothing.")
        if not 0 <= self.tax_basis_points <= _LARGEST_TAX_BASIS_POINTS:
            raise TariffError("A tax is from 0 to 100 %.")
        if not 0 < self.minimum_minor <= self.maximum_minor <= LARGEST_MINOR:
            raise TariffError("The smallest amount must be above nothing and below the largest.")
