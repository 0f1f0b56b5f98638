"""Quotes by units: the least money that buys at least so much.

More money buys at least as much as long as the same conditions hold and the same bands apply. So
the money is searched by halving between one such border and the next, from below; the least amount
is found even under a tariff where, across a border, more money buys less.
"""

from collections.abc import Callable

from vending_app.domain.money import Money, format_money
from vending_app.domain.tariff.borders import stretches
from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.quote import NO_TABLES, TariffQuote, carried_by_tokens, quote
from vending_app.domain.tariff.rates import Tables
from vending_app.domain.tariff.solve import solve
from vending_app.domain.tariff.version import TariffVersion
from vending_app.domain.tariff_errors import (
    AmountBelowChargesError,
    TooManyTokensError,
    UnitsNotForSaleError,
)


def quote_units(
    version: TariffVersion,
    context: TariffContext,
    *,
    wanted: int,
    tables: Tables = NO_TABLES,
    token_maximum: int | None = None,
) -> TariffQuote:
    """Return the quote for the least money whose tokens carry at least ``wanted``.

    Args:
        version: The tariff.
        context: How the customer stands.
        wanted: Tenths of a unit, or 0.00001 of the currency.
        tables: The dated tables that the tariff refers to.
        token_maximum: The most that a token for this model of meter may carry.

    Raises:
        UnitsNotForSaleError: No amount of money within the limits of the tariff buys as much.
        TooManyTokensError: It would take more than 50 tokens.
        TariffNotEffectiveError, RateMissingError, TariffFreeError: As for ``quote``.
    """

    def buys(tendered_minor: int) -> bool:
        """Tell whether an amount of money buys enough."""
        try:
            solution = solve(version, context, tendered_minor=tendered_minor, tables=tables)
            carried = carried_by_tokens(version, solution, token_maximum=token_maximum)
        except AmountBelowChargesError:
            return False
        except TooManyTokensError:
            return True
        return carried.count >= wanted

    for lowest, highest in stretches(version):
        if buys(highest):
            return quote(
                version,
                context,
                tendered_minor=_least(lowest, highest, buys),
                tables=tables,
                token_maximum=token_maximum,
            )
    raise UnitsNotForSaleError(format_money(Money(version.maximum_minor, version.currency)))


def _least(lowest: int, highest: int, buys: Callable[[int], bool]) -> int:
    """Return the least amount of a stretch that buys enough, given that the highest does."""
    while lowest < highest:
        middle = (lowest + highest) // 2
        if buys(middle):
            highest = middle
        else:
            lowest = middle + 1
    return highest
