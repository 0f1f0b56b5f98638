"""A load that follows the clock: from this time of day on, on these days of the week, that power.

As a file it is a table in CSV, one row for each change::

    days,from,watts
    mon-fri,06:00,1800
    mon-fri,22:30,150
    sat sun,08:00,1200
    sat sun,23:00,150

The columns of three phases are ``l1_w``, ``l2_w`` and ``l3_w`` instead of ``watts``. A power holds
until the next row takes over, past midnight and past days without a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Final

from sts.meter.calendars import EVERY_DAY, UTC_NAME, instant, time_zone
from sts.meter.csv_rows import parse_whole, read_rows
from sts.meter.errors import LoadError
from sts.meter.loads import Segment, require_power

LARGEST_SCHEDULE: Final = 10_000
"""Rows: more than one for each minute of a week."""

_DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HEADERS: Final = (("days", "from", "watts"), ("days", "from", "l1_w", "l2_w", "l3_w"))
_FIRST_DAY: Final = 2
_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """From when on a power holds.

    Attributes:
        weekdays: On which days; 0 is Monday.
        starts: From which local time on.
        watts: Power for each phase.

    Raises:
        LoadError: No such days, a time with a zone, or not a power.
    """

    weekdays: frozenset[int]
    starts: time
    watts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check each of them."""
        if not self.weekdays or not self.weekdays <= EVERY_DAY:
            raise LoadError("days of the week are numbers from 0 to 6")
        if self.starts.tzinfo is not None:
            raise LoadError("a schedule is in local time, without a zone")
        require_power(self.watts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledLoad:
    """The same week again and again.

    Attributes:
        rows: When the power changes, in any order. Of two at the same time the later one counts.
        zone: The local zone, a name of the tz database.

    Raises:
        LoadError: No rows, too many, or with different numbers of phases.
        MeterSpecError: There is no such zone.
    """

    rows: tuple[ScheduleRow, ...]
    zone: str = UTC_NAME

    def __post_init__(self) -> None:
        """Check that the rows belong together."""
        time_zone(self.zone)
        if not 0 < len(self.rows) <= LARGEST_SCHEDULE:
            raise LoadError(f"a schedule has from 1 to {LARGEST_SCHEDULE} rows")
        if len({len(row.watts) for row in self.rows}) > 1:
            raise LoadError("the rows of a schedule have different numbers of phases")

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        """Give the segments from ``start`` to ``end``."""
        if start >= end:
            return
        begins, watts = start, self.rows[-1].watts
        for at, then in self._changes(start, end):
            if at > begins:
                yield Segment(at, watts)
                begins = at
            watts = then
        yield Segment(end, watts)

    def _changes(
        self, start: datetime, end: datetime
    ) -> Iterator[tuple[datetime, tuple[int, ...]]]:
        """Give all changes before ``end``, from the last one before ``start`` or earlier on."""
        zone = time_zone(self.zone)
        # In eight days every day of the week comes, so the power at the start is known.
        first = max(start.date().toordinal() - _WEEK - 1, _FIRST_DAY)
        last = min(end.date().toordinal() + 1, date.max.toordinal() - 1)
        for number in range(first, last + 1):
            for at, watts in self._changes_of(date.fromordinal(number), zone):
                if at < end:
                    yield at, watts

    def _changes_of(self, day: date, zone: tzinfo) -> list[tuple[datetime, tuple[int, ...]]]:
        """Return the changes of one day in the order in which they happen."""
        rows = (row for row in self.rows if day.weekday() in row.weekdays)
        changes = [(instant(zone, day, row.starts), row.watts) for row in rows]
        return sorted(changes, key=lambda change: change[0])


def parse_schedule(text: str, zone: str = UTC_NAME) -> ScheduledLoad:
    """Read a schedule in CSV.

    Raises:
        LoadError: Not a schedule; the error names the line.
        MeterSpecError: There is no such zone.
    """
    rows = read_rows(text, _HEADERS)
    next(rows)
    return ScheduledLoad(rows=tuple(_parse_row(row, line=line) for line, row in rows), zone=zone)


def _parse_row(row: tuple[str, ...], *, line: int) -> ScheduleRow:
    days, starts, *powers = row
    try:
        return ScheduleRow(
            weekdays=_parse_days(days),
            starts=time.fromisoformat(starts),
            watts=tuple(map(parse_whole, powers)),
        )
    except LoadError as error:
        raise LoadError(str(error), line=line) from None
    except ValueError:
        message = "a row is written mon-fri,06:30,2300 with whole watts"
        raise LoadError(message, line=line) from None


def _parse_days(text: str) -> frozenset[int]:
    """Read ``daily``, ``mon``, ``mon-fri``, ``sat sun``; a range may run past Sunday."""
    days: set[int] = set()
    for part in text.lower().split():
        if part == "daily":
            days |= EVERY_DAY
            continue
        first, _, last = part.partition("-")
        begins = _DAY_NAMES.index(first)
        length = (_DAY_NAMES.index(last or first) - begins) % _WEEK
        days |= {(begins + ahead) % _WEEK for ahead in range(length + 1)}
    return frozenset(days)
