"""How a key load file is written (docs/key-load-file.md); knows no key and no cipher.

A key load file brings vending keys from one key centre to one security module. It is one JSON
object, readable but for the keys themselves:

    format, version    what it is
    notice             that it is made by a lab centre
    centre             name and id of the centre that signed it
    serial_number      counted by the centre over all its files, from 1
    issued_at          when
    expires_at         from when it cannot be loaded any more
    module             name and id of the module that it is for
    ephemeral_key      the public X25519 key of this one file
    keys               a list: the metadata of a vending key, and its bytes wrapped
    signature          Ed25519 over all the above

There is one way to write each file, so that no byte can change unnoticed.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from keys.canonical_json import (
    CanonicalJsonError,
    JsonValue,
    canonical_bytes,
    read_json,
    readable_bytes,
)
from keys.errors import KeysError
from keys.json_fields import Fields, time_text
from keys.key_load_errors import KeyLoadFormatError, KeyLoadVersionError
from keys.registered_key import RegisteredKey, key_body, parse_key
from keys.trusted_centres import LAB_NOTICE

FORMAT: Final = "sts-vending key load file"
VERSION: Final = 1
LARGEST_FILE_BYTES: Final = 2**20
MOST_KEYS: Final = 1000
SIGNATURE_LABEL: Final = b"sts-vending key load file, version 1\0"

_ID_BYTES: Final = 16
_PUBLIC_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_HEADER: Final = (
    "format",
    "version",
    "notice",
    "centre",
    "serial_number",
    "issued_at",
    "expires_at",
    "module",
    "ephemeral_key",
)
_WRAPPED: Final = "wrapped_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """The centre or the module of a file: a name for people, an id that decides."""

    name: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLoadHeader:
    """What a file says besides its keys.

    Attributes:
        centre: Who issued it.
        serial_number: Which of the centre's files it is, from 1.
        issued_at: When.
        expires_at: From when it cannot be loaded any more.
        module: Who it is for.
        ephemeral_key: The public X25519 key of this one file.

    Raises:
        KeyLoadFormatError: It expires before it is issued, or the serial number is not positive.
    """

    centre: Party
    serial_number: int
    issued_at: datetime
    expires_at: datetime
    module: Party
    ephemeral_key: bytes

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if self.serial_number < 1:
            raise KeyLoadFormatError("serial numbers count from 1")
        if self.expires_at <= self.issued_at:
            raise KeyLoadFormatError("a key load file expires after it is issued")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """One vending key: metadata to read, bytes that only the module can unwrap."""

    key: RegisteredKey
    wrapped: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLoadFile:
    """A whole file. Its signature may be anything until somebody has checked it.

    Raises:
        KeyLoadFormatError: No key at all, too many, or one twice.
    """

    header: KeyLoadHeader
    keys: tuple[WrappedKey, ...]
    signature: bytes

    def __post_init__(self) -> None:
        """Check the list of keys."""
        if not 0 < len(self.keys) <= MOST_KEYS:
            raise KeyLoadFormatError(f"a key load file has 1 to {MOST_KEYS} keys")
        names = Counter(wrapped.key.name for wrapped in self.keys)
        if max(names.values()) > 1:
            raise KeyLoadFormatError("a key load file has each key once")


def wrapping_context(header: KeyLoadHeader, key: RegisteredKey) -> bytes:
    """Return what is authenticated together with a wrapped key: all metadata that concerns it."""
    return canonical_bytes({"file": _header_body(header), "key": key_body(key)})


def wrapping_nonce(position: int) -> bytes:
    """Return the nonce for the key at this position in the list, counted from 0.

    The wrapping key belongs to one file, so a position never comes twice under it.
    """
    return position.to_bytes(12, "big")


def signed_message(header: KeyLoadHeader, keys: tuple[WrappedKey, ...]) -> bytes:
    """Return what the centre signs: the label, and the file without its signature."""
    return SIGNATURE_LABEL + canonical_bytes(_unsigned_body(header, keys))


def format_key_load_file(file: KeyLoadFile) -> bytes:
    """Return the bytes of a file."""
    signature: dict[str, JsonValue] = {"signature": file.signature.hex()}
    return readable_bytes(_unsigned_body(file.header, file.keys) | signature)


def parse_key_load_file(content: bytes) -> KeyLoadFile:
    """Read the bytes of a file. Nothing is said of signature, centre, module or time here.

    Raises:
        KeyLoadFormatError: Not a key load file, or not written in the one way.
        KeyLoadVersionError: One of another version.
    """
    if len(content) > LARGEST_FILE_BYTES:
        _refuse(f"it has more than {LARGEST_FILE_BYTES} bytes")
    try:
        value = read_json(content)
    except CanonicalJsonError as error:
        _refuse(str(error))
    _require_version(value)
    fields = _fields("the file", value, (*_HEADER, "keys", "signature"))
    file = KeyLoadFile(
        header=_header(fields),
        keys=tuple(_wrapped_key(item) for item in fields.items("keys")),
        signature=fields.hexadecimal("signature", size=_SIGNATURE_BYTES),
    )
    if format_key_load_file(file) != content:
        _refuse("it is not written in the one way that is allowed")
    return file


def _header_body(header: KeyLoadHeader) -> dict[str, JsonValue]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "notice": LAB_NOTICE,
        "centre": {"name": header.centre.name, "id": header.centre.id},
        "serial_number": header.serial_number,
        "issued_at": time_text(header.issued_at),
        "expires_at": time_text(header.expires_at),
        "module": {"name": header.module.name, "id": header.module.id},
        "ephemeral_key": header.ephemeral_key.hex(),
    }


def _unsigned_body(header: KeyLoadHeader, keys: tuple[WrappedKey, ...]) -> dict[str, JsonValue]:
    bodies: list[JsonValue] = [
        {**key_body(wrapped.key), _WRAPPED: wrapped.wrapped.hex()} for wrapped in keys
    ]
    return {**_header_body(header), "keys": bodies}


def _require_version(value: JsonValue) -> None:
    """Look at format and version before anything else: another version may have other fields."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        _refuse("it says another format")
    if value.get("version") != VERSION:
        raise KeyLoadVersionError(VERSION)


def _header(fields: Fields) -> KeyLoadHeader:
    return KeyLoadHeader(
        centre=_party("centre", fields.raw("centre")),
        serial_number=fields.number("serial_number"),
        issued_at=fields.time("issued_at"),
        expires_at=fields.time("expires_at"),
        module=_party("module", fields.raw("module")),
        ephemeral_key=fields.hexadecimal("ephemeral_key", size=_PUBLIC_KEY_BYTES),
    )


def _party(where: str, value: JsonValue) -> Party:
    fields = _fields(where, value, ("name", "id"))
    return Party(name=fields.text("name"), id=fields.hexadecimal("id", size=_ID_BYTES).hex())


def _wrapped_key(value: JsonValue) -> WrappedKey:
    if not isinstance(value, dict) or _WRAPPED not in value:
        _refuse(f"a key must have the field {_WRAPPED}")
    metadata = {name: item for name, item in value.items() if name != _WRAPPED}
    wrapped = _fields("a key", {_WRAPPED: value[_WRAPPED]}, (_WRAPPED,))
    return WrappedKey(
        key=parse_key("a key", metadata, refuse=_format_error),
        wrapped=wrapped.hexadecimal(_WRAPPED),
    )


def _fields(where: str, value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields(where, value, names=names, refuse=_format_error)


def _format_error(reason: str) -> KeysError:
    return KeyLoadFormatError(f"not a key load file: {reason}")


def _refuse(reason: str) -> NoReturn:
    raise _format_error(reason)
