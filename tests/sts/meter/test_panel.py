"""The front of the meter: keys in, lines and lamps out."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.errors import NaiveDatetimeError
from sts.meter.events import EventKind
from sts.meter.indicators import SupplyLamp, Symbol
from sts.meter.keypad import EMPTY, KEYS, Buffered, Incomplete, MeterKeyError, TimedOut
from sts.meter.lcd import COLUMNS, LINES
from sts.meter.outcomes import Accepted
from sts.meter.panel import key, short_code
from sts.meter.readouts import CodeRefused, ShortCodeFault, Shown
from sts.meter.results import ResultCode
from sts.meter.short_codes import ShortFunction
from sts.tokens import Service
from tests.pair import START, VendAndMeter

WRONG: Final = "00000000000000000001"


def _sold(tenths: int = 59) -> tuple[VendAndMeter, str]:
    """Return a meter with 10 units, and a token that has not been entered."""
    pair = VendAndMeter()
    pair.credit(100)
    before = pair.state
    pair.credit(tenths)
    pair.state = before
    return pair, pair.digits


# --- keys -------------------------------------------------------------------------------------


def test_the_twentieth_digit_enters_the_token() -> None:
    pair, digits = _sold()
    almost = pair.keys(digits[:19], pause=timedelta(seconds=1))
    assert almost.reaction is None
    assert pair.state.credit.whole == 10_000
    done = pair.keys(digits[19])
    assert done.digits == digits
    assert done.reaction is not None
    assert isinstance(done.reaction.outcome, Accepted)
    assert pair.state.credit.whole == 15_900
    assert pair.volatile.keypad == EMPTY


def test_keys_and_a_whole_token_come_to_the_same() -> None:
    pair, digits = _sold()
    other, _ = _sold()
    pair.keys(digits)
    other.enter(digits)
    assert pair.state == other.state


def test_what_keys_lead_to_is_shown_at_once() -> None:
    pair, digits = _sold()
    pair.keys(digits[:10])
    assert pair.face().lines == (
        "ENTER TOKEN    10/20",
        f"{_grouped(digits[:10])}__",
        "____ ____",
        "",
    )
    pair.keys("*")
    assert pair.face().lines[0] == "ENTER TOKEN     9/20"
    pair.keys("C#1")
    assert pair.face().lines[:2] == ("SHORT CODE", "#1_")


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def test_the_answer_then_the_amount_then_rest() -> None:
    pair, digits = _sold()
    pair.keys(digits)
    seen = []
    for _ in range(9):
        seen.append(pair.face().lines[:2])
        pair.wait(timedelta(seconds=1))
    assert seen == [("ACCEPT", "")] * 3 + [("AMOUNT", "5.9 kWh")] * 5 + [("CREDIT", "15.900 kWh")]


def test_a_refusal_is_shown_with_its_reason() -> None:
    pair = VendAndMeter()
    pair.keys(WRONG)
    assert pair.face().lines == ("REJECT 13", "Wrong digits, or a", "token for another", "meter.")


def test_too_few_digits_are_counted_and_can_be_completed() -> None:
    pair, digits = _sold()
    asked = pair.keys(f"{digits[:18]}#")
    assert asked.results == (Incomplete(missing=2),)
    assert pair.face().lines[3] == "2 digits missing"
    pair.wait(timedelta(seconds=3))
    assert pair.face().lines[3] == ""
    assert pair.keys(digits[18:]).digits == digits


def test_twenty_seconds_without_a_key_and_the_display_is_at_rest() -> None:
    pair, _ = _sold()
    pair.keys("123")
    pair.wait(timedelta(seconds=19))
    assert pair.face().lines[0] == "ENTER TOKEN     3/20"
    pair.wait(timedelta(seconds=1))
    assert pair.face().lines[0] == "CREDIT"
    assert pair.keys("4").results == (TimedOut(), Buffered())


def test_a_key_takes_an_answer_off_the_display() -> None:
    pair = VendAndMeter()
    pair.keys(f"{WRONG}1")
    assert pair.face().lines[0] == "ENTER TOKEN     1/20"


def test_clearing_brings_the_display_to_its_first_page() -> None:
    pair, _ = _sold()
    pair.keys("12C")
    assert pair.face().lines[:2] == ("CREDIT", "10.000 kWh")
    pair.wait(timedelta(seconds=4))
    assert pair.face().lines[0] == "POWER NOW"


def test_a_wrong_key_changes_nothing() -> None:
    pair = VendAndMeter()
    pair.keys("12")
    with pytest.raises(MeterKeyError):
        pair.keys("x")
    assert pair.volatile.keypad.digits == "12"


def test_time_passes_before_a_key_counts() -> None:
    pair = VendAndMeter()
    pair.credit(1)
    pair.set_load(1000)
    answer = pair.keys("1", pause=timedelta(hours=1))
    assert [event.kind for event in answer.events] == [EventKind.RELAY_OPENED]
    assert answer.state.advanced_to == pair.now


def test_events_of_a_token_follow_those_of_the_time_before() -> None:
    pair, digits = _sold()
    pair.set_load(10_000)
    pair.keys(digits[:19])
    pair.now += timedelta(seconds=19)
    pair.clear_credit()
    answer = pair.keys(digits[19])
    assert [event.kind for event in answer.events] == [EventKind.RELAY_CLOSED]


def test_a_time_without_a_zone_is_refused() -> None:
    pair = VendAndMeter()
    naive = START.replace(tzinfo=None)
    with pytest.raises(NaiveDatetimeError):
        key(pair.panel, "1", now=naive)
    with pytest.raises(NaiveDatetimeError):
        short_code(pair.panel, "01", now=naive)


# --- lock-out ---------------------------------------------------------------------------------


def test_during_a_lock_out_everything_can_be_keyed() -> None:
    pair, digits = _sold()
    for _ in range(3):
        pair.keys(WRONG)
    answer = pair.keys(digits)
    assert answer.reaction is not None
    assert answer.reaction.outcome.code is ResultCode.TOKEN_LOCKOUT
    assert pair.face().lines[0] == "REJECT 15"
    pair.test(4)
    assert pair.state.last_result is ResultCode.ACCEPT
    pair.keys("#01#")
    assert pair.face().lines[:2] == ("CREDIT", "10.000 kWh")


def test_at_rest_the_display_counts_the_lock_out_down() -> None:
    pair = VendAndMeter()
    for _ in range(3):
        pair.keys(WRONG)
    pair.keys("C")
    assert pair.face().lines[:2] == ("WAIT", "0 min 10 s")
    assert Symbol.WAIT in pair.face().indicators.symbols
    pair.wait(timedelta(seconds=1, milliseconds=500))
    assert pair.face().lines[:2] == ("WAIT", "0 min 09 s")
    pair.wait(timedelta(seconds=9))
    assert Symbol.WAIT not in pair.face().indicators.symbols


# --- short codes ------------------------------------------------------------------------------


def test_a_short_code_between_two_frames_is_answered() -> None:
    pair, _ = _sold()
    answer = pair.keys("#01#")
    assert answer.short_code == Shown(
        code="01", function=ShortFunction.CREDIT, blocks=(("CREDIT", "10.000 kWh"),)
    )
    assert pair.face().lines[:2] == ("CREDIT", "10.000 kWh")


def test_keys_and_a_whole_code_come_to_the_same() -> None:
    pair, _ = _sold()
    other, _ = _sold()
    assert pair.keys("#12#").short_code == other.short_code("12").short_code
    assert pair.volatile == other.volatile


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("77", ShortCodeFault.UNKNOWN),
        ("15", ShortCodeFault.NOT_IN_METER),
        ("91", ShortCodeFault.NOT_NOW),
    ],
)
def test_a_refused_code_changes_nothing_but_the_display(code: str, fault: ShortCodeFault) -> None:
    pair = VendAndMeter()
    before = pair.state
    answer = pair.keys(f"#{code}#")
    assert answer.short_code == CodeRefused(code=code, fault=fault)
    assert pair.state == before
    assert pair.face().lines[0] == f"CODE {code}"


def test_a_whole_code_takes_away_what_was_keyed() -> None:
    pair = VendAndMeter()
    pair.keys("123")
    pair.short_code("00")
    assert pair.volatile.keypad == EMPTY


# --- what one sees ----------------------------------------------------------------------------


def test_the_lamp_is_steady_with_supply_and_flashes_without() -> None:
    pair = VendAndMeter()
    assert pair.face().indicators.supply is SupplyLamp.FLASHING
    pair.credit(1)
    assert pair.face().indicators.supply is SupplyLamp.STEADY


def test_a_waiting_key_change_is_shown_at_rest() -> None:
    pair = VendAndMeter()
    first, *_ = pair.key_change_digits({})
    pair.keys(first)
    pair.wait(timedelta(seconds=3))
    assert pair.face().lines[:2] == ("KEY CHANGE", "Enter part 2, 3, 4.")


_acts: Final = st.lists(
    st.one_of(
        st.sampled_from(sorted(KEYS)),
        st.just(WRONG),
        st.sampled_from(["#01#", "#08#", "#90#", "#91#", "#99#"]),
        st.just("token"),
        st.timedeltas(timedelta(), timedelta(minutes=1)),
    ),
    max_size=40,
)


@given(st.sampled_from([Service.ELECTRICITY, Service.WATER]), _acts)
def test_any_keys_at_any_times_leave_a_meter_that_shows_something(
    service: Service, acts: list[str | timedelta]
) -> None:
    pair = VendAndMeter(service=service)
    for act in acts:
        if isinstance(act, timedelta):
            pair.wait(act)
        elif act == "token":
            state = pair.state
            pair.credit(1)
            pair.state = state
            pair.keys(pair.digits)
        else:
            pair.keys(act)
        lines = pair.face().lines
        assert len(lines) == LINES
        assert all(len(line) <= COLUMNS for line in lines)
        assert any(lines)
        assert len(pair.volatile.keypad.digits) < 20
