"""What became of each row: a small number that stands for an error of the scalar core.

Array functions never raise for a row. They return a ``status`` column of ``uint8``, in which 0 is
right and any other number says which error the scalar core would have raised. The numbers are
stable: they may be written into files. Those above 127 are left to whoever has errors of its own.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sts import errors
from sts.errors import StsError

StatusColumn = NDArray[np.uint8]
"""One ``Status`` a row."""


class Status(IntEnum):
    """The outcome of a row; the name is the ``code`` of the error that it stands for."""

    OK = 0
    NOT_DIGITS = 1
    WRONG_LENGTH = 2
    WRONG_CHECK_DIGIT = 3
    OUT_OF_RANGE = 4
    UNKNOWN_IIN = 5
    BEFORE_BASE_DATE = 11
    AFTER_LAST_MINUTE = 12
    KEY_EXPIRED = 13
    TID_AHEAD_OF_CLOCK = 14
    AMOUNT_NEGATIVE = 21
    AMOUNT_TOO_LARGE = 22
    FIELD_RANGE = 31
    NOT_TWENTY_DIGITS = 32
    EXCEEDS_66_BITS = 33
    RESERVED_CLASS = 34
    RESERVED_SUBCLASS = 35
    CRC_MISMATCH = 36
    NON_CANONICAL_TOKEN = 37
    DECODER_KEY_REQUIRED = 38
    CIPHER_MISMATCH = 39
    UNSUPPORTED_KEY_TYPE = 51
    KEY_CHANGE_INCOMPLETE = 61
    KEY_CHANGE_CONFLICT = 62
    KEY_CHANGE_SAME = 63
    KEY_CHANGE_TYPE = 64
    KEY_CHANGE_ROLLOVER = 65
    KEY_CHANGE_ALGORITHM = 66
    KEY_CHANGE_TO_EXPIRED_KEY = 67

    @property
    def code(self) -> str:
        """The stable code, as the errors of the scalar core have it; ``OK`` if there is none."""
        return self.name

    @property
    def error_class(self) -> type[StsError]:
        """The class that the scalar core raises.

        Raises:
            KeyError: Of ``OK``, which is no error.
        """
        return _ERROR_CLASSES[self.name]


_ERROR_CLASSES: Final[Mapping[str, type[StsError]]] = {
    value.code: value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, StsError)
}


def first_status(*statuses: StatusColumn) -> StatusColumn:
    """Return, for each row, the first status that is not ``OK``.

    The order of the arguments is the order of the checks: what failed first is what is reported.
    """
    first = statuses[0].copy()
    for status in statuses[1:]:
        np.copyto(first, status, where=first == 0)
    return first
