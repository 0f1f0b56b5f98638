"""Tables of our commands: columns that fit a terminal, and are never cut off in a pipe.

An edge of the library, shared by all its commands.
"""

import sys
from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH: Final = 200


def print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print columns; what was keyed is shown as it is, never taken for markup."""
    table = Table(*heads, box=None, show_header=bool(heads), pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # A pipe has no width: nothing is to be cut off there.
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    with console.capture() as printed:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))
