"""What lies between us and a PostgreSQL server: order, refusals, a server that goes, interrupts."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType
from typing import Any, Final

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    Connection,
    bindparam,
    event,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from keys.issuing import JournalledModule
from tests.vending_app.conftest import new_postgresql_database, opened
from tests.vending_app.helpers import NOW
from tests.vending_app.vend.shop import sell
from vending_app.domain.errors import NotPermittedError, OutcomeUnknownError, RequestIdReusedError
from vending_app.domain.ledger import deposit_entry
from vending_app.domain.ledger_errors import LedgerClockBehindError
from vending_app.storage import engine as engine_module
from vending_app.storage import ledger, meters
from vending_app.storage.engine import Store
from vending_app.storage.pipeline import Pipeline
from vending_app.storage.prepared import Prepared
from vending_app.storage.tables import customers, requests

_TENANT: Final = "thabaneng"
_ADD: Final = Prepared(insert(customers))
_OF_NAME: Final = Prepared(
    select(customers.c.customer_number)
    .where(customers.c.tenant == bindparam("tenant"), customers.c.name == bindparam("name"))
    .order_by(customers.c.customer_number)
)
_LOCK: Final = Prepared(
    select(customers.c.name)
    .where(customers.c.tenant == bindparam("tenant"), customers.c.customer_number == "C")
    .with_for_update()
)
_LEVEL: Final = Prepared(select(func.current_setting("transaction_isolation").label("level")))
_LENGTH: Final = Prepared(
    select(func.length(requests.c.plan).label("length")).where(
        requests.c.request_id == bindparam("request_id")
    )
)
_SLEEP: Final = Prepared(select(func.pg_sleep(60).label("slept")))
_END_ALL: Final = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_PID: Final = text("SELECT pg_backend_pid()")

pytestmark = pytest.mark.postgres


@pytest.fixture
def server(postgresql_server: str, postgresql_template: str) -> Iterator[Store]:
    """A database of the PostgreSQL server, as it is after the first start."""
    url = new_postgresql_database(postgresql_server, "piped", template=postgresql_template)
    with opened(url) as store:
        yield store


def _customer(number: str, name: str = "Palesa") -> dict[str, object]:
    return {"tenant": _TENANT, "customer_number": number, "name": name}


def _numbers(connection: Connection, name: str = "Palesa") -> list[str]:
    found = _OF_NAME.rows(connection, {"tenant": _TENANT, "name": name})
    return [row.customer_number for row in found]


@contextmanager
def _journeys() -> Iterator[list[int]]:
    """Give a list that grows with each time that answers of a server are waited for."""
    made: list[int] = []
    receive = Pipeline.receive

    def counted(pipeline: Pipeline, *, commit: bool = False) -> object:
        made.append(1)
        return receive(pipeline, commit=commit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "receive", counted)
        yield made


def _end(store: Store, pid: int) -> None:
    """End a connection from the server's side, and wait until it is gone."""
    with (
        opened(store.engine.url.render_as_string(hide_password=False)) as other,
        other.read() as connection,
    ):
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def test_a_sale_waits_for_the_server_six_times(server: Store, module: JournalledModule) -> None:
    sell(server, module, request_id="first")
    with _journeys() as made:
        sell(server, module, request_id="second")
    assert len(made) == 6


def test_neither_a_replay_nor_a_refused_request_waits_for_the_meter(
    server: Store, module: JournalledModule
) -> None:
    sale = sell(server, module, request_id="done").result
    with server.write() as connection:
        meters.lock_meter(_TENANT, connection, drn=sale.drn)
        again = sell(server, module, request_id="done")
        assert (again.replay, again.result.number) == (True, sale.number)
        with pytest.raises(RequestIdReusedError):
            sell(server, module, request_id="done", minor=20_01)
        with pytest.raises(NotPermittedError):
            sell(server, module, request_id="new", login="farai")
        with pytest.raises(LedgerClockBehindError):
            sell(server, module, request_id="new", now=NOW - timedelta(days=1))


