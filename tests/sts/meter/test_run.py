"""Time passes at a pace, and the picture shows what happened."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from sts.meter.device import VirtualMeter, open_meter
from sts.meter.events import Event, EventKind
from sts.meter.run import Plan, picture, run, step_for
from sts.meter.snapshot import Snapshot
from sts.meter.state import SupplyCause
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

HOUR: Final = timedelta(hours=1)


def _loaded(folder: Path) -> VirtualMeter:
    pair = VendAndMeter()
    meter = open_meter(meter_file(folder, pair))
    meter.enter(credit_digits(pair, 10), now=START)
    meter.set_load(1000, now=START)
    return meter


def _plan(end: datetime | None, *, step: timedelta, speed: int | None = None) -> Plan:
    return Plan(start=START, end=end, step=step, speed=speed)


def test_the_moments_of_a_plan_end_at_its_end() -> None:
    moments = list(_plan(START + HOUR, step=timedelta(minutes=25)).moments())
    assert moments == [START + timedelta(minutes=minutes) for minutes in (25, 50, 60)]


def test_an_endless_plan_goes_on() -> None:
    moments = _plan(None, step=HOUR).moments()
    assert [next(moments) for _ in range(3)][-1] == START + 3 * HOUR


def test_a_plan_ends_with_the_calendar() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    plan = Plan(start=last - HOUR, end=None, step=timedelta(days=999_999), speed=None)
    assert list(plan.moments()) == [last]


@pytest.mark.parametrize(
    ("length", "step"),
    [(HOUR, timedelta(minutes=3)), (timedelta(), timedelta(microseconds=1))],
)
def test_a_step_is_a_twentieth_but_never_nothing(length: timedelta, step: timedelta) -> None:
    assert step_for(length) == step


def test_a_run_tells_the_cut_between_two_lines(tmp_path: Path) -> None:
    with _loaded(tmp_path) as meter:
        lines = list(run(meter, _plan(START + 2 * HOUR, step=timedelta(minutes=40))))
    shown = [line.credit if isinstance(line, Snapshot) else (line.kind, line.at) for line in lines]
    assert shown == [1000, 333, (EventKind.RELAY_OPENED, START + HOUR), 0, 0]


def test_what_is_done_at_the_moment_of_a_line_is_told_once(tmp_path: Path) -> None:
    with _loaded(tmp_path) as meter:
        done: list[datetime] = []

        def look(now: datetime) -> None:
            if not done:
                meter.supervise(on=False, now=now)
                meter.supervise(on=True, now=now)
            done.append(now)

        lines = list(run(meter, _plan(START + HOUR, step=HOUR / 2), look=look))
    kinds = [line.kind for line in lines if isinstance(line, Event)]
    opened, closed = EventKind.RELAY_OPENED, EventKind.RELAY_CLOSED
    assert done == [START, START + HOUR / 2]
    assert kinds == [opened, closed, opened]


def test_without_speed_nothing_waits(tmp_path: Path) -> None:
    waits: list[float] = []
    with _loaded(tmp_path) as meter:
        list(run(meter, _plan(START + HOUR, step=HOUR), sleep=waits.append))
    assert waits == []


def test_with_speed_the_clock_is_followed(tmp_path: Path) -> None:
    waits: list[float] = []
    plan = _plan(START + 2 * HOUR, step=HOUR, speed=3600)
    with _loaded(tmp_path) as meter:
        list(run(meter, plan, sleep=waits.append))
    assert 0.9 < waits[0] <= 1
    assert 1.8 < waits[1] <= 2


def test_the_picture_shows_credit_as_a_bar(tmp_path: Path) -> None:
    with _loaded(tmp_path) as meter:
        half = meter.advance(now=START + HOUR / 2)
        off = meter.advance(now=START + HOUR)
    assert picture(half, full=1000) == (
        "2026-03-02 08:30:00.000  ████████████░░░░░░░░░░░░       0.500 kWh  1000 W"
    )
    assert picture(off, full=1000).endswith("░       0.000 kWh  off")
    assert picture(off, full=0).endswith("off")
    assert "█" * 24 in picture(half, full=100)


def test_the_picture_names_the_cause() -> None:
    opened = Event(
        at=START,
        kind=EventKind.RELAY_OPENED,
        cause=SupplyCause.CREDIT_EXHAUSTED,
        credit=0,
        consumed=100,
    )
    assert picture(opened, full=1) == "2026-03-02 08:00:00.000  RELAY OPENS: credit exhausted"


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_has_words(kind: EventKind) -> None:
    event = Event(at=START, kind=kind, cause=None, credit=0, consumed=0)
    assert len(picture(event, full=1)) > len("2026-03-02 08:00:00.000  ")
