"""`sts-vend ledger …`, as commands."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from keys.audit import AuditLog
from keys.chain_seal import Ed25519SealKey, HmacSealKey, format_checkpoint
from keys.module_identity import PublicIdentity, format_identity
from keys.secret import Secret
from tests.vending_app.ledger.world import SEAL_KEY, START
from vending_app.cli import main
from vending_app.installation import prepare
from vending_app.sealing import KEY_FILE, PUBLIC_FILE

Run = Callable[..., tuple[int, str]]

LOG_KEY = HmacSealKey(Secret(bytes(range(32))))


@pytest.fixture
def data_dir(full_file: Path, tmp_path: Path) -> Path:
    """An installation with full books, and the key that sealed them."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    shutil.copy(full_file, folder / "vending.db")
    prepare(folder, {})
    (folder / KEY_FILE).write_text(f"{bytes(range(32)).hex()}\n", encoding="ascii")
    (folder / KEY_FILE).chmod(0o600)
    return folder


@pytest.fixture
def run(data_dir: Path) -> Run:
    """Run a command on the installation; return its exit status and what it printed."""

    def run(command: str, *arguments: str) -> tuple[int, str]:
        told = ["ledger", command, "--data-dir", str(data_dir), *arguments]
        result = CliRunner().invoke(main, told)
        return result.exit_code, result.output

    return run


def _edit(data_dir: Path, statement: str) -> None:
    with closing(sqlite3.connect(data_dir / "vending.db")) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)


def test_right_books_are_right(run: Run) -> None:
    status, said = run("verify")
    assert status == 0
    assert said.startswith("thabaneng: 10 entries, nothing wrong, up to ")


def test_an_edited_row_is_named_and_the_exit_status_is_1(run: Run, data_dir: Path) -> None:
    _edit(
        data_dir, "UPDATE sale_lines SET label = 'Gift' WHERE sale_number = 2 AND line_number = 1"
    )
    status, said = run("verify", "--tenant", "thabaneng")
    assert (status, said.splitlines()) == (
        1,
        [
            "thabaneng: sale_lines 2/1: it is not the row that entry 3 stands for",
            "thabaneng: 1 finding in 10 entries",
        ],
    )


def test_a_copy_can_be_checked_where_there_is_no_installation(bare_copy: Path) -> None:
    told = ["ledger", "verify", "--database-url", f"sqlite:///{bare_copy}"]
    assert CliRunner().invoke(main, told).exit_code == 0


def test_there_are_no_books_of_nobody(run: Run) -> None:
    status, said = run("verify", "--tenant", "nobody")
    assert (status, said) == (1, "error UNKNOWN_TENANT: There is no utility nobody\n")


def test_a_checkpoint_is_carried_elsewhere_and_asked_later(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        status, said = run("checkpoint", "--tenant", "thabaneng", "--out", str(tmp_path))
        assert status == 0, said
        assert said.startswith("thabaneng: 10 entries, ")
    carried = tmp_path / "ledger-thabaneng-10.json"
    assert (data_dir / PUBLIC_FILE).read_text(encoding="ascii").strip() == SEAL_KEY.public_key.hex()
    assert run("verify", "--since", str(carried))[0] == 0
    _edit(data_dir, "DELETE FROM ledger_entries WHERE entry_number = 10")
    status, said = run("verify", "--since", str(carried))
    assert status == 1
    assert "thabaneng: ledger_entries 10: a checkpoint remembers it, but it was cut off" in said


def test_another_file_in_the_place_of_a_checkpoint_is_not_overwritten(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "ledger-thabaneng-10.json").write_text("mine", encoding="ascii")
    status, said = run("checkpoint", "--tenant", "thabaneng", "--out", str(tmp_path))
    assert status == 1
    assert "error FILE_EXISTS" in said


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"x", "CHECKPOINT_FORMAT"), (None, "FILE_UNREADABLE")],
)
def test_evidence_that_is_none_is_refused(
    run: Run, tmp_path: Path, content: bytes | None, code: str
) -> None:
    path = tmp_path / "evidence"
    if content is not None:
        path.write_bytes(content)
    status, said = run("verify", "--since", str(path))
    assert status == 1
    assert f"error {code}: " in said


