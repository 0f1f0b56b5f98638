"""One suite over SQLite and PostgreSQL: what must never be broken is refused by the database."""

import inspect
import pkgutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Table, delete, insert, select, text, update
from sqlalchemy.exc import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    ResourceClosedError,
    StatementError,
)

from keys.issuing import JournalledModule
from sts import DecoderReferenceNumber
from sts.errors import UnknownCodeError
from tests.vending_app.conftest import opened
from tests.vending_app.helpers import NOW, PIETER
from vending_app import storage
from vending_app.domain.errors import (
    DatabaseNotCurrentError,
    StoreBusyError,
    UnknownSaleError,
    UnknownTenantError,
)
from vending_app.domain.network import Life
from vending_app.services.quoting import Amount
from vending_app.services.vending import VendRequest, vend
from vending_app.storage import engine as engine_module
from vending_app.storage import meters, sales, tables, tenants
from vending_app.storage.engine import Store
from vending_app.storage.migrate import require_current, upgrade
from vending_app.storage.rows import Words

DRN = DecoderReferenceNumber(PIETER)
_WITHOUT_TENANT: Final = frozenset(
    {
        "backup",
        "engine",
        "locking",
        "migrate",
        "migrations",
        "numbers",
        "pipeline",
        "prepared",
        "rows",
        "sending",
        "tables",
    }
)


def _sell(store: Store, module: JournalledModule, request_id: str = "r-1") -> None:
    request = VendRequest(
        tenant="thabaneng",
        request_id=request_id,
        drn=DRN,
        amount=Amount(minor=2000),
        login="zanele",
    )
    vend(store, module, now=NOW, request=request)


def test_migrations_and_tables_say_the_same(store: Store) -> None:
    with store.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    assert differences == []


def test_migrating_twice_changes_nothing(store: Store) -> None:
    upgrade(store)
    require_current(store)


def test_an_empty_database_is_not_current(empty_database_url: str) -> None:
    with opened(empty_database_url) as store, pytest.raises(DatabaseNotCurrentError) as refusal:
        require_current(store)
    assert refusal.value.code == "DATABASE_NOT_CURRENT"


def test_every_table_begins_with_the_tenant() -> None:
    for table in tables.metadata.tables.values():
        assert next(iter(table.primary_key)).name == "tenant", table.name
        for foreign_key in table.foreign_key_constraints:
            assert foreign_key.column_keys[0] == "tenant", table.name


def test_every_storage_function_takes_the_tenant_first() -> None:
    for found in pkgutil.iter_modules(storage.__path__):
        if found.name in _WITHOUT_TENANT:
            continue
        module = import_module(f"vending_app.storage.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                assert list(inspect.signature(function).parameters)[:2] == ["tenant", "connection"]


SOLD: Final = (
    "bases",
    "issue_journal",
    "ledger_entries",
    "ledger_lines",
    "meter_history",
    "reprints",
    "sale_lines",
    "sales",
    "tariff_versions",
    "tokens",
)
"""Of the tables that are only added to, those that a sale and its reprint leave rows in."""


@pytest.mark.parametrize("table", SOLD)
def test_what_was_sold_is_neither_changed_nor_removed(
    store: Store, module: JournalledModule, table: str
) -> None:
    _sell(store, module)
    with store.write() as connection:
        sales.add_reprint("thabaneng", connection, basis_number=1, login="zanele", now=NOW)
    changed = tables.metadata.tables[table]
    with store.read() as connection:
        assert connection.execute(select(changed)).first() is not None
    for statement in (update(changed).values(tenant="mwanga"), delete(changed)):
        with pytest.raises(DatabaseError, match="append-only"), store.write() as connection:
            connection.execute(statement)


def test_every_table_that_is_only_added_to_has_its_triggers(store: Store) -> None:
    if store.engine.dialect.name == "sqlite":
        query = "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%DELETE%'"
    else:
        query = (
            "SELECT event_object_table FROM information_schema.triggers "
            "WHERE event_manipulation = 'DELETE'"
        )
    with store.read() as connection:
        guarded = set(connection.execute(text(query)).scalars())
    assert guarded == set(tables.APPEND_ONLY)


def test_a_token_identifier_is_used_once_for_a_meter(
    store: Store, module: JournalledModule
) -> None:
    _sell(store, module)
    with store.read() as connection:
        row = dict(connection.execute(select(tables.tokens)).mappings().one())
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(tables.tokens).values(row | {"token_number": 2}))


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (tables.tokens, {"token_number": 2, "tid": 5, "amount_tenths": 0}),
        (tables.tokens, {"token_number": 2, "tid": 0}),
        (tables.tokens, {"token_number": 2, "tid": 1 << 24}),
        (tables.tokens, {"token_number": 2, "tid": 5, "digits": "1234"}),
        (tables.tokens, {"token_number": 2, "tid": 5, "basis_number": 99}),
        (tables.tokens, {"token_number": 2, "tid": 5, "tenant": "mwanga"}),
        (tables.bases, {"basis_number": 2, "kind": "gift"}),
        (tables.bases, {"basis_number": 2, "kind": "free_issue", "case_number": None}),
        (tables.requests, {"request_id": "r-2", "state": "failed", "error_code": None}),
        (tables.requests, {"request_id": "r-2", "state": "pending"}),
        (tables.sales, {"sale_number": 2}),
        (tables.sales, {"sale_number": 2, "basis_number": 9, "ledger_entry": 9}),
        (tables.meters, {"drn": "1", "service_point_code": None}),
        (tables.meters, {"drn": "1", "service_point_code": "C00102"}),
        (tables.accounts, {"account_number": "x", "credit_minor": -1}),
        (tables.vendors, {"vendor_code": "x", "float_minor": -1}),
    ],
    ids=str,
)
def test_rows_that_cannot_be_are_refused(
    store: Store, module: JournalledModule, table: Table, change: dict[str, object]
) -> None:
    _sell(store, module)
    with store.read() as connection:
        row = dict(connection.execute(select(table)).mappings().first() or {})
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(table).values(row | change))


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def count_and_fail(connection: Connection) -> None:
        assert tenants.next_number("thabaneng", connection, counter="sale") == 1
        message = "power cut"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="power cut"), store.write() as connection:
        count_and_fail(connection)
    with store.write() as connection:
        assert tenants.next_number("thabaneng", connection, counter="sale") == 1


