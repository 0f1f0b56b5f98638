"""Tariffs as a graph of charges, and what an amount of money buys under them: pure and exact.

A tariff version is a document; a context says how the customer stands; a quote says what the money
buys and what to keep of the customer for the next purchase::

    version = version_on(map(parse_version, documents), day, code="home")
    context = TariffContext.at(now, time_zone="Africa/Johannesburg", counters=kept)
    quoted = quote(version, context, tendered_minor=100_00, tables=tables)

    quoted.lines     # TariffLine: add up to the money tendered, to the last smallest unit
    quoted.tokens    # UnitAmount or CurrencyAmount, one a token: what they really carry
    quoted.rounding  # what the customer gets on top (policy `up`), or nothing (policy `carry`)
    quoted.after     # Counters: keep them for the next purchase, in the transaction of the sale

``kept`` is ``quoted.after`` of the last purchase for the same account and service, ``Counters()``
for somebody who never bought. ``local_day(now, time_zone)`` gives the day for ``version_on``.
``quote_units`` is the inverse: the least money that buys at least so many tenths of a unit.

Debts and other lines of one customer are charges too:
``version.with_charges(before=[ShareCharge(code="debt-7", percent=Fraction(80), …)])``.

Fees are taken first, in the order of the charges; what is left buys. ``docs/tariffs.md`` works
tariffs of several countries by hand.
"""

from vending_app.domain.tariff.charges import (
    Band,
    Block,
    Charge,
    CreditCharge,
    PercentCharge,
    Period,
    PeriodCharge,
    PurchaseCharge,
    Schedule,
    ShareCharge,
    UnitCharge,
)
from vending_app.domain.tariff.conditions import ALWAYS, Condition
from vending_app.domain.tariff.context import (
    FIRST_PURCHASE,
    Counters,
    PaidTo,
    TariffContext,
    local_day,
)
from vending_app.domain.tariff.document import (
    format_table,
    format_version,
    parse_table,
    parse_version,
    version_hash,
)
from vending_app.domain.tariff.figures import format_figure, parse_figure
from vending_app.domain.tariff.findings import Finding, Level, Trial
from vending_app.domain.tariff.inverse import quote_units
from vending_app.domain.tariff.lines import LineKind, TariffLine
from vending_app.domain.tariff.lint import lint, lint_document
from vending_app.domain.tariff.quote import NO_TABLES, TariffQuote, quote
from vending_app.domain.tariff.rates import DatedRate, DatedTable, Rate, TableRate, Tables
from vending_app.domain.tariff.tokens import TokenAmount, split_tokens
from vending_app.domain.tariff.version import Rounding, TariffVersion, version_on

__all__ = [
    "ALWAYS",
    "FIRST_PURCHASE",
    "NO_TABLES",
    "Band",
    "Block",
    "Charge",
    "Condition",
    "Counters",
    "CreditCharge",
    "DatedRate",
    "DatedTable",
    "Finding",
    "Level",
    "LineKind",
    "PaidTo",
    "PercentCharge",
    "Period",
    "PeriodCharge",
    "PurchaseCharge",
    "Rate",
    "Rounding",
    "Schedule",
    "ShareCharge",
    "TableRate",
    "Tables",
    "TariffContext",
    "TariffLine",
    "TariffQuote",
    "TariffVersion",
    "TokenAmount",
    "Trial",
    "UnitCharge",
    "format_figure",
    "format_table",
    "format_version",
    "lint",
    "lint_document",
    "local_day",
    "parse_figure",
    "parse_table",
    "parse_version",
    "quote",
    "quote_units",
    "split_tokens",
    "version_hash",
    "version_on",
]
