"""Purchases that were worked by hand come out as worked, to the last smallest unit."""

from datetime import date
from typing import Any

import pytest

from tests.vending_app.tariff.vectors import cases, counters_of, paid_to_of, shipped, tables_of
from vending_app.domain.tariff import TariffContext, TariffLine, quote
from vending_app.domain.tariff.charge_documents import read_charge
from vending_app.domain.tariff.reading import read_object

CASES = {case["name"]: case for case in cases("tariff_purchases.json")}


def _shown(line: TariffLine) -> dict[str, Any]:
    shown = {
        "code": line.code,
        "amount_minor": line.amount_minor,
        "block": line.block,
        "tenths": line.tenths,
    }
    return {name: value for name, value in shown.items() if value is not None}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_it_comes_out_as_worked_by_hand(case: dict[str, Any]) -> None:
    own = [read_object(charge, read_charge, path="") for charge in case.get("before", [])]
    found = quote(
        shipped(case["tariff"]).with_charges(before=own),
        TariffContext.on(date.fromisoformat(case["day"]), counters=counters_of(case)),
        tendered_minor=case["tendered_minor"],
        tables=tables_of(case),
    )
    assert [_shown(line) for line in found.lines] == case["lines"]
    assert sum(line.amount_minor for line in found.lines) == case["tendered_minor"]
    assert found.carried == case["carried"]
    if "after" in case:
        assert found.after.month_tenths == case["after"]["month_tenths"]
        for code, paid in paid_to_of(case["after"]).items():
            assert found.after.paid_to[code] == paid
