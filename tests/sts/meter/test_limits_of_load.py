"""Loads beyond a limit: how long a meter bears them, how often it tries again, when it locks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from sts.meter.alarms import alarm_of
from sts.meter.buzzer import Alarm
from sts.meter.errors import MeterStateError
from sts.meter.events import EventKind
from sts.meter.profiles import PROFILES, LimitHabit, ReconnectPolicy
from sts.meter.state import LimitState, SupplyCause
from sts.meter.supply import overloaded
from tests.pair import START, VendAndMeter

SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
MICROSECOND: Final = timedelta(microseconds=1)
STANDARD: Final = PROFILES["standard"]
OPENED: Final = EventKind.RELAY_OPENED
CLOSED: Final = EventKind.RELAY_CLOSED
LOCKED: Final = EventKind.LIMIT_LOCKED


def _limited(**built: Any) -> VendAndMeter:
    """Make a meter in use that may draw 2 kW."""
    pair = VendAndMeter(**{"profile": STANDARD, **built})
    pair.credit(10_000)
    pair.power_limit(2000)
    pair.events.clear()
    return pair


def _uneven() -> VendAndMeter:
    pair = VendAndMeter(profile=STANDARD, phases=3)
    pair.credit(10_000)
    pair.unbalance_limit(2000)
    pair.events.clear()
    return pair


def _seconds(pair: VendAndMeter) -> list[tuple[EventKind, float]]:
    """Return what happened, and when, in seconds from the start."""
    return [(event.kind, (event.at - START) / SECOND) for event in pair.events]


@pytest.mark.parametrize(
    ("make", "load", "cause"),
    [
        (_limited, 2001, SupplyCause.POWER_LIMIT),
        (_uneven, (1500, 1000, -501), SupplyCause.PHASE_UNBALANCE),
    ],
)
def test_a_limit_trips_is_tried_again_and_locks(
    make: Callable[[], VendAndMeter], load: int | tuple[int, ...], cause: SupplyCause
) -> None:
    pair = make()
    pair.set_load(load)
    pair.wait(40 * MINUTE)
    # 30 s are borne; three trials two minutes apart; then half an hour, and it begins anew.
    assert _seconds(pair) == [
        (OPENED, 30.0),
        (CLOSED, 150.0),
        (OPENED, 180.0),
        (CLOSED, 300.0),
        (OPENED, 330.0),
        (CLOSED, 450.0),
        (LOCKED, 480.0),
        (OPENED, 480.0),
        (CLOSED, 2280.0),
        (OPENED, 2310.0),
    ]
    assert {event.cause for event in pair.events} == {cause}
    assert pair.state.causes == {cause}


@pytest.mark.parametrize(
    ("make", "load"),
    [
        (_limited, 2000),
        (_uneven, (1500, 1000, -500)),
        (_uneven, (3000, 2000, 1000)),
    ],
)
def test_what_is_just_allowed_never_trips(
    make: Callable[[], VendAndMeter], load: int | tuple[int, ...]
) -> None:
    pair = make()
    pair.set_load(load)
    pair.wait(10 * MINUTE)
    assert pair.events == []


def test_a_pause_begins_the_time_that_is_borne_anew() -> None:
    pair = _limited()
    for _ in range(10):
        pair.set_load(3000)
        pair.wait(30 * SECOND - MICROSECOND)
        pair.set_load(2000)
        pair.wait(MICROSECOND)
    assert pair.events == []
    pair.set_load(3000)
    pair.wait(30 * SECOND)
    assert not pair.state.relay_closed


def test_a_load_that_changes_beyond_the_limit_is_one_overload() -> None:
    pair = _limited()
    pair.set_load(3000)
    pair.wait(20 * SECOND)
    pair.set_load(4000)
    pair.wait(10 * SECOND)
    assert _seconds(pair) == [(OPENED, 30.0)]


def test_a_trip_that_comes_late_counts_as_the_first() -> None:
    habit = LimitHabit(trip_delay_s=0, retries=1, retry_wait_s=60, lock_s=600, within_s=100)
    pair = _limited(power_limit=habit)
    for _ in range(3):
        pair.set_load(3000)
        pair.wait(MINUTE)
        pair.set_load(0)
        pair.wait(41 * SECOND)
    # The third begins 101 s after the second.
    kinds = [event.kind for event in pair.events]
    assert kinds == [OPENED, CLOSED] * 3
    pair.set_load(3000)
    pair.wait(MINUTE)
    pair.wait(SECOND)
    assert [event.kind for event in pair.events[6:]] == [OPENED, CLOSED, LOCKED, OPENED]


def test_an_overload_is_told_while_it_is_borne() -> None:
    pair = _limited()
    pair.set_load(2001)
    assert overloaded(pair.spec, pair.state)
    assert alarm_of(pair.spec, pair.state) is Alarm.OVERLOAD
    pair.wait(30 * SECOND)
    assert not overloaded(pair.spec, pair.state)
    pair.set_load(2000)
    pair.wait(2 * MINUTE)
    assert alarm_of(pair.spec, pair.state) is not Alarm.OVERLOAD


@pytest.mark.parametrize(("load", "seconds"), [(13_800, None), (13_801, 10.0), (-13_801, 10.0)])
def test_the_maximum_current_opens_the_relay(load: int, seconds: float | None) -> None:
    pair = VendAndMeter(profile=STANDARD)
    pair.credit(100_000)
    pair.set_load(load)
    pair.events.clear()
    pair.wait(MINUTE)
    assert _seconds(pair) == ([] if seconds is None else [(OPENED, seconds)])
    assert all(event.cause is SupplyCause.OVER_CURRENT for event in pair.events)


@pytest.mark.parametrize(("volts", "over"), [(230, False), (200, True), (240, False)])
def test_a_low_voltage_makes_the_current_high(volts: int, *, over: bool) -> None:
    pair = VendAndMeter(profile=STANDARD)
    pair.credit(100_000)
    pair.set_load((13_800,), volts)
    pair.wait(10 * SECOND)
    assert (SupplyCause.OVER_CURRENT in pair.state.causes) is over


def test_one_phase_of_three_may_have_too_much() -> None:
    pair = VendAndMeter(profile=STANDARD, phases=3)
    pair.credit(100_000)
    pair.set_load((13_801, 0, 0))
    pair.wait(10 * SECOND)
    assert pair.state.causes == {SupplyCause.OVER_CURRENT}


def test_two_limits_wait_for_each_other() -> None:
    pair = VendAndMeter(profile=STANDARD, phases=3)
    pair.credit(100_000)
    pair.power_limit(10_000)
    pair.unbalance_limit(1000)
    pair.events.clear()
    pair.set_load((20_000, 0, 0))
    pair.wait(10 * SECOND)
    assert pair.state.causes == {SupplyCause.OVER_CURRENT}
    pair.set_load(0)
    pair.wait(2 * MINUTE)
    assert pair.state.relay_closed
    pair.set_load((12_000, 0, 0))
    pair.wait(30 * SECOND)
    assert pair.state.causes == {SupplyCause.POWER_LIMIT, SupplyCause.PHASE_UNBALANCE}
    assert [event.kind for event in pair.events] == [OPENED, CLOSED, OPENED]


def test_a_new_limit_begins_anew_and_a_limit_that_is_lifted_closes_the_relay() -> None:
    pair = _limited()
    pair.set_load(3000)
    pair.wait(30 * SECOND)
    pair.power_limit(2500)
    assert pair.state.relay_closed
    pair.wait(30 * SECOND)
    assert pair.state.causes == {SupplyCause.POWER_LIMIT}
    assert pair.state.power_limit.trips == 1
    pair.power_limit(18_201_624)
    assert pair.state.power_limit_w is None
    assert pair.state.relay_closed
    pair.wait(10 * MINUTE)
    assert pair.state.relay_closed


def test_after_an_overload_a_meter_with_a_button_waits_for_it() -> None:
    pair = _limited(reconnect=ReconnectPolicy.BUTTON)
    pair.press()
    pair.events.clear()
    pair.set_load(3000)
    pair.wait(30 * SECOND)
    pair.press()
    assert not pair.state.relay_closed
    pair.wait(10 * MINUTE)
    assert not pair.state.relay_closed
    assert pair.state.causes == frozenset()
    pair.set_load(100)
    pair.press()
    assert pair.state.relay_closed


def test_an_overload_is_not_timed_while_there_is_no_power() -> None:
    pair = _limited()
    pair.set_load(3000)
    pair.wait(20 * SECOND)
    pair.lose_power()
    pair.wait(MINUTE)
    pair.return_power()
    pair.wait(29 * SECOND)
    assert pair.state.relay_closed
    pair.wait(SECOND)
    assert not pair.state.relay_closed


def test_a_wait_that_ended_without_power_is_over_when_power_returns() -> None:
    pair = _limited()
    pair.set_load(3000)
    pair.wait(MINUTE)
    pair.set_load(100)
    pair.lose_power()
    pair.wait(10 * MINUTE)
    assert not pair.state.relay_closed
    pair.return_power()
    pair.wait(SECOND)
    assert pair.state.relay_closed


def test_a_technician_keeps_supply_off() -> None:
    pair = _limited()
    pair.supervise(on=False)
    assert pair.state.causes == {SupplyCause.SUPERVISOR}
    pair.press()
    pair.credit(10)
    pair.clear_tamper()
    assert not pair.state.relay_closed
    pair.supervise(on=False)
    pair.supervise(on=True)
    assert pair.state.relay_closed
    assert [(event.kind, event.cause) for event in pair.events] == [
        (OPENED, SupplyCause.SUPERVISOR),
        (CLOSED, SupplyCause.SUPERVISOR),
    ]


def test_the_load_switch_test_opens_and_closes_again_even_where_a_button_is_waited_for() -> None:
    pair = _limited(reconnect=ReconnectPolicy.BUTTON)
    pair.test(1)
    assert pair.events == []
    pair.press()
    pair.events.clear()
    pair.set_load(1000)
    pair.test(1)
    assert pair.state.causes == {SupplyCause.LOAD_SWITCH_TEST}
    pair.wait(MINUTE)
    assert _seconds(pair) == [(OPENED, 0.0), (CLOSED, 5.0)]
    # Nothing has flowed in those five seconds.
    assert pair.state.consumed.fine == 1000 * 1000 * 55_000_000


def test_a_count_of_trips_below_nothing_is_refused() -> None:
    with pytest.raises(MeterStateError) as caught:
        LimitState(trips=-1)
    assert caught.value.code == "METER_STATE"
