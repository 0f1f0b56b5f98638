"""Backups: whole, private, of both databases, and taken back by either of them."""

import json
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.vending_app.conftest import opened
from tests.vending_app.helpers import NOW
from vending_app.config import Config
from vending_app.domain.errors import (
    BackupDamagedError,
    BackupExistsError,
    BackupRevisionError,
    BackupUnreadableError,
    DatabaseNotCurrentError,
    DatabaseNotEmptyError,
)
from vending_app.storage.backup import restore_backup, write_backup
from vending_app.storage.engine import Store
from vending_app.storage.migrate import upgrade
from vending_app.storage.tables import metadata


def _content(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.read() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
        }


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Store]:
    """A database with tables and no rows, of the same kind as ``store``."""
    with opened(empty_database_url) as made:
        upgrade(made)
        yield made


@pytest.fixture(scope="module")
def bare_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bare") / "bare.db"
    with opened(f"sqlite:///{path}") as made:
        upgrade(made)
    return path


@pytest.fixture
def sqlite_empty(bare_file: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(bare_file, tmp_path / "other.db")
    with opened(f"sqlite:///{tmp_path}/other.db") as made:
        yield made


@pytest.fixture
def whole(prepared_demo: Config, tmp_path: Path) -> Path:
    """A backup of the demo."""
    with opened(prepared_demo.database_url) as demo:
        write_backup(demo, tmp_path / "whole.zip", now=NOW)
    return tmp_path / "whole.zip"


def test_what_is_restored_is_what_was_there(store: Store, empty: Store, tmp_path: Path) -> None:
    written = write_backup(store, tmp_path / "b.zip", now=NOW)
    restored = restore_backup(empty, tmp_path / "b.zip")
    assert _content(empty) == _content(store)
    assert restored == written
    assert restored.rows["meters"] == 10
    assert restored.rows["ledger_entries"] == 1


def test_what_either_database_wrote_the_other_takes_back(
    store: Store, sqlite_empty: Store, tmp_path: Path
) -> None:
    write_backup(store, tmp_path / "b.zip", now=NOW)
    restore_backup(sqlite_empty, tmp_path / "b.zip")
    assert _content(sqlite_empty) == _content(store)


def test_a_backup_is_private_and_never_overwritten(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    write_backup(store, path, now=NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(BackupExistsError) as refusal:
        write_backup(store, path, now=NOW)
    assert refusal.value.code == "BACKUP_EXISTS"
    assert path.read_bytes() == before
    assert list(tmp_path.glob(".b.zip*")) == []


def test_a_folder_that_is_not_there_takes_no_backup(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BackupUnreadableError) as refusal:
        write_backup(store, tmp_path / "no" / "b.zip", now=NOW)
    assert refusal.value.code == "BACKUP_UNREADABLE"


def test_a_database_with_something_in_it_is_not_restored_into(store: Store, tmp_path: Path) -> None:
    write_backup(store, tmp_path / "b.zip", now=NOW)
    before = _content(store)
    with pytest.raises(DatabaseNotEmptyError) as refusal:
        restore_backup(store, tmp_path / "b.zip")
    assert refusal.value.code == "DATABASE_NOT_EMPTY"
    assert _content(store) == before


def test_a_database_without_tables_is_not_restored_into(
    store: Store, empty_database_url: str, tmp_path: Path
) -> None:
    write_backup(store, tmp_path / "b.zip", now=NOW)
    with opened(empty_database_url) as bare, pytest.raises(DatabaseNotCurrentError):
        restore_backup(bare, tmp_path / "b.zip")


def _rewritten(source: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """Copy a backup, each of its texts changed, or left out where the change returns None."""
    target = source.with_name("changed.zip")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def _manifest(**fields: object) -> Callable[[str, bytes], bytes | None]:
    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        return json.dumps(json.loads(content) | fields).encode()

    return change


def _other_row(name: str, content: bytes) -> bytes:
    changed = content.replace(b"Pieter Mokoena", b"Pieter Mokoenx")
    return changed if name == "tables/customers.jsonl" else content


def _row_lost(name: str, content: bytes) -> bytes:
    return b"" if name == "tables/meter_history.jsonl" else content


def _row_cut(name: str, content: bytes) -> bytes:
    return content[:-20] if name == "tables/meters.jsonl" else content


def _row_short(name: str, content: bytes) -> bytes:
    return b'["thabaneng"]\n' if name == "tables/vendors.jsonl" else content


def _parents_lost(name: str, content: bytes) -> bytes:
    return b"" if name == "tables/customers.jsonl" else content


def _text_lost(name: str, content: bytes) -> bytes | None:
    return None if name == "tables/sales.jsonl" else content


def _no_manifest(name: str, content: bytes) -> bytes | None:
    return None if name == "manifest.json" else content


def _other_columns(name: str, content: bytes) -> bytes:
    return content.replace(b'"block_reason"', b'"reason"') if name == "manifest.json" else content


@pytest.mark.parametrize(
    "change",
    [
        _other_row,
        _row_lost,
        _row_cut,
        _row_short,
        _parents_lost,
        _text_lost,
        _no_manifest,
        _other_columns,
        _manifest(version=2),
        _manifest(format="another"),
        _manifest(tables={}),
        _manifest(padding="x" * 1_000_001),
    ],
)
def test_what_is_not_as_it_was_written_is_not_restored(
    sqlite_empty: Store, whole: Path, change: Callable[[str, bytes], bytes | None]
) -> None:
    with pytest.raises(BackupDamagedError) as refusal:
        restore_backup(sqlite_empty, _rewritten(whole, change))
    assert refusal.value.code == "BACKUP_DAMAGED"
    assert not any(_content(sqlite_empty).values())


def test_a_backup_of_another_revision_is_refused(sqlite_empty: Store, whole: Path) -> None:
    with pytest.raises(BackupRevisionError) as refusal:
        restore_backup(sqlite_empty, _rewritten(whole, _manifest(revision="0001")))
    assert refusal.value.code == "BACKUP_REVISION"


@pytest.mark.parametrize("content", [b"", b"not a backup", b"PK\x03\x04"])
def test_what_is_no_backup_is_refused(sqlite_empty: Store, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    with pytest.raises(BackupDamagedError):
        restore_backup(sqlite_empty, path)


def test_a_backup_that_is_not_there_is_refused(sqlite_empty: Store, tmp_path: Path) -> None:
    with pytest.raises(BackupUnreadableError):
        restore_backup(sqlite_empty, tmp_path / "none.zip")
