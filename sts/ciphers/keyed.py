"""What the three block ciphers have in common: one key, one block size, no leaks."""

from abc import ABC, abstractmethod
from typing import ClassVar, NoReturn

from sts.errors import KeyLengthError
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey


class KeyedCipher(ABC):
    """A cipher for 64-bit blocks that holds one decoder key and shows none of it.

    Blocks are numbers: bit 0 is the least significant bit, as in the standard's figures.
    """

    __slots__ = ()

    algorithm: ClassVar[EncryptionAlgorithm]
    key_bits: ClassVar[int]

    @abstractmethod
    def encrypt_block(self, block: int) -> int:
        """Return the cipher block of a clear block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """

    @abstractmethod
    def decrypt_block(self, block: int) -> int:
        """Return the clear block of a cipher block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """

    @classmethod
    def _key_bytes(cls, key: DecoderKey) -> bytes:
        """Return the bytes of a key that fits this cipher, or raise ``KeyLengthError``."""
        if key.bits != cls.key_bits:
            raise KeyLengthError(
                f"EA{cls.algorithm.value}", allowed_bits=(cls.key_bits,), found_bits=key.bits
            )
        return key.expose()

    def __repr__(self) -> str:
        """Show the algorithm, never the key or anything derived from it."""
        return f"<{type(self).__name__} EA{self.algorithm.value}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: the key schedule is as good as the key."""
        raise TypeError(f"{type(self).__name__} holds a key and cannot be pickled")
