"""Non-volatile memory in one SQLite file, safe against a power cut at any instruction.

One file is one meter. Every operation is one durable transaction: it takes the write lock before
it reads what it decides on, and after a cut at any point the file is as before or as after, never
between. The decoder key lies in the file in clear, as in a laboratory meter; the file is readable
by its owner only. A physical meter keeps its key in protected memory.
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlite_utils

from sts.meter.errors import (
    MeterBusyError,
    MeterError,
    MeterFileAccessError,
    MeterFileDamagedError,
    MeterFileError,
    MeterFileExistsError,
)
from sts.meter.file_header import flush_to_disk, require_meter_file
from sts.meter.records import (
    Rows,
    spec_from_rows,
    spec_to_rows,
    state_from_rows,
    state_to_rows,
    volatile_from_rows,
    volatile_to_rows,
)
from sts.meter.results import ResultCode
from sts.meter.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, SupplyCause, Volatile
from sts.meter.supply import Event, EventKind

BUSY_SECONDS: Final = 2.0
"""How long an operation waits for another one to finish."""
KEPT_ROWS: Final = 1000
"""How many events and how many tokens are kept."""

_COMPANIONS: Final = ("-wal", "-shm", "-journal")
_PRIMARY_CODE: Final = 0xFF
_BUSY_CODES: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGE_CODES: Final = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One token that was keyed.

    Attributes:
        at: When, UTC.
        digits: As keyed, without spaces; cut off and made printable if they were no token.
        result: The answer.
        amount: The amount it added, with its unit; empty without one.
        text: The answer in words for the household.
        reason: Why it was refused, for an engineer; empty if it was not.
    """

    at: datetime
    digits: str
    result: ResultCode
    amount: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that a meter's memory says of it."""

    spec: MeterSpec
    state: MeterState
    volatile: Volatile


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What one operation leaves behind: written wholly or not at all.

    Attributes:
        contents: The memory after it.
        events: What happened, oldest first.
        token: The token that was keyed, if one was.
    """

    contents: Contents
    events: tuple[Event, ...] = ()
    token: HistoryEntry | None = None


_Change = TypeVar("_Change", bound=Update)
_Logged = TypeVar("_Logged")


def create_memory(path: Path, contents: Contents) -> None:
    """Write the memory of a new meter: wholly there or not at all, and never over something.

    Raises:
        MeterFileExistsError: Something of this name is there, or the remains of a deleted meter.
        MeterFileAccessError: The folder cannot be written to.
    """
    for taken in (path, *(path.with_name(path.name + ending) for ending in _COMPANIONS)):
        # SQLite would take a write-ahead log that lies about for one of the new file.
        if os.path.lexists(taken):
            raise MeterFileExistsError(taken)
    with (
        _translated(path),
        tempfile.TemporaryDirectory(prefix=".sts-meter-", dir=path.parent) as folder,
    ):
        draft = Path(folder) / path.name
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(_connect(draft)) as database:
            _fill(database, contents)
        flush_to_disk(draft)
        try:
            # A link fails where a rename would replace.
            os.link(draft, path)
        except FileExistsError:
            raise MeterFileExistsError(path) from None
        flush_to_disk(path.parent)


class MeterMemory:
    """The open memory of one meter; one connection, for one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file, without changing anything in it.

        Raises:
            MeterFileMissingError: There is no such file.
            MeterFileForeignError: It is something else.
            MeterFileVersionError: It was written by a newer program.
            MeterFileDamagedError: It contradicts itself.
            MeterFileAccessError: The system does not let us read or write it.
            MeterBusyError: Another process kept it locked.
        """
        self.path: Final = path
        require_meter_file(path)
        with _translated(path):
            self._database: Final = _connect(path)
        try:
            with _translated(path):
                self._check()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def read(self) -> Contents:
        """Return what the memory says now.

        Raises:
            MeterFileDamagedError: The rows are not those of a meter.
            MeterBusyError, MeterFileAccessError: As when opening.
        """
        with _translated(self.path), self._database.atomic():
            return self._contents()

    def change(self, operation: Callable[[Contents], _Change]) -> _Change:
        """Let ``operation`` decide on the present contents and write what it returns, durably.

        The lock is taken first, so nobody can change what the decision rests on. If the operation
        raises, nothing is written.

        Raises:
            MeterBusyError: Another process kept the lock for two seconds.
            MeterFileDamagedError, MeterFileAccessError: As when opening.
        """
        with _translated(self.path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                # Inside our transaction this is a savepoint: what is written counts at COMMIT.
                with self._database.atomic():
                    present = self._contents()
                    update = operation(present)
                    _save(self._database, update.contents, before=present)
                    self._append(update)
                self._database.execute("COMMIT")
            except BaseException:
                self._database.rollback()
                raise
            return update

    def events(self, limit: int) -> tuple[Event, ...]:
        """Return the latest events, newest first.

        Raises:
            MeterFileDamagedError, MeterFileAccessError, MeterBusyError: As when opening.
        """
        return self._latest("events", limit, _event_of)

    def history(self, limit: int) -> tuple[HistoryEntry, ...]:
        """Return the latest tokens, newest first.

        Raises:
            MeterFileDamagedError, MeterFileAccessError, MeterBusyError: As when opening.
        """
        return self._latest("token_history", limit, _history_entry_of)

    def _check(self) -> None:
        """Refuse a file whose pages contradict each other, before anything is written to it."""
        verdict = self._database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise MeterFileDamagedError(self.path, "its pages contradict each other")
        with self._database.atomic():
            self._contents()

    def _contents(self) -> Contents:
        slots = self._database.table("token_identifiers").rows_where(order_by="slot")
        try:
            spec = spec_from_rows(self._rows("spec"))
            return Contents(
                spec=spec,
                state=state_from_rows(
                    spec, self._rows("state"), tid_store=tuple(row["tid"] for row in slots)
                ),
                volatile=volatile_from_rows(spec, self._rows("volatile")),
            )
        except MeterError as error:
            raise MeterFileDamagedError(self.path, str(error)) from error

    def _rows(self, table: str) -> Rows:
        return {row["name"]: row["value"] for row in self._database.table(table).rows}

    def _latest(
        self, table: str, limit: int, make: Callable[[dict[str, Any]], _Logged]
    ) -> tuple[_Logged, ...]:
        with _translated(self.path):
            rows = self._database.table(table).rows_where(order_by="id desc", limit=limit)
            try:
                return tuple(make(row) for row in rows)
            except ValueError:
                raise MeterFileDamagedError(self.path, f"a row of {table}") from None

    def _append(self, update: Update) -> None:
        if update.events:
            self._insert("events", [_event_row(event) for event in update.events])
        if update.token is not None:
            self._insert("token_history", [_history_row(update.token)])

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        self._database.table(table).insert_all(rows)
        newest = f"SELECT max(id) FROM {table}"  # noqa: S608 - two names of ours
        self._database.table(table).delete_where(f"id <= ({newest}) - {KEPT_ROWS}")


def _fill(database: sqlite_utils.Database, contents: Contents) -> None:
    database.enable_wal()
    with database.atomic():
        for statement in SCHEMA:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        _put(database, "spec", spec_to_rows(contents.spec), before={})
        _save(database, contents)


def _save(
    database: sqlite_utils.Database, contents: Contents, *, before: Contents | None = None
) -> None:
    """Write the rows that differ from those before."""
    spec, state, volatile = contents.spec, contents.state, contents.volatile
    old = {} if before is None else state_to_rows(before.state)
    _put(database, "state", state_to_rows(state), before=old)
    old = {} if before is None else volatile_to_rows(spec, before.volatile)
    _put(database, "volatile", volatile_to_rows(spec, volatile), before=old)
    slots = dict(enumerate(() if before is None else before.state.tid_store))
    changed = [
        {"slot": slot, "tid": tid}
        for slot, tid in enumerate(state.tid_store)
        if slots.get(slot) != tid
    ]
    if changed:
        database.table("token_identifiers").upsert_all(changed, pk="slot")


def _put(database: sqlite_utils.Database, table: str, rows: Rows, *, before: Rows) -> None:
    changed = [
        {"name": name, "value": value}
        for name, value in rows.items()
        if name not in before or before[name] != value
    ]
    if changed:
        database.table(table).upsert_all(changed, pk="name")


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "kind": str(event.kind),
        "cause": None if event.cause is None else str(event.cause),
        "credit": event.credit,
        "consumed": event.consumed,
    }


def _event_of(row: dict[str, Any]) -> Event:
    return Event(
        at=datetime.fromisoformat(row["at"]),
        kind=EventKind(row["kind"]),
        cause=None if row["cause"] is None else SupplyCause(row["cause"]),
        credit=row["credit"],
        consumed=row["consumed"],
    )


def _history_row(token: HistoryEntry) -> dict[str, Any]:
    return {
        "at": token.at.isoformat(),
        "digits": token.digits,
        "result": int(token.result),
        "amount": token.amount,
        "text": token.text,
        "reason": token.reason,
    }


def _history_entry_of(row: dict[str, Any]) -> HistoryEntry:
    return HistoryEntry(
        at=datetime.fromisoformat(row["at"]),
        digits=row["digits"],
        result=ResultCode(row["result"]),
        amount=row["amount"],
        text=row["text"],
        reason=row["reason"],
    )


def _connect(path: Path) -> sqlite_utils.Database:
    """Open an existing file; SQLite would otherwise make one where there is none."""
    place = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS)
    database = sqlite_utils.Database(connection, execute_plugins=False)
    # A commit that returned must have reached the disk.
    database.execute("PRAGMA synchronous = FULL")
    return database


@contextmanager
def _translated(path: Path) -> Iterator[None]:
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
