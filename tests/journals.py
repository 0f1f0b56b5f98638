"""Issue journals that are closed when their test has ended.

Since Python 3.13 a database that nobody closes is a warning, and in tests a warning is an error.
"""

from pathlib import Path
from typing import Final

from keys import FileJournal

_OPENED: Final[list[FileJournal]] = []


def new_journal(path: Path) -> FileJournal:
    """Make a journal for the present test."""
    _OPENED.append(FileJournal.create(path))
    return _OPENED[-1]


def open_journal(path: Path) -> FileJournal:
    """Open a journal for the present test."""
    _OPENED.append(FileJournal.open(path))
    return _OPENED[-1]


def close_journals() -> None:
    """Close all of them; one that is closed already stays so."""
    while _OPENED:
        _OPENED.pop().close()
