"""Lint by purchases: where more money buys less, where splitting gains, what little money buys.

As long as the same conditions hold and the same bands apply, more money buys at least as much. So
larger purchases that buy less are found by comparing the two sides of each border.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, islice, pairwise
from typing import Final

from vending_app.domain.tariff.borders import stretches
from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.findings import (
    Finding,
    Level,
    Trial,
    goods_text,
    money_text,
    standing_text,
)
from vending_app.domain.tariff.inverse import quote_units
from vending_app.domain.tariff.rates import ONE, Tables, rate_on, total
from vending_app.domain.tariff.tokens import floor
from vending_app.domain.tariff.trials import amounts_to_try, days_to_try, paid_up, standings, tried
from vending_app.domain.tariff.version import Rounding, TariffVersion
from vending_app.domain.tariff_errors import UnitsNotForSaleError

LARGEST_ROUNDING_GAIN: Final = Fraction(1, 20)
"""Of what a purchase pays for: what rounding may add before the lint speaks."""
_EQUAL_PARTS: Final = (2, 10)


def lint_purchases(version: TariffVersion, *, tables: Tables) -> Iterator[Finding]:
    """Yield the first example of each oddity that a customer can buy into."""
    days = days_to_try(version, tables=tables)
    contexts = [context for day in days for context in standings(version, day)]
    for look in (_more_buys_less, _splitting_gains, _minimum_buys_nothing):
        yield from _first(
            finding for context in contexts for finding in look(version, context, tables)
        )
    yield from _first(
        finding
        for day in days
        for finding in _rounding_gains(version, paid_up(version, day), tables)
    )


def _first(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the first one only: one example is enough to see what is wrong."""
    yield from islice(findings, 1)


def _more_buys_less(
    version: TariffVersion, context: TariffContext, tables: Tables
) -> Iterator[Finding]:
    for (_, less), (more, _) in pairwise(stretches(version)):
        smaller, _ = tried(version, context, tendered_minor=less, tables=tables)
        larger, _ = tried(version, context, tendered_minor=more, tables=tables)
        if larger.paid < smaller.paid:
            yield Finding(
                code="MORE_BUYS_LESS",
                level=Level.WARNING,
                message=(
                    f"{_told(version, larger)}, but {_told(version, smaller)},"
                    f" {standing_text(context, version)}."
                ),
                trials=(smaller, larger),
            )


def _splitting_gains(
    version: TariffVersion, context: TariffContext, tables: Tables
) -> Iterator[Finding]:
    # By rounding, each purchase but one may gain less than one step, and that moves it less than a
    # step toward cheaper blocks.
    step = _dearest_to_cheapest(version, context, tables)
    for amount in amounts_to_try(version):
        whole, _ = tried(version, context, tendered_minor=amount, tables=tables)
        for amounts in _splits(version, amount):
            parts = _in_turn(version, context, amounts=amounts, tables=tables)
            gain = total(part.paid for part in parts) - whole.paid
            if gain > (len(parts) - 1) * step:
                yield Finding(
                    code="SPLITTING_GAINS",
                    level=Level.WARNING,
                    message=(
                        f"{_bought(version, parts)}, but {_told(version, whole)},"
                        f" {standing_text(context, version)}."
                    ),
                    trials=(whole, *parts),
                )


def _minimum_buys_nothing(
    version: TariffVersion, context: TariffContext, tables: Tables
) -> Iterator[Finding]:
    trial, _ = tried(version, context, tendered_minor=version.minimum_minor, tables=tables)
    if not trial.carried:
        yield Finding(
            code="MINIMUM_BUYS_NOTHING",
            level=Level.WARNING,
            message=f"{_told(version, trial)}, {standing_text(context, version)}.",
            path="/minimum_minor",
            trials=(trial,),
        )


def _rounding_gains(
    version: TariffVersion, context: TariffContext, tables: Tables
) -> Iterator[Finding]:
    if version.rounding is not Rounding.UP or not version.sells_units:
        return
    smallest, _ = tried(version, context, tendered_minor=version.minimum_minor, tables=tables)
    try:
        # The money that pays for a hair more than a whole step gains nearly another step.
        amount = quote_units(
            version, context, wanted=(smallest.carried or 0) + 1, tables=tables
        ).tendered.minor
    except UnitsNotForSaleError:
        return
    count = min(_EQUAL_PARTS[-1], version.maximum_minor // amount)
    parts = _in_turn(version, context, amounts=[amount] * count, tables=tables)
    paid = total(part.paid for part in parts)
    gain = sum(part.carried or 0 for part in parts) - paid
    if gain > LARGEST_ROUNDING_GAIN * paid:
        yield Finding(
            code="ROUNDING_GAINS",
            level=Level.WARNING,
            message=(
                f"{_bought(version, parts)}, of which {goods_text(version, floor(gain))} is"
                f" rounding in the customer's favour, {standing_text(context, version)}."
            ),
            path="/minimum_minor",
            trials=parts,
        )


def _splits(version: TariffVersion, amount: int) -> Iterator[list[int]]:
    """Yield ways to pay an amount in parts, each within the limits of the tariff."""
    low, high = version.minimum_minor, version.maximum_minor
    firsts = {low, *(end for stretch in stretches(version) for end in stretch)}
    ways = [[first, amount - first] for first in sorted(firsts)]
    for count in _EQUAL_PARTS:
        part = amount // count
        ways += [[part] * (count - 1) + [amount - part * (count - 1)]]
    yield from (way for way in ways if all(low <= part <= high for part in way))


def _in_turn(
    version: TariffVersion, context: TariffContext, *, amounts: Sequence[int], tables: Tables
) -> tuple[Trial, ...]:
    """Try purchases one after the other."""
    trials: list[Trial] = []
    for amount in amounts:
        trial, context = tried(version, context, tendered_minor=amount, tables=tables)
        trials.append(trial)
    return tuple(trials)


def _dearest_to_cheapest(
    version: TariffVersion, context: TariffContext, tables: Tables
) -> Fraction:
    """Return how many times a unit may cost what another one costs; a bound, not exact."""
    rates = [
        [
            rate_on(block.rate, context.day, tables=tables)
            for schedule in charge.schedules
            for block in schedule.blocks
        ]
        for charge in version.unit_charges
    ]
    dearest = total(max(each) for each in rates)
    cheapest = total(min(each) for each in rates)
    if not cheapest:
        cheapest = min((rate for each in rates for rate in each if rate), default=ONE)
    return max(dearest / cheapest, ONE)


def _bought(version: TariffVersion, parts: Sequence[Trial]) -> str:
    carried = sum(part.carried or 0 for part in parts)
    amounts = " + ".join(_amounts(version, parts))
    return f"{amounts} buy {goods_text(version, carried)} in {len(parts)} purchases"


def _amounts(version: TariffVersion, parts: Sequence[Trial]) -> Iterator[str]:
    """Yield the amounts of purchases, equal ones in a row together."""
    for amount, group in groupby(part.tendered_minor for part in parts):
        count = len(list(group))
        money = money_text(version, amount)
        yield money if count == 1 else f"{count} × {money}"


def _told(version: TariffVersion, trial: Trial) -> str:
    money = money_text(version, trial.tendered_minor)
    return f"{money} buys {goods_text(version, trial.carried)}"
