"""A load that somebody has recorded, as a table in CSV.

    time,watts                           one phase
    time,watts,volts
    time,l1_w,l2_w,l3_w                  three phases
    time,l1_w,l2_w,l3_w,l1_v,l2_v,l3_v

Times have a zone, for example ``2026-01-31T12:00Z``, and ascend. A row holds until the next one;
the last one holds for as long as the one before it did.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from sts.meter.csv_rows import parse_whole, read_rows
from sts.meter.errors import LoadError
from sts.meter.loads import Segment, require_power

LARGEST_RECORDING: Final = 1_100_000
"""Rows: two years of minutes."""

_MICROSECOND: Final = timedelta(microseconds=1)
_SHORTEST_RECORDING: Final = 2
_Power: TypeAlias = tuple[tuple[int, ...], tuple[int, ...] | None]
_PHASES: Final[Mapping[tuple[str, ...], int]] = {
    ("time", "watts"): 1,
    ("time", "watts", "volts"): 1,
    ("time", "l1_w", "l2_w", "l3_w"): 3,
    ("time", "l1_w", "l2_w", "l3_w", "l1_v", "l2_v", "l3_v"): 3,
}
"""The headers that there are, and how many phases they stand for."""


class Sample(NamedTuple):
    """One row of a recording.

    Attributes:
        microseconds: How long after the first row it begins.
        watts: Power for each phase.
        volts: Voltage for each phase, if it was recorded.
    """

    microseconds: int
    watts: tuple[int, ...]
    volts: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLoad:
    """What was recorded, at the time when it was or at another.

    Attributes:
        starts_at: When the first row begins, aware.
        samples: The rows, ascending, the first of them at 0.
        repeats: Whether the recording begins anew at its end, and goes back before its
            beginning. Otherwise nothing is drawn before and after it.

    Raises:
        LoadError: Fewer than two rows, too many, or not in order.
    """

    starts_at: datetime
    samples: tuple[Sample, ...]
    repeats: bool = False

    def __post_init__(self) -> None:
        """Check that there is an order to replay."""
        if self.starts_at.utcoffset() is None:
            raise LoadError("a time needs its zone, for example 2026-01-31T12:00Z")
        if not _SHORTEST_RECORDING <= len(self.samples) <= LARGEST_RECORDING:
            message = f"a recording has from {_SHORTEST_RECORDING} to {LARGEST_RECORDING} rows"
            raise LoadError(message)
        starts = [sample.microseconds for sample in self.samples]
        if starts[0] != 0 or any(later <= earlier for earlier, later in pairwise(starts)):
            raise LoadError("the times of a recording must ascend from the first")
        if len({len(sample.watts) for sample in self.samples}) > 1:
            raise LoadError("the rows of a recording have different numbers of phases")

    @property
    def length(self) -> timedelta:
        """How long the recording is."""
        before, last = self.samples[-2].microseconds, self.samples[-1].microseconds
        return (2 * last - before) * _MICROSECOND

    def beginning(self, starts_at: datetime) -> "RecordedLoad":
        """Return the same recording, replayed from another time on."""
        return replace(self, starts_at=starts_at)

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        """Give the segments from ``start`` to ``end``."""
        if self.repeats:
            yield from self._repeated(start, end)
            return
        nothing = (0,) * len(self.samples[0].watts)
        finish = self.starts_at + self.length
        if start < min(self.starts_at, end):
            yield Segment(min(self.starts_at, end), nothing)
        yield from self._once(max(start, self.starts_at), min(end, finish), self.starts_at)
        if max(start, finish) < end:
            yield Segment(end, nothing)

    def _repeated(self, start: datetime, end: datetime) -> Iterator[Segment]:
        round_number = (start - self.starts_at) // self.length
        while start < end:
            began = self.starts_at + round_number * self.length
            round_number += 1
            until = min(end, began + self.length)
            yield from self._once(start, until, began)
            start = until

    def _once(self, start: datetime, end: datetime, began: datetime) -> Iterator[Segment]:
        """Give the segments within one round, which began at ``began``."""
        if start >= end:
            return
        samples = self.samples
        number = bisect_right(
            samples, (start - began) // _MICROSECOND, key=lambda sample: sample.microseconds
        )
        current = samples[number - 1]
        while number < len(samples):
            following = samples[number]
            ends_at = began + following.microseconds * _MICROSECOND
            if ends_at >= end:
                break
            yield Segment(ends_at, current.watts, current.volts)
            current = following
            number += 1
        yield Segment(end, current.watts, current.volts)


def parse_recording(text: str, *, repeats: bool = False) -> RecordedLoad:
    """Read a recording in CSV.

    Raises:
        LoadError: Not a recording; the error names the line.
    """
    rows = read_rows(text, _PHASES)
    _, header = next(rows)
    phases = _PHASES[header]
    starts_at: datetime | None = None
    samples: list[Sample] = []
    # The same powers come again and again: each is read and checked, and kept, once.
    known: dict[tuple[str, ...], _Power] = {}
    for line, (moment, *numbers) in rows:
        at = _parse_moment(moment, line=line)
        starts_at = starts_at or at
        text_of_power = tuple(numbers)
        if text_of_power not in known:
            known[text_of_power] = _parse_power(text_of_power, phases, line=line)
        watts, volts = known[text_of_power]
        sample = Sample((at - starts_at) // _MICROSECOND, watts, volts)
        if samples and sample.microseconds <= samples[-1].microseconds:
            raise LoadError("the time is not after that of the row before", line=line)
        if len(samples) == LARGEST_RECORDING:
            raise LoadError(f"a recording has at most {LARGEST_RECORDING} rows", line=line)
        samples.append(sample)
    if starts_at is None:
        raise LoadError("a recording without rows", line=1)
    return RecordedLoad(starts_at=starts_at, samples=tuple(samples), repeats=repeats)


def _parse_moment(text: str, *, line: int) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        raise LoadError("a time is written 2026-01-31T12:00Z", line=line) from None
    raise LoadError("a time needs its zone, for example 2026-01-31T12:00Z", line=line)


def _parse_power(texts: tuple[str, ...], phases: int, *, line: int) -> _Power:
    try:
        numbers = tuple(map(parse_whole, texts))
        watts, volts = numbers[:phases], numbers[phases:] or None
        require_power(watts, volts)
    except LoadError as error:
        raise LoadError(str(error), line=line) from None
    except ValueError:
        raise LoadError("powers and voltages are whole numbers", line=line) from None
    return watts, volts
