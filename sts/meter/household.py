"""A household made up from a number: the same number is the same household, always.

What is drawn in a step of time depends on nothing but the household and that step: its dice are
bytes of a SHA-256, so one can look at any day without the days before it. The day has the shape of
a home where people cook in the morning and in the evening; the numbers are made up, not measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from sts.meter.calendars import UTC_NAME, time_zone
from sts.meter.errors import LoadError
from sts.meter.loads import Segment

LARGEST_PANELS: Final = 100_000
"""Of the peak power on a roof, in watts."""


def _hours(numbers: str) -> tuple[int, ...]:
    """Read one number for each hour of the day."""
    return tuple(map(int, numbers.split()))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_MINUTES_PER_HOUR: Final = 60
_STEPS: Final = frozenset(
    minutes for minutes in range(1, _MINUTES_PER_HOUR + 1) if not _MINUTES_PER_HOUR % minutes
)
_DICE: Final = 4
"""Bytes that decide on one step."""
_ACTIVITY: Final = _hours(
    "12 8 8 8 12 60 130 120 70 50 50 60 90 70 50 50 70 140 180 170 130 90 50 25"
)
"""Of 256 steps so many have an appliance running."""
_SUN: Final = _hours("0 0 0 0 0 0 10 60 115 165 205 230 240 230 205 165 115 60 10 0 0 0 0 0")
"""Of 256 parts of the panels' peak so many come under a clear sky."""
_APPLIANCES: Final = (60, 80, 100, 120, 180, 250, 350, 500, 700, 900, 1100, 1400, 1800, 2000, 2400)
_IDLE_W: Final = 60
_FRIDGE_W: Final = 128
_LIGHTS_W: Final = 180
_LIT: Final = frozenset({5, 6, 18, 19, 20, 21, 22})
_CLOUDS: Final = 192
_LEAST_SUN: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdLoad:
    """A home, with panels on its roof or without.

    Attributes:
        seed: Which household.
        phases: 1 or 3; on three, appliances are spread unevenly, the sun evenly.
        zone: Where its day begins, a name of the tz database. An hour of the day is the one that
            local clocks show at the beginning of an hour in UTC.
        step_minutes: How long a power holds; a divisor of an hour.
        panels_w: Peak power of the panels; what the home does not draw flows back.

    Raises:
        LoadError: No such household.
        MeterSpecError: There is no such zone.
    """

    seed: int
    phases: Literal[1, 3] = 1
    zone: str = UTC_NAME
    step_minutes: int = 30
    panels_w: int = 0

    def __post_init__(self) -> None:
        """Check each of them."""
        time_zone(self.zone)
        if self.phases not in {1, 3}:
            raise LoadError("a household has 1 phase or 3")
        if self.step_minutes not in _STEPS:
            raise LoadError("a step is a number of minutes that divides an hour")
        if not 0 <= self.panels_w <= LARGEST_PANELS:
            raise LoadError(f"panels have from 0 to {LARGEST_PANELS} W")

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        """Give the segments from ``start`` to ``end``."""
        if start >= end:
            return
        zone, step = time_zone(self.zone), timedelta(minutes=self.step_minutes)
        hour_number = (start - _EPOCH) // _HOUR
        ends_at = _EPOCH + hour_number * _HOUR
        while True:
            local_hour = ends_at.astimezone(zone).hour
            for dice in self._dice(hour_number):
                ends_at += step
                if ends_at > start:
                    yield Segment(min(ends_at, end), self._watts(dice, local_hour))
                if ends_at >= end:
                    return
            hour_number += 1

    def _dice(self, hour_number: int) -> Iterator[bytes]:
        """Give the bytes that decide on each step of an hour."""
        digest = b""
        for number in range(_MINUTES_PER_HOUR // self.step_minutes):
            if len(digest) < _DICE:
                text = f"sts household {self.seed} {hour_number} {number}"
                digest = sha256(text.encode()).digest()
            yield digest[:_DICE]
            digest = digest[_DICE:]

    def _watts(self, dice: bytes, hour: int) -> tuple[int, ...]:
        fridge, activity, appliance, sky = dice
        idle = _IDLE_W + fridge % _FRIDGE_W
        lights = _LIGHTS_W if hour in _LIT else 0
        used = _APPLIANCES[appliance % len(_APPLIANCES)] if activity < _ACTIVITY[hour] else 0
        clear = _LEAST_SUN + sky % _CLOUDS
        sun = self.panels_w * _SUN[hour] * clear >> 16
        if self.phases == 1:
            return (idle + lights + used - sun,)
        watts = [idle - sun // 3, lights - sun // 3, -(sun // 3)]
        watts[appliance % 3] += used
        return tuple(watts)
