"""EA09: vectors, then properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.ciphers.dea import Dea
from sts.key_material import DecoderKey

# The first is the example of countless textbooks. The others are of the known answer tests of
# NIST SP 800-17, appendix A: variable plaintext, variable key, permutation operation and
# substitution table.
VECTORS = [
    ("133457799BBCDFF1", "0123456789ABCDEF", "85E813540F0AB405"),
    ("0101010101010101", "8000000000000000", "95F8A5E5DD31D900"),
    ("8001010101010101", "0000000000000000", "95A8D72813DAA94D"),
    ("1046913489980131", "0000000000000000", "88D55E54F54C97B4"),
    ("7CA110454A1A6E57", "01A1D6D039776742", "690F5B0D9A26939B"),
]

keys = st.binary(min_size=8, max_size=8).map(DecoderKey)
blocks = st.integers(min_value=0, max_value=2**64 - 1)


@pytest.mark.parametrize(("key", "clear", "encrypted"), VECTORS)
def test_published_blocks_are_encrypted_as_published(key: str, clear: str, encrypted: str) -> None:
    block = Dea(DecoderKey.from_hex(key)).encrypt_block(int(clear, 16))
    assert f"{block:016X}" == encrypted


@pytest.mark.parametrize(("key", "clear", "encrypted"), VECTORS)
def test_published_blocks_are_decrypted_as_published(key: str, clear: str, encrypted: str) -> None:
    block = Dea(DecoderKey.from_hex(key)).decrypt_block(int(encrypted, 16))
    assert f"{block:016X}" == clear


@given(keys, blocks)
def test_decryption_undoes_encryption(key: DecoderKey, block: int) -> None:
    dea = Dea(key)
    assert dea.decrypt_block(dea.encrypt_block(block)) == block


@given(keys, blocks)
def test_encryption_undoes_decryption(key: DecoderKey, block: int) -> None:
    dea = Dea(key)
    assert dea.encrypt_block(dea.decrypt_block(block)) == block


@given(keys, blocks)
def test_parity_bits_of_the_key_take_no_part(key: DecoderKey, block: int) -> None:
    """Decoder keys that DKGA02 derived have no parity to speak of, and DES does not mind."""
    other = DecoderKey(bytes(byte ^ 1 for byte in key.expose()))
    assert Dea(key).encrypt_block(block) == Dea(other).encrypt_block(block)
