"""The tables of ``docs/tariffs.md`` are those of the code."""

import json
import re
from dataclasses import fields

from tests.house.project import ROOT
from tests.vending_app.tariff.vectors import NAMES, shipped
from vending_app.domain.tariff import Condition, format_version
from vending_app.domain.tariff.charge_documents import ChargeKind

PAGE = ROOT / "docs" / "tariffs.md"
PACKAGE = ROOT / "vending_app" / "domain" / "tariff"


def _first_cells(heading: str) -> list[str]:
    """The first cells of the table whose first column has this heading."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(line.split("|")[1].strip().replace("`", ""))
    return rows


def test_every_kind_of_charge_is_explained() -> None:
    assert sorted(_first_cells("Kind")) == sorted(ChargeKind)


def test_every_condition_is_explained() -> None:
    assert _first_cells("Condition") == [field.name for field in fields(Condition)]


def test_every_field_of_a_document_is_explained() -> None:
    shown = {name for cell in _first_cells("Field") for name in cell.split(", ")}
    documents = [json.loads(format_version(shipped(name))) for name in NAMES]
    assert shown == {field for document in documents for field in document}


def test_every_finding_of_the_lint_is_explained() -> None:
    sources = [path.read_text(encoding="utf-8") for path in sorted(PACKAGE.glob("lint*.py"))]
    codes = {code for source in sources for code in re.findall(r'code="([A-Z0-9_]+)"', source)}
    assert set(_first_cells("Finding")) - {"code of a refusal"} == codes


def test_the_lint_explains_its_findings_as_the_page_does() -> None:
    module = PACKAGE.joinpath("lint.py").read_text(encoding="utf-8")
    explained = re.findall(r"^    ([A-Z0-9_]{6,}) +(?:error|warning|notice) ", module, re.MULTILINE)
    assert explained == _first_cells("Finding")[1:]


def test_every_shipped_tariff_is_worked_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in NAMES:
        assert f'shipped("{name}")' in page