def test_questions_are_answered_together_and_in_their_order(server: Store) -> None:
    named = {"tenant": _TENANT, "name": "Palesa"}
    with _journeys() as made, server.write() as connection:
        before = _OF_NAME.ask(connection, named)
        _ADD.run(connection, _customer("A"))
        between = _OF_NAME.ask(connection, named)
        _ADD.run_all(connection, [_customer("B"), _customer("C")])
        after = _OF_NAME.ask(connection, named)
        assert not made
        assert [row.customer_number for row in after.rows()] == ["A", "B", "C"]
        assert len(made) == 1
        assert before.one_or_none() is None
        one = between.one_or_none()
        assert one is not None
        assert one.customer_number == "A"
    assert len(made) == 1, "nothing was left to be sent with the commit"


def test_what_is_refused_is_told_with_the_answer_that_is_waited_for(server: Store) -> None:
    def add_twice_and_ask() -> None:
        with server.write() as connection:
            _ADD.run(connection, _customer("A"))
            _ADD.run(connection, _customer("A", "Thabo"))
            later = _OF_NAME.ask(connection, {"tenant": _TENANT, "name": "Palesa"})
            later.rows()

    with pytest.raises(IntegrityError) as refused:
        add_twice_and_ask()
    assert refused.value.statement is not None
    assert refused.value.statement.startswith("INSERT INTO customers")
    assert "Thabo" in str(refused.value.params)
    with server.write() as connection:
        assert _numbers(connection) == []


def test_a_statement_that_was_skipped_is_prepared_the_next_time(server: Store) -> None:
    unseen = Prepared(select(literal("here").label("word")))

    def add_twice_and_ask() -> None:
        with server.write() as connection:
            _ADD.run_all(connection, [_customer("A"), _customer("A")])
            unseen.rows(connection, {})

    with pytest.raises(IntegrityError):
        add_twice_and_ask()
    with server.write() as connection:
        first, second = unseen.ask(connection, {}), unseen.ask(connection, {})
        assert first.rows() == second.rows() == [("here",)]


def test_statements_that_the_server_has_forgotten_are_prepared_again(server: Store) -> None:
    def forget_and_ask() -> None:
        with server.write() as connection:
            _numbers(connection)
            connection.execute(text("DEALLOCATE ALL"))
            _numbers(connection)

    with pytest.raises(DBAPIError, match="does not exist"):
        forget_and_ask()
    with server.write() as connection:
        assert _numbers(connection) == []


def test_a_statement_whose_columns_have_changed_is_prepared_again(server: Store) -> None:
    phone = Prepared(select(customers.c.phone).limit(1))

    def ask() -> None:
        with server.write() as connection:
            phone.rows(connection, {})

    ask()
    with server.write() as connection:
        connection.execute(text("ALTER TABLE customers ALTER COLUMN phone TYPE text"))
    with pytest.raises(DBAPIError, match="must not change result type"):
        ask()
    ask()


def test_a_statement_is_prepared_once_however_often_it_is_sent(server: Store) -> None:
    unseen = Prepared(select(literal("once").label("word")))
    with server.write() as connection:
        for _ in range(2):
            asked = [unseen.ask(connection, {}) for _ in range(3)]
            assert [each.rows() for each in asked] == [[("once",)]] * 3
    with server.write() as connection:
        statement = "SELECT statement FROM pg_prepared_statements"
        named = [row[0] for row in connection.execute(text(statement)) if " AS word" in row[0]]
    assert len(named) == 1


def test_readers_and_writers_have_their_own_isolation(server: Store) -> None:
    def level(connection: Connection) -> str:
        found = _LEVEL.one_or_none(connection, {})
        assert found is not None
        return str(found.level)

    for _ in range(2):
        with server.write() as connection:
            assert level(connection) == "read committed"
        with server.read() as connection:
            assert level(connection) == "repeatable read"


def test_more_is_sent_than_the_server_takes_at_once(server: Store) -> None:
    values = {
        "tenant": _TENANT,
        "kind": "sale",
        "content_hash": "0" * 64,
        "state": "pending",
        "login": "zanele",
        "plan": "x" * 8_000_000,
        "received_at": NOW,
    }
    add = Prepared(insert(requests))
    with server.write() as connection:
        add.run(connection, {**values, "request_id": "one"})
        add.run(connection, {**values, "request_id": "two"})
        found = [_LENGTH.ask(connection, {"request_id": name}) for name in ("one", "two")]
        assert [each.rows() for each in found] == [[(8_000_000,)], [(8_000_000,)]]


