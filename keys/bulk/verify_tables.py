"""The files of a finished job, read one row at a time and by no code that wrote them.

A row is its number (the line of CSV, the row of Parquet, the rowid of SQLite) and its cells as
text by the names of their columns; a line of CSV with too many or too few cells is None.
"""

import csv
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import file_digest
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from keys.bulk.errors import BulkError, InputFormatError

Cells: TypeAlias = Mapping[str, str]
Row: TypeAlias = tuple[int, Cells | None]

OUTPUT_TABLE: Final = "tokens"
"""The table of a SQLite output."""
_ERROR_COLUMNS: Final = ("line", "code", "meter")
_FIRST_LINE: Final = 2
_ROWS_AT_ONCE: Final = 10_000
_READ_BYTES: Final = 1 << 20
_UNREADABLE: Final = (OSError, ValueError, sqlite3.Error, pa.ArrowException, csv.Error)


def read_rows(path: Path, table: str) -> Iterator[Row]:
    """Yield the rows of a file in their order.

    Args:
        path: The file; its name says the format.
        table: The table, of SQLite.

    Raises:
        InputFormatError: It cannot be read, or ends too early.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise InputFormatError(path, "neither CSV nor Parquet nor SQLite by its name")
    try:
        yield from read(path, table)
    except _UNREADABLE as error:
        raise _refused(path, error) from error


def read_made(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of an output, by the line of the input that they were made of.

    Raises:
        InputFormatError: It cannot be read, or is no output with these columns.
    """
    for place, cells in read_rows(path, OUTPUT_TABLE):
        if cells is None or tuple(cells) != tuple(columns) or not cells["line"].isdecimal():
            raise InputFormatError(path, f"row {place} has not the columns {', '.join(columns)}")
        yield int(cells["line"]), cells


def read_refused(path: Path) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of a side file.

    Raises:
        InputFormatError: It is none.
    """
    yield from read_made(path, _ERROR_COLUMNS)


def read_manifest(path: Path) -> Mapping[str, object]:
    """Return what a manifest says.

    Raises:
        InputFormatError: It is none.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise InputFormatError(path, "no manifest of a finished job")
    return found


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits.

    Raises:
        InputFormatError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: Exception) -> BulkError:
    said = error.strerror if isinstance(error, OSError) else None
    return InputFormatError(path, said or str(error).partition("\n")[0])


def _csv_rows(path: Path, _table: str) -> Iterator[Row]:
    with path.open("rb") as file:
        names = [name.strip() for name in _cells(file.readline().removeprefix(b"\xef\xbb\xbf"))]
        for line, content in enumerate(file, _FIRST_LINE):
            cells = _cells(content) or [""] * len(names)  # An empty line has empty cells.
            whole = len(cells) == len(names)
            yield line, dict(zip(names, cells, strict=True)) if whole else None


def _cells(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
    return next(csv.reader([text]), [])


def _parquet_rows(path: Path, _table: str) -> Iterator[Row]:
    place = 0
    with pq.ParquetFile(path, buffer_size=_READ_BYTES) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
            for row in batch.to_pylist():
                place += 1
                yield place, {name: _text(cell) for name, cell in row.items()}


def _sqlite_rows(path: Path, table: str) -> Iterator[Row]:
    name = '"' + table.replace('"', '""') + '"'
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        cursor = connection.execute(f"SELECT rowid, * FROM {name} ORDER BY rowid")  # noqa: S608 - a quoted name
        names = [each[0] for each in cursor.description][1:]
        for place, *cells in cursor:
            yield place, dict(zip(names, map(_text, cells), strict=True))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


_READERS: Final[Mapping[str, Callable[[Path, str], Iterator[Row]]]] = {
    ".csv": _csv_rows,
    ".parquet": _parquet_rows,
    ".db": _sqlite_rows,
    ".sqlite": _sqlite_rows,
}