def test_a_checkpoint_without_the_installations_seal_is_no_evidence(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    run("checkpoint", "--tenant", "thabaneng", "--out", str(tmp_path))
    other = Ed25519SealKey(Secret(bytes(32)))
    key = tmp_path / "other.pub"
    key.write_text(other.public_key.hex(), encoding="ascii")
    carried = str(tmp_path / "ledger-thabaneng-10.json")
    status, said = run("verify", "--since", carried, "--seal-key", str(key))
    assert status == 1
    assert "error SEAL_MISMATCH" in said
    assert data_dir.exists()


@pytest.mark.parametrize("content", ["", "xyz", "00"])
def test_a_file_that_holds_no_public_key_is_refused(run: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content, encoding="ascii")
    (tmp_path / "file").write_bytes(_of_key_audit(tmp_path))
    status, said = run(
        "keep-checkpoint",
        *("--tenant", "thabaneng", "--seal-key", str(tmp_path / "key"), str(tmp_path / "file")),
    )
    assert status == 1
    assert "error KEY_FILE" in said


def test_a_public_key_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    status, said = run("verify", "--seal-key", str(tmp_path / "key"))
    assert status == 1
    assert "error FILE_UNREADABLE" in said


def _of_key_audit(folder: Path) -> bytes:
    """Return the checkpoint file of a key audit log that is made in a folder."""
    path = folder / "audit.log"
    log = AuditLog.create(path, "module-1", key=LOG_KEY, actor="farai", now=START)
    return format_checkpoint(log.checkpoint(SEAL_KEY, now=START))


def test_the_checkpoint_of_a_key_audit_is_kept_and_compared_with_it(
    run: Run, tmp_path: Path
) -> None:
    sealed = tmp_path / "audit.json"
    sealed.write_bytes(_of_key_audit(tmp_path))
    key = tmp_path / "key.pub"
    key.write_text(SEAL_KEY.public_key.hex(), encoding="ascii")
    told = ("--tenant", "thabaneng", "--seal-key", str(key), str(sealed))
    assert run("keep-checkpoint", *told) == (0, "module-1: 1 entries are remembered.\n")
    log = tmp_path / "audit.log"
    assert run("verify", "--key-audit", str(log))[0] == 0
    # The same log, begun by somebody else: another log under the same name.
    log.unlink()
    AuditLog.create(log, "module-1", key=LOG_KEY, actor="nobody", now=START)
    status, said = run("verify", "--key-audit", str(log))
    assert status == 1
    assert "ledger_checkpoints module-1/1: the key audit log is not the one" in said


def test_the_identity_of_a_module_serves_as_its_public_key(run: Run, tmp_path: Path) -> None:
    sealed, key = tmp_path / "audit.json", tmp_path / "module.identity"
    sealed.write_bytes(_of_key_audit(tmp_path))
    told = ("--tenant", "thabaneng", "--seal-key", str(key), str(sealed))
    public = PublicIdentity(name="module-1", exchange_key=bytes(32), audit_key=SEAL_KEY.public_key)
    key.write_bytes(format_identity(public))
    assert run("keep-checkpoint", *told) == (0, "module-1: 1 entries are remembered.\n")
    # The books have a seal key of their own.
    run("checkpoint", "--tenant", "thabaneng")
    assert run("verify")[0] == 0
    assert run("verify", "--module-key", str(key))[0] == 0
    other = tmp_path / "other.pub"
    other.write_text(Ed25519SealKey(Secret(bytes(32))).public_key.hex(), encoding="ascii")
    assert run("verify", "--module-key", str(other), "--module-key", str(key))[0] == 0
    status, said = run("verify", "--module-key", str(other))
    assert status == 1
    assert "ledger_checkpoints module-1/1: its seal is not that of a module we know" in said
    key.write_text("{}", encoding="ascii")
    status, said = run("keep-checkpoint", *told)
    assert status == 1
    assert "error MODULE_IDENTITY" in said


def test_a_month_is_closed_by_an_operator(run: Run, data_dir: Path) -> None:
    _edit(data_dir, "UPDATE operators SET role = 'supervisor' WHERE login = 'botha'")
    # This command goes by the clock of the machine.
    _edit(data_dir, "INSERT INTO clock_terms (tenant, days_ahead) VALUES ('thabaneng', 36500)")
    told = ("--tenant", "thabaneng", "--operator")
    assert run("close-period", *told, "botha", "2026-03") == (
        0,
        "2026-03 is closed by entry 11.\n",
    )
    assert run("verify")[0] == 0
    status, said = run("close-period", *told, "nobody", "2026-03")
    assert (status, said) == (
        1,
        "error NOT_FOUND: There is no active operator nobody of thabaneng\n",
    )


def test_balances_are_shown_with_decimals(run: Run) -> None:
    status, said = run("balances", "--tenant", "thabaneng", "--period", "2026-02")
    assert status == 0
    rows = [line.replace("\N{NO-BREAK SPACE}", " ").split() for line in said.splitlines()]
    assert ["bank", "asset", "ZAR", "500.00", "0.00", "500.00"] in rows
    assert ["tokens", "asset", "TKN", "0", "2", "−2"] in rows


def test_the_journal_is_written_to_the_terminal_or_a_new_file(run: Run, tmp_path: Path) -> None:
    status, said = run("export", "--tenant", "thabaneng")
    assert status == 0
    told = ("--tenant", "thabaneng", "--out", str(tmp_path / "journal.csv"))
    assert run("export", *told) == (0, "")
    written = (tmp_path / "journal.csv").read_bytes().decode("utf-8")
    assert written.splitlines() == said.splitlines()
    assert len(said.splitlines()) == 29
    assert "error FILE_EXISTS" in run("export", *told)[1]


def test_books_of_another_form_are_not_touched(tmp_path: Path) -> None:
    prepare(tmp_path / "data", {})
    with closing(sqlite3.connect(tmp_path / "data" / "vending.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    told = ["ledger", "balances", "--data-dir", str(tmp_path / "data"), "--tenant", "thabaneng"]
    refused = CliRunner().invoke(main, told)
    assert refused.exit_code == 1
    assert "error DATABASE_NOT_CURRENT" in refused.output
