"""The two lowest layers: fields side by side in a number, and the two checksums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.bits import Layout
from sts.crc import crc16, token_crc
from sts.errors import FieldRangeError
from tests.strategies import bits
from tests.sts import reference

# The examples of the IEC 62055-41 facts sheet: seven bytes, register, bytes swapped in the token.
CRC_EXAMPLES = [
    ("00004A2D900FF2", False, 0xFA0F, 0x0FFA),
    ("00004A2D900FF2", True, 0xC47B, 0x7BC4),
    ("0005C02A552710", False, 0x7019, 0x1970),
    ("01000000000100", False, 0x500A, 0x0A50),
    ("00055998630001", False, 0xE619, 0x19E6),
    ("0005014EEC0001", False, 0x8831, 0x3188),
]

# Three fields of 4, 24 and 16 bits: the frame of most tokens.
FRAME = Layout(("rnd", 4), ("tid", 24), ("amount", 16))


@pytest.mark.parametrize(("body", "currency", "register", "in_token"), CRC_EXAMPLES)
def test_the_published_checksums_come_out(
    body: str, *, currency: bool, register: int, in_token: int
) -> None:
    data = bytes.fromhex(body)
    assert crc16(data + b"\x01" if currency else data) == register
    assert token_crc(int(body, 16), currency=currency) == in_token


def test_the_checksum_is_the_one_known_as_modbus() -> None:
    assert crc16(b"123456789") == 0x4B37


@given(st.binary(max_size=16))
def test_the_table_agrees_with_the_polynomial(data: bytes) -> None:
    assert crc16(data) == reference.crc_register(data)


@given(bits(50))
def test_the_two_checksums_never_stand_in_for_another(body: int) -> None:
    assert token_crc(body, currency=True) != token_crc(body, currency=False)


@given(body=bits(50), wrong_bit=st.integers(min_value=0, max_value=49), currency=st.booleans())
def test_one_wrong_bit_changes_the_checksum(body: int, wrong_bit: int, *, currency: bool) -> None:
    altered = body ^ 1 << wrong_bit
    assert token_crc(altered, currency=currency) != token_crc(body, currency=currency)


def test_the_first_field_is_the_most_significant() -> None:
    assert FRAME.pack({"rnd": 0x5, "tid": 0x014EEC, "amount": 0x0001}) == 0x5014EEC0001


def test_a_layout_knows_its_width_and_where_its_fields_are() -> None:
    assert FRAME.width == 44
    assert FRAME.positions() == (("rnd", 43, 40), ("tid", 39, 16), ("amount", 15, 0))
    assert FRAME.positions(16) == (("rnd", 59, 56), ("tid", 55, 32), ("amount", 31, 16))


@given(bits(4), bits(24), bits(16))
def test_unpacking_undoes_packing(rnd: int, tid: int, amount: int) -> None:
    fields = {"rnd": rnd, "tid": tid, "amount": amount}
    assert FRAME.unpack(FRAME.pack(fields)) == fields


@given(bits(44))
def test_packing_undoes_unpacking(word: int) -> None:
    assert FRAME.pack(FRAME.unpack(word)) == word


@given(bits(60))
def test_bits_above_the_layout_belong_to_others(word: int) -> None:
    assert FRAME.unpack(word) == FRAME.unpack(word % 2**44)


@pytest.mark.parametrize(
    ("field", "too_large"), [("rnd", 1 << 4), ("tid", 1 << 24), ("amount", 1 << 16)]
)
def test_a_value_that_would_run_into_its_neighbour_is_refused(field: str, too_large: int) -> None:
    """In other engines an amount above 16 bits became a later token identifier."""
    fields = {"rnd": 0, "tid": 0, "amount": 0}
    for value in (too_large, -1):
        with pytest.raises(FieldRangeError) as caught:
            FRAME.pack(fields | {field: value})
        assert caught.value.field == field
        assert str(caught.value) == (
            f"{field} must be a whole number from 0 to {too_large - 1}, found {value}"
        )
