"""Seals on the head of a chain: HMAC-SHA-256 among those who share a key, Ed25519 for all others.

A seal covers the name of the chain, its length, the hash of its last entry, and for a checkpoint
the time. So nobody without the key makes a checkpoint, and none of another chain is taken for it.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Protocol, Self, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.canonical_json import (
    CanonicalJsonError,
    JsonValue,
    canonical_bytes,
    read_json,
    readable_bytes,
)
from keys.chain_errors import CheckpointFormatError, SealMismatchError
from keys.hash_chain import HASH_BYTES, Checkpoint, Head, Seal
from keys.json_fields import Fields, time_text
from keys.secret import Secret
from sts.token_identifier import require_utc

HMAC_SHA_256: Final = "hmac-sha-256"
ED25519: Final = "ed25519"
FORMAT: Final = "sts-vending checkpoint"
VERSION: Final = 1
LEAST_KEY_BYTES: Final = 32
"""A shared key of fewer bytes is refused: it would be the weakest part of the seal."""

_SEAL_BYTES: Final = {HMAC_SHA_256: 32, ED25519: 64}
_CHECKPOINT_LABEL: Final = b"sts-vending checkpoint, version 1\0"
_ENTRY_LABEL: Final = b"sts-vending chain entry, version 1\0"
_KEY_ID_LABEL: Final = b"sts-vending seal key, version 1\0"
_KEY_ID_DIGITS: Final = 32
_DERIVED_LABEL: Final = b"sts-vending entry seals, version 1"


class SealVerifier(Protocol):
    """A key by which seals are checked."""

    algorithm: str
    key_id: str

    def is_valid(self, message: bytes, seal: bytes) -> bool:
        """Tell whether this key, or its private half, sealed ``message``."""
        ...


class SealKey(SealVerifier, Protocol):
    """A key by which seals are made, and checked as well."""

    def seal(self, message: bytes) -> bytes:
        """Return the seal of ``message``."""
        ...


@final
class HmacSealKey:
    """A key that its holders share: fast, and whoever can check a seal can also make one."""

    __slots__ = ("_mac", "algorithm", "key_id")

    def __init__(self, key: Secret) -> None:
        """Take over a shared key.

        Raises:
            ValueError: It has fewer than 32 bytes.
        """
        if len(key.expose()) < LEAST_KEY_BYTES:
            message = f"a shared seal key has at least {LEAST_KEY_BYTES} bytes"
            raise ValueError(message)
        # Copied for each seal: to key an HMAC takes several times what a short message does.
        self._mac: Final = HMAC(key.expose(), hashes.SHA256())
        self.algorithm = HMAC_SHA_256
        self.key_id = self.seal(_KEY_ID_LABEL).hex()[:_KEY_ID_DIGITS]

    @classmethod
    def derived_from(cls, key: Secret) -> Self:
        """Return the key that follows from another secret one, which cannot be found from it."""
        derived = HKDF(
            algorithm=hashes.SHA256(), length=LEAST_KEY_BYTES, salt=None, info=_DERIVED_LABEL
        ).derive(key.expose())
        return cls(Secret(derived))

    def seal(self, message: bytes) -> bytes:
        """Return the seal of ``message``."""
        mac = self._mac.copy()
        mac.update(message)
        return mac.finalize()

    def is_valid(self, message: bytes, seal: bytes) -> bool:
        """Tell whether this key sealed ``message``."""
        return hmac.compare_digest(self.seal(message), seal)


@final
class Ed25519SealVerifier:
    """The public half of a signing key: everybody may have it."""

    __slots__ = ("_key", "algorithm", "key_id")

    def __init__(self, public_key: bytes) -> None:
        """Take over the 32 bytes of a public key.

        Raises:
            ValueError: Not 32 bytes.
        """
        self._key: Final = Ed25519PublicKey.from_public_bytes(public_key)
        self.algorithm = ED25519
        self.key_id = hashlib.sha256(_KEY_ID_LABEL + public_key).hexdigest()[:_KEY_ID_DIGITS]

    def is_valid(self, message: bytes, seal: bytes) -> bool:
        """Tell whether the private half sealed ``message``."""
        try:
            self._key.verify(seal, message)
        except InvalidSignature:
            return False
        return True


@final
class Ed25519SealKey:
    """A signing key: who checks its seals cannot make any."""

    __slots__ = ("_key", "_verifier", "algorithm", "key_id")

    def __init__(self, private_key: Secret) -> None:
        """Take over the 32 bytes of a private key.

        Raises:
            ValueError: Not 32 bytes.
        """
        self._key: Final = Ed25519PrivateKey.from_private_bytes(private_key.expose())
        self._verifier: Final = Ed25519SealVerifier(self.public_key)
        self.algorithm = ED25519
        self.key_id = self._verifier.key_id

    @property
    def public_key(self) -> bytes:
        """The 32 bytes by which others check the seals."""
        return self._key.public_key().public_bytes_raw()

    def seal(self, message: bytes) -> bytes:
        """Return the seal of ``message``."""
        return self._key.sign(message)

    def is_valid(self, message: bytes, seal: bytes) -> bool:
        """Tell whether this key sealed ``message``."""
        return self._verifier.is_valid(message, seal)


def seal_entry(head: Head, chain: str, *, key: SealKey) -> bytes:
    """Return the seal of a chain that ends with this head, whenever that was."""
    return key.seal(_ENTRY_LABEL + canonical_bytes(_head_body(head, chain)))


def require_entry_seal(head: Head, chain: str, *, seal: bytes, key: SealVerifier) -> None:
    """Refuse a head without the seal that ``seal_entry`` made.

    Raises:
        SealMismatchError: Another key, another chain, another head.
    """
    if not key.is_valid(_ENTRY_LABEL + canonical_bytes(_head_body(head, chain)), seal):
        raise SealMismatchError(f"entry {head.length}")


def seal_head(head: Head, chain: str, *, key: SealKey, now: datetime) -> Checkpoint:
    """Return a checkpoint of a chain that ends with this head.

    Raises:
        NaiveDatetimeError: ``now`` has no zone.
    """
    sealed_at = require_utc(now).replace(microsecond=0)
    message = _checkpoint_message(head, chain, sealed_at=sealed_at)
    seal = Seal(algorithm=key.algorithm, key_id=key.key_id, value=key.seal(message))
    return Checkpoint(chain=chain, head=head, sealed_at=sealed_at, seal=seal)


def require_seal(checkpoint: Checkpoint, keys: Iterable[SealVerifier]) -> None:
    """Refuse a checkpoint that none of these keys sealed.

    Raises:
        SealMismatchError: Another key, or an altered checkpoint.
    """
    message = _checkpoint_message(checkpoint.head, checkpoint.chain, sealed_at=checkpoint.sealed_at)
    seal = checkpoint.seal
    for key in keys:
        named = (key.algorithm, key.key_id) == (seal.algorithm, seal.key_id)
        if named and key.is_valid(message, seal.value):
            return
    raise SealMismatchError("the checkpoint")


def format_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the file of a checkpoint."""
    body = _checkpoint_body(checkpoint.head, checkpoint.chain, sealed_at=checkpoint.sealed_at)
    seal = checkpoint.seal
    named: dict[str, JsonValue] = {"format": FORMAT, "version": VERSION}
    sealed: dict[str, JsonValue] = {
        "seal": {"algorithm": seal.algorithm, "key_id": seal.key_id, "value": seal.value.hex()}
    }
    return readable_bytes(named | body | sealed)


