"""The habits of every make come back from memory as they were."""

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.meter.calendars import FriendlyHours, FriendlyWindow, Holiday
from sts.meter.errors import MeterError, MeterSpecError, MeterStateError
from sts.meter.forms import Value
from sts.meter.profile_records import PROFILE_ROWS, profile_from_rows, profile_to_rows
from sts.meter.profiles import PROFILES

WINDOWS = st.builds(
    FriendlyWindow,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    starts=st.times().filter(lambda moment: moment.tzinfo is None),
    ends=st.times(),
)
HOLIDAYS = st.builds(
    Holiday, month=st.integers(1, 12), day=st.integers(1, 28), year=st.none() | st.integers(1, 9999)
)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_comes_back(name: str) -> None:
    rows = profile_to_rows(PROFILES[name])
    assert set(rows) == PROFILE_ROWS
    assert profile_from_rows(rows) == PROFILES[name]


@given(windows=st.lists(WINDOWS, max_size=3), holidays=st.lists(HOLIDAYS, max_size=3))
def test_any_friendly_hours_come_back(
    windows: list[FriendlyWindow], holidays: list[Holiday]
) -> None:
    hours = FriendlyHours(windows=tuple(windows), holidays=tuple(holidays))
    profile = replace(PROFILES["standard"], friendly=hours)
    assert profile_from_rows(profile_to_rows(profile)) == profile


def test_friendly_hours_read_like_this() -> None:
    hours = FriendlyHours(
        windows=(FriendlyWindow(weekdays=frozenset({4, 0}), starts=time(16), ends=time(8)),),
        holidays=(Holiday(month=12, day=25), Holiday(month=4, day=3, year=2026)),
    )
    rows = profile_to_rows(replace(PROFILES["standard"], friendly=hours))
    assert rows["friendly"] == "04=16:00:00/08:00:00 12-25 2026-4-3"


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("friendly", "04=16:00:00"),
        ("friendly", "7=16:00:00/08:00:00"),
        ("friendly", "2-30"),
        ("friendly", "12"),
        ("friendly", 1),
        ("power_limit", "30 3 120 1800"),
        ("power_limit", "30 -3 120 1800 1800"),
        ("unit_levels", "5000 20000 0 0 0"),
        ("reconnect", "sometimes"),
        ("reverse_energy", None),
        ("cut_alarm_s", "30"),
        ("tid_store_size", 49),
        ("short_codes", "secret"),
    ],
)
def test_what_is_no_habit_is_refused_without_showing_it(row: str, value: Value) -> None:
    rows = {**profile_to_rows(PROFILES["friendly"]), row: value}
    with pytest.raises(MeterError) as caught:
        profile_from_rows(rows)
    assert isinstance(caught.value, MeterStateError | MeterSpecError)
    assert caught.value.code in {"METER_STATE", "METER_SPEC"}
    assert caught.value.field == row
