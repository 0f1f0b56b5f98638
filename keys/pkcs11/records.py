"""What a token keeps beside a vending key: its metadata, sealed. Knows no token and no key.

A record is a data object that anybody with the PIN may read, but only this program, by way of a key
inside the token, can have sealed:

    record   the fields of ``HsmRecord``
    seal     HMAC-SHA-256 over the record in canonical JSON, made inside the token

What is read but the seal does not cover is nothing.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from keys.canonical_json import JsonObject, JsonValue, canonical_bytes, read_canonical
from keys.errors import KeysError
from keys.json_fields import Fields
from keys.pkcs11.errors import HsmRecordError
from keys.registered_key import KeyName, RegisteredKey, key_body, parse_key

VERSION: Final = 1
FINGERPRINT_BYTES: Final = 32
SEAL_BYTES: Final = 32
KEY_ID_BYTES: Final = 16
_FIELDS: Final = ("version", "serial_number", "key", "bits", "odd_parity", "wrapped", "fingerprint")
_KEY_BITS: Final = (64, 128, 160)


@dataclass(frozen=True, slots=True, kw_only=True)
class HsmRecord:
    """What is known of a vending key in a token.

    Attributes:
        serial_number: Of two records of one key the greater is the later one.
        key: The metadata.
        bits: How long the key is.
        odd_parity: Of a 64-bit key, whether every byte has odd parity; None for others.
        wrapped: The key under the token's AES key, if it can only be used outside; None if it is
            an object of the token.
        fingerprint: By which the token knows the key again; worthless without the token.
    """

    serial_number: int
    key: RegisteredKey
    bits: int
    odd_parity: bool | None
    wrapped: bytes | None
    fingerprint: bytes


def key_id(name: KeyName) -> bytes:
    """Return the identifier of the object that is the vending key of this name."""
    parts: list[JsonValue] = [
        name.tenant,
        str(name.supply_group_code),
        int(name.key_revision_number),
    ]
    return hashlib.sha256(canonical_bytes(parts)).digest()[:KEY_ID_BYTES]


def sealed_bytes(record: HsmRecord) -> bytes:
    """Return what the seal of a record covers."""
    return canonical_bytes(_body(record))


def format_record(record: HsmRecord, seal: bytes) -> bytes:
    """Return a sealed record as the token keeps it."""
    return canonical_bytes({"record": _body(record), "seal": seal.hex()})


def parse_record(content: bytes) -> tuple[HsmRecord, bytes]:
    """Read what ``format_record`` returned; the seal has not been checked.

    Raises:
        HsmRecordError: Anything else.
    """
    try:
        outer = _fields(read_canonical(content), ("record", "seal"))
        fields = _fields(outer.raw("record"), _FIELDS)
        seal = outer.hexadecimal("seal", size=SEAL_BYTES)
        parity = fields.raw("odd_parity")
        record = HsmRecord(
            serial_number=fields.number("serial_number"),
            key=parse_key("a record", fields.raw("key"), refuse=_refusal),
            bits=fields.number("bits"),
            odd_parity=parity if isinstance(parity, bool) else None,
            wrapped=None if fields.is_null("wrapped") else fields.hexadecimal("wrapped"),
            fingerprint=fields.hexadecimal("fingerprint", size=FINGERPRINT_BYTES),
        )
    except KeysError:
        raise HsmRecordError from None
    if record.bits not in _KEY_BITS or canonical_bytes(_body(record)) != canonical_bytes(
        outer.raw("record")
    ):
        raise HsmRecordError
    return record, seal


def _body(record: HsmRecord) -> JsonObject:
    return {
        "version": VERSION,
        "serial_number": record.serial_number,
        "key": key_body(record.key),
        "bits": record.bits,
        "odd_parity": record.odd_parity,
        "wrapped": None if record.wrapped is None else record.wrapped.hex(),
        "fingerprint": record.fingerprint.hex(),
    }


def _fields(value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields("a record", value, names=names, refuse=_refusal)


def _refusal(_: str) -> KeysError:
    return HsmRecordError()
