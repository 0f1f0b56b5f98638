"""Charges per day and month: what is due, what is caught up, how far money reaches."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vending_app.tariff.making import DAY, daily, monthly, table, tariff, units
from vending_app.domain.tariff import (
    Counters,
    PaidTo,
    PeriodCharge,
    TableRate,
    TariffContext,
    quote,
)
from vending_app.domain.tariff.periods import due
from vending_app.domain.tariff_errors import RateMissingError

DAILY = daily("daily", Fraction(200))
MONTHLY = monthly("monthly", Fraction(9800), catch_up=3)


def _context(paid: PaidTo | None, charge: PeriodCharge, day: date = DAY) -> TariffContext:
    paid_to = {} if paid is None else {charge.code: paid}
    return TariffContext.on(day, counters=Counters(paid_to=paid_to))


@pytest.mark.parametrize(
    ("charge", "paid", "expected"),
    [
        (DAILY, None, 200),
        (DAILY, PaidTo(DAY), 0),
        (DAILY, PaidTo(DAY + timedelta(days=3)), 0),
        (DAILY, PaidTo(DAY - timedelta(days=1)), 200),
        (DAILY, PaidTo(DAY - timedelta(days=29)), 5_800),
        (DAILY, PaidTo(DAY - timedelta(days=30)), 6_000),
        (DAILY, PaidTo(DAY - timedelta(days=45)), 6_000),
        (DAILY, PaidTo(date.min), 6_000),
        (DAILY, PaidTo(DAY - timedelta(days=1), Fraction(150)), 50),
        (DAILY, PaidTo(DAY - timedelta(days=45), Fraction(150)), 5_850),
        (DAILY, PaidTo(DAY - timedelta(days=1), Fraction(250)), 0),
        (MONTHLY, None, 9_800),
        (MONTHLY, PaidTo(date(2026, 3, 31)), 0),
        (MONTHLY, PaidTo(date(2026, 2, 28)), 9_800),
        (MONTHLY, PaidTo(date(2026, 1, 31)), 19_600),
        (MONTHLY, PaidTo(date(2025, 12, 31)), 29_400),
        (MONTHLY, PaidTo(date(2024, 12, 31)), 29_400),
    ],
)
def test_what_is_due(charge: PeriodCharge, paid: PaidTo | None, expected: int) -> None:
    assert due(charge, _context(paid, charge), tables={}).amount_minor == expected


def test_the_oldest_days_are_paid_first() -> None:
    owed = due(DAILY, _context(PaidTo(DAY - timedelta(days=45)), DAILY), tables={})
    assert owed.after(Fraction(2_500)) == PaidTo(DAY - timedelta(days=18), Fraction(100))
    assert owed.after(Fraction(6_000)) == PaidTo(DAY)
    assert owed.after(Fraction(0)) == PaidTo(DAY - timedelta(days=30))


def test_a_month_is_paid_to_its_last_day() -> None:
    leap = date(2028, 2, 10)
    owed = due(MONTHLY, _context(PaidTo(date(2027, 12, 31)), MONTHLY, leap), tables={})
    assert owed.after(Fraction(9_800)) == PaidTo(date(2028, 1, 31))
    assert owed.after(Fraction(19_600)) == PaidTo(date(2028, 2, 29))


def test_december_ends_a_year() -> None:
    owed = due(MONTHLY, _context(None, MONTHLY, date(2026, 12, 31)), tables={})
    assert owed.after(Fraction(9_800)) == PaidTo(date(2026, 12, 31))


def test_each_past_day_has_its_own_rate() -> None:
    by_table = daily("daily", TableRate("day"))
    rates = table("day", (date(2026, 2, 27), "100"), (date(2026, 3, 1), "200"))
    context = _context(PaidTo(date(2026, 2, 20)), by_table)
    owed = due(by_table, context, tables={"day": rates})
    # From the 21st of February nothing, as the charge began on the 27th.
    assert owed.amount_minor == 2 * 100 + 2 * 200
    assert owed.after(Fraction(250)) == PaidTo(date(2026, 2, 28), Fraction(50))


def test_a_missing_rate_is_noticed_even_when_nothing_is_due() -> None:
    by_table = daily("daily", TableRate("day"))
    with pytest.raises(RateMissingError):
        due(by_table, _context(PaidTo(DAY), by_table), tables={})


@given(
    st.builds(Fraction, st.integers(1, 9_999), st.integers(1, 97)),
    st.integers(0, 60),
    st.builds(Fraction, st.integers(0, 2_000), st.just(7)),
    st.lists(st.integers(1, 3_000), min_size=1, max_size=4),
    st.builds(Fraction, st.integers(0, 300), st.just(3)),
)
def test_what_is_paid_and_what_stays_due_are_what_was_due(
    rate: Fraction, days: int, part: Fraction, payments: list[int], cap: Fraction
) -> None:
    """However it is paid in parts, nothing is lost and nothing is paid twice."""
    charge = daily("daily", rate, largest_percent=cap)
    version = tariff(charge, units("energy", (None, "100")))
    paid = PaidTo(DAY - timedelta(days=days), part)
    context = _context(paid, charge)
    owed = due(charge, context, tables={}).amount_minor
    taken = Fraction(0)
    for amount in payments:
        found = quote(version, context, tendered_minor=amount)
        # What is not for energy is for the charge.
        taken += amount - found.paid / 10 * 100
        context = TariffContext.on(DAY, counters=found.after)
    assert taken + due(charge, context, tables={}).amount_minor == owed
    assert taken <= cap / 100 * sum(payments)
