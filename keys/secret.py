"""Bytes that nothing shows by accident."""

import hmac
from typing import NoReturn, final


@final
class Secret:
    """Secret bytes: no repr, no pickle, equality in constant time, one way to the bytes.

    ``expose()`` is that way, and easy to search for.
    """

    __slots__ = ("_bytes",)

    def __init__(self, value: bytes) -> None:
        """Wrap ``value``."""
        self._bytes = bytes(value)

    def expose(self) -> bytes:
        """Return the bytes."""
        return self._bytes

    def __eq__(self, other: object) -> bool:
        """Compare in constant time with another secret."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes, other._bytes)

    __hash__ = None  # type: ignore[assignment]  # so that no table keeps one

    def __repr__(self) -> str:
        """Show that there is a secret, nothing of it."""
        return "<Secret>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied, which would write the bytes somewhere unseen."""
        raise TypeError("Secret cannot be pickled")
