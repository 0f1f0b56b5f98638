"""When a key makes tokens: the quick look at its moments says what the rules one by one say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import KeysError, RegisteredKey, VendingKeyRecord
from keys.registered_key import KeyTerms
from keys.rules import require_in_use, require_unexpired_key, require_usable
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    StsError,
    SupplyGroupCode,
)
from sts.token_identifier import LAST_TID_MINUTES, last_minute_of

MINUTE = timedelta(minutes=1)
NO_TERMS = KeyTerms()
EXPIRY = KeyExpiryNumber(40)
END = last_minute_of(EXPIRY, BaseDate.Y2014) + MINUTE


def _key(terms: KeyTerms = NO_TERMS, *, expiry: KeyExpiryNumber = EXPIRY) -> RegisteredKey:
    record = VendingKeyRecord(
        tenant="thabaneng",
        supply_group_code=SupplyGroupCode(123_456),
        key_revision_number=KeyRevisionNumber(1),
        key_type=KeyType.UNIQUE,
        key_generation_algorithm=KeyGenerationAlgorithm.DKGA04,
        base_date=BaseDate.Y2014,
        key_expiry_number=expiry,
        check_value="ABCDEF",
    )
    return RegisteredKey(record=record, terms=terms)


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except (KeysError, StsError) as error:
        return f"{error.code}: {error}"
    return "usable"


def _one_by_one(key: RegisteredKey, now: datetime, tid_minutes: int) -> str:
    def check() -> None:
        require_in_use(key.terms, now)
        require_unexpired_key(key, now, tid_minutes=tid_minutes)

    return _outcome(check)


def _moments(start: datetime, end: datetime) -> st.SearchStrategy[datetime]:
    """Return moments around both ends, to the microsecond, and some in between."""
    near = st.sampled_from([timedelta(0), timedelta(microseconds=1), MINUTE, timedelta(days=1)])
    around = st.builds(
        lambda at, by, sign: at + sign * by,
        st.sampled_from([start, end]),
        near,
        st.just(1) | st.just(-1),
    )
    span = st.timedeltas(timedelta(days=-400), end - start + timedelta(days=400))
    return around | st.builds(lambda by: start + by, span)


@given(data=st.data())
def test_the_quick_look_says_what_the_rules_say_one_by_one(data: st.DataObject) -> None:
    expiry = KeyExpiryNumber(data.draw(st.sampled_from([0, 1, 40, 255])))
    start = BaseDate.Y2014.start
    end = last_minute_of(expiry, BaseDate.Y2014) + MINUTE
    whole = _moments(start, end).map(lambda at: at.replace(microsecond=0))
    activation = data.draw(st.none() | whole)
    until = data.draw(st.none() | whole.filter(lambda at: activation is None or at > activation))
    key = _key(KeyTerms(activation=activation, issued_until=until), expiry=expiry)
    edges = sorted(each for each in (start, activation, until, end) if each is not None)
    now = data.draw(
        _moments(edges[0], edges[-1]) | st.sampled_from(edges).flatmap(lambda at: _moments(at, at))
    )
    tid = data.draw(
        st.integers(0, LAST_TID_MINUTES)
        | st.sampled_from(
            [expiry.last_tid_minutes, min(expiry.last_tid_minutes + 1, LAST_TID_MINUTES)]
        )
    )

    quick = _outcome(lambda: require_usable(key, now, tid_minutes=tid))

    assert quick == _one_by_one(key, now, tid)


@pytest.mark.parametrize(
    ("now", "tid_minutes", "outcome"),
    [
        (BaseDate.Y2014.start, 1, "usable"),
        (BaseDate.Y2014.start - timedelta(microseconds=1), 1, "BEFORE_BASE_DATE"),
        (END - timedelta(microseconds=1), 1, "usable"),
        (END, 1, "KEY_EXPIRED"),
        (END - MINUTE, EXPIRY.last_tid_minutes, "usable"),
        (END - MINUTE, EXPIRY.last_tid_minutes + 1, "KEY_EXPIRED"),
    ],
)
def test_a_key_is_usable_from_its_first_moment_to_the_last_of_its_expiry_number(
    now: datetime, tid_minutes: int, outcome: str
) -> None:
    found = _outcome(lambda: require_usable(_key(), now, tid_minutes=tid_minutes))

    assert found.partition(":")[0] == outcome


@pytest.mark.parametrize("hours", [-12, -1, 0, 14])
@pytest.mark.parametrize("key_until", [None, END - timedelta(days=2)])
@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=UTC),
        BaseDate.Y2014.start,
        END - timedelta(days=2),
        END,
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_a_moment_in_a_zone_or_without_one_is_seen_as_by_the_rules_one_by_one(
    moment: datetime, key_until: datetime | None, hours: int
) -> None:
    key = _key(KeyTerms(issued_until=key_until))
    zoned, naive = (
        moment.replace(tzinfo=zone) for zone in (timezone(timedelta(hours=hours)), None)
    )
    for now in (zoned, naive):
        quick = _outcome(partial(require_usable, key, now, tid_minutes=1))
        assert quick == _one_by_one(key, now, 1)
        assert now is zoned or quick.startswith("NAIVE_DATETIME")


def test_the_moments_of_a_key_are_the_narrowest_of_all_there_are() -> None:
    activation, until = END - timedelta(days=9), END - timedelta(days=2)

    key = _key(KeyTerms(activation=activation, issued_until=until))

    assert (key.first_moment, key.end) == (activation, until)
    assert (_key().first_moment, _key().end) == (BaseDate.Y2014.start, END)
