"""How prepared statements reach the database: on SQLite at once, on PostgreSQL many on one journey.

To PostgreSQL each statement would be a journey there and back, and a sale would make twenty. What
changes rows and gives nothing back is sent and not waited for; what finds rows can be asked for
before it is needed. The order stays, so each statement sees what those before it have done, and the
transaction keeps all or nothing as ever; only an error shows itself later, where the next answer is
waited for. Before SQLAlchemy sends anything itself, all answers are taken: ``keep_order`` sees to
it. Within savepoints of SQLAlchemy such statements have no place: what they are refused with may
come only after their end.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from vending_app.storage.pipeline import Answer, Pipeline

_PIPELINED: Final = "postgresql"
"""The kind of database to which statements go together; the other one answers at once."""
_PIPELINE: Final = "sts_pipeline"
_WAITING: Final = "waiting for answers"
_CANCEL_S: Final = 2.0
Rows: TypeAlias = Callable[[], list[Any]]
"""Gives the rows of a statement."""
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


def ask(connection: Connection, sql: str, arguments: Sequence[Any]) -> Rows:
    """Send a statement whose rows are needed later: early, and several in a row.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Returns:
        What gives the rows as the driver has them, and waits for them if they are not there yet.

    Raises:
        sqlalchemy.exc.DBAPIError: SQLite refuses it; from PostgreSQL that comes with the rows.
    """
    if connection.dialect.name == _PIPELINED:
        return partial(_rows, connection, _send(connection, sql, arguments))
    found: list[Any] = _sent(connection, sql, arguments).fetchall()
    return lambda: found


def read(connection: Connection, sql: str, arguments: Sequence[Any]) -> list[Any]:
    """Send a statement, and return its rows as the driver has them.

    Args:
        connection: The transaction.
        sql: The statement as the driver takes it.
        arguments: Its values as the driver takes them.

    Raises:
        sqlalchemy.exc.DBAPIError: The database refuses this statement or one before it.
    """
    return ask(connection, sql, arguments)()


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
        raise _wrapped(connection, error, sql=_WAITING) from error
    except BaseException as error:
        _leave(connection, error)
        raise
    if refused is not None:
        raise _refusal(connection, refused) from refused.refusal


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
        _leave(connection, error)
        raise


def _leave(connection: Connection, error: BaseException) -> None:
    """Give up a connection on which nobody knows what is under way, and have the server stop it."""
    driver: Any = connection.connection.dbapi_connection
    # It would go on waiting for a lock, and hold those that the same request needs again.
    with suppress(connection.dialect.loaded_dbapi.Error):
        driver.cancel_safe(timeout=_CANCEL_S)
    connection.invalidate(error)


def _rows(connection: Connection, answer: Answer) -> list[Any]:
    """Return the rows of an answer, and wait for it if it is not there yet."""
    if answer.rows is None and answer.refusal is None:
        receive(connection)
    if answer.refusal is not None:
        raise _refusal(connection, answer) from answer.refusal
    # Otherwise the statement finds nothing by its nature.
    assert answer.rows is not None
    return answer.rows


def _sent(connection: Connection, sql: str, arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - the driver's
    """Send a statement to SQLite; return the driver's cursor."""
    driver: Any = connection.connection.dbapi_connection
    for watcher in _WATCHERS:
        watcher(sql)
    try:
        return driver.execute(sql, arguments)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, error, sql=sql, arguments=arguments) from error


def _send(connection: Connection, sql: str, arguments: Sequence[Any]) -> Answer:
    """Send a statement to PostgreSQL."""
    # Without SQLAlchemy knowing of a transaction, nobody would end this one.
    assert connection.in_transaction()
    pipeline: Pipeline | None = connection.info.get(_PIPELINE)
    if pipeline is None:
        pipeline = Pipeline(connection.connection.dbapi_connection)
        connection.info[_PIPELINE] = pipeline
    for watcher in _WATCHERS:
        watcher(sql)
    try:
        return pipeline.send(sql, arguments)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, error, sql=sql, arguments=arguments) from error


def _refusal(connection: Connection, answer: Answer) -> DBAPIError:
    return _wrapped(connection, answer.refusal, sql=answer.sql, arguments=answer.arguments)


def _wrapped(
    connection: Connection,
    error: Any,  # noqa: ANN401 - of one driver or the other
    *,
    sql: str,
    arguments: Sequence[Any] = (),
) -> DBAPIError:
    """Return an error of the driver as SQLAlchemy's; a connection that is lost is given up."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if lost:
        connection.invalidate(error)
    wrapped: DBAPIError = DBAPIError.instance(
        sql,
        arguments,
        error,
        dialect.loaded_dbapi.Error,
        connection_invalidated=lost,
        dialect=dialect,
    )
    return wrapped
