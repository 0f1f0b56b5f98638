"""The lock-out at work: which tokens count, which still get in, and what ends it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.codec import insert_class
from sts.identifiers import KeyExpiryNumber, KeyType
from sts.meter.acceptance import is_for_one_meter
from sts.meter.events import EventKind
from sts.meter.lockout import FREE_REFUSALS, MOST_REFUSALS, NO_LOCKOUT, Lockout
from sts.meter.outcomes import Outcome, PartStored, Refused
from sts.meter.registers import LARGEST_REGISTER, Register
from sts.meter.results import ResultCode
from sts.tokens import InitiateMeterTest, Service
from tests.pair import START, VendAndMeter

LOCKOUT: Final = ResultCode.TOKEN_LOCKOUT
WRONG: Final = f"{insert_class(0x0123_4567_89AB_CDEF, 0):020d}"
"""A token of class 0 for some other meter."""
MICROSECOND: Final = timedelta(microseconds=1)


def _locked(refusals: int = 3) -> VendAndMeter:
    """Return a meter on which so many wrong tokens have been keyed at once."""
    pair = VendAndMeter()
    for count in range(refusals):
        pair.rebuild(lockout=_over(count))
        assert pair.enter(WRONG).code is ResultCode.CRC_ERROR
    return pair


def _over(refusals: int) -> Lockout:
    """Return the lock-out after so many refusals, at the end of its time."""
    until = START if refusals > FREE_REFUSALS else None
    return Lockout(refusals=min(refusals, MOST_REFUSALS), until=until)


# --- what locks -------------------------------------------------------------------------------


def test_after_three_wrong_tokens_even_a_good_one_is_turned_away() -> None:
    pair = _locked()
    before = pair.state
    assert pair.credit(10).code is LOCKOUT
    assert pair.state.credit == before.credit
    assert pair.state.tid_store == before.tid_store


def test_it_is_taken_when_the_time_is_over_and_not_a_microsecond_before() -> None:
    pair = _locked()
    pair.credit(10)
    pair.wait(timedelta(seconds=10) - MICROSECOND)
    assert pair.enter(pair.digits).code is LOCKOUT
    pair.wait(MICROSECOND)
    assert pair.enter(pair.digits).code is ResultCode.ACCEPT


def test_the_refusal_says_until_when() -> None:
    outcome = _locked().credit(10)
    assert isinstance(outcome, Refused)
    assert outcome.reason == (
        f"locked out until {START + timedelta(seconds=10)} after 3 refused tokens"
    )


def test_a_token_that_was_turned_away_does_not_prolong_the_lock_out() -> None:
    pair = _locked()
    before = pair.state.lockout
    for _ in range(5):
        assert pair.enter(WRONG).code is LOCKOUT
    assert pair.state.lockout == before
    assert pair.state.last_result is LOCKOUT


@pytest.mark.parametrize(
    ("refusals", "seconds"), [(3, 10), (4, 20), (5, 40), (9, 640), (10, 1280), (12, 1280)]
)
def test_each_further_wrong_token_doubles_the_time(refusals: int, seconds: int) -> None:
    pair = _locked(refusals)
    assert pair.state.lockout.remaining(pair.now) == timedelta(seconds=seconds)


def test_every_lock_out_is_an_event() -> None:
    pair = _locked(4)
    assert [event.kind for event in pair.events] == [EventKind.LOCKED_OUT] * 2
    assert pair.events[0].at == START
    assert pair.events[0].cause is None


# --- what counts ------------------------------------------------------------------------------


def _old() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter(tid_of_manufacture=1000)
    return pair, pair.credit(1, tid=5)


def _used() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter()
    pair.credit(1)
    return pair, pair.enter(pair.digits)


def _expired() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter(key_expiry_number=0)
    return pair, pair.credit(1)


def _default_key() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter(key_type=KeyType.DEFAULT)
    return pair, pair.credit(1)


def _overflow() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter()
    pair.rebuild(credit=Register(LARGEST_REGISTER - 99))
    return pair, pair.credit(1)


def _function() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter()
    return pair, pair.credit(1, service=Service.WATER)


def _reserved() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter()
    return pair, pair.reserved(0, 15)


def _key_type() -> tuple[VendAndMeter, Outcome]:
    pair = VendAndMeter()
    return pair, pair.change_key({"key_type": KeyType.INITIALISATION})[-1]


COUNTED: Final[dict[ResultCode, Callable[[], tuple[VendAndMeter, Outcome]]]] = {
    ResultCode.OLD_ERROR: _old,
    ResultCode.USED_ERROR: _used,
    ResultCode.KEY_EXPIRED_ERROR: _expired,
    ResultCode.DDTK_ERROR: _default_key,
    ResultCode.OVERFLOW_ERROR: _overflow,
    ResultCode.FUNCTION_ERROR: _function,
    ResultCode.KEY_TYPE_ERROR: _key_type,
}


@pytest.mark.parametrize("code", COUNTED)
def test_every_refused_token_for_one_meter_counts_whatever_the_reason(code: ResultCode) -> None:
    pair, outcome = COUNTED[code]()
    assert outcome.code is code
    assert pair.state.lockout == Lockout(refusals=1)


def test_an_unknown_subclass_counts_too() -> None:
    pair, outcome = _reserved()
    assert outcome.code is ResultCode.FUNCTION_ERROR
    assert pair.state.lockout == Lockout(refusals=1)


NOT_COUNTED: Final = {
    "too few digits": "123",
    "letters": "1234567890123456789x",
    "above 66 bits": "99999999999999999999",
    "class 3": f"{insert_class(5, 3):020d}",
}


@pytest.mark.parametrize("name", NOT_COUNTED)
def test_what_is_no_token_for_one_meter_does_not_count(name: str) -> None:
    pair = VendAndMeter()
    for _ in range(4):
        outcome = pair.enter(NOT_COUNTED[name])
        assert isinstance(outcome, Refused)
        assert outcome.code is not LOCKOUT
    assert pair.state.lockout == NO_LOCKOUT
    assert not pair.events


def test_a_test_of_another_make_does_not_count() -> None:
    pair = VendAndMeter()
    for _ in range(4):
        outcome = pair.proprietary_test(6, 9999)
        assert outcome.code is ResultCode.MANUFACTURER_CODE_ERROR
    assert pair.state.lockout == NO_LOCKOUT


@pytest.mark.parametrize(
    ("token_class", "expected"), [(0, True), (1, False), (2, True), (3, False)]
)
def test_classes_0_and_2_are_for_one_meter(token_class: int, *, expected: bool) -> None:
    assert is_for_one_meter(f"{insert_class(77, token_class):020d}") is expected


# --- what still gets in -----------------------------------------------------------------------


def test_tests_for_any_meter_are_performed_during_a_lock_out() -> None:
    pair = _locked()
    before = pair.state.lockout
    assert pair.test(4).code is ResultCode.ACCEPT
    assert pair.state.lockout == before


def test_digits_that_are_no_token_are_answered_as_ever() -> None:
    assert _locked().enter("123").code is ResultCode.FORMAT_ERROR


# --- what ends it -----------------------------------------------------------------------------


def test_a_good_token_begins_the_count_anew() -> None:
    pair = _locked(2)
    assert pair.credit(1).code is ResultCode.ACCEPT
    assert pair.state.lockout == NO_LOCKOUT


def test_so_does_a_stored_part_of_a_key_change() -> None:
    pair = _locked(2)
    (first, *_) = pair.key_change_digits({})
    assert isinstance(pair.enter(first), PartStored)
    assert pair.state.lockout == NO_LOCKOUT


def test_a_test_for_any_meter_does_not() -> None:
    pair = _locked(2)
    pair.vend(InitiateMeterTest.for_tests([4]))
    assert pair.state.lockout == Lockout(refusals=2)


def test_time_alone_does_not() -> None:
    pair = _locked()
    pair.wait(timedelta(days=30))
    assert pair.enter(WRONG).code is ResultCode.CRC_ERROR
    assert pair.state.lockout.remaining(pair.now) == timedelta(seconds=20)


def test_an_expired_key_does_not_open_a_way_around() -> None:
    pair = _locked()
    expired = replace(pair.state.key_register, key_expiry_number=KeyExpiryNumber(0))
    pair.rebuild(key_register=expired)
    assert pair.credit(1).code is LOCKOUT


@given(st.lists(st.sampled_from(["wrong", "wait", "good", "test"]), max_size=25))
def test_nobody_gets_more_tries_than_the_lock_out_allows(steps: list[str]) -> None:
    """Between two decrypted wrong tokens in a row lies at least the time of the lock-out."""
    pair = VendAndMeter()
    in_a_row = 0
    allowed_at = pair.now
    for step in steps:
        if step == "wait":
            pair.wait(timedelta(seconds=15))
        elif step == "test":
            assert pair.test(4).code is ResultCode.ACCEPT
        elif step == "good":
            if pair.credit(1).code is ResultCode.ACCEPT:
                assert pair.now >= allowed_at
                in_a_row, allowed_at = 0, pair.now
        elif pair.enter(WRONG).code is not LOCKOUT:
            assert pair.now >= allowed_at
            in_a_row += 1
            seconds = 0 if in_a_row < 3 else min(10 << (in_a_row - 3), 1280)
            allowed_at = pair.now + timedelta(seconds=seconds)
