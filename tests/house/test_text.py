"""What must not stand in any file of the project."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.house.project import ROOT, modules, project_files, text

# Written in halves, so that this file does not find itself.
_OUTSIDE: Final = "../" + "shared"
_HOMES: Final = re.compile(r"(?<![\w.~-])/" + r"(?:home|root|Users)/\w")
_SUPPRESSION: Final = re.compile(
    r"#\s*(?:noqa\b(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?"
    r"|type:\s*ignore(?:\[[\w,\s-]+\])?"
    r"|pragma:\s*no (?:cover|branch))"
    r"(?P<reason>.*)"
)


def _lines(path: Path) -> list[str]:
    try:
        return text(path).splitlines()
    except UnicodeDecodeError:
        return []


@pytest.mark.parametrize("path", project_files(), ids=str)
def test_no_file_names_a_place_outside_the_project(path: Path) -> None:
    found = [
        (number, line)
        for number, line in enumerate(_lines(path), start=1)
        if _OUTSIDE in line or str(ROOT) + "/" in line or _HOMES.search(line)
    ]
    assert not found


@pytest.mark.parametrize(
    "path", modules("sts", "keys", "vending_app", "tests", "benchmarks", "tools"), ids=str
)
def test_every_suppressed_check_says_why(path: Path) -> None:
    """`# noqa: CODE - reason`, `# type: ignore[code]  # reason`, `# pragma: no cover - reason`."""
    matches = ((n, _SUPPRESSION.search(line)) for n, line in enumerate(_lines(path), start=1))
    bare = [n for n, match in matches if match and not re.search(r"\w{2}", match["reason"])]
    assert not bare
