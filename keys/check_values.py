"""Check values: six hexadecimal digits by which people compare keys without showing them.

There are two definitions. The house's own is the beginning of an HMAC-SHA-256 under the key and
works for keys of every length; records and key load files use it. The other is as old as DES, the
beginning of a block of zeros enciphered under the key, and serves to compare a 64-bit or 128-bit
key with what other equipment says of it.

=======  ==============  ===============================================
key      algorithm       check value of other equipment
=======  ==============  ===============================================
64 bits  DKGA02          E(K, 0)
128      DKGA03          E(K1, D(K2, E(K1, 0)))
160      DKGA04          none: there is no cipher with such a key
=======  ==============  ===============================================
"""

import hmac
from enum import StrEnum
from typing import Final

from keys.errors import KeysError
from keys.records import CHECK_VALUE_LENGTH, check_value_of
from sts import BlockCipher, DecoderKey, EncryptionAlgorithm, VendingKey, new_cipher

_DES_KEY_BYTES: Final = 8
_DES_BITS: Final = (64, 128)
_HEX_DIGITS: Final = frozenset("0123456789ABCDEF")


class CheckValueError(KeysError):
    """A check value that cannot be made, read or confirmed."""

    code = "CHECK_VALUE"


class CheckValueFormatError(CheckValueError):
    """Not six hexadecimal digits."""

    code = "CHECK_VALUE_FORMAT"

    def __init__(self) -> None:
        """Say what a check value looks like; what was typed may be a key, so it is not shown."""
        super().__init__(f"a check value has {CHECK_VALUE_LENGTH} hexadecimal digits")


class CheckValueMethodError(CheckValueError):
    """The definition has no check value for keys of this length."""

    code = "CHECK_VALUE_METHOD"

    def __init__(self, bits: int) -> None:
        """Say how long the key is."""
        super().__init__(f"the DES check value is not defined for a key of {bits} bits")


class CheckValueMismatchError(CheckValueError):
    """The key is not the one that the check value belongs to."""

    code = "CHECK_VALUE_MISMATCH"
    hint = "one of the digits was mistyped, or the check value was made by the other definition"

    def __init__(self, *, expected: str, found: str) -> None:
        """Show both check values, which are not secret."""
        super().__init__(f"the check value is {found}, not {expected}")


class CheckValueMethod(StrEnum):
    """How a check value is defined."""

    HMAC_SHA_256 = "hmac-sha-256"
    """The house's own, for keys of every length."""
    DES = "des"
    """A block of zeros under the key, for comparison with other equipment."""


def check_value(key: VendingKey, method: CheckValueMethod = CheckValueMethod.HMAC_SHA_256) -> str:
    """Return the six digits of a key.

    Raises:
        CheckValueMethodError: The DES check value of a 160-bit key.
    """
    if method is CheckValueMethod.HMAC_SHA_256:
        return check_value_of(key)
    if key.bits not in _DES_BITS:
        raise CheckValueMethodError(key.bits)
    # For 64 bits both halves are the same key, and the three steps are one.
    first = _des(key.expose()[:_DES_KEY_BYTES])
    second = _des(key.expose()[-_DES_KEY_BYTES:])
    block = first.encrypt_block(second.decrypt_block(first.encrypt_block(0)))
    return block.to_bytes(_DES_KEY_BYTES, "big")[: CHECK_VALUE_LENGTH // 2].hex().upper()


def parse_check_value(text: str) -> str:
    """Return the six digits that a person typed, with or without spaces, in either case.

    Raises:
        CheckValueFormatError: Anything else.
    """
    digits = "".join(text.split()).upper()
    if len(digits) != CHECK_VALUE_LENGTH or not _HEX_DIGITS.issuperset(digits):
        raise CheckValueFormatError
    return digits


def require_check_value(
    key: VendingKey,
    expected: str,
    *,
    method: CheckValueMethod = CheckValueMethod.HMAC_SHA_256,
) -> None:
    """Refuse a key that has another check value than ``expected``.

    Raises:
        CheckValueFormatError, CheckValueMethodError: As for reading and making one.
        CheckValueMismatchError: It has another.
    """
    wanted, found = parse_check_value(expected), check_value(key, method)
    if not hmac.compare_digest(wanted, found):
        raise CheckValueMismatchError(expected=wanted, found=found)


def _des(half: bytes) -> BlockCipher:
    return new_cipher(EncryptionAlgorithm.DEA, DecoderKey(half))
