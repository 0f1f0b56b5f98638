"""The buzzer: what the meter warns of, what one hears, and for how long it can be silenced."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from sts.meter.errors import MeterStateError
from sts.token_identifier import require_utc

MUTE_TIME: Final = timedelta(hours=12)
"""For how long a short code silences an alarm."""


class Alarm(IntEnum):
    """What the meter warns of, the gravest last."""

    NONE = 0
    LOW_CREDIT = 1
    VERY_LOW_CREDIT = 2
    OVERLOAD = 3
    CUT_AHEAD = 4


class Buzzer(StrEnum):
    """What one hears."""

    SILENT = "SILENT"
    ONE_BEEP_A_MINUTE = "ONE_BEEP_A_MINUTE"
    TWO_BEEPS_A_MINUTE = "TWO_BEEPS_A_MINUTE"
    FAST_BEEPS = "FAST_BEEPS"


SOUNDS: Final[Mapping[Alarm, Buzzer]] = {
    Alarm.NONE: Buzzer.SILENT,
    Alarm.LOW_CREDIT: Buzzer.ONE_BEEP_A_MINUTE,
    Alarm.VERY_LOW_CREDIT: Buzzer.TWO_BEEPS_A_MINUTE,
    Alarm.OVERLOAD: Buzzer.FAST_BEEPS,
    Alarm.CUT_AHEAD: Buzzer.FAST_BEEPS,
}
"""Alarm to sound."""


@dataclass(frozen=True, slots=True)
class Mute:
    """An alarm that somebody has silenced.

    Attributes:
        alarm: The gravest alarm that is silent; a graver one sounds.
        until: Until when, aware.

    Raises:
        NaiveDatetimeError: The time has no zone.
    """

    alarm: Alarm
    until: datetime

    def __post_init__(self) -> None:
        """Check that there is something to silence, and the zone."""
        if self.alarm is Alarm.NONE:
            raise MeterStateError("mute", "there is no alarm to silence")
        require_utc(self.until)

    def silences(self, alarm: Alarm, now: datetime) -> bool:
        """Tell whether ``alarm`` is not to be heard now."""
        return alarm <= self.alarm and now < self.until


def sound_of(alarm: Alarm, mute: Mute | None, *, now: datetime) -> Buzzer:
    """Return what one hears while ``alarm`` is the gravest."""
    if mute is not None and mute.silences(alarm, now):
        return Buzzer.SILENT
    return SOUNDS[alarm]


def muted(alarm: Alarm, now: datetime) -> Mute:
    """Return what silences an alarm, and the less grave ones, from now on for its time."""
    latest = datetime.max.replace(tzinfo=UTC)
    return Mute(alarm, now + min(MUTE_TIME, latest - now))
