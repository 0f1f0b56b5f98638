"""The network's power: what a meter keeps and what it forgets when it fails.

Without power nothing flows and nothing can be keyed; what survives is ``MeterState``. The relay is
latched and stays as it was; only what a battery notices, such as an open cover, opens it. Volatile
memory is lost: waiting parts of a key change set, what was keyed, what the display showed. So is
the lock-out, unless the meter was built to keep it.
"""

from dataclasses import dataclass, replace

from sts.meter.events import Event, EventKind, event
from sts.meter.lockout import NO_LOCKOUT
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, Volatile
from sts.meter.supply import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerChange:
    """The meter after its power went or came.

    Attributes:
        state: What it remembers.
        volatile: What it would forget.
        events: What happened, oldest first; nothing if the power was like that already.
    """

    state: MeterState
    volatile: Volatile
    events: tuple[Event, ...] = ()


def lose_power(spec: MeterSpec, state: MeterState) -> PowerChange:
    """Switch the power off."""
    if not state.powered:
        return PowerChange(state=state, volatile=Volatile())
    lockout = state.lockout if spec.lockout_survives_power_cycle else NO_LOCKOUT
    off = replace(state, powered=False, lockout=lockout)
    return PowerChange(state=off, volatile=Volatile(), events=(event(off, EventKind.POWER_LOST),))


def return_power(spec: MeterSpec, state: MeterState, volatile: Volatile) -> PowerChange:
    """Switch the power on; only then can the relay move again."""
    if state.powered:
        return PowerChange(state=state, volatile=volatile)
    powered = replace(state, powered=True)
    settled = settle(spec, powered)
    events = (event(powered, EventKind.POWER_RETURNED), *settled.events)
    return PowerChange(state=settled.state, volatile=volatile, events=events)
