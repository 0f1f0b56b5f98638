"""The checksums of ``sts.crc`` for columns of tokens.

A checksum is linear but for a constant: that of a token is the XOR of what its parts contribute.
The 50 bits that it covers are cut into four parts, each of which is one look-up in a table made by
the scalar function.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sts.crc import token_crc

_PART_BITS: Final = (12, 12, 12, 14)
"""Widths of the parts, the least significant first."""


class _Part(NamedTuple):
    shift: np.uint64
    mask: np.uint64
    table: NDArray[np.uint16]


def token_checksums(bodies: NDArray[np.uint64], *, currency: bool) -> NDArray[np.uint16]:
    """Return the checksum of each token as it stands in its bits 15 to 0.

    Args:
        bodies: The 50 bits class ‖ subclass ‖ content.
        currency: Whether these are currency credit tokens, which carry CRC_C.
    """
    first, *others = _parts(currency=currency)
    index = bodies & first.mask
    checksums = first.table.take(index.view(np.int64), mode="clip")
    contribution = np.empty_like(checksums)
    for part in others:
        np.right_shift(bodies, part.shift, out=index)
        np.bitwise_and(index, part.mask, out=index)
        np.take(part.table, index.view(np.int64), out=contribution, mode="clip")
        np.bitwise_xor(checksums, contribution, out=checksums)
    return checksums


@cache
def _parts(*, currency: bool) -> tuple[_Part, ...]:
    constant = token_crc(0, currency=currency)
    parts = []
    shift = 0
    for width in _PART_BITS:
        table = np.zeros(1 << width, np.uint16)
        for bit in range(width):
            # Whatever the bits below contribute, with this bit its own share is added.
            share = token_crc(1 << shift + bit, currency=currency) ^ constant
            table[1 << bit : 2 << bit] = table[: 1 << bit] ^ np.uint16(share)
        parts.append(_Part(np.uint64(shift), np.uint64((1 << width) - 1), table))
        shift += width
    # The constant belongs to every token, so it may sit in any one table.
    parts[0].table[...] ^= np.uint16(constant)
    return tuple(parts)
