"""One meter and somebody before it: what a screen can do, and what it has to draw.

A screen asks for a frame many times a second; only once in a while is time written to the memory.
Nothing here knows how a frame is drawn.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sts.meter.device import VirtualMeter
from sts.meter.events import Event
from sts.meter.keypad import INTER_DIGIT_TIME, Cleared
from sts.meter.lcd import AMOUNT_SECONDS, RESULT_SECONDS
from sts.meter.log_rows import HistoryEntry
from sts.meter.panel import Face
from sts.meter.snapshot import Snapshot
from sts.meter.tui_time import SPEEDS, MeterTime

LOADS: Final = (0, 60, 100, 250, 500, 1000, 1500, 2300, 3500, 5000, 7500, 10_000, 15_000, 25_000)
"""Loads in W that the load control stops at; the last stop is the meter's rating."""
KEPT_SAMPLES: Final = 600
SHOWN_ROWS: Final = 100

_ANSWER_TIME: Final = timedelta(seconds=RESULT_SECONDS + AMOUNT_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One dot of the charts.

    Attributes:
        at: When.
        power_w: What flows.
        credit: The credit register.
    """

    at: datetime
    power_w: int
    credit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """All that a screen draws of a meter at one moment.

    Attributes:
        face: Lines, lamps and symbols.
        snapshot: The readings.
        power_w: What flows.
        pulses: How often the rate lamp has flashed since the frame before.
        speed: How fast time goes now.
    """

    face: Face
    snapshot: Snapshot
    power_w: int
    pulses: int
    speed: int


class Session:
    """What can be done before a meter; each deed returns the frame after it."""

    def __init__(
        self,
        meter: VirtualMeter,
        clock: Callable[[], datetime],
        *,
        speed: int = 1,
        attend: Callable[[datetime], object] | None = None,
    ) -> None:
        """Stand before an open meter.

        Args:
            meter: The meter; whoever opened it closes it.
            clock: Tells the time, aware.
            speed: How many seconds pass for the meter in one of the clock's.
            attend: What else is to be done at the meter whenever time is written down.
        """
        self.meter: Final = meter
        self.time: Final = MeterTime(clock, speed=speed)
        self.samples: Final[deque[Sample]] = deque(maxlen=KEPT_SAMPLES)
        self.load_steps: Final = load_steps(meter.spec.largest_load)
        self._attend = attend
        self._total = meter.snapshot(now=self.time.now()).total

    def look(self) -> Frame:
        """Look at the meter; nothing is written."""
        now = self.time.now()
        return self._frame(self.meter.snapshot(now=now), self.meter.display(now=now))

    def pass_time(self) -> Frame:
        """Write down the time that has passed, and take a sample for the charts."""
        if self._attend is not None:
            self._attend(self.time.now())
        frame = self._after(self.meter.advance(now=self.time.now()))
        snapshot = frame.snapshot
        self.samples.append(Sample(at=snapshot.at, power_w=frame.power_w, credit=snapshot.credit))
        return frame

    def key(self, symbol: str) -> Frame:
        """Press a key; for as long as something is keyed or answered, time does not rush."""
        reply = self.meter.key(symbol, now=self.time.now())
        answered = reply.entry is not None or reply.short_code is not None
        if isinstance(reply.results[-1], Cleared) and not answered:
            self.time.hold(timedelta())
        else:
            self.time.hold(_ANSWER_TIME if answered else INTER_DIGIT_TIME)
        return self._frame(reply.snapshot, reply.face)

    def set_load(self, load_w: int) -> Frame:
        """Switch appliances on or off."""
        return self._after(self.meter.set_load(load_w, now=self.time.now()))

    def step_load(self, steps: int) -> Frame:
        """Go so many stops up or down with the load."""
        load_w = self.meter.snapshot(now=self.time.now()).load_w
        return self.set_load(stepped(self.load_steps, load_w, steps))

    def press(self) -> Frame:
        """Press the button that closes the relay."""
        return self._after(self.meter.press(now=self.time.now()))

    def open_cover(self) -> Frame:
        """Open the cover."""
        return self._after(self.meter.tamper(now=self.time.now()))

    def switch_power(self) -> Frame:
        """Let the network fail, or return."""
        now = self.time.now()
        switch = self.meter.power_off if self.meter.snapshot(now=now).powered else None
        return self._after((switch or self.meter.power_on)(now=now))

    def set_speed(self, speed: int) -> Frame:
        """Let time go at another speed."""
        self.time.set_speed(speed)
        return self.look()

    def next_speed(self) -> Frame:
        """Go to the next faster speed, and from the last to the first."""
        faster = (speed for speed in SPEEDS if speed > self.time.speed)
        return self.set_speed(next(faster, SPEEDS[0]))

    def events(self) -> tuple[Event, ...]:
        """Return the latest events, newest first."""
        return self.meter.events(SHOWN_ROWS)

    def tokens(self) -> tuple[HistoryEntry, ...]:
        """Return the latest tokens, newest first."""
        return self.meter.history(SHOWN_ROWS)

    def _after(self, snapshot: Snapshot) -> Frame:
        return self._frame(snapshot, self.meter.display(now=snapshot.at))

    def _frame(self, snapshot: Snapshot, face: Face) -> Frame:
        self.time.catch_up(snapshot.at)
        pulses, self._total = abs(snapshot.total - self._total), snapshot.total
        return Frame(
            face=face,
            snapshot=snapshot,
            power_w=snapshot.load_w if snapshot.powered and snapshot.relay_closed else 0,
            pulses=pulses,
            speed=1 if self.time.is_held else self.time.speed,
        )


def load_steps(largest: int) -> tuple[int, ...]:
    """Return the stops of the load control of a meter with this rating."""
    return (*(load for load in LOADS if load < largest), largest)


def stepped(steps: tuple[int, ...], load_w: int, count: int) -> int:
    """Return the stop that lies ``count`` stops above or below a load; at the ends it stays."""
    if count > 0:
        higher = [step for step in steps if step > load_w]
        return higher[min(count, len(higher)) - 1] if higher else load_w
    lower = [step for step in reversed(steps) if step < load_w]
    return lower[min(-count, len(lower)) - 1] if lower and count else load_w


def nearest_step(steps: tuple[int, ...], load_w: int) -> int:
    """Return the place of the stop at a load, or of the next one below it."""
    return next(
        (place for place, (_, upper) in enumerate(pairwise(steps)) if load_w < upper),
        len(steps) - 1,
    )
