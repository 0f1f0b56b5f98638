from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.key_advice import KeyAdvice, KeyChangeReason, KeyInMeter, advise
from keys.register import (
    DeadlineKind,
    NoServingKeyError,
    deadlines,
    ends,
    expiring,
    latest,
    rollover_at,
    serving_key,
    why_not,
)
from keys.registered_key import KeyTerms, RegisteredKey, expires_at
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.errors import NaiveDatetimeError
from tests.keys.custody import NOW, registered

GROUP: Final = SupplyGroupCode(201457)
DAY: Final = timedelta(days=1)
NAIVE: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - a time without a zone is the point


def _serving(*keys: RegisteredKey, now: datetime = NOW, tenant: str = "thabaneng") -> int:
    found = serving_key(keys, GROUP, tenant=tenant, now=now)
    return int(found.record.key_revision_number)


def _key(revision: int, year: str = "2014", **terms: Any) -> RegisteredKey:
    return registered(revision=revision, base_date=BaseDate.parse(year), terms=KeyTerms(**terms))


# --- which key serves -------------------------------------------------------------------------


def test_the_latest_revision_serves() -> None:
    assert _serving(_key(1), _key(2), _key(3)) == 3
    assert _serving(_key(3), _key(1), _key(2)) == 3


def test_a_later_base_date_is_a_later_key() -> None:
    early = datetime(2020, 1, 1, tzinfo=UTC)
    assert _serving(_key(5, "1993"), _key(2, "2014"), now=early) == 2


def test_a_later_activation_is_a_later_key_if_all_have_one() -> None:
    early, late = NOW - 2 * DAY, NOW - DAY
    assert _serving(_key(1, activation=late), _key(2, activation=early)) == 1
    assert _serving(_key(1, activation=late), _key(2)) == 2
    assert _serving(*(_key(number, activation=early) for number in (1, 2, 3))) == 3


@pytest.mark.parametrize(
    ("held", "newest"),
    [
        ({1}, 1),
        ({1, 6}, 6),
        ({8, 9}, 9),
        ({9, 1}, 1),
        ({7, 8, 9, 1, 2}, 2),
        ({1, 2, 4, 9}, 2),
        (set(range(1, 10)), 9),
    ],
)
def test_after_revision_9_comes_1(held: set[int], newest: int) -> None:
    assert latest(_key(number) for number in held) == _key(newest)


@given(st.sets(st.integers(min_value=1, max_value=9), min_size=1))
def test_the_latest_is_always_one_of_them(held: set[int]) -> None:
    keys = [_key(number) for number in held]
    assert latest(keys) in keys


def test_a_key_that_is_not_yet_active_does_not_serve_yet() -> None:
    keys = (_key(1), _key(2, activation=NOW + DAY))
    assert _serving(*keys) == 1
    assert _serving(*keys, now=NOW + DAY) == 2
    assert why_not(keys[1], NOW) == "is not active before 2026-03-03T08:15:00+00:00"


def test_a_key_that_came_to_its_end_does_not_serve_any_more() -> None:
    keys = (_key(1), _key(2, issued_until=NOW + DAY))
    assert _serving(*keys) == 2
    assert _serving(*keys, now=NOW + DAY - timedelta(seconds=1)) == 2
    assert _serving(*keys, now=NOW + DAY) == 1


def test_a_key_of_a_base_date_to_come_does_not_serve_yet() -> None:
    assert _serving(_key(1), _key(2, "2035")) == 1
    assert "base date 2035" in str(why_not(_key(2, "2035"), NOW))
    assert _serving(_key(1), _key(2, "2035"), now=datetime(2035, 1, 1, tzinfo=UTC)) == 2


def test_the_key_of_another_tenant_or_group_does_not_serve() -> None:
    others = (
        registered(revision=9, tenant="another"),
        registered(group=999999, revision=9),
        _key(1),
    )
    assert _serving(*others) == 1
    assert _serving(*others, tenant="another") == 9


def test_where_no_key_serves_every_one_is_explained() -> None:
    keys = (
        registered(revision=1, base_date=BaseDate.Y1993),
        _key(2, issued_until=NOW),
        registered(revision=3, key_expiry_number=KeyExpiryNumber(90)),
        _key(4, activation=NOW + DAY),
    )
    with pytest.raises(NoServingKeyError) as refused:
        _serving(*keys)
    assert str(refused.value) == (
        "no vending key serves supply group 201457: "
        "revision 1 came to its end (tid-rollover) at 2024-11-24T20:16:00+00:00; "
        "revision 2 came to its end (issued-until) at 2026-03-02T08:15:00+00:00; "
        "revision 3 came to its end (key-expiry) at 2025-05-04T12:16:00+00:00; "
        "revision 4 is not active before 2026-03-03T08:15:00+00:00"
    )
    with pytest.raises(NoServingKeyError, match="there is none"):
        _serving()


