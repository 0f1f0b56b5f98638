"""The equation of a sale: which energy, or which credit, makes the lines add up to the money.

Fees come first, the rest of the money buys. Both the total of the lines and their parts are exact
fractions here; ``quote`` makes tokens and whole money of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from vending_app.domain.tariff.blocks import TENTHS, Steps, price_of, steps_for, units_for
from vending_app.domain.tariff.charges import CreditCharge
from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.fees import Fees, take_fees
from vending_app.domain.tariff.graph import Graph, percentage
from vending_app.domain.tariff.rates import Tables, rate_on
from vending_app.domain.tariff.version import TariffVersion
from vending_app.domain.tariff_errors import TariffNotEffectiveError


@dataclass(frozen=True, slots=True)
class Solution:
    """What some money buys, exactly.

    Attributes:
        graph: The percentages that apply.
        loads: What a price of 1 on each line costs in all.
        fees: What is taken before.
        steps: The blocks that apply, for units.
        bought: Units bought in this local month before.
        goods: What is left buys: units, or smallest units of money as credit.
    """

    graph: Graph
    loads: Mapping[str, Fraction]
    fees: Fees
    steps: tuple[Steps, ...]
    bought: Fraction
    goods: Fraction


def solve(
    version: TariffVersion, context: TariffContext, *, tendered_minor: int, tables: Tables
) -> Solution:
    """Return what ``tendered_minor`` buys, whatever the limits of the tariff.

    Raises:
        TariffNotEffectiveError: The version does not apply today.
        RateMissingError: A table has no rate for today.
        AmountBelowChargesError: The money does not cover a charge per purchase.
        TariffFreeError: A table makes units free without end.
    """
    if not version.applies_on(context.day):
        raise TariffNotEffectiveError(version.code, day=context.day)
    graph = _graph(version, context, tendered_minor=tendered_minor, tables=tables)
    loads = graph.loads([charge.code for charge in version.charges])
    fees = take_fees(version, context, tendered_minor=tendered_minor, loads=loads, tables=tables)
    steps = steps_for(version, context, tendered_minor=tendered_minor, tables=tables)
    bought = Fraction(context.month_tenths, TENTHS)
    if version.sells_units:
        goods = units_for(fees.left_minor, bought, steps=steps, loads=loads)
    else:
        goods = fees.left_minor / loads[credit_line(version)]
    return Solution(graph, loads, fees, steps, bought, goods)


def lines_for(
    solution: Solution, version: TariffVersion, *, goods: Fraction
) -> dict[str, Fraction]:
    """Return what stands on each line, exactly, when ``goods`` are sold."""
    if version.sells_units:
        sold = price_of(goods, solution.bought, steps=solution.steps)
    else:
        sold = {credit_line(version): goods}
    return solution.graph.lines({**solution.fees.prices, **sold})


def credit_line(version: TariffVersion) -> str:
    """Return the code of the line for currency credit."""
    return next(charge.code for charge in version.charges if isinstance(charge, CreditCharge))


def _graph(
    version: TariffVersion, context: TariffContext, *, tendered_minor: int, tables: Tables
) -> Graph:
    """Return the percentages that apply to a purchase."""
    return Graph(
        tuple(
            (charge, percentage(rate_on(charge.percent, context.day, tables=tables)))
            for charge in version.percentages
            if charge.when.holds(context, tendered_minor=tendered_minor)
        )
    )
