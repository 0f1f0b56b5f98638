"""Lamps, symbols and the buzzer: what one sees and hears of a meter without reading it.

supply lamp   dark             no power
              steady           power, and supply flows
              flashing         power, but the relay is open
rate lamp     1000 pulses a kWh (of other services: one a register unit)
buzzer        the gravest alarm that is not muted
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sts.meter.buzzer import SOUNDS, Alarm, Buzzer, Mute, sound_of
from sts.meter.registers import FINE_PARTS, PER_THOUSAND, Register
from sts.meter.state import MeterState

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


# --- all of them ------------------------------------------------------------------------------

_OF_CREDIT: Final = frozenset({Alarm.LOW_CREDIT, Alarm.VERY_LOW_CREDIT, Alarm.CUT_AHEAD})


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
    heard = sound_of(condition.alarm, condition.mute, now=now)
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
