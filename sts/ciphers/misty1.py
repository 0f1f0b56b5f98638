"""EA11, MISTY1 with eight rounds: 64-bit blocks, 128-bit keys (RFC 2994, ISO/IEC 18033-3).

    FI    S9, S7, S9 on the 9 and the 7 bits of a 16-bit word, with a subkey in the middle
    FO    FI three times, back and forth between the two words of a 32-bit half; once a round
    FL    AND and OR of two subkeys between the words of a half; before every second round

How it is made fast: FI does not need its subkey before S9 and S7 have been applied, and then adds
it by XOR. So everything before the subkey is one table of 65 536 words, everything after it is
another, and FI(x, k) = after[before[x] ^ k].

    word between the two tables    bits 15 to 9: the 7-bit part    bits 8 to 0: the 9-bit part
"""

from functools import cache
from struct import Struct
from typing import Final, NamedTuple, TypeAlias, final

from sts.ciphers.keyed import KeyedCipher
from sts.ciphers.misty1_tables import S7, S9
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

_FlKeys: TypeAlias = tuple[int, int]
"""Subkeys of FL: the one for AND, the one for OR."""
_LayerKeys: TypeAlias = tuple[_FlKeys, _FlKeys]
"""Subkeys of FL on both halves."""
_FoKeys: TypeAlias = tuple[int, int, int, int, int, int, int]
"""Subkeys of FO as it uses them: KO1, KI1, KO2, KI2, KO3, KI3, KO4."""

_WORDS_OF_BLOCK: Final = Struct(">4H")
_WORDS_OF_KEY: Final = Struct(">8H")


class _FiTables(NamedTuple):
    """FI without its subkey: what it does before and what it does after."""

    before: list[int]
    after: list[int]


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
        tables = _fi_tables()
        # D0 and D1 are the halves of RFC 2994, 2.3, each here as its upper and its lower word.
        d0, d0_low, d1, d1_low = _WORDS_OF_BLOCK.unpack(block.to_bytes(8, "big"))
        for (keys_0, keys_1), even, odd in self._round_pairs:
            d0, d0_low = _fl(d0, d0_low, keys=keys_0)
            d1, d1_low = _fl(d1, d1_low, keys=keys_1)
            mixed, mixed_low = _fo(d0, d0_low, keys=even, tables=tables)
            d1 ^= mixed
            d1_low ^= mixed_low
            mixed, mixed_low = _fo(d1, d1_low, keys=odd, tables=tables)
            d0 ^= mixed
            d0_low ^= mixed_low
        keys_0, keys_1 = self._last_layer
        d0, d0_low = _fl(d0, d0_low, keys=keys_0)
        d1, d1_low = _fl(d1, d1_low, keys=keys_1)
        # The halves change places: C = D1 ‖ D0.
        return d1 << 48 | d1_low << 32 | d0 << 16 | d0_low

    def decrypt_block(self, block: int) -> int:
        """Return the clear block of a cipher block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        tables = _fi_tables()
        d1, d1_low, d0, d0_low = _WORDS_OF_BLOCK.unpack(block.to_bytes(8, "big"))
        keys_0, keys_1 = self._last_layer
        d0, d0_low = _undo_fl(d0, d0_low, keys=keys_0)
        d1, d1_low = _undo_fl(d1, d1_low, keys=keys_1)
        for (keys_0, keys_1), even, odd in reversed(self._round_pairs):
            mixed, mixed_low = _fo(d1, d1_low, keys=odd, tables=tables)
            d0 ^= mixed
            d0_low ^= mixed_low
            mixed, mixed_low = _fo(d0, d0_low, keys=even, tables=tables)
            d1 ^= mixed
            d1_low ^= mixed_low
            d0, d0_low = _undo_fl(d0, d0_low, keys=keys_0)
            d1, d1_low = _undo_fl(d1, d1_low, keys=keys_1)
        return d0 << 48 | d0_low << 32 | d1 << 16 | d1_low


def _fl(high: int, low: int, *, keys: _FlKeys) -> tuple[int, int]:
    and_key, or_key = keys
    low ^= high & and_key
    return high ^ (low | or_key), low


def _undo_fl(high: int, low: int, *, keys: _FlKeys) -> tuple[int, int]:
    and_key, or_key = keys
    high ^= low | or_key
    return high, low ^ (high & and_key)


def _fo(high: int, low: int, *, keys: _FoKeys, tables: _FiTables) -> tuple[int, int]:
    before, after = tables
    ko_1, ki_1, ko_2, ki_2, ko_3, ki_3, ko_4 = keys
    first = after[before[high ^ ko_1] ^ ki_1] ^ low
    second = after[before[low ^ ko_2] ^ ki_2] ^ first
    third = after[before[first ^ ko_3] ^ ki_3] ^ second
    return second ^ ko_4, third


def _expand(key: bytes) -> tuple[list[_LayerKeys], list[_FoKeys]]:
    """Return the subkeys of the five FL layers and of the eight rounds."""
    before, after = _fi_tables()
    words = _WORDS_OF_KEY.unpack(key)
    # RFC 2994 counts modulo 8; written twice, the words need no remainder.
    k = words + words
    derived = tuple([after[before[k[i]] ^ k[i + 1]] for i in range(8)])
    e = derived + derived
    layers = [((k[i], e[i + 6]), (e[i + 2], k[i + 4])) for i in range(5)]
    rounds = [(k[i], e[i + 5], k[i + 2], e[i + 1], k[i + 7], e[i + 3], k[i + 4]) for i in range(8)]
    return layers, rounds


@cache
def _fi_tables() -> _FiTables:
    """Build the two tables when the first key needs them (some 15 ms, 5 MB)."""
    before = []
    for nine in S9:
        for seven, substituted in enumerate(S7):
            mixed = nine ^ seven
            before.append((substituted ^ (mixed & 0x7F)) << 9 | mixed)
    after = [seven << 9 | (nine ^ seven) for seven in range(128) for nine in S9]
    return _FiTables(before, after)
