"""Rows of a small table in CSV, each with the number of its line."""

import csv
import re
from collections.abc import Collection, Iterator
from typing import Final

from sts.meter.errors import LoadError

_WHOLE: Final = re.compile(r"-?[0-9]{1,12}")


def read_rows(
    text: str, headers: Collection[tuple[str, ...]]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Give line number and columns of the header and of each row; empty lines are left out.

    Args:
        text: The whole table.
        headers: The first lines that it may have; all rows have as many columns.

    Raises:
        LoadError: Not such a table; the error names the line.
    """
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
    header = None
    try:
        for row in reader:
            found = tuple(map(str.strip, row))
            if header is None:
                _require_header(found, headers)
                header = found
            if found and len(found) != len(header):
                message = f"{len(header)} columns are expected, found {len(found)}"
                raise LoadError(message, line=reader.line_num)
            if found:
                yield reader.line_num, found
    except csv.Error as error:
        raise LoadError(str(error), line=reader.line_num) from None
    if header is None:
        _require_header((), headers)


def parse_whole(text: str) -> int:
    """Read a whole number, and nothing that only Python takes for one.

    Raises:
        ValueError: It is something else.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError
    return int(text)


def _require_header(found: tuple[str, ...], headers: Collection[tuple[str, ...]]) -> None:
    if found not in headers:
        names = " or ".join(",".join(header) for header in headers)
        raise LoadError(f"the first line is {names}", line=1)
