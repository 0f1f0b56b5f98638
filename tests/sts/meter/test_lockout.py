"""The lock-out: two wrong tokens cost nothing, a third ten seconds, each further one twice that."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.errors import NaiveDatetimeError
from sts.meter.errors import MeterStateError
from sts.meter.lockout import (
    LONGEST_TIME,
    MOST_REFUSALS,
    NO_LOCKOUT,
    Lockout,
    after_refusal,
    time_after,
)

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHORTEST: Final = timedelta(microseconds=1)

SECONDS: Final = (0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 1280, 1280, 1280)
"""Refusals in a row to the seconds for which no token is taken."""


@pytest.mark.parametrize(("refusals", "seconds"), list(enumerate(SECONDS)))
def test_the_third_refusal_locks_and_each_further_one_for_twice_as_long(
    refusals: int, seconds: int
) -> None:
    assert time_after(refusals) == timedelta(seconds=seconds)
    lockout = NO_LOCKOUT
    for _ in range(refusals):
        lockout = after_refusal(lockout, NOON)
    assert lockout.remaining(NOON) == timedelta(seconds=seconds)


def test_a_lock_out_ends_to_the_microsecond() -> None:
    lockout = Lockout(refusals=3, until=NOON + timedelta(seconds=10))
    assert lockout.is_active(NOON + timedelta(seconds=10) - SHORTEST)
    assert not lockout.is_active(NOON + timedelta(seconds=10))


def test_the_count_stays_when_the_time_is_over() -> None:
    locked = Lockout(refusals=3, until=NOON)
    assert after_refusal(locked, NOON).remaining(NOON) == timedelta(seconds=20)


def test_where_nothing_was_refused_there_is_no_lock_out() -> None:
    assert not NO_LOCKOUT.is_active(NOON)
    assert NO_LOCKOUT.remaining(NOON) == timedelta()


@pytest.mark.parametrize(
    ("refusals", "until"),
    [(-1, None), (MOST_REFUSALS + 1, NOON), (0, NOON), (2, NOON), (3, None)],
)
def test_no_refusals_lead_there(refusals: int, until: datetime | None) -> None:
    with pytest.raises(MeterStateError) as refused:
        Lockout(refusals=refusals, until=until)
    assert refused.value.field == "lockout"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetimeError):
        Lockout(refusals=3, until=NOON.replace(tzinfo=None))


@given(st.lists(st.timedeltas(timedelta(), timedelta(days=1)), max_size=30))
def test_a_lock_out_never_lasts_longer_than_the_longest(pauses: list[timedelta]) -> None:
    lockout, now = NO_LOCKOUT, NOON
    for pause in pauses:
        now += pause
        lockout = after_refusal(lockout, now)
        assert lockout.remaining(now) <= LONGEST_TIME
        assert lockout.remaining(now) == time_after(lockout.refusals)


def test_at_the_end_of_the_calendar_a_lock_out_ends_with_it() -> None:
    latest = datetime.max.replace(tzinfo=UTC)
    locked = after_refusal(Lockout(refusals=2), latest)
    assert locked.until == latest
