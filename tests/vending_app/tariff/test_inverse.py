"""Quotes by units: the least money that buys at least so much."""

from fractions import Fraction

import pytest

from tests.vending_app.tariff.making import (
    FIRST,
    MUNICIPAL,
    blocks,
    credit,
    fee,
    monthly,
    tariff,
    units,
    units_by,
    vat,
)
from vending_app.domain.tariff import Condition, Rounding, Schedule, quote, quote_units
from vending_app.domain.tariff_errors import TooManyTokensError, UnitsNotForSaleError

FREE = Condition(purchase_at_most_minor=50_00)
CHEAP_IF_SMALL = tariff(
    units_by(
        "energy",
        Schedule(blocks=blocks((None, "100")), when=FREE),
        Schedule(blocks=blocks((None, "200"))),
    )
)


@pytest.mark.parametrize(("wanted", "tendered"), [(59, 19_87), (1000, 342_16), (2000, 746_50)])
def test_so_many_units_cost_so_much(wanted: int, tendered: int) -> None:
    """5.9 kWh are rounded up from anything above 5.8: R19.87 pay for 5.80146."""
    found = quote_units(tariff(units("energy", *MUNICIPAL)), FIRST, wanted=wanted)
    assert (found.tendered.minor, found.carried) == (tendered, wanted)


def test_carried_over_units_are_paid_in_full() -> None:
    version = tariff(units("energy", *MUNICIPAL), rounding=Rounding.CARRY)
    found = quote_units(version, FIRST, wanted=59)
    # 5.9 × 342.5 = 2 020.75
    assert (found.tendered.minor, found.carried) == (20_21, 59)


def test_fees_and_taxes_come_on_top() -> None:
    version = tariff(
        monthly("basic", Fraction(98_00)),
        fee("fee", (0, 2_00)),
        units("energy", (None, "100")),
        vat("energy"),
        rounding=Rounding.CARRY,
    )
    assert quote_units(version, FIRST, wanted=1000).tendered.minor == 98_00 + 2_00 + 115_00


def test_a_fee_beyond_the_money_buys_nothing_yet() -> None:
    version = tariff(fee("fee", (0, 99)), units("energy", (None, "10")), rounding=Rounding.CARRY)
    assert quote_units(version, FIRST, wanted=1).tendered.minor == 100


def test_the_least_money_is_found_though_more_money_buys_less() -> None:
    assert quote_units(CHEAP_IF_SMALL, FIRST, wanted=500).tendered.minor == 49_91
    assert quote_units(CHEAP_IF_SMALL, FIRST, wanted=501).tendered.minor == 100_01
    assert quote(CHEAP_IF_SMALL, FIRST, tendered_minor=50_01).carried == 251


def test_currency_credit_is_bought_by_what_tokens_count() -> None:
    found = quote_units(tariff(credit()), FIRST, wanted=10_000_625)
    assert found.tendered.minor == 100_01


def test_more_than_the_largest_purchase_buys_is_refused() -> None:
    version = tariff(units("energy", (None, "100")), maximum_minor=100_00)
    assert quote_units(version, FIRST, wanted=1000).tendered.minor == 99_91
    with pytest.raises(UnitsNotForSaleError, match=r"100\.00") as refused:
        quote_units(version, FIRST, wanted=1001)
    assert refused.value.code == "UNITS_NOT_FOR_SALE"


def test_more_than_50_tokens_are_refused() -> None:
    version = tariff(units("energy", (None, "100")))
    assert len(quote_units(version, FIRST, wanted=50 * 16_383).tokens) == 50
    with pytest.raises(TooManyTokensError):
        quote_units(version, FIRST, wanted=50 * 16_383 + 1)


def test_the_smallest_purchase_is_enough_for_little() -> None:
    version = tariff(units("energy", (None, "100")), minimum_minor=50)
    assert quote_units(version, FIRST, wanted=1).tendered.minor == 50
