"""Which rates a tariff has, and where they stand in its document."""

from collections.abc import Iterator
from typing import assert_never

from vending_app.domain.tariff.charges import (
    Charge,
    CreditCharge,
    PercentCharge,
    PeriodCharge,
    PurchaseCharge,
    ShareCharge,
    UnitCharge,
)
from vending_app.domain.tariff.rates import Rate, TableRate
from vending_app.domain.tariff.version import TariffVersion


def table_references(version: TariffVersion) -> dict[str, str]:
    """Return the tables that a tariff refers to, with the path of the first reference to each."""
    found: dict[str, str] = {}
    for number, charge in enumerate(version.charges):
        for path, rate in _rates(charge):
            if isinstance(rate, TableRate):
                found.setdefault(rate.table, f"/charges/{number}{path}")
    return found


def _rates(charge: Charge) -> Iterator[tuple[str, Rate]]:
    """Yield each rate of a charge with its path."""
    match charge:
        case UnitCharge():
            for place, schedule in enumerate(charge.schedules):
                for number, block in enumerate(schedule.blocks):
                    yield f"/schedules/{place}/blocks/{number}/rate", block.rate
        case PeriodCharge():
            yield "/rate", charge.rate
        case PurchaseCharge():
            for number, band in enumerate(charge.bands):
                yield f"/bands/{number}/amount_minor", band.amount_minor
        case ShareCharge() | PercentCharge():
            yield "/percent", charge.percent
        case CreditCharge():
            return
        case _ as never:
            assert_never(never)
