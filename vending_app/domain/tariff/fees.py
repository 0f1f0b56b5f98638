"""What is taken before any energy: fees, instalments, charges per day and month.

They are taken in the order of the tariff, each out of what the ones before have left. A line costs
its price times its load, so that the taxes on a fee are paid as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from vending_app.domain.tariff.charges import (
    WHOLE,
    Band,
    PeriodCharge,
    PurchaseCharge,
    ShareCharge,
)
from vending_app.domain.tariff.context import PaidTo, TariffContext
from vending_app.domain.tariff.graph import percentage
from vending_app.domain.tariff.periods import due
from vending_app.domain.tariff.rates import ZERO, Tables, rate_on
from vending_app.domain.tariff.version import TariffVersion
from vending_app.domain.tariff_errors import AmountBelowChargesError


@dataclass(frozen=True, slots=True)
class Fees:
    """What was taken.

    Attributes:
        prices: By the code of the line.
        left_minor: What is left for energy and its taxes.
        paid_to: How far each charge per day or month is paid now.
        still_due_minor: What each of those leaves unpaid.
    """

    prices: Mapping[str, Fraction]
    left_minor: Fraction
    paid_to: Mapping[str, PaidTo]
    still_due_minor: Mapping[str, Fraction]


def take_fees(
    version: TariffVersion,
    context: TariffContext,
    *,
    tendered_minor: int,
    loads: Mapping[str, Fraction],
    tables: Tables,
) -> Fees:
    """Take what comes before the energy out of the money tendered.

    Raises:
        AmountBelowChargesError: It does not cover a charge per purchase.
        RateMissingError: A table has no rate for today.
    """
    prices: dict[str, Fraction] = {}
    paid_to: dict[str, PaidTo] = {}
    still_due: dict[str, Fraction] = {}
    left = Fraction(tendered_minor)
    for charge in version.charges:
        if isinstance(charge, PeriodCharge):
            owed = due(charge, context, tables=tables)
            amount = owed.amount_minor
            price = min(amount, left / loads[charge.code])
            if charge.largest_percent is not WHOLE:
                price = min(price, percentage(charge.largest_percent) * tendered_minor)
            paid_to[charge.code] = owed.after(price)
            still_due[charge.code] = amount - price
        elif isinstance(charge, ShareCharge):
            price = min(
                _share(charge, context, tendered_minor=tendered_minor, tables=tables),
                left / loads[charge.code],
            )
        elif isinstance(charge, PurchaseCharge):
            price = _fee(charge, context, tendered_minor=tendered_minor, tables=tables)
            if price * loads[charge.code] > left:
                raise AmountBelowChargesError(charge.label)
        else:
            continue
        prices[charge.code] = price
        left -= price * loads[charge.code]
    return Fees(prices, left, paid_to, still_due)


def band_of(charge: PurchaseCharge, tendered_minor: int) -> Band:
    """Return the band of a purchase: the last one that the money reaches."""
    return [band for band in charge.bands if band.from_minor <= tendered_minor][-1]


def _share(
    charge: ShareCharge, context: TariffContext, *, tendered_minor: int, tables: Tables
) -> Fraction:
    """Return a percentage of the money tendered."""
    if not charge.when.holds(context, tendered_minor=tendered_minor):
        return ZERO
    share = percentage(rate_on(charge.percent, context.day, tables=tables)) * tendered_minor
    return share if charge.largest_minor is None else min(share, Fraction(charge.largest_minor))


def _fee(
    charge: PurchaseCharge, context: TariffContext, *, tendered_minor: int, tables: Tables
) -> Fraction:
    """Return the charge of a purchase of this size."""
    if not charge.when.holds(context, tendered_minor=tendered_minor):
        return ZERO
    return rate_on(band_of(charge, tendered_minor).amount_minor, context.day, tables=tables)
