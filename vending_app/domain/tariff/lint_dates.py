"""Lint of dates: days on which no version applies or a table has no rate."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from vending_app.domain.tariff.findings import Finding, Level
from vending_app.domain.tariff.rates import Tables
from vending_app.domain.tariff.references import table_references
from vending_app.domain.tariff.version import TariffVersion

_DAY: Final = timedelta(days=1)


def lint_versions(version: TariffVersion, others: Sequence[TariffVersion]) -> Iterator[Finding]:
    """Yield the gaps between the versions of a tariff, and versions that never apply."""
    same = sorted(
        [version, *(each for each in others if each.code == version.code)],
        key=lambda each: each.first_day,
    )
    covered_to = same[0].last_day
    for each in same[1:]:
        if covered_to is not None and each.first_day > covered_to + _DAY:
            yield Finding(
                code="VERSION_GAP",
                level=Level.ERROR,
                message=(
                    f"No version of {version.code} applies from {covered_to + _DAY}"
                    f" to {each.first_day - _DAY}."
                ),
                path="/first_day",
            )
        if covered_to is not None:
            covered_to = None if each.last_day is None else max(covered_to, each.last_day)
    yield from (_hidden(each) for each in same if not _ever_serves(each, same))


def lint_tables(version: TariffVersion, *, tables: Tables) -> Iterator[Finding]:
    """Yield the tables that do not exist, and the days of the tariff that a table leaves out."""
    for code, path in table_references(version).items():
        table = tables.get(code)
        if table is None:
            yield Finding(
                code="TABLE_MISSING",
                level=Level.ERROR,
                message=f"There is no table {code}.",
                path=path,
            )
            continue
        if table.first_day > version.first_day:
            yield _table_gap(f"Table {code} has no rate before {table.first_day}.", path)
        if table.last_day is not None and (
            version.last_day is None or version.last_day > table.last_day
        ):
            yield _table_gap(f"Table {code} has no rate after {table.last_day}.", path)


def _ever_serves(version: TariffVersion, versions: Sequence[TariffVersion]) -> bool:
    """Tell whether there is a day on which this version is the one with the highest number."""
    later = [each for each in versions if each.number > version.number]
    # If there is such a day, one of them is the first day or the day after a later version's last.
    candidates = [version.first_day, *(each.last_day + _DAY for each in later if each.last_day)]
    return any(
        version.applies_on(day) and not any(each.applies_on(day) for each in later)
        for day in candidates
    )


def _hidden(version: TariffVersion) -> Finding:
    return Finding(
        code="VERSION_HIDDEN",
        level=Level.WARNING,
        message=f"Version {version.number} never serves: a later version always applies.",
        path="/first_day",
    )


def _table_gap(message: str, path: str) -> Finding:
    return Finding(code="TABLE_GAP", level=Level.ERROR, message=message, path=path)
