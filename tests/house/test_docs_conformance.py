"""`docs/conformance.md` names every clause, every field and every case that there is."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from sts.conformance import BUNDLED, load_bundled
from sts.vectors import read_cases
from tests.house.project import ROOT, modules, text

PAGE: Final = text(Path("docs/conformance.md"))
SUITES: Final = ("STS531-1-11", "STS531-1-0-04", "STS531-1-0-02")
FILES: Final = (
    *(Path("sts/data", name) for name in BUNDLED),
    Path("tests/vectors/cross_checked_sample.json"),
    Path("tests/vectors/reference_only.json"),
)
CLAUSE: Final = re.compile(r"\b\d{1,2}(?:\.\d+)+\b")


def _section(title: str) -> str:
    _, _, below = PAGE.partition(f"\n## {title}\n")
    return below.partition("\n## ")[0]


def _rows(part: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables in ``part``, without heads and rules."""
    lines = part.splitlines()
    for above, line in pairwise(lines):
        if line.startswith("|") and above.startswith("|") and not line.startswith("| -"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def _expanded(clauses: str) -> set[str]:
    """Return the clauses of a cell, the ranges (`6.1.3 to 6.1.5`) written out."""
    found = set(CLAUSE.findall(clauses))
    for low, high in re.findall(r"([\d.]+) to ([\d.]+)", clauses):
        stem, _, first = low.rpartition(".")
        found |= {f"{stem}.{number}" for number in range(int(first), int(high.split(".")[-1]) + 1)}
    return found


LISTED: Final = {
    clause
    for row in _rows(_section("The standard, clause by clause"))
    for clause in _expanded(row[0])
}


def _is_listed(clause: str) -> bool:
    """Tell whether a clause, one that it is part of, or one that is part of it has a row."""
    return any(
        f"{clause}.".startswith(f"{listed}.") or listed.startswith(f"{clause}.")
        for listed in LISTED
    )


@pytest.mark.parametrize("path", modules("sts"), ids=str)
def test_every_clause_that_the_code_cites_is_listed(path: Path) -> None:
    cited = {
        clause
        for line in text(path).splitlines()
        if "62055-41" in line
        for clause in CLAUSE.findall(line.partition("62055-41")[2])
    }
    assert [clause for clause in cited if not _is_listed(clause)] == []


def test_every_row_names_code_and_tests() -> None:
    rows = list(_rows(_section("The standard, clause by clause")))
    assert len(rows) > 20
    assert [row for row in rows if "](../sts/" not in row[2] or "](../tests/" not in row[3]] == []


def test_the_numbers_of_cases_are_those_of_the_bundled_vectors() -> None:
    bundled = Counter(case.group for case in load_bundled())
    counted = {
        (suite, test): sum(
            number
            for (group, group_test), number in bundled.items()
            if group.startswith(suite) and group_test == test
        )
        for suite in SUITES
        for test in {group[1] for group in bundled}
    }
    listed: dict[tuple[str, str], int] = {}
    for row in _rows(_section("STS 531, test by test")):
        for suite, cell in zip(SUITES, row[3:6], strict=True):
            listed[suite, row[0]] = int(cell or 0)
    assert {key: number for key, number in listed.items() if number} == {
        key: number for key, number in counted.items() if number
    }


class _Watched(dict[str, Any]):
    """A case that remembers which of its fields were looked at."""

    seen: set[str]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as a dict has it
        self.seen.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as a dict has it
        self.seen.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.seen.add(str(name))
        return super().__contains__(name)


def _fields_read() -> set[str]:
    """Return every field that is looked at when all our vector files are read."""
    seen: set[str] = set()
    for path in FILES:
        for raw in json.loads(ROOT.joinpath(path).read_text(encoding="utf-8"))["cases"]:
            case = _Watched(raw)
            case.seen = seen
            read_cases({"cases": [case]})
    return seen


def test_the_fields_of_a_case_are_those_that_are_read() -> None:
    _, _, below = PAGE.partition("<!-- fields of a case -->")
    table = below.partition("<!-- end of fields -->")[0]
    described = {name for row in _rows(table) for name in re.findall(r"`(\w+)`", row[0])}
    assert described == _fields_read()


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_kind_of_token_in_our_vectors_is_named(path: Path) -> None:
    document = json.loads(ROOT.joinpath(path).read_text(encoding="utf-8"))
    kinds = {case["token_kind"] for case in document["cases"] if case.get("op") == "token"}
    names = {kind.rpartition("/")[2].removesuffix("-currency") for kind in kinds}
    parts = {f"Set{part}SectionDecoderKey" for part in ("2nd", "3rd")}
    assert [name for name in names - parts if name not in PAGE] == []
