"""A version of a tariff: its charges in the order of the receipt, its dates and its limits."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from sts import Service
from vending_app.domain.money import LARGEST_MINOR, Currency
from vending_app.domain.tariff.charges import (
    ACCOUNT_CREDIT,
    Charge,
    CreditCharge,
    PercentCharge,
    UnitCharge,
)
from vending_app.domain.tariff.graph import order_of_percentages, require_sound_basis
from vending_app.domain.tariff.names import require_code, require_distinct, require_label
from vending_app.domain.tariff.rates import require_whole
from vending_app.domain.tariff_errors import (
    TariffDatesError,
    TariffFigureError,
    TariffFreeError,
    TariffGoodsError,
    TariffNameTwiceError,
    TariffNotEffectiveError,
)

MOST_CHARGES: Final = 50
"""More lines than any receipt; it bounds the work of a quote."""
YEARS: Final = range(1990, 3000)
"""Of the days of a tariff, so that the days before and after them are days as well."""
_YEARS_TEXT: Final = f"A tariff lies between {YEARS.start} and {YEARS.stop - 1}"


class Rounding(StrEnum):
    """What happens to energy finer than a token can carry."""

    UP = "up"
    """The customer gets it."""
    CARRY = "carry"
    """The tokens carry at most what is paid for; the rest of the money is account credit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffVersion:
    """A version of a tariff.

    Attributes:
        code: The tariff.
        number: Which version of it, from 1.
        name: As it stands on receipts.
        service: What is sold.
        currency: Of all its figures.
        first_day: The first local day it applies on.
        last_day: The last one; none while no end is known.
        minimum_minor: The smallest amount of money sold for.
        maximum_minor: The largest at once.
        rounding: What happens to energy finer than a token can carry.
        credit_account: The ledger account of what customers have in credit.
        charges: In the order of the receipt, which is also the order in which fees are taken.
        unit_charges: Those of them per unit; none for currency credit.
        percentages: Those of them that are a percentage, each after those it rests on.

    Raises:
        TariffDefinitionError: Something of it cannot be; the class says what, ``path`` where.
    """

    code: str
    number: int
    name: str
    service: Service
    currency: Currency
    first_day: date
    last_day: date | None = None
    minimum_minor: int
    maximum_minor: int
    rounding: Rounding
    credit_account: str
    charges: tuple[Charge, ...]
    # They follow from the charges, and each quote asks for them.
    unit_charges: tuple[UnitCharge, ...] = field(init=False, repr=False, compare=False)
    percentages: tuple[PercentCharge, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the whole; each charge has checked itself."""
        require_code(self.code, path="/code")
        require_label(self.name, path="/name")
        require_code(self.credit_account, path="/credit_account")
        require_whole(self.number, path="/number", smallest=1)
        if self.first_day.year not in YEARS:
            raise TariffDatesError(f"{_YEARS_TEXT}.", path="/first_day")
        if self.last_day is not None and self.last_day.year not in YEARS:
            raise TariffDatesError(
                f"{_YEARS_TEXT}; leave out an end that is not known.", path="/last_day"
            )
        if self.last_day is not None and self.last_day < self.first_day:
            raise TariffDatesError("The last day is before the first.", path="/last_day")
        if not 0 < self.minimum_minor <= self.maximum_minor <= LARGEST_MINOR:
            raise TariffFigureError(
                "The smallest amount is above nothing and not above the largest.",
                path="/minimum_minor",
            )
        if len(self.charges) > MOST_CHARGES:
            raise TariffFigureError(f"At most {MOST_CHARGES} charges.", path="/charges")
        require_distinct((charge.code for charge in self.charges), path="/charges")
        if ACCOUNT_CREDIT in {charge.code for charge in self.charges}:
            raise TariffNameTwiceError(f"{ACCOUNT_CREDIT} is a line already.", path="/charges")
        units = tuple(charge for charge in self.charges if isinstance(charge, UnitCharge))
        object.__setattr__(self, "unit_charges", units)
        self._require_goods()
        require_sound_basis(self.charges)
        object.__setattr__(self, "percentages", order_of_percentages(self.charges))

    def _require_goods(self) -> None:
        """Refuse a tariff that sells nothing, or units without end for nothing."""
        credit = [charge for charge in self.charges if isinstance(charge, CreditCharge)]
        if len(credit) + bool(self.unit_charges) != 1:
            raise TariffGoodsError(
                "A tariff sells units, or one line of currency credit.", path="/charges"
            )
        if not credit and not any(_never_free(charge) for charge in self.unit_charges):
            raise TariffFreeError(
                "One charge per unit must always apply and have a price in its last block.",
                path="/charges",
            )

    @property
    def sells_units(self) -> bool:
        """Whether tokens carry units, and not money."""
        return bool(self.unit_charges)

    def applies_on(self, day: date) -> bool:
        """Tell whether it applies on a local day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def with_charges(
        self, *, before: Iterable[Charge] = (), after: Iterable[Charge] = ()
    ) -> "TariffVersion":
        """Return it with lines that are one customer's own, instalments of debts for one.

        Raises:
            TariffDefinitionError: As for a new version.
        """
        return replace(self, charges=(*before, *self.charges, *after))


def version_on(versions: Iterable[TariffVersion], day: date, *, code: str) -> TariffVersion:
    """Return the version of a tariff for a local day: of several, the one with the highest number.

    Raises:
        TariffNotEffectiveError: There is none.
    """
    found = [each for each in versions if each.code == code and each.applies_on(day)]
    if not found:
        raise TariffNotEffectiveError(code, day=day)
    return max(found, key=lambda version: version.number)


def _never_free(charge: UnitCharge) -> bool:
    """Tell whether a unit costs something under this charge whenever enough was bought."""
    return charge.schedules[-1].when.always and not any(
        isinstance(schedule.blocks[-1].rate, Fraction) and schedule.blocks[-1].rate == 0
        for schedule in charge.schedules
    )
