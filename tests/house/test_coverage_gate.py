"""The coverage gate refuses what it is there to refuse."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tools.coverage_gate import Rules, main, offenders

RULES: Final = """
[tool.sts.coverage]
minimum = 90
pure = ["lib/*"]
edges = ["lib/cli*"]

[tool.sts.coverage.judged_with]
hsm = ["app/pkcs11.py"]
"""


def _file(
    percent: float, *, lines: list[int] | None = None, branches: list[list[int]] | None = None
) -> dict[str, Any]:
    return {
        "summary": {"percent_covered": percent},
        "missing_lines": lines or [],
        "missing_branches": branches or [],
    }


def _offenders(files: dict[str, Any], *, required: frozenset[str] = frozenset()) -> list[str]:
    return list(offenders({"files": files}, Rules.from_pyproject(RULES), required=required))


@pytest.mark.parametrize(
    ("path", "percent"),
    [
        ("lib/bits.py", 100.0),
        ("lib/deeper/bits.py", 100.0),
        ("lib/cli.py", 90.0),
        ("lib/cli/keys.py", 90.0),
        ("app/web.py", 90.0),
        ("app/pkcs11.py", 0.0),
    ],
)
def test_a_file_that_has_what_it_needs_passes(path: str, percent: float) -> None:
    assert _offenders({path: _file(percent)}) == []


@pytest.mark.parametrize(
    ("path", "percent"),
    [
        ("lib/bits.py", 99.99),
        ("lib/deeper/bits.py", 99.99),
        ("lib/cli.py", 89.99),
        ("app/web.py", 89.99),
        ("bits.py", 0.0),
    ],
)
def test_a_file_that_lacks_a_little_is_an_offender(path: str, percent: float) -> None:
    (line,) = _offenders({path: _file(percent)})
    assert line.startswith(f"{path}: {percent:.2f} % of ")


def test_a_file_that_needs_hardware_is_judged_where_the_hardware_is_required() -> None:
    files = {"app/pkcs11.py": _file(10.0)}
    assert _offenders(files, required=frozenset({"browser"})) == []
    assert len(_offenders(files, required=frozenset({"hsm"}))) == 1


def test_an_offender_is_shown_with_its_missing_lines_and_branches() -> None:
    (line,) = _offenders(
        {"lib/bits.py": _file(50.0, lines=[3, 4, 5, 9, 11, 12], branches=[[2, 9], [12, -1]])}
    )
    assert line == (
        "lib/bits.py: 50.00 % of 100 %; missing lines 3-5, 9, 11-12; missing branches 2→9, 12→exit"
    )


def test_a_high_mean_does_not_hide_one_poor_file() -> None:
    files = {f"lib/good{number}.py": _file(100.0) for number in range(50)}
    assert len(_offenders({**files, "lib/poor.py": _file(80.0)})) == 1


def test_rules_without_a_pure_list_are_refused() -> None:
    with pytest.raises(KeyError, match="pure"):
        Rules.from_pyproject("[tool.sts.coverage]\nminimum = 90\n")


@pytest.mark.parametrize(("percent", "status", "count"), [(100.0, 0, 0), (99.0, 1, 1)])
def test_the_exit_status_says_whether_there_are_offenders(
    *, percent: float, status: int, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, report = tmp_path / "pyproject.toml", tmp_path / "coverage.json"
    rules.write_text(RULES, encoding="utf-8")
    report.write_text(json.dumps({"files": {"lib/bits.py": _file(percent)}}), encoding="utf-8")
    assert main([str(report), "--rules", str(rules)]) == status
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"coverage: 1 files judged, {count} covered too little"
