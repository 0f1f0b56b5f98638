"""Months and days are the utility's; counters belong to their month."""

from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vending_app.domain.tariff import Counters, PaidTo, TariffContext, local_day
from vending_app.domain.tariff_errors import CounterError, CountersAheadError, TimeZoneError

MARCH = Counters(month=date(2026, 3, 1), month_tenths=123, month_purchases=2)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        (datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC), "Africa/Johannesburg", date(2026, 3, 31)),
        (datetime(2026, 3, 31, 22, 0, 0, tzinfo=UTC), "Africa/Johannesburg", date(2026, 4, 1)),
        (datetime(2026, 3, 31, 20, 59, 59, tzinfo=UTC), "Africa/Dar_es_Salaam", date(2026, 3, 31)),
        (datetime(2026, 3, 31, 21, 0, 0, tzinfo=UTC), "Africa/Dar_es_Salaam", date(2026, 4, 1)),
        (datetime(2026, 4, 1, 2, 59, tzinfo=UTC), "America/Sao_Paulo", date(2026, 3, 31)),
        # The last Sunday of March: summer time begins in London at 01:00 UTC.
        (datetime(2026, 3, 31, 23, 0, tzinfo=UTC), "Europe/London", date(2026, 4, 1)),
        (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), "Europe/London", date(2026, 2, 28)),
        (
            datetime(2026, 4, 1, 0, 30, tzinfo=timezone(timedelta(hours=9))),
            "Africa/Johannesburg",
            date(2026, 3, 31),
        ),
    ],
)
def test_the_day_is_that_of_the_utility(now: datetime, zone: str, expected: date) -> None:
    assert local_day(now, zone) == expected


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Africa", "/Africa/Cairo"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(TimeZoneError) as refused:
        local_day(datetime(2026, 3, 1, tzinfo=UTC), zone)
    assert refused.value.code == "TIME_ZONE"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(TimeZoneError):
        local_day(datetime(2026, 3, 1), "UTC")  # noqa: DTZ001 - the time that is refused


def test_a_month_goes_on_until_local_midnight() -> None:
    before = datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC)
    late = TariffContext.at(before, time_zone="Africa/Johannesburg", counters=MARCH)
    assert (late.month_tenths, late.month_purchases) == (123, 2)
    assert not late.first_purchase_of_month

    after = before + timedelta(seconds=1)
    early = TariffContext.at(after, time_zone="Africa/Johannesburg", counters=MARCH)
    assert (early.month, early.month_tenths, early.month_purchases) == (date(2026, 4, 1), 0, 0)
    assert early.first_purchase_of_month
    assert not early.first_purchase_ever


def test_somebody_new_has_bought_nothing() -> None:
    context = TariffContext.on(date(2026, 3, 2))
    assert context.first_purchase_ever
    assert context.first_purchase_of_month


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 800))
def test_counters_hold_in_their_month_and_in_no_other(day: date, later: int) -> None:
    counters = Counters(month=day.replace(day=1), month_tenths=7, month_purchases=1)
    then = day + timedelta(days=later)
    same = (then.year, then.month) == (day.year, day.month)
    assert TariffContext.on(then, counters=counters).month_tenths == (7 if same else 0)


def test_a_month_before_the_last_purchase_is_refused() -> None:
    with pytest.raises(CountersAheadError, match="2026-03") as refused:
        TariffContext.on(date(2026, 2, 28), counters=MARCH)
    assert refused.value.code == "COUNTERS_AHEAD"


@pytest.mark.parametrize(
    "fields",
    [
        {"month": date(2026, 3, 2)},
        {"month": date(2026, 3, 1), "month_tenths": -1},
        {"month": date(2026, 3, 1), "month_purchases": -1},
        {"month_tenths": 1},
        {"month_purchases": 1},
    ],
)
def test_counters_that_make_no_sense_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(CounterError) as refused:
        Counters(**fields)  # type: ignore[arg-type]  # what is wrong with them is their values
    assert refused.value.code == "TARIFF_COUNTER"


def test_what_is_paid_is_never_below_nothing() -> None:
    with pytest.raises(CounterError):
        PaidTo(date(2026, 3, 1), Fraction(-1))
