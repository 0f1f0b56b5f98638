"""Half hours and days are written down as differences of the registers, in local time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.meter.events import DayRecord, IntervalRecord
from sts.meter.household import HouseholdLoad
from sts.meter.profiles import PROFILES
from tests.pair import START, VendAndMeter

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)


def _using(load: int, **built: Any) -> VendAndMeter:
    pair = VendAndMeter(**built)
    pair.credit(10_000)
    pair.set_load(load)
    return pair


def test_a_half_hour_is_written_when_it_is_over() -> None:
    pair = _using(1000)
    pair.wait(29 * MINUTE)
    assert pair.intervals == []
    pair.wait(MINUTE)
    assert pair.intervals == [
        IntervalRecord(
            starts_at=START,
            ends_at=START + 30 * MINUTE,
            imported=500,
            exported=0,
            credit=999_500,
        )
    ]


def test_a_meter_that_begins_within_a_half_hour_has_a_shorter_first_one() -> None:
    pair = VendAndMeter(time_zone="Asia/Kolkata")
    pair.wait(HOUR)
    # 8:00 UTC is 13:30 in India: half hours begin with the local day.
    assert [line.starts_at for line in pair.intervals] == [START, START + 30 * MINUTE]
    pair = VendAndMeter(time_zone="Asia/Kathmandu")
    pair.wait(HOUR)
    assert [line.ends_at - line.starts_at for line in pair.intervals] == [15 * MINUTE, 30 * MINUTE]


def test_a_day_is_written_at_local_midnight() -> None:
    pair = _using(100, time_zone="Africa/Johannesburg")
    pair.wait(48 * HOUR)
    midnight = START + 14 * HOUR
    assert pair.days == [
        DayRecord(
            day=date(2026, 3, 2), starts_at=START, ends_at=midnight, imported=1400, exported=0
        ),
        DayRecord(
            day=date(2026, 3, 3),
            starts_at=midnight,
            ends_at=midnight + 24 * HOUR,
            imported=2400,
            exported=0,
        ),
    ]


@pytest.mark.parametrize(
    ("begins", "half_hours"),
    [("2026-03-28T23:00", 46), ("2026-06-01T22:00", 48), ("2026-10-24T22:00", 50)],
)
def test_a_day_on_which_clocks_change_has_its_own_number_of_half_hours(
    begins: str, half_hours: int
) -> None:
    pair = VendAndMeter(time_zone="Europe/Berlin")
    pair.now = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    pair.rebuild(advanced_to=pair.now, interval_start=None, day_start=None)
    pair.wait(half_hours * 30 * MINUTE)
    assert len(pair.intervals) == half_hours
    assert len(pair.days) == 1
    assert pair.days[0].ends_at == pair.now


def test_what_is_fed_back_is_written_too() -> None:
    pair = VendAndMeter(profile=PROFILES["standard"])
    pair.credit(10)
    pair.set_load(-1000)
    pair.wait(16 * HOUR)
    assert {(line.imported, line.exported) for line in pair.intervals} == {(0, 500)}
    assert [(day.imported, day.exported) for day in pair.days] == [(0, 16_000)]


@given(seed=st.integers(0, 100), hours=st.integers(1, 300), tenths=st.integers(0, 300))
def test_the_lines_add_up_to_the_registers(seed: int, hours: int, tenths: int) -> None:
    pair = VendAndMeter(time_zone="Africa/Johannesburg", phases=3)
    pair.credit(tenths)
    load = HouseholdLoad(seed=seed, phases=3, panels_w=3000)
    pair.wait(hours * HOUR + 7 * MINUTE, load)
    state = pair.state
    assert state.interval_start is not None
    assert state.day_start is not None
    assert sum(line.imported for line in pair.intervals) == state.interval_start.imported
    assert sum(line.exported for line in pair.intervals) == state.interval_start.exported
    assert sum(day.imported for day in pair.days) == state.day_start.imported
    assert sum(day.exported for day in pair.days) == state.day_start.exported
    ends = [line.ends_at for line in pair.intervals]
    assert [line.starts_at for line in pair.intervals] == [START, *ends][: len(ends)]


def test_without_power_half_hours_are_still_told() -> None:
    pair = _using(1000)
    pair.lose_power()
    pair.wait(HOUR)
    assert [line.imported for line in pair.intervals] == [0, 0]
