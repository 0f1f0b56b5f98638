"""The glossary is in order, and the names of code in it exist."""

import re
from pathlib import Path
from typing import Final

import pytest

import sts
from sts.meter import state
from tests.house.project import text

ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in text(Path("docs/glossary.md")).splitlines()
    if line.startswith("| ") and not line.startswith(("| abbreviation", "| ---"))
]


def test_entries_are_in_alphabetical_order() -> None:
    entries = [re.sub(r"\W", "", row[0]).lower() for row in ROWS]
    assert entries == sorted(entries)
    assert len(entries) == len(set(entries))


def test_every_entry_has_a_meaning() -> None:
    assert [row for row in ROWS if len(row) != 3 or not row[2].endswith((".", "`", "?"))] == []


@pytest.mark.parametrize("name", re.findall(r"`([\w.]+)`", "\n".join(row[2] for row in ROWS)))
def test_every_name_of_code_exists(name: str) -> None:
    first, _, member = name.partition(".")
    found = getattr(sts, first, None) or getattr(state, first)
    assert not member or hasattr(found, member)
