"""The lines of a quote: the exact amounts of a sale, made whole, in the order of the receipt."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final, assert_never

from vending_app.domain.tariff.apportion import apportion
from vending_app.domain.tariff.blocks import TENTHS, Steps
from vending_app.domain.tariff.charges import (
    ACCOUNT_CREDIT,
    Charge,
    CreditCharge,
    PercentCharge,
    PeriodCharge,
    PurchaseCharge,
    ShareCharge,
    UnitCharge,
)
from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.fees import band_of
from vending_app.domain.tariff.rates import ZERO, Rate, Tables, rate_on, total
from vending_app.domain.tariff.solve import Solution, lines_for
from vending_app.domain.tariff.tokens import ceiling
from vending_app.domain.tariff.version import TariffVersion

CUSTOMER: Final = "customer"
"""The beneficiary of account credit."""
_CREDIT_LABEL: Final = "Account credit"


class LineKind(StrEnum):
    """What a line of a quote is."""

    UNITS = "units"
    CREDIT = "credit"
    PERIOD = "period"
    PURCHASE = "purchase"
    SHARE = "share"
    LEVY = "levy"
    TAX = "tax"
    ACCOUNT_CREDIT = "account-credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffLine:
    """One line of a quote.

    Attributes:
        code: Of the charge; several lines of a charge per unit differ by ``block``.
        label: For people.
        kind: What it is.
        amount_minor: In the smallest unit of the currency; taxes that its price includes stand on
            lines of their own.
        rate: As the tariff states it on the day: for a unit, a day or month, a purchase, or in per
            cent; none for credit.
        block: Which block of a charge per unit, from 1.
        tenths: What this block adds to the tokens, in tenths of a unit, rounding included. The
            blocks of each charge per unit add up to what the tokens carry.
        units: What is paid for in this block, exactly.
        tax_of: The codes of the lines that a percentage is of.
        still_due_minor: What remains unpaid of a charge per day or month, exactly.
        beneficiary: Who gets the money.
        ledger_account: Where it is booked.
    """

    code: str
    label: str
    kind: LineKind
    amount_minor: int
    rate: Fraction | None = None
    block: int | None = None
    tenths: int | None = None
    units: Fraction | None = None
    tax_of: tuple[str, ...] = ()
    still_due_minor: Fraction | None = None
    beneficiary: str
    ledger_account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """An exact sale of which lines are made.

    Attributes:
        version: The tariff.
        context: How the customer stands.
        tables: The dated tables.
        tendered_minor: The money.
        solution: What it buys.
        goods: What of that is sold: units, or smallest units of money as credit.
        carried: What the tokens carry.
    """

    version: TariffVersion
    context: TariffContext
    tables: Tables
    tendered_minor: int
    solution: Solution
    goods: Fraction
    carried: int


def whole_lines(sold: Sold) -> tuple[TariffLine, ...]:
    """Return the lines, which add up to the money tendered.

    What the goods and fees do not take, less than one step of a token, is account credit.
    """
    amounts = lines_for(sold.solution, sold.version, goods=sold.goods)
    drafts = [
        draft for charge in sold.version.charges for draft in _drafts(sold, charge, amounts=amounts)
    ]
    spent = ceiling(total(exact for _, exact in drafts))
    whole = apportion(
        [exact for _, exact in drafts],
        spent,
        taxes=[line.kind is LineKind.TAX for line, _ in drafts],
    )
    lines = [
        replace(line, amount_minor=amount) for (line, _), amount in zip(drafts, whole, strict=True)
    ]
    if spent < sold.tendered_minor:
        lines.append(
            TariffLine(
                code=ACCOUNT_CREDIT,
                label=_CREDIT_LABEL,
                kind=LineKind.ACCOUNT_CREDIT,
                amount_minor=sold.tendered_minor - spent,
                beneficiary=CUSTOMER,
                ledger_account=sold.version.credit_account,
            )
        )
    return tuple(lines)


def _drafts(
    sold: Sold, charge: Charge, *, amounts: dict[str, Fraction]
) -> Iterator[tuple[TariffLine, Fraction]]:
    """Yield the lines of a charge that say something, each with its exact amount."""
    if isinstance(charge, UnitCharge):
        for steps in sold.solution.steps:
            if steps.charge is charge:
                yield from _blocks(sold, steps)
        return
    exact = amounts.get(charge.code, ZERO)
    still_due = sold.solution.fees.still_due_minor.get(charge.code)
    if not exact and not still_due:
        return
    tax_of = charge.basis if isinstance(charge, PercentCharge) else ()
    line = TariffLine(
        code=charge.code,
        label=charge.label,
        kind=_kind(charge),
        amount_minor=0,
        rate=_rate(sold, charge),
        tax_of=tax_of,
        still_due_minor=still_due,
        beneficiary=charge.beneficiary,
        ledger_account=charge.ledger_account,
    )
    yield line, exact


def _blocks(sold: Sold, steps: Steps) -> Iterator[tuple[TariffLine, Fraction]]:
    """Yield a line for each block that the sale reaches; the last one takes the rounding."""
    charge, bought = steps.charge, sold.solution.bought
    reached = list(steps.used(bought, bought + sold.goods))
    without_inclusion = sold.solution.graph.without_inclusion
    left = sold.carried
    for number, step, units in reached:
        last = number == reached[-1][0]
        # Borders lie on whole tenths, so only the last block has a fraction of one.
        tenths = left if last else int(units * TENTHS)
        left -= tenths
        line = TariffLine(
            code=charge.code,
            label=charge.label,
            kind=LineKind.UNITS,
            amount_minor=0,
            rate=step.rate,
            block=number,
            tenths=tenths,
            units=units,
            beneficiary=charge.beneficiary,
            ledger_account=charge.ledger_account,
        )
        yield line, without_inclusion(charge.code, units * step.rate)


def _kind(
    charge: CreditCharge | PeriodCharge | PurchaseCharge | ShareCharge | PercentCharge,
) -> LineKind:
    match charge:
        case CreditCharge():
            return LineKind.CREDIT
        case PeriodCharge():
            return LineKind.PERIOD
        case PurchaseCharge():
            return LineKind.PURCHASE
        case ShareCharge():
            return LineKind.SHARE
        case PercentCharge():
            return LineKind.TAX if charge.tax else LineKind.LEVY
        case _ as never:
            assert_never(never)


def _rate(
    sold: Sold, charge: CreditCharge | PeriodCharge | PurchaseCharge | ShareCharge | PercentCharge
) -> Fraction | None:
    """Return the rate of a line as the tariff states it."""
    stated: Rate
    if isinstance(charge, CreditCharge):
        return None
    if isinstance(charge, PeriodCharge):
        stated = charge.rate
    elif isinstance(charge, PurchaseCharge):
        stated = band_of(charge, sold.tendered_minor).amount_minor
    else:
        stated = charge.percent
    return rate_on(stated, sold.context.day, tables=sold.tables)
