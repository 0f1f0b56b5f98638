"""Rates: exact fractions, written in the tariff or looked up in a dated table.

A price counts the smallest unit of the currency, a percentage counts hundredths: R3.425 is
``Fraction(685, 2)`` and 15 % is ``Fraction(15)``. Pass-through rates that change every month, a
fuel levy for one, live in a ``DatedTable`` outside the tariff: a new rate is no new version.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeAlias

from vending_app.domain.money import LARGEST_MINOR
from vending_app.domain.tariff.names import require_code
from vending_app.domain.tariff_errors import (
    RateMissingError,
    TariffDatesError,
    TariffFigureError,
)

ZERO: Final = Fraction(0)
ONE: Final = Fraction(1)
"""Made once: to make a fraction takes as long as to calculate with it."""
LARGEST_RATE: Final = 10**12
"""More than any price of a unit in any currency, so that a misplaced figure is noticed."""
LARGEST_DENOMINATOR: Final = 10**9
"""Finer than any published rate; it keeps the fractions of a sale small."""


@dataclass(frozen=True, slots=True)
class TableRate:
    """The rate that a dated table has on the day of payment."""

    table: str

    def __post_init__(self) -> None:
        """Check the form of the name."""
        require_code(self.table, path="/table")


Rate: TypeAlias = Fraction | TableRate


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A rate and the first local day it applies on."""

    first_day: date
    rate: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedTable:
    """The rates of one pass-through charge over time.

    Attributes:
        code: What tariffs call it.
        rates: In the order of their first days; each applies until the next.
        last_day: The last local day of the last rate. Without it that rate applies until another
            is entered; with it sales stop rather than go on at a rate that has run out.

    Raises:
        TariffNameError: The code is none.
        TariffDatesError: No rates, or days in disorder.
        TariffFigureError: A rate out of range.
    """

    code: str
    rates: tuple[DatedRate, ...]
    last_day: date | None = None

    def __post_init__(self) -> None:
        """Check order and range."""
        require_code(self.code, path="/code")
        if not self.rates:
            raise TariffDatesError("A table needs at least one rate.", path="/rates")
        for number, (earlier, later) in enumerate(pairwise(self.rates), start=1):
            if earlier.first_day >= later.first_day:
                raise TariffDatesError(
                    "Rates stand in the order of their days.", path=f"/rates/{number}/first_day"
                )
        if self.last_day is not None and self.last_day < self.rates[-1].first_day:
            raise TariffDatesError("The table ends before its last rate.", path="/last_day")
        for number, dated in enumerate(self.rates):
            require_rate(dated.rate, path=f"/rates/{number}/rate")

    @property
    def first_day(self) -> date:
        """The first day that has a rate."""
        return self.rates[0].first_day

    def has_rate_on(self, day: date) -> bool:
        """Tell whether a day has a rate."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def on(self, day: date) -> Fraction:
        """Return the rate of a day.

        Raises:
            RateMissingError: The table begins later or has ended.
        """
        if not self.has_rate_on(day):
            raise RateMissingError(self.code, day=day)
        position = bisect_right(self.rates, day, key=lambda dated: dated.first_day)
        return self.rates[position - 1].rate


Tables: TypeAlias = Mapping[str, DatedTable]
"""The dated tables of a utility, by their codes."""


def total(amounts: Iterable[Fraction]) -> Fraction:
    """Return the sum of exact amounts."""
    rest = iter(amounts)
    # From the first one on: to add it to nothing takes as long as the rest.
    return sum(rest, next(rest, ZERO))


def rate_on(rate: Rate, day: date, *, tables: Tables) -> Fraction:
    """Return what a rate is on a day.

    Raises:
        RateMissingError: Its table does not exist or has no rate for the day.
    """
    if isinstance(rate, Fraction):
        return rate
    if rate.table not in tables:
        raise RateMissingError(rate.table, day=day)
    return tables[rate.table].on(day)


def require_whole(
    value: int, *, path: str, smallest: int = 0, largest: int = LARGEST_MINOR
) -> None:
    """Refuse a whole number outside its range.

    Raises:
        TariffFigureError: It is.
    """
    if not smallest <= value <= largest:
        raise TariffFigureError(f"This lies between {smallest} and {largest}.", path=path)


def require_rate(rate: Rate, *, path: str, largest: int = LARGEST_RATE) -> None:
    """Refuse a rate that is negative, absurdly large or absurdly fine.

    Raises:
        TariffFigureError: It is.
    """
    if isinstance(rate, TableRate):
        return
    if not 0 <= rate <= largest or rate.denominator > LARGEST_DENOMINATOR:
        raise TariffFigureError(
            f"A figure lies between 0 and {largest}, its denominator is at most"
            f" {LARGEST_DENOMINATOR}.",
            path=path,
        )