def test_threads_read_and_write_in_turns_more_of_them_than_there_are_connections(
    store: Store,
) -> None:
    def count_up(_: int) -> set[int]:
        seen = set()
        for _ in range(5):
            with store.write() as connection:
                seen.add(tenants.next_number("thabaneng", connection, counter="sale"))
            with store.read() as connection:
                assert connection.execute(select(tables.tenants)).first() is not None
        return seen

    threads = 24
    with ThreadPoolExecutor(threads) as pool:
        counted = list(pool.map(count_up, range(threads)))
    assert sorted(number for seen in counted for number in seen) == list(range(1, 5 * threads + 1))


@pytest.mark.parametrize("keep_going", [True, False])
def test_a_connection_is_of_no_use_when_its_transaction_has_ended(
    store: Store, *, keep_going: bool
) -> None:
    def fail() -> None:
        raise RuntimeError("stop")

    with suppress(RuntimeError), store.write() as connection:
        tenants.next_number("thabaneng", connection, counter="sale")
        if not keep_going:
            fail()
    with pytest.raises(ResourceClosedError):
        tenants.find_tenant("thabaneng", connection)
    with store.write() as another:
        counted = tenants.next_number("thabaneng", another, counter="sale")
    assert counted == (2 if keep_going else 1)


def test_a_connection_that_was_closed_in_its_transaction_is_not_kept(store: Store) -> None:
    for _ in range(2):
        with store.read() as connection:
            assert tenants.has_tenant("thabaneng", connection)
            connection.close()


def test_nobody_waits_for_a_connection_to_an_embedded_database(tmp_path: Path) -> None:
    met = Barrier(20)

    def read(store: Store, _: int) -> bool:
        with store.read() as connection:
            met.wait(timeout=20)
            return tenants.has_tenant("thabaneng", connection)

    with opened(f"sqlite:///{tmp_path}/vending.db") as store, ThreadPoolExecutor(20) as pool:
        upgrade(store)
        assert list(pool.map(partial(read, store), range(20))) == [False] * 20


@pytest.mark.parametrize("column", ["encryption_algorithm", "token_carrier_type"])
def test_a_code_that_the_standard_has_not_is_named(store: Store, column: str) -> None:
    with store.write() as connection:
        connection.execute(update(tables.meters).values({column: "05"}))
    with store.read() as connection, pytest.raises(UnknownCodeError) as refusal:
        meters.find_meter("thabaneng", connection, drn=DRN)
    assert refusal.value.code == "UNKNOWN_CODE"


