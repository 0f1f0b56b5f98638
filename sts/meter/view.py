"""What the display can speak of: the meter, its readings and its history, as plain values."""

from dataclasses import dataclass
from typing import Protocol

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
