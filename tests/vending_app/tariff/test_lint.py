"""The lint finds what an approver should see, shows it with figures, and is quiet otherwise."""

import json
from datetime import date
from fractions import Fraction

import pytest

from tests.vending_app.tariff.making import (
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
from tests.vending_app.tariff.vectors import NAMES, shipped, shipped_text
from vending_app.domain.money import Currency
from vending_app.domain.tariff import (
    Block,
    Condition,
    Finding,
    Level,
    Rounding,
    Schedule,
    TableRate,
    TariffVersion,
    format_version,
    lint,
    lint_document,
    quote,
)

ENERGY = units("energy", *MUNICIPAL)
FUEL = {"fuel": table("fuel", (date(2026, 1, 1), "410"), (date(2026, 3, 1), "350"))}


def _sound(*charges: object, **changes: object) -> TariffVersion:
    """A tariff whose smallest purchase is large enough that rounding does not matter."""
    return tariff(*charges, **{"minimum_minor": 20_00, "maximum_minor": 5_000_00} | changes)  # type: ignore[arg-type]  # passed on


def _codes(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in found]


def _only(found: tuple[Finding, ...], code: str) -> Finding:
    (finding,) = [each for each in found if each.code == code]
    return finding


def test_a_sound_tariff_is_left_alone() -> None:
    assert lint(_sound(ENERGY, vat("energy", included=True))) == ()


SHIPPED = {
    "daily_fee": [("ROUNDING_GAINS", "/minimum_minor")],
    "declining_gas": [("MINIMUM_BUYS_NOTHING", "/minimum_minor")],
    "municipal": [("MINIMUM_BUYS_NOTHING", "/minimum_minor")],
}


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_tariffs_have_no_other_findings_than_those_the_docs_tell(name: str) -> None:
    assert _codes(lint(shipped(name), tables=FUEL)) == SHIPPED.get(name, [])


def test_a_dearer_band_makes_more_money_buy_less_and_splitting_gain() -> None:
    version = _sound(fee("fee", (0, 0), (500_01, 10_00)), ENERGY)
    found = lint(version)
    assert _codes(found) == [("MORE_BUYS_LESS", ""), ("SPLITTING_GAINS", "")]
    assert found[0].message == (
        "ZAR 500.01 buys 136.5 kWh, but ZAR 500.00 buys 139.0 kWh, on 2026-01-01, as the first"
        " purchase of the month."
    ).replace("ZAR ", "ZAR\N{NO-BREAK SPACE}")
    for trial in found[0].trials:
        again = quote(version, trial.context, tendered_minor=trial.tendered_minor)
        assert (again.carried, again.paid) == (trial.carried, trial.paid)
    whole, *parts = found[1].trials
    assert sum(part.tendered_minor for part in parts) == whole.tendered_minor
    assert sum(part.paid for part in parts) > whole.paid + 1


def test_a_price_for_small_purchases_is_found_too() -> None:
    small = Condition(purchase_at_most_minor=100_00)
    energy = units_by(
        "energy",
        Schedule(blocks=blocks((None, "100")), when=small),
        Schedule(blocks=blocks((None, "200"))),
    )
    assert [code for code, _ in _codes(lint(_sound(energy)))] == [
        "MORE_BUYS_LESS",
        "SPLITTING_GAINS",
    ]


def test_a_dearer_first_purchase_is_got_round_by_splitting() -> None:
    first = Condition(first_purchase_of_month=True)
    energy = units_by(
        "energy",
        Schedule(blocks=blocks((None, "400")), when=first),
        Schedule(blocks=blocks((None, "200"))),
    )
    finding = _only(lint(_sound(energy)), "SPLITTING_GAINS")
    assert "as the first purchase of the month" in finding.message
    assert finding.trials[0].context.first_purchase_of_month


def test_declining_blocks_are_no_gain_by_splitting() -> None:
    assert lint(_sound(units("energy", (500, "900"), (1000, "300"), (None, "100")))) == ()


def test_a_free_block_is_no_gain_by_splitting() -> None:
    assert lint(_sound(units("energy", (500, "0"), (None, "100")))) == ()


def test_charges_that_are_all_free_in_their_cheapest_blocks_are_compared_by_the_next_rate() -> None:
    levy = units("levy", (400, "5"), (None, "0"))
    assert lint(_sound(units("energy", (None, "100")), levy)) == ()


def test_equal_parts_are_told_together() -> None:
    version = tariff(ENERGY, minimum_minor=1_00)
    finding = _only(lint(version), "ROUNDING_GAINS")
    assert finding.message.replace("\N{NO-BREAK SPACE}", " ") == (
        "10 × ZAR 1.03 buy 4.0 kWh in 10 purchases, of which 0.9 kWh is rounding in the customer's"
        " favour, on 2026-01-01."
    )


FLAT = units("energy", (None, "342.5"))


@pytest.mark.parametrize(
    "version",
    [
        tariff(FLAT, minimum_minor=1_00, rounding=Rounding.CARRY),
        tariff(credit(), minimum_minor=1_00),
        tariff(FLAT, minimum_minor=1_00, maximum_minor=1_01),
    ],
)
def test_where_rounding_cannot_gain_nothing_is_said(version: TariffVersion) -> None:
    assert lint(version) == ()


def test_a_smallest_purchase_that_fees_eat_up_is_told() -> None:
    finding = _only(lint(_sound(monthly("basic", Fraction(20_00)), ENERGY)), "MINIMUM_BUYS_NOTHING")
    assert finding.message.startswith("ZAR\N{NO-BREAK SPACE}20.00 buys nothing, on 2026-01-01")
    assert finding.trials[0].carried == 0


def test_a_smallest_purchase_that_is_refused_is_told() -> None:
    finding = _only(lint(_sound(fee("fee", (0, 20_01)), ENERGY)), "MINIMUM_BUYS_NOTHING")
    assert finding.trials[0].carried is None


def test_shares_that_take_all_are_an_error() -> None:
    found = lint(_sound(share("debt", 60), share("loan", 40), ENERGY))
    finding = _only(found, "NOTHING_LEFT")
    assert (finding.level, finding.path) == (Level.ERROR, "/charges/1/percent")
    assert "100 %" in finding.message
    assert found[0] is finding


def test_a_share_with_an_end_may_take_all_until_then() -> None:
    codes = [code for code, _ in _codes(lint(_sound(share("debt", 100, largest_minor=5), ENERGY)))]
    assert "NOTHING_LEFT" not in codes


def test_percentages_that_more_than_double_a_price_are_told() -> None:
    version = _sound(ENERGY, percent("levy", ("energy",), Fraction(60)), vat("energy", rate=50))
    finding = _only(lint(version), "PERCENT_OVER_100")
    assert finding.path == "/charges/0"
    assert "add 110 % to Energy" in finding.message
    assert "210.00" in finding.message


def test_a_tax_of_a_tax_is_a_notice_with_figures() -> None:
    version = _sound(
        ENERGY, percent("duty", ("energy",), Fraction(10), tax=True), vat("energy", "duty")
    )
    (finding,) = lint(version)
    assert (finding.code, finding.level, finding.path) == (
        "TAX_ON_TAX",
        Level.NOTICE,
        "/charges/2/basis/1",
    )
    assert finding.message.replace("\N{NO-BREAK SPACE}", " ") == (
        "Vat is taken of Duty too: on ZAR 100.00 it is ZAR 16.50, not ZAR 15.00."
    )


WINTER = Condition(months=(6, 7))
UNREACHABLE = {
    "a schedule behind one that always applies": (
        _sound(
            units_by(
                "energy",
                Schedule(blocks=blocks((None, "100"))),
                Schedule(blocks=blocks((500, "100"), (None, "200"))),
            )
        ),
        "/charges/0/schedules/1",
    ),
    "a season after the end of the version": (
        _sound(
            units_by(
                "energy",
                Schedule(blocks=blocks((None, "100")), when=WINTER),
                Schedule(blocks=blocks((None, "200"))),
            ),
            last_day=date(2026, 5, 31),
        ),
        "/charges/0/schedules/0",
    ),
    "a block beyond the largest first purchase": (
        _sound(
            units_by(
                "energy",
                Schedule(
                    blocks=blocks((100_000, "100"), (None, "200")),
                    when=Condition(first_purchase_of_month=True),
                ),
                Schedule(blocks=blocks((None, "200"))),
            )
        ),
        "/charges/0/schedules/0/blocks/1",
    ),
    "a band above the largest purchase": (
        _sound(fee("fee", (0, 1), (5_000_01, 2)), ENERGY),
        "/charges/0/bands/1",
    ),
    "a fee for purchases below the smallest": (
        _sound(fee("fee", (0, 1), when=Condition(purchase_at_most_minor=19_99)), ENERGY),
        "/charges/0",
    ),
}


@pytest.mark.parametrize(("version", "path"), UNREACHABLE.values(), ids=UNREACHABLE.keys())
def test_what_never_applies_is_found(version: TariffVersion, path: str) -> None:
    assert _codes(lint(version)) == [("UNREACHABLE", path)]


def test_a_month_of_each_season_is_tried_whatever_the_first_day() -> None:
    energy = units_by(
        "energy",
        Schedule(blocks=blocks((None, "100")), when=Condition(months=(1,))),
        Schedule(blocks=blocks((None, "110")), when=Condition(months=(11,))),
        Schedule(blocks=blocks((None, "120"))),
    )
    assert lint(_sound(energy, first_day=date(2026, 2, 15))) == ()


def test_a_levy_of_one_season_is_reached_in_its_season() -> None:
    levy = units_by("levy", Schedule(blocks=blocks((None, "20")), when=WINTER))
    assert lint(_sound(ENERGY, levy)) == ()


def test_a_lifeline_limit_is_tried_from_both_sides() -> None:
    energy = units_by(
        "energy",
        Schedule(blocks=blocks((None, "100")), when=Condition(month_below_tenths=300)),
        Schedule(blocks=blocks((None, "120"))),
    )
    assert [code for code, _ in _codes(lint(_sound(energy)))] == []


def _with_fuel(**changes: object) -> TariffVersion:
    fuel = units_by("fuel", Schedule(blocks=(Block(rate=TableRate("fuel")),)))
    return _sound(ENERGY, fuel, **changes)


def test_a_table_that_does_not_exist_is_an_error() -> None:
    path = "/charges/1/schedules/0/blocks/0/rate"
    assert _codes(lint(_with_fuel())) == [("TABLE_MISSING", path)]


def test_days_without_a_rate_are_errors() -> None:
    late = table("fuel", (date(2026, 2, 1), "410"), last_day=date(2026, 6, 30))
    found = lint(_with_fuel(), tables={"fuel": late})
    assert [finding.message for finding in found] == [
        "Table fuel has no rate before 2026-02-01.",
        "Table fuel has no rate after 2026-06-30.",
    ]
    assert {finding.code for finding in found} == {"TABLE_GAP"}


def test_a_table_that_lasts_as_long_as_the_version_is_enough() -> None:
    fuel = table("fuel", (date(2026, 1, 1), "410"), last_day=date(2026, 6, 30))
    assert lint(_with_fuel(last_day=date(2026, 6, 30)), tables={"fuel": fuel}) == ()


def test_a_table_that_makes_units_free_is_an_error() -> None:
    version = _sound(units_by("fuel", Schedule(blocks=(Block(rate=TableRate("fuel")),))))
    free = table("fuel", (date(2026, 1, 1), "1"), (date(2026, 2, 1), "0"))
    assert _codes(lint(version, tables={"fuel": free})) == [("TARIFF_FREE", "/charges")]


def test_every_rate_of_a_table_is_tried() -> None:
    """A fee of a table that rises above the smallest purchase."""
    rising = table("basic", (date(2026, 1, 1), "1"), (date(2026, 5, 1), "2000"))
    version = _sound(monthly("basic", TableRate("basic")), ENERGY)
    finding = _only(lint(version, tables={"basic": rising}), "MINIMUM_BUYS_NOTHING")
    assert finding.trials[0].context.day == date(2026, 5, 1)


def test_tables_of_fees_shares_and_taxes_are_looked_for_too() -> None:
    version = _sound(
        daily("daily", TableRate("a")),
        share("debt", 1),
        ENERGY,
        percent("levy", ("energy",), TableRate("b")),
    )
    assert _codes(lint(version)) == [
        ("TABLE_MISSING", "/charges/0/rate"),
        ("TABLE_MISSING", "/charges/3/percent"),
    ]


def test_days_between_versions_are_errors() -> None:
    first = _sound(ENERGY, last_day=date(2026, 6, 30))
    second = _sound(ENERGY, number=2, first_day=date(2026, 7, 2))
    (finding,) = lint(second, others=[first])
    assert (finding.code, finding.level) == ("VERSION_GAP", Level.ERROR)
    assert finding.message == "No version of home applies from 2026-07-01 to 2026-07-01."


def test_versions_that_follow_or_overlap_leave_no_gap() -> None:
    first = _sound(ENERGY, last_day=date(2026, 6, 30))
    second = _sound(ENERGY, number=2, first_day=date(2026, 7, 1), last_day=date(2026, 12, 31))
    third = _sound(ENERGY, number=3, first_day=date(2026, 10, 1))
    other = _sound(ENERGY, code="shop", first_day=date(2027, 7, 1))
    assert lint(second, others=[third, first, other]) == ()


def test_a_version_that_is_always_replaced_is_told() -> None:
    hidden = _sound(ENERGY, number=1, first_day=date(2026, 2, 1), last_day=date(2026, 3, 1))
    later = _sound(ENERGY, number=2)
    assert _codes(lint(hidden, others=[later])) == [("VERSION_HIDDEN", "/first_day")]


def test_a_version_between_and_after_later_ones_serves() -> None:
    long = _sound(ENERGY, number=1, first_day=date(2026, 2, 1))
    later = _sound(ENERGY, number=2, last_day=date(2026, 3, 1))
    assert lint(long, others=[later]) == ()


def test_a_document_that_is_no_tariff_is_one_finding() -> None:
    document = json.loads(shipped_text("levies"))
    document["charges"][4]["basis"] = ["energy", "vat"]
    assert _codes(lint_document(json.dumps(document))) == [("TARIFF_LOOP", "/charges/4/basis")]


def test_a_sound_document_is_linted() -> None:
    version = _sound(ENERGY, fee("fee", (0, 20_01)))
    assert lint_document(format_version(version)) == lint(version)


def test_credit_in_money_is_told_as_money() -> None:
    version = tariff(
        fee("fee", (0, 0), (50_01, 10_00)), credit(), currency=Currency("ZAR", 2), minimum_minor=100
    )
    finding = _only(lint(version), "MORE_BUYS_LESS")
    assert "buys 40.01000 ZAR of credit" in finding.message


def test_what_was_bought_before_is_told() -> None:
    """A dearer price for large purchases, but only once the lifeline is used up."""
    small = Condition(purchase_at_most_minor=100_00)
    low = Condition(month_below_tenths=500)
    energy = units_by(
        "energy",
        Schedule(blocks=blocks((None, "100")), when=low),
        Schedule(blocks=blocks((None, "100")), when=small),
        Schedule(blocks=blocks((None, "200"))),
    )
    finding = _only(lint(_sound(energy)), "MORE_BUYS_LESS")
    assert "after 50.0 kWh in the month" in finding.message
