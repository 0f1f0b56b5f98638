"""Emergency credit: taken on purpose, repaid before anything else, and then to be had again.

Nothing is added to the credit register. Taking emergency credit only lets it fall further below
zero, so what was bought is always what was consumed, is left, or was cleared. A token pays off what
is owed first: as long as credit stays below zero, the room that is left grows by nothing.
"""

from dataclasses import replace

from sts.meter.errors import EmergencyRefusedError
from sts.meter.events import Advance, EventKind, event
from sts.meter.registers import FINE_PARTS
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState
from sts.meter.walk import Walk


def take_emergency(spec: MeterSpec, state: MeterState) -> Advance:
    """Take emergency credit.

    Raises:
        EmergencyRefusedError: The meter gives none, it is taken already and not repaid, or there
            is too much credit left.
    """
    levels = spec.levels
    if not levels.emergency:
        raise EmergencyRefusedError("This meter gives no emergency credit.")
    if state.emergency_floor is not None:
        raise EmergencyRefusedError("Emergency credit is taken already. Buy a token to repay it.")
    if state.credit.fine > levels.emergency_from * FINE_PARTS:
        raise EmergencyRefusedError("There is too much credit for emergency credit.")
    walk = Walk(spec, state)
    walk.take_emergency()
    walk.settle()
    return walk.done()


def repaid(state: MeterState, units: int) -> Advance:
    """Return a state whose credit has just been changed by ``units``, its loan settled.

    Below zero, the loan follows the credit, so that what was paid is not lent out again.
    """
    floor = state.emergency_floor
    if floor is None or units < 0:
        return Advance(state=state)
    if state.credit.fine >= 0:
        free = replace(state, emergency_floor=None)
        return Advance(state=free, events=(event(free, EventKind.EMERGENCY_REPAID),))
    return Advance(state=replace(state, emergency_floor=floor.plus(units)))


def emergency_left(spec: MeterSpec, state: MeterState) -> int:
    """Return how much may still be borrowed, in whole units; all of it if none was taken."""
    if state.emergency_floor is None:
        return spec.levels.emergency
    left = min(state.credit.fine, spec.min_credit * FINE_PARTS) - state.emergency_floor.fine
    return max(left, 0) // FINE_PARTS


def owed(state: MeterState) -> int:
    """Return what a token will pay off first, in whole units, rounded up."""
    return max(-state.credit.whole, 0)
