"""What all commands of ``sts`` share in their output."""

from typing import Final

import click

from sts.ciphers import StaTables

SAMPLE_MARK: Final = "SAMPLE tables: not for real meters"


def sample_mark(tables: StaTables | None) -> str | None:
    """Return the mark for what was made with the SAMPLE tables, None for anything else."""
    return SAMPLE_MARK if tables is not None and tables.is_sample else None


def warn_sample(tables: StaTables | None) -> None:
    """Say on standard error that real meters will not take the token."""
    mark = sample_mark(tables)
    if mark is not None:
        click.echo(mark, err=True)
