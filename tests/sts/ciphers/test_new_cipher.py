"""What all ciphers share: the table of EA codes, the key lengths, the silence about the key."""

import copy
import pickle
import subprocess
import sys
from typing import cast

import pytest

from sts.ciphers import SAMPLE_TABLES, Cipher, Dea, Misty1, Sta, StaTables, new_cipher
from sts.errors import KeyLengthError, UnsupportedAlgorithmError
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

CLASSES = {
    EncryptionAlgorithm.STA: Sta,
    EncryptionAlgorithm.DEA: Dea,
    EncryptionAlgorithm.MISTY1: Misty1,
}

every_algorithm = pytest.mark.parametrize("algorithm", EncryptionAlgorithm, ids=lambda ea: ea.name)


def key_of(bits: int) -> DecoderKey:
    return DecoderKey(bytes(range(0xA0, 0xA0 + bits // 8)))


def keyed(algorithm: EncryptionAlgorithm) -> Cipher:
    return new_cipher(algorithm, key_of(algorithm.key_bits))


@every_algorithm
def test_every_algorithm_has_its_cipher(algorithm: EncryptionAlgorithm) -> None:
    """A new code in ``EncryptionAlgorithm`` must not be forgotten here."""
    cipher = keyed(algorithm)
    assert type(cipher) is CLASSES[algorithm]
    assert cipher.algorithm is algorithm
    assert cipher.key_bits == algorithm.key_bits


def test_sta_works_with_the_sample_tables_unless_told_otherwise() -> None:
    cipher = keyed(EncryptionAlgorithm.STA)
    assert isinstance(cipher, Sta)
    assert cipher.tables is SAMPLE_TABLES


def test_sta_works_with_the_tables_that_it_is_given() -> None:
    tables = StaTables(
        name="straight",
        substitution_1=tuple(range(16)),
        substitution_2=tuple(range(16)),
        permutation=tuple(range(64)),
        fingerprint="0" * 64,
    )
    cipher = new_cipher(EncryptionAlgorithm.STA, key_of(64), sta_tables=tables)
    assert cipher.encrypt_block(0x0123456789ABCDEF) == 0x0123456789ABCDEF


@every_algorithm
def test_a_key_of_the_other_length_is_refused(algorithm: EncryptionAlgorithm) -> None:
    other = 192 - algorithm.key_bits
    with pytest.raises(KeyLengthError) as caught:
        new_cipher(algorithm, key_of(other))
    assert str(caught.value) == (
        f"EA{algorithm.value} takes a key of {algorithm.key_bits} bits, found {other}"
    )


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithmError, match="no cipher for encryption algorithm 08"):
        new_cipher(cast("EncryptionAlgorithm", "08"), key_of(64))


@pytest.mark.parametrize("block", [-1, 2**64])
@every_algorithm
def test_a_number_that_is_no_block_is_refused(algorithm: EncryptionAlgorithm, block: int) -> None:
    """Cutting bits off in silence would make a token that says something else."""
    with pytest.raises(OverflowError):
        keyed(algorithm).encrypt_block(block)
    with pytest.raises(OverflowError):
        keyed(algorithm).decrypt_block(block)


@every_algorithm
def test_a_cipher_does_not_show_its_key(algorithm: EncryptionAlgorithm) -> None:
    name = CLASSES[algorithm].__name__
    assert repr(keyed(algorithm)) == f"<{name} EA{algorithm.value}>"


@every_algorithm
def test_a_cipher_cannot_be_pickled(algorithm: EncryptionAlgorithm) -> None:
    """From the key schedule anybody could make tokens."""
    with pytest.raises(TypeError, match="holds a key and cannot be pickled"):
        pickle.dumps(keyed(algorithm))


@every_algorithm
def test_a_cipher_cannot_be_copied(algorithm: EncryptionAlgorithm) -> None:
    with pytest.raises(TypeError, match="holds a key and cannot be pickled"):
        copy.copy(keyed(algorithm))


@every_algorithm
def test_a_cipher_has_no_room_for_more_attributes(algorithm: EncryptionAlgorithm) -> None:
    """Slots: a vending system holds one of these for each meter that it serves."""
    assert not hasattr(keyed(algorithm), "__dict__")


def test_importing_the_ciphers_loads_and_builds_nothing_heavy() -> None:
    """PyCryptodome and the large tables wait for the first key that needs them."""
    program = (
        "import sys, sts.ciphers.misty1, sts.ciphers.sta\n"
        "assert 'Crypto' not in sys.modules\n"
        "assert sts.ciphers.misty1._fi_tables.cache_info().currsize == 0\n"
        "assert sts.ciphers.sta._prepare.cache_info().currsize == 0\n"
        "assert sts.ciphers.sta._choice_tables.cache_info().currsize == 0\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
