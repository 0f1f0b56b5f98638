"""The meter warns in two grades and then without pause, and can be silenced, but not for ever."""

from datetime import timedelta
from typing import Final

import pytest

from sts.meter.alarms import alarm_of
from sts.meter.buzzer import MUTE_TIME, Alarm, Buzzer, Mute
from sts.meter.energy import cut_at
from sts.meter.indicators import Symbol
from sts.meter.profiles import PROFILES, ReconnectPolicy
from sts.meter.readouts import CodeRefused, ShortCodeFault, Shown
from sts.meter.registers import Register
from sts.meter.short_codes import ShortFunction
from sts.meter.spec import CreditKind
from tests.pair import VendAndMeter

STANDARD: Final = PROFILES["standard"]
MICROSECOND: Final = timedelta(microseconds=1)


def _with_credit(whole: int) -> VendAndMeter:
    pair = VendAndMeter(profile=STANDARD)
    pair.credit(1)
    pair.rebuild(credit=Register(whole))
    return pair


@pytest.mark.parametrize(
    ("credit_wh", "alarm", "sound"),
    [
        (20_001, Alarm.NONE, Buzzer.SILENT),
        (20_000, Alarm.LOW_CREDIT, Buzzer.ONE_BEEP_A_MINUTE),
        (5_001, Alarm.LOW_CREDIT, Buzzer.ONE_BEEP_A_MINUTE),
        (5_000, Alarm.VERY_LOW_CREDIT, Buzzer.TWO_BEEPS_A_MINUTE),
        (1, Alarm.VERY_LOW_CREDIT, Buzzer.TWO_BEEPS_A_MINUTE),
    ],
)
def test_low_credit_warns_in_two_grades(credit_wh: int, alarm: Alarm, sound: Buzzer) -> None:
    pair = _with_credit(credit_wh)
    assert alarm_of(pair.spec, pair.state) is alarm
    seen = pair.face().indicators
    assert (seen.alarm, seen.buzzer) == (alarm, sound)
    assert (Symbol.LOW_CREDIT in seen.symbols) is (alarm is not Alarm.NONE)


def test_half_a_minute_before_the_cut_the_alarm_begins() -> None:
    pair = _with_credit(100)
    pair.set_load(1000)
    cut = cut_at(pair.spec, pair.state)
    assert cut is not None
    pair.wait(cut - timedelta(seconds=30) - MICROSECOND - pair.now)
    assert alarm_of(pair.spec, pair.state) is Alarm.VERY_LOW_CREDIT
    pair.wait(MICROSECOND)
    assert alarm_of(pair.spec, pair.state) is Alarm.CUT_AHEAD
    assert pair.face().indicators.buzzer is Buzzer.FAST_BEEPS
    pair.wait(timedelta(seconds=30))
    assert alarm_of(pair.spec, pair.state) is Alarm.NONE


def test_where_supply_is_off_there_is_nothing_to_warn_of() -> None:
    pair = VendAndMeter(profile=STANDARD, reconnect=ReconnectPolicy.BUTTON)
    pair.credit(1)
    assert alarm_of(pair.spec, pair.state) is Alarm.NONE
    pair.press()
    assert alarm_of(pair.spec, pair.state) is Alarm.VERY_LOW_CREDIT
    pair.lose_power()
    assert alarm_of(pair.spec, pair.state) is Alarm.NONE


def test_a_currency_meter_has_levels_of_its_own() -> None:
    units, money = (
        VendAndMeter(profile=STANDARD),
        VendAndMeter(profile=STANDARD, credit_kind=CreditKind.CURRENCY),
    )
    assert units.spec.levels != money.spec.levels
    money.currency_credit(4_000_000)
    assert alarm_of(money.spec, money.state) is Alarm.LOW_CREDIT


# --- silence ----------------------------------------------------------------------------------


def test_a_short_code_silences_the_alarm_for_half_a_day() -> None:
    pair = _with_credit(10_000)
    answer = pair.keys("#91#")
    assert answer.short_code == Shown(
        code="91", function=ShortFunction.MUTE_ALARM, blocks=(("ALARM OFF", "for 12 hours"),)
    )
    assert pair.face().lines[:2] == ("ALARM OFF", "for 12 hours")
    assert pair.face().indicators.buzzer is Buzzer.SILENT
    assert Symbol.MUTED in pair.face().indicators.symbols
    pair.wait(MUTE_TIME)
    assert pair.face().indicators.buzzer is Buzzer.ONE_BEEP_A_MINUTE


def test_a_graver_alarm_is_heard_again() -> None:
    pair = _with_credit(10_000)
    pair.short_code("91")
    pair.rebuild(credit=Register(1000))
    assert pair.face().indicators.buzzer is Buzzer.TWO_BEEPS_A_MINUTE


def test_where_nothing_sounds_nothing_can_be_silenced() -> None:
    pair = _with_credit(30_000)
    assert pair.short_code("91").short_code == CodeRefused(code="91", fault=ShortCodeFault.NOT_NOW)
    assert pair.volatile.mute is None


def test_silence_ends_with_the_power() -> None:
    pair = _with_credit(10_000)
    pair.short_code("91")
    assert pair.volatile.mute == Mute(Alarm.LOW_CREDIT, pair.now + MUTE_TIME)
    pair.lose_power()
    pair.return_power()
    assert pair.face().indicators.buzzer is Buzzer.ONE_BEEP_A_MINUTE
