"""Local time: days from midnight to midnight, and the hours in which nobody is cut off.

Everything else in the meter is in UTC. A time of day that summer time skips counts with the offset
before the change. Of one that comes twice, friendly hours begin at the first and end at the last,
so a change of the clock never takes some of them away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from sts.meter.errors import MeterSpecError

UTC_NAME: Final = "UTC"
WEEKDAYS: Final = range(7)
"""Monday to Sunday, as ``date.weekday`` counts them."""
EVERY_DAY: Final = frozenset(WEEKDAYS)

_LONGEST_NAME: Final = 64
_DAY: Final = timedelta(days=1)
_MIDNIGHT: Final = time(0)
_LEAP_YEAR: Final = 2000
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC) - 12 * _DAY
"""Beyond it, looking ahead would leave the calendar."""
_DAYS_AHEAD: Final = 8
"""How far ``period_at`` looks: a week repeats, and a day more is enough to see the next turn."""


def time_zone(name: str) -> tzinfo:
    """Return the time zone of a name in the tz database; ``UTC`` needs no database.

    Raises:
        MeterSpecError: There is no such zone, or this system has no database.
    """
    if name == UTC_NAME:
        return UTC
    try:
        return ZoneInfo(name[:_LONGEST_NAME])
    except (KeyError, OSError, ValueError):
        message = "there is no such zone in the tz database of this system"
        raise MeterSpecError("time_zone", message) from None


def instant(zone: tzinfo, day: date, at: time, *, last: bool = False) -> datetime:
    """Return the moment, in UTC, at which local clocks show a time of a day.

    Args:
        zone: The local zone.
        day: The local day.
        at: The time of day, without a zone.
        last: Of a time that comes twice, take the later.

    Raises:
        OverflowError: At the ends of the calendar.
    """
    local = datetime.combine(day, at, zone)
    first = local.astimezone(UTC)
    return max(first, local.replace(fold=1).astimezone(UTC)) if last else first


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDay:
    """A day from midnight to midnight.

    Attributes:
        day: Its date.
        starts_at: Its beginning, UTC.
        ends_at: Its end, UTC; 23 or 25 hours later when clocks change.
    """

    day: date
    starts_at: datetime
    ends_at: datetime


def local_day(zone: tzinfo, when: datetime) -> LocalDay | None:
    """Return the local day that ``when`` lies in; None in the last days of the calendar."""
    if when > _LAST_MOMENT:
        return None
    day = when.astimezone(zone).date()
    starts_at = instant(zone, day, _MIDNIGHT)
    return LocalDay(day=day, starts_at=starts_at, ends_at=instant(zone, day + _DAY, _MIDNIGHT))


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendlyWindow:
    """Hours of some days of the week.

    Attributes:
        weekdays: On which days it begins; 0 is Monday.
        starts: When, local time.
        ends: When it is over; if not after ``starts``, on the next day.

    Raises:
        MeterSpecError: No such days, or a time with a zone.
    """

    weekdays: frozenset[int]
    starts: time
    ends: time

    def __post_init__(self) -> None:
        """Check the days and the times."""
        if not self.weekdays or not self.weekdays <= EVERY_DAY:
            raise MeterSpecError("friendly", "days of the week are numbers from 0 to 6")
        if self.starts.tzinfo is not None or self.ends.tzinfo is not None:
            raise MeterSpecError("friendly", "a window is in the meter's own local time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day that is friendly from midnight to midnight.

    Attributes:
        month: 1 to 12.
        day: Of the month.
        year: None for every year.

    Raises:
        MeterSpecError: There is no such day.
    """

    month: int
    day: int
    year: int | None = None

    def __post_init__(self) -> None:
        """Check that the calendar has such a day."""
        try:
            date(_LEAP_YEAR if self.year is None else self.year, self.month, self.day)
        except ValueError as error:
            raise MeterSpecError("friendly", f"no such holiday: {error}") from None

    def is_on(self, day: date) -> bool:
        """Tell whether a day is this holiday."""
        return (self.month, self.day) == (day.month, day.day) and self.year in {None, day.year}


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendlyPeriod:
    """What a moment lies in.

    Attributes:
        friendly: Whether nobody is cut off now.
        until: When that changes, UTC; None if not within a week.
    """

    friendly: bool
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendlyHours:
    """When a meter does not cut the supply because credit is exhausted.

    Attributes:
        windows: Hours of the week.
        holidays: Whole days.
    """

    windows: tuple[FriendlyWindow, ...] = ()
    holidays: tuple[Holiday, ...] = ()

    @property
    def exist(self) -> bool:
        """Whether there are any at all."""
        return bool(self.windows or self.holidays)

    def period_at(self, zone: tzinfo, when: datetime) -> FriendlyPeriod:
        """Return whether a moment is friendly and until when that stays so.

        In the last days of the calendar nothing is.
        """
        if when > _LAST_MOMENT:
            return FriendlyPeriod(friendly=False, until=None)
        today = when.astimezone(zone).date()
        horizon = instant(zone, today + _DAY * (_DAYS_AHEAD + 1), _MIDNIGHT)
        reach = when
        for begins, ends in sorted(self._spans(zone, today)):
            if begins > reach:
                if reach == when:
                    return FriendlyPeriod(friendly=False, until=begins)
                break
            reach = max(reach, ends)
        if reach == when:
            return FriendlyPeriod(friendly=False, until=None)
        return FriendlyPeriod(friendly=True, until=reach if reach < horizon else None)

    def _spans(self, zone: tzinfo, today: date) -> Iterator[tuple[datetime, datetime]]:
        """Give the friendly times around a day, beginning with those that last into it."""
        for ahead in range(-1, _DAYS_AHEAD + 1):
            day = today + _DAY * ahead
            for window in self.windows:
                if day.weekday() in window.weekdays:
                    last_day = day if window.starts < window.ends else day + _DAY
                    yield (
                        instant(zone, day, window.starts),
                        instant(zone, last_day, window.ends, last=True),
                    )
            if any(holiday.is_on(day) for holiday in self.holidays):
                yield instant(zone, day, _MIDNIGHT), instant(zone, day + _DAY, _MIDNIGHT)


NO_FRIENDLY_HOURS: Final = FriendlyHours()
