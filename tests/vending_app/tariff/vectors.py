"""The vector files of tariffs, and the documents that the package ships."""

import json
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from vending_app.domain.tariff import (
    Counters,
    PaidTo,
    Tables,
    TariffVersion,
    parse_figure,
    parse_table,
    parse_version,
)

NAMES: Final = tuple(
    sorted(
        entry.name.removesuffix(".json")
        for entry in files("vending_app").joinpath("data", "tariffs").iterdir()
    )
)


def shipped_text(name: str) -> str:
    """The text of a tariff in the package."""
    path = files("vending_app").joinpath("data", "tariffs", f"{name}.json")
    return path.read_text(encoding="utf-8")


def shipped(name: str) -> TariffVersion:
    return parse_version(shipped_text(name))


def cases(file: str) -> list[dict[str, Any]]:
    """The cases of a vector file."""
    path = Path(__file__).parents[2].joinpath("vectors", file)
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return found


def counters_of(case: dict[str, Any]) -> Counters:
    found = case["counters"]
    month = date.fromisoformat(found["month"]) if "month" in found else None
    return Counters(
        month=month,
        month_tenths=found.get("month_tenths", 0),
        month_purchases=found.get("month_purchases", 0),
        paid_to=paid_to_of(found),
    )


def paid_to_of(found: dict[str, Any]) -> dict[str, PaidTo]:
    return {
        code: PaidTo(date.fromisoformat(day), parse_figure(part))
        for code, (day, part) in found.get("paid_to", {}).items()
    }


def tables_of(case: dict[str, Any]) -> Tables:
    found = [parse_table(json.dumps(document)) for document in case.get("tables", [])]
    return {table.code: table for table in found}
