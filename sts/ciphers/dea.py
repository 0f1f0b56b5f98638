"""EA09, the Data Encryption Algorithm: single DES, withdrawn in 2018, for legacy meters only."""

from typing import TYPE_CHECKING, Final, cast, final

from sts.ciphers.keyed import KeyedCipher
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

if TYPE_CHECKING:
    from Crypto.Cipher._mode_ecb import EcbMode


@final
class Dea(KeyedCipher):
    """Legacy: DES on one 64-bit block (IEC 62055-41, EA09), as early meters still have it.

    56 key bits stopped being a secret in 1998 and the 2018 edition withdrew the algorithm. Use it
    to read old tokens and to move old meters to another key, never for a new supply group. The
    eight parity bits of the key take no part and are not checked.

    Args:
        key: The meter's decoder key.

    Raises:
        KeyLengthError: The key does not have 64 bits.
    """

    __slots__ = ("_des",)

    algorithm = EncryptionAlgorithm.DEA
    key_bits = algorithm.key_bits

    def __init__(self, key: DecoderKey) -> None:
        """Expand the key."""
        # Loading PyCryptodome takes longer than all the rest of ``import sts``.
        from Crypto.Cipher import DES  # noqa: PLC0415 - only those who need EA09 should wait

        # PyCryptodome says "one of the modes"; which one is in the arguments.
        self._des: Final = cast("EcbMode", DES.new(self._key_bytes(key), DES.MODE_ECB))

    def encrypt_block(self, block: int) -> int:
        """Return the cipher block of a clear block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        return int.from_bytes(self._des.encrypt(block.to_bytes(8, "big")), "big")

    def decrypt_block(self, block: int) -> int:
        """Return the clear block of a cipher block.

        Raises:
            OverflowError: ``block`` is negative or has more than 64 bits.
        """
        return int.from_bytes(self._des.decrypt(block.to_bytes(8, "big")), "big")
