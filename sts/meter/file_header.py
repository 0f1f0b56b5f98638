"""The first hundred bytes of a meter's file: what tells it from any other, without opening it."""

import os
from pathlib import Path
from typing import Final

from sts.meter.errors import (
    MeterFileAccessError,
    MeterFileForeignError,
    MeterFileMissingError,
    MeterFileVersionError,
)
from sts.meter.schema import APPLICATION_ID, SCHEMA_VERSION

_SQLITE_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_BYTES: Final = 100
_VERSION_AT: Final = slice(60, 64)
_APPLICATION_ID_AT: Final = slice(68, 72)


def require_meter_file(path: Path) -> None:
    """Look at the header before SQLite does: opening as a database may already write.

    Raises:
        MeterFileMissingError: There is no such file.
        MeterFileAccessError: It cannot be read.
        MeterFileForeignError: It is something else.
        MeterFileVersionError: It was written by a newer program.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        raise MeterFileMissingError(path) from None
    except OSError as error:
        raise MeterFileAccessError(path, str(error.strerror)) from error
    found = int.from_bytes(header[_APPLICATION_ID_AT], "big")
    if not header.startswith(_SQLITE_MAGIC) or found != APPLICATION_ID:
        raise MeterFileForeignError(path)
    version = int.from_bytes(header[_VERSION_AT], "big")
    if version > SCHEMA_VERSION:
        raise MeterFileVersionError(path, found=version, known=SCHEMA_VERSION)


def flush_to_disk(path: Path) -> None:
    """Make a file's content, or a folder's entries, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
