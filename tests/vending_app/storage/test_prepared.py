"""One suite over SQLite and PostgreSQL: prepared statements do what SQLAlchemy's own would."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from sts.errors import NaiveDatetimeError
from tests.vending_app.helpers import NOW
from vending_app.storage.engine import Store
from vending_app.storage.prepared import Prepared
from vending_app.storage.sending import watched
from vending_app.storage.tables import customers, meters, operators, requests

_TENANT: Final = "thabaneng"
_ADD: Final = Prepared(insert(customers))
_FIND: Final = Prepared(
    select(customers.c.name).where(
        customers.c.tenant == bindparam("tenant"),
        customers.c.customer_number == bindparam("number"),
    )
)
_RENAME: Final = Prepared(
    update(customers)
    .where(customers.c.tenant == bindparam("whose"), customers.c.name == bindparam("old"))
    .values(name=bindparam("new"))
)


def _customer(number: str, name: str = "Palesa") -> dict[str, object]:
    return {"tenant": _TENANT, "customer_number": number, "name": name}


def _name(connection: Connection, number: str) -> str | None:
    row = _FIND.one_or_none(connection, {"tenant": _TENANT, "number": number})
    return None if row is None else row.name


@pytest.mark.parametrize("table", [meters, operators, customers])
def test_rows_are_those_that_sqlalchemy_finds(store: Store, table: Table) -> None:
    query = select(table)
    with store.read() as connection:
        expected = connection.execute(query).all()
        found = Prepared(query).rows(connection, {})
    assert expected
    assert found == [tuple(row) for row in expected]
    assert [row._asdict() for row in found] == [row._asdict() for row in expected]
    assert [list(map(type, row)) for row in found] == [list(map(type, row)) for row in expected]


@pytest.mark.parametrize("names", [["r"], ["r-1", "r-2", "r-3"]], ids=len)
def test_moments_go_in_and_come_out_in_utc(store: Store, names: list[str]) -> None:
    query = Prepared(
        select(requests.c.received_at, requests.c.ended_at).where(
            requests.c.request_id == bindparam("request_id")
        )
    )
    row = {
        "tenant": _TENANT,
        "kind": "sale",
        "content_hash": "0" * 64,
        "state": "pending",
        "login": "zanele",
        "received_at": NOW,
    }
    with store.write() as connection:
        Prepared(insert(requests)).run_all(
            connection, [{**row, "request_id": name} for name in names]
        )
        found = [query.one_or_none(connection, {"request_id": name}) for name in names]
        kept = connection.execute(text("SELECT DISTINCT received_at FROM requests")).all()
    assert len(kept) == 1
    for each in found:
        assert each is not None
        assert (each.received_at, each.ended_at) == (NOW, None)
        assert each.received_at.tzinfo is UTC


def test_the_hour_that_comes_twice_is_kept_as_two_hours(store: Store) -> None:
    # To Python these two are equal, as both have the same zone and the same digits.
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    moment = bindparam("moment", type_=requests.c.received_at.type)
    query = Prepared(select(moment.label("kept")))
    with store.read() as connection:
        kept = [
            query.rows(connection, {"moment": each})[0].kept
            for each in (first, first.replace(fold=1), first)
        ]
    assert [each.astimezone(UTC).hour for each in kept] == [0, 1, 0]


def test_one_statement_takes_other_columns_the_next_time(store: Store) -> None:
    phone = {"tenant": _TENANT, "customer_number": "C", "name": "Thabo", "phone": "0821234567"}
    language = {"tenant": _TENANT, "customer_number": "D", "name": "Lerato", "language": "st"}
    with store.write() as connection:
        for values in (_customer("A"), phone, language, _customer("B")):
            _ADD.run(connection, values)
        query = select(customers.c.name, customers.c.phone, customers.c.language)
        rows = connection.execute(query.where(customers.c.name != "Palesa")).all()
    assert set(rows) >= {("Thabo", "0821234567", "en"), ("Lerato", "", "st")}


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    query = Prepared(select(requests).where(requests.c.received_at == bindparam("received_at")))
    naive = datetime(2026, 3, 2, 8, 15)  # noqa: DTZ001 - that is what is refused
    with store.read() as connection, pytest.raises(NaiveDatetimeError):
        query.rows(connection, {"received_at": naive})


def test_per_cents_and_fixed_values_stand_as_they_are(store: Store) -> None:
    query = Prepared(
        select(
            literal("5 %").label("percent"), bindparam("asked", type_=customers.c.name.type)
        ).where(literal("a%") == literal("a%"))
    )
    with store.read() as connection:
        assert query.rows(connection, {"asked": "100 %s"}) == [("5 %", "100 %s")]


def test_what_was_written_is_seen_by_whatever_reads_next(store: Store) -> None:
    with store.write() as connection:
        _ADD.run(connection, _customer("A"))
        assert _name(connection, "A") == "Palesa"
        _ADD.run_all(connection, [_customer("B"), _customer("C")])
        count = select(func.count()).select_from(customers).where(customers.c.name == "Palesa")
        assert connection.execute(count).scalar_one() == 3
        _ADD.run_all(connection, [])
        _ADD.run_all(connection, [_customer("D")])
        assert _RENAME.change(connection, {"whose": _TENANT, "old": "Palesa", "new": "Thabo"}) == 4
    with store.read() as connection:
        assert _name(connection, "D") == "Thabo"


def test_what_is_written_last_travels_with_the_commit(store: Store) -> None:
    with store.write() as connection:
        _ADD.run(connection, _customer("A"))
        _RENAME.run(connection, {"whose": _TENANT, "old": "Palesa", "new": "Thabo"})
    with store.read() as connection:
        assert _name(connection, "A") == "Thabo"


def test_what_was_asked_for_is_answered_in_its_order(store: Store) -> None:
    with watched(store.engine) as sent, store.write() as connection:
        _ADD.run(connection, _customer("A"))
        asked = [_FIND.ask(connection, {"tenant": _TENANT, "number": name}) for name in "AB"]
        _ADD.run(connection, _customer("B"))
        assert [len(each.rows()) for each in asked] == [1, 0]
        assert asked[0].one_or_none() == ("Palesa",)
        assert asked[1].one_or_none() is None
    assert [each.split()[0] for each in sent if "customers" in each] == [
        "INSERT",
        "SELECT",
        "SELECT",
        "INSERT",
    ]


def _add_twice(store: Store, *, and_read: bool) -> None:
    with store.write() as connection:
        _ADD.run(connection, _customer("A"))
        _ADD.run(connection, _customer("A"))
        if and_read:
            _name(connection, "A")


def _add_and_fail(store: Store) -> None:
    with store.write() as connection:
        _ADD.run(connection, _customer("A"))
        raise RuntimeError("stop")


def _add_on_a_lost_connection(store: Store) -> None:
    with store.write() as connection:
        mine = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with store.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        _ADD.run(connection, _customer("A"))
        _name(connection, "A")


def test_a_transaction_that_fails_leaves_nothing_and_nothing_waits_for_the_next(
    store: Store,
) -> None:
    with pytest.raises(RuntimeError, match="stop"):
        _add_and_fail(store)
    with store.write() as connection:
        assert _name(connection, "A") is None


@pytest.mark.parametrize("and_read", [True, False])
def test_what_the_database_refuses_is_an_integrity_error_and_nothing_is_kept(
    store: Store, *, and_read: bool
) -> None:
    with pytest.raises(IntegrityError):
        _add_twice(store, and_read=and_read)
    with store.write() as connection:
        assert _name(connection, "A") is None


def test_values_that_a_statement_does_not_know_are_refused(store: Store) -> None:
    with store.read() as connection, pytest.raises(TypeError, match="nothing"):
        _FIND.rows(connection, {"tenant": _TENANT, "number": "A", "nothing": 1})


def test_a_value_that_is_missing_is_refused(store: Store) -> None:
    with store.read() as connection, pytest.raises(KeyError, match="number"):
        _FIND.rows(connection, {"tenant": _TENANT})


def test_lists_are_refused(store: Store) -> None:
    query = Prepared(
        select(customers).where(customers.c.name.in_(bindparam("names", expanding=True)))
    )
    with store.read() as connection, pytest.raises(TypeError, match="list"):
        query.rows(connection, {"names": ["Palesa"]})


@pytest.mark.postgres
def test_a_connection_that_is_lost_is_given_up_and_the_next_one_works(
    store: Store, database_kind: str
) -> None:
    if database_kind == "postgresql":
        with pytest.raises(DBAPIError) as lost:
            _add_on_a_lost_connection(store)
        assert lost.value.connection_invalidated
    with store.write() as connection:
        assert _name(connection, "A") is None
