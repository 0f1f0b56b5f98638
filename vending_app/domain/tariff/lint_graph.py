"""Lint of percentages: taxes on taxes, and percentages that take more than all."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Final

from vending_app.domain.tariff.charges import WHOLE, PercentCharge, ShareCharge
from vending_app.domain.tariff.figures import format_figure
from vending_app.domain.tariff.findings import Finding, Level, money_text
from vending_app.domain.tariff.graph import Graph, percentage
from vending_app.domain.tariff.rates import ONE, Tables, rate_on, total
from vending_app.domain.tariff.trials import days_to_try
from vending_app.domain.tariff.version import TariffVersion

_EXAMPLE_MAJOR: Final = 100
"""Examples are told of an amount of 100 of the currency."""


def lint_percentages(version: TariffVersion, *, tables: Tables) -> Iterator[Finding]:
    """Yield what is odd about the percentages, on the first day that all rates are known for."""
    for day in days_to_try(version, tables=tables)[:1]:
        yield from _taxes_on_taxes(version, day, tables=tables)
        yield from _too_high(version, day, tables=tables)
        yield from _too_much_shared(version, day, tables=tables)


def _taxes_on_taxes(version: TariffVersion, day: date, *, tables: Tables) -> Iterator[Finding]:
    taxes = {
        charge.code: charge
        for charge in version.charges
        if isinstance(charge, PercentCharge) and charge.tax
    }
    for number, charge in enumerate(version.charges):
        if charge.code not in taxes:
            continue
        for position, code in enumerate(taxes[charge.code].basis):
            if code in taxes:
                inner = rate_on(taxes[code].percent, day, tables=tables)
                outer = rate_on(taxes[charge.code].percent, day, tables=tables)
                base = _EXAMPLE_MAJOR * 10**version.currency.exponent
                first = base * percentage(inner)
                yield Finding(
                    code="TAX_ON_TAX",
                    level=Level.NOTICE,
                    message=(
                        f"{charge.label} is taken of {taxes[code].label} too: on"
                        f" {_money(version, Fraction(base))} it is"
                        f" {_money(version, (base + first) * percentage(outer))}, not"
                        f" {_money(version, base * percentage(outer))}."
                    ),
                    path=f"/charges/{number}/basis/{position}",
                )


def _too_high(version: TariffVersion, day: date, *, tables: Tables) -> Iterator[Finding]:
    graph = Graph(
        tuple(
            (charge, percentage(rate_on(charge.percent, day, tables=tables)))
            for charge in version.percentages
        )
    )
    loads = graph.loads([charge.code for charge in version.charges])
    for number, charge in enumerate(version.charges):
        whole = loads[charge.code] * graph.inclusions.get(charge.code, ONE)
        if not isinstance(charge, PercentCharge) and whole > 2:  # noqa: PLR2004 - twice the line
            base = Fraction(_EXAMPLE_MAJOR * 10**version.currency.exponent)
            yield Finding(
                code="PERCENT_OVER_100",
                level=Level.WARNING,
                message=(
                    f"Percentages add {format_figure((whole - 1) * WHOLE)} % to {charge.label}:"
                    f" {_money(version, base)} becomes {_money(version, base * whole)}."
                ),
                path=f"/charges/{number}",
            )


def _too_much_shared(version: TariffVersion, day: date, *, tables: Tables) -> Iterator[Finding]:
    # A share with a limit ends some day; all others together must leave something.
    shares = [
        (number, charge)
        for number, charge in enumerate(version.charges)
        if isinstance(charge, ShareCharge) and charge.largest_minor is None
    ]
    taken = total(rate_on(charge.percent, day, tables=tables) for _, charge in shares)
    if taken >= WHOLE:
        yield Finding(
            code="NOTHING_LEFT",
            level=Level.ERROR,
            message=(
                f"Shares take {format_figure(taken)} % of the money: of"
                f" {money_text(version, version.maximum_minor)} nothing is left to buy with."
            ),
            path=f"/charges/{shares[-1][0]}/percent",
        )


def _money(version: TariffVersion, exact_minor: Fraction) -> str:
    """Return an exact amount for people, rounded half up."""
    return money_text(version, int((exact_minor + Fraction(1, 2)) // 1))
