"""Quotes: the story's figures, blocks, fees, seasons, lifelines, tables, limits."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from sts import Service
from tests.vending_app.tariff.making import (
    DAY,
    FIRST,
    MUNICIPAL,
    blocks,
    credit,
    daily,
    fee,
    monthly,
    percent,
    share,
    table,
    tariff,
    units,
    units_by,
    vat,
)
from vending_app.domain.errors import AmountAboveMaximumError, AmountBelowMinimumError
from vending_app.domain.money import Currency
from vending_app.domain.tariff import (
    Block,
    Charge,
    Condition,
    Counters,
    LineKind,
    PaidTo,
    Schedule,
    TableRate,
    TariffContext,
    TariffQuote,
    UnitCharge,
    quote,
)
from vending_app.domain.tariff_errors import (
    AmountBelowChargesError,
    RateMissingError,
    TariffFreeError,
    TariffNotEffectiveError,
)

ENERGY = units("energy", *MUNICIPAL)
HOME = tariff(ENERGY, vat("energy", included=True))
SECOND = Counters(month=date(2026, 3, 1), month_tenths=0, month_purchases=1)


def _amounts(found: TariffQuote) -> list[tuple[str, int]]:
    return [(line.code, line.amount_minor) for line in found.lines]


def _after(tenths: int) -> TariffContext:
    counters = Counters(month=date(2026, 3, 1), month_tenths=tenths, month_purchases=1)
    return TariffContext.on(DAY, counters=counters)


def test_80_20_buys_energy_for_a_fifth_of_the_money() -> None:
    """Pieter: R100, R80 to his arrears, R20 at R3.425 with VAT are 5.839 kWh."""
    version = HOME.with_charges(before=[share("arrears", 80)])
    found = quote(version, FIRST, tendered_minor=100_00)
    assert _amounts(found) == [("arrears", 80_00), ("energy", 17_39), ("vat", 2_61)]
    assert [line.kind for line in found.lines] == [LineKind.SHARE, LineKind.UNITS, LineKind.TAX]
    assert found.paid == Fraction(10 * 2000 * 2, 685)
    assert (found.carried, [amount.code for amount in found.tokens]) == (59, [59])
    assert found.rounding == 59 - found.paid


def test_a_long_absence_costs_30_days_and_half_of_a_purchase() -> None:
    """Neema: 45 days at TZS 200, caught up to 30, of TZS 5 000 half; 1.388 kWh at 1 800."""
    version = tariff(
        daily("daily", Fraction(200_00), catch_up=30, largest_percent=Fraction(50)),
        units("energy", (None, "180000")),
        currency=Currency("TZS", 2),
    )
    absent = Counters(month=date(2026, 1, 1), paid_to={"daily": PaidTo(DAY - timedelta(days=45))})
    found = quote(version, TariffContext.on(DAY, counters=absent), tendered_minor=5_000_00)
    assert _amounts(found) == [("daily", 2_500_00), ("energy", 2_500_00)]
    assert found.lines[0].still_due_minor == 3_500_00
    assert (found.paid, found.carried) == (Fraction(250, 18), 14)
    assert found.after.paid_to["daily"] == PaidTo(DAY - timedelta(days=18), Fraction(100_00))


@pytest.mark.parametrize(
    ("bought", "tendered", "expected", "carried"),
    [
        (0, 342_50, [(1, 297_83, 1000)], 1000),
        (0, 746_90, [(1, 297_83, 1000), (2, 351_65, 1000)], 2000),
        (999, 38, [(1, 30, 1), (2, 3, 1)], 2),
        (1000, 404_40, [(2, 351_65, 1000)], 1000),
        (3_900, 484_08, [(2, 35_17, 100), (3, 385_77, 1016)], 1116),
        (6_500, 470_90, [(4, 409_48, 1000)], 1000),
        (99_999, 470_90, [(4, 409_48, 1000)], 1000),
    ],
)
def test_blocks_go_on_where_the_month_stands(
    bought: int, tendered: int, expected: list[tuple[int, int, int]], carried: int
) -> None:
    found = quote(HOME, _after(bought), tendered_minor=tendered)
    energy = [line for line in found.lines if line.code == "energy"]
    assert [(line.block, line.amount_minor, line.tenths) for line in energy] == expected
    assert found.carried == carried
    assert found.after.month_tenths == bought + carried
    assert found.after.month_purchases == 2


def test_a_line_says_what_it_is_of_and_for_whom() -> None:
    line = quote(HOME, FIRST, tendered_minor=100_00).lines[-1]
    assert (line.tax_of, line.kind) == (("energy",), LineKind.TAX)
    assert line.rate == 15
    assert (line.beneficiary, line.ledger_account, line.label) == ("utility", "income:vat", "Vat")


def test_an_exclusive_tax_comes_on_top() -> None:
    version = tariff(vat("fee", "energy"), fee("fee", (0, 200)), units("energy", (None, "250")))
    found = quote(version, FIRST, tendered_minor=100_00)
    assert _amounts(found) == [("vat", 13_04), ("fee", 2_00), ("energy", 84_96)]
    assert found.lines[1].rate == 200


def test_two_included_taxes_both_count_from_the_line() -> None:
    version = tariff(
        units("energy", (None, "120")),
        vat("energy", included=True),
        percent("levy", ("energy",), Fraction(5), included=True),
    )
    found = quote(version, FIRST, tendered_minor=120_00)
    assert _amounts(found) == [("energy", 100_00), ("vat", 15_00), ("levy", 5_00)]
    assert [line.kind for line in found.lines[1:]] == [LineKind.TAX, LineKind.LEVY]
    assert found.carried == 1000


def test_a_tax_may_be_taken_of_a_levy() -> None:
    version = tariff(
        vat("energy", "levy", rate=10),
        units("energy", (None, "100")),
        percent("levy", ("energy",), Fraction(20)),
    )
    found = quote(version, FIRST, tendered_minor=132_00)
    assert _amounts(found) == [("vat", 12_00), ("energy", 100_00), ("levy", 20_00)]


def test_a_tax_may_be_taken_of_an_included_tax() -> None:
    version = tariff(
        units("energy", (None, "110")),
        vat("energy", rate=10, included=True),
        percent("stamp", ("vat",), Fraction(50)),
    )
    found = quote(version, FIRST, tendered_minor=115_00)
    assert _amounts(found) == [("energy", 100_00), ("vat", 10_00), ("stamp", 5_00)]


def test_fees_are_taken_in_the_order_of_the_tariff_until_nothing_is_left() -> None:
    version = tariff(
        monthly("basic", Fraction(98_00)),
        share("debt", 50),
        units("energy", (None, "100")),
    )
    found = quote(version, FIRST, tendered_minor=100_00)
    assert _amounts(found) == [("basic", 98_00), ("debt", 2_00)]
    assert (found.tokens, found.carried) == ((), 0)
    assert found.after.month_purchases == 1


def test_what_a_charge_per_month_leaves_due_is_shown_even_if_nothing_was_paid() -> None:
    version = tariff(share("debt", 100), monthly("basic", Fraction(98_00)), ENERGY)
    found = quote(version, FIRST, tendered_minor=100_00)
    assert _amounts(found) == [("debt", 100_00), ("basic", 0)]
    assert found.lines[1].still_due_minor == 98_00


def test_the_taxes_on_a_fee_are_paid_with_it() -> None:
    version = tariff(monthly("basic", Fraction(100_00)), ENERGY, vat("basic"))
    part = quote(version, FIRST, tendered_minor=57_50)
    assert _amounts(part) == [("basic", 50_00), ("vat", 7_50)]
    assert part.lines[0].still_due_minor == 50_00


def test_a_share_ends_at_its_limit() -> None:
    version = tariff(share("debt", 20, largest_minor=15_00), units("energy", (None, "100")))
    assert _amounts(quote(version, FIRST, tendered_minor=50_00))[0] == ("debt", 10_00)
    assert _amounts(quote(version, FIRST, tendered_minor=500_00))[0] == ("debt", 15_00)


def test_a_share_may_depend_on_the_season() -> None:
    version = tariff(share("debt", 20, when=Condition(months=(4,))), units("energy", (None, "1")))
    assert _amounts(quote(version, FIRST, tendered_minor=50_00)) == [("energy", 50_00)]


@pytest.mark.parametrize(("tendered", "expected"), [(99, 1), (100, 5), (499, 5), (500, 9)])
def test_a_fee_may_go_by_the_size_of_the_purchase(tendered: int, expected: int) -> None:
    version = tariff(fee("fee", (0, 1), (100, 5), (500, 9)), units("energy", (None, "1")))
    assert _amounts(quote(version, FIRST, tendered_minor=tendered))[0] == ("fee", expected)


def test_a_connection_fee_is_for_the_very_first_purchase() -> None:
    when = Condition(first_purchase_ever=True)
    version = tariff(fee("fee", (0, 100), when=when), units("energy", (None, "1")))
    first = quote(version, FIRST, tendered_minor=150)
    assert _amounts(first) == [("fee", 100), ("energy", 50)]
    second = quote(version, TariffContext.on(DAY, counters=first.after), tendered_minor=150)
    assert _amounts(second) == [("energy", 150)]


def test_money_that_does_not_cover_a_fee_is_refused() -> None:
    version = tariff(fee("fee", (0, 100)), vat("fee"), units("energy", (None, "1")))
    assert quote(version, FIRST, tendered_minor=115).carried == 0
    with pytest.raises(AmountBelowChargesError, match="Fee") as refused:
        quote(version, FIRST, tendered_minor=114)
    assert refused.value.code == "AMOUNT_BELOW_CHARGES"


LIFELINE = tariff(
    units_by(
        "energy",
        Schedule(
            blocks=blocks((500, "0"), (None, "100")),
            when=Condition(first_purchase_of_month=True),
        ),
        Schedule(blocks=blocks((None, "100"))),
    )
)


def test_the_first_purchase_of_a_month_gets_all_free_units() -> None:
    found = quote(LIFELINE, FIRST, tendered_minor=100)
    assert [(line.block, line.amount_minor, line.tenths) for line in found.lines] == [
        (1, 0, 500),
        (2, 100, 10),
    ]


def test_the_second_one_gets_none() -> None:
    second = quote(LIFELINE, TariffContext.on(DAY, counters=SECOND), tendered_minor=100)
    assert second.carried == 10


@pytest.mark.parametrize(("bought", "carried"), [(0, 100), (299, 100), (300, 25)])
def test_a_lifeline_holds_while_the_month_is_below_its_limit(bought: int, carried: int) -> None:
    version = tariff(
        units_by(
            "energy",
            Schedule(blocks=blocks((None, "100")), when=Condition(month_below_tenths=300)),
            Schedule(blocks=blocks((None, "400"))),
        )
    )
    assert quote(version, _after(bought), tendered_minor=10_00).carried == carried


@pytest.mark.parametrize(("month", "carried"), [(5, 100), (6, 50), (8, 50), (9, 100)])
def test_winter_has_its_own_price(month: int, carried: int) -> None:
    version = tariff(
        units_by(
            "energy",
            Schedule(blocks=blocks((None, "200")), when=Condition(months=(6, 7, 8))),
            Schedule(blocks=blocks((None, "100"))),
        )
    )
    context = TariffContext.on(date(2026, month, 1))
    assert quote(version, context, tendered_minor=10_00).carried == carried


def test_a_levy_of_one_season_is_no_line_in_the_others() -> None:
    winter = Schedule(blocks=blocks((None, "20")), when=Condition(months=(6,)))
    version = tariff(
        units("energy", (None, "100")),
        units_by("levy", winter),
        percent("tax", ("levy",), Fraction(10), when=Condition(months=(6,))),
    )
    assert _amounts(quote(version, FIRST, tendered_minor=1_00)) == [("energy", 1_00)]
    june = quote(version, TariffContext.on(date(2026, 6, 1)), tendered_minor=1_22)
    assert _amounts(june) == [("energy", 1_00), ("levy", 20), ("tax", 2)]


FUEL = table("fuel", (date(2026, 1, 1), "50"), (date(2026, 3, 1), "25"), last_day=date(2026, 3, 31))
WITH_FUEL = tariff(
    units("energy", (None, "75")),
    units_by("fuel", Schedule(blocks=(Block(rate=TableRate("fuel")),))),
)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 1, 1), [("energy", 60), ("fuel", 40)]),
        (date(2026, 2, 28), [("energy", 60), ("fuel", 40)]),
        (date(2026, 3, 1), [("energy", 75), ("fuel", 25)]),
        (date(2026, 3, 31), [("energy", 75), ("fuel", 25)]),
    ],
)
def test_a_table_passes_its_rate_of_the_day_through(
    day: date, expected: list[tuple[str, int]]
) -> None:
    found = quote(WITH_FUEL, TariffContext.on(day), tendered_minor=100, tables={"fuel": FUEL})
    assert _amounts(found) == expected


def test_a_day_before_or_after_a_table_is_refused() -> None:
    version = tariff(*WITH_FUEL.charges, first_day=date(2025, 1, 1))
    for day in (date(2025, 12, 31), date(2026, 4, 1)):
        with pytest.raises(RateMissingError, match=f"fuel has no rate for {day}") as refused:
            quote(version, TariffContext.on(day), tendered_minor=100, tables={"fuel": FUEL})
        assert refused.value.code == "RATE_MISSING"


def test_a_table_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RateMissingError):
        quote(WITH_FUEL, FIRST, tendered_minor=100)


def test_a_table_cannot_make_units_free_without_end() -> None:
    version = tariff(units_by("fuel", Schedule(blocks=(Block(rate=TableRate("fuel")),))))
    free = table("fuel", (date(2026, 1, 1), "0"))
    with pytest.raises(TariffFreeError):
        quote(version, FIRST, tendered_minor=100, tables={"fuel": free})


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 7, 1)])
def test_a_version_sells_on_its_days_only(day: date) -> None:
    version = tariff(ENERGY, last_day=date(2026, 6, 30))
    with pytest.raises(TariffNotEffectiveError) as refused:
        quote(version, TariffContext.on(day), tendered_minor=100)
    assert refused.value.code == "TARIFF_NOT_EFFECTIVE"


def test_money_outside_the_limits_is_refused() -> None:
    version = tariff(ENERGY, minimum_minor=10_00, maximum_minor=20_00)
    quote(version, FIRST, tendered_minor=10_00)
    quote(version, FIRST, tendered_minor=20_00)
    with pytest.raises(AmountBelowMinimumError, match=r"10\.00"):
        quote(version, FIRST, tendered_minor=9_99)
    with pytest.raises(AmountAboveMaximumError, match=r"20\.00"):
        quote(version, FIRST, tendered_minor=20_01)


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("charge", [units("goods", (None, "100")), credit("goods")])
def test_every_service_is_sold_in_units_and_in_money(service: Service, charge: Charge) -> None:
    found = quote(tariff(charge, service=service), FIRST, tendered_minor=100)
    assert (found.service, _amounts(found)) == (service, [("goods", 100)])
    assert found.paid == (10 if isinstance(charge, UnitCharge) else 100_000)


def test_other_charges_stay_as_far_paid_as_they_were() -> None:
    kept = Counters(month=date(2026, 3, 1), paid_to={"old": PaidTo(date(2026, 1, 1))})
    version = tariff(daily("new", Fraction(1)), units("energy", (None, "1")))
    found = quote(version, TariffContext.on(DAY, counters=kept), tendered_minor=100)
    assert found.after.paid_to == {"old": PaidTo(date(2026, 1, 1)), "new": PaidTo(DAY)}
    assert found.tariff_code == "home"
    assert found.tariff_number == 1
