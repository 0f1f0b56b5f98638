"""Statements on their way to PostgreSQL: sent at once, answered together.

A journey to the server and back takes longer than most statements, and while the server works on
one, Python can go on. So a statement is sent as soon as it is known, and its answer is waited for
where it is needed (the pipeline of the protocol, by way of psycopg's wrapper of libpq). The server
carries statements out in the order of their sending; the first one that fails stops those behind
it, and shows itself where the next answer is waited for.

The driver and SQLAlchemy know nothing of it: before either of them uses the connection,
``Pipeline.receive`` has to be called.
"""

from collections.abc import Sequence
from select import POLLIN, POLLOUT, poll
from typing import Any, Final

from psycopg import IsolationLevel
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import Error, OperationalError, error_from_result
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

_OFF: Final = PipelineStatus.OFF
_IDLE: Final = TransactionStatus.IDLE
_DONE: Final = ExecStatus.COMMAND_OK
_ROWS: Final = ExecStatus.TUPLES_OK
_END: Final = ExecStatus.PIPELINE_SYNC
_SKIPPED: Final = ExecStatus.PIPELINE_ABORTED
_COMMIT: Final = "COMMIT"
_LEVELS: Final = {level: level.name.replace("_", " ") for level in IsolationLevel}
_FORGOTTEN: Final = frozenset({"26000", "0A000"})
"""SQLSTATE of a prepared statement that the server has not, or would answer otherwise now."""
_LOST: Final = "the connection to the server was lost"
_UNEXPECTED: Final = "an answer that nobody expected"


class Answer:
    """What the server says to a statement.

    Attributes:
        sql: The statement.
        arguments: Its values.
        prepares: The name under which the server keeps the statement from now on; empty for one
            that is carried out.
        rows: What it found, of a statement that finds something; None until then.
        changed: How many rows it changed, found or made; 0 until then.
        refusal: Why it failed, or why the one failed for whose sake it was skipped.
    """

    __slots__ = ("arguments", "changed", "prepares", "refusal", "rows", "sql")

    def __init__(self, sql: str, arguments: Sequence[Any], prepares: bytes = b"") -> None:
        """Wait for the answer to a statement, or to its preparation under a name."""
        self.sql = sql
        self.arguments = arguments
        self.prepares = prepares
        self.rows: list[Any] | None = None
        self.changed = 0
        self.refusal: Error | None = None


