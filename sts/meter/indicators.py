"""Lamps, symbols and the buzzer: what one sees and hears of a meter without reading it.

supply lamp   dark             no power
              steady           power, and supply flows
              flashing         power, but the relay is open
rate lamp     1000 pulses a kWh (of other services: one a register unit)
buzzer        the gravest alarm that is not muted
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from sts.meter.errors import MeterStateError
from sts.meter.registers import FINE_PARTS, PER_THOUSAND, Register
from sts.meter.state import MeterState
from sts.token_identifier import require_utc

MUTE_TIME: Final = timedelta(hours=12)
"""For how long a short code silences an alarm."""

_MICROSECOND: Final = timedelta(microseconds=1)


# --- the supply lamp --------------------------------------------------------------------------


class SupplyLamp(StrEnum):
    """The lamp that tells whether there is supply."""

    DARK = "DARK"
    STEADY = "STEADY"
    FLASHING = "FLASHING"


def supply_lamp(*, powered: bool, relay_closed: bool) -> SupplyLamp:
    """Return how the supply lamp shines."""
    if not powered:
        return SupplyLamp.DARK
    return SupplyLamp.STEADY if relay_closed else SupplyLamp.FLASHING


# --- the rate lamp ----------------------------------------------------------------------------


def pulses_between(before: Register, after: Register) -> int:
    """Return how often the rate lamp flashes while a register counts from one reading to another.

    What is fed back counts down, and makes the lamp flash as well.
    """
    return abs(after.whole - before.whole)


def next_pulse_in(register: Register, rate_per_hour: int) -> timedelta | None:
    """Return the time to the next pulse at a constant rate; None if nothing flows in.

    Args:
        register: The consumption register now.
        rate_per_hour: Register units an hour; W for electricity.
    """
    if rate_per_hour <= 0:
        return None
    microseconds = -(-(FINE_PARTS - register.carry) // (rate_per_hour * PER_THOUSAND))
    return microseconds * _MICROSECOND


# --- symbols ----------------------------------------------------------------------------------


class Symbol(StrEnum):
    """A fixed picture on the display, shown or not, whatever the lines say."""

    TAMPER = "TAMPER"
    LOW_CREDIT = "LOW_CREDIT"
    NO_CREDIT = "NO_CREDIT"
    EMERGENCY_CREDIT = "EMERGENCY_CREDIT"
    OVERLOAD = "OVERLOAD"
    RELAY_OPEN = "RELAY_OPEN"
    WAIT = "WAIT"
    MUTED = "MUTED"


# --- the buzzer -------------------------------------------------------------------------------


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

_OF_CREDIT: Final = frozenset({Alarm.LOW_CREDIT, Alarm.VERY_LOW_CREDIT, Alarm.CUT_AHEAD})


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


def buzzer(alarm: Alarm, mute: Mute | None, *, now: datetime) -> Buzzer:
    """Return what one hears while ``alarm`` is the gravest."""
    if mute is not None and mute.silences(alarm, now):
        return Buzzer.SILENT
    return SOUNDS[alarm]


# --- all of them ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """All lamps, symbols and the buzzer at one moment.

    Attributes:
        supply: How the supply lamp shines.
        symbols: The pictures that are shown.
        alarm: The gravest alarm, heard or not.
        buzzer: What one hears.
    """

    supply: SupplyLamp
    symbols: frozenset[Symbol]
    alarm: Alarm
    buzzer: Buzzer


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What lamps, symbols and the buzzer depend on, apart from the state.

    Attributes:
        powered: Whether the meter itself has power.
        alarm: The gravest alarm.
        mute: What somebody has silenced.
        locked_out: Whether tokens for one meter are turned away.
        emergency_taken: Whether emergency credit is taken and not yet repaid.
    """

    powered: bool = True
    alarm: Alarm = Alarm.NONE
    mute: Mute | None = None
    locked_out: bool = False
    emergency_taken: bool = False


WITHOUT_POWER: Final = Indicators(
    supply=SupplyLamp.DARK, symbols=frozenset(), alarm=Alarm.NONE, buzzer=Buzzer.SILENT
)


def indicators_of(state: MeterState, condition: Condition, *, now: datetime) -> Indicators:
    """Return all that is to be seen and heard of a meter now."""
    if not condition.powered:
        return WITHOUT_POWER
    heard = buzzer(condition.alarm, condition.mute, now=now)
    shown = {
        Symbol.TAMPER: state.tampered,
        Symbol.LOW_CREDIT: condition.alarm in _OF_CREDIT,
        Symbol.NO_CREDIT: state.credit.whole <= 0,
        Symbol.EMERGENCY_CREDIT: condition.emergency_taken,
        Symbol.OVERLOAD: condition.alarm is Alarm.OVERLOAD,
        Symbol.RELAY_OPEN: not state.relay_closed,
        Symbol.WAIT: condition.locked_out,
        Symbol.MUTED: heard is not SOUNDS[condition.alarm],
    }
    return Indicators(
        supply=supply_lamp(powered=True, relay_closed=state.relay_closed),
        symbols=frozenset(symbol for symbol, is_shown in shown.items() if is_shown),
        alarm=condition.alarm,
        buzzer=heard,
    )
