"""Whatever the habits, the loads and the hours: time in parts is time at once, and it adds up."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts.meter.calendars import FriendlyHours, FriendlyWindow, Holiday
from sts.meter.checks import failures
from sts.meter.errors import EmergencyRefusedError, MeterLoadError
from sts.meter.events import Advance, DayRecord, Event, IntervalRecord, Written
from sts.meter.loads import ConstantLoad, Load, Segment
from sts.meter.profiles import (
    PROFILES,
    CreditLevels,
    LimitHabit,
    MeterProfile,
    ReconnectPolicy,
    ReverseEnergy,
)
from sts.meter.recordings import RecordedLoad, Sample
from sts.meter.spec import CreditKind
from sts.meter.supply import advance
from tests.pair import START, VendAndMeter

HOUR: Final = timedelta(hours=1)
EVENING: Final = FriendlyHours(
    windows=(
        FriendlyWindow(weekdays=frozenset({0, 1, 2}), starts=time(16), ends=time(8)),
        FriendlyWindow(weekdays=frozenset({2}), starts=time(10), ends=time(10, 1)),
    ),
    holidays=(Holiday(month=3, day=6),),
)
LEVELS: Final = CreditLevels(low=900, very_low=300, emergency=200, emergency_from=250, friendly=400)
LIMITS: Final = st.builds(
    LimitHabit,
    trip_delay_s=st.integers(0, 90),
    retries=st.integers(0, 3),
    retry_wait_s=st.integers(1, 300),
    lock_s=st.integers(1, 4000),
    within_s=st.integers(0, 2000),
)
HABITS: Final = st.builds(
    MeterProfile,
    reverse_energy=st.sampled_from(ReverseEnergy),
    reverse_tamper_s=st.integers(1, 600),
    reconnect=st.sampled_from(ReconnectPolicy),
    power_limit=LIMITS,
    phase_unbalance=LIMITS,
    over_current=LIMITS,
    unit_levels=st.just(LEVELS),
    currency_levels=st.just(replace(LEVELS, friendly=400_000, emergency=200_000)),
    cut_alarm_s=st.sampled_from([0, 1, 30, 5000]),
    friendly=st.sampled_from([FriendlyHours(), EVENING]),
)
POWERS: Final = st.integers(-2000, 15_000)
PHASES: Final = st.sampled_from([1, 3])


def _recording(phases: int, powers: list[int]) -> RecordedLoad:
    """Let each power hold for a time of its own, around and around."""
    samples, at = [], 0
    for number, power in enumerate(powers):
        watts = (power, power // 3, -power // 2)[:phases]
        samples.append(Sample(at, watts))
        at += (1 + number * 7919 % 31) * 120_000_000 + number
    return RecordedLoad(starts_at=START, samples=tuple(samples), repeats=True)


def _pair(habits: MeterProfile, kind: CreditKind, phases: int, tenths: int) -> VendAndMeter:
    pair = VendAndMeter(
        profile=habits, credit_kind=kind, phases=phases, time_zone="Africa/Johannesburg"
    )
    pair.power_limit(4000)
    if phases == 3:
        pair.unbalance_limit(6000)
    if kind is CreditKind.UNIT:
        pair.credit(tenths)
    else:
        pair.currency_credit(tenths * 40_000)
    pair.press()
    return pair


def _in_parts(pair: VendAndMeter, moments: list[datetime], load: Load) -> Advance:
    """Let time pass with a pause at each of the moments."""
    state = pair.state
    events: list[Event] = []
    intervals: list[IntervalRecord] = []
    days: list[DayRecord] = []
    for moment in moments:
        passed = advance(pair.spec, state, moment, load=load)
        state = passed.state
        events += passed.events
        intervals += passed.written.intervals
        days += passed.written.days
    written = Written(intervals=tuple(intervals), days=tuple(days))
    return Advance(state=state, events=tuple(events), written=written)


@settings(deadline=None)
@given(
    habits=HABITS,
    kind=st.sampled_from(CreditKind),
    phases=PHASES,
    tenths=st.integers(0, 600),
    powers=st.lists(POWERS, min_size=2, max_size=6),
    pauses=st.lists(st.timedeltas(timedelta(), timedelta(days=5)), max_size=3),
    emergency=st.booleans(),
)
def test_time_in_parts_is_time_at_once(
    habits: MeterProfile,
    kind: CreditKind,
    phases: int,
    tenths: int,
    powers: list[int],
    pauses: list[timedelta],
    emergency: bool,  # noqa: FBT001 - drawn by name
) -> None:
    pair = _pair(habits, kind, phases, tenths)
    if emergency:
        with suppress(EmergencyRefusedError):
            pair.take_emergency()
    load = _recording(phases, powers)
    end = START + timedelta(days=5)
    once = advance(pair.spec, pair.state, end, load=load)
    parts = _in_parts(pair, sorted({*(START + pause for pause in pauses), end}), load)
    assert parts == once
    assert list(failures(pair.spec, once.state)) == []
    assert [event.at for event in once.events] == sorted(event.at for event in once.events)
    used = sum(interval.imported for interval in once.written.intervals)
    open_page = once.state.interval_start
    assert open_page is not None
    assert used == open_page.imported
    assert once.state.consumed.whole >= used


def test_a_house_that_is_not_looked_at_for_years_loses_nothing() -> None:
    pair = VendAndMeter(profile=PROFILES["friendly"], time_zone="Africa/Johannesburg")
    pair.credit(100_000)
    pair.set_load(400)
    passed = advance(pair.spec, pair.state, START + timedelta(days=1500))
    assert passed.state.consumed.whole == pair.state.credit_bought - passed.state.credit.whole
    assert not passed.state.relay_closed
    assert len(passed.written.days) == 1500
    assert sum(day.imported for day in passed.written.days) == passed.state.consumed.whole


# --- loads that cannot be ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Broken:
    """A load whose segments do not follow each other."""

    ends: tuple[timedelta, ...]

    def segments(self, start: datetime, end: datetime) -> Iterator[Segment]:
        del end
        for after in self.ends:
            yield Segment(start + after, (1000,))


@pytest.mark.parametrize(
    ("ends", "message"),
    [((), "fill"), ((HOUR,), "fill"), ((2 * HOUR, HOUR), "back in time"), ((3 * HOUR,), "fill")],
)
def test_a_load_that_does_not_fill_the_time_is_refused(
    ends: tuple[timedelta, ...], message: str
) -> None:
    pair = VendAndMeter()
    with pytest.raises(MeterLoadError, match=message) as caught:
        advance(pair.spec, pair.state, START + 2 * HOUR, load=_Broken(ends))
    assert caught.value.code == "METER_LOAD"


@pytest.mark.parametrize("watts", [(138_001,), (-138_001,), (1, 1, 1)])
def test_a_load_beyond_all_bearing_is_refused_while_time_passes(watts: tuple[int, ...]) -> None:
    pair = VendAndMeter()
    with pytest.raises(MeterLoadError) as caught:
        advance(pair.spec, pair.state, START + HOUR, load=ConstantLoad(watts))
    assert caught.value.code == "METER_LOAD"


def test_more_loads_than_are_remembered_are_judged_all_the_same() -> None:
    pair = VendAndMeter()
    pair.credit(10_000_000)
    samples = tuple(Sample(number * 1_000_000, (number,)) for number in range(10_500))
    load = RecordedLoad(starts_at=START, samples=samples)
    passed = advance(pair.spec, pair.state, START + load.length, load=load)
    assert passed.state.consumed.fine == 1_000_000 * 1000 * sum(range(10_500))


def test_the_last_days_of_the_calendar_have_no_half_hours() -> None:
    pair = VendAndMeter(profile=PROFILES["friendly"])
    pair.now = datetime(9999, 12, 1, tzinfo=UTC)
    pair.rebuild(advanced_to=pair.now)
    passed = advance(pair.spec, pair.state, datetime.max.replace(tzinfo=UTC))
    assert passed.written.days[-1].day.isoformat() == "9999-12-19"
