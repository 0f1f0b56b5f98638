"""How prepared statements reach the database: on SQLite at once, on PostgreSQL many on one journey.

To PostgreSQL each statement would be a journey there and back, and a sale would make twenty. What
changes rows and gives nothing back is sent and not waited for; what finds rows can be asked for
before it is needed. The order stays, so each statement sees what those before it have done, and the
transaction keeps all or nothing as ever; only an error shows itself later, where the next answer is
waited for. Before SQLAlchemy sends anything itself, all answers are taken: ``keep_order`` sees to
it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from vending_app.storage.pipeline import Answer, Pipeline

_PIPELINED: Final = "postgresql"
"""The kind of database to which statements go together; the other one answers at once."""
_PIPELINE: Final = "sts_pipeline"
_WAITING: Final = "waiting for answers"
_WATCHERS: Final[list[Callable[[str], None]]] = []
"""Told of each statement. SQLAlchemy's own events would cost as much as the statement."""


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
    """Have the answers that are awaited taken before any other statement, and with the end."""
    event.listen(engine, "before_cursor_execute", _receive_before)
    event.listen(engine, "commit", _commit)
    event.listen(engine, "rollback", _forget)


class Asked:
    """Rows that were asked for."""

    __slots__ = ("_answer", "_connection")

    def __init__(self, connection: Connection, answer: Answer) -> None:
        """Expect ``answer`` in the transaction of ``connection``."""
        self._connection = connection
        self._answer = answer

    def rows(self) -> list[Any]:
        """Return the rows as the driver has them, waiting for them if they are not there yet.

        Raises:
            sqlalchemy.exc.DBAPIError: The database refuses the statement or one before it.
        """
        if self._answer.rows is None:
            receive(self._connection)
        found = self._answer.rows
        # Otherwise the statement finds nothing by its nature.
        assert found is not None
        return found


def ask(connection: Connection, sql: str, arguments: Sequence[Any]) -> Asked | list[Any]:
    """Send a statement whose rows are needed later: early, and several in a row.

    Returns what gives the rows; SQLite has them at once.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: SQLite refuses it; from PostgreSQL that comes with the rows.
    """
    if connection.dialect.name == _PIPELINED:
        return Asked(connection, _send(connection, sql, arguments))
    found: list[Any] = _sent(connection, sql, arguments).fetchall()
    return found


def read(connection: Connection, sql: str, arguments: Sequence[Any]) -> list[Any]:
    """Send a statement, and return its rows as the driver has them.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: The database refuses this statement or one before it.
    """
    if connection.dialect.name == _PIPELINED:
        return Asked(connection, _send(connection, sql, arguments)).rows()
    found: list[Any] = _sent(connection, sql, arguments).fetchall()
    return found


def change(connection: Connection, sql: str, arguments: Sequence[Any]) -> int:
    """Send a statement, and return how many rows it changed.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: As for ``read``; after ``receive`` this statement alone is to
            blame.
    """
    if connection.dialect.name != _PIPELINED:
        return int(_sent(connection, sql, arguments).rowcount)
    answer = _send(connection, sql, arguments)
    receive(connection)
    return answer.changed


def write(connection: Connection, sql: str, arguments: Sequence[Any]) -> None:
    """Send a statement that gives nothing back.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: SQLite refuses it; from PostgreSQL that comes later.
    """
    if connection.dialect.name == _PIPELINED:
        _send(connection, sql, arguments)
    else:
        _sent(connection, sql, arguments)


def receive(connection: Connection, *, commit: bool = False) -> None:
    """Wait for all answers.

    Args:
        connection: The transaction.
        commit: Whether it ends with them.

    Raises:
        sqlalchemy.exc.DBAPIError: The database refuses one of the statements.
    """
    pipeline: Pipeline | None = connection.info.get(_PIPELINE)
    if pipeline is None or pipeline.is_empty:
        return
    try:
        refused = pipeline.receive(commit=commit)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, Answer(_WAITING, ()), error) from error
    except BaseException as error:
        connection.invalidate(error)
        raise
    if refused is not None:
        raise _wrapped(connection, refused, refused.refusal) from refused.refusal


def _receive_before(connection: Connection, *_: object) -> None:
    receive(connection)


def _commit(connection: Connection) -> None:
    """Send the commit with what is under way; SQLAlchemy's own then finds nothing to be done."""
    receive(connection, commit=True)


def _forget(connection: Connection) -> None:
    # With a connection that is lost, what was under way on it is lost as well.
    if connection.invalidated:
        return
    pipeline: Pipeline | None = connection.info.get(_PIPELINE)
    if pipeline is None:
        return
    try:
        pipeline.give_up()
    except connection.dialect.loaded_dbapi.Error as error:
        connection.invalidate(error)
    except BaseException as error:
        connection.invalidate(error)
        raise


def _sent(connection: Connection, sql: str, arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - the driver's
    """Send a statement to SQLite; return the driver's cursor."""
    driver: Any = connection.connection.dbapi_connection
    for watcher in _WATCHERS:
        watcher(sql)
    try:
        return driver.execute(sql, arguments)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, Answer(sql, arguments), error) from error


def _send(connection: Connection, sql: str, arguments: Sequence[Any]) -> Answer:
    """Send a statement to PostgreSQL."""
    pipeline: Pipeline | None = connection.info.get(_PIPELINE)
    if pipeline is None:
        pipeline = Pipeline(connection.connection.dbapi_connection)
        connection.info[_PIPELINE] = pipeline
    for watcher in _WATCHERS:
        watcher(sql)
    try:
        return pipeline.send(sql, arguments)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, Answer(sql, arguments), error) from error


def _wrapped(
    connection: Connection,
    answer: Answer,
    error: Any,  # noqa: ANN401 - of one driver or the other
) -> DBAPIError:
    """Return an error of the driver as SQLAlchemy's; a connection that is lost is given up."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if lost:
        connection.invalidate(error)
    wrapped: DBAPIError = DBAPIError.instance(
        answer.sql,
        answer.arguments,
        error,
        dialect.loaded_dbapi.Error,
        connection_invalidated=lost,
        dialect=dialect,
    )
    return wrapped
