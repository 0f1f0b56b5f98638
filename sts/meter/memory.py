"""Non-volatile memory in one SQLite file, safe against a power cut at any instruction.

One file is one meter. Every operation is one durable transaction: it takes the write lock before
it reads what it decides on, and after a cut at any point the file is as before or as after, never
between. The decoder key lies in the file in clear, as in a laboratory meter; the file is readable
by its owner only. A physical meter keeps its key in protected memory.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlite_utils

from sts.errors import StsError
from sts.meter.errors import MeterError, MeterFileDamagedError, MeterFileExistsError
from sts.meter.events import NOTHING_WRITTEN, DayRecord, Event, IntervalRecord, Written
from sts.meter.file_header import flush_to_disk, require_meter_file
from sts.meter.forms import Rows, Value
from sts.meter.log_rows import (
    HistoryEntry,
    LogRow,
    day_from_row,
    day_to_row,
    event_from_row,
    event_to_row,
    interval_from_row,
    interval_to_row,
    token_from_row,
    token_to_row,
)
from sts.meter.memory_file import connect, exclusive, translated
from sts.meter.records import (
    spec_from_rows,
    spec_to_rows,
    state_from_rows,
    state_to_rows,
    volatile_from_rows,
    volatile_to_rows,
)
from sts.meter.schema import APPLICATION_ID, MIGRATIONS, SCHEMA, SCHEMA_VERSION
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, Volatile

KEPT_ROWS: Final = 1000
"""How many events and how many tokens are kept."""
KEPT_INTERVALS: Final = 90 * 48
"""How many half hours are kept: 90 days."""
KEPT_DAYS: Final = 731
"""How many daily totals are kept: two years."""

_COMPANIONS: Final = ("-wal", "-shm", "-journal")


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
        written: Half hours and days that were completed.
        token: The token that was keyed, if one was.
    """

    contents: Contents
    events: tuple[Event, ...] = ()
    written: Written = NOTHING_WRITTEN
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
        translated(path),
        tempfile.TemporaryDirectory(prefix=".sts-meter-", dir=path.parent) as folder,
    ):
        draft = Path(folder) / path.name
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(connect(draft)) as database:
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
        with translated(path):
            self._database: Final = connect(path)
        try:
            with translated(path):
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
        with self.reading():
            return self._contents()

    @contextmanager
    def exclusively(self) -> Iterator[sqlite_utils.Database]:
        """Take the lock for a block; all that is changed in it counts together or not at all.

        Raises:
            MeterBusyError: Another process kept the lock for two seconds.
            MeterFileDamagedError, MeterFileAccessError: As when opening.
        """
        with translated(self.path), exclusive(self._database):
            yield self._database

    def change(self, operation: Callable[[Contents], _Change]) -> _Change:
        """Let ``operation`` decide on the present contents and write what it returns, durably.

        The lock is taken first, so nobody can change what the decision rests on. If the operation
        raises, nothing is written.

        Raises:
            MeterBusyError: Another process kept the lock for two seconds.
            MeterFileDamagedError, MeterFileAccessError: As when opening.
        """
        with self.exclusively():
            present = self._contents()
            update = operation(present)
            _save(self._database, update.contents, before=present)
            self._append(update)
            return update

    def events(self, limit: int) -> tuple[Event, ...]:
        """Return the latest events, newest first.

        Raises:
            MeterFileDamagedError, MeterFileAccessError, MeterBusyError: As when opening.
        """
        return self._latest("events", limit, event_from_row)

    def intervals(self, limit: int) -> tuple[IntervalRecord, ...]:
        """Return the latest half hours of the load profile, newest first.

        Raises:
            MeterFileDamagedError, MeterFileAccessError, MeterBusyError: As when opening.
        """
        return self._latest("load_profile", limit, interval_from_row)

    def days(self, limit: int) -> tuple[DayRecord, ...]:
        """Return the latest daily totals, newest first.

        Raises:
            MeterFileDamagedError, MeterFileAccessError, MeterBusyError: As when opening.
        """
        return self._latest("daily_totals", limit, day_from_row)

    def history(self, limit: int) -> tuple[HistoryEntry, ...]:
        """Return the latest tokens, newest first.

        Raises:
            MeterFileDamagedError, MeterFileAccessError, MeterBusyError: As when opening.
        """
        return self._latest("token_history", limit, token_from_row)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let all that is read in a block be of one moment.

        Raises:
            MeterFileDamagedError, MeterFileAccessError, MeterBusyError: As when opening.
        """
        with translated(self.path), self._database.atomic():
            yield

    def rows(
        self, table: str, where: str | None = None, values: tuple[Value, ...] = ()
    ) -> list[dict[str, Any]]:
        """Return rows of a table that other modules keep in the file."""
        with translated(self.path):
            return list(self._database.table(table).rows_where(where, values))

    def _check(self) -> None:
        """Refuse a file whose pages contradict each other, before anything is written to it."""
        verdict = self._database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise MeterFileDamagedError(self.path, "its pages contradict each other")
        if self._version() < SCHEMA_VERSION:
            with exclusive(self._database):
                self._migrate()
                self._contents()
            return
        with self._database.atomic():
            self._contents()

    def _version(self) -> int:
        return int(self._database.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self) -> None:
        """Bring a file of an older program up to date; the caller holds the lock."""
        for version in range(self._version(), SCHEMA_VERSION):
            if version not in MIGRATIONS:
                raise MeterFileDamagedError(self.path, f"there was no version {version}")
            for statement in MIGRATIONS[version]:
                self._database.execute(statement)
        self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

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
        self, table: str, limit: int, make: Callable[[LogRow], _Logged]
    ) -> tuple[_Logged, ...]:
        with translated(self.path):
            rows = self._database.table(table).rows_where(order_by="id desc", limit=limit)
            try:
                return tuple(make(row) for row in rows)
            except (OverflowError, StsError, TypeError, ValueError):
                raise MeterFileDamagedError(self.path, f"a row of {table}") from None

    def _append(self, update: Update) -> None:
        tokens = () if update.token is None else (update.token,)
        self._insert("token_history", map(token_to_row, tokens), kept=KEPT_ROWS)
        self._insert("events", map(event_to_row, update.events[-KEPT_ROWS:]), kept=KEPT_ROWS)
        half_hours, days = update.written.intervals, update.written.days
        latest = half_hours[-KEPT_INTERVALS:]
        self._insert("load_profile", map(interval_to_row, latest), kept=KEPT_INTERVALS)
        self._insert("daily_totals", map(day_to_row, days[-KEPT_DAYS:]), kept=KEPT_DAYS)

    def _insert(self, table: str, rows: Iterable[LogRow], *, kept: int) -> None:
        """Append rows, and drop the oldest beyond as many as are kept."""
        new = list(rows)
        if new:
            self._database.table(table).insert_all(new)
            newest = f"SELECT max(id) FROM {table}"  # noqa: S608 - a name of ours
            self._database.table(table).delete_where(f"id <= ({newest}) - {kept}")


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
