"""How prepared statements reach the database: on SQLite at once, on PostgreSQL several together.

To PostgreSQL each statement is a journey there and back, and a sale would make twenty. What changes
rows and gives nothing back therefore waits for the next statement that reads, or for the commit,
and travels with it (in the pipeline of the protocol). The order stays, so each statement sees what
those before it have done, and the transaction keeps all or nothing as ever; only an error shows
itself as late as that. Statements that SQLAlchemy sends have those before them sent first:
``keep_order`` sees to it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from psycopg import RawCursor
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIModule
from sqlalchemy.exc import DBAPIError

_IDLE: Final = TransactionStatus.IDLE
_PIPELINED: Final = "postgresql"
"""The kind of database to which statements go together; the other one answers at once."""
_WAITING: Final = "sts_waiting"
_WATCHERS: Final[list[Callable[[str], None]]] = []
"""Told of each statement. SQLAlchemy's own events would cost as much as the statement."""


class Order(NamedTuple):
    """A statement with its values.

    Attributes:
        sql: As the driver takes it.
        arguments: Its values as the driver takes them.
    """

    sql: str
    arguments: Sequence[Any]


@contextmanager
def watched(engine: Engine) -> Iterator[list[str]]:
    """Give a list to which the statements that reach the database are added, of all connections.

    Args:
        engine: Whose statements of SQLAlchemy are seen too.
    """
    found: list[str] = []

    def note(*arguments: object) -> None:
        found.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    _WATCHERS.append(found.append)
    try:
        yield found
    finally:
        _WATCHERS.remove(found.append)
        event.remove(engine, "before_cursor_execute", note)


def keep_order(engine: Engine) -> None:
    """Have statements that wait sent before any other, and forgotten with their transaction."""
    event.listen(engine, "before_cursor_execute", _send_before)
    event.listen(engine, "commit", _send_with_commit)
    event.listen(engine, "rollback", _forget)


def read(connection: Connection, sql: str, arguments: Sequence[Any]) -> list[Any]:
    """Send a statement after those that wait, and return the rows as the driver has them.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: The database refuses this statement or one that waited.
    """
    if connection.dialect.name == _PIPELINED:
        cursor = _send(connection, [*_taken(connection), Order(sql, arguments)])
    else:
        cursor = _sent(connection, sql, arguments)
    found: list[Any] = cursor.fetchall()
    return found


def change(connection: Connection, sql: str, arguments: Sequence[Any]) -> int:
    """Send a statement after those that wait, and return how many rows it changed.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: As for ``read``.
    """
    if connection.dialect.name != _PIPELINED:
        return int(_sent(connection, sql, arguments).rowcount)
    send_waiting(connection)
    return int(_send(connection, [Order(sql, arguments)]).rowcount)


def write(connection: Connection, sql: str, arguments: Sequence[Any]) -> None:
    """Send a statement, or let it wait for the next one that reads.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: The database refuses it; if it waits, that comes later.
    """
    if connection.dialect.name == _PIPELINED:
        connection.info.setdefault(_WAITING, []).append(Order(sql, arguments))
    else:
        _sent(connection, sql, arguments)


def send_waiting(connection: Connection) -> None:
    """Send what waits.

    Raises:
        sqlalchemy.exc.DBAPIError: The database refuses one of them.
    """
    orders = _taken(connection)
    if orders:
        _send(connection, orders)


def _taken(connection: Connection) -> list[Order]:
    """Return what waits; it waits no longer."""
    waiting: list[Order] = connection.info.pop(_WAITING, [])
    return waiting


def _send_before(connection: Connection, *_: object) -> None:
    send_waiting(connection)


def _send_with_commit(connection: Connection) -> None:
    """Send what waits and the commit with it; SQLAlchemy's own then finds nothing to be done."""
    orders = _taken(connection)
    if orders:
        _send(connection, orders, commit=True)


def _forget(connection: Connection) -> None:
    # With a connection that is lost, what waited for it is lost as well.
    if not connection.invalidated:
        _taken(connection)


def _sent(connection: Connection, sql: str, arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - the driver's
    """Send a statement to SQLite; return the driver's cursor."""
    driver: Any = connection.connection.dbapi_connection
    for watcher in _WATCHERS:
        watcher(sql)
    try:
        return driver.execute(sql, arguments)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, [Order(sql, arguments)], error) from error


def _send(connection: Connection, orders: list[Order], *, commit: bool = False) -> Any:  # noqa: ANN401 - the driver's
    """Send statements to PostgreSQL; return the driver's cursor of the last, ready to be read."""
    driver: Any = connection.connection.dbapi_connection
    *before, last = orders
    try:
        # The driver begins a transaction by itself; that, too, is a statement.
        if driver.pgconn.transaction_status != _IDLE and not before and not commit:
            return _run(driver, last)
        with driver.pipeline():
            for order in before:
                _run(driver, order)
            cursor = _run(driver, last)
            if commit:
                driver.commit()
            return cursor
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, orders, error) from error


def _run(driver: Any, order: Order) -> Any:  # noqa: ANN401 - the driver's
    # Places are numbered, which psycopg calls raw.
    cursor: Any = RawCursor(driver)
    for watcher in _WATCHERS:
        watcher(order.sql)
    cursor.execute(order.sql, order.arguments)
    return cursor


def _wrapped(
    connection: Connection, orders: list[Order], error: DBAPIModule.Error
) -> BaseException:
    """Return an error of the driver as SQLAlchemy's; a connection that is lost is given up."""
    dialect, last = connection.dialect, orders[-1]
    driver = connection.connection.dbapi_connection
    lost = dialect.is_disconnect(error, driver, None)
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        last.sql,
        last.arguments,
        error,
        dialect.loaded_dbapi.Error,
        connection_invalidated=lost,
        dialect=dialect,
    )
