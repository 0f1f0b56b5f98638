"""What is kept of an account between purchases, and one purchase taken out of it again."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from vending_app.domain.purchases import format_counters, parse_counters, without_purchase
from vending_app.domain.tariff import FIRST_PURCHASE, Counters, PaidTo
from vending_app.domain.tariff_errors import CounterError

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
PAID = {"basic": PaidTo(date(2026, 3, 31)), "daily": PaidTo(date(2026, 3, 2), Fraction(1, 3))}
COUNTERS = Counters(month=MARCH, month_tenths=584, month_purchases=2, paid_to=PAID)


def test_counters_are_kept_as_they_are() -> None:
    assert parse_counters(format_counters(COUNTERS)) == COUNTERS
    assert parse_counters(format_counters(FIRST_PURCHASE)) == FIRST_PURCHASE
    assert parse_counters(None) is FIRST_PURCHASE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        format_counters(COUNTERS).replace("2026-03-01", "March"),
        format_counters(COUNTERS).replace("1/3", "1/0x"),
        format_counters(COUNTERS).replace("584", '"many"'),
    ],
)
def test_what_was_not_written_here_is_refused(text: str) -> None:
    with pytest.raises(CounterError) as refusal:
        parse_counters(text)
    assert refusal.value.code == "TARIFF_COUNTER"


def test_the_last_purchase_leaves_no_trace() -> None:
    before = replace(COUNTERS, month_tenths=100, month_purchases=1)
    assert without_purchase(COUNTERS, before=before, after=COUNTERS) is before
    assert without_purchase(COUNTERS, before=FIRST_PURCHASE, after=COUNTERS) is FIRST_PURCHASE


def test_a_purchase_before_others_takes_its_share_out() -> None:
    before = Counters(month=MARCH, month_tenths=100, month_purchases=1, paid_to={})
    after = replace(before, month_tenths=150, month_purchases=2, paid_to=PAID)
    later = {**PAID, "daily": PaidTo(date(2026, 3, 9))}
    now = Counters(month=MARCH, month_tenths=230, month_purchases=4, paid_to=later)
    left = without_purchase(now, before=before, after=after)
    assert (left.month_tenths, left.month_purchases) == (180, 3)
    # What only this purchase paid is due again; what a later one paid on top stays paid.
    assert left.paid_to == {"daily": PaidTo(date(2026, 3, 9))}


def test_a_fee_goes_back_to_where_it_was_paid_before() -> None:
    before = replace(COUNTERS, paid_to={"basic": PaidTo(date(2026, 2, 28))})
    after = replace(COUNTERS, month_purchases=3)
    now = replace(after, month_purchases=4)
    assert without_purchase(now, before=before, after=after).paid_to["basic"] == PaidTo(
        date(2026, 2, 28)
    )


def test_a_fee_that_the_purchase_did_not_touch_stays_paid() -> None:
    after = replace(COUNTERS, month_purchases=3)
    now = replace(after, month_purchases=4)
    assert without_purchase(now, before=COUNTERS, after=after).paid_to == PAID


def test_a_purchase_of_another_month_leaves_this_month_alone() -> None:
    now = Counters(month=APRIL, month_tenths=70, month_purchases=1, paid_to=PAID)
    left = without_purchase(now, before=FIRST_PURCHASE, after=COUNTERS)
    assert (left.month, left.month_tenths, left.month_purchases) == (APRIL, 70, 1)


def test_the_first_purchase_of_a_month_takes_out_all_that_it_bought() -> None:
    before = replace(COUNTERS, month=date(2026, 2, 1), month_tenths=900)
    after = replace(COUNTERS, month_tenths=40, month_purchases=1)
    now = replace(COUNTERS, month_tenths=70, month_purchases=2)
    assert without_purchase(now, before=before, after=after).month_tenths == 30
