"""Key bytes in a wrapper that does not show them.

The core needs the bytes of vending keys (to derive) and of decoder keys (to encrypt). Both are
wrapped so that a ``repr``, a log line or a traceback of the caller's cannot print them; the one
way to the bytes is ``expose()``, which is easy to search for.
"""

import hmac
from typing import ClassVar, NoReturn, Self, final

from sts.errors import KeyFormatError, KeyLengthError


class _KeyMaterial:
    """Bytes of one allowed length; equal in constant time; never printed, never pickled."""

    __slots__ = ("_bytes",)

    use: ClassVar[str]
    allowed_bits: ClassVar[tuple[int, ...]]

    def __init__(self, key: bytes) -> None:
        """Wrap ``key``.

        Raises:
            KeyLengthError: The number of bits is not one of ``allowed_bits``.
        """
        if len(key) * 8 not in self.allowed_bits:
            raise KeyLengthError(self.use, allowed_bits=self.allowed_bits, found_bits=len(key) * 8)
        self._bytes = bytes(key)

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """Read the key from hexadecimal digits; spaces between them are allowed.

        Raises:
            KeyFormatError: Not hexadecimal. The text itself is not repeated.
            KeyLengthError: Hexadecimal, but of no allowed length.
        """
        try:
            key = bytes.fromhex(text)
        except ValueError:
            raise KeyFormatError(cls.use) from None
        return cls(key)

    @property
    def bits(self) -> int:
        """Length of the key in bits."""
        return len(self._bytes) * 8

    def expose(self) -> bytes:
        """Return the key bytes, most significant byte first. The only way to them."""
        return self._bytes

    def __eq__(self, other: object) -> bool:
        """Compare in constant time with a key of the same kind."""
        if not isinstance(other, type(self)):
            return NotImplemented
        return hmac.compare_digest(self._bytes, other._bytes)

    def __hash__(self) -> int:
        """Hash with the interpreter's own secret seed, so that a hash tells nothing."""
        return hash((type(self), self._bytes))

    def __repr__(self) -> str:
        """Show the kind and length, never the bytes."""
        return f"<{type(self).__name__} {self.bits} bits>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled, which would write the bytes somewhere unseen."""
        message = f"{type(self).__name__} cannot be pickled"
        raise TypeError(message)


@final
class VendingKey(_KeyMaterial):
    """A supply group's secret: 64 bits (DKGA02), 128 (DKGA03) or 160 (DKGA04)."""

    __slots__ = ()
    use = "vending key"
    allowed_bits = (64, 128, 160)

    @property
    def has_odd_parity(self) -> bool:
        """Whether every byte has an odd number of ones, as 64-bit DES keys should."""
        return all(byte.bit_count() % 2 for byte in self._bytes)


@final
class DecoderKey(_KeyMaterial):
    """One meter's secret: 64 bits (EA07, EA09) or 128 (EA11)."""

    __slots__ = ()
    use = "decoder key"
    allowed_bits = (64, 128)
