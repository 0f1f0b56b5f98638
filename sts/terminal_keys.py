"""How our commands get keys and tables: never from the command line, where others could read them.

Key bytes come from a file, an environment variable, or a prompt without echo, in this order. An
edge of the library, shared by all its commands.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from sts.ciphers import SAMPLE_TABLES, StaTables, load_sta_tables
from sts.errors import KeyFormatError

LARGEST_KEY_FILE_BYTES: Final = 1024
FILE_PATH: Final = click.Path(dir_okay=False, path_type=Path)
TABLES_OPTION: Final = click.option(
    "--tables",
    type=FILE_PATH,
    envvar="STS_STA_TABLES",
    help="Licensed STA tables for EA07, a JSON file (or STS_STA_TABLES). Without: SAMPLE.",
)
SAMPLE_MARK: Final = "SAMPLE tables: not for real meters"


def sample_mark(tables: StaTables | None) -> str | None:
    """Return the mark for what was made with the SAMPLE tables, None for anything else."""
    return SAMPLE_MARK if tables is not None and tables.is_sample else None


def warn_sample(tables: StaTables | None) -> None:
    """Say on standard error that real meters will not take the token."""
    mark = sample_mark(tables)
    if mark is not None:
        click.echo(mark, err=True)


def read_tables(path: Path | None) -> StaTables:
    """Return the tables of a licensed file; without one, the SAMPLE tables.

    Raises:
        StaTablesError: The file cannot be read or is not a set of tables.
    """
    return SAMPLE_TABLES if path is None else load_sta_tables(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where one key comes from.

    Attributes:
        file: A file of hexadecimal digits, if the user named one.
        variable: The environment variable to look in next.
        prompt: What to ask for, if there is someone to ask.
    """

    file: Path | None
    variable: str
    prompt: str

    @property
    def is_given(self) -> bool:
        """Whether the key can be had without asking."""
        return self.file is not None or bool(os.environ.get(self.variable))

    def text(self) -> str:
        """Return the hexadecimal digits."""
        if self.file is not None:
            return _read_key_file(self.file)
        if self.is_given:
            return os.environ[self.variable].strip()
        if sys.stdin is None or not sys.stdin.isatty():  # None where it was closed at the start.
            message = f"no {self.prompt}: give a file, or set {self.variable}"
            raise click.UsageError(message)
        answer: str = click.prompt(f"{self.prompt} (hexadecimal)", hide_input=True, err=True)
        return answer


def _read_key_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_KEY_FILE_BYTES + 1)
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise click.UsageError(message) from None
    if len(data) > LARGEST_KEY_FILE_BYTES:
        raise KeyFormatError(str(path))
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError:
        raise KeyFormatError(str(path)) from None