def test_times_have_zones_and_any_zone_will_do() -> None:
    zone = timezone(timedelta(hours=2))
    assert _serving(_key(1, activation=NOW), now=NOW.astimezone(zone)) == 1
    with pytest.raises(NaiveDatetimeError):
        _serving(_key(1), now=NAIVE)
    with pytest.raises(NaiveDatetimeError):
        expiring([], now=NAIVE, within=DAY)


# --- what ends --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_date", "rollover"),
    [
        (BaseDate.Y1993, "2024-11-24T20:16:00+00:00"),
        (BaseDate.Y2014, "2045-11-24T20:16:00+00:00"),
        (BaseDate.Y2035, "2066-11-24T20:16:00+00:00"),
    ],
)
def test_a_base_date_runs_out_at_the_known_minute(base_date: BaseDate, rollover: str) -> None:
    assert rollover_at(base_date).isoformat() == rollover
    assert expires_at(KeyExpiryNumber(255), base_date) == rollover_at(base_date)


@pytest.mark.parametrize(
    ("number", "first_minute"),
    [(0, "2014-02-15T12:16:00+00:00"), (127, "2029-12-13T10:08:00+00:00")],
)
def test_a_key_expires_a_minute_after_its_last(number: int, first_minute: str) -> None:
    assert expires_at(KeyExpiryNumber(number), BaseDate.Y2014).isoformat() == first_minute


def test_all_ends_of_a_key_come_in_order() -> None:
    key = registered(
        key_expiry_number=KeyExpiryNumber(127),
        terms=KeyTerms(expiry=NOW + DAY, issued_until=NOW + 2 * DAY),
    )
    assert [deadline.kind for deadline in deadlines(key)] == [
        DeadlineKind.CENTRE_EXPIRY,
        DeadlineKind.ISSUED_UNTIL,
        DeadlineKind.KEY_EXPIRY,
        DeadlineKind.TID_ROLLOVER,
    ]
    assert [deadline.kind for deadline in ends(key)] == [
        DeadlineKind.ISSUED_UNTIL,
        DeadlineKind.KEY_EXPIRY,
        DeadlineKind.TID_ROLLOVER,
    ]
    assert {deadline.key for deadline in deadlines(key)} == {key}


def test_a_key_that_lasts_as_long_as_its_base_date_ends_once() -> None:
    assert [deadline.kind for deadline in deadlines(_key(1))] == [DeadlineKind.TID_ROLLOVER]


def test_what_ends_within_some_days_is_listed() -> None:
    keys = [
        _key(1, issued_until=NOW + 5 * DAY),
        _key(2, expiry=NOW + 2 * DAY, issued_until=NOW + 9 * DAY),
        _key(3, issued_until=NOW),
    ]
    assert [
        (int(deadline.key.record.key_revision_number), deadline.kind)
        for deadline in expiring(keys, now=NOW, within=5 * DAY)
    ] == [(2, DeadlineKind.CENTRE_EXPIRY), (1, DeadlineKind.ISSUED_UNTIL)]
    assert expiring(keys, now=NOW, within=timedelta(0)) == ()
    assert len(expiring(keys, now=NOW, within=400 * 30 * DAY)) == 6


@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=0, max_value=254))
def test_a_key_serves_until_the_first_of_its_ends_and_not_after(days: int, number: int) -> None:
    key = registered(
        key_expiry_number=KeyExpiryNumber(number), terms=KeyTerms(issued_until=NOW + days * DAY)
    )
    first = ends(key)[0].at
    assert why_not(key, first) is not None
    assert why_not(key, first - timedelta(seconds=1)) is None


# --- when a meter must change its key ---------------------------------------------------------


def _meter(**changes: object) -> KeyInMeter:
    fields: Mapping[str, object] = {
        "tenant": "thabaneng",
        "supply_group_code": GROUP,
        "key_revision_number": KeyRevisionNumber(1),
        "key_type": KeyType.UNIQUE,
        "tariff_index": TariffIndex(1),
        "base_date": BaseDate.Y2014,
        "key_expiry_number": KeyExpiryNumber(255),
    }
    return KeyInMeter(**{**fields, **changes})  # type: ignore[arg-type]  # each of its type