def test_the_server_is_listened_to_while_much_is_sent(server: Store) -> None:
    echo = Prepared(select(bindparam("said", type_=requests.c.plan.type).label("heard")))
    said = [str(number) * 1_000_000 for number in range(9)]
    with server.read() as connection:
        asked = [echo.ask(connection, {"said": each}) for each in said]
        assert [each.rows() for each in asked] == [[(each,)] for each in said]


def test_the_commit_goes_with_what_was_written_last(server: Store) -> None:
    ended: list[bool] = []

    def note(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        ended.append(driver.pgconn.transaction_status == TransactionStatus.IDLE)

    event.listen(server.engine, "commit", note)
    with server.write() as connection:
        _ADD.run(connection, _customer("A"))
    assert ended == [True], "SQLAlchemy's own commit finds nothing to be done"


def test_what_was_written_before_is_not_taken_for_a_float_that_does_not_suffice(
    server: Store,
) -> None:
    deposit = deposit_entry(
        reference="slip 1",
        period="2026-03",
        login="botha",
        vendor_code="SPAZA",
        amount_minor=100,
        currency="ZAR",
    )

    def add_twice_and_post() -> None:
        with server.write() as connection:
            _ADD.run_all(connection, [_customer("A"), _customer("A")])
            ledger.post(_TENANT, connection, entry=deposit, now=NOW)

    with pytest.raises(IntegrityError):
        add_twice_and_post()


def test_a_server_that_went_between_two_transactions_is_not_noticed(server: Store) -> None:
    with server.write() as connection:
        pid = connection.execute(_PID).scalar_one()
    _end(server, pid)
    with server.write() as connection:
        assert _numbers(connection) == []
        assert connection.execute(_PID).scalar_one() != pid


def test_after_a_rest_the_server_is_asked_whether_it_is_there(
    server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.write() as connection:
        pid = connection.execute(_PID).scalar_one()
    monkeypatch.setattr(engine_module, "_TRUSTED_S", -1.0)
    asked: list[object] = []
    ping = server.engine.dialect.do_ping

    def counted(driver: DBAPIConnection) -> bool:
        asked.append(driver)
        return ping(driver)

    monkeypatch.setattr(server.engine.dialect, "do_ping", counted)
    with server.write() as connection:
        assert connection.execute(_PID).scalar_one() == pid
    assert len(asked) == 1
    monkeypatch.setattr(engine_module, "_TRUSTED_S", 3600.0)
    with server.write() as connection:
        assert connection.execute(_PID).scalar_one() == pid
    assert len(asked) == 1, "within that time nobody asks"
    monkeypatch.setattr(engine_module, "_TRUSTED_S", -1.0)
    monkeypatch.setattr(engine_module, "is_readable", lambda _: False)
    _end(server, pid)
    with server.write() as connection:
        assert connection.execute(_PID).scalar_one() != pid


def test_a_server_that_goes_within_a_transaction_ends_it(server: Store) -> None:
    def lose(then: Callable[[Connection], object]) -> None:
        with server.write() as connection:
            _ADD.run(connection, _customer("A"))
            pid = connection.execute(_PID).scalar_one()
            _end(server, pid)
            then(connection)

    def leave(connection: Connection) -> None:
        _ADD.run(connection, _customer("B"))
        raise RuntimeError("stop")

    for then in (
        _numbers,
        lambda connection: _ADD.run(connection, _customer("B")),
        lambda connection: _ADD.run_all(connection, [_customer("B")]),
    ):
        with pytest.raises(OperationalError, match=r"administrator command|lost") as lost:
            lose(then)
        assert lost.value.connection_invalidated
    with pytest.raises((RuntimeError, OperationalError)):
        lose(leave)
    with server.write() as connection:
        assert _numbers(connection) == []


def test_why_the_server_ended_the_connection_is_told(server: Store) -> None:
    def wait() -> None:
        with server.write() as connection:
            pid = connection.execute(_PID).scalar_one()
            asked = _SLEEP.ask(connection, {})
            _ADD.run(connection, _customer("A"))
            _end(server, pid)
            asked.rows()

    with pytest.raises(OperationalError, match="administrator command") as lost:
        wait()
    assert lost.value.connection_invalidated


def test_a_sale_whose_server_went_may_be_asked_for_again(
    server: Store, module: JournalledModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_all(step: str) -> None:
        if step == "sale.before_commit":
            url = server.engine.url.render_as_string(hide_password=False)
            with opened(url) as other, other.read() as connection:
                connection.execute(_END_ALL)

    monkeypatch.setattr(server, "fail_point", end_all)
    with pytest.raises(OutcomeUnknownError):
        sell(server, module)
    monkeypatch.undo()
    assert sell(server, module).result.number == 1


def test_what_the_database_refuses_besides_is_no_unknown_outcome(
    server: Store, module: JournalledModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(step: str) -> None:
        raise IntegrityError(step, {}, ValueError())

    monkeypatch.setattr(server, "fail_point", refuse)
    with pytest.raises(IntegrityError):
        sell(server, module)


def test_an_interrupt_before_anything_was_sent_leaves_no_connection_behind(
    server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def add() -> None:
        with server.write() as connection:
            _ADD.run(connection, _customer("A"))

    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "_put", interrupted)
        with pytest.raises(KeyboardInterrupt):
            add()
    with server.write() as connection:
        assert connection.execute(_PID).scalar_one() > 0
        assert _numbers(connection) == []


def test_what_was_skipped_tells_why_whenever_it_is_asked(server: Store) -> None:
    named = {"tenant": _TENANT, "name": "Palesa"}
    with suppress(IntegrityError), server.write() as connection:
        _ADD.run_all(connection, [_customer("A"), _customer("A")])
        asked = [_OF_NAME.ask(connection, named) for _ in range(2)]
        for each in asked:
            with pytest.raises(IntegrityError):
                each.rows()


def test_statements_stay_prepared_whatever_sqlalchemy_sends_besides(server: Store) -> None:
    def fail() -> None:
        with server.write() as connection:
            _numbers(connection)
            for _ in range(10):
                connection.execute(_PID)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fail()
    with server.write() as connection:
        assert _numbers(connection) == []


def test_without_a_transaction_nothing_is_sent(server: Store) -> None:
    with server.engine.connect() as connection, pytest.raises(AssertionError):
        _ADD.run(connection, _customer("A"))


def test_a_value_that_python_cannot_hold_is_told_as_such(server: Store) -> None:
    far = Prepared(select(literal_column("'infinity'::timestamptz").label("far")))

    def read() -> None:
        with server.write() as connection:
            _ADD.run(connection, _customer("A"))
            far.rows(connection, {})

    with pytest.raises(DBAPIError, match="timestamp too large"):
        read()
    with server.write() as connection:
        assert _numbers(connection) == []


@pytest.mark.parametrize("fails", [False, True], ids=["asking", "giving up"])
def test_an_interrupt_ends_the_waiting_for_another_transaction(
    server: Store, *, fails: bool
) -> None:
    class StopError(BaseException):
        pass

    def interrupt(_: int, __: FrameType | None) -> None:
        raise StopError

    def wait_for_the_other() -> None:
        with server.write() as connection:
            _ADD.run(connection, _customer("D"))
            asked = _LOCK.ask(connection, {"tenant": _TENANT})
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            if fails:
                raise RuntimeError("stop")
            asked.rows()

    with server.write() as connection:
        _ADD.run(connection, _customer("C"))
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with server.write() as connection:
            connection.execute(
                update(customers).where(customers.c.customer_number == "C").values(name="Thabo")
            )
            with pytest.raises(StopError):
                wait_for_the_other()
            with server.write() as again:
                # The server does not go on with what was interrupted, nor holds what it had.
                _ADD.run(again, _customer("D", "Lerato"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with server.write() as connection:
        assert _numbers(connection, "Thabo") == ["C"]
        assert _numbers(connection, "Lerato") == ["D"]
        assert _numbers(connection) == [], "what was interrupted came to nothing"
