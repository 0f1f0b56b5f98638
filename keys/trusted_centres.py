"""Key centres: how one makes itself known, and what a module remembers of those it trusts."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from keys.canonical_json import CanonicalJsonError, JsonValue, read_json, readable_bytes
from keys.errors import KeysError
from keys.json_fields import Fields, is_name
from sts.token_identifier import require_utc

FORMAT: Final = "sts-vending key centre"
VERSION: Final = 1
LAB_NOTICE: Final = (
    "Made by a lab key centre, for trials and training. Keys of supply groups allocated by the "
    "STS Association live only in certified modules."
)
"""Stands in everything that a lab centre hands out."""

_KEY_BYTES: Final = 32
_ID_DIGITS: Final = 32
_ID_LABEL: Final = b"sts-vending key centre, version 1\0"


class CentreIdentityError(KeysError):
    """Not the identity of a key centre."""

    code = "CENTRE_IDENTITY"
    hint = "give a file that `lab-centre identity` wrote"


class CentreIdMismatchError(KeysError):
    """The id that was confirmed is not that of the centre's file."""

    code = "CENTRE_ID_MISMATCH"
    hint = "the file may be forged: ask the centre for its id, and do not trust this file"

    def __init__(self, found: str) -> None:
        """Say which id the file has."""
        super().__init__(f"the id of the centre in this file is {found}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreIdentity:
    """What a key centre makes known of itself.

    Attributes:
        name: What people call it; no other meaning.
        signing_key: Its public Ed25519 key.

    Raises:
        CentreIdentityError: No printable name, or a key that is not 32 bytes.
    """

    name: str
    signing_key: bytes

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if not is_name(self.name):
            raise CentreIdentityError("the name of a centre must be printable and not long")
        if len(self.signing_key) != _KEY_BYTES:
            raise CentreIdentityError(f"the public key of a centre has {_KEY_BYTES} bytes")

    @property
    def id(self) -> str:
        """The fingerprint of the public key, 32 hexadecimal digits."""
        return hashlib.sha256(_ID_LABEL + self.signing_key).hexdigest()[:_ID_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedCentre:
    """A key centre as one module knows it.

    Attributes:
        identity: Who it is.
        last_serial_number: Of the last key load file that the module took from it; 0 for none.
        revoked_at: Since when the module takes nothing from it any more.
    """

    identity: CentreIdentity
    last_serial_number: int = 0
    revoked_at: datetime | None = None

    def after(self, serial_number: int) -> Self:
        """Return the same centre, once a file with this serial number has been loaded."""
        return replace(self, last_serial_number=max(serial_number, self.last_serial_number))

    def revoked(self, now: datetime) -> Self:
        """Return the same centre, trusted no longer; the first time stays."""
        return replace(self, revoked_at=self.revoked_at or require_utc(now).replace(microsecond=0))


def format_centre(identity: CentreIdentity) -> bytes:
    """Return the file by which a centre makes itself known."""
    return readable_bytes(
        {
            "format": FORMAT,
            "version": VERSION,
            "notice": LAB_NOTICE,
            "name": identity.name,
            "id": identity.id,
            "signing_key": identity.signing_key.hex(),
        }
    )


def parse_centre(content: bytes) -> CentreIdentity:
    """Read the file by which a centre makes itself known.

    Raises:
        CentreIdentityError: Not such a file, or the id is not that of the key.
    """
    try:
        value = read_json(content)
    except CanonicalJsonError as error:
        raise CentreIdentityError(f"not a key centre: {error}") from None
    fields = _fields(value, ("format", "version", "notice", "name", "id", "signing_key"))
    if (fields.raw("format"), fields.raw("version")) != (FORMAT, VERSION):
        raise CentreIdentityError("not a key centre, or one of another version")
    identity = CentreIdentity(
        name=fields.text("name"), signing_key=fields.hexadecimal("signing_key", size=_KEY_BYTES)
    )
    if fields.raw("id") != identity.id:
        raise CentreIdentityError("the id of the centre is not that of its key")
    return identity


def require_centre_id(identity: CentreIdentity, confirmed: str) -> None:
    """Refuse a centre whose id is not the one that people have compared.

    Raises:
        CentreIdMismatchError: It is another.
    """
    if "".join(confirmed.split()).lower() != identity.id:
        raise CentreIdMismatchError(identity.id)


def _fields(value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields("a key centre", value, names=names, refuse=CentreIdentityError)
