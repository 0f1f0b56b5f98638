"""The relay: why it is open, when it opens, when it closes again (IEC 62055-41, 8; 62055-31).

Every function takes a state and returns a later one with what happened. ``advance`` lets time pass;
the others do something at the moment at which the state is.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from sts.meter.events import Advance
from sts.meter.load_watch import LoadWatch
from sts.meter.loads import ConstantLoad, Load, require_power
from sts.meter.spec import MeterSpec, require_bearable
from sts.meter.state import MeterState, SupplyCause, TamperKind
from sts.meter.walk import Walk
from sts.token_identifier import require_utc

CAUSES: Final[Mapping[SupplyCause, str]] = {
    SupplyCause.CREDIT_EXHAUSTED: "The credit is used up. Buy a token.",
    SupplyCause.POWER_LIMIT: "Too much is switched on. Switch something off and wait.",
    SupplyCause.PHASE_UNBALANCE: "The phases are loaded too unevenly. Wait.",
    SupplyCause.OVER_CURRENT: "The current is too high. Switch something off.",
    SupplyCause.TAMPER: "The meter has been tampered with. Ask your supplier.",
    SupplyCause.LOAD_SWITCH_TEST: "The meter is testing its switch.",
    SupplyCause.REMOTE: "Your supplier has switched off the supply.",
    SupplyCause.SUPERVISOR: "A technician has switched off the supply.",
}
"""Every cause that keeps the relay open, in words for the household."""


def advance(
    spec: MeterSpec, state: MeterState, until: datetime, *, load: Load | None = None
) -> Advance:
    """Let time pass until ``until``.

    It does not poll: it computes the instant at which something happens, stops there, does it and
    goes on. Nothing flows after the cut, and the registers at the cut are exact. An instant is
    rounded up to the microsecond, a quantity is not rounded. It makes no difference whether time
    passes at once or in parts. What is due at ``until`` itself is done.

    A time before that of the state leaves it as it is: a meter's time never runs backward.

    Args:
        spec: What the meter was built as.
        state: Its state.
        until: The later moment, aware.
        load: What is drawn meanwhile; the load of the state, if it is not given.

    Raises:
        MeterLoadError: The meter cannot have such a load.
        MeterStateError: A register would have more than 63 bits.
        NaiveDatetimeError: ``until`` has no zone.
    """
    end = require_utc(until)
    if end <= state.advanced_to:
        return Advance(state=state)
    walk = Walk(spec, state)
    walk.settle()
    walk.follow(load or ConstantLoad(state.watts or (0,) * spec.phases, state.volts), end)
    return walk.done()


def settle(spec: MeterSpec, state: MeterState) -> Advance:
    """Open or close the relay as credit and causes now ask for."""
    walk = Walk(spec, state)
    walk.settle()
    return walk.done()


def switch_off(spec: MeterSpec, state: MeterState, cause: SupplyCause) -> Advance:
    """Keep the relay open for a cause."""
    walk = Walk(spec, state)
    walk.add_cause(cause)
    walk.settle()
    return walk.done()


def switch_on(spec: MeterSpec, state: MeterState, cause: SupplyCause) -> Advance:
    """Take a cause away; the relay closes if it was the last and the meter closes by itself."""
    walk = Walk(spec, state)
    walk.causes.discard(cause)
    walk.settle()
    return walk.done()


def set_load(
    spec: MeterSpec,
    state: MeterState,
    load: int | tuple[int, ...],
    *,
    volts: tuple[int, ...] | None = None,
) -> MeterState:
    """Return the state with another load.

    Args:
        spec: What the meter was built as.
        state: Its state.
        load: Register units an hour (W for electricity), negative to feed back: of each phase, or
            one number that is spread evenly over them.
        volts: The voltage of each phase; nominal if it is not given.

    Raises:
        LoadError: Not whole numbers.
        MeterLoadError: Not a load that the meter can have.
    """
    if not isinstance(load, tuple):
        require_power((load,))
        load = _spread(load, spec.phases)
    require_power(load, volts)
    require_bearable(spec, load, volts)
    return replace(state, watts=load, volts=volts)


def tamper(
    spec: MeterSpec,
    state: MeterState,
    kind: TamperKind = TamperKind.COVER,
    *,
    lasting: bool = False,
) -> Advance:
    """Let somebody do something to the meter; ``lasting`` until ``end_tamper``."""
    walk = Walk(spec, state)
    walk.tamper(kind, lasting=lasting)
    walk.settle()
    return walk.done()


def end_tamper(spec: MeterSpec, state: MeterState, kind: TamperKind) -> Advance:
    """Close the cover, take the magnet away; the tamper status stays until it is cleared."""
    walk = Walk(spec, state)
    walk.end_tamper(kind)
    return walk.done()


def clear_tamper(spec: MeterSpec, state: MeterState) -> Advance:
    """Clear the tamper status and cancel what it caused (8.7); what goes on is noticed anew."""
    walk = Walk(spec, state)
    walk.clear_tamper()
    walk.settle()
    return walk.done()


def limit_changed(spec: MeterSpec, state: MeterState, cause: SupplyCause) -> Advance:
    """Begin anew with a limit of the load that has been changed."""
    walk = Walk(spec, state)
    walk.reset_limit(cause)
    walk.settle()
    return walk.done()


def begin_switch_test(spec: MeterSpec, state: MeterState) -> Advance:
    """Open the relay for a moment, if it is closed; it closes again by itself."""
    walk = Walk(spec, state)
    walk.begin_test()
    walk.settle()
    return walk.done()


def press(spec: MeterSpec, state: MeterState) -> Advance:
    """Press the button: it closes the relay if nothing keeps it open."""
    walk = Walk(spec, state)
    walk.press()
    return walk.done()


def overloaded(spec: MeterSpec, state: MeterState) -> bool:
    """Tell whether the meter bears a load beyond a limit, and is about to open the relay."""
    watch = LoadWatch(spec, state)
    return state.relay_closed and state.powered and any(limit.over for limit in watch.limits)


def cut_ahead(spec: MeterSpec, state: MeterState) -> bool:
    """Tell whether the relay will open within seconds because credit ends at the present load."""
    return Walk(spec, state).cut_is_ahead()


def _spread(load: int, phases: int) -> tuple[int, ...]:
    """Spread a load evenly; what does not divide is on the first phases."""
    share, rest = divmod(load, phases)
    return tuple(share + (number < rest) for number in range(phases))
