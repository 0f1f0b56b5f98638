"""Made-up fleets: meter numbers that are right, with the attributes that one asks for."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from keys.bulk.cells import arrow_text
from keys.bulk.errors import BulkError, unwritable
from keys.bulk.job import METER
from keys.errors import FileExistsRefusedError
from sts import batch

MOST_METERS: Final = 100_000_000
"""A maker has no more serial numbers."""
_PART_ROWS: Final = 100_000
_PRIME: Final = 100_000_007 - 18
"""Coprime to the number of serials, so that multiples of it are all different."""


class FleetSizeError(BulkError):
    """More meters than one maker can number, or none."""

    code = "FLEET_SIZE"

    def __init__(self) -> None:
        """Say how many there can be."""
        super().__init__(f"a made-up fleet has 1 to {MOST_METERS} meters")


def generate(
    path: Path, meters: int, *, seed: int, given: Mapping[str, str], credit: bool = False
) -> None:
    """Write a CSV file of meters, none of them twice; the same seed gives the same file.

    Args:
        path: A new file.
        meters: How many.
        seed: Decides which, and the amounts.
        given: What all have in common, by column.
        credit: Whether each has an amount (``tenths``), too.

    Raises:
        FleetSizeError: No such fleet.
        FileExistsRefusedError, OutputError, DiskFullError: The file cannot be written.
    """
    if not 1 <= meters <= MOST_METERS:
        raise FleetSizeError
    if path.exists():
        raise FileExistsRefusedError(path)
    columns = (METER, *given, *(("tenths",) if credit else ()))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write((",".join(columns) + "\n").encode("utf-8"))
            for start in range(0, meters, _PART_ROWS):
                stop = min(start + _PART_ROWS, meters)
                table = _rows(start, stop, seed=seed, given=given, names=columns)
                options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
                pa_csv.write_csv(table, file, options)
        temporary.rename(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _rows(
    start: int, stop: int, *, seed: int, given: Mapping[str, str], names: Sequence[str]
) -> pa.Table:
    numbers = np.arange(start, stop, dtype=np.int64)
    serials = (numbers * _PRIME + seed) % MOST_METERS
    labels = batch.drns_from_serials(f"{seed % 10_000:04}", serials).digits
    amounts = np.random.default_rng((seed, start)).integers(1, 16_384, stop - start)
    found = {METER: arrow_text(labels)}
    for name, value in given.items():
        found[name] = pa.array([value] * (stop - start), pa.string())
    if "tenths" in names:
        found["tenths"] = pa.array(amounts)
    return pa.table({name: found[name] for name in names})
