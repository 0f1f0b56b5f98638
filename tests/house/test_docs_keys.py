"""The tables of ``docs/keys.md`` are those of the code, and every code in the key docs exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from keys.cli import main
from tests.house.project import modules, text

PAGE: Final = Path("docs/keys.md")
PAGES: Final = (PAGE, Path("docs/keys-operations.md"), Path("docs/key-load-file.md"))
CODE: Final = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield f"`{' '.join((*path, name))}`", command.get_short_help_str(200)


def test_every_command_is_listed_with_what_it_does() -> None:
    _, _, below = text(PAGE).partition("| Command | What it does |\n|---|---|\n")
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in below.splitlines()
        if line.startswith("|")
    ]
    assert rows == sorted(_commands(main))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_code_that_is_named_is_one(page: Path) -> None:
    """A code of an error, or the name of a setting."""
    code = "\n".join(text(path) for path in modules("keys", "sts"))
    named = {found for found in CODE.findall(text(page)) if not found.startswith("STS_")}
    assert {each for each in named if f'"{each}"' not in code} == set()
