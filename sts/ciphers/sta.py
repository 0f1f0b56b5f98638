"""EA07, the Standard Transfer Algorithm: 64-bit blocks, 64-bit keys, three tables.

The block is 16 nibbles, nibble 0 in bits 3 to 0. The key is complemented and rotated right by 12;
then come 16 rounds of

    substitution   each nibble through table 1 or 2, as bit 3 of the key's nibble is 0 or 1
    permutation    bit i moves to position permutation[i]
    key            rotated left by 1

Decryption undoes the rounds in reverse order with the true inverses of the tables and the same
complemented key. The standard prints another form, with the key as it is and the two tables as
they are; that form needs table 2 to be the inverse of table 1, as only the SAMPLE pair has it.

How it is made fast: a nibble's substitution and where the permutation then takes its four bits
depend on nothing but the nibble's place, value and key bit. So for each byte's place and two key
bits there is a table of 256 numbers, and a round is eight look-ups, added up. The tables of a place
hold the same 256 numbers in different orders, so they share them: what is read in one round has
less to push out of the processor's cache.

Most keys serve for one token. So nothing is prepared for a key but the 16 key bits of each round;
they choose the tables when a block is there.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias, final

from sts.ciphers.keyed import KeyedCipher
from sts.ciphers.sta_tables import StaTables
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

_ALL_ONES: Final = (1 << 64) - 1
_ONLY_STEP: Final = (0,)
_KEPT_TABLE_SETS: Final = 4
"""How many prepared sets (some 0.5 MB each) are kept; an installation uses one or two."""

_ByteTable: TypeAlias = tuple[int, ...]
"""What the value of one byte becomes, its bits where the permutation takes them."""
_HalfStep: TypeAlias = tuple[_ByteTable, ...]
"""Four byte tables, that of the least significant byte first: half of one round."""


class _Steps(NamedTuple):
    """The half steps of every key."""

    low: tuple[_HalfStep, ...]
    """Tables of bytes 0 to 3, by the eight key bits that choose for nibbles 0 to 7."""
    high: tuple[_HalfStep, ...]
    """Tables of bytes 4 to 7, by the eight key bits that choose for nibbles 8 to 15."""


class _PreparedTables(NamedTuple):
    """Everything that depends on the tables alone."""

    encrypt: _Steps
    """Substitution, then permutation."""
    undo_permutation: _Steps
    """Inverse permutation alone, one step for all keys: what decryption starts with."""
    decrypt: _Steps
    """Inverse substitution of one round, then inverse permutation of the round before it."""
    undo_first_substitution: _Steps
    """Inverse substitution alone: what decryption ends with."""


@final
class Sta(KeyedCipher):
    """The Standard Transfer Algorithm (IEC 62055-41, EA07) under one key and one set of tables.

    Args:
        key: The meter's decoder key.
        tables: The licensed set, or ``SAMPLE_TABLES`` for anything that is not a real meter.

    Raises:
        KeyLengthError: The key does not have 64 bits.
    """

    __slots__ = ("_prepared", "_selections", "tables")

    algorithm = EncryptionAlgorithm.STA
    key_bits = algorithm.key_bits

    def __init__(self, key: DecoderKey, tables: StaTables) -> None:
        """Find the key bits of all rounds."""
        self.tables: Final = tables
        self._prepared: Final = _prepare(tables)
        self._selections: Final = _selections(int.from_bytes(self._key_bytes(key), "big"))

    def encrypt_block(self, block: int) -> int:
        """Return the cipher block of a clear block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        return _run(self._prepared.encrypt, self._selections, block=block)

    def decrypt_block(self, block: int) -> int:
        """Return the clear block of a cipher block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        prepared, selections = self._prepared, self._selections
        block = _run(prepared.undo_permutation, _ONLY_STEP, block=block)
        block = _run(prepared.decrypt, selections[:0:-1], block=block)
        return _run(prepared.undo_first_substitution, selections[:1], block=block)


def _run(steps: _Steps, selections: Sequence[int], *, block: int) -> int:
    """Run a round for each selection."""
    low, high = steps
    for bits in selections:
        table_0, table_1, table_2, table_3 = low[bits & 0xFF]
        table_4, table_5, table_6, table_7 = high[bits >> 8]
        byte_0, byte_1, byte_2, byte_3, byte_4, byte_5, byte_6, byte_7 = block.to_bytes(8, "little")
        # The eight numbers have no bit in common, so their sum is their OR, and a tenth faster.
        block = (
            table_0[byte_0]
            + table_1[byte_1]
            + table_2[byte_2]
            + table_3[byte_3]
            + table_4[byte_4]
            + table_5[byte_5]
            + table_6[byte_6]
            + table_7[byte_7]
        )
    return block


def _selections(key: int) -> list[int]:
    """For each round a 16-bit number: its bit n is bit 4n + 3 of that round's key."""
    bytes_of_key = (key ^ _ALL_ONES).to_bytes(8, "little")
    lanes = sum([_LANES[byte] << 2 * place for place, byte in enumerate(bytes_of_key)])
    # Rotated left by 1, 2 and 3 bits, the key has the next lower lanes at bits 4n + 3; by 4 bits
    # it has the first lane again, rotated by one bit. Lanes written twice can be shifted instead
    # of rotated. The rotation of the key by 12 bits is one of each lane by 3.
    ordered = [(lanes >> 16 * lane & 0xFFFF) * 0x10001 for lane in (3, 2, 1, 0)]
    return [lane >> places & 0xFFFF for places in (3, 2, 1, 0) for lane in ordered]


