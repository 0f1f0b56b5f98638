"""Every block of a column is what the scalar cipher makes of it, under the key of its row."""

import pickle
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sts
from sts import batch
from sts.batch.sta import StaKernel
from sts.ciphers import SAMPLE_TABLES, StaTables
from sts.errors import ArrayShapeError, ArrayTypeError, KeyLengthError
from sts.identifiers import EncryptionAlgorithm
from tests.strategies import MADE_UP_TABLES, bits, decoder_keys, shown_in, telling_bytes
from tests.sts.batch.rows import (
    CHUNK_EDGES,
    RAGGED,
    key_of,
    keys_of,
    random_blocks,
    random_keys,
    scalar_cipher,
)

TABLES: Final = (SAMPLE_TABLES, *MADE_UP_TABLES)
FAST: Final = (EncryptionAlgorithm.STA, EncryptionAlgorithm.MISTY1)


def test_the_trace_of_ea07_with_the_sample_tables() -> None:
    """IEC 62055-41, the worked trace: first key, last key and block of the printed tables."""
    keys = keys_of([sts.DecoderKey.from_hex("E653341F9D5BF36F")])
    cipher = batch.new_cipher(EncryptionAlgorithm.STA, keys)
    clear = np.array([0x0559_9863_0001_19E6], np.uint64)
    assert cipher.encrypt_blocks(clear).tolist() == [0xA94E_BA51_793D_8FBD]


def test_the_vector_of_misty1() -> None:
    """RFC 2994, Appendix A."""
    keys = keys_of([sts.DecoderKey.from_hex("00112233445566778899AABBCCDDEEFF")] * 2)
    cipher = batch.new_cipher(EncryptionAlgorithm.MISTY1, keys)
    clear = np.array([0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210], np.uint64)
    assert cipher.encrypt_blocks(clear).tolist() == [0x8B1D_A5F5_6AB3_D07C, 0x04B6_8240_B13B_E95D]


@pytest.mark.parametrize("tables", TABLES, ids=lambda tables: tables.name)
@settings(max_examples=12)
@given(rows=st.lists(st.tuples(bits(64), decoder_keys(64)), min_size=1, max_size=70))
def test_ea07_agrees_with_the_scalar_cipher_with_any_tables(
    tables: StaTables, rows: list[tuple[int, sts.DecoderKey]]
) -> None:
    cipher = batch.new_cipher(
        EncryptionAlgorithm.STA, keys_of(key for _, key in rows), sta_tables=tables
    )
    assert_agrees(cipher, [block for block, _ in rows])


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
@settings(max_examples=15)
@given(data=st.data())
def test_every_cipher_agrees_with_the_scalar_one(
    algorithm: EncryptionAlgorithm, data: st.DataObject
) -> None:
    row = st.tuples(bits(64), decoder_keys(algorithm.key_bits))
    rows = data.draw(st.lists(row, min_size=1, max_size=20))
    cipher = batch.new_cipher(algorithm, keys_of(key for _, key in rows))
    assert_agrees(cipher, [block for block, _ in rows])


def assert_agrees(cipher: batch.Cipher, blocks: list[int]) -> None:
    column = np.array(blocks, np.uint64)
    encrypted = cipher.encrypt_blocks(column).tolist()
    decrypted = cipher.decrypt_blocks(column).tolist()
    for row, block in enumerate(blocks):
        scalar = scalar_cipher(cipher, row)
        assert encrypted[row] == scalar.encrypt_block(block)
        assert decrypted[row] == scalar.decrypt_block(block)


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
@pytest.mark.parametrize("rows", RAGGED)
def test_any_number_of_rows_will_do(algorithm: EncryptionAlgorithm, rows: int) -> None:
    cipher = batch.new_cipher(algorithm, random_keys(rows, algorithm.key_bits))
    assert_agrees(cipher, random_blocks(rows).tolist())


