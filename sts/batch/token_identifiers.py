"""Token identifiers in columns: minutes since a base date, and the next free one of each meter.

Times are ``datetime64`` in UTC. The rules are those of ``sts.token_identifier``.
"""

from datetime import timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import (
    Numbers,
    chunks,
    mark,
    mark_outside,
    number_column,
    rows_of,
    status_column,
)
from sts.batch.status import Status, StatusColumn
from sts.errors import ArrayShapeError, ArrayTypeError
from sts.identifiers import BaseDate
from sts.token_identifier import (
    DEFAULT_LEAD_CAP_MINUTES,
    LAST_TID_MINUTES,
    TID_STORE_SIZE,
    is_reserved_minute,
    require_utc_offset,
)

NO_TID: Final = -1
"""Fills the places of ``issued`` that a meter with fewer identifiers does not need."""

_NO_EXPIRY: Final = 255
_NO_OFFSET: Final = timedelta(0)
_MINUTE: Final = timedelta(minutes=1)


class Tids(NamedTuple):
    """Token identifiers.

    Attributes:
        tids: ``int64``, minutes since the base date; 0 in a marked row.
        status: ``uint8``, one a row.
    """

    tids: NDArray[np.int64]
    status: StatusColumn


class Moments(NamedTuple):
    """The minutes that token identifiers stand for.

    Attributes:
        minutes: ``datetime64[m]``, UTC; not a time (NaT) in a marked row.
        status: ``OK`` or ``OUT_OF_RANGE``.
    """

    minutes: NDArray[np.datetime64]
    status: StatusColumn


def tids_from_datetimes(
    when: NDArray[np.datetime64], base_date: BaseDate, *, utc_offset: timedelta = _NO_OFFSET
) -> Tids:
    """Return the token identifier of the minute that each time lies in; seconds are cut off.

    Args:
        when: ``datetime64`` of any unit, UTC, of the shape (rows,).
        base_date: The zero point.
        utc_offset: The supply group's fixed offset, if its history is in local time.

    Returns:
        Identifiers with the status ``OK``, ``BEFORE_BASE_DATE`` (also where there is no time) or
        ``AFTER_LAST_MINUTE``.

    Raises:
        UtcOffsetError: The offset is not whole minutes within ±14 hours.
        ArrayTypeError, ArrayShapeError: Not a column of times.
    """
    require_utc_offset(utc_offset)
    if not isinstance(when, np.ndarray) or when.dtype.kind != "M":
        raise ArrayTypeError("when", wanted="datetime64", found=getattr(when, "dtype", type(when)))
    if when.ndim != 1:
        raise ArrayShapeError("when", wanted="(rows,)", found=when.shape)
    status = np.zeros(len(when), np.uint8)
    # A time that is none is the smallest number there is: it stays below zero.
    minutes = when.astype("datetime64[m]").astype(np.int64)
    missing = np.isnat(when)
    minutes -= _minutes_of(base_date)
    minutes += utc_offset // _MINUTE
    minutes[missing] = NO_TID
    mark(status, Status.BEFORE_BASE_DATE, minutes < 0)
    mark(status, Status.AFTER_LAST_MINUTE, minutes > LAST_TID_MINUTES)
    minutes[status != Status.OK] = 0
    return Tids(minutes, status)


