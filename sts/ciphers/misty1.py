"""EA11, MISTY1 with eight rounds: 64-bit blocks, 128-bit keys (RFC 2994, ISO/IEC 18033-3).

    FI    S9, S7, S9 on the 9 and the 7 bits of a 16-bit word, with a subkey in the middle
    FO    FI three times, back and forth between the two words of a 32-bit half; once a round
    FL    AND and OR of two subkeys between the words of a half; before every second round

How it is made fast: FI does not need its subkey before S9 and S7 have been applied, and then adds
it by XOR. So everything before the subkey is one table of 65 536 words, everything after it is
another, and FI(x, k) = after[before[x] ^ k].

    word between the two tables    bits 15 to 9: the 7-bit part    bits 8 to 0: the 9-bit part

The tables are arrays of 16-bit words, not lists: 256 kB of them stay in a processor's cache, where
5 MB of number objects do not, and one block under a new key needs 64 look-ups all over them.
"""

from array import array
from functools import cache
from struct import Struct
from typing import Final, NamedTuple, TypeAlias, final

from sts.ciphers.keyed import KeyedCipher
from sts.ciphers.misty1_tables import S7, S9
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

_BlockWords: TypeAlias = tuple[int, int, int, int]
"""A block as its four words of 16 bits."""
_LayerKeys: TypeAlias = tuple[int, int, int, int]
"""Subkeys of FL on D0 and on D1: for each the one for AND, the one for OR."""
_FoKeys: TypeAlias = tuple[int, int, int, int, int, int, int]
"""Subkeys of FO as it uses them: KO1, KI1, KO2, KI2, KO3, KI3, KO4."""

_WORDS_OF_BLOCK: Final = Struct(">4H")
_WORDS_OF_KEY: Final = Struct(">8H")


class _FiTables(NamedTuple):
    """FI without its subkey: what it does before and what it does after."""

    before: "array[int]"
    after: "array[int]"


@final
class Misty1(KeyedCipher):
    """MISTY1 (IEC 62055-41, EA11) under one key.

    Args:
        key: The meter's decoder key.

    Raises:
        KeyLengthError: The key does not have 128 bits.
    """

    __slots__ = ("_last_layer", "_round_pairs")

    algorithm = EncryptionAlgorithm.MISTY1
    key_bits = algorithm.key_bits

    def __init__(self, key: DecoderKey) -> None:
        """Expand the key (RFC 2994, 2.2)."""
        layers, rounds = _expand(self._key_bytes(key))
        self._round_pairs: Final = list(zip(layers[:4], rounds[::2], rounds[1::2], strict=True))
        self._last_layer: Final = layers[4]

    def encrypt_block(self, block: int) -> int:
        """Return the cipher block of a clear block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        before, after = _fi_tables()
        # D0 and D1 are the halves of RFC 2994, 2.3, each here as its upper and its lower word.
        words: _BlockWords = _WORDS_OF_BLOCK.unpack(block.to_bytes(8, "big"))
        d0, d0_low, d1, d1_low = words
        # FL and FO are written out where they are used: calls would take a quarter of the time.
        for (and_0, or_0, and_1, or_1), even, odd in self._round_pairs:
            d0_low ^= d0 & and_0
            d0 ^= d0_low | or_0
            d1_low ^= d1 & and_1
            d1 ^= d1_low | or_1
            ko_1, ki_1, ko_2, ki_2, ko_3, ki_3, ko_4 = even
            first = after[before[d0 ^ ko_1] ^ ki_1] ^ d0_low
            second = after[before[d0_low ^ ko_2] ^ ki_2] ^ first
            d1 ^= second ^ ko_4
            d1_low ^= after[before[first ^ ko_3] ^ ki_3] ^ second
            ko_1, ki_1, ko_2, ki_2, ko_3, ki_3, ko_4 = odd
            first = after[before[d1 ^ ko_1] ^ ki_1] ^ d1_low
            second = after[before[d1_low ^ ko_2] ^ ki_2] ^ first
            d0 ^= second ^ ko_4
            d0_low ^= after[before[first ^ ko_3] ^ ki_3] ^ second
        and_0, or_0, and_1, or_1 = self._last_layer
        d0_low ^= d0 & and_0
        d0 ^= d0_low | or_0
        d1_low ^= d1 & and_1
        d1 ^= d1_low | or_1
        # The halves change places: C = D1 ‖ D0.
        return d1 << 48 | d1_low << 32 | d0 << 16 | d0_low

    def decrypt_block(self, block: int) -> int:
        """Return the clear block of a cipher block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        before, after = _fi_tables()
        words: _BlockWords = _WORDS_OF_BLOCK.unpack(block.to_bytes(8, "big"))
        d1, d1_low, d0, d0_low = words
        and_0, or_0, and_1, or_1 = self._last_layer
        d0 ^= d0_low | or_0
        d0_low ^= d0 & and_0
        d1 ^= d1_low | or_1
        d1_low ^= d1 & and_1
        for (and_0, or_0, and_1, or_1), even, odd in reversed(self._round_pairs):
            ko_1, ki_1, ko_2, ki_2, ko_3, ki_3, ko_4 = odd
            first = after[before[d1 ^ ko_1] ^ ki_1] ^ d1_low
            second = after[before[d1_low ^ ko_2] ^ ki_2] ^ first
            d0 ^= second ^ ko_4
            d0_low ^= after[before[first ^ ko_3] ^ ki_3] ^ second
            ko_1, ki_1, ko_2, ki_2, ko_3, ki_3, ko_4 = even
            first = after[before[d0 ^ ko_1] ^ ki_1] ^ d0_low
            second = after[before[d0_low ^ ko_2] ^ ki_2] ^ first
            d1 ^= second ^ ko_4
            d1_low ^= after[before[first ^ ko_3] ^ ki_3] ^ second
            d0 ^= d0_low | or_0
            d0_low ^= d0 & and_0
            d1 ^= d1_low | or_1
            d1_low ^= d1 & and_1
        return d0 << 48 | d0_low << 32 | d1 << 16 | d1_low


def _expand(key: bytes) -> tuple[list[_LayerKeys], list[_FoKeys]]:
    """Return the subkeys of the five FL layers and of the eight rounds."""
    before, after = _fi_tables()
    words = _WORDS_OF_KEY.unpack(key)
    # RFC 2994 counts modulo 8; written twice, the words need no remainder.
    k = words + words
    derived = tuple([after[before[k[i]] ^ k[i + 1]] for i in range(8)])
    e = derived + derived
    layers = [(k[i], e[i + 6], e[i + 2], k[i + 4]) for i in range(5)]
    rounds = [(k[i], e[i + 5], k[i + 2], e[i + 1], k[i + 7], e[i + 3], k[i + 4]) for i in range(8)]
    return layers, rounds


@cache
def _fi_tables() -> _FiTables:
    """Build the two tables when the first key needs them (some 15 ms)."""
    before = []
    for nine in S9:
        for seven, substituted in enumerate(S7):
            mixed = nine ^ seven
            before.append((substituted ^ (mixed & 0x7F)) << 9 | mixed)
    after = [seven << 9 | (nine ^ seven) for seven in range(128) for nine in S9]
    return _FiTables(array("H", before), array("H", after))
