"""EA07: the printed examples, then a plain reference and properties with any tables."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts.ciphers.sta import Sta
from sts.ciphers.sta_tables import SAMPLE_TABLES, StaTables
from sts.key_material import DecoderKey

ALL_ONES = 2**64 - 1

# Key, clear block, cipher block. The first is a credit token of 0.1 kWh that was traced by hand;
# the second is the worked example of the standard. Both are made with the SAMPLE tables.
VECTORS = [
    ("E653341F9D5BF36F", "05599863000119E6", "A94EBA51793D8FBD"),
    ("0ABC12DEF3456789", "0B19EB230100C207", "C45ED1619406DF95"),
]

keys = st.binary(min_size=8, max_size=8).map(DecoderKey)
blocks = st.integers(min_value=0, max_value=ALL_ONES)
any_tables = st.builds(
    StaTables,
    name=st.just("random"),
    substitution_1=st.permutations(range(16)).map(tuple),
    substitution_2=st.permutations(range(16)).map(tuple),
    permutation=st.permutations(range(64)).map(tuple),
    fingerprint=st.just("0" * 64),
)

# A set of tables takes long to prepare, so each is tried with several keys and blocks.
PAIRS = 5
pairs = st.lists(st.tuples(keys, blocks), min_size=PAIRS, max_size=PAIRS)
fewer_tables = settings(max_examples=settings().max_examples // PAIRS)


class Round(NamedTuple):
    key: int
    substituted: int
    permuted: int


def rotate_left(value: int, places: int) -> int:
    return (value << places | value >> 64 - places) & ALL_ONES


def plain_rounds(key: int, block: int, tables: StaTables) -> Iterator[Round]:
    """Encrypt one bit and one nibble at a time, in the words of the standard."""
    register = rotate_left(key ^ ALL_ONES, 64 - 12)
    for _ in range(16):
        substituted = 0
        for nibble in range(16):
            table = (
                tables.substitution_2 if register >> 4 * nibble + 3 & 1 else tables.substitution_1
            )
            substituted |= table[block >> 4 * nibble & 15] << 4 * nibble
        block = 0
        for bit in range(64):
            block |= (substituted >> bit & 1) << tables.permutation[bit]
        yield Round(register, substituted, block)
        register = rotate_left(register, 1)


def plain_encrypt(key: int, block: int, tables: StaTables) -> int:
    *_, last = plain_rounds(key, block, tables)
    return last.permuted


def plain_decrypt(key: int, block: int, tables: StaTables) -> int:
    """Decrypt with the complemented key and true inverses: the form that fits all tables."""
    register = rotate_left(key ^ ALL_ONES, 3)
    for _ in range(16):
        unpermuted = 0
        for bit in range(64):
            unpermuted |= (block >> tables.permutation[bit] & 1) << bit
        block = 0
        for nibble in range(16):
            table = (
                tables.substitution_2 if register >> 4 * nibble + 3 & 1 else tables.substitution_1
            )
            block |= table.index(unpermuted >> 4 * nibble & 15) << 4 * nibble
        register = rotate_left(register, 63)
    return block


def printed_decrypt(key: int, block: int, tables: StaTables) -> int:
    """Decrypt in the printed form: the key as it is, and the tables as they are."""
    register = rotate_left(key, 3)
    for _ in range(16):
        unpermuted = 0
        for bit in range(64):
            unpermuted |= (block >> tables.permutation[bit] & 1) << bit
        block = 0
        for nibble in range(16):
            table = (
                tables.substitution_2 if register >> 4 * nibble + 3 & 1 else tables.substitution_1
            )
            block |= table[unpermuted >> 4 * nibble & 15] << 4 * nibble
        register = rotate_left(register, 63)
    return block


def number(key: DecoderKey) -> int:
    return int.from_bytes(key.expose(), "big")


@pytest.mark.parametrize(("key", "clear", "encrypted"), VECTORS)
def test_printed_blocks_are_encrypted_as_printed(key: str, clear: str, encrypted: str) -> None:
    block = Sta(DecoderKey.from_hex(key), SAMPLE_TABLES).encrypt_block(int(clear, 16))
    assert f"{block:016X}" == encrypted


@pytest.mark.parametrize(("key", "clear", "encrypted"), VECTORS)
def test_printed_blocks_are_decrypted_as_printed(key: str, clear: str, encrypted: str) -> None:
    block = Sta(DecoderKey.from_hex(key), SAMPLE_TABLES).decrypt_block(int(encrypted, 16))
    assert f"{block:016X}" == clear


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (0, Round(0xC9019ACCBE062A40, 0x6AF1D2C466CAAD70, 0xE7EC9B7813D510A1)),
        (1, Round(0x920335997C0C5481, 0x82761DE2A49AAC1A, 0x3F5006C89EC517C1)),
        (15, Round(0xCD665F0315206480, 0xEEDDB6556166669B, 0xA94EBA51793D8FBD)),
    ],
    ids=["round 1", "round 2", "round 16"],
)
def test_the_plain_reference_follows_the_worked_trace(index: int, expected: Round) -> None:
    """So that what follows compares with the standard's algorithm and not with ours twice."""
    rounds = list(plain_rounds(0xE653341F9D5BF36F, 0x05599863000119E6, SAMPLE_TABLES))
    assert rounds[index] == expected


@fewer_tables
@given(any_tables, pairs)
def test_both_directions_agree_with_the_plain_reference(
    tables: StaTables, tried: list[tuple[DecoderKey, int]]
) -> None:
    """For any tables: those of the printed pair are inverse to each other, the licensed are not."""
    for key, block in tried:
        sta = Sta(key, tables)
        assert sta.encrypt_block(block) == plain_encrypt(number(key), block, tables)
        assert sta.decrypt_block(block) == plain_decrypt(number(key), block, tables)


@given(keys, blocks)
def test_with_sample_tables_decryption_agrees_with_the_printed_form(
    key: DecoderKey, block: int
) -> None:
    expected = printed_decrypt(number(key), block, SAMPLE_TABLES)
    assert Sta(key, SAMPLE_TABLES).decrypt_block(block) == expected


def test_the_printed_form_fails_where_the_tables_are_not_inverse_to_each_other() -> None:
    """Why decryption is not written in the form that the standard prints."""
    tables = StaTables(
        name="not inverse",
        substitution_1=SAMPLE_TABLES.substitution_1,
        substitution_2=SAMPLE_TABLES.substitution_1[::-1],
        permutation=SAMPLE_TABLES.permutation,
        fingerprint="0" * 64,
    )
    key = DecoderKey.from_hex("E653341F9D5BF36F")
    encrypted = Sta(key, tables).encrypt_block(0x05599863000119E6)
    assert Sta(key, tables).decrypt_block(encrypted) == 0x05599863000119E6
    assert printed_decrypt(number(key), encrypted, tables) != 0x05599863000119E6


@fewer_tables
@given(any_tables, pairs)
def test_each_direction_undoes_the_other(
    tables: StaTables, tried: list[tuple[DecoderKey, int]]
) -> None:
    for key, block in tried:
        sta = Sta(key, tables)
        assert sta.decrypt_block(sta.encrypt_block(block)) == block
        assert sta.encrypt_block(sta.decrypt_block(block)) == block


def test_a_cipher_names_the_tables_that_it_was_made_with() -> None:
    """Whoever shows a token must be able to say whether it is a SAMPLE token."""
    assert Sta(DecoderKey(bytes(8)), SAMPLE_TABLES).tables is SAMPLE_TABLES