def _lanes(byte: int) -> int:
    """Sort the bits of a byte into four lanes of 16 bits, bits n and n + 4 into lane n."""
    return sum([(byte >> bit & 1) << 16 * (bit % 4) + bit // 4 for bit in range(8)])


_LANES: Final = tuple(map(_lanes, range(256)))


@lru_cache(maxsize=_KEPT_TABLE_SETS)
def _prepare(tables: StaTables) -> _PreparedTables:
    """Work out everything that depends on the tables alone (some 5 ms)."""
    substitutions = (tables.substitution_1, tables.substitution_2)
    undo_substitutions = (_inverse(tables.substitution_1), _inverse(tables.substitution_2))
    moved = _moved_bytes(tables.permutation)
    moved_back = _moved_bytes(_inverse(tables.permutation))
    unmoved = _moved_bytes(range(64))
    return _PreparedTables(
        encrypt=_steps(substitutions, moved),
        undo_permutation=_Steps((moved_back[:4],), (moved_back[4:],)),
        decrypt=_steps(undo_substitutions, moved_back),
        undo_first_substitution=_steps(undo_substitutions, unmoved),
    )


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def _moved_bytes(permutation: Sequence[int]) -> tuple[_ByteTable, ...]:
    """For each byte's place, spread the bits of every byte over the block."""
    tables = []
    for first in range(0, 64, 8):
        moved = [0]
        # With one more bit there are as many values again, those with this bit.
        for destination in permutation[first : first + 8]:
            moved += [value + (1 << destination) for value in moved]
        tables.append(tuple(moved))
    return tuple(tables)


def _steps(
    substitutions: tuple[tuple[int, ...], tuple[int, ...]], moved: tuple[_ByteTable, ...]
) -> _Steps:
    """Combine substitution and permutation for every byte and every choice of tables."""
    choices = [
        [
            upper << 4 | lower
            for upper in substitutions[bits >> 1]
            for lower in substitutions[bits & 1]
        ]
        for bits in range(4)
    ]
    by_place = [
        [tuple([table[substituted] for substituted in choice]) for choice in choices]
        for table in moved
    ]
    return _Steps(_half_steps(by_place[:4]), _half_steps(by_place[4:]))


def _half_steps(byte_tables: list[list[_ByteTable]]) -> tuple[_HalfStep, ...]:
    return tuple(
        tuple(tables[bits >> 2 * place & 0b11] for place, tables in enumerate(byte_tables))
        for bits in range(256)
    )
