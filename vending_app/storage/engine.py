"""Connections to SQLite and PostgreSQL that behave alike.

A transaction either reads or writes and says so when it begins. On SQLite a writer takes the lock
at once (BEGIN IMMEDIATE), so it never finds out half-way that another one was faster; on PostgreSQL
the services lock the rows that they decide on.
"""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, OperationalError, ResourceClosedError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from vending_app.domain.errors import StoreBusyError
from vending_app.storage.pipeline import is_readable
from vending_app.storage.sending import keep_order

BUSY_TIMEOUT_MS: Final = 30_000
_BEGIN_MODE: Final = "sts_begin"
_ENDED: Final = "the transaction of this connection has ended"
_KEPT_CONNECTIONS: Final = 4
_TRUSTED_S: Final = 5.0
"""For how long after its last use a connection is believed to lead somewhere."""
_USED_AT: Final = "sts_used_at"
_SQLITE_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    # A sale writes one row each to some thirty pages, and every page goes to the disk whole. Only a
    # new database takes the size; one that exists keeps its own.
    "PRAGMA page_size = 2048",
    "PRAGMA journal_mode = WAL",
    # Each time its log has so many pages, SQLite writes them into the database, while a sale waits.
    # Most of them were written by many sales, so to do it rarely is to write them less often.
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_MAY_BE_BUSY: Final = (PoolTimeoutError, OperationalError, sqlite3.OperationalError)
_PRIMARY_CODE_MASK: Final = 0xFF
_POSTGRESQL_BUSY: Final = frozenset({"40P01", "55P03"})
"""SQLSTATE of a deadlock and of a lock that was not to be had in time."""


def no_fail_point(name: str) -> None:
    """Go on: what a use case calls at each named step, unless a test wants to stop there."""
    del name


class Store:
    """A database, to be read and written in transactions.

    Attributes:
        engine: The database.
        fail_point: Called with the name of each step that a writing use case has taken. Tests of
            crashes put a function here that ends the process.
    """

    def __init__(self, engine: Engine) -> None:
        """Use ``engine``; ``Store.open`` makes the right one for a URL."""
        self.engine = engine
        self._reading = engine
        self._kept: _KeptConnections | None = None
        if engine.dialect.name == "sqlite":
            self._kept = _KeptConnections(engine)
        else:
            # By default each statement would see what was committed before it.
            self._reading = engine.execution_options(isolation_level="REPEATABLE READ")
        self.fail_point: Callable[[str], None] = no_fail_point

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect to ``sqlite:///PATH`` or ``postgresql://…``.

        A pooler between us and PostgreSQL must leave a connection to who has it: statements are
        prepared, and known to the server's process by their names.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            # Nobody waits for a connection, which might be one that is kept; SQLite lets those who
            # write wait for each other.
            engine = create_engine(parsed, max_overflow=-1)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return cls(engine)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(
            parsed,
            connect_args={
                "options": f"-c lock_timeout={BUSY_TIMEOUT_MS} -c timezone=UTC",
                # It would forget all prepared statements now and then, and those of the pipeline
                # with its own.
                "prepare_threshold": None,
            },
        )
        for used in ("connect", "checkin"):
            event.listen(engine, used, _note_use)
        event.listen(engine, "checkout", partial(_require_alive, engine.dialect))
        keep_order(engine)
        return cls(engine)

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection whose statements all see the same state."""
        return self._transaction(self._reading, "DEFERRED")

    def write(self) -> AbstractContextManager[Connection]:
        """Give a connection whose changes are kept together, or none of them is.

        Raises:
            StoreBusyError: Another writer took too long; nothing was changed.
        """
        return self._transaction(self.engine, "IMMEDIATE")

    def tenant_codes(self) -> tuple[str, ...]:
        """Return the codes of all tenants: the one thing that is read for nobody in particular."""
        with self.read() as connection:
            found = connection.exec_driver_sql("SELECT tenant FROM tenants ORDER BY tenant")
            return tuple(found.scalars())

    def close(self) -> None:
        """Close all connections."""
        if self._kept is not None:
            self._kept.close()
        self.engine.dispose()

    def _transaction(self, engine: Engine, mode: str) -> "_Transaction":
        if self._kept is None:
            # Of those to PostgreSQL each one is looked at by the pool, for a server may have gone.
            return _Transaction(engine.begin())
        return _Transaction(_Embedded(self._kept, mode))


class _KeptConnections:
    """A few connections to SQLite that are kept for the next transactions.

    To take one out of SQLAlchemy's pool and to give it back costs more than to begin and to commit.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._idle: Final[list[Connection]] = []

    def take(self) -> Connection:
        """Return a connection that was kept, or another one."""
        try:
            # Threads come here at once: to take from a list is one step.
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()

    def keep(self, connection: Connection) -> None:
        """Keep a connection for the next transaction, unless there are enough."""
        if connection.closed or connection.in_transaction() or len(self._idle) >= _KEPT_CONNECTIONS:
            _let_go(connection)
            return
        # Who goes on with it after its transaction has ended is told so.
        connection.info[_BEGIN_MODE] = None
        self._idle.append(connection)

    def close(self) -> None:
        """Give all of them back to the pool."""
        while self._idle:
            _let_go(self._idle.pop())


