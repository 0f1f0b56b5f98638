"""Which rows of a part are refused, and with what code; the first reason found stays."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sts.batch import Status

Flags = NDArray[np.bool_]
_FIRST_OWN: Final = 256
"""Numbers below are those of ``sts.batch.Status``."""


class RowCodes:
    """One reason a row, or none.

    Attributes:
        numbers: ``uint16``, one a row; 0 where nothing is wrong.
    """

    def __init__(self, rows: int) -> None:
        """Begin with rows that are all right."""
        self.numbers: NDArray[np.uint16] = np.zeros(rows, np.uint16)
        self._own: list[str] = []

    @property
    def right(self) -> Flags:
        """Which rows have no reason."""
        flags: Flags = self.numbers == 0
        return flags

    def mark(self, code: str, where: Flags) -> None:
        """Give ``code`` to rows that have no reason yet."""
        if where.any():
            self.numbers[where & self.right] = self._number(code)

    def mark_rows(self, code: str, rows: NDArray[np.int64]) -> None:
        """Give ``code`` to the rows of these numbers."""
        where = np.zeros(len(self.numbers), np.bool_)
        where[rows] = True
        self.mark(code, where)

    def take(self, status: NDArray[np.uint8]) -> None:
        """Take over what the batch engine says of the rows."""
        np.copyto(self.numbers, status, where=self.right)

    def code(self, row: int) -> str:
        """Return the code of a row that has one."""
        number = int(self.numbers[row])
        return Status(number).code if number < _FIRST_OWN else self._own[number - _FIRST_OWN]

    def _number(self, code: str) -> int:
        if code not in self._own:
            self._own.append(code)
        return _FIRST_OWN + self._own.index(code)


def set_bits(bits: bytes, rows: int) -> NDArray[np.int64]:
    """Return the numbers of the rows, from 0 on, whose bits are set, the highest bit first."""
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), count=rows if bits else 0)
    return np.flatnonzero(flags).astype(np.int64)
