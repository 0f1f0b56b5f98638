"""Columns of text as they come from a file, turned into arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from keys.bulk.rows import Flags

Text = NDArray[np.bytes_]
LONGEST_CELL: Final = 64
"""Longer text is cut off here: nothing that is right is as long."""
_MOST_DIGITS: Final = 15
_ZERO: Final = ord("0")
_NINE: Final = 9


class Numbers(NamedTuple):
    """Whole numbers.

    Attributes:
        values: ``int64``; 0 where there is none.
        wrong: Which rows are not 1 to 15 digits.
    """

    values: NDArray[np.int64]
    wrong: Flags


def fixed_text(column: pa.Array) -> Text:
    """Return a column of the type ``binary`` as fixed-width bytes, wide enough for its longest."""
    rows = len(column)
    _, offsets_buffer, data_buffer = column.buffers()
    if not rows or data_buffer is None:
        return np.zeros(rows, "S1")
    offsets = np.frombuffer(offsets_buffer, np.int32)[column.offset : column.offset + rows + 1]
    data = np.frombuffer(data_buffer, np.uint8)
    lengths = np.diff(offsets)
    longest = int(lengths.max())
    if 0 < longest <= LONGEST_CELL and int(lengths.min()) == longest:
        whole = data[offsets[0] : offsets[-1]]
        return whole.view(f"S{longest}")
    width = min(max(longest, 1), LONGEST_CELL)
    text = np.zeros((rows, width), np.uint8)
    for place in range(width):
        (longer,) = np.nonzero(lengths > place)
        text[longer, place] = data[offsets[:-1][longer] + place]
    return text.view(f"S{width}").reshape(rows)


def numbers_of(text: Text) -> Numbers:
    """Read whole numbers of 1 to 15 digits."""
    rows, width = len(text), text.dtype.itemsize
    places = np.ascontiguousarray(text).view(np.uint8).reshape(rows, width)
    values = np.zeros(rows, np.int64)
    wrong: Flags = (places[:, 0] == 0) | (places[:, _MOST_DIGITS:] != 0).any(axis=1)
    for place in range(min(width, _MOST_DIGITS)):
        column = places[:, place]
        digit = column - np.uint8(_ZERO)
        there = column != 0
        wrong |= there & (digit > _NINE)
        values = np.where(there, values * 10 + digit, values)
    values[wrong] = 0
    return Numbers(values, wrong)


def arrow_text(text: Text) -> pa.Array:
    """Return fixed-width bytes, ASCII, as a column of text; trailing zeros are no text."""
    rows, width = len(text), text.dtype.itemsize
    places = np.ascontiguousarray(text).view(np.uint8).reshape(rows, width)
    if rows and (places[:, -1] != 0).all():
        offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
        data = places.reshape(-1)
    else:
        present = places != 0
        offsets = np.zeros(rows + 1, np.int32)
        np.cumsum(present.sum(axis=1), out=offsets[1:])
        data = places[present]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)


class Groups(NamedTuple):
    """Rows with the same attributes.

    Attributes:
        values: What the rows of each group have in common, by column.
        of_row: The group of each row.
    """

    values: Sequence[Mapping[str, str]]
    of_row: NDArray[np.int64]


def groups_of(columns: Mapping[str, pa.Array], given: Mapping[str, str], rows: int) -> Groups:
    """Group rows by the columns that say the same for many of them.

    Args:
        columns: From the file, of the type ``binary``.
        given: What holds for all rows, where there is no column.
        rows: How many there are.
    """
    of_row = np.zeros(rows, np.int64)
    indices: dict[str, NDArray[np.int32]] = {}
    texts: dict[str, list[str]] = {}
    for name, column in columns.items():
        encoded: Any = pc.dictionary_encode(column)
        texts[name] = [_text(each) for each in encoded.dictionary.to_pylist()]
        indices[name] = encoded.indices.to_numpy(zero_copy_only=False)
        if len(texts[name]) > 1:
            mixed = of_row * len(texts[name]) + indices[name]
            of_row = np.unique(mixed, return_inverse=True)[1].reshape(-1).astype(np.int64)
    first = np.unique(of_row, return_index=True)[1]
    values = [
        {**given, **{name: texts[name][indices[name][row]] for name in columns}} for row in first
    ]
    return Groups(values, of_row)


def _text(cell: bytes) -> str:
    return cell[: LONGEST_CELL + 1].decode("utf-8", "replace")
