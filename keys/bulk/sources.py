"""Files with a table of meters: cut into parts once, and read one part at a time.

Whatever the file is, a part has its columns as bytes, one cell a row, and the number by which
people find a row again: the line of a CSV file (the first line names the columns), the row of a
Parquet file, the rowid in SQLite.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from keys.bulk.errors import BulkError, InputChangedError, InputFormatError, InputTruncatedError
from keys.bulk.job import TableFormat, format_of

CSV_PART_BYTES: Final = 2 << 20
PARQUET_PART_ROWS: Final = 100_000
SQLITE_PART_ROWS: Final = 100_000
_READ_BYTES: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 16
_PARQUET_MARK: Final = b"PAR1"
_SQLITE_MARK: Final = b"SQLite format 3\0"
_SQLITE_HEAD_BYTES: Final = 100
BAD_ROW: Final = "ROW_FORMAT"
"""The code of a line with too many or too few columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where one part of the input lies.

    Attributes:
        number: From 1 on.
        start: First byte of CSV, first row group of Parquet, lowest rowid of SQLite.
        stop: Behind the last byte, row group or rowid.
        first_line: How people number its first row.
        rows: How many rows there are.
        digest: SHA-256 of its bytes, of CSV.
        skip: Rows of the row group before it, of Parquet.
    """

    number: int
    start: int
    stop: int
    first_line: int
    rows: int
    digest: str = ""
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole input, looked at once.

    Attributes:
        digest: SHA-256 of the file.
        header: The names of its columns.
        parts: Its parts; together they are all rows.
    """

    digest: str
    header: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one part.

    Attributes:
        columns: Those asked for, of the type ``binary``.
        lines: How people number each row.
        bad_lines: Numbers of lines that are no rows.
    """

    columns: dict[str, pa.Array]
    lines: NDArray[np.int64]
    bad_lines: tuple[int, ...] = ()


def plan_source(path: Path, table: str) -> Plan:
    """Look at a whole file, and cut it into parts.

    Raises:
        InputFormatError, InputTruncatedError: Not a table, or not a whole one.
    """
    try:
        return _PLANS[format_of(path)](path, table)
    except (OSError, pa.ArrowException, sqlite3.Error) as error:
        raise _refused(path, error) from error


def read_part(
    path: Path, part: Part, *, header: Sequence[str], columns: Sequence[str], table: str
) -> Rows:
    """Read one part.

    Args:
        path: The file.
        part: Which part.
        header: The names of all columns of the file.
        columns: Those that are wanted.
        table: The table, of SQLite.

    Raises:
        InputChangedError: It is not what the plan was made of.
        InputFormatError: It cannot be read as a table.
    """
    try:
        kind = format_of(path)
        if kind is TableFormat.CSV:
            return _read_csv(path, part, header=header, columns=columns)
        read = _read_parquet if kind is TableFormat.PARQUET else _read_sqlite
        found = read(path, part, columns=columns, table=table)
    except (OSError, pa.ArrowException, sqlite3.Error) as error:
        raise _refused(path, error) from error
    if len(found.lines) != part.rows:
        raise InputChangedError(path)
    return found


def _refused(path: Path, error: Exception) -> BulkError:
    if isinstance(error, OSError) and error.strerror:
        return InputFormatError(path, error.strerror)
    return InputFormatError(path, str(error).partition("\n")[0])


# --- CSV --------------------------------------------------------------------------------------


def _plan_csv(path: Path, _table: str) -> Plan:
    whole = sha256()
    parts: list[Part] = []
    with path.open("rb") as file:
        first = file.readline(_LONGEST_LINE)
        if not first.endswith(b"\n"):
            raise InputTruncatedError(path, "line 1 does not end")
        whole.update(first)
        offset, line = len(first), 2
        for block in _blocks(file):
            whole.update(block)
            rows = block.count(b"\n")
            if not block.endswith(b"\n"):
                raise InputTruncatedError(path, f"line {line + rows} does not end")
            parts.append(
                Part(
                    number=len(parts) + 1,
                    start=offset,
                    stop=offset + len(block),
                    first_line=line,
                    rows=rows,
                    digest=sha256(block).hexdigest(),
                )
            )
            offset, line = offset + len(block), line + rows
    return Plan(digest=whole.hexdigest(), header=_header(path, first), parts=tuple(parts))


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield some megabytes at a time that end with a line, but for what the file leaves open."""
    while block := file.read(CSV_PART_BYTES):
        yield block + file.readline(_LONGEST_LINE)


