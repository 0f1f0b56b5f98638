"""The numbers of statuses are stable, and stand for errors of the scalar core."""

from typing import Final

import numpy as np
import pytest

from sts.batch import Status, first_status
from sts.errors import CrcMismatchError, StsError

NUMBERS: Final = {
    "OK": 0,
    "NOT_DIGITS": 1,
    "WRONG_LENGTH": 2,
    "WRONG_CHECK_DIGIT": 3,
    "OUT_OF_RANGE": 4,
    "UNKNOWN_IIN": 5,
    "BEFORE_BASE_DATE": 11,
    "AFTER_LAST_MINUTE": 12,
    "KEY_EXPIRED": 13,
    "TID_AHEAD_OF_CLOCK": 14,
    "AMOUNT_NEGATIVE": 21,
    "AMOUNT_TOO_LARGE": 22,
    "FIELD_RANGE": 31,
    "NOT_TWENTY_DIGITS": 32,
    "EXCEEDS_66_BITS": 33,
    "RESERVED_CLASS": 34,
    "RESERVED_SUBCLASS": 35,
    "CRC_MISMATCH": 36,
    "NON_CANONICAL_TOKEN": 37,
    "DECODER_KEY_REQUIRED": 38,
    "CIPHER_MISMATCH": 39,
    "UNSUPPORTED_KEY_TYPE": 51,
    "KEY_CHANGE_INCOMPLETE": 61,
    "KEY_CHANGE_CONFLICT": 62,
    "KEY_CHANGE_SAME": 63,
    "KEY_CHANGE_TYPE": 64,
    "KEY_CHANGE_ROLLOVER": 65,
    "KEY_CHANGE_ALGORITHM": 66,
    "KEY_CHANGE_TO_EXPIRED_KEY": 67,
}
"""What stands in files of users: a number may be added, none may change."""


def test_the_numbers_have_not_changed() -> None:
    assert {status.name: status.value for status in Status} == NUMBERS


@pytest.mark.parametrize("status", set(Status) - {Status.OK})
def test_every_status_stands_for_an_error_of_the_scalar_core(status: Status) -> None:
    assert issubclass(status.error_class, StsError)
    assert status.error_class.code == status.code


def test_a_status_names_its_error() -> None:
    assert Status.CRC_MISMATCH.error_class is CrcMismatchError


def test_ok_is_no_error() -> None:
    with pytest.raises(KeyError):
        _ = Status.OK.error_class


def test_numbers_above_127_are_left_to_others() -> None:
    assert max(Status) <= 127


def test_the_first_status_of_a_row_counts() -> None:
    first = np.array([0, 0, 3, 3], np.uint8)
    second = np.array([0, 4, 0, 4], np.uint8)
    assert first_status(first, second).tolist() == [0, 4, 3, 3]
    assert first.tolist() == [0, 0, 3, 3]
