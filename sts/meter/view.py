"""What the display can speak of: the meter, its readings and its history, as plain values."""

from dataclasses import dataclass
from typing import Protocol

from sts.meter.emergency import emergency_left, owed
from sts.meter.energy import PhaseReading, phase_readings
from sts.meter.results import ResultCode
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState


class KeyedToken(Protocol):
    """A token of the meter's history."""

    @property
    def digits(self) -> str:
        """As keyed."""
        ...

    @property
    def result(self) -> ResultCode:
        """The answer."""
        ...

    @property
    def amount(self) -> str:
        """The amount it added, with its unit; empty without one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the display can speak of.

    Attributes:
        spec: What was built.
        state: What it remembers now.
        phases: The readings of each phase; none if the meter does not measure power.
        tokens: The latest tokens, newest first.
        daily_use: What was used on each of the latest full days, in the service's units.
        emergency_left: How much emergency credit can still be used; all of it if none was taken.
        owed: What the next token will pay off first.
    """

    spec: MeterSpec
    state: MeterState
    phases: tuple[PhaseReading, ...] = ()
    tokens: tuple[KeyedToken, ...] = ()
    daily_use: tuple[int, ...] = ()
    emergency_left: int = 0
    owed: int = 0


def view_of(
    spec: MeterSpec,
    state: MeterState,
    *,
    tokens: tuple[KeyedToken, ...] = (),
    daily_use: tuple[int, ...] = (),
) -> View:
    """Return what the display of a meter in this state can speak of.

    Args:
        spec: What was built.
        state: What it remembers; time does not pass.
        tokens: The latest tokens, newest first.
        daily_use: What was used on each of the latest full days, in the service's units.
    """
    return View(
        spec=spec,
        state=state,
        phases=phase_readings(spec, state),
        tokens=tokens,
        daily_use=daily_use,
        emergency_left=emergency_left(spec, state),
        owed=owed(state),
    )
