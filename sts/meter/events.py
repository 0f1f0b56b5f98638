"""What happens to a meter's supply, and what it writes down while time passes."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sts.meter.state import MeterState, SupplyCause, TamperKind


class EventKind(StrEnum):
    """What happened."""

    RELAY_OPENED = "RELAY_OPENED"
    RELAY_CLOSED = "RELAY_CLOSED"
    LIMIT_LOCKED = "LIMIT_LOCKED"
    LOW_CREDIT = "LOW_CREDIT"
    VERY_LOW_CREDIT = "VERY_LOW_CREDIT"
    CUT_AHEAD = "CUT_AHEAD"
    EMERGENCY_TAKEN = "EMERGENCY_TAKEN"
    EMERGENCY_REPAID = "EMERGENCY_REPAID"
    TAMPER_DETECTED = "TAMPER_DETECTED"
    TAMPER_CLEARED = "TAMPER_CLEARED"
    KEY_CHANGED = "KEY_CHANGED"
    LOCKED_OUT = "LOCKED_OUT"
    POWER_LOST = "POWER_LOST"
    POWER_RETURNED = "POWER_RETURNED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the event log.

    Attributes:
        at: When, UTC.
        kind: What.
        cause: Of the relay, why it opened; when it closes, why it had been open. None for events
            that are not the relay's.
        tamper: What kind of tampering was noticed.
        credit: Credit register then, whole units.
        consumed: Consumption register then, whole units.
    """

    at: datetime
    kind: EventKind
    cause: SupplyCause | None
    tamper: TamperKind | None = None
    credit: int
    consumed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRecord:
    """One line of the load profile: half an hour, or what the meter was there for of it.

    Energy is the difference of the registers in whole units, so that the lines add up to them.

    Attributes:
        starts_at: Its beginning, UTC.
        ends_at: Its end.
        imported: What was consumed, in the service's units.
        exported: What flowed back.
        credit: Credit register at the end, whole units.
    """

    starts_at: datetime
    ends_at: datetime
    imported: int
    exported: int
    credit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRecord:
    """The total of a local day.

    Attributes:
        day: Which.
        starts_at: Its beginning, or that of the meter, UTC.
        ends_at: Its end.
        imported: What was consumed, in the service's units.
        exported: What flowed back.
    """

    day: date
    starts_at: datetime
    ends_at: datetime
    imported: int
    exported: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a meter wrote down by the clock, oldest first.

    Attributes:
        intervals: The half hours that were completed.
        days: The local days that were completed.
    """

    intervals: tuple[IntervalRecord, ...] = ()
    days: tuple[DayRecord, ...] = ()


NOTHING_WRITTEN: Final = Written()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A later state, and what happened on the way.

    Attributes:
        state: The state.
        events: What happened, oldest first.
        written: Half hours and days that were completed.
    """

    state: MeterState
    events: tuple[Event, ...] = ()
    written: Written = NOTHING_WRITTEN


def event(state: MeterState, kind: EventKind, cause: SupplyCause | None = None) -> Event:
    """Return an event at the time and with the readings of ``state``."""
    return Event(
        at=state.advanced_to,
        kind=kind,
        cause=cause,
        credit=state.credit.whole,
        consumed=state.consumed.whole,
    )
