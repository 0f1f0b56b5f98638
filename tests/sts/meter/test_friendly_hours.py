"""Friendly hours: nobody is cut off in them, and the cut comes when they end."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from sts.meter.calendars import FriendlyHours, FriendlyWindow, Holiday
from sts.meter.events import Event, EventKind
from sts.meter.profiles import PROFILES, CreditLevels
from sts.meter.registers import Register
from sts.meter.state import SupplyCause
from tests.pair import START, VendAndMeter

HOUR: Final = timedelta(hours=1)
LOCAL: Final = "Africa/Johannesburg"
"""Two hours ahead of UTC: at the start it is ten in the morning, on a Monday."""
EVENING: Final = FriendlyHours(
    windows=(FriendlyWindow(weekdays=frozenset(range(7)), starts=time(16), ends=time(8)),)
)
LEVELS: Final = CreditLevels(
    low=None, very_low=None, emergency=2000, emergency_from=2000, friendly=20_000
)
OPENED: Final = EventKind.RELAY_OPENED


def _pair(tenths: int, *, friendly: FriendlyHours = EVENING, **built: Any) -> VendAndMeter:
    pair = VendAndMeter(
        **{"time_zone": LOCAL, "friendly": friendly, "unit_levels": LEVELS, **built}
    )
    pair.credit(tenths)
    pair.set_load(1000)
    pair.events.clear()
    return pair


def _hours(event: Event) -> float:
    return (event.at - START) / HOUR


def test_before_they_begin_the_cut_comes_as_ever() -> None:
    pair = _pair(59)
    pair.wait(24 * HOUR)
    assert [(_hours(event), event.credit) for event in pair.events] == [(5.9, 0)]


def test_they_do_not_bring_supply_back() -> None:
    pair = _pair(10)
    pair.wait(10 * HOUR)
    assert not pair.state.relay_closed
    assert len(pair.events) == 1


def test_within_them_supply_goes_on_and_at_their_end_it_is_cut() -> None:
    pair = _pair(70)
    pair.wait(24 * HOUR)
    # Credit ends at 17:00; the hours last until 8:00, 22 hours after the start.
    assert [(event.kind, event.cause, _hours(event)) for event in pair.events] == [
        (OPENED, SupplyCause.CREDIT_EXHAUSTED, 22.0)
    ]
    assert pair.state.credit == Register(-15_000)
    assert pair.state.consumed == Register(22_000)


def test_credit_that_ends_as_they_begin_is_not_cut() -> None:
    pair = _pair(60)
    pair.wait(7 * HOUR)
    assert pair.state.relay_closed
    assert pair.state.credit == Register(-1000)


def test_they_do_not_lend_without_end() -> None:
    pair = _pair(320)
    pair.set_load(5000)
    pair.wait(24 * HOUR)
    assert pair.state.credit == Register(-20_000)
    assert len(pair.events) == 1


def test_what_they_lent_is_repaid_before_supply_returns() -> None:
    pair = _pair(70)
    pair.wait(22 * HOUR)
    pair.credit(150)
    assert pair.state.credit == Register()
    assert not pair.state.relay_closed
    pair.credit(1)
    assert pair.state.relay_closed


def test_a_debt_is_no_reason_to_cut_in_the_next_hours_if_it_was_repaid() -> None:
    pair = _pair(70)
    pair.wait(22 * HOUR)
    pair.credit(200)
    pair.wait(24 * HOUR)
    assert [_hours(event) for event in pair.events if event.kind is OPENED] == [22.0, 27.0]


def test_emergency_credit_may_be_taken_after_them() -> None:
    pair = _pair(70)
    pair.wait(22 * HOUR)
    pair.take_emergency()
    assert pair.state.relay_closed
    pair.wait(HOUR)
    assert pair.state.credit == Register(-16_000)
    pair.wait(HOUR + HOUR / 2)
    assert pair.state.credit == Register(-17_000)
    assert not pair.state.relay_closed


def test_the_alarm_sounds_before_they_end() -> None:
    pair = _pair(70, cut_alarm_s=30)
    pair.wait(24 * HOUR)
    times = [(event.kind, event.at) for event in pair.events]
    end = START + 22 * HOUR
    assert times == [
        (EventKind.CUT_AHEAD, end - timedelta(seconds=30)),
        (OPENED, end),
    ]


def test_a_holiday_is_friendly_all_day() -> None:
    friendly = FriendlyHours(holidays=(Holiday(month=3, day=2),))
    pair = _pair(10, friendly=friendly)
    pair.wait(30 * HOUR)
    # Local midnight is 14 hours after the start.
    assert [_hours(event) for event in pair.events] == [14.0]


def test_hours_that_never_end_never_cut() -> None:
    always = FriendlyHours(
        windows=(FriendlyWindow(weekdays=frozenset(range(7)), starts=time(0), ends=time(0)),)
    )
    pair = _pair(10, friendly=always)
    pair.set_load(1)
    pair.wait(timedelta(days=60))
    assert pair.events == []
    assert pair.state.credit == Register(1000 - 60 * 24)


def test_a_change_of_the_clock_within_them_takes_none_away() -> None:
    pair = _pair(1, time_zone="Europe/Berlin")
    pair.now = datetime(2026, 10, 24, 15, 0, tzinfo=UTC)
    pair.rebuild(advanced_to=pair.now, relay_closed=True, causes=frozenset())
    pair.wait(48 * HOUR)
    # Until eight in winter time, an hour later in UTC than the evening before.
    assert pair.events[-1].at == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)


def test_the_overnight_profile_is_friendly_at_weekends() -> None:
    pair = VendAndMeter(profile=PROFILES["friendly"], time_zone=LOCAL)
    pair.now = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
    pair.rebuild(advanced_to=pair.now)
    pair.credit(1)
    pair.set_load(100)
    pair.events.clear()
    pair.wait(timedelta(days=5))
    # From Friday evening to eight on Monday.
    opened = [event.at for event in pair.events if event.kind is OPENED]
    assert opened == [datetime(2026, 3, 9, 6, 0, tzinfo=UTC)]
