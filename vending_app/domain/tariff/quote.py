"""Quotes: what an amount of money buys under a tariff, line by line."""

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from sts import Service
from vending_app.domain.errors import AmountAboveMaximumError, AmountBelowMinimumError
from vending_app.domain.money import Currency, Money, format_money
from vending_app.domain.tariff.blocks import TENTHS
from vending_app.domain.tariff.context import Counters, TariffContext
from vending_app.domain.tariff.lines import Sold, TariffLine, whole_lines
from vending_app.domain.tariff.rates import Tables
from vending_app.domain.tariff.solve import Solution, solve
from vending_app.domain.tariff.tokens import Carried, TokenAmount, carry_currency, carry_units
from vending_app.domain.tariff.version import Rounding, TariffVersion

NO_TABLES: Final[Tables] = MappingProxyType({})
"""For tariffs that refer to no dated table."""
_CURRENCY_TOKEN_DECIMALS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffQuote:
    """What an amount of money buys.

    Attributes:
        tariff_code: Of the tariff.
        tariff_number: Of its version.
        service: What is sold.
        tendered: The money.
        lines: They add up to the money.
        tokens: What each token carries; none if all the money went elsewhere.
        carried: The sum of the tokens: tenths of a unit, or 0.00001 of the currency.
        paid: What the money pays for exactly, counted like ``carried``.
        after: What to keep of the customer for the next purchase.
    """

    tariff_code: str
    tariff_number: int
    service: Service
    tendered: Money
    lines: tuple[TariffLine, ...]
    tokens: tuple[TokenAmount, ...]
    carried: int
    paid: Fraction
    after: Counters

    @property
    def rounding(self) -> Fraction:
        """What the customer gets on top, because a token carries steps only."""
        return self.carried - self.paid


def quote(
    version: TariffVersion,
    context: TariffContext,
    *,
    tendered_minor: int,
    tables: Tables = NO_TABLES,
    token_maximum: int | None = None,
) -> TariffQuote:
    """Return what ``tendered_minor`` buys.

    Args:
        version: The tariff.
        context: How the customer stands.
        tendered_minor: The money, in the smallest unit of the currency.
        tables: The dated tables that the tariff refers to.
        token_maximum: The most that a token for this model of meter may carry, counted as tokens
            count; by default as much as has steps of 0.1 unit, and any amount of currency.

    Raises:
        AmountBelowMinimumError, AmountAboveMaximumError: Outside the limits of the tariff.
        AmountBelowChargesError: The money does not cover a charge per purchase.
        TariffNotEffectiveError: The version does not apply today.
        RateMissingError: A table has no rate for today.
        TariffFreeError: A table makes units free without end.
        TooManyTokensError: It would take more than 50 tokens.
    """
    _require_within_limits(version, tendered_minor)
    solution = solve(version, context, tendered_minor=tendered_minor, tables=tables)
    carried = carried_by_tokens(version, solution, token_maximum=token_maximum)
    scale = token_counts(version)
    # Under `carry` the customer pays for what the tokens hold, not for what the money would buy.
    carries = version.rounding is Rounding.CARRY
    goods = Fraction(carried.count, scale) if carries else solution.goods
    sold = Sold(
        version=version,
        context=context,
        tables=tables,
        tendered_minor=tendered_minor,
        solution=solution,
        goods=goods,
        carried=carried.count,
    )
    return TariffQuote(
        tariff_code=version.code,
        tariff_number=version.number,
        service=version.service,
        tendered=Money(tendered_minor, version.currency),
        lines=whole_lines(sold),
        tokens=carried.amounts,
        carried=carried.count,
        paid=goods * scale,
        after=_after(version, context, solution=solution, carried=carried),
    )


def carried_by_tokens(
    version: TariffVersion, solution: Solution, *, token_maximum: int | None
) -> Carried:
    """Return the tokens for what some money buys.

    Raises:
        TooManyTokensError: It would take more than 50.
    """
    carry = carry_units if version.sells_units else carry_currency
    return carry(
        solution.goods * token_counts(version), rounding=version.rounding, maximum=token_maximum
    )


def token_counts(version: TariffVersion) -> int:
    """Return how much a token counts for a unit, or for the smallest unit of money."""
    if version.sells_units:
        return TENTHS
    return int(10 ** (_CURRENCY_TOKEN_DECIMALS - version.currency.exponent))


def _require_within_limits(version: TariffVersion, tendered_minor: int) -> None:
    currency: Currency = version.currency
    if tendered_minor < version.minimum_minor:
        raise AmountBelowMinimumError(format_money(Money(version.minimum_minor, currency)))
    if tendered_minor > version.maximum_minor:
        raise AmountAboveMaximumError(format_money(Money(version.maximum_minor, currency)))


def _after(
    version: TariffVersion, context: TariffContext, *, solution: Solution, carried: Carried
) -> Counters:
    """Return what to keep of the customer: what the tokens carry counts, not what was paid for."""
    return Counters(
        month=context.month,
        month_tenths=context.month_tenths + (carried.count if version.sells_units else 0),
        month_purchases=context.month_purchases + 1,
        paid_to=MappingProxyType({**context.paid_to, **solution.fees.paid_to}),
    )
