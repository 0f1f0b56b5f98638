"""What opens an encrypted file: the 32 bytes of a key file, or a passphrase made slow by scrypt."""

import unicodedata
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keys.errors import KeysError
from keys.secret import Secret

_KEY_BYTES: Final = 32
_LEAST_N: Final = 2**14
_LARGEST_N: Final = 2**20
_BLOCK_SIZES: Final = range(8, 33)
_LANES: Final = range(1, 17)
_LARGEST_MEMORY: Final = 2**30
_LARGEST_WORK: Final = 2**24
"""Of n·r·p, sixteen times the default: some seconds, not some hours."""


class UnlockError(KeysError):
    """A passphrase or its parameters cannot be used."""

    code = "UNLOCK"


class EmptyPassphraseError(UnlockError):
    """The passphrase is empty."""

    code = "EMPTY_PASSPHRASE"
    hint = "type one, or give the file or variable that holds it"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the passphrase is empty")


class ScryptCostError(UnlockError):
    """Parameters of scrypt that are too weak, or would take too much memory or time."""

    code = "SCRYPT_COST"

    def __init__(self) -> None:
        """Say within which bounds they lie."""
        super().__init__(
            "scrypt parameters out of bounds: n is a power of two from 2^14 to 2^20, r 8 to 32, "
            "p 1 to 16, with at most 1 GiB of memory and 2^24 blocks of work"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptCost:
    """How slow a passphrase is made (RFC 7914).

    The bounds are checked before anything is computed, because the numbers are read from a file
    that is not yet known to be ours.

    Attributes:
        n: The cost; memory and time grow with it.
        r: The size of a block.
        p: How many times the whole is done.

    Raises:
        ScryptCostError: Out of bounds.
    """

    n: int = 2**17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Check the bounds."""
        in_range = _LEAST_N <= self.n <= _LARGEST_N and self.n.bit_count() == 1
        if not in_range or self.r not in _BLOCK_SIZES or self.p not in _LANES:
            raise ScryptCostError
        if 128 * self.n * self.r > _LARGEST_MEMORY or self.n * self.r * self.p > _LARGEST_WORK:
            raise ScryptCostError


@dataclass(frozen=True, slots=True)
class Passphrase:
    """What a person types, in the one form that every keyboard and system agrees on."""

    secret: Secret

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Take a passphrase as typed; two ways to type the same letter make no difference.

        Raises:
            EmptyPassphraseError: It is empty.
        """
        if not text:
            raise EmptyPassphraseError
        return cls(Secret(unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")))

    def stretched(self, salt: bytes, cost: ScryptCost) -> Secret:
        """Return the 32 bytes that scrypt makes of the passphrase."""
        scrypt = Scrypt(salt=salt, length=_KEY_BYTES, n=cost.n, r=cost.r, p=cost.p)
        return Secret(scrypt.derive(self.secret.expose()))


Unlock: TypeAlias = Secret | Passphrase
"""The content of a key file, or a passphrase."""
