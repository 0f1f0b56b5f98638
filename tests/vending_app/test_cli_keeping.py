"""The commands that keep what is there: backup, restore, recover, reconcile."""

from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keys.module_home import ModuleHome
from tests.vending_app.helpers import NOW
from tests.vending_app.vend.conftest import elsewhere
from tests.vending_app.vend.shop import Elsewhere, rows, sell
from vending_app import cli
from vending_app.config import Config
from vending_app.domain.errors import OutcomeUnknownError, RequestInProgressError
from vending_app.module import open_installed_module
from vending_app.services import recovery
from vending_app.storage.engine import Store

__all__ = ["elsewhere"]


def _broken(_: str) -> None:
    message = "the line is dead"
    raise ConnectionError(message)


def _run(config: Config, *arguments: str) -> Result:
    # The module of the demo is one for trials.
    runner = CliRunner(env={"STS_VEND_LAB_MODE": "true"})
    return runner.invoke(cli.main, [*arguments, "--data-dir", str(config.data_dir)])


@pytest.fixture
def database_kind() -> str:
    """Commands find the database of the folder that they are given."""
    return "sqlite"


def test_a_backup_is_restored_into_a_new_installation(
    config: Config, store: Store, tmp_path: Path
) -> None:
    sell(store, open_installed_module(config, now=NOW))
    file = tmp_path / "books.backup"
    done = _run(config, "backup", str(file))
    assert done.exit_code == 0, done.output
    assert f"tables are in {file}." in done.output
    assert _run(config, "backup", str(file)).exit_code == 1
    new = ["restore", str(file), "--data-dir", str(tmp_path / "new")]
    restored = CliRunner().invoke(cli.main, new)
    assert restored.exit_code == 0, restored.output
    assert "thabaneng: 2 entries, 0 findings" in restored.output
    again = CliRunner().invoke(cli.main, new)
    assert again.exit_code == 1
    assert "error DATABASE_NOT_EMPTY" in again.output


def test_restored_books_that_are_wrong_are_not_passed_over(
    config: Config, store: Store, tmp_path: Path
) -> None:
    sell(store, open_installed_module(config, now=NOW))
    with store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER sales_no_update")
        connection.exec_driver_sql("UPDATE sales SET tendered_minor = 1")
    file = tmp_path / "books.backup"
    assert _run(config, "backup", str(file)).exit_code == 0
    new = ["restore", str(file), "--data-dir", str(tmp_path / "new")]
    restored = CliRunner().invoke(cli.main, new)
    assert restored.exit_code == 1
    assert "thabaneng: sales 1: tendered_minor is 1, its lines are 20000" in restored.output


def test_recover_has_nothing_to_do_where_everything_is_known(config: Config) -> None:
    done = _run(config, "recover")
    assert (done.exit_code, done.output) == (0, "")


def test_recover_says_what_came_of_each_request(
    config: Config, store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = "vending_app.cli.keeping.open_installed_module"
    monkeypatch.setattr(opened, lambda *_, **__: elsewhere)
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    still = _run(config, "recover")
    assert still.exit_code == 1
    assert "thabaneng r-1: OUTCOME_UNKNOWN" in still.output
    elsewhere.after = lambda _: None
    done = _run(config, "recover")
    assert (done.exit_code, done.output) == (0, "thabaneng r-1: done\n")
    assert rows(store, "sales") == {"sales": 1}


def test_recover_goes_on_after_what_nobody_has_foreseen(
    config: Config, store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = {"r-1": ZeroDivisionError("mend me"), "r-2": RequestInProgressError("r-2")}
    keeping = import_module("vending_app.cli.keeping")
    monkeypatch.setattr(keeping, "open_installed_module", lambda *_, **__: elsewhere)
    monkeypatch.setattr(keeping, "recover_all", lambda *_, **__: outcomes)
    found = _run(config, "recover")
    assert found.exception is outcomes["r-1"]
    tenants = store.tenant_codes()
    assert [line.split(":")[0] for line in found.output.splitlines()] == [
        f"{tenant} {request_id}" for tenant in tenants for request_id in outcomes
    ]


def test_recover_says_so_when_the_clock_keeps_a_request_open(
    config: Config, store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = import_module("vending_app.cli.keeping")
    monkeypatch.setattr(keeping, "open_installed_module", lambda *_, **__: elsewhere)
    monkeypatch.setattr(keeping, "utc_now", lambda: NOW - timedelta(days=1))
    monkeypatch.setattr(recovery, "PATIENCE", timedelta(days=-2))
    monkeypatch.setattr(elsewhere, "after", _broken)
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    elsewhere.after = lambda _: None
    found = _run(config, "recover")
    assert "thabaneng r-1: CLOCK_BEHIND" in found.output
    assert found.exit_code == 1


def test_reconcile_agrees_on_an_honest_day_and_not_on_another(config: Config, store: Store) -> None:
    module = open_installed_module(config, now=NOW)
    sell(store, module)
    done = _run(config, "reconcile", "--day", "2026-03-02")
    assert done.exit_code == 0, done.output
    assert "thabaneng 2026-03-02: agrees" in done.output
    assert "key 201457/1: 1 tokens made, 1 in the books" in done.output

    def stop(name: str) -> None:
        if name == "sale.issued":
            raise KeyboardInterrupt

    store.fail_point = stop
    with pytest.raises(KeyboardInterrupt):
        sell(store, module, request_id="r-2")
    gap = _run(config, "reconcile", "--day", "2026-03-02")
    assert gap.exit_code == 1
    assert "not_booked: thabaneng/r-2/1 under 201457/1" in gap.output
    assert _run(config, "reconcile").exit_code == 0


def test_reconcile_refuses_a_log_that_was_altered(config: Config, store: Store) -> None:
    sell(store, open_installed_module(config, now=NOW))
    log = ModuleHome(config.module_place).audit
    log.write_bytes(log.read_bytes().replace(b"thabaneng/r-1/1", b"thabaneng/r-8/1"))
    done = _run(config, "reconcile", "--day", "2026-03-02")
    assert done.exit_code == 1
    assert "error CHAIN_ENTRY_ALTERED" in done.output
