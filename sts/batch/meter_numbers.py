"""Meter numbers in columns: decoder reference numbers and PANs, parsed and checked."""

from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import (
    Numbers,
    chunks,
    mark,
    mark_outside,
    number_column,
    rows_of,
    text_column,
)
from sts.batch.status import Status, StatusColumn
from sts.identifiers.checks import require_digits
from sts.identifiers.meter_number import (
    IIN_FOUR_DIGIT_MANUFACTURER,
    IIN_TWO_DIGIT_MANUFACTURER,
)

PAN_DIGITS: Final = 18
_DRN_DIGITS: Final = (11, 13)
_WIDTHS: Final = range(1, 65)
"""Of the arrays: numbers in a wide column are padded, as NumPy does."""

_ZERO: Final = np.uint8(ord("0"))
_NINE: Final = np.uint8(9)
_FOUR: Final = np.uint8(4)
_TEN: Final = np.uint8(10)
_SERIAL_DIGITS: Final = 8
_LAST_SERIAL: Final = 10**_SERIAL_DIGITS - 1

_Columns = NDArray[np.uint8]
"""Digits as numbers 0 to 9: one row a place, one column a meter."""

_IIN_OF_DRN_DIGITS: Final = {
    11: np.array([[int(digit)] for digit in IIN_TWO_DIGIT_MANUFACTURER], np.uint8),
    13: np.array([[int(digit)] for digit in IIN_FOUR_DIGIT_MANUFACTURER], np.uint8),
}


@final
class MeterPans:
    """The PANs of many meters, each of which is known to be one, or marked.

    ``pans[start:stop]`` is the same for some of the rows. ``parse_meter_numbers`` makes it.

    Attributes:
        digits: ``S18``, one a row; empty in a marked row.
        status: ``OK``, ``NOT_DIGITS``, ``WRONG_LENGTH``, ``UNKNOWN_IIN`` or
            ``WRONG_CHECK_DIGIT``.
    """

    __slots__ = ("digits", "status")

    def __init__(self, numbers: NDArray[np.bytes_]) -> None:
        """Parse and check; see ``parse_meter_numbers``."""
        text = text_column("meter numbers", numbers, *_WIDTHS)
        pans = np.zeros((len(text), PAN_DIGITS), np.uint8)
        self.status: StatusColumn = np.zeros(len(text), np.uint8)
        for part in chunks(len(text)):
            _parse(text[part], pans[part], self.status[part])
        self.digits: NDArray[np.bytes_] = pans.view(f"S{PAN_DIGITS}").reshape(len(text))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.status)

    def __getitem__(self, rows: slice) -> "MeterPans":
        """Return some of the rows."""
        some = object.__new__(MeterPans)
        some.digits = self.digits[rows]
        some.status = self.status[rows]
        return some


def parse_meter_numbers(numbers: NDArray[np.bytes_]) -> MeterPans:
    """Read DRNs of 11 or 13 digits and PANs of 18, mixed as they come, and check them.

    Both check digits are checked, that of the DRN and that of the PAN. A row that fails is marked
    with what ``sts.MeterPan.parse`` would have raised, but that no spaces or dashes are allowed.

    Args:
        numbers: ``S11``, ``S13``, ``S18`` or any other width; one-dimensional.

    Raises:
        ArrayTypeError, ArrayShapeError: Not a column of fixed-width bytes.
    """
    return MeterPans(numbers)


class DrnColumns(NamedTuple):
    """The parts of decoder reference numbers.

    Attributes:
        digits: ``S13``, the DRN of 11 or 13 digits; empty in a marked row.
        manufacturer_codes: ``S4``, of 2 or 4 digits.
        serial_numbers: ``S8``.
    """

    digits: NDArray[np.bytes_]
    manufacturer_codes: NDArray[np.bytes_]
    serial_numbers: NDArray[np.bytes_]


def split_drns(pans: MeterPans) -> DrnColumns:
    """Return the decoder reference numbers in PANs, and their parts."""
    text = np.ascontiguousarray(pans.digits).view(np.uint8).reshape(-1, PAN_DIGITS)
    long = _has_long_drn(text)
    drns = np.zeros((len(text), 13), np.uint8)
    drns[long] = text[long, 4:17]
    drns[~long, :11] = text[~long, 6:17]
    codes = np.zeros((len(text), 4), np.uint8)
    codes[long] = text[long, 4:8]
    codes[~long, :2] = text[~long, 6:8]
    return DrnColumns(
        digits=drns.view("S13").reshape(-1),
        manufacturer_codes=codes.view("S4").reshape(-1),
        serial_numbers=np.ascontiguousarray(text[:, 8:16]).view("S8").reshape(-1),
    )


class Drns(NamedTuple):
    """Decoder reference numbers that were made.

    Attributes:
        digits: ``S11`` or ``S13``; empty in a marked row.
        status: ``OK`` or ``OUT_OF_RANGE``.
    """

    digits: NDArray[np.bytes_]
    status: StatusColumn


