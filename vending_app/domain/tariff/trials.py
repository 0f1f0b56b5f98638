"""Which purchases a lint tries: the days, customers and amounts at which a tariff may turn."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final

from vending_app.domain.tariff.borders import conditions_of, stretches
from vending_app.domain.tariff.charges import PeriodCharge
from vending_app.domain.tariff.conditions import Condition
from vending_app.domain.tariff.context import PaidTo, TariffContext
from vending_app.domain.tariff.findings import Trial
from vending_app.domain.tariff.quote import token_counts
from vending_app.domain.tariff.rates import Tables
from vending_app.domain.tariff.references import table_references
from vending_app.domain.tariff.solve import solve
from vending_app.domain.tariff.tokens import ceiling, floor
from vending_app.domain.tariff.version import Rounding, TariffVersion
from vending_app.domain.tariff_errors import AmountBelowChargesError

MOST_TABLE_DAYS: Final = 12
"""Of each table, the last days on which it changes."""
_MONTHS_OF_A_YEAR: Final = 12


def days_to_try(version: TariffVersion, *, tables: Tables) -> tuple[date, ...]:
    """Return a day of each season, and each day on which a table of the tariff changes.

    Days without a rate in some table are left out: that is a finding of its own.
    """
    days = {version.first_day}
    if any(when.months for when in _conditions(version)):
        first = version.first_day.replace(day=1)
        days |= {_month_after(first, count) for count in range(1, _MONTHS_OF_A_YEAR)}
    codes = table_references(version)
    used = [tables[code] for code in codes if code in tables]
    days |= {dated.first_day for table in used for dated in table.rates[-MOST_TABLE_DAYS:]}
    return tuple(
        day
        for day in sorted(days)
        if version.applies_on(day)
        and len(used) == len(codes)
        and all(table.has_rate_on(day) for table in used)
    )


def standings(version: TariffVersion, day: date) -> Iterator[TariffContext]:
    """Yield how a customer may stand on a day: new, long absent, and at each border of a month."""
    yield TariffContext.on(day)
    long_ago = {charge.code: PaidTo(date.min) for charge in _periods(version)}
    yield replace(paid_up(version, day), month_purchases=0, paid_to=long_ago)
    for tenths in _turning_tenths(version):
        yield replace(paid_up(version, day), month_tenths=tenths)


def paid_up(version: TariffVersion, day: date) -> TariffContext:
    """Return how a customer stands who bought next to nothing this month and owes nothing."""
    return TariffContext(
        day=day,
        month_tenths=0,
        month_purchases=1,
        first_purchase_ever=False,
        paid_to={charge.code: PaidTo(day) for charge in _periods(version)},
    )


def amounts_to_try(version: TariffVersion) -> tuple[int, ...]:
    """Return amounts of money, in order: where conditions turn, and some in between."""
    amounts = {amount for stretch in stretches(version) for amount in stretch}
    amount = version.minimum_minor
    while amount < version.maximum_minor:
        amounts.add(amount)
        amount *= 7
    return tuple(sorted(amounts))


def tried(
    version: TariffVersion, context: TariffContext, *, tendered_minor: int, tables: Tables
) -> tuple[Trial, TariffContext]:
    """Try a purchase; return what it buys and how the customer stands after it.

    A purchase that is refused leaves the customer as before. What a token carries is taken to have
    steps of one, whatever its size: the code of an amount is not the tariff's doing.

    Raises:
        RateMissingError, TariffFreeError: As for ``quote``.
    """
    try:
        solution = solve(version, context, tendered_minor=tendered_minor, tables=tables)
    except AmountBelowChargesError:
        refused = Trial(
            context=context, tendered_minor=tendered_minor, carried=None, paid=Fraction(0)
        )
        return refused, context
    paid = solution.goods * token_counts(version)
    carried = ceiling(paid) if version.rounding is Rounding.UP else floor(paid)
    after = TariffContext(
        day=context.day,
        month_tenths=context.month_tenths + (carried if version.sells_units else 0),
        month_purchases=context.month_purchases + 1,
        first_purchase_ever=False,
        paid_to={**context.paid_to, **solution.fees.paid_to},
    )
    trial = Trial(context=context, tendered_minor=tendered_minor, carried=carried, paid=paid)
    return trial, after


def _periods(version: TariffVersion) -> list[PeriodCharge]:
    return [charge for charge in version.charges if isinstance(charge, PeriodCharge)]


def _turning_tenths(version: TariffVersion) -> list[int]:
    """Return what may have been bought in a month when a block or a condition turns."""
    ends = {
        block.up_to_tenths
        for charge in version.unit_charges
        for schedule in charge.schedules
        for block in schedule.blocks
        if block.up_to_tenths is not None
    }
    limits = {
        when.month_below_tenths
        for when in _conditions(version)
        if when.month_below_tenths is not None
    }
    return sorted({0} | ends | limits | {limit - 1 for limit in ends | limits})


def _conditions(version: TariffVersion) -> list[Condition]:
    return [when for charge in version.charges for when in conditions_of(charge)]


def _month_after(month: date, count: int) -> date:
    years, index = divmod(month.month - 1 + count, _MONTHS_OF_A_YEAR)
    return date(month.year + years, index + 1, 1)
