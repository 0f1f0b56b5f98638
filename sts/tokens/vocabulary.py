"""The words that all tokens share: services, registers, the cipher they are made with."""

from enum import IntEnum
from typing import Protocol

from sts.errors import FieldRangeError, FieldTypeError


class BlockCipher(Protocol):
    """A cipher under one decoder key, over blocks of 64 bits as whole numbers."""

    @property
    def key_bits(self) -> int:
        """Length of the decoder key, 64 or 128: it decides between the key change layouts."""
        ...

    def encrypt_block(self, block: int) -> int:
        """Encrypt one block."""
        ...

    def decrypt_block(self, block: int) -> int:
        """Decrypt one block."""
        ...


class Service(IntEnum):
    """What is sold; the number is the subclass of its unit credit token."""

    ELECTRICITY = 0
    WATER = 1
    GAS = 2
    TIME = 3


class CreditRegister(IntEnum):
    """What a ClearCredit token clears (IEC 62055-41, 6.3.13)."""

    ELECTRICITY = 0
    WATER = 1
    GAS = 2
    TIME = 3
    ELECTRICITY_CURRENCY = 4
    WATER_CURRENCY = 5
    GAS_CURRENCY = 6
    TIME_CURRENCY = 7
    ALL = 0xFFFF


def require_type(name: str, value: object, wanted: type) -> None:
    """Refuse a value that is not of the class that stands for it."""
    if not isinstance(value, wanted):
        raise FieldTypeError(name, wanted=wanted, found=value)


def require_width(name: str, value: int, width: int, *, secret: bool = False) -> None:
    """Refuse a value that is not an unsigned whole number of ``width`` bits.

    A ``secret`` value is part of a key, so it is not repeated.
    """
    # True and False are numbers to Python. Most values are plain numbers, so that is asked first.
    is_number = type(value) is int or (isinstance(value, int) and not isinstance(value, bool))
    # Shifted to the right, a negative number never becomes zero.
    if not is_number or value >> width:
        found = "a value that is not shown" if secret else value
        raise FieldRangeError(name, low=0, high=(1 << width) - 1, found=found)
