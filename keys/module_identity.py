"""Who a security module is: a name, and two key pairs whose public halves anybody may have.

The exchange pair (X25519) is what a key centre wraps vending keys for. The audit pair (Ed25519)
signs checkpoints of the module's audit log. The id of the module is a fingerprint of both public
keys: two people who compare it know that a file is for this module and no other.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, NoReturn, Self, final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from keys.canonical_json import CanonicalJsonError, JsonValue, read_json, readable_bytes
from keys.chain_seal import Ed25519SealKey, HmacSealKey
from keys.errors import KeysError
from keys.json_fields import Fields, is_name
from keys.randomness import RandomBytes
from keys.secret import Secret

FORMAT: Final = "sts-vending module identity"
VERSION: Final = 1
KEY_BYTES: Final = 32
ID_DIGITS: Final = 32

_ID_LABEL: Final = b"sts-vending module, version 1\0"


class IdentityError(KeysError):
    """Not the identity of a security module."""

    code = "MODULE_IDENTITY"
    hint = "give a file that `module identity` wrote"


class ModuleIdMismatchError(KeysError):
    """The id that was confirmed is not that of the module's file."""

    code = "MODULE_ID_MISMATCH"
    hint = "the file may be forged: ask the module's people for its id, and issue nothing for it"

    def __init__(self, found: str) -> None:
        """Say which id the file has."""
        super().__init__(f"the id of the module in this file is {found}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicIdentity:
    """What others may and must know of a module.

    Attributes:
        name: What people call it; no other meaning.
        exchange_key: Its public X25519 key.
        audit_key: Its public Ed25519 key.

    Raises:
        IdentityError: No printable name, or a key that is not 32 bytes.
    """

    name: str
    exchange_key: bytes
    audit_key: bytes

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if not is_name(self.name):
            raise IdentityError("the name of a module must be printable and not long")
        if {len(self.exchange_key), len(self.audit_key)} != {KEY_BYTES}:
            raise IdentityError(f"the public keys of a module have {KEY_BYTES} bytes each")

    @property
    def id(self) -> str:
        """The fingerprint of the public keys, 32 hexadecimal digits."""
        keys = _ID_LABEL + self.exchange_key + self.audit_key
        return hashlib.sha256(keys).hexdigest()[:ID_DIGITS]


@final
class ModuleIdentity:
    """A module's private keys. They leave this object only for the place where they are stored."""

    __slots__ = ("_audit_key", "_exchange_key", "public")

    def __init__(self, name: str, *, exchange_key: Secret, audit_key: Secret) -> None:
        """Take over two private keys of 32 bytes.

        Raises:
            IdentityError: No printable name.
        """
        self._exchange_key: Final = exchange_key
        self._audit_key: Final = audit_key
        exchange = X25519PrivateKey.from_private_bytes(exchange_key.expose())
        audit = Ed25519PrivateKey.from_private_bytes(audit_key.expose())
        self.public: Final = PublicIdentity(
            name=name,
            exchange_key=exchange.public_key().public_bytes_raw(),
            audit_key=audit.public_key().public_bytes_raw(),
        )

    @classmethod
    def generate(cls, name: str, random_bytes: RandomBytes) -> Self:
        """Make a new identity.

        Raises:
            IdentityError: No printable name.
        """
        return cls(
            name,
            exchange_key=Secret(random_bytes(KEY_BYTES)),
            audit_key=Secret(random_bytes(KEY_BYTES)),
        )

    @classmethod
    def restore(cls, name: str, stored: Secret) -> Self:
        """Return the identity whose ``stored`` form this is.

        Raises:
            IdentityError: Not of the length that ``stored`` has.
        """
        both = stored.expose()
        if len(both) != 2 * KEY_BYTES:
            raise IdentityError("the stored keys of a module have another length")
        return cls(name, exchange_key=Secret(both[:KEY_BYTES]), audit_key=Secret(both[KEY_BYTES:]))

    def stored(self) -> Secret:
        """Return both private keys, to be stored in a vault or a sealed file and nowhere else."""
        return Secret(self._exchange_key.expose() + self._audit_key.expose())

    def shared_secret(self, ephemeral_key: bytes) -> Secret:
        """Return what X25519 makes of this module's private key and a public one.

        Raises:
            IdentityError: A public key that gives the same secret to everybody, or none at all.
        """
        private = X25519PrivateKey.from_private_bytes(self._exchange_key.expose())
        try:
            return Secret(private.exchange(X25519PublicKey.from_public_bytes(ephemeral_key)))
        except ValueError:
            raise IdentityError("no secret can be agreed on with this public key") from None

    def checkpoint_key(self) -> Ed25519SealKey:
        """Return the key that signs checkpoints, for everybody to check."""
        return Ed25519SealKey(self._audit_key)

    def entry_key(self) -> HmacSealKey:
        """Return the key that seals each entry of the audit log, for this module to check."""
        return HmacSealKey.derived_from(self._audit_key)

    def __repr__(self) -> str:
        """Show who it is, nothing of the private keys."""
        return f"<ModuleIdentity {self.public.id}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("ModuleIdentity cannot be pickled")


def identity_body(identity: PublicIdentity) -> dict[str, JsonValue]:
    """Return a public identity as plain JSON values."""
    return {
        "name": identity.name,
        "id": identity.id,
        "exchange_key": identity.exchange_key.hex(),
        "audit_key": identity.audit_key.hex(),
    }


def format_identity(identity: PublicIdentity) -> bytes:
    """Return the file by which a module makes itself known."""
    named: dict[str, JsonValue] = {"format": FORMAT, "version": VERSION}
    return readable_bytes(named | identity_body(identity))


def parse_identity(content: bytes) -> PublicIdentity:
    """Read the file by which a module makes itself known.

    Raises:
        IdentityError: Not such a file, or the id is not that of the keys.
    """
    try:
        value = read_json(content)
    except CanonicalJsonError as error:
        raise IdentityError(f"not a module identity: {error}") from None
    names = ("format", "version", "name", "id", "exchange_key", "audit_key")
    fields = Fields("a module identity", value, names=names, refuse=IdentityError)
    if (fields.raw("format"), fields.raw("version")) != (FORMAT, VERSION):
        raise IdentityError("not a module identity, or one of another version")
    identity = PublicIdentity(
        name=fields.text("name"),
        exchange_key=fields.hexadecimal("exchange_key", size=KEY_BYTES),
        audit_key=fields.hexadecimal("audit_key", size=KEY_BYTES),
    )
    if fields.raw("id") != identity.id:
        raise IdentityError("the id of the module is not that of its keys")
    return identity


def require_module_id(identity: PublicIdentity, confirmed: str) -> None:
    """Refuse a module whose id is not the one that people have compared.

    Raises:
        ModuleIdMismatchError: It is another.
    """
    if "".join(confirmed.split()).lower() != identity.id:
        raise ModuleIdMismatchError(identity.id)
