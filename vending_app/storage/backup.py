"""Backups that any database takes back: one file, read in one transaction, checked when restored.

The file is a ZIP archive: for each table a text of one JSON array a row, and a manifest with the
form of the database, the number of rows and the SHA-256 of each text. So what SQLite has written
PostgreSQL can take back, and the other way about. It holds tokens and the names of customers, but
no keys; those are in the vault, which is backed up on its own.
"""

import base64
import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Boolean, Column, Connection, LargeBinary, Table, insert, select
from sqlalchemy.exc import IntegrityError

from vending_app.domain.errors import (
    BackupDamagedError,
    BackupExistsError,
    BackupRevisionError,
    BackupUnreadableError,
    DatabaseNotEmptyError,
)
from vending_app.storage.engine import Store
from vending_app.storage.migrate import head_revision, require_current
from vending_app.storage.tables import UtcDateTime, ledger_entries, ledger_lines, metadata

FORMAT: Final = "sts-vending backup"
VERSION: Final = 1
_MANIFEST: Final = "manifest.json"
_ROWS_AT_ONCE: Final = 1_000
_OWNER_ONLY: Final = 0o600
_LONGEST_MANIFEST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSummary:
    """What a backup holds.

    Attributes:
        revision: The form of the database.
        written_at: When it was written.
        rows: How many rows each table has.
    """

    revision: str
    written_at: datetime
    rows: dict[str, int]


def write_backup(store: Store, path: Path, *, now: datetime) -> BackupSummary:
    """Write all that a database holds into a new file, mode 0600, whole or not there.

    Raises:
        DatabaseNotCurrentError: The database has another form than this program's.
        BackupExistsError: The file exists.
        BackupUnreadableError: The operating system refuses.
    """
    require_current(store)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with _private(temporary) as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
            summary = _write(store, archive, now=now)
        os.link(temporary, path)
    except FileExistsError:
        raise BackupExistsError(str(path)) from None
    except OSError as error:
        raise BackupUnreadableError(str(path), error.strerror or "no reason given") from error
    finally:
        temporary.unlink(missing_ok=True)
    return summary


def restore_backup(store: Store, path: Path) -> BackupSummary:
    """Fill an empty database from a backup, in one transaction.

    Raises:
        DatabaseNotCurrentError: The database has another form than this program's.
        BackupRevisionError: The backup has.
        DatabaseNotEmptyError: Something is there; nothing was changed.
        BackupDamagedError: The file is not as it was written; nothing was changed.
        BackupUnreadableError: The operating system refuses the file.
    """
    require_current(store)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            tables = manifest["tables"]
            with store.write() as connection:
                _require_empty(connection)
                for table in _in_order():
                    _restore_table(connection, archive, table=table, manifest=tables)
    except OSError as error:
        raise BackupUnreadableError(str(path), error.strerror or "no reason given") from error
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupDamagedError(str(path), str(error) or type(error).__name__) from error
    except IntegrityError as error:
        raise BackupDamagedError(str(path), "its rows do not fit together") from error
    return BackupSummary(
        revision=str(manifest["revision"]),
        written_at=datetime.fromisoformat(str(manifest["written_at"])),
        rows={name: entry["rows"] for name, entry in manifest["tables"].items()},
    )


def _in_order() -> Iterator[Table]:
    """Yield tables so that none comes before what it refers to, but lines before their entry."""
    for table in metadata.sorted_tables:
        if table is ledger_entries:
            continue
        yield table
        if table is ledger_lines:
            yield ledger_entries


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY), "w+b")


def _write(store: Store, archive: zipfile.ZipFile, *, now: datetime) -> BackupSummary:
    tables: dict[str, dict[str, object]] = {}
    rows: dict[str, int] = {}
    with store.read() as connection:
        for table in _in_order():
            digest = hashlib.sha256()
            count = 0
            with archive.open(_name(table), "w", force_zip64=True) as text:
                for line in _lines(connection, table):
                    digest.update(line)
                    text.write(line)
                    count += 1
            rows[table.name] = count
            tables[table.name] = {
                "columns": [column.name for column in table.columns],
                "rows": count,
                "sha256": digest.hexdigest(),
            }
    revision = head_revision()
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "revision": revision,
        "written_at": now.astimezone(UTC).isoformat(),
        "tables": tables,
    }
    archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    return BackupSummary(revision=revision, written_at=now.astimezone(UTC), rows=rows)


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    query = select(table).order_by(*table.primary_key)
    streamed = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    for row in streamed:
        values = [_plain(value) for value in row]
        yield json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode("ascii")
    return value


def _value(column: Column[object], plain: object) -> object:
    if plain is None:
        return None
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(str(plain))
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(str(plain), validate=True)
    if isinstance(column.type, Boolean):
        return bool(plain)
    return plain


def _name(table: Table) -> str:
    return f"tables/{table.name}.jsonl"


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    """Return the manifest of a backup that this program can read."""
    if archive.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
        raise BackupDamagedError(str(path), "its manifest is too long")
    manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
    if manifest["format"] != FORMAT or manifest["version"] != VERSION:
        raise BackupDamagedError(str(path), "it is not of this format")
    expected = head_revision()
    if manifest["revision"] != expected:
        raise BackupRevisionError(expected=expected, found=str(manifest["revision"]))
    for table in metadata.sorted_tables:
        if manifest["tables"][table.name]["columns"] != [column.name for column in table.columns]:
            raise BackupDamagedError(str(path), f"{table.name} has other columns")
    return manifest


def _require_empty(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is not None:
            raise DatabaseNotEmptyError(table.name)


def _restore_table(
    connection: Connection,
    archive: zipfile.ZipFile,
    *,
    table: Table,
    manifest: Mapping[str, Mapping[str, object]],
) -> None:
    entry = manifest[table.name]
    digest, count = hashlib.sha256(), 0
    waiting: list[dict[str, object]] = []
    columns = list(table.columns)
    with archive.open(_name(table)) as text:
        for line in text:
            digest.update(line)
            count += 1
            values = json.loads(line)
            waiting.append(
                {
                    column.name: _value(column, value)
                    for column, value in zip(columns, values, strict=True)
                }
            )
            if len(waiting) == _ROWS_AT_ONCE:
                connection.execute(insert(table), waiting)
                waiting = []
    if waiting:
        connection.execute(insert(table), waiting)
    if count != entry["rows"] or digest.hexdigest() != entry["sha256"]:
        raise ValueError(f"{table.name} is not as it was written")
