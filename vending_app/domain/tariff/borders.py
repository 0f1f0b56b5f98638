"""The amounts of money at which a tariff begins to treat a purchase differently."""

from collections.abc import Iterator

from vending_app.domain.tariff.charges import (
    Charge,
    PercentCharge,
    PurchaseCharge,
    ShareCharge,
    UnitCharge,
)
from vending_app.domain.tariff.conditions import Condition
from vending_app.domain.tariff.version import TariffVersion


def stretches(version: TariffVersion) -> tuple[tuple[int, int], ...]:
    """Return the lowest and highest amount of each stretch in which nothing changes, in order."""
    inside = range(version.minimum_minor + 1, version.maximum_minor + 1)
    found = {start for charge in version.charges for start in _starts(charge) if start in inside}
    starts = [version.minimum_minor, *sorted(found)]
    ends = [start - 1 for start in starts[1:]] + [version.maximum_minor]
    return tuple(zip(starts, ends, strict=True))


def conditions_of(charge: Charge) -> tuple[Condition, ...]:
    """Return the conditions under which a charge, or a schedule of it, applies."""
    if isinstance(charge, UnitCharge):
        return tuple(schedule.when for schedule in charge.schedules)
    if isinstance(charge, (PercentCharge, PurchaseCharge, ShareCharge)):
        return (charge.when,)
    return ()


def _starts(charge: Charge) -> Iterator[int]:
    """Yield the lowest amounts for which something about a charge is different."""
    if isinstance(charge, PurchaseCharge):
        yield from (band.from_minor for band in charge.bands)
    for when in conditions_of(charge):
        if when.purchase_at_most_minor is not None:
            yield when.purchase_at_most_minor + 1
