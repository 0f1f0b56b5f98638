"""Lamps, symbols and the buzzer are what the state says."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.errors import NaiveDatetimeError
from sts.meter.buzzer import MUTE_TIME, SOUNDS, Alarm, Buzzer, Mute, sound_of
from sts.meter.errors import MeterStateError
from sts.meter.indicators import (
    WITHOUT_POWER,
    Condition,
    Indicators,
    SupplyLamp,
    Symbol,
    indicators_of,
    next_pulse_in,
    pulses_between,
    supply_lamp,
)
from sts.meter.registers import FINE_PARTS, PER_THOUSAND, Register
from tests.pair import START, VendAndMeter

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _seen(pair: VendAndMeter, **condition: Any) -> Indicators:
    return indicators_of(pair.state, Condition(**condition), now=START)


# --- the supply lamp --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("powered", "relay_closed", "lamp"),
    [
        (True, True, SupplyLamp.STEADY),
        (True, False, SupplyLamp.FLASHING),
        (False, True, SupplyLamp.DARK),
        (False, False, SupplyLamp.DARK),
    ],
)
def test_the_supply_lamp(*, powered: bool, relay_closed: bool, lamp: SupplyLamp) -> None:
    assert supply_lamp(powered=powered, relay_closed=relay_closed) is lamp


# --- the rate lamp ----------------------------------------------------------------------------


def test_a_kilowatt_hour_is_a_thousand_pulses() -> None:
    assert pulses_between(Register(0), Register(1000)) == 1000
    assert pulses_between(Register(7, FINE_PARTS - 1), Register(8)) == 1
    assert pulses_between(Register(7), Register(7, FINE_PARTS - 1)) == 0


def test_what_is_fed_back_flashes_too() -> None:
    assert pulses_between(Register(5), Register(-5)) == 10


@pytest.mark.parametrize("rate", [0, -1])
def test_without_flow_there_is_no_next_pulse(rate: int) -> None:
    assert next_pulse_in(Register(), rate) is None


def test_a_kilowatt_makes_a_pulse_every_three_point_six_seconds() -> None:
    assert next_pulse_in(Register(), 1000) == timedelta(seconds=3, milliseconds=600)


@given(
    st.integers(min_value=0, max_value=FINE_PARTS - 1),
    st.integers(min_value=1, max_value=1_000_000),
)
def test_the_next_pulse_comes_at_that_microsecond_and_not_before(carry: int, rate: int) -> None:
    before = Register(3, carry)
    wait = next_pulse_in(before, rate)
    assert wait is not None
    microseconds = wait // timedelta(microseconds=1)
    late, early = (
        before.plus_fine(rate * length * PER_THOUSAND)
        for length in (microseconds, microseconds - 1)
    )
    assert pulses_between(before, late) >= 1
    assert pulses_between(before, early) == 0


def test_pulses_are_those_of_the_meter_s_own_register() -> None:
    pair = VendAndMeter()
    pair.credit(100)
    pair.set_load(1000)
    before = pair.state
    pair.wait(timedelta(hours=1))
    assert pulses_between(before.consumed, pair.state.consumed) == 1000


# --- the buzzer -------------------------------------------------------------------------------


def test_every_alarm_has_a_sound_of_its_gravity() -> None:
    assert set(SOUNDS) == set(Alarm)
    assert sound_of(Alarm.NONE, None, now=NOON) is Buzzer.SILENT
    assert sound_of(Alarm.CUT_AHEAD, None, now=NOON) is Buzzer.FAST_BEEPS


@pytest.mark.parametrize("alarm", list(Alarm)[1:])
def test_a_muted_alarm_is_silent_until_its_time_and_a_graver_one_is_heard(alarm: Alarm) -> None:
    mute = Mute(alarm, NOON + MUTE_TIME)
    for other in list(Alarm)[1:]:
        heard = Buzzer.SILENT if other <= alarm else SOUNDS[other]
        assert sound_of(other, mute, now=NOON) is heard
        assert sound_of(other, mute, now=NOON + MUTE_TIME) is SOUNDS[other]


def test_silence_cannot_be_muted() -> None:
    with pytest.raises(MeterStateError):
        Mute(Alarm.NONE, NOON)


def test_a_mute_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetimeError):
        Mute(Alarm.LOW_CREDIT, NOON.replace(tzinfo=None))


# --- all of them ------------------------------------------------------------------------------


def test_a_new_meter_flashes_and_has_no_credit() -> None:
    assert _seen(VendAndMeter()) == Indicators(
        supply=SupplyLamp.FLASHING,
        symbols=frozenset({Symbol.NO_CREDIT, Symbol.RELAY_OPEN}),
        alarm=Alarm.NONE,
        buzzer=Buzzer.SILENT,
    )


def test_a_meter_with_credit_shines() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    seen = _seen(pair)
    assert (seen.supply, seen.symbols) == (SupplyLamp.STEADY, frozenset())


def test_a_meter_without_power_shows_nothing() -> None:
    pair = VendAndMeter()
    assert _seen(pair, powered=False, alarm=Alarm.CUT_AHEAD, locked_out=True) == WITHOUT_POWER


@pytest.mark.parametrize(
    ("condition", "symbol"),
    [
        ({"alarm": Alarm.LOW_CREDIT}, Symbol.LOW_CREDIT),
        ({"alarm": Alarm.VERY_LOW_CREDIT}, Symbol.LOW_CREDIT),
        ({"alarm": Alarm.CUT_AHEAD}, Symbol.LOW_CREDIT),
        ({"alarm": Alarm.OVERLOAD}, Symbol.OVERLOAD),
        ({"locked_out": True}, Symbol.WAIT),
        ({"emergency_taken": True}, Symbol.EMERGENCY_CREDIT),
    ],
)
def test_a_condition_has_its_symbol(condition: dict[str, Any], symbol: Symbol) -> None:
    pair = VendAndMeter()
    pair.credit(10)
    assert _seen(pair, **condition).symbols == {symbol}


def test_tamper_has_its_symbol() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    pair.tamper()
    assert _seen(pair).symbols == {Symbol.TAMPER, Symbol.RELAY_OPEN}


def test_a_muted_alarm_is_seen_but_not_heard() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    mute = Mute(Alarm.LOW_CREDIT, START + MUTE_TIME)
    seen = _seen(pair, alarm=Alarm.LOW_CREDIT, mute=mute)
    assert seen.symbols == {Symbol.LOW_CREDIT, Symbol.MUTED}
    assert seen.buzzer is Buzzer.SILENT
    assert Symbol.MUTED not in _seen(pair, mute=mute).symbols
