"""A meter's file as a database: how it is opened, and what its failures are called."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlite_utils

from sts.meter.errors import (
    MeterBusyError,
    MeterFileAccessError,
    MeterFileDamagedError,
    MeterFileError,
)

BUSY_SECONDS: Final = 2.0
"""How long an operation waits for another one to finish."""

_PRIMARY_CODE: Final = 0xFF
_BUSY_CODES: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGE_CODES: Final = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
)


def connect(path: Path) -> sqlite_utils.Database:
    """Open an existing file; SQLite would otherwise make one where there is none."""
    place = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS)
    try:
        database = sqlite_utils.Database(connection, execute_plugins=False)
        # A commit that returned must have reached the disk.
        database.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return database


@contextmanager
def exclusive(database: sqlite_utils.Database) -> Iterator[None]:
    """Take the write lock for a block, which counts as a whole and durably, or not at all.

    The lock is taken before anything is read, so nobody can change what the block rests on. A
    block within a block is a part of the outer one, and if it fails it alone is undone.
    """
    if database.conn.in_transaction:
        with database.atomic():
            yield
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        # Inside our transaction this is a savepoint: what is written counts at COMMIT.
        with database.atomic():
            yield
        database.execute("COMMIT")
    except BaseException:
        database.rollback()
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into errors of the meter."""
    try:
        yield
    except sqlite3.Error as error:
        raise _file_error(path, error) from error
    except OSError as error:
        raise MeterFileAccessError(path, str(error.strerror)) from error


def _file_error(path: Path, error: sqlite3.Error) -> MeterFileError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
    if code in _BUSY_CODES:
        return MeterBusyError(path)
    if code in _DAMAGE_CODES:
        return MeterFileDamagedError(path, str(error))
    return MeterFileAccessError(path, str(error))
