"""Documents of tariffs: one text for each, strictly read, each refusal with its path."""

import json
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vending_app.tariff.making import (
    blocks,
    credit,
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
from tests.vending_app.tariff.vectors import NAMES, cases, shipped, shipped_text
from vending_app.domain.tariff import (
    Block,
    Condition,
    Schedule,
    TableRate,
    TariffVersion,
    format_figure,
    format_table,
    format_version,
    parse_figure,
    parse_table,
    parse_version,
    version_hash,
)
from vending_app.domain.tariff_errors import TariffDefinitionError, TariffSpellingError

REFUSALS = {case["name"]: case for case in cases("tariff_refusals.json")}
EVERYTHING = tariff(
    fee("fee", (0, 5), (1000, 7), when=Condition(first_purchase_ever=True)),
    monthly("basic", TableRate("basic"), largest_percent=Fraction(100, 3)),
    share("debt", 20, largest_minor=0, when=Condition(purchase_at_most_minor=100_00)),
    units_by(
        "energy",
        Schedule(
            blocks=(Block(up_to_tenths=5, rate=Fraction(1000, 3)), Block(rate=TableRate("fuel"))),
            when=Condition(months=(1, 12), first_purchase_of_month=True, month_below_tenths=7),
        ),
        Schedule(blocks=blocks((None, "0.5"))),
    ),
    percent("levy", ("energy",), Fraction(5, 2), included=True),
    vat("energy", "levy", when=Condition(months=(2,))),
    last_day=date(2026, 12, 31),
)


def _changed(case: dict[str, Any]) -> str:
    """The text of a tariff with one field set or removed."""
    document = json.loads(shipped_text(case["tariff"]))
    *way, last = case["at"].split("/")[1:]
    place = document
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    key = int(last) if isinstance(place, list) else last
    if "set" in case:
        place[key] = case["set"]
    else:
        del place[key]
    return json.dumps(document)


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_faulty_document_is_refused_at_its_fault(case: dict[str, Any]) -> None:
    with pytest.raises(TariffDefinitionError) as refused:
        parse_version(_changed(case))
    assert (refused.value.code, refused.value.path) == (case["code"], case["path"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"code": 1.5}',
        '{"code": NaN}',
        '{"code": "a", "code": "b"}',
        '{"code": 9007199254740992}',
        "\ud800",
    ],
)
def test_what_is_no_json_of_ours_is_refused(text: str) -> None:
    with pytest.raises(TariffDefinitionError) as refused:
        parse_version(text)
    assert (refused.value.code, refused.value.path) == ("TARIFF_JSON", "")


@pytest.mark.parametrize("text", ["[]", '"home"', "1", "null"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(TariffDefinitionError) as refused:
        parse_table(text)
    assert (refused.value.code, refused.value.path) == ("TARIFF_FIELD_TYPE", "")


@pytest.mark.parametrize("version", [*map(shipped, NAMES), EVERYTHING, tariff(credit())])
def test_a_version_is_read_as_it_was_written(version: TariffVersion) -> None:
    text = format_version(version)
    assert parse_version(text) == version
    assert format_version(parse_version(text)) == text


@pytest.mark.parametrize("name", NAMES)
def test_the_layout_of_a_document_does_not_change_its_hash(name: str) -> None:
    document = json.loads(shipped_text(name))
    other = json.dumps(dict(reversed(document.items())), indent=7)
    assert version_hash(parse_version(other)) == version_hash(shipped(name))


def test_what_is_as_usual_may_be_left_out_or_not() -> None:
    document = json.loads(
        format_version(tariff(monthly("basic", Fraction(1)), units("e", (None, "1"))))
    )
    document["charges"][0]["largest_percent"] = "100"
    document["charges"][1]["schedules"][0]["when"] = {}
    assert "largest_percent" not in format_version(parse_version(json.dumps(document)))


def test_a_hash_tells_versions_apart() -> None:
    one, other = tariff(units("energy", (None, "1"))), tariff(units("energy", (None, "1.01")))
    assert version_hash(one) != version_hash(other)
    # Computed with sha256sum over the canonical text.
    assert len(version_hash(one)) == 64


@pytest.mark.parametrize("last_day", [None, date(2026, 4, 30)])
def test_a_table_is_read_as_it_was_written(last_day: date | None) -> None:
    rates = table("fuel", (date(2026, 3, 1), "350"), (date(2026, 4, 1), "1/3"), last_day=last_day)
    assert parse_table(format_table(rates)) == rates


def test_a_fault_in_a_table_has_its_path() -> None:
    document = json.loads(format_table(table("fuel", (date(2026, 3, 1), "350"))))
    document["rates"][0]["rate"] = {"table": "oil"}
    with pytest.raises(TariffDefinitionError) as refused:
        parse_table(json.dumps(document))
    assert (refused.value.code, refused.value.path) == ("TARIFF_FIELD_TYPE", "/rates/0/rate")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(685, 2), "342.5"),
        (Fraction(1, 1000), "0.001"),
        (Fraction(1000, 3), "1000/3"),
        (Fraction(-5, 4), "-1.25"),
        (Fraction(-1, 3), "-1/3"),
        (Fraction(10**12), "1000000000000"),
        (Fraction(1, 10**12), "0.000000000001"),
        (Fraction(1, 2**13), "1/8192"),
    ],
)
def test_a_figure_has_one_spelling(value: Fraction, text: str) -> None:
    assert format_figure(value) == text
    assert parse_figure(text) == value


@given(st.fractions(-(10**15), 10**15, max_denominator=10**15))
def test_every_figure_is_read_as_it_was_written(value: Fraction) -> None:
    assert parse_figure(format_figure(value)) == value


@pytest.mark.parametrize("text", ["+1", " 1", "1.", ".5", "01", "-0", "1_000", "2/2", "1/3/3", "٣"])
def test_another_spelling_of_a_figure_is_refused(text: str) -> None:
    with pytest.raises(TariffSpellingError) as refused:
        parse_figure(text, path="/rate")
    assert (refused.value.code, refused.value.path) == ("TARIFF_SPELLING", "/rate")
