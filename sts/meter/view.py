"""What the display can speak of: the meter, its readings and its history, as plain values."""

from dataclasses import dataclass
from typing import Final, Protocol

from sts.meter.results import ResultCode
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState

_MILLI: Final = 1000


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


@dataclass(frozen=True, slots=True)
class PhaseReading:
    """What one phase carries now.

    Attributes:
        power_w: The power drawn; 0 while the relay is open, negative if it is fed back.
        voltage_v: The voltage.
        current_ma: The current.
    """

    power_w: int
    voltage_v: int
    current_ma: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the display can speak of.

    Attributes:
        spec: What was built.
        state: What it remembers now.
        phases: The readings of each phase; none if the meter does not measure power.
        tokens: The latest tokens, newest first.
        daily_use: What was used on each of the latest full days, in the service's units.
        emergency_limit: How much emergency credit can be taken; 0 if the meter gives none.
        emergency_taken: How much of it is taken and not yet repaid.
    """

    spec: MeterSpec
    state: MeterState
    phases: tuple[PhaseReading, ...] = ()
    tokens: tuple[KeyedToken, ...] = ()
    daily_use: tuple[int, ...] = ()
    emergency_limit: int = 0
    emergency_taken: int = 0


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
        phases=_phase_readings(spec, state),
        tokens=tokens,
        daily_use=daily_use,
    )


def _phase_readings(spec: MeterSpec, state: MeterState) -> tuple[PhaseReading, ...]:
    """Divide the load over the phases; a remainder of watts goes to the first ones."""
    if not spec.measures_power:
        return ()
    load_w = state.load_w if state.relay_closed and state.powered else 0
    volts = spec.nominal_voltage_v
    shares = ((load_w + spec.phases - phase) // spec.phases for phase in range(1, spec.phases + 1))
    return tuple(PhaseReading(watts, volts, watts * _MILLI // volts) for watts in shares)