def datetimes_from_tids(
    tids: Numbers, base_date: BaseDate, *, utc_offset: timedelta = _NO_OFFSET
) -> Moments:
    """Return the minute (UTC) of each token identifier.

    Raises:
        UtcOffsetError: The offset is not whole minutes within ±14 hours.
        ArrayTypeError, ArrayShapeError: Not a column of whole numbers.
    """
    require_utc_offset(utc_offset)
    rows = rows_of(tids)
    status = np.zeros(rows, np.uint8)
    column = number_column("tids", tids, rows)
    minutes = mark_outside(status, Status.OUT_OF_RANGE, column, low=0, high=LAST_TID_MINUTES)
    moments = (minutes + (_minutes_of(base_date) - utc_offset // _MINUTE)).astype("datetime64[m]")
    moments[status != Status.OK] = np.datetime64("NaT", "m")
    return Moments(moments, status)


def expiry_status(tids: Numbers, key_expiry_numbers: Numbers) -> StatusColumn:
    """Return ``KEY_EXPIRED`` where an identifier lies beyond the key's expiry, else ``OK``.

    Raises:
        ArrayTypeError, ArrayShapeError: Not columns of whole numbers of one length.
    """
    rows = rows_of(tids, key_expiry_numbers)
    status = np.zeros(rows, np.uint8)
    upper = number_column("tids", tids, rows) >> 16
    expiry = number_column("key_expiry_numbers", key_expiry_numbers, rows)
    mark(status, Status.KEY_EXPIRED, upper > expiry)
    return status


def next_token_identifiers(
    issued: NDArray[np.integer],
    present_tids: Numbers,
    *,
    key_expiry_numbers: Numbers = _NO_EXPIRY,
    lead_cap_minutes: int = DEFAULT_LEAD_CAP_MINUTES,
    status: StatusColumn | None = None,
) -> Tids:
    """Return the identifier for the next ordinary token of each meter.

    The rules are those of ``sts.next_token_identifier``.

    Args:
        issued: Of the shape (rows, any number): identifiers issued to each meter under this base
            date, in any order, the 50 largest at least; ``NO_TID`` fills up what is left.
        present_tids: This minute, from ``tids_from_datetimes``.
        key_expiry_numbers: Of the keys; 255 never expires.
        lead_cap_minutes: How far identifiers may run ahead of the present.
        status: Of the present minutes: marked rows stay marked.

    Returns:
        Identifiers with the status ``OK``, ``AFTER_LAST_MINUTE``, ``KEY_EXPIRED`` or
        ``TID_AHEAD_OF_CLOCK``.

    Raises:
        ArrayTypeError, ArrayShapeError: Not whole numbers of these shapes.
    """
    if not isinstance(issued, np.ndarray) or issued.dtype.kind not in "iu":
        found = getattr(issued, "dtype", type(issued).__name__)
        raise ArrayTypeError("issued", wanted="whole numbers", found=found)
    if issued.ndim != 2:  # noqa: PLR2004 - a matrix
        raise ArrayShapeError("issued", wanted="(rows, any number)", found=issued.shape)
    rows = len(issued)
    present = number_column("present_tids", present_tids, rows).astype(np.int64)
    expiry = number_column("key_expiry_numbers", key_expiry_numbers, rows)
    marks = status_column(status, rows)
    tids = np.empty(rows, np.int64)
    for part in chunks(rows, _STORE_CHUNK_ROWS):
        tids[part] = _next_free(issued[part].astype(np.int64), present[part])
    mark(marks, Status.AFTER_LAST_MINUTE, tids > LAST_TID_MINUTES)
    mark(marks, Status.KEY_EXPIRED, tids >> 16 > expiry)
    mark(marks, Status.TID_AHEAD_OF_CLOCK, tids - present > lead_cap_minutes)
    tids[marks != Status.OK] = 0
    return Tids(tids, marks)


_STORE_CHUNK_ROWS: Final = 2048
"""A row is up to 50 identifiers and more here, so there are fewer rows to a chunk."""


def _next_free(issued: NDArray[np.int64], present: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first free minute of each row, at or after the present."""
    kept = _largest_distinct(issued)
    # 0 is what a meter's store is filled with after a rollover, so it counts as used.
    candidate = np.maximum(present, 1)
    if kept.shape[1] == TID_STORE_SIZE:
        oldest = kept[:, -1]
        candidate = np.where(oldest >= 0, np.maximum(candidate, oldest + 1), candidate)
    (open_rows,) = np.nonzero(np.ones(len(kept), np.bool_))
    # Each pass takes a row past one used minute or the reserved one, so passes are few.
    while open_rows.size:
        tried = candidate[open_rows]
        used = (kept[open_rows] == tried[:, None]).any(axis=1) | _is_reserved(tried)
        open_rows = open_rows[used]
        candidate[open_rows] += 1
    return candidate


def _largest_distinct(issued: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the 50 largest different identifiers of each row, descending, filled with NO_TID."""
    descending = -np.sort(-np.maximum(issued, NO_TID), axis=1)
    descending[:, 1:][descending[:, 1:] == descending[:, :-1]] = NO_TID
    return -np.sort(-descending, axis=1)[:, :TID_STORE_SIZE]


def _is_reserved(tids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which are the minute 00:01 of a day; ``is_reserved_minute`` works on columns too."""
    column: Any = tids
    reserved: NDArray[np.bool_] = np.asarray(is_reserved_minute(column))
    return reserved


def _minutes_of(base_date: BaseDate) -> int:
    """Return the base date in minutes of ``datetime64``."""
    return int(base_date.start.timestamp()) // 60