def drns_from_serials(manufacturer_code: str, serial_numbers: Numbers) -> Drns:
    """Make the numbers of a maker's meters from their serial numbers.

    Args:
        manufacturer_code: 2 or 4 digits.
        serial_numbers: 0 to 99999999, of the shape (rows,).

    Raises:
        NotDigitsError, WrongLengthError: The manufacturer code is not 2 or 4 digits.
        ArrayTypeError, ArrayShapeError: Not a column of whole numbers.
    """
    require_digits("manufacturer code", manufacturer_code, (2, 4))
    rows = rows_of(serial_numbers)
    status = np.zeros(rows, np.uint8)
    serials = mark_outside(
        status,
        Status.OUT_OF_RANGE,
        number_column("serial numbers", serial_numbers, rows),
        low=0,
        high=_LAST_SERIAL,
    )
    width = len(manufacturer_code) + _SERIAL_DIGITS + 1
    columns = np.empty((width, rows), np.uint8)
    for place, digit in enumerate(manufacturer_code):
        columns[place] = int(digit)
    for place in range(_SERIAL_DIGITS):
        columns[-2 - place] = serials // 10**place % 10
    columns[-1] = _check_digits(columns[:-1])
    text = columns.T.copy()
    text += _ZERO
    text[status != Status.OK] = 0
    return Drns(text.view(f"S{width}").reshape(rows), status)


def _parse(text: NDArray[np.uint8], pans: NDArray[np.uint8], status: StatusColumn) -> None:
    """Check one chunk of numbers and write their PANs."""
    # A copy even of one row, for which both orders are the same: the caller's is not ours.
    columns = text.T.copy()
    lengths = np.zeros(len(text), np.uint8)
    for place, column in enumerate(columns):
        np.maximum(lengths, (column != 0) * np.uint8(place + 1), out=lengths)
    columns -= _ZERO
    # Padding counts as another character too, but not behind the end.
    others = np.zeros(len(text), np.bool_)
    for place, column in enumerate(columns):
        others |= (column > _NINE) & (lengths > place)
    mark(status, Status.NOT_DIGITS, others)
    whole = (lengths == PAN_DIGITS) | (lengths == _DRN_DIGITS[0]) | (lengths == _DRN_DIGITS[1])
    mark(status, Status.WRONG_LENGTH, ~whole)
    for width in (*_DRN_DIGITS, PAN_DIGITS):
        of_width = (lengths == width) & (status == Status.OK)
        if of_width.all():
            pans[...] = _checked(columns[:width], status)
        elif of_width.any():
            marks = status[of_width]
            pans[of_width] = _checked(columns[:width, of_width], marks)
            status[of_width] = marks


def _checked(columns: _Columns, status: StatusColumn) -> NDArray[np.uint8]:
    """Return the PANs of numbers of one width as text, marking those that are wrong."""
    if len(columns) == PAN_DIGITS:
        pan = columns
        _mark_wrong_pans(pan, status)
    else:
        wrong = _check_digits(columns[:-1]) != columns[-1]
        mark(status, Status.WRONG_CHECK_DIGIT, wrong)
        iin = _IIN_OF_DRN_DIGITS[len(columns)]
        pan = np.empty((PAN_DIGITS, columns.shape[1]), np.uint8)
        pan[: len(iin)] = iin
        pan[len(iin) : -1] = columns
        pan[-1] = _check_digits(pan[:-1])
    text = pan.T.copy()
    text += _ZERO
    if status.any():
        text[status != Status.OK] = 0
    return text


def _mark_wrong_pans(pan: _Columns, status: StatusColumn) -> None:
    """Mark unknown issuers, and wrong check digits of the PAN or of the DRN in it."""
    short, long = (_starts_with(pan, iin) for iin in _IIN_OF_DRN_DIGITS.values())
    mark(status, Status.UNKNOWN_IIN, ~(short | long))
    mark(status, Status.WRONG_CHECK_DIGIT, _check_digits(pan[:-1]) != pan[-1])
    # Zeros in front do not change a check digit, so both lengths of DRN may start at the same
    # place once the issuer's number is taken off.
    drn = pan[4:-1].copy()
    drn[:2, short] = 0
    mark(status, Status.WRONG_CHECK_DIGIT, _check_digits(drn[:-1]) != drn[-1])


def _starts_with(pan: _Columns, iin: _Columns) -> NDArray[np.bool_]:
    starts = np.ones(pan.shape[1], np.bool_)
    for column, (digit,) in zip(pan, iin, strict=False):
        starts &= column == digit
    return starts


def _check_digits(columns: _Columns) -> NDArray[np.uint8]:
    """Return the check digits that belong behind ``columns`` (``sts.check_digits``)."""
    total = np.zeros(columns.shape[1], np.uint8)
    for place, column in enumerate(reversed(columns)):
        total += column
        if place % 2 == 0:
            # Twice the digit, with 9 taken off when that has two digits.
            total += column
            total -= (column > _FOUR).view(np.uint8) * _NINE
    # 18 digits sum up to 162 at most, which 8 bits hold.
    return (_TEN - total % _TEN) % _TEN


def _has_long_drn(text: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which PANs begin with 0000, from their characters."""
    long: NDArray[np.bool_] = text[:, 0] == _ZERO
    return long
