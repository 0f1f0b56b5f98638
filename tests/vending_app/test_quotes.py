from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts import encode_amount
from sts.errors import AmountTooLargeError
from vending_app.domain.errors import (
    AmountAboveMaximumError,
    AmountBelowMinimumError,
    TariffError,
)
from vending_app.domain.money import Currency
from vending_app.domain.quotes import format_per_cent, format_tenths_kwh, quote
from vending_app.domain.tariffs import FlatTariff

ZAR = Currency("ZAR", 2)


def _tariff(**changes: Any) -> FlatTariff:
    fields: dict[str, Any] = {
        "name": "Home",
        "currency": ZAR,
        "price_minor_per_kwh": Fraction(685, 2),
        "tax_name": "VAT",
        "tax_basis_points": 1500,
        "minimum_minor": 500,
        "maximum_minor": 500_000,
    }
    return FlatTariff(**fields | changes)


TARIFFS = st.builds(
    lambda price, tax: _tariff(
        price_minor_per_kwh=price, tax_basis_points=tax, minimum_minor=1, maximum_minor=10**9
    ),
    st.fractions(Fraction(1, 1000), 10**6).filter(bool),
    st.integers(0, 10_000),
)


def test_twenty_rand_of_the_story_buy_5_9_kwh() -> None:
    found = quote(_tariff(), 2000)
    assert found.energy.tenths == 59
    assert found.energy_paid_kwh == Fraction(2000, 1) / Fraction(685, 2)
    assert [(line.label, line.amount_minor) for line in found.lines] == [
        ("Electricity", 1739),
        ("VAT 15 %", 261),
    ]


def test_without_tax_there_is_no_line_for_it() -> None:
    found = quote(_tariff(tax_basis_points=0), 2000)
    assert [(line.kind, line.amount_minor) for line in found.lines] == [("energy", 2000)]


def test_an_amount_that_fits_a_step_is_not_rounded() -> None:
    assert quote(_tariff(), 685).rounding_kwh == 0


@given(tariff=TARIFFS, amount=st.integers(1, 10**9))
def test_lines_add_up_and_the_customer_never_loses(tariff: FlatTariff, amount: int) -> None:
    try:
        found = quote(tariff, amount)
    except AmountTooLargeError:
        assert amount / tariff.price_minor_per_kwh * 10 > 18_201_624
        return
    assert sum(line.amount_minor for line in found.lines) == amount == found.tendered.minor
    assert all(type(line.amount_minor) is int for line in found.lines)
    assert all(line.amount_minor >= 0 for line in found.lines)
    assert found.energy_paid_kwh * tariff.price_minor_per_kwh == amount
    assert found.rounding_kwh >= 0
    assert type(found.energy.tenths) is int
    # One tenth less would carry less than was paid for.
    assert encode_amount(found.energy.tenths).tenths == found.energy.tenths
    if found.energy.tenths <= 16_383:
        assert found.rounding_kwh < Fraction(1, 10)


@given(tariff=TARIFFS, amount=st.integers(1, 10**6), more=st.integers(0, 10**6))
def test_more_money_never_buys_less(tariff: FlatTariff, amount: int, more: int) -> None:
    try:
        larger = quote(tariff, amount + more)
    except AmountTooLargeError:
        return
    assert quote(tariff, amount).energy.tenths <= larger.energy.tenths


def test_the_tax_is_rounded_half_up() -> None:
    """Of 0.03 at 100 %, half is 0.015."""
    found = quote(_tariff(tax_basis_points=10_000, minimum_minor=1), 3)
    assert [line.amount_minor for line in found.lines] == [1, 2]


def test_too_little_and_too_much_are_refused_with_the_limit() -> None:
    with pytest.raises(AmountBelowMinimumError, match=r"ZAR.5\.00") as below:
        quote(_tariff(), 499)
    with pytest.raises(AmountAboveMaximumError, match=r"ZAR.5.000\.00") as above:
        quote(_tariff(), 500_001)
    assert below.value.code == "AMOUNT_BELOW_MINIMUM"
    assert above.value.code == "AMOUNT_ABOVE_MAXIMUM"
    assert quote(_tariff(), 500).tendered.minor == 500
    assert quote(_tariff(), 500_000).tendered.minor == 500_000


@pytest.mark.parametrize(
    "changes",
    [
        {"price_minor_per_kwh": Fraction(0)},
        {"price_minor_per_kwh": Fraction(-1)},
        {"tax_basis_points": -1},
        {"tax_basis_points": 10_001},
        {"minimum_minor": 0},
        {"minimum_minor": 500_001},
        {"maximum_minor": 10**15},
    ],
    ids=str,
)
def test_a_tariff_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TariffError) as refusal:
        _tariff(**changes)
    assert refusal.value.code == "TARIFF"


@pytest.mark.parametrize(
    ("basis_points", "text"),
    [(1500, "15"), (1250, "12.5"), (775, "7.75"), (0, "0"), (10_000, "100")],
)
def test_percentages_have_no_idle_zeros(basis_points: int, text: str) -> None:
    assert format_per_cent(basis_points) == text


def test_energy_has_one_decimal() -> None:
    assert format_tenths_kwh(59) == "5.9"
    assert format_tenths_kwh(16_383) == "1638.3"
