"""What a house draws: descriptions of a load, cut into segments of constant power.

A load is a value without a state: whoever asks for the same time gets the same segments, in any
order and as often as they like. Power is in whole watts for each phase (litres an hour for water
and gas); negative power flows back into the network, as from panels on a roof.

Whatever has a ``segments`` method as in ``Load`` is a load. Its segments follow each other without
a gap, come one by one as they are asked for, and the last one ends where the question ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from sts.meter.errors import LoadError

LARGEST_POWER: Final = 10**9
"""Of one phase, in watts: no meter comes near, and no register is in danger."""
LARGEST_VOLTAGE: Final = 1_000
PHASE_COUNTS: Final = (1, 3)


class Segment(NamedTuple):
    """A time in which power and voltage stay the same; it begins where the one before ended.

    Attributes:
        ends_at: Its end.
        watts: Power for each phase; negative power is exported.
        volts: Voltage for each phase; None is the meter's nominal voltage.
    """

    ends_at: datetime
    watts: tuple[int, ...]
    volts: tuple[int, ...] | None = None


class Load(Protocol):
    """What a house draws over time."""

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        """Give the segments from ``start`` to ``end``, both aware; none if there is no time."""
        ...


@dataclass(frozen=True, slots=True)
class ConstantLoad:
    """The same at all times.

    Attributes:
        watts: Power for each phase.
        volts: Voltage for each phase; None is nominal.

    Raises:
        LoadError: Not the power of one or three phases.
    """

    watts: tuple[int, ...]
    volts: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Check both."""
        require_power(self.watts, self.volts)

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        """Give the one segment from ``start`` to ``end``."""
        if start < end:
            yield Segment(end, self.watts, self.volts)


@dataclass(frozen=True, slots=True)
class CombinedLoad:
    """Several loads on the same wires: their powers add up, sign and all.

    Attributes:
        loads: All for the same number of phases. The voltage is that of the first which has one.

    Raises:
        LoadError: There are none.
    """

    loads: tuple[Load, ...]

    def __post_init__(self) -> None:
        """Check that there is something to add up."""
        if not self.loads:
            raise LoadError("a combined load has at least one part")

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        """Give the segments from ``start`` to ``end``, cut wherever one of the parts changes.

        Raises:
            LoadError: The parts have different numbers of phases.
        """
        running = [load.segments(start, end) for load in self.loads]
        begins, current = start, [next(one) for one in running if start < end]
        while begins < end:
            begins = min(segment.ends_at for segment in current)
            yield _sum(begins, current)
            if begins < end:
                current = [
                    next(one) if segment.ends_at == begins else segment
                    for one, segment in zip(running, current, strict=True)
                ]


def require_power(watts: tuple[int, ...], volts: tuple[int, ...] | None = None) -> None:
    """Refuse what is not the power, or the voltage, of one or three phases.

    Raises:
        LoadError: With the reason.
    """
    if len(watts) not in PHASE_COUNTS:
        raise LoadError(f"a load has 1 phase or 3, found {len(watts)}")
    if not all(_is_whole(power) and abs(power) <= LARGEST_POWER for power in watts):
        raise LoadError(f"a power is a whole number of watts, at most {LARGEST_POWER}")
    if volts is None:
        return
    if len(volts) != len(watts):
        raise LoadError("a load has as many voltages as phases, or none")
    if not all(_is_whole(voltage) and 0 <= voltage <= LARGEST_VOLTAGE for voltage in volts):
        raise LoadError(f"a voltage is a whole number of volts from 0 to {LARGEST_VOLTAGE}")
    if any(power and not voltage for power, voltage in zip(watts, volts, strict=True)):
        raise LoadError("without voltage there is no power")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _sum(ends_at: datetime, parts: list[Segment]) -> Segment:
    if len({len(part.watts) for part in parts}) > 1:
        raise LoadError("the parts of a combined load have different numbers of phases")
    watts = tuple(map(sum, zip(*(part.watts for part in parts), strict=True)))
    return Segment(ends_at, watts, next((part.volts for part in parts if part.volts), None))
