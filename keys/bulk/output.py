"""The parts of a job put together, and given their names at one instant each.

A part is looked at once more before it goes in: it must be what its record says.
"""

import errno
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from keys.bulk.errors import unwritable
from keys.bulk.job import OUTPUT, Operation, TableFormat, format_of
from keys.bulk.workspace import PartRecord, Workspace, digest_of

_ERRORS: Final = b"line,code,meter\n"
_OWNER_ONLY: Final = 0o600


def error_file(output: Path) -> Path:
    """Return where the refused rows are listed."""
    return output.with_name(f"{output.name}.errors.csv")


def manifest_file(output: Path) -> Path:
    """Return where the manifest of a finished job is."""
    return output.with_name(f"{output.name}.manifest")


def build(
    workspace: Workspace, operation: Operation, records: Sequence[PartRecord]
) -> tuple[Path, str]:
    """Put the tables of the parts together under a name that is not the final one.

    Returns:
        The file, and its SHA-256.

    Raises:
        OutputError, DiskFullError: It cannot be written.
        JobFilesError: A part is not what its record says.
    """
    parts = (workspace.content(record, "table") for record in records)
    target = workspace.folder / f".output.{secrets.token_hex(8)}"
    columns = OUTPUT[operation]
    try:
        digest = _BUILDERS[format_of(workspace.output)](target, parts, columns)
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)
        raise unwritable(workspace.output, _failure(error)) from error
    return target, digest


def build_errors(workspace: Workspace, records: Sequence[PartRecord]) -> Path:
    """Put the side files of the parts together under a name that is not the final one.

    Raises:
        OutputError, DiskFullError: It cannot be written.
        JobFilesError: A part is not what its record says.
    """
    target = workspace.folder / ".errors"
    parts = (workspace.content(record, "errors") for record in records)
    try:
        _join(target, parts, _ERRORS)
    except OSError as error:
        raise unwritable(error_file(workspace.output), error) from error
    return target


def publish(files: Mapping[Path, Path]) -> None:
    """Give files their final names, in this order; each is on the disk before it has its name.

    Raises:
        OutputError, DiskFullError: One of them cannot be written.
    """
    for path, target in files.items():
        try:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            path.chmod(_OWNER_ONLY)
            path.replace(target)
        except OSError as error:
            raise unwritable(target, error) from error


def _failure(error: OSError | sqlite3.Error) -> OSError:
    if isinstance(error, OSError):
        return error
    is_full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
    return OSError(errno.ENOSPC if is_full else 0, str(error))


def _join(target: Path, parts: Iterable[bytes], header: bytes) -> str:
    digest = sha256(header)
    with target.open("wb") as file:
        file.write(header)
        for part in parts:
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def _csv(target: Path, parts: Iterable[bytes], columns: Sequence[str]) -> str:
    return _join(target, parts, (",".join(columns) + "\n").encode("ascii"))


def _tables(parts: Iterable[bytes]) -> Iterator[pa.Table]:
    for part in parts:
        with pa.ipc.open_file(part) as reader:
            yield reader.read_all()


def _schema(columns: Sequence[str]) -> pa.Schema:
    return pa.schema([(name, pa.int64() if name == "line" else pa.string()) for name in columns])


def _parquet(target: Path, parts: Iterable[bytes], columns: Sequence[str]) -> str:
    with pq.ParquetWriter(target, _schema(columns)) as writer:
        for table in _tables(parts):
            writer.write_table(table)
    return digest_of(target)


def _sqlite(target: Path, parts: Iterable[bytes], columns: Sequence[str]) -> str:
    names, places = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        # The file has no name yet that anybody knows: a crash leaves nothing to be repaired.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        types = ", ".join(
            f'"{name}" INTEGER PRIMARY KEY' if name == "line" else f'"{name}" TEXT NOT NULL'
            for name in columns
        )
        connection.execute(f"CREATE TABLE tokens ({types})")
        connection.execute("BEGIN")
        insert = f"INSERT INTO tokens ({names}) VALUES ({places})"  # noqa: S608 - our own names
        for table in _tables(parts):
            rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
            connection.executemany(insert, rows)
        connection.execute("COMMIT")
    return digest_of(target)


_BUILDERS: Final[Mapping[TableFormat, Callable[[Path, Iterable[bytes], Sequence[str]], str]]] = {
    TableFormat.CSV: _csv,
    TableFormat.PARQUET: _parquet,
    TableFormat.SQLITE: _sqlite,
}
