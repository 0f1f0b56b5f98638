"""`sts-vend clock …`, as commands."""

from datetime import timedelta
from importlib import import_module

import pytest
from click.testing import CliRunner

from tests.vending_app.helpers import NOW
from tests.vending_app.vend.shop import audit_codes, findings, sell
from vending_app.cli import main
from vending_app.config import Config
from vending_app.module import open_installed_module
from vending_app.storage import tables
from vending_app.storage.engine import Store


@pytest.fixture
def database_kind() -> str:
    """Commands find the database of the folder that they are given."""
    return "sqlite"


def _run(
    config: Config, monkeypatch: pytest.MonkeyPatch, *told: str, days: int = 0, login: str = "botha"
) -> tuple[int, str]:
    """Run a command some days from now; return its exit status and what it printed."""
    # The package has the command under this name, and so hides the module.
    monkeypatch.setattr(
        import_module("vending_app.cli.clock"), "utc_now", lambda: NOW + timedelta(days=days)
    )
    who = ("--tenant", "thabaneng", "--operator", login, "--reason", "As the auditor knows")
    runner = CliRunner(env={"STS_VEND_LAB_MODE": "true"})
    result = runner.invoke(main, ["clock", *told, *who, "--data-dir", str(config.data_dir)])
    return result.exit_code, result.output


def test_a_clock_that_is_right_is_accepted(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(config, monkeypatch, "accept", "--today", "2027-07-15", days=500) == (
        0,
        "The clock is believed until 2027-07-22 08:15 UTC.\n",
    )
    sell(store, open_installed_module(config, now=NOW), now=NOW + timedelta(days=500))
    assert findings(store) == []


def test_a_clock_that_is_wrong_is_not_accepted(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, said = _run(config, monkeypatch, "accept", "--today", "2026-03-02", days=500)
    assert status == 1
    assert said.startswith(
        "error CLOCK_OTHER_DAY: The clock says that it is 2027-07-15, and you say 2026-03-02"
    )
    assert audit_codes(store) == ["CLOCK_OTHER_DAY"]


def test_books_that_are_ahead_are_set_back(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(store, open_installed_module(config, now=NOW), now=NOW + timedelta(days=30))
    told = ("set-back", "--today", "2026-03-03", "--now", "10:15")
    status, said = _run(config, monkeypatch, *told, days=1)
    assert (status, said.splitlines()) == (
        0,
        [
            "The last entry was made at 2026-04-01 08:15 UTC.",
            "The clock says 2026-03-03 08:15 UTC.",
            "Entry 3 sets the clock back to 2026-03-03 08:15 UTC.",
        ],
    )
    assert findings(store) == []
    status, said = _run(config, monkeypatch, *told, days=1)
    assert (status, said.splitlines()[2].split(":")[0]) == (1, "error CLOCK_NOT_BEHIND")


def test_books_are_not_set_back_by_a_clock_that_shows_another_time(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(store, open_installed_module(config, now=NOW), now=NOW + timedelta(days=30))
    told = ("set-back", "--today", "2026-03-03", "--now", "15:15")
    status, said = _run(config, monkeypatch, *told, days=1)
    refused = "error CLOCK_OTHER_TIME: The clock says that it is 10:15, and you say 15:15 "
    assert status == 1
    assert said.splitlines()[2].startswith(refused)
    assert audit_codes(store) == ["CLOCK_OTHER_TIME"]


def test_books_that_are_empty_have_no_last_entry(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as connection:
        connection.execute(tables.ledger_heads.update().values(posted_at=None))
    told = ("set-back", "--today", "2026-03-02", "--now", "10:15")
    status, said = _run(config, monkeypatch, *told)
    assert (status, [line.split(":")[0] for line in said.splitlines()]) == (
        1,
        ["The clock says 2026-03-02 08", "error CLOCK_NOT_BEHIND"],
    )


def test_a_limit_is_set(config: Config, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(config, monkeypatch, "limit", "7") == (
        0,
        "The clock may be 7 days ahead of the last entry.\n",
    )
    assert audit_codes(store) == ["CLOCK_LIMIT_SET"]
    assert _run(config, monkeypatch, "limit", "0")[0] == 2


def test_nobody_says_it(config: Config, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = ("accept", "--today", "2026-03-02")
    expected = {"nobody": "error UNKNOWN_OPERATOR", "zanele": "error NOT_PERMITTED"}
    for login, code in expected.items():
        status, said = _run(config, monkeypatch, *told, login=login)
        assert (status, said.split(":")[0]) == (1, code)
    assert audit_codes(store) == ["NOT_PERMITTED"]
