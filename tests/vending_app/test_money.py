import pytest
from hypothesis import given
from hypothesis import strategies as st

from vending_app.domain.errors import CurrencyError, MoneyFormatError, MoneyPrecisionError
from vending_app.domain.money import (
    LARGEST_MINOR,
    Currency,
    Money,
    format_minor,
    format_money,
    parse_money,
)

ZAR = Currency("ZAR", 2)
YEN = Currency("JPY", 0)
CURRENCIES = st.builds(
    Currency, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3), st.integers(0, 4)
)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("0", 0),
        ("100", 10_000),
        ("100.5", 10_050),
        ("100.50", 10_050),
        ("100.500", 10_050),
        (" 1 000.05 ", 100_005),
        ("1\N{NO-BREAK SPACE}000", 100_000),
        ("007", 700),
    ],
)
def test_amounts_are_read_exactly(text: str, minor: int) -> None:
    assert parse_money(text, ZAR) == Money(minor, ZAR)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        ".5",
        "5.",
        "1,000",
        "1.0.0",
        "-5",
        "+5",
        "1e3",
        "R5",
        "٣",
        "9" * 17,
        "9" * 9999,
    ],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(MoneyFormatError) as refusal:
        parse_money(text, ZAR)
    assert refusal.value.code == "MONEY_FORMAT"


@pytest.mark.parametrize(("text", "currency"), [("1.005", ZAR), ("1.5", YEN)])
def test_nothing_is_rounded_away(text: str, currency: Currency) -> None:
    with pytest.raises(MoneyPrecisionError) as refusal:
        parse_money(text, currency)
    assert refusal.value.code == "MONEY_PRECISION"


@given(minor=st.integers(0, LARGEST_MINOR), currency=CURRENCIES)
def test_what_is_written_is_read_again(minor: int, currency: Currency) -> None:
    written = format_minor(minor, currency.exponent)
    assert parse_money(written, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1_234_567_89, ZAR), "ZAR 1 234 567.89"),
        (Money(5, ZAR), "ZAR 0.05"),
        (Money(-100_05, ZAR), "ZAR −100.05"),
        (Money(5000, YEN), "JPY 5 000"),
    ],
)
def test_amounts_are_written_for_people(money: Money, text: str) -> None:
    assert format_money(money).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("code", "exponent"), [("ZA", 2), ("zar", 2), ("ZARR", 2), ("Z1R", 2), ("ZAR", -1), ("ZAR", 5)]
)
def test_what_is_no_currency_is_refused(code: str, exponent: int) -> None:
    with pytest.raises(CurrencyError) as refusal:
        Currency(code, exponent)
    assert refusal.value.code == "CURRENCY"