def _advise(meter: KeyInMeter, *keys: RegisteredKey, **wanted: Any) -> KeyAdvice:
    return advise(meter, keys or (_key(1),), now=NOW, **wanted)


def test_a_meter_with_the_right_key_needs_none() -> None:
    advice = _advise(_meter())
    assert not advice.is_needed
    assert advice.reasons == ()
    assert not advice.rollover
    assert advice.target == _key(1)
    assert advice.tariff_index == TariffIndex(1)
    assert advice.usable_until == rollover_at(BaseDate.Y2014)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key_type": KeyType.DEFAULT}, KeyChangeReason.KEY_TYPE),
        ({"key_revision_number": KeyRevisionNumber(9)}, KeyChangeReason.KEY_REVISION),
        ({"key_expiry_number": KeyExpiryNumber(200)}, KeyChangeReason.KEY_EXPIRY),
        ({"base_date": BaseDate.Y1993}, KeyChangeReason.BASE_DATE),
    ],
)
def test_each_difference_is_a_reason(change: dict[str, object], reason: KeyChangeReason) -> None:
    advice = _advise(_meter(**change))
    assert advice.reasons == (reason,)
    assert advice.is_needed
    assert advice.rollover is (reason is KeyChangeReason.BASE_DATE)


def test_another_tariff_index_or_group_may_be_wanted() -> None:
    advice = _advise(_meter(), tariff_index=TariffIndex(0))
    assert advice.reasons == (KeyChangeReason.TARIFF_INDEX,)
    assert advice.tariff_index == TariffIndex(0)
    other = registered(group=0)
    advice = _advise(_meter(), _key(1), other, supply_group_code=SupplyGroupCode(0))
    assert advice.reasons == (KeyChangeReason.SUPPLY_GROUP,)
    assert advice.target == other


def test_all_reasons_together_make_one_change() -> None:
    old = _key(1, "1993")
    target = registered(group=123456, revision=2, key_expiry_number=KeyExpiryNumber(200))
    advice = _advise(
        _meter(base_date=BaseDate.Y1993),
        old,
        target,
        supply_group_code=SupplyGroupCode(123456),
        tariff_index=TariffIndex(7),
    )
    assert advice.reasons == (
        KeyChangeReason.SUPPLY_GROUP,
        KeyChangeReason.KEY_REVISION,
        KeyChangeReason.TARIFF_INDEX,
        KeyChangeReason.KEY_EXPIRY,
        KeyChangeReason.BASE_DATE,
        KeyChangeReason.KEY_ENDED,
    )
    assert advice.rollover
    assert advice.usable_until is None


def test_what_is_not_known_of_a_meter_is_no_reason() -> None:
    assert not _advise(_meter(key_expiry_number=None)).is_needed


def test_a_manufacturers_key_has_no_base_date_to_roll_over() -> None:
    advice = _advise(_meter(key_type=KeyType.INITIALISATION, base_date=None))
    assert advice.reasons == (KeyChangeReason.KEY_TYPE,)
    assert not advice.rollover


def test_a_key_of_an_earlier_base_date_is_not_the_one_of_the_same_number() -> None:
    """The numbering comes round, and a rollover may keep the number: then nothing is known."""
    advice = _advise(_meter(base_date=BaseDate.Y1993))
    assert advice.rollover
    assert advice.reasons == (KeyChangeReason.BASE_DATE,)
    assert advice.usable_until is None


def test_a_present_key_that_ends_soon_says_when() -> None:
    advice = _advise(_meter(), _key(1, issued_until=NOW + DAY), _key(2))
    assert advice.reasons == (KeyChangeReason.KEY_REVISION,)
    assert advice.usable_until == NOW + DAY


def test_a_key_that_the_register_does_not_have_has_no_end_that_we_know() -> None:
    advice = _advise(_meter(key_revision_number=KeyRevisionNumber(3)), _key(4))
    assert advice.usable_until is None
    assert advice.reasons == (KeyChangeReason.KEY_REVISION,)


def test_without_a_key_for_the_group_there_is_no_advice() -> None:
    with pytest.raises(NoServingKeyError):
        _advise(_meter(), supply_group_code=SupplyGroupCode(5))