def test_a_word_that_is_none_is_refused_as_its_class_does() -> None:
    assert Words(Life)["stock"] is Life.STOCK
    with pytest.raises(ValueError, match="lost"):
        Words(Life)["lost"]


def test_nothing_holds_an_embedded_database_that_was_closed(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/vending.db") as store:
        upgrade(store)
        with store.write() as first, store.read() as second:
            assert first is not second
        assert (tmp_path / "vending.db-wal").exists()
    # SQLite removes its log when the last connection goes.
    assert [each.name for each in tmp_path.iterdir()] == ["vending.db"]


def test_counters_of_tenants_are_apart(store: Store) -> None:
    with store.write() as connection:
        counted = [
            tenants.next_number(tenant, connection, counter="sale")
            for tenant in ("thabaneng", "thabaneng", "mwanga")
        ]
    assert counted == [1, 2, 1]


def test_times_come_back_in_utc(store: Store) -> None:
    local = datetime(2026, 3, 2, 10, 15, tzinfo=timezone(timedelta(hours=2)))
    with store.write() as connection:
        connection.execute(update(tables.tenants).values(created_at=local))
    with store.read() as connection:
        found = connection.execute(select(tables.tenants.c.created_at)).scalars().first()
    assert found == local
    assert found is not None
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_not_stored(store: Store) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(StatementError, match="no time zone"), store.write() as connection:
        connection.execute(update(tables.tenants).values(created_at=naive))


def test_no_time_stays_no_time(store: Store) -> None:
    column = tables.UtcDateTime()
    dialect = store.engine.dialect
    assert column.process_bind_param(None, dialect) is None
    assert column.process_result_value(None, dialect) is None


def test_what_is_another_tenants_is_not_found(store: Store, module: JournalledModule) -> None:
    _sell(store, module)
    with store.read() as connection:
        with pytest.raises(UnknownSaleError):
            sales.find_sale("mwanga", connection, sale_number=1)
        with pytest.raises(UnknownTenantError):
            tenants.find_tenant("nowhere", connection)
        assert sales.list_recent_sales("mwanga", connection, limit=10) == ()
        assert len(sales.list_recent_sales("thabaneng", connection, limit=10, drn=DRN)) == 1
        assert [
            str(row.meter.drn) for row in meters.list_meters("thabaneng", connection, limit=2)
        ] == ["00100001015", PIETER]
    with pytest.raises(UnknownSaleError), store.write() as connection:
        sales.lock_sale("mwanga", connection, sale_number=1)


def test_sqlite_is_set_up_to_survive_a_power_cut(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sqlite") / "vending.db"
    with opened(f"sqlite:///{path}") as store, store.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": engine_module.BUSY_TIMEOUT_MS,
    }


def test_a_new_sqlite_database_has_small_pages_and_an_old_one_keeps_its_own(
    tmp_path: Path,
) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.executescript("PRAGMA page_size = 8192; CREATE TABLE kept (content TEXT);")
    sizes = []
    for name in ("new", "old"):
        with opened(f"sqlite:///{tmp_path}/{name}.db") as store:
            upgrade(store)
            with store.read() as connection:
                sizes.append(connection.exec_driver_sql("PRAGMA page_size").scalar())
    assert sizes == [2048, 8192]


def test_a_writer_that_waits_too_long_is_told_to_try_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_SQLITE_PRAGMAS", ("PRAGMA busy_timeout = 50",))
    url = store.engine.url.render_as_string(hide_password=False)

    def lock_impatiently(impatient: Store) -> None:
        with impatient.write() as waiting:
            if store.engine.dialect.name == "postgresql":
                waiting.execute(text("SET LOCAL lock_timeout = 50"))
            meters.lock_meter("thabaneng", waiting, drn=DRN)

    with opened(url) as impatient, store.write() as connection:
        meters.lock_meter("thabaneng", connection, drn=DRN)
        with pytest.raises(StoreBusyError) as refusal:
            lock_impatiently(impatient)
    assert refusal.value.code == "STORE_BUSY"


def test_what_is_broken_is_not_called_busy(store: Store) -> None:
    with pytest.raises(DatabaseError) as error, store.read() as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(error.value, StoreBusyError)


def test_a_database_that_is_not_there_is_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = tmp_path_factory.mktemp("sqlite") / "missing" / "vending.db"
    with (
        opened(f"sqlite:///{missing}") as store,
        pytest.raises(OperationalError),
        store.read(),
    ):
        pass  # pragma: no cover - it does not open
