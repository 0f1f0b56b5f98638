"""How arguments are taken: checked once as a whole, then cut into chunks that fit the cache."""

from collections.abc import Iterator
from typing import Final, SupportsInt, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sts.batch.status import Status, StatusColumn
from sts.errors import ArrayShapeError, ArrayTypeError

CHUNK_ROWS: Final = 32_768
"""Rows that are worked on at once: few enough for the caches of a core, many enough
that NumPy's cost of each call hardly counts. A multiple of 64, for the bit planes."""

_LARGEST_BLOCK: Final = 1 << 24

Numbers: TypeAlias = NDArray[np.integer] | SupportsInt
"""A column of whole numbers of any integer type, or one number for all rows."""

_SIGNED: Final = np.dtype(np.int64)


def chunks(rows: int, size: int = CHUNK_ROWS) -> Iterator[slice]:
    """Cut ``rows`` rows into slices of ``size`` rows; the last one may be shorter."""
    # The GNU allocator gives every large block back to the system and has to fault it in again,
    # page by page, which takes longer than most arithmetic on it. Freeing one that is larger than
    # all to come teaches it to keep them. It is never touched, so it costs next to nothing.
    np.empty(_LARGEST_BLOCK, np.uint8)
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def rows_of(*columns: object) -> int:
    """Return the number of rows of the first argument that is a column, or 1 if none is."""
    for column in columns:
        if isinstance(column, np.ndarray) and column.ndim:
            return len(column)
    return 1


def number_column(name: str, values: Numbers, rows: int) -> NDArray[np.integer]:
    """Return ``values`` as a column of ``rows`` whole numbers; one number becomes a column.

    Nothing is copied: a column of one repeated number takes no memory.

    Raises:
        ArrayTypeError: Not whole numbers. Floats are refused, however round they are.
        ArrayShapeError: Another number of rows, or more than one column.
    """
    array = np.asarray(values)
    if array.dtype == object and array.ndim == 0:
        # A number with a class of its own, as SupplyGroupCode.
        array = np.asarray(_plain(name, values))
    if array.dtype.kind not in "iu":
        raise ArrayTypeError(name, wanted="whole numbers", found=array.dtype)
    if array.ndim == 0:
        return np.broadcast_to(array, (rows,))
    if array.shape != (rows,):
        raise ArrayShapeError(name, wanted=f"({rows},)", found=array.shape)
    return array


def _plain(name: str, values: object) -> int:
    if not isinstance(values, SupportsInt):
        raise ArrayTypeError(name, wanted="whole numbers", found=type(values).__name__)
    return int(values)


def flag_column(name: str, values: NDArray[np.bool_] | bool, rows: int) -> NDArray[np.bool_]:  # noqa: FBT001 - a column of flags may be one flag
    """Return ``values`` as a column of ``rows`` flags; one flag becomes a column.

    Raises:
        ArrayTypeError: Not of the type bool.
        ArrayShapeError: Another number of rows, or more than one column.
    """
    array = np.asarray(values)
    if array.dtype != np.bool_:
        raise ArrayTypeError(name, wanted="bool", found=array.dtype)
    if array.ndim == 0:
        return np.broadcast_to(array, (rows,))
    if array.shape != (rows,):
        raise ArrayShapeError(name, wanted=f"({rows},)", found=array.shape)
    return array


def text_column(name: str, values: NDArray[np.bytes_], *widths: int) -> NDArray[np.uint8]:
    """Return fixed-width bytes (type ``S``) as a matrix of single bytes, one row each.

    Args:
        name: What to call the array in an error.
        values: One-dimensional, of a type ``S11``, ``S20`` and the like.
        widths: The widths that will do.

    Raises:
        ArrayTypeError: Another type of element.
        ArrayShapeError: Not one-dimensional.
    """
    wanted = " or ".join(f"S{width}" for width in widths)
    if not isinstance(values, np.ndarray) or values.dtype.kind != "S":
        raise ArrayTypeError(name, wanted=wanted, found=getattr(values, "dtype", type(values)))
    if values.dtype.itemsize not in widths:
        raise ArrayTypeError(name, wanted=wanted, found=values.dtype)
    if values.ndim != 1:
        raise ArrayShapeError(name, wanted="(rows,)", found=values.shape)
    contiguous = np.ascontiguousarray(values)
    return contiguous.view(np.uint8).reshape(len(values), values.dtype.itemsize)


def status_column(status: StatusColumn | None, rows: int) -> StatusColumn:
    """Return a copy of ``status``, or a column of ``OK`` if there is none.

    Raises:
        ArrayTypeError: Not ``uint8``.
        ArrayShapeError: Another number of rows.
    """
    if status is None:
        return np.zeros(rows, np.uint8)
    if not isinstance(status, np.ndarray) or status.dtype != np.uint8:
        raise ArrayTypeError("status", wanted="uint8", found=getattr(status, "dtype", type(status)))
    if status.shape != (rows,):
        raise ArrayShapeError("status", wanted=f"({rows},)", found=status.shape)
    return status.copy()


def mark(status: StatusColumn, reason: Status, where: NDArray[np.bool_]) -> None:
    """Set ``reason`` in every row of ``where`` that has no other status yet."""
    if where.any():
        status[where & (status == 0)] = reason


def mark_outside(
    status: StatusColumn, reason: Status, values: NDArray[np.integer], *, low: int, high: int
) -> NDArray[np.int64]:
    """Mark the rows whose number is not from ``low`` to ``high``; return the numbers as ``int64``.

    In the column that is returned the marked rows are ``low``, so that what is computed from them
    stays within its bits.
    """
    if not values.size:
        return np.zeros(0, np.int64)
    # Two passes that only read are much cheaper than a mask, and nearly always enough.
    if int(values.min()) >= low and int(values.max()) <= high:
        return values.astype(_SIGNED, copy=False)
    outside = (values < low) | (values > high)
    mark(status, reason, outside)
    return np.where(outside, low, values).astype(_SIGNED)
