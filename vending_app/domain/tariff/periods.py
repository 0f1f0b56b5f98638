"""Charges per day or month: what is due, and how far a payment reaches."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from vending_app.domain.tariff.charges import Period, PeriodCharge
from vending_app.domain.tariff.context import PaidTo, TariffContext
from vending_app.domain.tariff.rates import ZERO, Rate, Tables, rate_on, total

_DAY = timedelta(days=1)
_MONTHS_IN_YEAR = 12


@dataclass(frozen=True, slots=True)
class Due:
    """What is due of a charge per day or month.

    Attributes:
        paid_to: How far it is paid; what is forgiven counts as paid.
        periods: The last day of each unpaid day or month, and what it costs.
    """

    paid_to: PaidTo
    periods: tuple[tuple[date, Fraction], ...]

    @property
    def amount_minor(self) -> Fraction:
        """What is to be paid, exactly."""
        cost, paid = total(cost for _, cost in self.periods), self.paid_to.part_minor
        return max(cost - paid, ZERO) if paid else cost

    def after(self, paid_minor: Fraction) -> PaidTo:
        """Return how far it is paid after a payment: the oldest days or months come first."""
        day, money = self.paid_to.day, self.paid_to.part_minor + paid_minor
        for last_day, cost in self.periods:
            if money < cost:
                break
            day, money = last_day, money - cost
        return PaidTo(day, money)


def due(charge: PeriodCharge, context: TariffContext, *, tables: Tables) -> Due:
    """Return what is due of a charge at the moment of payment.

    A customer for whom nothing is noted owes the present day or month only.

    Raises:
        RateMissingError: The table of the rate has none for today.
    """
    # Today's rate is asked for even when nothing is due, so that a missing one is noticed.
    rate_on(charge.rate, context.day, tables=tables)
    today = context.day
    if charge.period is Period.DAY:
        oldest, present, periods = today - timedelta(days=charge.catch_up - 1), today, _days
    else:
        oldest, present, periods = (
            _month_before(today, charge.catch_up - 1),
            today.replace(day=1),
            _months,
        )
    noted = context.paid_to.get(charge.code)
    if noted is None:
        noted = PaidTo(present - _DAY)
    forgiven = PaidTo(max(noted.day, oldest - _DAY), noted.part_minor)
    unpaid = tuple(
        (last, _past_rate(charge.rate, first, tables=tables))
        for first, last in periods(forgiven.day + _DAY, today)
    )
    return Due(forgiven, unpaid)


def _past_rate(rate: Rate, day: date, *, tables: Tables) -> Fraction:
    """Return the rate of a day that may lie before the first one in its table: then nothing."""
    if not isinstance(rate, Fraction) and day < tables[rate.table].first_day:
        return ZERO
    return rate_on(rate, day, tables=tables)


def _days(begin: date, today: date) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each day from one on: the same one."""
    for past in range((today - begin).days + 1):
        day = begin + timedelta(days=past)
        yield day, day


def _months(begin: date, today: date) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each month from that of one day on."""
    for index in range(_month(begin), _month(today) + 1):
        year, month = divmod(index, _MONTHS_IN_YEAR)
        _, length = monthrange(year, month + 1)
        yield date(year, month + 1, 1), date(year, month + 1, length)


def _month(day: date) -> int:
    """Return the number of a month, counted through the years."""
    return day.year * _MONTHS_IN_YEAR + day.month - 1


def _month_before(day: date, months: int) -> date:
    """Return the first day of the month so many months before that of a day."""
    year, month = divmod(_month(day) - months, _MONTHS_IN_YEAR)
    return date(year, month + 1, 1)
