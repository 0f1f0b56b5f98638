"""66-bit numbers to 20 decimal digits and back, in arithmetic of 64 bits.

A number of 66 bits is two columns: its upper 2 bits, and its lower 64 bits. For printing it is cut
into 8 and 12 digits, and these into groups of four, because 2^64 = 18446744 · 10^12 + 73709551616:

    upper 8 digits     low ÷ 10^12 + high · 18446744 (+ 1 carried)
    lower 12 digits    low mod 10^12 + high · 73709551616 (− 10^12 if that is reached)

Every group of four is one look-up in a table of 10,000 words of four characters. Reading goes the
other way; whether four characters are digits, and which number they make, is worked out
for all four at once in one 32-bit word.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import mark
from sts.batch.status import Status, StatusColumn

TOKEN_DIGITS: Final = 20

Number = NDArray[np.uint64]

_U64: Final = np.uint64
_E4: Final = _U64(10**4)
_E8: Final = _U64(10**8)
_E12: Final = _U64(10**12)
_HIGH_UPPER: Final = _U64((1 << 64) // 10**12)
_HIGH_LOWER: Final = _U64((1 << 64) % 10**12)
_HALF: Final = _U64(32)
_HALF_MASK: Final = _U64((1 << 32) - 1)
_E12_LOW: Final = _U64(10**12 & (1 << 32) - 1)
_E12_HIGH: Final = _U64(10**12 >> 32)

_FOUR_CHARACTERS: Final = np.dtype("<u4")
"""The first character is the lowest byte, on every machine."""
_ZEROS: Final = np.uint32(0x3030_3030)
_SIXES: Final = np.uint32(0x0606_0606)
_UPPER_NIBBLES: Final = np.uint32(0xF0F0_F0F0)


def write_digits(high: Number, low: Number, out: NDArray[np.uint8]) -> None:
    """Write 66-bit numbers as 20 ASCII digits.

    Args:
        high: The upper 2 bits.
        low: The lower 64 bits.
        out: Contiguous, of the shape (rows, 20).
    """
    upper = low // _E12
    lower = low - upper * _E12
    lower += high * _HIGH_LOWER
    upper += high * _HIGH_UPPER
    carry = lower >= _E12
    upper += carry
    lower -= carry * _E12
    third = lower // _E8
    lower -= third * _E8
    columns = out.view(_FOUR_CHARACTERS)
    table = _groups_of_four()
    first = upper // _E4
    fourth = lower // _E4
    groups = (first, upper - first * _E4, third, fourth, lower - fourth * _E4)
    text = np.empty(len(low), _FOUR_CHARACTERS)
    for place, group in enumerate(groups):
        np.take(table, group.view(np.int64), out=text, mode="clip")
        columns[:, place] = text


def read_digits(text: NDArray[np.uint8], status: StatusColumn) -> tuple[Number, Number]:
    """Return the upper 2 and the lower 64 bits of 20 ASCII digits, and mark what is none.

    Args:
        text: Contiguous, of the shape (rows, 20).
        status: Rows are set to NOT_TWENTY_DIGITS or EXCEEDS_66_BITS; their number is 0.
    """
    values, others = group_values(text)
    first, second, third, fourth, fifth = values.astype(np.uint64)
    upper = first * _E4 + second
    lower = (third * _E4 + fourth) * _E4 + fifth
    # upper · 10^12 + lower, in two halves of 32 bits.
    low_half = upper * _E12_LOW + lower
    high_half = upper * _E12_HIGH + (low_half >> _HALF)
    beyond = high_half >> _U64(34) != 0
    if others.any() or beyond.any():
        mark(status, Status.NOT_TWENTY_DIGITS, others)
        mark(status, Status.EXCEEDS_66_BITS, beyond)
        wrong = others | beyond
        high_half[wrong] = 0
        low_half[wrong] = 0
    return high_half >> _HALF, high_half << _HALF | low_half & _HALF_MASK


def group_values(text: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """Return what groups of four digits are worth, and which rows hold other characters.

    Args:
        text: Contiguous, of the shape (rows, 4 · groups).

    Returns:
        The values, one row a group and one column a row of ``text``; and a flag for each row of
        ``text``, which is set where a character is no digit and the values mean nothing.
    """
    # One contiguous row for each group: what follows then runs through memory in one line.
    words = text.view(_FOUR_CHARACTERS).T.copy()
    words ^= _ZEROS
    # A digit is now 0 to 9: no upper nibble, and none either with 6 added. A carry into the next
    # character comes only from one that has an upper nibble itself.
    wrong = words + _SIXES
    wrong |= words
    wrong &= _UPPER_NIBBLES
    others = np.bitwise_or.reduce(wrong, axis=0) != 0
    # Two digits to a number below 100 in every other byte, then two of these to one below 10,000.
    pairs = words >> np.uint32(8)
    words *= np.uint32(10)
    words += pairs
    words &= np.uint32(0x00FF_00FF)
    np.right_shift(words, np.uint32(16), out=pairs)
    words *= np.uint32(100)
    words += pairs
    words &= np.uint32(0xFFFF)
    return words, others


@cache
def _groups_of_four() -> NDArray[np.uint32]:
    text = "".join(f"{number:04d}" for number in range(10_000))
    return np.frombuffer(text.encode("ascii"), _FOUR_CHARACTERS)
