"""The relay: why it is open, when it opens, when it closes again (IEC 62055-41, 8; 62055-31).

``advance`` lets time pass. It does not poll: it computes the instant at which credit reaches its
end, stops there, opens the relay and goes on, so nothing flows after the cut and the registers at
the cut are exact. The instant is rounded up to the microsecond; the quantity is not rounded.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sts.meter.energy import (
    Stretch,
    after_flow,
    microseconds_between,
    microseconds_until,
    moment_after,
    payable,
    price_at,
    rate_per_hour,
    stretches,
)
from sts.meter.errors import MeterLoadError
from sts.meter.spec import MeterSpec, ReconnectPolicy
from sts.meter.state import (
    DETECT_TAMPER_FLAG,
    DISCONNECT_ON_TAMPER_FLAG,
    MeterState,
    SupplyCause,
)
from sts.token_identifier import require_utc

CAUSES: Final[Mapping[SupplyCause, str]] = {
    SupplyCause.CREDIT_EXHAUSTED: "The credit is used up. Buy a token.",
    SupplyCause.TAMPER: "The meter has been opened. Ask your supplier.",
    SupplyCause.REMOTE: "Your supplier has switched off the supply.",
}
"""Every cause that keeps the relay open, in words for the household."""

HORIZON: Final = timedelta(days=3652)
"""How far ``cut_at`` looks ahead: ten years."""


class EventKind(StrEnum):
    """What happened."""

    RELAY_OPENED = "RELAY_OPENED"
    RELAY_CLOSED = "RELAY_CLOSED"
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
        cause: Why the relay opened; None for other events.
        credit: Credit register then, whole units.
        consumed: Consumption register then, whole units.
    """

    at: datetime
    kind: EventKind
    cause: SupplyCause | None
    credit: int
    consumed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A later state and what happened on the way, oldest first."""

    state: MeterState
    events: tuple[Event, ...] = ()


def event(state: MeterState, kind: EventKind, cause: SupplyCause | None = None) -> Event:
    """Return an event at the time and with the readings of ``state``."""
    return Event(
        at=state.advanced_to,
        kind=kind,
        cause=cause,
        credit=state.credit.whole,
        consumed=state.consumed.whole,
    )


def advance(spec: MeterSpec, state: MeterState, until: datetime) -> Advance:
    """Let time pass until ``until`` with the present load.

    A time before that of the state leaves it as it is: a meter's time never runs backward.

    Raises:
        NaiveDatetimeError: ``until`` has no zone.
    """
    end = require_utc(until)
    events: tuple[Event, ...] = ()
    if end > state.advanced_to:
        for stretch in stretches(spec, state.advanced_to, end):
            passed = _pass_stretch(spec, state, stretch)
            state = passed.state
            events += passed.events
    return Advance(state=state, events=events)


def settle(spec: MeterSpec, state: MeterState) -> Advance:
    """Open or close the relay as credit and causes now ask for."""
    causes = set(state.causes)
    if SupplyCause.CREDIT_EXHAUSTED in causes:
        # A customer who owes pays the debt off first: supply returns with credit above zero.
        if state.credit.whole > 0:
            causes.discard(SupplyCause.CREDIT_EXHAUSTED)
    elif not payable(spec, state, price_at(spec, state.advanced_to)):
        causes.add(SupplyCause.CREDIT_EXHAUSTED)
    return with_causes(spec, state, causes)


def with_causes(spec: MeterSpec, state: MeterState, causes: AbstractSet[SupplyCause]) -> Advance:
    """Return the state with these causes and no others, and the relay where they put it."""
    closed = not causes and (state.relay_closed or spec.reconnect is ReconnectPolicy.AUTOMATIC)
    changed = replace(state, causes=frozenset(causes), relay_closed=closed)
    if closed == state.relay_closed:
        return Advance(state=changed)
    if closed:
        return Advance(state=changed, events=(event(changed, EventKind.RELAY_CLOSED),))
    cause = min(causes - state.causes)
    return Advance(state=changed, events=(event(changed, EventKind.RELAY_OPENED, cause),))


def set_load(spec: MeterSpec, state: MeterState, load_w: int) -> MeterState:
    """Return the state with another load, in register units an hour (W for electricity).

    Raises:
        MeterLoadError: Not a whole number within the meter's rating.
    """
    if isinstance(load_w, bool) or not isinstance(load_w, int):
        raise MeterLoadError(found=load_w, largest=spec.largest_load)
    if not 0 <= load_w <= spec.largest_load:
        raise MeterLoadError(found=load_w, largest=spec.largest_load)
    return replace(state, load_w=load_w)


def tamper(spec: MeterSpec, state: MeterState) -> Advance:
    """Let somebody open the cover; the flags of the extended set say what the meter makes of it."""
    if DETECT_TAMPER_FLAG not in state.flags or state.tampered:
        return Advance(state=state)
    noticed = replace(state, tampered=True)
    if DISCONNECT_ON_TAMPER_FLAG not in state.flags:
        return Advance(state=noticed, events=(event(noticed, EventKind.TAMPER_DETECTED),))
    opened = with_causes(spec, noticed, noticed.causes | {SupplyCause.TAMPER})
    return Advance(
        state=opened.state,
        events=(event(noticed, EventKind.TAMPER_DETECTED), *opened.events),
    )


def press(spec: MeterSpec, state: MeterState) -> Advance:
    """Press the button: it closes the relay if nothing keeps it open."""
    if not state.powered:
        return Advance(state=state)
    settled = settle(spec, state)
    if settled.state.relay_closed or settled.state.causes:
        return settled
    closed = replace(settled.state, relay_closed=True)
    return Advance(state=closed, events=(*settled.events, event(closed, EventKind.RELAY_CLOSED)))


def cut_at(spec: MeterSpec, state: MeterState) -> datetime | None:
    """Return when the credit will be exhausted at the present load; None if not in ten years."""
    if not state.relay_closed or not state.powered:
        return None
    latest = datetime.max.replace(tzinfo=UTC)
    horizon = state.advanced_to + min(HORIZON, latest - state.advanced_to)
    events = advance(spec, state, horizon).events
    return events[0].at if events else None


def _pass_stretch(spec: MeterSpec, state: MeterState, stretch: Stretch) -> Advance:
    """Let a stretch of one price pass; credit can end in it at most once."""
    if not state.powered:
        return Advance(state=replace(state, advanced_to=stretch.ends_at))
    # A new price may be more than a last remainder of credit pays for.
    settled = settle(spec, state)
    state, rate = settled.state, rate_per_hour(spec, settled.state)
    if not state.relay_closed:
        return replace(settled, state=replace(state, advanced_to=stretch.ends_at))
    flowing = rate * microseconds_between(state.advanced_to, stretch.ends_at)
    most = payable(spec, state, stretch.price)
    if flowing < most:
        flowed = after_flow(state, flowing, stretch.price)
        return replace(settled, state=replace(flowed, advanced_to=stretch.ends_at))
    moment = moment_after(state.advanced_to, microseconds_until(most, rate))
    exhausted = replace(after_flow(state, most, stretch.price), advanced_to=moment)
    cut = settle(spec, exhausted)
    return Advance(
        state=replace(cut.state, advanced_to=stretch.ends_at),
        events=(*settled.events, *cut.events),
    )