def _header(path: Path, line: bytes) -> tuple[str, ...]:
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputFormatError(path, "the names of the columns are not UTF-8") from None
    return tuple(name.strip().strip('"') for name in text.rstrip("\r\n").split(","))


def _read_csv(path: Path, part: Part, *, header: Sequence[str], columns: Sequence[str]) -> Rows:
    with path.open("rb") as file:
        file.seek(part.start)
        block = file.read(part.stop - part.start)
    if sha256(block).hexdigest() != part.digest:
        raise InputChangedError(path)
    zero = block.find(b"\0")
    if zero >= 0:
        line = part.first_line + block.count(b"\n", 0, zero)
        raise InputFormatError(path, f"line {line}: a zero byte, which no table of text has")
    bad: list[int] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        bad.append(row.number)
        return "skip"

    # Names that nobody asks for may repeat; numbers tell all columns apart.
    names = [name if name in columns else f"\0{place}" for place, name in enumerate(header)]
    table = pa_csv.read_csv(
        pa.py_buffer(block),
        read_options=pa_csv.ReadOptions(
            use_threads=False, column_names=names, block_size=len(block) + 1
        ),
        parse_options=pa_csv.ParseOptions(invalid_row_handler=skip, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.binary()),
            include_columns=list(columns),
            strings_can_be_null=False,
        ),
    )
    if table.num_rows + len(bad) != part.rows:
        last_line = part.first_line + part.rows - 1
        where = f"between line {part.first_line} and {last_line}"
        raise InputFormatError(path, f"{where}: a line break within a row")
    lines = np.arange(part.first_line, part.first_line + part.rows)
    wrong = np.array(bad, np.int64) - 1
    return Rows(
        columns={name: _whole(table[name]) for name in columns},
        lines=np.delete(lines, wrong),
        bad_lines=tuple(int(line) for line in lines[wrong]),
    )


# --- Parquet ----------------------------------------------------------------------------------


def _plan_parquet(path: Path, _table: str) -> Plan:
    with path.open("rb") as raw:
        if raw.read(len(_PARQUET_MARK)) == _PARQUET_MARK:
            raw.seek(-len(_PARQUET_MARK), os.SEEK_END)
            if raw.read() != _PARQUET_MARK:
                raise InputTruncatedError(path, "its end, with the places of all rows, is missing")
    with pq.ParquetFile(path) as file:
        parts: list[Part] = []
        line = 1
        for group in range(file.num_row_groups):
            whole = file.metadata.row_group(group).num_rows
            # Some programs write a whole fleet as one group, which would not fit into memory.
            for skip in range(0, whole, PARQUET_PART_ROWS):
                rows = min(PARQUET_PART_ROWS, whole - skip)
                parts.append(
                    Part(
                        number=len(parts) + 1,
                        start=group,
                        stop=group + 1,
                        first_line=line,
                        rows=rows,
                        skip=skip,
                    )
                )
                line += rows
        header = tuple(file.schema_arrow.names)
    return Plan(digest=_digest(path), header=header, parts=tuple(parts))


def _read_parquet(path: Path, part: Part, *, columns: Sequence[str], table: str) -> Rows:
    del table
    pieces: list[pa.RecordBatch] = []
    first, last, place = part.skip, part.skip + part.rows, 0
    with pq.ParquetFile(path, buffer_size=_READ_BYTES) as file:
        for batch in file.iter_batches(
            PARQUET_PART_ROWS, row_groups=[part.start], columns=list(columns), use_threads=False
        ):
            low, high = max(first - place, 0), min(last - place, batch.num_rows)
            if low < high:
                pieces.append(batch.slice(low, high - low))
            place += batch.num_rows
            if place >= last:
                break
    if not pieces:
        raise InputChangedError(path)
    found = pa.Table.from_batches(pieces)
    lines = np.arange(part.first_line, part.first_line + found.num_rows)
    return Rows(columns={name: _bytes(path, found[name], name) for name in columns}, lines=lines)


