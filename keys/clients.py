"""The clients of a security module: programs that may ask it for tokens, each known by name.

A client holds a file with 32 random bytes. The module keeps only a digest of them, bound to its own
id and the client's name, in the sealed part of what it remembers; so the file of a module does not
let anybody in, and a credential opens one module alone. A lab module asks nobody who he is.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final, Self

from keys.canonical_json import (
    CanonicalJsonError,
    JsonObject,
    JsonValue,
    canonical_bytes,
    read_json,
    readable_bytes,
)
from keys.client_errors import (
    ClientCredentialFormatError,
    ClientCredentialMissingError,
    ClientCredentialRefusedError,
    ClientRevokedError,
)
from keys.errors import KeysError
from keys.json_fields import Fields, is_name, time_text
from keys.module_identity import ID_DIGITS
from keys.randomness import RandomBytes
from keys.secret import Secret
from sts.token_identifier import require_utc

FORMAT: Final = "sts-vending client credential"
VERSION: Final = 1
SECRET_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
_LABEL: Final = b"sts-vending client credential, version 1\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredential:
    """What a client shows to a module.

    Attributes:
        module_id: Of which module.
        client: The client's name.
        secret: Its 32 bytes.

    Raises:
        ClientCredentialFormatError: No printable name, or a secret of another length.
    """

    module_id: str
    client: str
    secret: Secret

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if not is_name(self.client):
            raise ClientCredentialFormatError("a client has a printable name that is not long")
        if len(self.secret.expose()) != SECRET_BYTES:
            raise ClientCredentialFormatError(f"a client credential has {SECRET_BYTES} bytes")

    @classmethod
    def generate(cls, module_id: str, client: str, *, random_bytes: RandomBytes) -> Self:
        """Make a new one.

        Raises:
            ClientCredentialFormatError: No printable name.
        """
        return cls(module_id=module_id, client=client, secret=Secret(random_bytes(SECRET_BYTES)))

    @property
    def digest(self) -> bytes:
        """What the module keeps of it."""
        bound = canonical_bytes({"module": self.module_id, "client": self.client})
        return hmac.digest(self.secret.expose(), _LABEL + bound, sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClient:
    """A client as the module knows it.

    Attributes:
        name: By which the audit log names it.
        digest: Of its credential.
        added_at: Since when it may use the module.
        revoked_at: Since when it may not any more.
    """

    name: str
    digest: bytes
    added_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def of(cls, credential: ClientCredential, *, now: datetime) -> Self:
        """Return the client that holds a new credential."""
        added_at = require_utc(now).replace(microsecond=0)
        return cls(name=credential.client, digest=credential.digest, added_at=added_at)

    def revoked(self, now: datetime) -> Self:
        """Return the same client, let in no longer; the first time stays."""
        return replace(self, revoked_at=self.revoked_at or require_utc(now).replace(microsecond=0))


def require_client(
    credential: ClientCredential | None, clients: Iterable[KnownClient]
) -> KnownClient:
    """Return the client that a credential belongs to.

    Raises:
        ClientCredentialMissingError: There is no credential.
        ClientCredentialRefusedError: It is of no client of this module.
        ClientRevokedError: It is of one that was revoked.
    """
    if credential is None:
        raise ClientCredentialMissingError
    for client in clients:
        if client.name == credential.client and hmac.compare_digest(
            client.digest, credential.digest
        ):
            if client.revoked_at is not None:
                raise ClientRevokedError(client.name, client.revoked_at)
            return client
    raise ClientCredentialRefusedError


def format_credential(credential: ClientCredential) -> bytes:
    """Return the file of a credential; it is a secret, for the client alone."""
    return readable_bytes(
        {
            "format": FORMAT,
            "version": VERSION,
            "module": credential.module_id,
            "client": credential.client,
            "secret": credential.secret.expose().hex(),
        }
    )


def parse_credential(content: bytes) -> ClientCredential:
    """Read the file of a credential.

    Raises:
        ClientCredentialFormatError: Not such a file.
    """
    try:
        value = read_json(content)
    except CanonicalJsonError as error:
        raise ClientCredentialFormatError(f"not a client credential: {error}") from None
    names = ("format", "version", "module", "client", "secret")
    fields = Fields("a client credential", value, names=names, refuse=ClientCredentialFormatError)
    if (fields.raw("format"), fields.raw("version")) != (FORMAT, VERSION):
        raise ClientCredentialFormatError("not a client credential, or one of another version")
    return ClientCredential(
        module_id=fields.hexadecimal("module", size=ID_DIGITS // 2).hex(),
        client=fields.text("client"),
        secret=Secret(fields.hexadecimal("secret")),
    )


def client_body(client: KnownClient) -> JsonObject:
    """Return what a module knows of a client as plain JSON values."""
    revoked_at = None if client.revoked_at is None else time_text(client.revoked_at)
    return {
        "name": client.name,
        "digest": client.digest.hex(),
        "added_at": time_text(client.added_at),
        "revoked_at": revoked_at,
    }


def parse_client(value: JsonValue, *, refuse: type[KeysError]) -> KnownClient:
    """Read what ``client_body`` returned.

    Args:
        value: The JSON value.
        refuse: The error to raise, which takes a message.
    """
    names = ("name", "digest", "added_at", "revoked_at")
    fields = Fields("a client", value, names=names, refuse=refuse)
    return KnownClient(
        name=fields.text("name"),
        digest=fields.hexadecimal("digest", size=_DIGEST_BYTES),
        added_at=fields.time("added_at"),
        revoked_at=fields.optional_time("revoked_at"),
    )
