"""The keypad: twenty digits are a token, ``#NN#`` a short code, twenty seconds enough."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.codec import TOKEN_DIGITS
from sts.errors import NaiveDatetimeError
from sts.meter.errors import MeterStateError
from sts.meter.keypad import (
    EMPTY,
    INTER_DIGIT_TIME,
    KEYS,
    LONGEST_SHORT_CODE,
    Buffered,
    Cleared,
    Incomplete,
    Keypad,
    KeypadResult,
    KeyRefused,
    MeterKeyError,
    ShortCodeEntered,
    TimedOut,
    TokenEntered,
    press_key,
    wait,
)

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TOKEN: Final = "12345678901234567890"
SHORTEST: Final = timedelta(microseconds=1)


def _keyed(keys: str, *, pause: timedelta = timedelta(seconds=1)) -> tuple[Keypad, KeypadResult]:
    """Press keys one after the other; return the keypad and what the last one did."""
    keypad, now = EMPTY, NOON
    result: KeypadResult = Buffered()
    for key in keys:
        pressed = press_key(keypad, key, now=now)
        keypad, now, result = pressed.keypad, now + pause, pressed.results[-1]
    return keypad, result


# --- what a key does --------------------------------------------------------------------------

KEYED: Final[dict[str, tuple[str, bool, KeypadResult]]] = {
    "1": ("1", False, Buffered()),
    "1234": ("1234", False, Buffered()),
    TOKEN[:19]: (TOKEN[:19], False, Buffered()),
    TOKEN: ("", False, TokenEntered(digits=TOKEN)),
    TOKEN + "5": ("5", False, Buffered()),
    "*": ("", False, Buffered()),
    "1*": ("", False, Buffered()),
    "12*": ("1", False, Buffered()),
    "12*3": ("13", False, Buffered()),
    "#": ("", True, Buffered()),
    "#*": ("", False, Buffered()),
    "#1*": ("", True, Buffered()),
    "#12*": ("1", True, Buffered()),
    "##": ("", False, Cleared()),
    "#01#": ("", False, ShortCodeEntered(code="01")),
    "#7#": ("", False, ShortCodeEntered(code="7")),
    "#078#": ("", False, ShortCodeEntered(code="078")),
    "#0781": ("078", True, KeyRefused()),
    "#0781#": ("", False, ShortCodeEntered(code="078")),
    "12#": ("12", False, Incomplete(missing=18)),
    TOKEN[:19] + "#": (TOKEN[:19], False, Incomplete(missing=1)),
    TOKEN[:19] + "#0": ("", False, TokenEntered(digits=TOKEN)),
    "C": ("", False, Cleared()),
    "c": ("", False, Cleared()),
    "123C": ("", False, Cleared()),
    "#12C": ("", False, Cleared()),
    "123C4": ("4", False, Buffered()),
}


@pytest.mark.parametrize("keys", KEYED)
def test_keys_lead_to_what_the_table_says(keys: str) -> None:
    keypad, result = _keyed(keys)
    assert (keypad.digits, keypad.framed, result) == KEYED[keys]


def test_a_backspace_mends_a_wrong_digit() -> None:
    assert _keyed(TOKEN[:9] + "7*" + TOKEN[9:])[1] == TokenEntered(digits=TOKEN)


@pytest.mark.parametrize("key", ["", "a", "12", "\N{FULLWIDTH DIGIT ONE}", "\n", "+", "√", "ß"])
def test_there_are_no_other_keys(key: str) -> None:
    with pytest.raises(MeterKeyError) as refused:
        press_key(EMPTY, key, now=NOON)
    assert refused.value.code == "METER_KEY"


# --- time -------------------------------------------------------------------------------------


def test_what_is_keyed_stays_until_twenty_seconds_after_the_last_key() -> None:
    keypad = press_key(EMPTY, "1", now=NOON).keypad
    waited = wait(keypad, NOON + INTER_DIGIT_TIME - SHORTEST)
    assert (waited.keypad, waited.results) == (keypad, ())
    waited = wait(keypad, NOON + INTER_DIGIT_TIME)
    assert (waited.keypad, waited.results) == (EMPTY, (TimedOut(),))


def test_every_key_begins_the_twenty_seconds_anew() -> None:
    keypad, result = _keyed(TOKEN, pause=INTER_DIGIT_TIME - SHORTEST)
    assert (keypad, result) == (EMPTY, TokenEntered(digits=TOKEN))


@pytest.mark.parametrize("keys", ["#0781", "12#", "12*"])
def test_so_does_a_key_that_adds_nothing(keys: str) -> None:
    keypad, _ = _keyed(keys, pause=timedelta(seconds=15))
    assert keypad.last_key_at == NOON + timedelta(seconds=15) * (len(keys) - 1)


def test_a_key_after_a_time_out_is_the_first() -> None:
    keypad = press_key(EMPTY, "1", now=NOON).keypad
    pressed = press_key(keypad, "2", now=NOON + INTER_DIGIT_TIME)
    assert pressed.keypad.digits == "2"
    assert pressed.results == (TimedOut(), Buffered())


def test_nothing_is_forgotten_where_nothing_is_keyed() -> None:
    assert wait(EMPTY, NOON).results == ()
    assert wait(_keyed("1*")[0], NOON + timedelta(days=1)).results == ()


def test_a_clock_that_was_put_back_forgets_nothing() -> None:
    keypad = press_key(EMPTY, "1", now=NOON).keypad
    assert press_key(keypad, "2", now=NOON - timedelta(hours=1)).keypad.digits == "12"


def test_a_time_without_a_zone_is_refused() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(NaiveDatetimeError):
        press_key(EMPTY, "1", now=naive)
    with pytest.raises(NaiveDatetimeError):
        wait(EMPTY, naive)
    with pytest.raises(NaiveDatetimeError):
        Keypad(digits="1", last_key_at=naive)


# --- what cannot have been keyed --------------------------------------------------------------


@pytest.mark.parametrize(
    ("digits", "framed", "last_key_at"),
    [
        (TOKEN, False, NOON),
        ("0781", True, NOON),
        ("12a", False, NOON),
        ("#12", True, NOON),
        ("1", False, None),
        ("", True, None),
        ("", False, NOON),
    ],
)
def test_no_keypad_can_hold_it(digits: str, *, framed: bool, last_key_at: datetime | None) -> None:
    with pytest.raises(MeterStateError) as refused:
        Keypad(digits=digits, framed=framed, last_key_at=last_key_at)
    assert refused.value.field == "keypad"


# --- any keys at any times --------------------------------------------------------------------

_steps: Final = st.lists(
    st.tuples(
        st.sampled_from("0123456789" * 3 + "#*C"),
        st.timedeltas(min_value=timedelta(seconds=-30), max_value=timedelta(seconds=30)),
    ),
    max_size=80,
)


@given(_steps)
def test_any_keys_at_any_times_lead_to_a_keypad(steps: list[tuple[str, timedelta]]) -> None:
    keypad, now = EMPTY, NOON
    for key, pause in steps:
        now += pause
        pressed = press_key(keypad, key, now=now)
        keypad = pressed.keypad
        assert len(keypad.digits) < TOKEN_DIGITS
        for result in pressed.results:
            if isinstance(result, TokenEntered):
                assert len(result.digits) == TOKEN_DIGITS
            if isinstance(result, ShortCodeEntered):
                assert 1 <= len(result.code) <= LONGEST_SHORT_CODE
        assert keypad.last_key_at == (None if keypad.is_empty else now)


@given(st.text(alphabet="0123456789", min_size=20, max_size=20), st.sampled_from(sorted(KEYS)))
def test_a_token_is_entered_as_keyed_and_leaves_nothing(digits: str, key: str) -> None:
    keypad, result = _keyed(digits)
    assert result == TokenEntered(digits=digits)
    assert press_key(keypad, key, now=NOON) == press_key(EMPTY, key, now=NOON)