# --- SQLite -----------------------------------------------------------------------------------


def _plan_sqlite(path: Path, table: str) -> Plan:
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and wal.stat().st_size:
        raise InputFormatError(path, "another program has changes that it has not written yet")
    _require_all_pages(path)
    with closing(_connected(path)) as connection:
        name = _quoted(table)
        header = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        if not header:
            raise InputFormatError(path, f"there is no table {table}")
        next_part = (
            "SELECT min(rowid), max(rowid), count(*) FROM "  # noqa: S608 - a quoted name
            f"(SELECT rowid FROM {name} WHERE rowid >= ? ORDER BY rowid LIMIT ?)"
        )
        parts: list[Part] = []
        start = -(1 << 62)
        while True:
            low, high, rows = connection.execute(next_part, (start, SQLITE_PART_ROWS)).fetchone()
            if not rows:
                break
            number = len(parts) + 1
            parts.append(Part(number=number, start=low, stop=high + 1, first_line=low, rows=rows))
            start = high + 1
    return Plan(digest=_digest(path), header=tuple(header), parts=tuple(parts))


def _require_all_pages(path: Path) -> None:
    """Refuse a database that is shorter than its head says: SQLite itself would not notice."""
    with path.open("rb") as raw:
        head = raw.read(_SQLITE_HEAD_BYTES)
    if len(head) < _SQLITE_HEAD_BYTES or not head.startswith(_SQLITE_MARK):
        return
    size = int.from_bytes(head[16:18], "big")
    page_bytes = 1 << 16 if size == 1 else size
    pages, changes, counted_at = (int.from_bytes(head[at : at + 4], "big") for at in (28, 24, 92))
    # The number of pages is right only if it was written by the last change.
    if changes == counted_at and path.stat().st_size < pages * page_bytes:
        raise InputTruncatedError(path, f"it should have {pages} pages of {page_bytes} bytes")


def _read_sqlite(path: Path, part: Part, *, columns: Sequence[str], table: str) -> Rows:
    names = ", ".join(_quoted(name) for name in ("rowid", *columns))
    query = f"SELECT {names} FROM {_quoted(table)} WHERE rowid >= ? AND rowid < ? ORDER BY rowid"  # noqa: S608 - quoted names
    with closing(_connected(path)) as connection:
        rows = connection.execute(query, (part.start, part.stop)).fetchall()
    cells = list(zip(*rows, strict=True)) or [() for _ in range(len(columns) + 1)]
    found = {
        name: _bytes(path, pa.chunked_array([_cells(path, column, name)]), name)
        for name, column in zip(columns, cells[1:], strict=True)
    }
    return Rows(columns=found, lines=np.array(cells[0], np.int64))


def _cells(path: Path, column: Sequence[object], name: str) -> pa.Array:
    if any(isinstance(cell, float | bytes) for cell in column):
        raise InputFormatError(path, f"column {name}: neither text nor whole numbers")
    return pa.array(["" if cell is None else str(cell) for cell in column], pa.string())


def _connected(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# --- columns ----------------------------------------------------------------------------------


def _bytes(path: Path, column: pa.ChunkedArray, name: str) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_integer(kind):
        column = column.cast(pa.string())
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputFormatError(path, f"column {name}: neither text nor whole numbers")
    whole = _whole(pc.fill_null(column.cast(pa.string()), "").cast(pa.binary()))
    data = whole.buffers()[2]
    if data is not None and b"\0" in memoryview(data).tobytes():
        raise InputFormatError(path, "a zero byte, which no table of text has")
    return whole


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


_PLANS: Final = {
    TableFormat.CSV: _plan_csv,
    TableFormat.PARQUET: _plan_parquet,
    TableFormat.SQLITE: _plan_sqlite,
}