class Pipeline:
    """The statements under way on one connection.

    Each statement is prepared by the server at its first use, and known by a name from then on.
    """

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - the driver's
        """Send to where the psycopg connection ``driver`` leads."""
        self._driver: Final = driver
        self._wire: Final = driver.pgconn
        self._values: Final = Transformer(driver)
        self._names: Final[dict[str, bytes]] = {}
        self._count = 0
        self._formats: Final[dict[int, list[PyFormat]]] = {}
        self._awaited: list[Answer] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._awaited

    def send(self, sql: str, arguments: Sequence[Any]) -> Answer:
        """Send a statement, after a BEGIN if there is no transaction.

        Args:
            sql: The statement, its places numbered.
            arguments: Their values.

        Raises:
            psycopg.Error: A value cannot be sent, or the connection is lost.
        """
        sent = self._formats.get(len(arguments))
        if sent is None:
            sent = self._formats[len(arguments)] = [PyFormat.TEXT] * len(arguments)
        # First what may be refused, so that nothing is half sent.
        values = self._values.dump_sequence(arguments, sent)
        if not self._awaited:
            self._wire.enter_pipeline_mode()
            if self._wire.transaction_status == _IDLE:
                self._put(_begin(self._driver), (), ())
        return self._put(sql, arguments, values)

    def receive(self, *, commit: bool = False) -> Answer | None:
        """Wait for the answers to all that was sent; return the first refusal.

        Args:
            commit: Whether the transaction ends with it.

        Raises:
            psycopg.OperationalError: The connection is lost; it is closed.

        Whatever else is raised, nobody knows where it was left: the connection is of no more use.
        """
        if commit:
            self._put(_COMMIT, (), ())
        awaited, self._awaited = self._awaited, []
        try:
            self._wire.pipeline_sync()
            self._flush()
            for answer in awaited:
                self._take(answer)
            self._take_end()
            self._wire.exit_pipeline_mode()
        except OperationalError as error:
            self._wire.finish()
            refusals = (answer.refusal for answer in awaited if answer.refusal is not None)
            # A refusal says more: that somebody has shut the server down, for one.
            lost = OperationalError(f"{_LOST}: {error}")
            raise next(refusals, lost) from error
        refused = next((answer for answer in awaited if answer.refusal is not None), None)
        if refused is not None:
            # Those behind it were skipped for its sake.
            for answer in awaited[awaited.index(refused) :]:
                answer.refusal = refused.refusal
        return refused

    def give_up(self) -> None:
        """Take what there is of answers, whatever it is, and have nothing under way.

        Raises:
            psycopg.Error: As for ``receive``.
        """
        # It may also have been interrupted before anything was written down as sent.
        if self._awaited or self._wire.pipeline_status != _OFF:
            self.receive()

    def _put(self, sql: str, arguments: Sequence[Any], values: Sequence[Any]) -> Answer:
        answer = Answer(sql, arguments)
        self._wire.send_query_prepared(self._names.get(sql) or self._prepared(sql), values)
        self._awaited.append(answer)
        self._flush()
        return answer

    def _prepared(self, sql: str) -> bytes:
        """Have a statement prepared, and return its name; the server finds out all types."""
        for answer in self._awaited:
            if answer.prepares and answer.sql == sql:
                return answer.prepares
        self._count += 1
        name = b"sts_%d" % self._count
        self._wire.send_prepare(name, sql.encode())
        self._awaited.append(Answer(sql, (), prepares=name))
        return name

    def _take(self, answer: Answer) -> None:
        """Read the answer to one statement."""
        result = self._next()
        if result is None:
            raise OperationalError(_UNEXPECTED)
        status = result.status
        if status == _ROWS:
            self._values.set_pgresult(result)
            answer.rows = self._values.load_rows(0, result.ntuples, tuple)
            answer.changed = result.ntuples
        elif status == _DONE:
            answer.changed = result.command_tuples or 0
            if answer.prepares:
                self._names[answer.sql] = answer.prepares
        elif status != _SKIPPED:
            answer.refusal = error_from_result(result)
            if answer.refusal.sqlstate in _FORGOTTEN:
                self._names.clear()
        # Known without waiting: libpq marks the end of an answer by itself.
        if self._wire.get_result() is not None:
            raise OperationalError(_UNEXPECTED)

    def _take_end(self) -> None:
        result = self._next()
        if result is None or result.status != _END:
            raise OperationalError(_UNEXPECTED)

    def _next(self) -> Any:  # noqa: ANN401 - the driver's
        """Return the next result, or None at the end of an answer; interrupts end the waiting."""
        wire = self._wire
        while wire.is_busy():
            self._wait(POLLIN)
            wire.consume_input()
        return wire.get_result()

    def _flush(self) -> None:
        """Send what is left of it, however much there is."""
        while self._wire.flush():
            # The server may have to be listened to before it takes more.
            if self._wait(POLLIN | POLLOUT) & POLLIN:
                self._wire.consume_input()

    def _wait(self, events: int) -> int:
        """Wait until something can be read or sent; return which."""
        waiting = poll()
        waiting.register(self._wire.socket, events)
        return waiting.poll()[0][1]


def is_readable(driver: Any) -> bool:  # noqa: ANN401 - the driver's
    """Tell whether the server has said something unasked: mostly, that it goes."""
    waiting = poll()
    waiting.register(driver.pgconn.socket, POLLIN)
    return bool(waiting.poll(0))


def _begin(driver: Any) -> str:  # noqa: ANN401 - the driver's
    """Return how a transaction begins on a connection, as SQLAlchemy has set it."""
    level = driver.isolation_level
    return "BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {_LEVELS[level]}"
