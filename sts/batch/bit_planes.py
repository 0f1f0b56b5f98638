"""Rows of 64 bits to 64 planes of bits, and back: the turn that bit-slicing rests on.

A matrix of 64 × W words of 64 bits is 64·W rows before the turn and 64 planes after it:

    before    word [i, w] is row i·W + w
    after     word [b, w] holds bit b of the rows w, W + w, 2W + w … : bit i is that of row i·W + w

So one operation on a word of a plane does the same to one bit of 64 rows. Turning is its own
inverse. It swaps ever smaller quarters of 64 × 64 bits, for all W words at once.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

WORD_BITS: Final = 64

Planes = NDArray[np.uint64]
"""64 × W words."""

# Shift and the mask of the bits that move: 32 of every 64, 16 of every 32, and so on.
_STAGES: Final = tuple(
    (shift, np.uint64(shift), np.uint64(((1 << 64) - 1) // ((1 << shift) + 1)))
    for shift in (32, 16, 8, 4, 2, 1)
)


def words_for(rows: int) -> int:
    """Return W, the words a plane needs to hold a bit of each row."""
    return -(-rows // WORD_BITS)


def turn(planes: Planes, scratch: Planes) -> None:
    """Turn rows into planes, or planes into rows, in place.

    Args:
        planes: 64 × W words, contiguous.
        scratch: Half as many words, contiguous; what is in it is lost.
    """
    words = planes.shape[1]
    for shift, places, mask in _STAGES:
        quarters = planes.reshape(WORD_BITS // (2 * shift), 2, shift, words)
        upper, lower = quarters[:, 0], quarters[:, 1]
        moved = scratch.reshape(upper.shape)
        np.right_shift(upper, places, out=moved)
        np.bitwise_xor(moved, lower, out=moved)
        np.bitwise_and(moved, mask, out=moved)
        np.bitwise_xor(lower, moved, out=lower)
        np.left_shift(moved, places, out=moved)
        np.bitwise_xor(upper, moved, out=upper)
