"""Tables in every format that a fleet may have, written and read by a few lines of our own."""

import csv
import io
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

FORMATS: Final = ("csv", "parquet", "db")
Rows = Sequence[Mapping[str, str]]


def write_table(path: Path, rows: Rows, table: str = "meters") -> Path:
    """Write rows; all have the columns of the first."""
    path.unlink(missing_ok=True)
    names = list(rows[0])
    if path.suffix == ".csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([names, *([row[name] for name in names] for row in rows)])
        path.write_text(text.getvalue(), encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({name: [row[name] for row in rows] for name in names}), path)
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"CREATE TABLE {table} ({', '.join(names)})")
            places = ", ".join("?" * len(names))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({places})",  # noqa: S608 - our own names
                [[row[name] for name in names] for row in rows],
            )
    return path


def read_table(path: Path, table: str = "tokens") -> list[dict[str, str]]:
    """Read all rows as text."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
        return [{name: str(cell) for name, cell in row.items()} for row in rows]
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608 - our own name
        names = [each[0] for each in cursor.description]
        return [dict(zip(names, map(str, row), strict=True)) for row in cursor]
