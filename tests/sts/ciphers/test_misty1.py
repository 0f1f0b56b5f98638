"""EA11: vectors, then where the tables come from, then properties."""

import json
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.ciphers.misty1 import Misty1
from sts.ciphers.misty1_tables import S7, S9
from sts.key_material import DecoderKey

VECTORS: Final = json.loads(
    (Path(__file__).parents[2] / "vectors" / "misty1_rfc2994.json").read_text(encoding="utf-8")
)["cases"]

keys = st.binary(min_size=16, max_size=16).map(DecoderKey)
blocks = st.integers(min_value=0, max_value=2**64 - 1)

# M. Matsui, "New Block Encryption Algorithm MISTY" (1997): output bit 0 first; "034" stands for
# x0 AND x3 AND x4, "+" for the constant 1, and the terms of a bit are joined by XOR.
S7_FORMULAS: Final = (
    "0 13 034 15 025 45 016 26 056 356 +",
    "02 04 34 15 245 6 06 36 236 146 056 +",
    "12 023 4 14 014 05 045 345 16 36 036 46 246",
    "0 1 012 03 24 145 26 136 046 56 +",
    "23 04 134 5 25 125 035 16 156 456 +",
    "0 1 2 012 03 123 14 024 05 015 35 06 256",
    "01 3 03 234 05 25 35 135 16 126 036 46 256",
)
S9_FORMULAS: Final = (
    "04 05 15 16 26 27 37 38 48 +",
    "02 3 13 23 34 45 06 26 7 08 38 58 +",
    "01 13 4 04 24 34 45 06 56 17 37 8",
    "0 12 24 5 15 35 45 56 17 67 28 48",
    "1 03 23 05 35 6 26 46 56 67 28 78",
    "2 03 14 34 16 46 7 37 57 67 08 78",
    "01 3 14 25 45 27 57 8 08 48 68 78 +",
    "1 01 12 23 04 5 16 36 07 47 67 18 +",
    "0 01 12 4 05 25 36 56 07 08 38 68 +",
)


def cipher(key_hex: str) -> Misty1:
    return Misty1(DecoderKey.from_hex(key_hex))


def substitute(formulas: tuple[str, ...], value: int) -> int:
    result = 0
    for place, formula in enumerate(formulas):
        for term in formula.split():
            factors = [] if term == "+" else [int(digit) for digit in term]
            result ^= all(value >> factor & 1 for factor in factors) << place
    return result


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_published_blocks_are_encrypted_as_published(case: dict[str, str]) -> None:
    encrypted = cipher(case["decoder_key_hex"]).encrypt_block(int(case["block_hex"], 16))
    assert f"{encrypted:016x}" == case["expected_block_hex"]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_published_blocks_are_decrypted_as_published(case: dict[str, str]) -> None:
    decrypted = cipher(case["decoder_key_hex"]).decrypt_block(int(case["expected_block_hex"], 16))
    assert f"{decrypted:016x}" == case["block_hex"]


def test_an_official_token_block_is_encrypted_as_in_the_compliance_test() -> None:
    """The block of STS 531, CTSA01, step 1: 0.1 kWh for the meter 600727000000000009."""
    encrypted = cipher("929BD3A415C9420A05EC5EE9F3CE91C3").encrypt_block(0x05014EEC00013188)
    assert f"{encrypted:016X}" == "2D98A5617B45BE2E"


def test_s7_follows_from_its_boolean_formulas() -> None:
    """A slip in one of the 128 numbers could hide from every vector, but not from this."""
    assert [substitute(S7_FORMULAS, value) for value in range(128)] == list(S7)


def test_s9_follows_from_its_boolean_formulas() -> None:
    """As for S7, with 512 numbers."""
    assert [substitute(S9_FORMULAS, value) for value in range(512)] == list(S9)


@pytest.mark.parametrize(("table", "size"), [(S7, 128), (S9, 512)], ids=["S7", "S9"])
def test_an_s_box_is_a_permutation(table: tuple[int, ...], size: int) -> None:
    assert sorted(table) == list(range(size))


@given(keys, blocks)
def test_decryption_undoes_encryption(key: DecoderKey, block: int) -> None:
    misty1 = Misty1(key)
    assert misty1.decrypt_block(misty1.encrypt_block(block)) == block


@given(keys, blocks)
def test_encryption_undoes_decryption(key: DecoderKey, block: int) -> None:
    misty1 = Misty1(key)
    assert misty1.encrypt_block(misty1.decrypt_block(block)) == block
