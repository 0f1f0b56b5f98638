"""EA11 by table look-ups: MISTY1 over columns of 16-bit words, one key a row.

MISTY1 works on words of 16 bits, and its function FI is two look-ups around a subkey:
FI(x, k) = after[before[x] ^ k], see ``sts.ciphers.misty1``. Both tables hold 65,536 words, 128
kilobytes, and stay in the cache. The key schedule is eight more FI, done for all rows at once.
"""

import sys
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sts.ciphers.misty1_tables import S7, S9

Words = NDArray[np.uint16]
"""One 16-bit word a row."""

_ROUNDS: Final = 8
_LAST_LAYER: Final = 4
_KEY_WORDS: Final = 8
_BLOCK_WORDS: Final = 4
_SPARE_WORDS: Final = 3
_FI_SPARE: Final = 2
_SHIFTS: Final = tuple(np.uint64(shift) for shift in (48, 32, 16, 0))
_MEMORY_ORDER: Final = (3, 2, 1, 0) if sys.byteorder == "little" else (0, 1, 2, 3)
"""Where the words of a block, most significant first, stand in memory."""


class _FiTables(NamedTuple):
    """FI without its subkey: what it does before and what it does after."""

    before: Words
    after: Words


class Misty1Kernel:
    """Encrypts and decrypts chunks of up to ``rows`` blocks.

    Args:
        rows: The most rows of a call; the working memory is some 90 bytes a row.
    """

    def __init__(self, rows: int) -> None:
        """Set memory aside."""
        self._tables = _fi_tables()
        # Subkeys are numbered modulo 8: written twice, they need no remainder.
        self._k = np.empty((2 * _KEY_WORDS, rows), np.uint16)
        self._e = np.empty((2 * _KEY_WORDS, rows), np.uint16)
        self._block = np.empty((_BLOCK_WORDS, rows), np.uint16)
        self._spare = np.empty((_SPARE_WORDS, rows), np.uint16)
        # NumPy looks up by numbers of the machine's size, and would convert in memory of its own.
        self._index = np.empty(rows, np.intp)

    def encrypt(
        self, blocks: NDArray[np.uint64], keys: NDArray[np.uint8], out: NDArray[np.uint64]
    ) -> None:
        """Write the cipher blocks of ``blocks`` to ``out``.

        Args:
            blocks: At most ``rows`` clear blocks.
            keys: Of the shape (blocks, 16), most significant byte first.
            out: As long as ``blocks``; may be the same array.
        """
        self._expand(keys)
        words = self._load(blocks)
        d0, d1 = words[:2], words[2:]
        for even in range(0, _ROUNDS, 2):
            self._fl(d0, d1, layer=even // 2)
            self._fo(d0, d1, number=even)
            self._fo(d1, d0, number=even + 1)
        self._fl(d0, d1, layer=_LAST_LAYER)
        # The halves change places: C = D1 ‖ D0.
        _store((*d1, *d0), out)

    def decrypt(
        self, blocks: NDArray[np.uint64], keys: NDArray[np.uint8], out: NDArray[np.uint64]
    ) -> None:
        """Write the clear blocks of ``blocks`` to ``out``; arguments as for ``encrypt``."""
        self._expand(keys)
        words = self._load(blocks)
        d1, d0 = words[:2], words[2:]
        self._undo_fl(d0, d1, layer=_LAST_LAYER)
        for even in reversed(range(0, _ROUNDS, 2)):
            self._fo(d1, d0, number=even + 1)
            self._fo(d0, d1, number=even)
            self._undo_fl(d0, d1, layer=even // 2)
        _store((*d0, *d1), out)

    def _load(self, blocks: NDArray[np.uint64]) -> Words:
        """Cut blocks into columns of words, the most significant first."""
        words = self._block[:, : len(blocks)]
        for column, place in zip(words, _SHIFTS, strict=True):
            np.right_shift(blocks, place, out=column, casting="unsafe")
        return words

    def _expand(self, keys: NDArray[np.uint8]) -> None:
        """Work out the subkeys of every row (RFC 2994, 2.2)."""
        rows = len(keys)
        k, e = self._k[:, :rows], self._e[:, :rows]
        k[:_KEY_WORDS] = np.ascontiguousarray(keys).view(">u2").T
        k[_KEY_WORDS:] = k[:_KEY_WORDS]
        for number in range(_KEY_WORDS):
            self._fi(k[number], k[number + 1], out=e[number])
        e[_KEY_WORDS:] = e[:_KEY_WORDS]

    def _fi(self, word: Words, subkey: Words, *, out: Words) -> None:
        """Set ``out`` to FI of ``word``, which may be the same memory."""
        before, after = self._tables
        substituted, index = self._spare[_FI_SPARE, : len(word)], self._index[: len(word)]
        np.copyto(index, word)
        np.take(before, index, out=substituted, mode="clip")
        np.bitwise_xor(substituted, subkey, out=substituted)
        np.copyto(index, substituted)
        np.take(after, index, out=out, mode="clip")

    def _fo(self, half: Words, other: Words, *, number: int) -> None:
        """Add FO of one half, in round ``number``, to the other half."""
        rows = half.shape[1]
        k, e = self._k[number:, :rows], self._e[number:, :rows]
        first, second = self._spare[0, :rows], self._spare[1, :rows]
        high, low = half
        other_high, other_low = other
        np.bitwise_xor(high, k[0], out=first)
        self._fi(first, e[5], out=first)
        np.bitwise_xor(first, low, out=first)
        np.bitwise_xor(low, k[2], out=second)
        self._fi(second, e[1], out=second)
        np.bitwise_xor(second, first, out=second)
        np.bitwise_xor(first, k[7], out=first)
        self._fi(first, e[3], out=first)
        np.bitwise_xor(other_high, second, out=other_high)
        np.bitwise_xor(other_high, k[4], out=other_high)
        np.bitwise_xor(other_low, first, out=other_low)
        np.bitwise_xor(other_low, second, out=other_low)

    def _fl(self, d0: Words, d1: Words, *, layer: int) -> None:
        """Apply one FL layer to both halves."""
        for (high, low), and_key, or_key in self._fl_keys(d0, d1, layer=layer):
            mixed = self._spare[0, : len(low)]
            np.bitwise_and(high, and_key, out=mixed)
            np.bitwise_xor(low, mixed, out=low)
            np.bitwise_or(low, or_key, out=mixed)
            np.bitwise_xor(high, mixed, out=high)

    def _undo_fl(self, d0: Words, d1: Words, *, layer: int) -> None:
        """Undo one FL layer of both halves."""
        for (high, low), and_key, or_key in self._fl_keys(d0, d1, layer=layer):
            mixed = self._spare[0, : len(low)]
            np.bitwise_or(low, or_key, out=mixed)
            np.bitwise_xor(high, mixed, out=high)
            np.bitwise_and(high, and_key, out=mixed)
            np.bitwise_xor(low, mixed, out=low)

    def _fl_keys(
        self, d0: Words, d1: Words, *, layer: int
    ) -> tuple[tuple[Words, Words, Words], tuple[Words, Words, Words]]:
        """Return each half with its subkeys: the one for AND, the one for OR."""
        rows = d0.shape[1]
        k, e = self._k[layer:, :rows], self._e[layer:, :rows]
        return (d0, k[0], e[6]), (d1, e[2], k[4])


def _store(words: tuple[Words, ...], out: NDArray[np.uint64]) -> None:
    """Join columns of words, the most significant first, to blocks."""
    columns = out.view(np.uint16).reshape(-1, _BLOCK_WORDS)
    for word, column in zip(words, _MEMORY_ORDER, strict=True):
        columns[:, column] = word


@cache
def _fi_tables() -> _FiTables:
    """Build the two tables."""
    s7, s9 = np.array(S7, np.uint16), np.array(S9, np.uint16)
    words = np.arange(1 << 16, dtype=np.uint16)
    nine, seven = s9[words >> 7], words & 0x7F
    mixed = nine ^ seven
    before = (s7[seven] ^ (mixed & 0x7F)) << 9 | mixed
    upper = words >> 9
    after = upper << 9 | (s9[words & 0x1FF] ^ upper)
    return _FiTables(before, after)
