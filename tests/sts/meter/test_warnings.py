"""Low credit is told in two grades, and the cut half a minute before it comes."""

from datetime import timedelta
from typing import Any, Final

import pytest

from sts.meter.errors import MeterStateError
from sts.meter.events import EventKind
from sts.meter.profiles import PROFILES, CreditLevels
from sts.meter.spec import CreditKind, PricePeriod
from sts.meter.supply import cut_ahead
from tests.pair import START, VendAndMeter

HOUR: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)
STANDARD: Final = PROFILES["standard"]
LOW: Final = EventKind.LOW_CREDIT
VERY_LOW: Final = EventKind.VERY_LOW_CREDIT
AHEAD: Final = EventKind.CUT_AHEAD
OPENED: Final = EventKind.RELAY_OPENED


def _using(tenths: int, load: int = 1000, **built: Any) -> VendAndMeter:
    pair = VendAndMeter(**{"profile": STANDARD, **built})
    pair.credit(tenths)
    pair.set_load(load)
    pair.events.clear()
    return pair


def _told(pair: VendAndMeter) -> list[tuple[EventKind, int]]:
    return [(event.kind, event.credit) for event in pair.events]


def test_both_grades_come_at_their_level_exactly() -> None:
    pair = _using(250)
    pair.wait(30 * HOUR)
    assert _told(pair) == [(LOW, 20_000), (VERY_LOW, 5000), (AHEAD, 8), (OPENED, 0)]
    assert [event.at - START for event in pair.events] == [
        5 * HOUR,
        20 * HOUR,
        25 * HOUR - 30 * SECOND,
        25 * HOUR,
    ]


def test_a_token_takes_a_warning_back_and_it_is_given_again() -> None:
    pair = _using(210)
    pair.wait(2 * HOUR)
    pair.credit(100)
    pair.wait(20 * HOUR)
    assert _told(pair) == [(LOW, 20_000), (LOW, 20_000)]


def test_a_small_token_below_a_level_warns_of_nothing_new() -> None:
    pair = _using(60)
    pair.wait(2 * HOUR)
    pair.credit(10)
    pair.wait(HOUR)
    assert _told(pair) == [(VERY_LOW, 5000)]


def test_a_meter_without_warnings_gives_none() -> None:
    pair = _using(250, profile=PROFILES["plain"])
    pair.wait(30 * HOUR)
    assert _told(pair) == [(OPENED, 0)]


def test_a_meter_may_warn_once() -> None:
    levels = CreditLevels(low=100, very_low=None, emergency=0, emergency_from=0, friendly=0)
    pair = _using(2, profile=PROFILES["plain"], unit_levels=levels)
    pair.wait(HOUR)
    assert _told(pair) == [(LOW, 100), (OPENED, 0)]


def test_the_alarm_ends_when_the_load_is_switched_off_and_begins_anew() -> None:
    pair = _using(1, 3600)
    pair.wait(80 * SECOND)
    assert pair.state.cut_alarm
    pair.set_load(10)
    pair.wait(SECOND)
    assert not pair.state.cut_alarm
    pair.set_load(3600)
    pair.wait(SECOND)
    kinds = [event.kind for event in pair.events]
    assert kinds == [AHEAD, AHEAD]


def test_a_load_so_high_that_less_than_half_a_minute_is_left_alarms_at_once() -> None:
    pair = _using(1, 13_800)
    pair.wait(HOUR)
    assert (pair.events[0].kind, pair.events[0].at) == (AHEAD, START)


def test_where_supply_is_off_no_cut_is_ahead() -> None:
    pair = _using(1, 3600)
    pair.wait(90 * SECOND)
    assert cut_ahead(pair.spec, pair.state)
    pair.wait(10 * SECOND)
    assert not cut_ahead(pair.spec, pair.state)


def test_a_token_in_time_ends_the_alarm() -> None:
    pair = _using(1, 3600)
    pair.wait(90 * SECOND)
    pair.credit(100)
    pair.wait(SECOND)
    assert not pair.state.cut_alarm
    assert [event.kind for event in pair.events] == [AHEAD]


def test_the_price_decides_when_money_ends() -> None:
    prices = (
        PricePeriod(starts_at=START, per_thousand=100_000),
        PricePeriod(starts_at=START + HOUR, per_thousand=400_000),
    )
    pair = VendAndMeter(
        profile=PROFILES["plain"],
        credit_kind=CreditKind.CURRENCY,
        prices=prices,
        cut_alarm_s=3600,
    )
    pair.currency_credit(300_000)
    pair.set_load(1000)
    pair.events.clear()
    pair.wait(2 * HOUR)
    # At the first price it would last three hours, so the alarm begins with the second.
    ahead, opened = pair.events
    assert (ahead.kind, ahead.at) == (AHEAD, START + HOUR)
    assert (opened.kind, opened.credit) == (OPENED, 0)
    assert timedelta() <= opened.at - START - 1.5 * HOUR < SECOND


@pytest.mark.parametrize("grade", [-1, 3])
def test_a_grade_that_there_is_not_is_refused(grade: int) -> None:
    with pytest.raises(MeterStateError, match="low_credit_grade") as caught:
        VendAndMeter().rebuild(low_credit_grade=grade)
    assert caught.value.code == "METER_STATE"
