"""A token's way through the meter: what it finds, and what it leaves behind."""

from dataclasses import dataclass

from sts.meter.events import Event
from sts.meter.outcomes import Outcome
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, Volatile


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The meter as a token finds it; the moment is ``state.advanced_to``."""

    spec: MeterSpec
    state: MeterState
    volatile: Volatile


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What a token that was not refused leaves behind, before the relay is settled."""

    state: MeterState
    volatile: Volatile
    outcome: Outcome
    events: tuple[Event, ...] = ()
