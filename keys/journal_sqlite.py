"""The SQLite side of a journal in a file: connections, and what their errors mean."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

BUSY_SECONDS: Final = 10
"""How long to wait for another process."""
_INHERITED: Final[list[sqlite3.Connection]] = []
"""Connections of the process that this one was forked from: to close one would be to use it."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database for any thread; the journal's lock lets one in at a time.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def inherit(connection: sqlite3.Connection) -> None:
    """Keep the connection of another process as it is, for as long as this process lives."""
    _INHERITED.append(connection)


def is_damage(error: BaseException) -> bool:
    """Tell whether SQLite failed, and not because it kept a promise of ours."""
    damage = (sqlite3.DatabaseError, UnicodeDecodeError)
    return isinstance(error, damage) and not isinstance(error, sqlite3.IntegrityError)


def roll_back(connection: sqlite3.Connection) -> None:
    """Undo what is not committed; a connection that cannot even do that keeps nothing either."""
    with suppress(sqlite3.DatabaseError):
        connection.execute("ROLLBACK")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """Return what a PRAGMA of this name says.

    Raises:
        sqlite3.Error: The file is no database.
    """
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
