"""The connections to SQLite that are kept: whatever goes wrong on one, the next one is clean."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from tests.vending_app.conftest import opened
from vending_app.config import Config
from vending_app.domain.errors import StoreBusyError
from vending_app.storage import engine as engine_module
from vending_app.storage import tenants
from vending_app.storage.engine import Store
from vending_app.storage.tables import ledger_accounts, ledger_lines

_ACCOUNT = {"tenant": "thabaneng", "account": "suspense", "kind": "liability", "name": "suspense"}
_LINE = {
    "tenant": "thabaneng",
    "entry_number": 9,
    "line_number": 1,
    "account": "suspense",
    "amount_minor": 1,
    "currency": "ZAR",
}


@pytest.fixture
def embedded(config: Config) -> Iterator[Store]:
    """The embedded database, whatever the other tests run over."""
    with opened(config.database_url) as store:
        yield store


def _fail(connection: Connection) -> None:
    connection.execute(insert(ledger_accounts).values(_ACCOUNT))
    raise RuntimeError("stop")


def _leave_a_line_without_its_entry(connection: Connection) -> None:
    connection.execute(insert(ledger_accounts).values(_ACCOUNT))
    connection.execute(insert(ledger_lines).values(_LINE))


def _end_the_transaction_and_go_on(connection: Connection) -> None:
    connection.rollback()
    connection.execute(insert(ledger_accounts).values(_ACCOUNT))


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (_fail, RuntimeError),
        (_leave_a_line_without_its_entry, IntegrityError),
        (_end_the_transaction_and_go_on, InvalidRequestError),
    ],
)
def test_what_fails_leaves_nothing_and_no_connection_is_lost(
    embedded: Store, act: Callable[[Connection], None], error: type[Exception]
) -> None:
    def write() -> None:
        with embedded.write() as connection:
            act(connection)

    for _ in range(3):
        with pytest.raises(error):
            write()
        assert "Current Checked out connections: 0" in embedded.engine.pool.status()
    with embedded.write() as connection:
        assert tenants.next_number("thabaneng", connection, counter="case") == 1
        connection.execute(insert(ledger_accounts).values(_ACCOUNT))


def test_a_transaction_that_cannot_begin_gives_its_connection_back(
    embedded: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_SQLITE_PRAGMAS", ("PRAGMA busy_timeout = 20",))
    with opened(config.database_url) as impatient, embedded.write():
        for _ in range(2):
            with pytest.raises(StoreBusyError), impatient.write():
                pytest.fail("two write at once")
            assert "Current Checked out connections: 0" in impatient.engine.pool.status()


def test_a_commit_that_others_do_not_let_through_refuses_and_leaves_nothing(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a log of its own, as on file systems that cannot share memory, readers hold it up.
    pragmas = ("PRAGMA busy_timeout = 20", "PRAGMA journal_mode = DELETE")
    monkeypatch.setattr(engine_module, "_SQLITE_PRAGMAS", pragmas)

    def write(store: Store) -> int:
        with store.write() as connection:
            return tenants.next_number("thabaneng", connection, counter="case")

    with opened(config.database_url) as writing, opened(config.database_url) as reading:
        with reading.read() as connection:
            assert tenants.has_tenant("thabaneng", connection)
            with pytest.raises(StoreBusyError):
                write(writing)
            assert "Current Checked out connections: 0" in writing.engine.pool.status()
        assert write(writing) == 1
