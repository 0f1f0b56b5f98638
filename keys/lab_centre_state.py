"""What a lab key centre knows, and how it is written; pure.

Readable are the register of vending keys (metadata only), which modules were revoked, and which
key load files were issued. Secret are the centre's signing key and the vending keys themselves.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from keys.canonical_json import JsonObject, JsonValue, canonical_bytes, read_canonical
from keys.errors import KeysError
from keys.json_fields import Fields, time_text
from keys.registered_key import KeyName, RegisteredKey, key_body, parse_key
from keys.sealed_file_errors import SealedFileFormatError
from keys.secret import Secret
from keys.trusted_centres import LAB_NOTICE, CentreIdentity
from sts import KeyRevisionNumber, StsError, SupplyGroupCode, VendingKey

_PUBLIC: Final = (
    "notice",
    "name",
    "id",
    "signing_key",
    "next_serial_number",
    "keys",
    "revoked_modules",
    "issued",
)
_ISSUED: Final = (
    "serial_number",
    "module_name",
    "module_id",
    "issued_at",
    "expires_at",
    "sha256",
    "keys",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreKey:
    """A line of the centre's register; the key itself is not in it.

    Attributes:
        key: Which vending key.
        revoked_at: Since when it is given to nobody any more.
    """

    key: RegisteredKey
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedModule:
    """A module that gets no keys any more."""

    id: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedFile:
    """What the centre remembers of a key load file.

    Attributes:
        serial_number: Which of the centre's files it is.
        module_name: Who it was made for.
        module_id: The same, as it counts.
        issued_at: When.
        expires_at: From when it cannot be loaded any more.
        sha256: Of the whole file, hexadecimal.
        keys: Which keys it brings.
    """

    serial_number: int
    module_name: str
    module_id: str
    issued_at: datetime
    expires_at: datetime
    sha256: str
    keys: tuple[KeyName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreState:
    """All that a centre knows.

    Attributes:
        identity: Who it is.
        signing_key: Its private Ed25519 key.
        next_serial_number: Of the next key load file.
        keys: Its register.
        vending_keys: The vending keys of the register.
        revoked_modules: Who gets nothing any more.
        issued: All key load files.
    """

    identity: CentreIdentity
    signing_key: Secret
    next_serial_number: int = 1
    keys: tuple[CentreKey, ...] = ()
    vending_keys: Mapping[KeyName, VendingKey] = field(default_factory=dict)
    revoked_modules: tuple[RevokedModule, ...] = ()
    issued: tuple[IssuedFile, ...] = ()


def sha256_of(content: bytes) -> str:
    """Return by what a file is recognised later."""
    return hashlib.sha256(content).hexdigest()


def public_part(state: CentreState) -> JsonObject:
    """Return the part that everybody with the file can read."""
    return {
        "notice": LAB_NOTICE,
        "name": state.identity.name,
        "id": state.identity.id,
        "signing_key": state.identity.signing_key.hex(),
        "next_serial_number": state.next_serial_number,
        "keys": [
            {"key": key_body(key.key), "revoked_at": _optional_time_text(key.revoked_at)}
            for key in state.keys
        ],
        "revoked_modules": [
            {"id": module.id, "revoked_at": time_text(module.revoked_at)}
            for module in state.revoked_modules
        ],
        "issued": [_issued_body(issued) for issued in state.issued],
    }


def secret_part(state: CentreState) -> Secret:
    """Return the part that needs the key: the vending keys in the order of the register."""
    keys: list[JsonValue] = [state.vending_keys[key.key.name].expose().hex() for key in state.keys]
    signing_key = state.signing_key.expose().hex()
    return Secret(canonical_bytes({"signing_key": signing_key, "vending_keys": keys}))


def parse_state(public: JsonObject, secret: Secret) -> CentreState:
    """Return the state whose two parts these are.

    Raises:
        SealedFileFormatError: They are not.
        CanonicalJsonError: The secret part is none.
    """
    fields = _fields("the centre", public, _PUBLIC)
    hidden = _fields(
        "the secret part", read_canonical(secret.expose()), ("signing_key", "vending_keys")
    )
    try:
        keys = tuple(map(_parse_key, fields.items("keys")))
        vending_keys = map(_parse_vending_key, hidden.items("vending_keys"))
        return CentreState(
            identity=CentreIdentity(
                name=fields.text("name"), signing_key=fields.hexadecimal("signing_key")
            ),
            signing_key=Secret(hidden.hexadecimal("signing_key", size=32)),
            next_serial_number=fields.number("next_serial_number", low=1),
            keys=keys,
            vending_keys=dict(zip((key.key.name for key in keys), vending_keys, strict=True)),
            revoked_modules=tuple(map(_parse_module, fields.items("revoked_modules"))),
            issued=tuple(map(_parse_issued, fields.items("issued"))),
        )
    except (StsError, KeysError, ValueError) as error:
        raise SealedFileFormatError(f"not a lab centre: {error}") from None


def _issued_body(issued: IssuedFile) -> JsonObject:
    return {
        "serial_number": issued.serial_number,
        "module_name": issued.module_name,
        "module_id": issued.module_id,
        "issued_at": time_text(issued.issued_at),
        "expires_at": time_text(issued.expires_at),
        "sha256": issued.sha256,
        "keys": [
            {
                "tenant": name.tenant,
                "supply_group_code": str(name.supply_group_code),
                "key_revision_number": int(name.key_revision_number),
            }
            for name in issued.keys
        ],
    }


def _parse_key(value: JsonValue) -> CentreKey:
    fields = _fields("a key", value, ("key", "revoked_at"))
    return CentreKey(
        key=parse_key("a key", fields.raw("key"), refuse=SealedFileFormatError),
        revoked_at=fields.optional_time("revoked_at"),
    )


def _parse_vending_key(value: JsonValue) -> VendingKey:
    return VendingKey(_fields("a secret key", {"key": value}, ("key",)).hexadecimal("key"))


def _parse_module(value: JsonValue) -> RevokedModule:
    fields = _fields("a revoked module", value, ("id", "revoked_at"))
    return RevokedModule(id=fields.text("id"), revoked_at=fields.time("revoked_at"))


def _parse_issued(value: JsonValue) -> IssuedFile:
    fields = _fields("an issued file", value, _ISSUED)
    return IssuedFile(
        serial_number=fields.number("serial_number", low=1),
        module_name=fields.text("module_name"),
        module_id=fields.text("module_id"),
        issued_at=fields.time("issued_at"),
        expires_at=fields.time("expires_at"),
        sha256=fields.hexadecimal("sha256", size=32).hex(),
        keys=tuple(map(_parse_name, fields.items("keys"))),
    )


def _parse_name(value: JsonValue) -> KeyName:
    names = ("tenant", "supply_group_code", "key_revision_number")
    fields = _fields("the name of a key", value, names)
    return KeyName(
        tenant=fields.text("tenant"),
        supply_group_code=SupplyGroupCode.parse(fields.text("supply_group_code")),
        key_revision_number=KeyRevisionNumber(fields.number("key_revision_number")),
    )


def _optional_time_text(when: datetime | None) -> str | None:
    return None if when is None else time_text(when)


def _fields(where: str, value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields(where, value, names=names, refuse=SealedFileFormatError)
