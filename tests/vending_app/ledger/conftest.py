"""Books in a database of either kind, empty and full, copied for each test."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete

from tests.vending_app.conftest import new_postgresql_database, opened
from tests.vending_app.ledger.world import World, founded, six_days
from vending_app.storage.engine import Store
from vending_app.storage.migrate import upgrade
from vending_app.storage.tables import metadata


@pytest.fixture
def empty_store(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Store]:
    """A database of the present form without a row."""
    if database_kind == "sqlite":
        empty = request.getfixturevalue("empty_file")
        url = f"sqlite:///{shutil.copy(empty, tmp_path / 'books.db')}"
    else:
        url = request.getfixturevalue("postgresql_books")
    with opened(url) as store:
        _empty(store)
        yield store


def _empty(store: Store) -> None:
    """Remove the rows of an earlier test past triggers and references; SQLite files are new."""
    if store.engine.dialect.name == "postgresql":
        with store.write() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = 'replica'")
            for table in metadata.tables.values():
                connection.execute(delete(table))


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of the present form without a row, to be copied."""
    path = tmp_path_factory.mktemp("books") / "empty.db"
    with opened(f"sqlite:///{path}") as store:
        upgrade(store)
    return path


@pytest.fixture
def world(empty_store: Store) -> World:
    """A tenant with nothing sold, on both kinds of database."""
    return founded(empty_store)


@pytest.fixture
def full_world(empty_store: Store) -> World:
    """A tenant with everything that the books know of, on both kinds of database."""
    return six_days(empty_store)


@pytest.fixture(scope="session")
def full_file(empty_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a SQLite file, to be copied."""
    path = Path(shutil.copy(empty_file, tmp_path_factory.mktemp("books") / "full.db"))
    with opened(f"sqlite:///{path}") as store:
        six_days(store)
    return path


@pytest.fixture(scope="session")
def bare_file(full_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without its triggers, as somebody makes it who wants to edit it by hand."""
    path = Path(shutil.copy(full_file, tmp_path_factory.mktemp("books") / "bare.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
    return path


@pytest.fixture
def bare_copy(bare_file: Path, tmp_path: Path) -> Path:
    """A copy of the books without triggers in a SQLite file."""
    return Path(shutil.copy(bare_file, tmp_path / "copy.db"))


@pytest.fixture(scope="session")
def postgresql_books(postgresql_server: str) -> str:
    """The URL of a PostgreSQL database of the present form; a copy for each test takes longer."""
    url = new_postgresql_database(postgresql_server, "books")
    with opened(url) as store:
        upgrade(store)
    return url
