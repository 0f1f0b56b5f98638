"""What tokens carry: split, steps, rounding."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vending_app.tariff.making import FIRST, credit, tariff, units
from vending_app.domain.money import Currency
from vending_app.domain.tariff import Rounding, quote, split_tokens
from vending_app.domain.tariff.apportion import apportion
from vending_app.domain.tariff.tokens import carry_units, ceiling
from vending_app.domain.tariff_errors import TariffFigureError, TooManyTokensError


@pytest.mark.parametrize(
    ("tenths", "maximum", "expected"),
    [
        (0, 16_383, ()),
        (1, 16_383, (1,)),
        (16_383, 16_383, (16_383,)),
        (16_384, 16_383, (16_383, 1)),
        (40_000, 16_383, (16_383, 16_383, 7_234)),
        (1_000, 500, (500, 500)),
        (1_001, 500, (500, 500, 1)),
        (50, 1, (1,) * 50),
    ],
)
def test_a_sale_is_split_into_full_tokens_and_the_rest(
    tenths: int, maximum: int, expected: tuple[int, ...]
) -> None:
    assert split_tokens(tenths, maximum) == expected


def test_a_token_takes_1_638_3_units_by_default() -> None:
    assert split_tokens(16_384) == (16_383, 1)


@pytest.mark.parametrize(("tenths", "maximum"), [(1, 0), (-1, 16_383)])
def test_a_split_that_makes_no_sense_is_refused(tenths: int, maximum: int) -> None:
    with pytest.raises(TariffFigureError):
        split_tokens(tenths, maximum)


def test_more_tokens_than_a_meter_remembers_are_refused() -> None:
    with pytest.raises(TooManyTokensError) as refused:
        split_tokens(51, 1)
    assert refused.value.code == "TOO_MANY_TOKENS"


@given(st.integers(0, 50 * 16_383))
def test_by_default_no_token_rounds_above_a_tenth(tenths: int) -> None:
    carried = carry_units(Fraction(tenths), rounding=Rounding.UP, maximum=None)
    assert carried.count == tenths
    assert all(0 < amount.code <= 0x3FFF for amount in carried.amounts if hasattr(amount, "tenths"))


def test_a_large_sale_is_split_and_stays_exact() -> None:
    found = quote(tariff(units("energy", (None, "100"))), FIRST, tendered_minor=400_000)
    assert [amount.code for amount in found.tokens] == [16_383, 16_383, 7_234]
    assert found.carried == found.paid == 40_000


def test_a_meter_that_takes_larger_tokens_gets_one_with_its_steps() -> None:
    version = tariff(units("energy", (None, "100")))
    found = quote(version, FIRST, tendered_minor=400_010, token_maximum=180_214)
    # 40 001 tenths lie between two codes of a step of 10.
    assert (len(found.tokens), found.carried) == (1, 40_004)
    assert found.rounding == 3


def test_carried_over_it_gets_the_step_below() -> None:
    version = tariff(units("energy", (None, "100")), rounding=Rounding.CARRY)
    found = quote(version, FIRST, tendered_minor=400_010, token_maximum=180_214)
    assert found.carried == found.paid == 39_994
    assert [(line.code, line.amount_minor) for line in found.lines] == [
        ("energy", 399_940),
        ("account-credit", 70),
    ]
    assert found.lines[-1].ledger_account == "liability:account-credit"
    assert found.lines[-1].beneficiary == "customer"


def test_less_than_a_step_is_all_account_credit() -> None:
    version = tariff(units("energy", (None, "100")), rounding=Rounding.CARRY)
    found = quote(version, FIRST, tendered_minor=9)
    assert not found.tokens
    assert found.carried == found.paid == 0
    assert [(line.code, line.amount_minor) for line in found.lines] == [("account-credit", 9)]


def test_a_currency_token_is_rounded_toward_the_customer() -> None:
    found = quote(tariff(credit()), FIRST, tendered_minor=100_00)
    # 10 000 000 of 0.00001 lie between two codes of a step of 1000.
    assert found.carried == 10_000_624
    assert found.rounding == 624
    assert [(line.code, line.amount_minor) for line in found.lines] == [("credit", 100_00)]
    assert found.after.month_tenths == 0


def test_a_currency_without_decimals_counts_its_units() -> None:
    version = tariff(credit(), currency=Currency("UGX", 0))
    assert quote(version, FIRST, tendered_minor=1).paid == 100_000


def test_currency_is_split_where_the_meter_asks_for_it() -> None:
    found = quote(tariff(credit()), FIRST, tendered_minor=10, token_maximum=6_000)
    assert [getattr(amount, "units", None) for amount in found.tokens] == [6_000, 4_000]


AMOUNTS = st.builds(Fraction, st.integers(0, 9_999), st.integers(1, 97))


@given(st.lists(st.tuples(AMOUNTS, st.booleans()), max_size=8))
def test_whole_amounts_add_up_and_stay_close(lines: list[tuple[Fraction, bool]]) -> None:
    exact = [amount for amount, _ in lines]
    total = ceiling(sum(exact, Fraction(0)))
    whole = apportion(exact, total, taxes=[tax for _, tax in lines])
    assert sum(whole) == total
    assert all(
        abs(found - amount) < 1 and found >= 0 for found, amount in zip(whole, exact, strict=True)
    )


@pytest.mark.parametrize(
    ("exact", "taxes", "expected"),
    [
        (("17.5", "2.5"), (False, True), (17, 3)),
        (("17.6", "2.4"), (False, True), (18, 2)),
        (("0.5", "0.5"), (True, True), (1, 0)),
        (("1.4", "1.4", "1.2"), (True, False, False), (1, 2, 1)),
        (("0.4", "0.3", "0.3"), (True, True, True), (1, 0, 0)),
    ],
)
def test_taxes_are_rounded_half_up_first(
    exact: tuple[str, ...], taxes: tuple[bool, ...], expected: tuple[int, ...]
) -> None:
    amounts = [Fraction(text) for text in exact]
    assert apportion(amounts, sum(expected), taxes=taxes) == expected
