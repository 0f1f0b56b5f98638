"""Token identifiers of columns of meters are those of the scalar core."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sts
from sts import batch
from sts.batch import NO_TID, Status
from sts.errors import ArrayShapeError, ArrayTypeError, UtcOffsetError
from sts.identifiers import BaseDate, KeyExpiryNumber
from sts.token_identifier import LAST_TID_MINUTES, TID_STORE_SIZE, require_unexpired
from tests.strategies import base_dates, bits, tids, utc_offsets
from tests.sts.batch.rows import codes_of, outcome

_times: Final = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - a column of times has no zone: it is UTC
    max_value=datetime(2080, 1, 1),  # noqa: DTZ001 - as above
)


@given(st.lists(_times, max_size=20), base_dates, utc_offsets)
def test_times_become_identifiers_as_in_the_scalar_core(
    times: list[datetime], base_date: BaseDate, utc_offset: timedelta
) -> None:
    made = batch.tids_from_datetimes(
        np.array(times, "datetime64[us]"), base_date, utc_offset=utc_offset
    )
    for row, time in enumerate(times):
        tid, code = outcome(
            sts.tid_from_datetime, time.replace(tzinfo=UTC), base_date, utc_offset=utc_offset
        )
        assert Status(made.status[row]).code == code
        assert made.tids[row] == (tid or 0)


def test_seconds_are_cut_off_also_just_before_the_base_date() -> None:
    times = np.array(["2013-12-31T23:59:59", "2014-01-01T00:00:59", "NaT"], "datetime64[s]")
    made = batch.tids_from_datetimes(times, BaseDate.Y2014)
    assert codes_of(made.status) == ["BEFORE_BASE_DATE", "OK", "BEFORE_BASE_DATE"]
    assert made.tids.tolist() == [0, 0, 0]


@given(st.lists(st.integers(-2, LAST_TID_MINUTES + 2), max_size=20), base_dates, utc_offsets)
def test_identifiers_become_minutes_as_in_the_scalar_core(
    numbers: list[int], base_date: BaseDate, utc_offset: timedelta
) -> None:
    made = batch.datetimes_from_tids(np.array(numbers, np.int64), base_date, utc_offset=utc_offset)
    for row, number in enumerate(numbers):
        moment, code = outcome(sts.datetime_from_tid, number, base_date, utc_offset=utc_offset)
        assert Status(made.status[row]).code == code
        if isinstance(moment, datetime):
            assert made.minutes[row] == np.datetime64(moment.replace(tzinfo=None), "m")
        else:
            assert np.isnat(made.minutes[row])


@given(st.lists(st.tuples(tids, bits(8)), min_size=1, max_size=20))
def test_keys_expire_as_in_the_scalar_core(rows: list[tuple[int, int]]) -> None:
    minutes, expiry = (np.array(each) for each in zip(*rows, strict=True))
    codes = codes_of(batch.expiry_status(minutes, expiry))
    for (tid, number), code in zip(rows, codes, strict=True):
        refusal = outcome(require_unexpired, tid, KeyExpiryNumber(number), BaseDate.Y2014)
        assert code == refusal[1]


# Few numbers close together, so that used ones are met: around midnight, where 00:01 is reserved.
_NEAR: Final = 1440 * 4000
_issued: Final = st.lists(st.integers(_NEAR - 5, _NEAR + 70), max_size=70)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(_issued, st.integers(_NEAR - 10, _NEAR + 60)), min_size=1, max_size=8),
    st.sampled_from([0, 3, 60, LAST_TID_MINUTES]),
    st.sampled_from([255, 87, _NEAR >> 16]),
)
def test_the_next_identifier_is_that_of_the_scalar_core(
    rows: list[tuple[list[int], int]], lead_cap: int, expiry: int
) -> None:
    width = max(len(issued) for issued, _ in rows)
    matrix = np.array([issued + [NO_TID] * (width - len(issued)) for issued, _ in rows], np.int64)
    present = np.array([now for _, now in rows])
    made = batch.next_token_identifiers(
        matrix.reshape(len(rows), width),
        present,
        key_expiry_numbers=expiry,
        lead_cap_minutes=lead_cap,
    )
    for row, (issued, now) in enumerate(rows):
        tid, code = outcome(
            sts.next_token_identifier,
            issued,
            sts.datetime_from_tid(now, BaseDate.Y2014),
            base_date=BaseDate.Y2014,
            key_expiry_number=KeyExpiryNumber(expiry),
            lead_cap_minutes=lead_cap,
        )
        assert Status(made.status[row]).code == code
        assert made.tids[row] == (tid or 0)


def test_an_identifier_is_above_the_oldest_of_fifty() -> None:
    """A meter with a full store refuses what lies below it, one with a place free does not."""
    full = list(range(_NEAR + 100, _NEAR + 100 + TID_STORE_SIZE))
    issued = np.array([full, [NO_TID, *full[1:]], [*full[:-1], full[0]]], np.int64)
    made = batch.next_token_identifiers(issued, _NEAR + 7, lead_cap_minutes=LAST_TID_MINUTES)
    for row in range(3):
        wanted = sts.next_token_identifier(
            [tid for tid in issued[row].tolist() if tid != NO_TID],
            sts.datetime_from_tid(_NEAR + 7, BaseDate.Y2014),
            base_date=BaseDate.Y2014,
            lead_cap_minutes=LAST_TID_MINUTES,
        )
        assert made.tids[row] == wanted
    assert made.tids.tolist() == [_NEAR + 150, _NEAR + 7, _NEAR + 7]


def test_identifiers_end_with_their_base_date() -> None:
    issued = np.array([[LAST_TID_MINUTES], [NO_TID]])
    made = batch.next_token_identifiers(issued, LAST_TID_MINUTES)
    assert codes_of(made.status) == ["AFTER_LAST_MINUTE", "OK"]
    assert made.tids.tolist() == [0, LAST_TID_MINUTES]


def test_rows_that_are_marked_stay_marked() -> None:
    status = np.array([Status.BEFORE_BASE_DATE, Status.OK], np.uint8)
    made = batch.next_token_identifiers(np.zeros((2, 0), np.int64), [0, 7][1], status=status)
    assert made.status.tolist() == status.tolist()
    assert made.tids.tolist() == [0, 7]


@pytest.mark.parametrize("rows", [0, 1, 2047, 2048, 2049])
def test_any_number_of_rows_will_do(rows: int) -> None:
    issued = np.arange(rows)[:, None] + 10_000
    made = batch.next_token_identifiers(issued, np.arange(rows) + 10_000)
    following = issued[:, 0] + 1
    reserved = following % 1440 == 1
    assert np.array_equal(made.tids, following + reserved)
    assert not made.status.any()


# --- refusals ---------------------------------------------------------------------------------


def test_an_offset_is_whole_minutes() -> None:
    offset = timedelta(seconds=1)
    with pytest.raises(UtcOffsetError):
        batch.tids_from_datetimes(np.zeros(1, "datetime64[s]"), BaseDate.Y2014, utc_offset=offset)
    with pytest.raises(UtcOffsetError):
        batch.datetimes_from_tids(1, BaseDate.Y2014, utc_offset=offset)


@pytest.mark.parametrize("times", [[1], np.array([1]), np.array(["2014"])], ids=repr)
def test_times_are_datetimes(times: np.ndarray[tuple[int], np.dtype[np.datetime64]]) -> None:
    with pytest.raises(ArrayTypeError):
        batch.tids_from_datetimes(times, BaseDate.Y2014)


def test_times_are_one_column() -> None:
    with pytest.raises(ArrayShapeError):
        batch.tids_from_datetimes(np.zeros((1, 1), "datetime64[s]"), BaseDate.Y2014)


@pytest.mark.parametrize("issued", [[[1]], np.zeros((1, 1))], ids=repr)
def test_issued_identifiers_are_whole_numbers(
    issued: np.ndarray[tuple[int, int], np.dtype[np.int64]],
) -> None:
    with pytest.raises(ArrayTypeError):
        batch.next_token_identifiers(issued, 1)


def test_issued_identifiers_are_a_matrix() -> None:
    with pytest.raises(ArrayShapeError):
        batch.next_token_identifiers(np.zeros(1, np.int64), 1)