@pytest.mark.parametrize("algorithm", FAST)
@pytest.mark.parametrize("rows", CHUNK_EDGES)
def test_chunks_meet_without_a_seam(algorithm: EncryptionAlgorithm, rows: int) -> None:
    cipher = batch.new_cipher(algorithm, random_keys(rows, algorithm.key_bits))
    blocks = random_blocks(rows)
    encrypted = cipher.encrypt_blocks(blocks)
    for row in {0, 1, rows // 2, rows - 2, rows - 1}:
        assert encrypted[row] == scalar_cipher(cipher, row).encrypt_block(int(blocks[row]))
    assert np.array_equal(cipher.decrypt_blocks(encrypted), blocks)


def test_a_kernel_serves_chunks_of_any_size_in_any_order() -> None:
    """What a call leaves in the memory of a kernel does not get into the next."""
    kernel = StaKernel(SAMPLE_TABLES, 200)
    for rows in (200, 3, 64, 0, 199):
        cipher = batch.new_cipher(EncryptionAlgorithm.STA, random_keys(rows, 64, seed=rows))
        blocks = random_blocks(rows, seed=rows)
        out = np.empty_like(blocks)
        kernel.encrypt(blocks, cipher.keys.expose(), out)
        assert np.array_equal(out, cipher.encrypt_blocks(blocks))
        kernel.decrypt(out, cipher.keys.expose(), out)
        assert np.array_equal(out, blocks)


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
def test_a_part_of_a_cipher_has_the_keys_of_its_rows(algorithm: EncryptionAlgorithm) -> None:
    cipher = batch.new_cipher(algorithm, random_keys(10, algorithm.key_bits))
    blocks = random_blocks(10)
    whole = cipher.encrypt_blocks(blocks)
    assert np.array_equal(cipher[4:7].encrypt_blocks(blocks[4:7]), whole[4:7])
    assert len(cipher[4:7]) == 3
    assert cipher.key_bits == algorithm.key_bits


def test_tables_that_hand_bits_through_are_as_good_as_others() -> None:
    """No gate gives such a bit, so it has to be copied."""
    swapped = (0, 2, 1, 3, *range(4, 16))
    tables = StaTables(
        name="hardly anything",
        substitution_1=tuple(range(16)),
        substitution_2=swapped,
        permutation=tuple(reversed(range(64))),
        fingerprint="0" * 64,
    )
    cipher = batch.new_cipher(EncryptionAlgorithm.STA, random_keys(70, 64), sta_tables=tables)
    assert_agrees(cipher, random_blocks(70).tolist())


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
def test_keys_of_another_length_are_refused(algorithm: EncryptionAlgorithm) -> None:
    with pytest.raises(KeyLengthError):
        batch.new_cipher(algorithm, random_keys(3, 192 - algorithm.key_bits))


@pytest.mark.parametrize("blocks", [[1, 2], np.zeros(2, np.int64), np.zeros(2)], ids=repr)
def test_blocks_are_unsigned_numbers_of_64_bits(
    blocks: np.ndarray[tuple[int], np.dtype[np.uint64]],
) -> None:
    cipher = batch.new_cipher(EncryptionAlgorithm.MISTY1, random_keys(2, 128))
    with pytest.raises(ArrayTypeError):
        cipher.encrypt_blocks(blocks)


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 1), ()])
def test_every_key_has_one_block(shape: tuple[int, ...]) -> None:
    cipher = batch.new_cipher(EncryptionAlgorithm.MISTY1, random_keys(2, 128))
    with pytest.raises(ArrayShapeError):
        cipher.decrypt_blocks(np.zeros(shape, np.uint64))


@pytest.mark.parametrize(
    "key_bytes", [bytes(8), np.zeros((1, 8), np.int8), np.zeros((1, 8))], ids=repr
)
def test_keys_are_bytes(key_bytes: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> None:
    with pytest.raises(ArrayTypeError):
        batch.DecoderKeys(key_bytes)


@pytest.mark.parametrize("shape", [(8,), (2, 7), (2, 20), (2, 8, 1)])
def test_keys_have_8_or_16_bytes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ArrayShapeError):
        batch.DecoderKeys(np.zeros(shape, np.uint8))


# --- keys stay where they are -------------------------------------------------------------------


@given(telling_bytes(16))
def test_no_key_is_shown_or_pickled(key: bytes) -> None:
    keys = keys_of([sts.DecoderKey(key)])
    cipher = batch.new_cipher(EncryptionAlgorithm.MISTY1, keys)
    for holder in (keys, cipher):
        assert not shown_in(key, repr(holder))
        assert "1" in repr(holder)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(holder)
    assert key_of(keys, 0).expose() == key
