"""The journal of a module that has a file of its own: SQLite, one durable transaction at a time.

SQLite comes with Python, so a module needs nothing else installed. Its write-ahead log with
``synchronous = FULL`` makes a transaction survive a power cut once it has been committed; before
that, nothing of it is there. The file and its log are for their owner only.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from threading import RLock
from typing import Any, Final, Self

from keys.errors import FileExistsRefusedError, FileUnreadableError, UnsafeFileModeError
from keys.journal import JournalEntry, JournalSeal, JournalTransaction, KeyUsage, LookedUp
from keys.journal_errors import (
    JournalBusyError,
    JournalDamagedError,
    JournalFormatError,
    JournalTamperedError,
)
from keys.journal_sqlite import connect, inherit, is_damage, pragma, roll_back
from keys.registered_key import KeyName, PlainName
from sts import BaseDate, KeyRevisionNumber, MeterPan, StsError, SupplyGroupCode
from sts.token_identifier import TID_STORE_SIZE

APPLICATION_ID: Final = 0x53545349  # "STSI", in the header of the file.
VERSION: Final = 1
_OTHERS: Final = 0o077
_OWNER_ONLY: Final = 0o600

_SCHEMA: Final = """
CREATE TABLE entries (
    tenant TEXT NOT NULL,
    message_id TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    meter_pan TEXT NOT NULL,
    supply_group_code TEXT NOT NULL,
    key_revision_number INTEGER NOT NULL,
    base_date TEXT NOT NULL,
    tid_minutes INTEGER,
    credit_units TEXT NOT NULL,
    sealed BLOB NOT NULL,
    made_at TEXT NOT NULL,
    PRIMARY KEY (tenant, message_id),
    UNIQUE (tenant, meter_pan, base_date, tid_minutes)
) STRICT;
CREATE TABLE usage (
    tenant TEXT NOT NULL,
    supply_group_code TEXT NOT NULL,
    key_revision_number INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    credit_units TEXT NOT NULL,
    PRIMARY KEY (tenant, supply_group_code, key_revision_number)
) STRICT;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entries_are_kept BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
"""
_MESSAGE_ID: Final = 1  # The place of its column.
_MINUTE: Final = itemgetter(0, 3, 6, 7)
"""Tenant, meter, base date and token identifier, which no two entries have in common."""
_MOST_WAITING: Final = 1_000
_FIND: Final = "SELECT * FROM entries WHERE tenant = ? AND message_id = ?"
_LOOK_UP: Final = (
    "SELECT * FROM entries WHERE tenant = ? AND message_id = ? UNION ALL SELECT * FROM entries "
    "WHERE tenant = ? AND meter_pan = ? AND base_date = ? AND tid_minutes = ?"
)
_LATEST: Final = (
    "SELECT tid_minutes FROM entries WHERE tenant = ? AND meter_pan = ? AND base_date = ? "
    "AND tid_minutes IS NOT NULL ORDER BY tid_minutes DESC LIMIT ?"
)
_USAGE: Final = (
    "SELECT tokens, credit_units FROM usage "
    "WHERE tenant = ? AND supply_group_code = ? AND key_revision_number = ?"
)
_ALL: Final = "SELECT * FROM entries ORDER BY rowid"
_COUNTS: Final = "SELECT * FROM usage"
_ADD: Final = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Not INSERT OR REPLACE: that would write the index of the table anew for every transaction.
_COUNT: Final = (
    "INSERT INTO usage VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (tenant, supply_group_code, key_revision_number) "
    "DO UPDATE SET tokens = excluded.tokens, credit_units = excluded.credit_units"
)


class FileJournal:
    """An issue journal in a file. Make one with ``create``, open one with ``open``."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Take over a connection that has been checked."""
        self.path = path
        self._connection = connection
        self._process = os.getpid()
        self._lock = RLock()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new, empty journal.

        Raises:
            FileExistsRefusedError: A file is in the way.
            FileUnreadableError: The operating system refuses.
        """
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
        except FileExistsError:
            raise FileExistsRefusedError(path) from None
        except OSError as error:
            raise FileUnreadableError(path, error.strerror) from error
        connection = connect(path)
        connection.executescript(
            f"BEGIN; {_SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {VERSION}; COMMIT;"
        )
        return cls(path, connection)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a journal that exists.

        Raises:
            UnsafeFileModeError, FileUnreadableError: The file cannot be used.
            JournalFormatError: Not an issue journal, or one of another version.
        """
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            raise FileUnreadableError(path, error.strerror) from error
        if mode & _OTHERS:
            raise UnsafeFileModeError(path, mode)
        with ExitStack() as undone:
            try:
                connection = undone.enter_context(closing(connect(path)))
                found = pragma(connection, "application_id"), pragma(connection, "user_version")
            except (sqlite3.DatabaseError, UnicodeDecodeError):
                # The second is what Python makes of a message of SQLite that quotes a damaged name.
                raise JournalFormatError(path, "no SQLite database") from None
            if found != (APPLICATION_ID, VERSION):
                raise JournalFormatError(path, "made by another program, or another version of it")
            undone.pop_all()
        return cls(path, connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator["FileTransaction"]:
        """Give the journal to one writer; what it wrote is on the disk when the context ends.

        Raises:
            JournalBusyError: Another process kept it for too long.
            JournalDamagedError: SQLite cannot read or write the file; nothing was written.
        """
        with self._lock:
            connection = self._own_connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise JournalBusyError from error
            opened = FileTransaction(connection)
            try:
                yield opened
                opened.write()
                connection.execute("COMMIT")
            except BaseException as error:
                roll_back(connection)
                if is_damage(error):
                    raise JournalDamagedError(self.path) from error
                raise

    def latest_tids(self, tenant: str, meter_pan: MeterPan, *, base: BaseDate) -> tuple[int, ...]:
        """Return the token identifiers that a meter may still remember, the greatest first.

        Raises:
            JournalBusyError, JournalDamagedError: As for ``transaction``.
        """
        with self.transaction():
            values = (tenant, meter_pan.digits, str(base), TID_STORE_SIZE)
            rows = self._connection.execute(_LATEST, values).fetchall()
        return tuple(int(tid) for (tid,) in rows)

    def check(self, seal: JournalSeal) -> int:
        """Check the whole journal, and return how many entries it has.

        Every entry must open under the module's key together with all that it says, and what is
        counted under each key must be the sum of its entries. An entry that is missing altogether
        shows in the audit log only.

        Raises:
            JournalTamperedError: An entry or a count is not as it was written.
            JournalBusyError, JournalDamagedError: As for ``transaction``.
        """
        counted: dict[tuple[object, ...], tuple[int, int]] = {}
        with self.transaction():
            # An index that says otherwise than its table would hide an entry from whoever asks
            # for it, and the same message would be answered twice.
            if self._connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise JournalDamagedError(self.path)
            entries = [_entry(row) for row in self._connection.execute(_ALL)]
            for entry in entries:
                seal.unsealed(entry.sealed, entry.context)
                key = _key_columns(entry.key.plain)
                tokens, credit_units = counted.get(key, (0, 0))
                counted[key] = tokens + 1, credit_units + entry.credit_units
            usage = {
                (tenant, group, revision): (tokens, _units(credit_units))
                for tenant, group, revision, tokens, credit_units in self._connection.execute(
                    _COUNTS
                )
            }
        if usage != counted:
            raise JournalTamperedError
        return len(entries)

    def _own_connection(self) -> sqlite3.Connection:
        """Return the connection, made anew in a forked process: SQLite forbids to share one."""
        if self._process != os.getpid():
            inherit(self._connection)
            self._connection = connect(self.path)
            self._process = os.getpid()
        return self._connection


class FileTransaction:
    """An open transaction.

    Entries wait until the transaction ends or they are many, and are then written together: that
    takes less than half of what it takes to write each by itself, between other work.
    """

    __slots__ = ("_connection", "_minutes", "_used", "_waiting")

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Go on with the transaction that a connection has open."""
        self._connection = connection
        self._used: dict[PlainName, KeyUsage] = {}
        self._waiting: dict[tuple[str, str], JournalEntry] = {}
        self._minutes: set[tuple[str, str, str, int | None]] = set()

    def transaction(self) -> AbstractContextManager[JournalTransaction]:
        """Stand for itself; what is written counts when the outer transaction ends."""
        return nullcontext(self)

    def find(self, tenant: str, message_id: str) -> JournalEntry | None:
        """Return the entry of a message id, or None if the request is new."""
        waiting = self._waiting.get((tenant, message_id))
        if waiting is not None:
            return waiting
        row = self._connection.execute(_FIND, (tenant, message_id)).fetchone()
        return None if row is None else _entry(row)

    def look_up(
        self, tenant: str, message_id: str, *, meter_pan: MeterPan, base_date: BaseDate, tid: int
    ) -> LookedUp:
        """Find the entry of a message id, and whether a token identifier has been used."""
        minute = (tenant, meter_pan.digits, base_date.year, tid)
        entry, tid_is_used = self._waiting.get((tenant, message_id)), minute in self._minutes
        for row in self._connection.execute(_LOOK_UP, (tenant, message_id, *minute)):
            if row[_MESSAGE_ID] == message_id:
                entry = entry or _entry(row)
            tid_is_used = tid_is_used or _MINUTE(row) == minute
        return LookedUp(entry=entry, tid_is_used=tid_is_used)

    def credit_used(self, key: KeyName) -> int:
        """Return how much credit was made under a vending key."""
        return self.usage(key).credit_units

    def usage(self, key: KeyName) -> KeyUsage:
        """Return how much was made under a vending key."""
        used = self._used.get(key.plain)
        if used is not None:
            return used
        row = self._connection.execute(_USAGE, _key_columns(key.plain)).fetchone()
        tokens, credit_units = row or (0, "0")
        return KeyUsage(tokens=tokens, credit_units=_units(credit_units))

    def add(self, entry: JournalEntry) -> None:
        """Take an entry; it is in the journal when the transaction has ended."""
        key = entry.key
        name = (key.tenant, entry.message_id)
        if name in self._waiting or len(self._waiting) == _MOST_WAITING:
            # If there are two of one name, SQLite is the one to refuse the second.
            self._write_entries()
        self._waiting[name] = entry
        self._minutes.add(
            (key.tenant, entry.meter_pan.digits, entry.base_date.year, entry.tid_minutes)
        )
        tokens, credit_units = self._used.get(key.plain) or self.usage(key)
        self._used[key.plain] = KeyUsage(tokens + 1, credit_units + entry.credit_units)

    def write(self) -> None:
        """Write down what waits, and how much is used now."""
        self._write_entries()
        for plain, used in self._used.items():
            # Amounts in currency outgrow SQLite's 64 bits, so they are kept as text.
            values = (*_key_columns(plain), used.tokens, str(used.credit_units))
            self._connection.execute(_COUNT, values)

    def _write_entries(self) -> None:
        if not self._waiting:
            return
        self._connection.executemany(_ADD, map(_row, self._waiting.values()))
        self._waiting.clear()
        self._minutes.clear()


def _units(text: object) -> int:
    """Return a count of currency units.

    Raises:
        JournalTamperedError: It is none.
    """
    if not isinstance(text, str) or not text.removeprefix("-").isdecimal():
        raise JournalTamperedError
    return int(text)


def _key_columns(plain: PlainName) -> tuple[str, str, int]:
    tenant, supply_group_code, key_revision_number = plain
    return tenant, str(supply_group_code).zfill(6), key_revision_number


def _row(entry: JournalEntry) -> tuple[object, ...]:
    """Return an entry in the order of the columns."""
    tenant, supply_group_code, key_revision_number = _key_columns(entry.key.plain)
    return (
        tenant,
        entry.message_id,
        entry.request_hash,
        entry.meter_pan.digits,
        supply_group_code,
        key_revision_number,
        entry.base_date.year,
        entry.tid_minutes,
        str(entry.credit_units),
        entry.sealed,
        entry.made_at.astimezone(UTC).isoformat(),
    )


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    """Return the entry of a row.

    Raises:
        JournalTamperedError: It holds what was never written there.
    """
    tenant, message_id, request_hash, pan, group, revision, base, tid, units, sealed, at = row
    try:
        return JournalEntry(
            message_id=message_id,
            request_hash=request_hash,
            meter_pan=MeterPan(pan),
            key=KeyName(
                tenant=tenant,
                supply_group_code=SupplyGroupCode.parse(group),
                key_revision_number=KeyRevisionNumber(revision),
            ),
            base_date=BaseDate.parse(base),
            tid_minutes=tid,
            credit_units=int(units),
            sealed=sealed,
            made_at=datetime.fromisoformat(at),
        )
    except (StsError, TypeError, ValueError) as error:
        raise JournalTamperedError from error
