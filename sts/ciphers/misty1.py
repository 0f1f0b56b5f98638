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
from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
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

_Words: TypeAlias = tuple[int, ...]
"""K1 to K8 and K'1 to K'8."""

_WORDS_OF_BLOCK: Final = Struct(">4H")
_WORDS_OF_KEY: Final = Struct(">8H")


# Which subkeys FL and FO use, in the order of the tuples above: K or K', and how far on from the
# number of the layer or the round, modulo 8 (RFC 2994, 2.3).
_LAYER_KEYS: Final = (("K", 0), ("K'", 6), ("K'", 2), ("K", 4))
_FO_KEYS: Final = (("K", 0), ("K'", 5), ("K", 2), ("K'", 1), ("K", 7), ("K'", 3), ("K", 4))


def _places(subkeys: Sequence[tuple[str, int]], number: int) -> list[int]:
    """Return where the subkeys of a layer or a round, counted from 0, stand among the words."""
    return [(number + further) % 8 + (8 if which == "K'" else 0) for which, further in subkeys]


# Picked by code of the interpreter's own, which is fast: most keys serve for one block.
_PICK_LAYERS: Final[list[Callable[[_Words], _LayerKeys]]] = [
    itemgetter(*_places(_LAYER_KEYS, layer)) for layer in range(5)
]
_PICK_ROUNDS: Final[list[Callable[[_Words], _FoKeys]]] = [
    itemgetter(*_places(_FO_KEYS, number)) for number in range(8)
]
_PICK_PAIRS: Final = list(zip(_PICK_LAYERS[:4], _PICK_ROUNDS[::2], _PICK_ROUNDS[1::2], strict=True))


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
        words = _expand(self._key_bytes(key))
        self._round_pairs: Final = [
            (layer(words), even(words), odd(words)) for layer, even, odd in _PICK_PAIRS
        ]
        self._last_layer: Final = _PICK_LAYERS[4](words)

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


def _expand(key: bytes) -> _Words:
    """Return K1 to K8 and K'1 to K'8."""
    before, after = _fi_tables()
    k = k1, k2, k3, k4, k5, k6, k7, k8 = _WORDS_OF_KEY.unpack(key)
    # Written out: a loop over the pairs would take twice as long.
    return (
        *k,
        after[before[k1] ^ k2],
        after[before[k2] ^ k3],
        after[before[k3] ^ k4],
        after[before[k4] ^ k5],
        after[before[k5] ^ k6],
        after[before[k6] ^ k7],
        after[before[k7] ^ k8],
        after[before[k8] ^ k1],
    )


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