def parse_checkpoint(content: bytes) -> Checkpoint:
    """Read the file of a checkpoint; its seal is not looked at.

    Raises:
        CheckpointFormatError: Not a checkpoint, or one of another version.
    """
    try:
        value = read_json(content)
    except CanonicalJsonError as error:
        raise CheckpointFormatError(f"not a checkpoint: {error}") from None
    names = ("format", "version", "chain", "length", "head", "sealed_at", "seal")
    fields = _fields("a checkpoint", value, names)
    if (fields.raw("format"), fields.raw("version")) != (FORMAT, VERSION):
        raise CheckpointFormatError("not a checkpoint, or one of another version")
    seal = _fields("the seal", fields.raw("seal"), ("algorithm", "key_id", "value"))
    algorithm = seal.text("algorithm")
    if algorithm not in _SEAL_BYTES:
        raise CheckpointFormatError("a checkpoint with a seal that this program does not know")
    return Checkpoint(
        chain=fields.text("chain"),
        head=Head(length=fields.number("length"), hash=fields.hexadecimal("head", size=HASH_BYTES)),
        sealed_at=fields.time("sealed_at"),
        seal=Seal(
            algorithm=algorithm,
            key_id=seal.text("key_id"),
            value=seal.hexadecimal("value", size=_SEAL_BYTES[algorithm]),
        ),
    )


def _head_body(head: Head, chain: str) -> dict[str, JsonValue]:
    return {"chain": chain, "length": head.length, "head": head.hash.hex()}


def _checkpoint_body(head: Head, chain: str, *, sealed_at: datetime) -> dict[str, JsonValue]:
    return _head_body(head, chain) | {"sealed_at": time_text(sealed_at)}


def _checkpoint_message(head: Head, chain: str, *, sealed_at: datetime) -> bytes:
    body = _checkpoint_body(head, chain, sealed_at=sealed_at)
    return _CHECKPOINT_LABEL + canonical_bytes(body)


def _fields(where: str, value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields(where, value, names=names, refuse=CheckpointFormatError)
