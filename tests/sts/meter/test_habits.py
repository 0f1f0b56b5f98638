"""Calendars and profiles: friendly hours, local days, and the habits of makes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from sts.meter.calendars import (
    NO_FRIENDLY_HOURS,
    FriendlyHours,
    FriendlyWindow,
    Holiday,
    instant,
    local_day,
    time_zone,
)
from sts.meter.errors import MeterSpecError
from sts.meter.profiles import PROFILES, CreditLevels, LimitHabit, MeterProfile, profile_named

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = FriendlyWindow(weekdays=frozenset(range(7)), starts=time(16), ends=time(8))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_zone_has_a_name() -> None:
    assert time_zone("UTC") is UTC
    assert time_zone("Europe/Berlin") == BERLIN
    for name in ("Nowhere/Land", "../etc", ""):
        with pytest.raises(MeterSpecError, match="no such zone"):
            time_zone(name)


def test_a_local_day_has_23_24_or_25_hours() -> None:
    days = [local_day(BERLIN, utc(f"{day}T12:00")) for day in ("2026-03-29", "2026-06-01")]
    lengths = [day.ends_at - day.starts_at for day in days if day is not None]
    assert lengths == [timedelta(hours=23), timedelta(hours=24)]
    autumn = local_day(BERLIN, utc("2026-10-25T12:00"))
    assert autumn is not None
    assert autumn.day == date(2026, 10, 25)
    assert autumn.ends_at - autumn.starts_at == timedelta(hours=25)
    assert local_day(BERLIN, datetime.max.replace(tzinfo=UTC)) is None


def test_a_time_that_comes_twice_has_two_moments() -> None:
    first = instant(BERLIN, date(2026, 10, 25), time(2, 30))
    assert instant(BERLIN, date(2026, 10, 25), time(2, 30), last=True) - first == timedelta(hours=1)


def test_a_window_lasts_over_midnight() -> None:
    hours = FriendlyHours(windows=(NIGHT,))
    assert hours.exist
    by_day = hours.period_at(UTC, utc("2026-03-02T12:00"))
    assert (by_day.friendly, by_day.until) == (False, utc("2026-03-02T16:00"))
    by_night = hours.period_at(UTC, utc("2026-03-02T23:00"))
    assert (by_night.friendly, by_night.until) == (True, utc("2026-03-03T08:00"))


def test_a_window_is_for_its_days_of_the_week() -> None:
    monday = FriendlyWindow(weekdays=frozenset({0}), starts=time(9), ends=time(10))
    period = FriendlyHours(windows=(monday,)).period_at(UTC, utc("2026-03-03T12:00"))
    assert (period.friendly, period.until) == (False, utc("2026-03-09T09:00"))


def test_a_window_ends_where_a_holiday_goes_on() -> None:
    hours = FriendlyHours(windows=(NIGHT,), holidays=(Holiday(month=12, day=25),))
    period = hours.period_at(UTC, utc("2026-12-24T20:00"))
    assert (period.friendly, period.until) == (True, utc("2026-12-26T08:00"))


def test_friendly_days_may_never_end_and_never_come() -> None:
    always = FriendlyWindow(weekdays=frozenset(range(7)), starts=time(0), ends=time(0))
    period = FriendlyHours(windows=(always,)).period_at(UTC, utc("2026-03-02T12:00"))
    assert (period.friendly, period.until) == (True, None)
    past = FriendlyHours(holidays=(Holiday(month=1, day=1, year=2020),))
    never = past.period_at(UTC, utc("2026-03-02T12:00"))
    assert (never.friendly, never.until) == (False, None)
    end = datetime.max.replace(tzinfo=UTC)
    assert not FriendlyHours(windows=(always,)).period_at(UTC, end).friendly
    assert not NO_FRIENDLY_HOURS.exist


@pytest.mark.parametrize(
    "build",
    [
        lambda: FriendlyWindow(weekdays=frozenset(), starts=time(0), ends=time(1)),
        lambda: FriendlyWindow(weekdays=frozenset({7}), starts=time(0), ends=time(1)),
        lambda: FriendlyWindow(weekdays=frozenset({1}), starts=time(0, tzinfo=UTC), ends=time(1)),
        lambda: Holiday(month=2, day=30),
        lambda: Holiday(month=2, day=29, year=2026),
        lambda: LimitHabit(trip_delay_s=-1),
        lambda: LimitHabit(retry_wait_s=0),
        lambda: LimitHabit(retries=True),
        lambda: CreditLevels(low=1, very_low=1, emergency=0, emergency_from=0, friendly=0),
        lambda: CreditLevels(low=None, very_low=1, emergency=0, emergency_from=0, friendly=0),
        lambda: CreditLevels(low=None, very_low=None, emergency=-1, emergency_from=0, friendly=0),
        lambda: MeterProfile(name=" "),
        lambda: MeterProfile(tid_store_size=49),
        lambda: profile_named("no such make"),
    ],
)
def test_a_habit_that_cannot_be_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(MeterSpecError) as caught:
        build()
    assert caught.value.code == "METER_SPEC"


def test_every_profile_is_found_by_its_name() -> None:
    assert [profile_named(name).name for name in PROFILES] == list(PROFILES)
    assert Holiday(month=2, day=29).is_on(date(2028, 2, 29))
