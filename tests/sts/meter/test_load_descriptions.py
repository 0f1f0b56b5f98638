"""Loads: constant, combined, scheduled, recorded, and of an invented household."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.meter import recordings as recordings_module
from sts.meter.calendars import EVERY_DAY
from sts.meter.csv_rows import read_rows
from sts.meter.errors import LoadError, MeterSpecError
from sts.meter.household import HouseholdLoad
from sts.meter.loads import CombinedLoad, ConstantLoad, Load, Segment
from sts.meter.recordings import RecordedLoad, Sample, parse_recording
from sts.meter.schedules import ScheduledLoad, ScheduleRow, parse_schedule

START = datetime(2026, 3, 2, tzinfo=UTC)  # A Monday.
HOUR = timedelta(hours=1)


def told(load: Load, start: datetime, end: datetime) -> list[tuple[timedelta, tuple[int, ...]]]:
    return [(segment.ends_at - START, segment.watts) for segment in load.segments(start, end)]


def refusal(build: Callable[[], object]) -> str:
    with pytest.raises(LoadError) as caught:
        build()
    assert caught.value.code == "METER_LOAD_DESCRIPTION"
    return str(caught.value)


# --- constant and combined --------------------------------------------------------------------


def test_a_constant_load_is_one_segment() -> None:
    assert told(ConstantLoad((2300,)), START, START + HOUR) == [(HOUR, (2300,))]
    assert told(ConstantLoad((1, 2, 3), (230, 230, 231)), START, START) == []


@pytest.mark.parametrize(
    ("watts", "volts", "words"),
    [
        ((1, 2), None, "1 phase or 3, found 2"),
        ((10**15,), None, "whole number of watts"),
        ((True,), None, "whole number of watts"),
        ((1,), (230, 230), "as many voltages as phases"),
        ((1,), (2000,), "whole number of volts"),
        ((1,), (0,), "without voltage there is no power"),
    ],
)
def test_what_is_no_power_is_refused(
    watts: tuple[int, ...], volts: tuple[int, ...] | None, words: str
) -> None:
    assert words in refusal(lambda: ConstantLoad(watts, volts))


def test_combined_loads_add_up_and_are_cut_where_a_part_changes() -> None:
    sun = parse_recording(
        "time,watts,volts\n2026-03-02T00:00Z,-1000,235\n2026-03-02T01:00Z,-3000,240\n"
    )
    load = CombinedLoad((ConstantLoad((500,)), sun))
    found = list(load.segments(START, START + 2 * HOUR))
    assert found == [
        Segment(START + HOUR, (-500,), (235,)),
        Segment(START + 2 * HOUR, (-2500,), (240,)),
    ]
    assert told(load, START, START) == []


def test_a_combined_load_has_parts_of_one_kind() -> None:
    assert "at least one part" in refusal(lambda: CombinedLoad(()))
    mixed = CombinedLoad((ConstantLoad((1,)), ConstantLoad((1, 1, 1))))
    assert "numbers of phases" in refusal(lambda: list(mixed.segments(START, START + HOUR)))


# --- schedules --------------------------------------------------------------------------------

WEEK = "days,from,watts\nmon-fri,06:30,2300\ndaily,22:00,100\nsat sun,09:00,1500\n"


def test_a_schedule_changes_when_it_says() -> None:
    load = parse_schedule(WEEK)
    day = timedelta(days=1)
    assert told(load, START, START + day) == [
        (6.5 * HOUR, (100,)),
        (22 * HOUR, (2300,)),
        (day, (100,)),
    ]
    assert told(load, START + 5 * day, START + 6 * day)[0] == (5 * day + 9 * HOUR, (100,))
    assert told(load, START, START) == []


def test_a_schedule_of_one_change_a_week_knows_what_held_before() -> None:
    row = ScheduleRow(weekdays=frozenset({6}), starts=time(12), watts=(7,))
    assert told(ScheduledLoad(rows=(row,)), START, START + HOUR) == [(HOUR, (7,))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the first line is days,from,"),
        ("days,watts\n", "line 1: the first line is"),
        ("days,from,watts\n", "a schedule has from 1"),
        ("days,from,watts\nmon,06:30\n", "line 2: 3 columns are expected, found 2"),
        ("days,from,watts\nmon,06:30,2.5\n", "line 2: a row is written"),
        ("days,from,watts\nmoon,06:30,2\n", "line 2: a row is written"),
        ("days,from,watts\n,06:30,2\n", "line 2: days of the week"),
        ("days,from,watts\nmon,06:30+01:00,2\n", "line 2: a schedule is in local time"),
        ('days,from,watts\nmon,06:30,"2\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_line(text: str, words: str) -> None:
    assert words in refusal(lambda: parse_schedule(text))


def test_the_rows_of_a_schedule_belong_together() -> None:
    one = ScheduleRow(weekdays=EVERY_DAY, starts=time(0), watts=(1,))
    three = ScheduleRow(weekdays=EVERY_DAY, starts=time(1), watts=(1, 1, 1))
    assert "numbers of phases" in refusal(lambda: ScheduledLoad(rows=(one, three)))
    with pytest.raises(MeterSpecError, match="no such zone"):
        parse_schedule(WEEK, "Nowhere/Land")


def test_empty_lines_are_left_out() -> None:
    rows = list(read_rows("a,b\n\n1,2\n", [("a", "b")]))
    assert rows == [(1, ("a", "b")), (3, ("1", "2"))]


# --- recordings -------------------------------------------------------------------------------

RECORDED = "time,watts\n2026-03-02T01:00Z,100\n2026-03-02T03:00+01:00,-200\n"


def test_a_recording_is_replayed_at_its_time_and_nothing_is_drawn_around_it() -> None:
    load = parse_recording(RECORDED)
    assert load.length == 2 * HOUR
    assert told(load, START, START + 4 * HOUR) == [
        (HOUR, (0,)),
        (2 * HOUR, (100,)),
        (3 * HOUR, (-200,)),
        (4 * HOUR, (0,)),
    ]
    assert told(load, START + 5 * HOUR, START + 6 * HOUR) == [(6 * HOUR, (0,))]
    assert told(load, START, START + HOUR / 2) == [(HOUR / 2, (0,))]
    assert told(load, START, START) == []


def test_a_recording_can_begin_anew_and_at_another_time() -> None:
    load = parse_recording(RECORDED, repeats=True).beginning(START)
    assert told(load, START - HOUR, START + 3 * HOUR) == [
        (timedelta(0), (-200,)),
        (HOUR, (100,)),
        (2 * HOUR, (-200,)),
        (3 * HOUR, (100,)),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,watts\n", "line 1: a recording without rows"),
        ("time,watts\n2026-03-02T01:00Z,1\n", "from 2 to"),
        ("time,watts\n2026-03-02T01:00,1\n", "line 2: a time needs its zone"),
        ("time,watts\nyesterday,1\n", "line 2: a time is written"),
        ("time,watts\n2026-03-02T01:00Z,1_0\n", "line 2: powers and voltages are whole"),
        ("time,watts,volts\n2026-03-02T01:00Z,1,0\n", "line 2: without voltage"),
        ("time,watts\n2026-03-02T01:00Z,1\n2026-03-02T01:00Z,2\n", "line 3: the time is not"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(text: str, words: str) -> None:
    assert words in refusal(lambda: parse_recording(text))


def test_a_recording_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings_module, "LARGEST_RECORDING", 2)
    rows = "".join(f"2026-03-02T0{hour}:00Z,1\n" for hour in range(3))
    assert "line 4: a recording has at most 2" in refusal(
        lambda: parse_recording(f"time,watts\n{rows}")
    )


@pytest.mark.parametrize(
    ("starts_at", "samples", "words"),
    [
        (START.replace(tzinfo=None), (Sample(0, (1,)), Sample(1, (1,))), "needs its zone"),
        (START, (Sample(1, (1,)), Sample(2, (1,))), "must ascend from the first"),
        (START, (Sample(0, (1,)), Sample(0, (1,))), "must ascend from the first"),
        (START, (Sample(0, (1,)), Sample(2, (1, 1, 1))), "numbers of phases"),
    ],
)
def test_a_recording_is_in_order(
    starts_at: datetime, samples: tuple[Sample, ...], words: str
) -> None:
    assert words in refusal(lambda: RecordedLoad(starts_at=starts_at, samples=samples))


# --- households -------------------------------------------------------------------------------


def powers(load: Load, hours: int = 48) -> Sequence[tuple[int, ...]]:
    return [segment.watts for segment in load.segments(START, START + hours * HOUR)]


def test_a_household_is_the_same_for_the_same_seed() -> None:
    assert powers(HouseholdLoad(seed=1)) == powers(HouseholdLoad(seed=1))
    assert powers(HouseholdLoad(seed=1)) != powers(HouseholdLoad(seed=2))
    assert list(HouseholdLoad(seed=1).segments(START, START)) == []


def test_a_household_begins_in_the_middle_of_a_step_as_it_would_have_gone_on() -> None:
    load = HouseholdLoad(seed=5, step_minutes=1)
    whole = list(load.segments(START, START + HOUR))
    late = list(load.segments(START + 0.5 * HOUR + timedelta(seconds=30), START + HOUR))
    assert late == whole[30:]
    assert list(load.segments(START, START + timedelta(seconds=90)))[-1].watts == whole[1].watts


def test_panels_send_energy_back_on_all_phases() -> None:
    one = powers(HouseholdLoad(seed=3, panels_w=6000, zone="Africa/Johannesburg"))
    assert min(watts[0] for watts in one) < 0 < max(watts[0] for watts in one)
    three = powers(HouseholdLoad(seed=3, phases=3, panels_w=6000))
    assert all(len(watts) == 3 for watts in three)
    assert min(min(watts) for watts in three) < 0


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: HouseholdLoad(seed=1, phases=2), "1 phase or 3"),  # type: ignore[arg-type]  # the mistake under test
        (lambda: HouseholdLoad(seed=1, step_minutes=7), "divides an hour"),
        (lambda: HouseholdLoad(seed=1, panels_w=-1), "panels have from 0"),
    ],
)
def test_what_is_no_household_is_refused(build: Callable[[], object], words: str) -> None:
    assert words in refusal(build)


LOADS: list[Load] = [
    ConstantLoad((5,)),
    parse_schedule(WEEK, "Africa/Dar_es_Salaam"),
    parse_recording(RECORDED, repeats=True),
    parse_recording(RECORDED),
    HouseholdLoad(seed=9, step_minutes=15),
    CombinedLoad((ConstantLoad((5,)), HouseholdLoad(seed=4))),
]


@given(
    st.sampled_from(LOADS),
    st.integers(-3000, 3000),
    st.integers(1, 3000),
    st.integers(-14, 14),
)
def test_segments_follow_one_another_without_a_gap(
    load: Load, start_minutes: int, minutes: int, zone_hours: int
) -> None:
    """The last one ends at the end, each ends after the one before, whatever the zone."""
    zone = timezone(timedelta(hours=zone_hours))
    start = (START + timedelta(minutes=start_minutes)).astimezone(zone)
    end = start + timedelta(minutes=minutes)
    ends = [start, *(segment.ends_at for segment in load.segments(start, end))]
    assert ends[-1] == end
    assert all(earlier < later for earlier, later in pairwise(ends))
