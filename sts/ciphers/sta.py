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
bits there is a table of 256 numbers, and a round is eight look-ups, added up.
"""

from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple, TypeAlias, final

from sts.ciphers.keyed import KeyedCipher
from sts.ciphers.sta_tables import StaTables
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

_ROUNDS: Final = 16
_NIBBLES: Final = 16
_ALL_ONES: Final = (1 << 64) - 1
_KEPT_TABLE_SETS: Final = 4
"""How many prepared sets (some 1.5 MB each) are kept; an installation uses one or two."""

_ByteTable: TypeAlias = tuple[int, ...]
"""What the value of one byte becomes, its bits where the permutation takes them."""
_Step: TypeAlias = tuple[_ByteTable, ...]
"""Eight byte tables, that of the least significant byte first: all of one round for one key."""


class _StepChooser(NamedTuple):
    """The steps of every key, in halves: joined, two of them are the step of one round key."""

    low: tuple[_Step, ...]
    """Tables of bytes 0 to 3, by the eight key bits that choose for nibbles 0 to 7."""
    high: tuple[_Step, ...]
    """Tables of bytes 4 to 7, by the eight key bits that choose for nibbles 8 to 15."""


class _PreparedTables(NamedTuple):
    """Everything that depends on the tables alone."""

    encrypt: _StepChooser
    """Substitution, then permutation."""
    undo_permutation: _Step
    """Inverse permutation alone: what decryption starts with."""
    decrypt: _StepChooser
    """Inverse substitution of one round, then inverse permutation of the round before it."""
    undo_first_substitution: _StepChooser
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

    __slots__ = ("_decrypt_steps", "_encrypt_steps", "tables")

    algorithm = EncryptionAlgorithm.STA
    key_bits = algorithm.key_bits

    def __init__(self, key: DecoderKey, tables: StaTables) -> None:
        """Choose the byte tables of all rounds."""
        chosen = _selections(int.from_bytes(self._key_bytes(key), "big"))
        prepared = _prepare(tables)
        low, high = prepared.encrypt
        undo_low, undo_high = prepared.decrypt
        end_low, end_high = prepared.undo_first_substitution
        self.tables: Final = tables
        self._encrypt_steps: Final = [low[bits & 0xFF] + high[bits >> 8] for bits in chosen]
        self._decrypt_steps: Final = [
            prepared.undo_permutation,
            *[undo_low[bits & 0xFF] + undo_high[bits >> 8] for bits in chosen[:0:-1]],
            end_low[chosen[0] & 0xFF] + end_high[chosen[0] >> 8],
        ]

    def encrypt_block(self, block: int) -> int:
        """Return the cipher block of a clear block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        return _run(self._encrypt_steps, block)

    def decrypt_block(self, block: int) -> int:
        """Return the clear block of a cipher block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        return _run(self._decrypt_steps, block)


def _run(steps: list[_Step], block: int) -> int:
    for table_0, table_1, table_2, table_3, table_4, table_5, table_6, table_7 in steps:
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
    # Written out as text, most significant bit first, rotating left is to start reading later
    # and taking bits 63, 59 … 3 is to read every fourth. Right by 12 is left by 52.
    bits = f"{key ^ _ALL_ONES:064b}" * 2
    every_fourth = [int(bits[start : start + 64 : 4], 2) * 0x10001 for start in range(52, 56)]
    # Four rounds later the reading starts one of these bits later. Written twice they can be
    # shifted instead of rotated.
    return [every_fourth[turn % 4] >> 16 - turn // 4 & 0xFFFF for turn in range(_ROUNDS)]


@lru_cache(maxsize=_KEPT_TABLE_SETS)
def _prepare(tables: StaTables) -> _PreparedTables:
    """Work out everything that depends on the tables alone (some 8 ms)."""
    substitutions = (tables.substitution_1, tables.substitution_2)
    undo_substitutions = (_inverse(tables.substitution_1), _inverse(tables.substitution_2))
    undo_permutation = _inverse(tables.permutation)
    nothing = tuple(range(_NIBBLES))
    unmoved = tuple(range(64))
    moving_only = _step_chooser((nothing, nothing), undo_permutation)
    return _PreparedTables(
        encrypt=_step_chooser(substitutions, tables.permutation),
        undo_permutation=moving_only.low[0] + moving_only.high[0],
        decrypt=_step_chooser(undo_substitutions, undo_permutation),
        undo_first_substitution=_step_chooser(undo_substitutions, unmoved),
    )


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def _step_chooser(
    substitutions: tuple[tuple[int, ...], tuple[int, ...]], permutation: tuple[int, ...]
) -> _StepChooser:
    """Combine substitution and permutation for every byte and every choice of tables."""
    nibble_tables = []
    for nibble in range(_NIBBLES):
        destinations = permutation[4 * nibble : 4 * nibble + 4]
        moved = [_moved(value, destinations) for value in range(16)]
        nibble_tables.append([[moved[entry] for entry in table] for table in substitutions])
    byte_tables = [
        _byte_tables(*pair) for pair in zip(nibble_tables[::2], nibble_tables[1::2], strict=True)
    ]
    return _StepChooser(_half_steps(byte_tables[:4]), _half_steps(byte_tables[4:]))


def _byte_tables(lower: list[list[int]], upper: list[list[int]]) -> list[_ByteTable]:
    """Join the tables of a byte's two nibbles, by the two key bits (bit 0 for the lower)."""
    return [
        tuple(chain.from_iterable(map(high.__add__, lower[bits & 1]) for high in upper[bits >> 1]))
        for bits in range(4)
    ]


def _moved(nibble: int, destinations: tuple[int, ...]) -> int:
    """Spread the four bits of a nibble over the block."""
    return sum([(nibble >> bit & 1) << place for bit, place in enumerate(destinations)])


def _half_steps(byte_tables: list[list[_ByteTable]]) -> tuple[_Step, ...]:
    return tuple(
        tuple(tables[bits >> 2 * byte & 0b11] for byte, tables in enumerate(byte_tables))
        for bits in range(256)
    )
