"""Charges and versions that cannot be are refused, each with its code and the path to the fault."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction

import pytest

from tests.vending_app.tariff.making import (
    blocks,
    credit,
    daily,
    fee,
    monthly,
    names,
    percent,
    share,
    table,
    tariff,
    units,
    units_by,
    vat,
)
from vending_app.domain.tariff import (
    Block,
    Condition,
    Schedule,
    TableRate,
    UnitCharge,
    version_on,
)
from vending_app.domain.tariff_errors import TariffDefinitionError, TariffNotEffectiveError

ENERGY = units("energy", (None, "342.5"))
FREE_LATER = units("energy", (1000, "342.5"), (None, "0"))
ONLY_WINTER = units_by(
    "energy", Schedule(blocks=blocks((None, "280")), when=Condition(months=(6, 7, 8)))
)

REFUSED: dict[str, tuple[Callable[[], object], str, str]] = {
    "a code with a capital": (lambda: units("Energy", (None, "1")), "TARIFF_NAME", "/code"),
    "an empty code": (lambda: TableRate(""), "TARIFF_NAME", "/table"),
    "a code of 41 letters": (lambda: TableRate("a" * 41), "TARIFF_NAME", "/table"),
    "a code that ends in a dash": (lambda: TableRate("fuel-"), "TARIFF_NAME", "/table"),
    "a label with a space at its end": (
        lambda: UnitCharge(**names("energy") | {"label": "Energy "}, schedules=()),
        "TARIFF_NAME",
        "/label",
    ),
    "an empty label": (
        lambda: UnitCharge(**names("energy") | {"label": ""}, schedules=()),
        "TARIFF_NAME",
        "/label",
    ),
    "a label that cannot be printed": (
        lambda: UnitCharge(**names("energy") | {"label": "a\tb"}, schedules=()),
        "TARIFF_NAME",
        "/label",
    ),
    "a label of 81 letters": (
        lambda: UnitCharge(**names("energy") | {"label": "a" * 81}, schedules=()),
        "TARIFF_NAME",
        "/label",
    ),
    "a beneficiary that is no code": (
        lambda: UnitCharge(**names("energy") | {"beneficiary": "The State"}, schedules=()),
        "TARIFF_NAME",
        "/beneficiary",
    ),
    "an account that is no code": (
        lambda: UnitCharge(**names("energy") | {"ledger_account": "4000 x"}, schedules=()),
        "TARIFF_NAME",
        "/ledger_account",
    ),
    "no schedule": (lambda: units_by("energy"), "TARIFF_BLOCKS", "/schedules"),
    "no blocks": (lambda: Schedule(blocks=()), "TARIFF_BLOCKS", "/blocks"),
    "a last block with an end": (
        lambda: Schedule(blocks=blocks((10, "1"))),
        "TARIFF_BLOCKS",
        "/blocks",
    ),
    "an end before the last block": (
        lambda: Schedule(blocks=blocks((None, "1"), (None, "2"))),
        "TARIFF_BLOCKS",
        "/blocks/0/up_to_tenths",
    ),
    "blocks in disorder": (
        lambda: Schedule(blocks=blocks((20, "1"), (20, "2"), (None, "3"))),
        "TARIFF_BLOCKS",
        "/blocks/1/up_to_tenths",
    ),
    "a negative rate": (lambda: Block(rate=Fraction(-1)), "TARIFF_FIGURE", "/rate"),
    "an absurd rate": (lambda: Block(rate=Fraction(10**12 + 1)), "TARIFF_FIGURE", "/rate"),
    "a rate too fine": (lambda: Block(rate=Fraction(1, 10**9 + 1)), "TARIFF_FIGURE", "/rate"),
    "a block that ends at nothing": (
        lambda: Block(up_to_tenths=0, rate=Fraction(1)),
        "TARIFF_FIGURE",
        "/up_to_tenths",
    ),
    "a block that ends beyond all JSON": (
        lambda: Block(up_to_tenths=10**15, rate=Fraction(1)),
        "TARIFF_FIGURE",
        "/up_to_tenths",
    ),
    "a band below nothing": (
        lambda: fee("fee", (-1, 5)),
        "TARIFF_FIGURE",
        "/from_minor",
    ),
    "nothing to catch up": (
        lambda: daily("daily", Fraction(1), catch_up=0),
        "TARIFF_FIGURE",
        "/catch_up",
    ),
    "eleven years of days": (
        lambda: daily("daily", Fraction(1), catch_up=3661),
        "TARIFF_FIGURE",
        "/catch_up",
    ),
    "eleven years of months": (
        lambda: monthly("monthly", Fraction(1), catch_up=121),
        "TARIFF_FIGURE",
        "/catch_up",
    ),
    "a negative charge per day": (
        lambda: daily("daily", Fraction(-1)),
        "TARIFF_FIGURE",
        "/rate",
    ),
    "more than a whole purchase": (
        lambda: daily("daily", Fraction(1), largest_percent=Fraction(101)),
        "TARIFF_FIGURE",
        "/largest_percent",
    ),
    "no bands": (lambda: fee("fee"), "TARIFF_BLOCKS", "/bands"),
    "a first band above nothing": (lambda: fee("fee", (1, 5)), "TARIFF_BLOCKS", "/bands"),
    "bands in disorder": (
        lambda: fee("fee", (0, 5), (100, 6), (100, 7)),
        "TARIFF_BLOCKS",
        "/bands/2/from_minor",
    ),
    "a negative fee": (lambda: fee("fee", (0, -5)), "TARIFF_FIGURE", "/amount_minor"),
    "a share above all": (lambda: share("debt", 101), "TARIFF_FIGURE", "/percent"),
    "a negative limit": (
        lambda: share("debt", 10, largest_minor=-1),
        "TARIFF_FIGURE",
        "/largest_minor",
    ),
    "a tax of 1001 %": (lambda: vat("energy", rate=1001), "TARIFF_FIGURE", "/percent"),
    "month 13": (lambda: Condition(months=(12, 13)), "TARIFF_FIGURE", "/months"),
    "months in disorder": (lambda: Condition(months=(7, 6)), "TARIFF_FIGURE", "/months"),
    "a month twice": (lambda: Condition(months=(6, 6)), "TARIFF_FIGURE", "/months"),
    "below nothing": (
        lambda: Condition(month_below_tenths=0),
        "TARIFF_FIGURE",
        "/month_below_tenths",
    ),
    "purchases of nothing": (
        lambda: Condition(purchase_at_most_minor=0),
        "TARIFF_FIGURE",
        "/purchase_at_most_minor",
    ),
    "a table without rates": (lambda: table("fuel"), "TARIFF_DATES", "/rates"),
    "a table in disorder": (
        lambda: table("fuel", (date(2026, 3, 1), "1"), (date(2026, 3, 1), "2")),
        "TARIFF_DATES",
        "/rates/1/first_day",
    ),
    "a table that ends too soon": (
        lambda: table("fuel", (date(2026, 3, 1), "1"), last_day=date(2026, 2, 28)),
        "TARIFF_DATES",
        "/last_day",
    ),
    "a negative rate in a table": (
        lambda: table("fuel", (date(2026, 3, 1), "-1")),
        "TARIFF_FIGURE",
        "/rates/0/rate",
    ),
    "a table without name": (
        lambda: table("", (date(2026, 3, 1), "1")),
        "TARIFF_NAME",
        "/code",
    ),
    "a tariff without code": (lambda: tariff(ENERGY, code=""), "TARIFF_NAME", "/code"),
    "a tariff without name": (lambda: tariff(ENERGY, name=""), "TARIFF_NAME", "/name"),
    "no account for credit": (
        lambda: tariff(ENERGY, credit_account=""),
        "TARIFF_NAME",
        "/credit_account",
    ),
    "version 0": (lambda: tariff(ENERGY, number=0), "TARIFF_FIGURE", "/number"),
    "an end before the beginning": (
        lambda: tariff(ENERGY, last_day=date(2025, 12, 31)),
        "TARIFF_DATES",
        "/last_day",
    ),
    "a beginning before all meters": (
        lambda: tariff(ENERGY, first_day=date(1989, 12, 31)),
        "TARIFF_DATES",
        "/first_day",
    ),
    "an end that stands for none": (
        lambda: tariff(ENERGY, last_day=date(9999, 12, 31)),
        "TARIFF_DATES",
        "/last_day",
    ),
    "a minimum of nothing": (
        lambda: tariff(ENERGY, minimum_minor=0),
        "TARIFF_FIGURE",
        "/minimum_minor",
    ),
    "a minimum above the maximum": (
        lambda: tariff(ENERGY, minimum_minor=11, maximum_minor=10),
        "TARIFF_FIGURE",
        "/minimum_minor",
    ),
    "a maximum beyond all money": (
        lambda: tariff(ENERGY, maximum_minor=10**15),
        "TARIFF_FIGURE",
        "/minimum_minor",
    ),
    "51 charges": (
        lambda: tariff(ENERGY, *(fee(f"fee-{number}", (0, 1)) for number in range(50))),
        "TARIFF_FIGURE",
        "/charges",
    ),
    "a code twice": (lambda: tariff(ENERGY, ENERGY), "TARIFF_NAME_TWICE", "/charges/1"),
    "the code of account credit": (
        lambda: tariff(ENERGY, fee("account-credit", (0, 1))),
        "TARIFF_NAME_TWICE",
        "/charges",
    ),
    "nothing to sell": (lambda: tariff(fee("fee", (0, 1))), "TARIFF_GOODS", "/charges"),
    "units and credit": (lambda: tariff(ENERGY, credit()), "TARIFF_GOODS", "/charges"),
    "two lines of credit": (
        lambda: tariff(credit("a"), credit("b")),
        "TARIFF_GOODS",
        "/charges",
    ),
    "free units without end": (lambda: tariff(FREE_LATER), "TARIFF_FREE", "/charges"),
    "free units in summer": (lambda: tariff(ONLY_WINTER), "TARIFF_FREE", "/charges"),
    "a tax of nothing": (lambda: tariff(ENERGY, vat()), "TARIFF_BASIS", "/charges/1/basis"),
    "a tax of a line twice": (
        lambda: tariff(ENERGY, vat("energy", "energy")),
        "TARIFF_BASIS",
        "/charges/1/basis",
    ),
    "a tax of no line": (
        lambda: tariff(ENERGY, vat("energy", "fuel")),
        "TARIFF_BASIS",
        "/charges/1/basis/1",
    ),
    "a percentage that includes a tax": (
        lambda: tariff(
            ENERGY, percent("levy", ("energy",), Fraction(5)), vat("levy", included=True)
        ),
        "TARIFF_BASIS",
        "/charges/2/basis/0",
    ),
    "a tax of itself": (
        lambda: tariff(ENERGY, vat("energy", "vat")),
        "TARIFF_LOOP",
        "/charges/1/basis",
    ),
    "two taxes of each other": (
        lambda: tariff(
            ENERGY,
            percent("levy", ("energy", "vat"), Fraction(5)),
            vat("energy", "levy"),
        ),
        "TARIFF_LOOP",
        "/charges/1/basis",
    ),
}


@pytest.mark.parametrize(("make", "code", "path"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_where_it_is(
    make: Callable[[], object], code: str, path: str
) -> None:
    with pytest.raises(TariffDefinitionError) as refused:
        make()
    assert (refused.value.code, refused.value.path) == (code, path)


def test_a_loop_is_shown_all_the_way_round() -> None:
    with pytest.raises(TariffDefinitionError, match="levy → vat → levy"):
        tariff(ENERGY, percent("levy", ("energy", "vat"), Fraction(5)), vat("energy", "levy"))


def test_a_loop_that_is_entered_from_outside_is_shown_without_the_way_in() -> None:
    with pytest.raises(TariffDefinitionError, match=r": vat → levy → vat\."):
        tariff(
            ENERGY,
            percent("stamp", ("vat",), Fraction(1)),
            vat("energy", "levy"),
            percent("levy", ("vat",), Fraction(5)),
        )


def test_the_version_with_the_highest_number_serves_on_a_day() -> None:
    old = tariff(ENERGY, number=1)
    new = tariff(ENERGY, number=2, first_day=date(2026, 7, 1), last_day=date(2026, 12, 31))
    found = [
        version_on([old, new], date(2026, month, 1), code="home").number for month in (6, 7, 12)
    ]
    assert found == [1, 2, 2]
    assert version_on([new, old], date(2027, 1, 1), code="home") is old


@pytest.mark.parametrize(("day", "code"), [(date(2025, 12, 31), "home"), (date(2026, 1, 1), "x")])
def test_a_day_without_version_is_refused(day: date, code: str) -> None:
    with pytest.raises(TariffNotEffectiveError):
        version_on([tariff(ENERGY)], day, code=code)


def test_lines_of_one_customer_are_added_before_and_after() -> None:
    version = tariff(ENERGY).with_charges(before=[share("debt", 80)], after=[vat("energy")])
    assert [charge.code for charge in version.charges] == ["debt", "energy", "vat"]
