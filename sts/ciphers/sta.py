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

Most keys serve for one token. So nothing is prepared for a key but the 16 key bits of each round,
which are eight look-ups, too; they choose the tables when a block is there.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from operator import getitem
from struct import Struct
from typing import Final, NamedTuple, TypeAlias, final

from sts.ciphers.keyed import KeyedCipher
from sts.ciphers.sta_tables import StaTables
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

_ROUNDS: Final = 16
_ROTATION: Final = 12
_CHOOSING_BIT: Final = 3
"""The bit of each nibble of a round's key that chooses the table."""
_ONLY_STEP: Final = (0,)
_WORDS: Final = Struct(f"<{_ROUNDS}H")
_KEPT_TABLE_SETS: Final = 4
"""How many prepared sets (some 0.5 MB each) are kept; an installation uses one or two."""

_ByteTable: TypeAlias = tuple[int, ...]
"""What the value of one byte becomes: a number with its bits where they are wanted."""
_HalfStep: TypeAlias = tuple[_ByteTable, ...]
"""Four byte tables, that of the least significant byte first: half of one round."""
_Choices: TypeAlias = tuple[int, ...]
"""For each round a word of 16 key bits: bit n chooses the table for nibble n."""


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

    __slots__ = ("_choices", "_prepared", "tables")

    algorithm = EncryptionAlgorithm.STA
    key_bits = algorithm.key_bits

    def __init__(self, key: DecoderKey, tables: StaTables) -> None:
        """Find the key bits of all rounds."""
        self.tables: Final = tables
        self._prepared: Final = _prepare(tables)
        self._choices: Final = _choices(self._key_bytes(key))

    def encrypt_block(self, block: int) -> int:
        """Return the cipher block of a clear block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        return _run(self._prepared.encrypt, self._choices, block=block)

    def decrypt_block(self, block: int) -> int:
        """Return the clear block of a cipher block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        prepared, choices = self._prepared, self._choices
        block = _run(prepared.undo_permutation, _ONLY_STEP, block=block)
        block = _run(prepared.decrypt, choices[:0:-1], block=block)
        return _run(prepared.undo_first_substitution, choices[:1], block=block)


def _run(steps: _Steps, choices: _Choices, *, block: int) -> int:
    """Run a round for each choice."""
    low, high = steps
    for bits in choices:
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


def _choices(key: bytes) -> _Choices:
    """Return the key bits of all rounds."""
    choices = sum(map(getitem, _choice_tables(), key))
    return _WORDS.unpack(choices.to_bytes(_WORDS.size, "little"))


@cache
def _choice_tables() -> tuple[_ByteTable, ...]:
    """For each byte of a key, the most significant first, what it adds to the choices."""
    tables = _byte_tables([_choices_of(bit) for bit in range(64)])
    # Read from behind, the tables are those of the complemented byte.
    return tuple(table[::-1] for table in reversed(tables))


def _choices_of(key_bit: int) -> int:
    """Return the choices that a bit of the complemented key takes part in, all others zero."""
    choices = 0
    for number in range(_ROUNDS):
        nibble, place = divmod((key_bit - _ROTATION + number) % 64, 4)
        if place == _CHOOSING_BIT:
            choices |= 1 << 16 * number + nibble
    return choices


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
    return _byte_tables([1 << destination for destination in permutation])


def _byte_tables(bits: Sequence[int]) -> tuple[_ByteTable, ...]:
    """For each byte's place, add up what the bits of every byte become."""
    tables = []
    for first in range(0, 64, 8):
        sums = [0]
        # With one more bit there are as many values again, those with this bit.
        for bit in bits[first : first + 8]:
            sums += [value + bit for value in sums]
        tables.append(tuple(sums))
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
