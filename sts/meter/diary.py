"""What a meter writes down by the clock: half hours and local days, as differences of registers.

Half hours are counted from local midnight, so that each lies in one day; a day has 46, 48 or 50 of
them. A meter that begins within one has a shorter first one.
"""

from dataclasses import replace
from datetime import timedelta, tzinfo
from typing import Final

from sts.meter.accounts import Accounts
from sts.meter.calendars import local_day
from sts.meter.events import DayRecord, IntervalRecord
from sts.meter.moments import NEVER, microseconds_of, moment_of
from sts.meter.state import MeterState, Reading

INTERVAL: Final = timedelta(minutes=30)
"""How long a line of the load profile is."""

_INTERVAL_US: Final = INTERVAL // timedelta(microseconds=1)


class Diary:
    """The page of the present day.

    Attributes:
        intervals: Half hours that were completed.
        days: Days that were completed.
        closes_at: When the present half hour ends, in microseconds.
        day_ends: When the present day ends, in microseconds.
    """

    __slots__ = (
        "_date",
        "_day",
        "_interval",
        "_zone",
        "closes_at",
        "day_ends",
        "days",
        "intervals",
    )

    def __init__(self, state: MeterState, zone: tzinfo) -> None:
        """Open the diary where a state left it."""
        fresh = Reading(
            at=state.advanced_to, imported=state.consumed.whole, exported=state.exported.whole
        )
        self.intervals: list[IntervalRecord] = []
        self.days: list[DayRecord] = []
        self._interval = state.interval_start or fresh
        self._day = state.day_start or fresh
        self._zone = zone
        self._turn(microseconds_of(state.advanced_to))

    def close(self, now: int, accounts: Accounts) -> None:
        """Complete the half hour that ends now and, at midnight, the day."""
        moment = moment_of(now)
        reading = Reading(
            at=moment, imported=accounts.imported_units, exported=accounts.exported_units
        )
        before = self._interval
        self.intervals.append(
            IntervalRecord(
                starts_at=before.at,
                ends_at=moment,
                imported=reading.imported - before.imported,
                exported=reading.exported - before.exported,
                credit=accounts.credit_units,
            )
        )
        self._interval = reading
        if now < self.day_ends:
            self.closes_at = min(now + _INTERVAL_US, self.day_ends)
            return
        self.days.append(
            DayRecord(
                day=self._date,
                starts_at=self._day.at,
                ends_at=moment,
                imported=reading.imported - self._day.imported,
                exported=reading.exported - self._day.exported,
            )
        )
        self._day = reading
        self._turn(now)

    def into(self, state: MeterState) -> MeterState:
        """Return the state with this page open."""
        return replace(state, interval_start=self._interval, day_start=self._day)

    def _turn(self, now: int) -> None:
        """Open the page of the day that ``now`` lies in."""
        moment = moment_of(now)
        today = local_day(self._zone, moment)
        if today is None:
            self._date = moment.date()
            self.closes_at = self.day_ends = NEVER
            return
        self._date = today.day
        self.day_ends = microseconds_of(today.ends_at)
        left = _INTERVAL_US - (now - microseconds_of(today.starts_at)) % _INTERVAL_US
        self.closes_at = min(now + left, self.day_ends)