class _Transaction(AbstractContextManager[Connection]):
    """A transaction in which a database that is busy refuses.

    Written as classes, and not with ``yield``: every request passes here, some several times.
    """

    __slots__ = ("_begun",)

    def __init__(self, begun: AbstractContextManager[Connection]) -> None:
        self._begun = begun

    def __enter__(self) -> Connection:
        try:
            return self._begun.__enter__()
        except _MAY_BE_BUSY as error:
            _refuse_if_busy(error)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._begun.__exit__(kind, error, traceback)
        except _MAY_BE_BUSY as late:
            _refuse_if_busy(late)
            raise
        if isinstance(error, _MAY_BE_BUSY):
            _refuse_if_busy(error)


class _Embedded(AbstractContextManager[Connection]):
    """A transaction of SQLite."""

    __slots__ = ("_begun", "_connection", "_kept", "_mode")

    def __init__(self, kept: _KeptConnections, mode: str) -> None:
        self._kept = kept
        self._mode = mode

    def __enter__(self) -> Connection:
        connection = self._kept.take()
        connection.info[_BEGIN_MODE] = self._mode
        try:
            self._begun = connection.begin()
            # Has SQLAlchemy refuse to go on where somebody has ended the transaction within.
            self._begun.__enter__()
        except BaseException:
            _let_go(connection)
            raise
        self._connection = connection
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._begun.__exit__(kind, error, traceback)
        except BaseException:
            _let_go(self._connection)
            raise
        if error is None:
            self._kept.keep(self._connection)
        else:
            _let_go(self._connection)


def _let_go(connection: Connection) -> None:
    """Give a connection back to the pool, as it came."""
    if not connection.closed:
        connection.info.pop(_BEGIN_MODE, None)
        connection.close()


def _prepare_sqlite(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    del entry
    # The driver would begin and commit transactions when it likes; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.info.get(_BEGIN_MODE, "DEFERRED")
    if mode is None:
        raise ResourceClosedError(_ENDED)
    # Straight to the driver: to begin would cost as much as to insert a row otherwise.
    connection.connection.cursor().execute(f"BEGIN {mode}")


def _note_use(driver: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    del driver
    entry.info[_USED_AT] = monotonic()


def _require_alive(
    dialect: Dialect, driver: DBAPIConnection, entry: ConnectionPoolEntry, *_: object
) -> None:
    """Refuse a connection whose server has gone; the pool then makes another.

    Asking the server is a journey of its own. One that has ended or ended the connection has said
    so on it, and only where nothing was heard for a while may the network have gone without a word.
    """
    try:
        if monotonic() - entry.info[_USED_AT] < _TRUSTED_S and not is_readable(driver):
            return
        dialect.do_ping(driver)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _refuse_if_busy(error: BaseException) -> None:
    """Say in our own words that the database was busy, if that is it.

    Raises:
        StoreBusyError: It was.
    """
    if isinstance(error, PoolTimeoutError) or _is_busy(getattr(error, "orig", error)):
        raise StoreBusyError from error


def _is_busy(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode & _PRIMARY_CODE_MASK == sqlite3.SQLITE_BUSY
    return getattr(error, "sqlstate", None) in _POSTGRESQL_BUSY
