"""Lint of reach: schedules, blocks, bands and charges that never apply to any purchase."""

from collections.abc import Iterator

from vending_app.domain.tariff.borders import conditions_of, stretches
from vending_app.domain.tariff.charges import PurchaseCharge, UnitCharge
from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.fees import band_of
from vending_app.domain.tariff.findings import Finding, Level, Trial
from vending_app.domain.tariff.rates import Tables
from vending_app.domain.tariff.trials import days_to_try, standings, tried
from vending_app.domain.tariff.version import TariffVersion


def lint_reach(version: TariffVersion, *, tables: Tables) -> Iterator[Finding]:
    """Yield what no purchase ever reaches, on any day, with any money, after any month so far."""
    days = days_to_try(version, tables=tables)
    if not days:
        return
    reached: set[str] = set()
    for day in days:
        for context in standings(version, day):
            for stretch in stretches(version):
                for amount in stretch:
                    reached |= set(_reached(version, context, amount=amount, tables=tables))
    parts = dict(_parts(version))
    for path, what in parts.items():
        # Blocks of a schedule that never applies, or bands of such a charge, go without saying.
        whole, _, _ = path.rpartition("/")[0].rpartition("/")
        if path not in reached and (whole not in parts or whole in reached):
            yield Finding(
                code="UNREACHABLE",
                level=Level.WARNING,
                message=f"{what} applies to no purchase.",
                path=path,
            )


def _parts(version: TariffVersion) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of all that applies under a condition or from a border on."""
    for number, charge in enumerate(version.charges):
        path, label = f"/charges/{number}", charge.label
        if isinstance(charge, UnitCharge):
            for place, schedule in enumerate(charge.schedules):
                yield f"{path}/schedules/{place}", f"Schedule {place + 1} of {label}"
                for index, _ in enumerate(schedule.blocks):
                    name = f"Block {index + 1} in schedule {place + 1} of {label}"
                    yield f"{path}/schedules/{place}/blocks/{index}", name
            continue
        yield path, label
        if isinstance(charge, PurchaseCharge):
            for index, _ in enumerate(charge.bands):
                yield f"{path}/bands/{index}", f"Band {index + 1} of {label}"


def _reached(
    version: TariffVersion, context: TariffContext, *, amount: int, tables: Tables
) -> Iterator[str]:
    """Yield the paths of all that applies to one purchase."""
    trial, _ = tried(version, context, tendered_minor=amount, tables=tables)
    for number, charge in enumerate(version.charges):
        path = f"/charges/{number}"
        if isinstance(charge, UnitCharge):
            yield from (path + part for part in _blocks(charge, trial))
            continue
        if all(when.holds(context, tendered_minor=amount) for when in conditions_of(charge)):
            yield path
            if isinstance(charge, PurchaseCharge):
                yield f"{path}/bands/{charge.bands.index(band_of(charge, amount))}"


def _blocks(charge: UnitCharge, trial: Trial) -> Iterator[str]:
    """Yield the schedule that applies to a purchase, and the blocks that it takes units from."""
    bought, amount = trial.context.month_tenths, trial.tendered_minor
    for place, schedule in enumerate(charge.schedules):
        if schedule.when.holds(trial.context, tendered_minor=amount):
            yield f"/schedules/{place}"
            start = 0
            for index, block in enumerate(schedule.blocks):
                ends_above = block.up_to_tenths is None or block.up_to_tenths > bought
                if ends_above and start < bought + trial.paid:
                    yield f"/schedules/{place}/blocks/{index}"
                start = block.up_to_tenths or start
            return
