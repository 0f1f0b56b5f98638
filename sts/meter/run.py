"""Time for a meter: at the pace of the wall clock, faster, or as fast as it goes.

``run`` steps from one line of the picture to the next. The steps are for the eye only: between two
of them the meter computes what happens exactly.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from sts.meter.device import VirtualMeter
from sts.meter.events import Event, EventKind
from sts.meter.loads import Load
from sts.meter.snapshot import Snapshot

LINES: Final = 20
"""How many lines a picture has, if its length is known."""

_BAR: Final = 24
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)
_SHORTEST_STEP: Final = timedelta(microseconds=1)
_GLANCE_SECONDS: Final = 0.05
_EVENTS_A_STEP: Final = 100

Line: TypeAlias = Snapshot | Event
"""What a run shows: the meter at a moment, or something that happened before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How time passes.

    Attributes:
        start: When it begins.
        end: When it stops; None runs until interrupted.
        step: From one line to the next.
        speed: Seconds that pass in a second of the wall clock; None does not wait at all.
        until_off: Whether to stop at the first line after the supply went off.
    """

    start: datetime
    end: datetime | None
    step: timedelta
    speed: int | None
    until_off: bool = False

    def moments(self) -> Iterator[datetime]:
        """Give the moments of the lines after the first, the last of them the end."""
        end = _LAST_MOMENT if self.end is None else self.end
        moment = self.start
        while moment < end:
            moment += min(self.step, end - moment)
            yield moment


def step_for(length: timedelta) -> timedelta:
    """Return the step at which a run of this length has a picture of a fair size."""
    return max(length / LINES, _SHORTEST_STEP)


def run(
    meter: VirtualMeter,
    plan: Plan,
    *,
    load: Load | None = None,
    look: Callable[[datetime], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Line]:
    """Let the time of ``plan`` pass, and tell what is to be seen.

    Args:
        meter: An open meter.
        plan: How time passes.
        load: What is drawn; without it the meter's present load.
        look: Called with the meter's time before every line, and often while waiting.
        sleep: What waits; the wall clock's.

    Raises:
        MeterLoadError: The meter cannot have such a load.
    """
    began = time.monotonic()
    shown, known = meter.advance(now=plan.start), meter.events(_EVENTS_A_STEP)
    yield shown
    for moment in plan.moments():
        if plan.speed is not None:
            due = began + (moment - plan.start).total_seconds() / plan.speed
            while look is not None and (left := due - time.monotonic()) > 0:
                look(moment - timedelta(seconds=left) * plan.speed)
                sleep(min(left, _GLANCE_SECONDS))
            sleep(max(due - time.monotonic(), 0))
        if look is not None:
            look(shown.at)
        later, latest = meter.advance(now=moment, load=load), meter.events(_EVENTS_A_STEP)
        yield from _new_events(latest, known, since=shown.at)
        yield later
        shown, known = later, latest
        if plan.until_off and not shown.relay_closed:
            return


def picture(line: Line, *, full: int) -> str:
    """Return one line of the picture; a full bar is ``full`` units of credit."""
    if isinstance(line, Event):
        return f"{_clock(line.at)}  {_EVENT_WORDS[line.kind]}{reason_text(line)}"
    filled = min(max(line.credit, 0) * _BAR // max(full, 1), _BAR)
    bar = "█" * filled + "░" * (_BAR - filled)
    supply = f"{line.load_w} W" if line.relay_closed else "off"
    return f"{_clock(line.at)}  {bar}  {line.credit_text:>14}  {supply}"


def reason_text(event: Event) -> str:
    """Return why something happened, to go on after what did; a relay closes after its cause."""
    reason = event.cause or event.tamper
    if reason is None:
        return ""
    joint = " after " if event.kind is EventKind.RELAY_CLOSED else ": "
    return joint + reason.replace("_", " ").lower()


_EVENT_WORDS: Final = {
    EventKind.RELAY_OPENED: "RELAY OPENS",
    EventKind.RELAY_CLOSED: "RELAY CLOSES",
    EventKind.LIMIT_LOCKED: "LOCKED",
    EventKind.LOW_CREDIT: "LOW CREDIT",
    EventKind.VERY_LOW_CREDIT: "VERY LOW CREDIT",
    EventKind.CUT_AHEAD: "CUT AHEAD",
    EventKind.EMERGENCY_TAKEN: "EMERGENCY CREDIT TAKEN",
    EventKind.EMERGENCY_REPAID: "EMERGENCY CREDIT REPAID",
    EventKind.TAMPER_DETECTED: "TAMPER",
    EventKind.TAMPER_CLEARED: "TAMPER CLEARED",
    EventKind.KEY_CHANGED: "NEW KEY",
    EventKind.LOCKED_OUT: "LOCKED OUT",
    EventKind.POWER_LOST: "POWER LOST",
    EventKind.POWER_RETURNED: "POWER BACK",
}


def _clock(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def _new_events(
    latest: tuple[Event, ...], known: tuple[Event, ...], *, since: datetime
) -> Iterator[Event]:
    """Give what happened after a line, the oldest first, and what was done at its own moment."""
    before = [event for event in known if event.at == since]
    for event in reversed(latest):
        if event in before:
            before.remove(event)
        elif event.at >= since:
            yield event
