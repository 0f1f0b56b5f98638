import hmac

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB
from hypothesis import given
from hypothesis import strategies as st

from keys.check_values import (
    CheckValueFormatError,
    CheckValueMethod,
    CheckValueMethodError,
    CheckValueMismatchError,
    check_value,
    parse_check_value,
    require_check_value,
)
from sts import VendingKey
from tests.keys.custody import KEY_64, KEY_128, KEY_160

keys = st.sampled_from((8, 16, 20)).flatmap(
    lambda size: st.binary(min_size=size, max_size=size).map(VendingKey)
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("0000000000000000", "8CA64D"),
        ("ABABABABABABABAB", "C33F45"),
        ("0123456789ABCDEF", "D5D44F"),
        ("FFFFFFFFFFFFFFFF", "CAAAAF"),
        ("00000000000000000000000000000000", "8CA64D"),
        ("0123456789ABCDEFFEDCBA9876543210", "08D7B4"),
    ],
)
def test_the_des_check_value_is_the_one_that_other_equipment_shows(key: str, expected: str) -> None:
    """Of well-known keys as everybody prints them; that of ABAB… is from OpenSSL."""
    assert check_value(VendingKey.from_hex(key), CheckValueMethod.DES) == expected


@given(st.binary(min_size=8, max_size=8) | st.binary(min_size=16, max_size=16))
def test_the_des_check_value_is_that_of_another_implementation(key: bytes) -> None:
    """OpenSSL's triple DES, which with equal keys is single DES."""
    triple = TripleDES((key * 3)[:24])
    encryptor = Cipher(triple, ECB()).encryptor()  # noqa: S305 - one block
    expected = encryptor.update(bytes(8))[:3].hex().upper()
    assert check_value(VendingKey(key), CheckValueMethod.DES) == expected


@given(keys)
def test_the_house_check_value_is_that_of_its_definition(key: VendingKey) -> None:
    mac = hmac.digest(key.expose(), b"vending key check value", "sha256")
    assert check_value(key) == mac[:3].hex().upper()


def test_the_house_check_values_of_the_published_keys_stay_what_they_are() -> None:
    assert [check_value(key) for key in (KEY_64, KEY_128, KEY_160)] == [
        "900AB6",
        "FD5E07",
        "229A7E",
    ]


def test_a_key_of_160_bits_has_no_des_check_value() -> None:
    with pytest.raises(CheckValueMethodError, match="160 bits"):
        check_value(KEY_160, CheckValueMethod.DES)


@pytest.mark.parametrize("text", ["229A7E", "229a7e", " 22 9A 7e\n"])
def test_a_check_value_may_be_typed_in_any_way(text: str) -> None:
    assert parse_check_value(text) == "229A7E"
    require_check_value(KEY_160, text)


@pytest.mark.parametrize(
    "text", ["", "229A7", "229A7E0", "229A7G", "-29A7E", "ABABABABABABABAB", "²29A7E"]
)
def test_anything_else_is_no_check_value_and_is_not_repeated(text: str) -> None:
    with pytest.raises(CheckValueFormatError) as refused:
        require_check_value(KEY_160, text)
    assert not text or text not in str(refused.value)


@given(keys, st.sampled_from(CheckValueMethod))
def test_a_key_is_confirmed_by_its_own_check_value(
    key: VendingKey, method: CheckValueMethod
) -> None:
    if key.bits == 160:
        method = CheckValueMethod.HMAC_SHA_256
    own = check_value(key, method)
    require_check_value(key, own, method=method)
    other = f"{(int(own, 16) + 1) % 2**24:06X}"
    with pytest.raises(CheckValueMismatchError, match=f"is {own}, not {other}"):
        require_check_value(key, other, method=method)


def test_the_two_definitions_are_not_mixed_up() -> None:
    with pytest.raises(CheckValueMismatchError):
        require_check_value(KEY_64, check_value(KEY_64), method=CheckValueMethod.DES)
