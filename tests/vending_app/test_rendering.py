from fractions import Fraction

import pytest

from vending_app.domain.money import Currency
from vending_app.domain.units import format_units
from vending_app.web.rendering import format_price


@pytest.mark.parametrize(
    ("price_minor", "exponent", "text"),
    [
        (Fraction(685, 2), 2, "3.425"),
        (Fraction(180_000), 2, "1 800.00"),
        (Fraction(342), 2, "3.42"),
        (Fraction(1, 3), 2, "0.0033…"),
        (Fraction(1800), 0, "1 800"),
        (Fraction(3601, 2), 0, "1 800.5"),
    ],
)
def test_prices_show_all_their_decimals_or_say_that_there_are_more(
    price_minor: Fraction, exponent: int, text: str
) -> None:
    shown = format_price(price_minor, Currency("ZAR", exponent))
    assert shown.replace("\N{NO-BREAK SPACE}", " ") == text


def test_energy_that_was_paid_for_is_cut_off_at_a_watt_hour() -> None:
    assert format_units(Fraction(800, 137)) == "5.839"
    assert format_units(Fraction(2)) == "2.000"
