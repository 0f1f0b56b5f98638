"""How a vault is written; knows no key and no cipher.

A vault is one JSON object:

    header    format, version, how the key is protected, a random identity, and its own seal
    records   a list: the metadata of a vending key in clear, its bytes sealed, and the nonce
    seal      over header and records together

Whatever is sealed is sealed in the canonical form that ``canonical`` gives it.
"""

import json
from dataclasses import dataclass
from typing import Final

from keys.errors import RecordError, VaultFormatError
from keys.records import VendingKeyRecord
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    StsError,
    SupplyGroupCode,
)

FORMAT: Final = "sts-vending vault"
VERSION: Final = 1
KEY_FILE_PROTECTION: Final = "key-file"
IDENTITY_BYTES: Final = 16
NONCE_BYTES: Final = 12
SEAL_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultHeader:
    """What must be known before anything can be opened.

    Attributes:
        identity: 16 random bytes, hexadecimal; no two vaults have the same.
        protection: Where the key comes from.
        seal: HMAC of the header without this field, hexadecimal.
    """

    identity: str
    protection: str
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRecord:
    """One vending key: metadata to read, bytes that stay closed without the vault's key."""

    record: VendingKeyRecord
    nonce: str
    sealed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultFile:
    """The whole content of a vault."""

    header: VaultHeader
    records: tuple[SealedRecord, ...]
    seal: str


def canonical(value: object) -> bytes:
    """Return the one way to write a JSON value: sorted names, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def header_body(identity: str, protection: str) -> dict[str, object]:
    """Return the fields of a header that its seal covers."""
    return {"format": FORMAT, "version": VERSION, "protection": protection, "identity": identity}


def record_body(record: VendingKeyRecord) -> dict[str, object]:
    """Return the metadata of a vending key as plain JSON values."""
    return {
        "tenant": record.tenant,
        "supply_group_code": str(record.supply_group_code),
        "key_revision_number": int(record.key_revision_number),
        "key_type": int(record.key_type),
        "key_generation_algorithm": str(record.key_generation_algorithm),
        "base_date": str(record.base_date),
        "key_expiry_number": int(record.key_expiry_number),
        "check_value": record.check_value,
    }


def records_body(records: tuple[SealedRecord, ...]) -> list[object]:
    """Return all records as plain JSON values."""
    return [
        {"record": record_body(sealed.record), "nonce": sealed.nonce, "sealed": sealed.sealed}
        for sealed in records
    ]


def format_vault(vault: VaultFile) -> bytes:
    """Return the bytes of the file."""
    header = header_body(vault.header.identity, vault.header.protection)
    content = {
        "header": header | {"seal": vault.header.seal},
        "records": records_body(vault.records),
        "seal": vault.seal,
    }
    return json.dumps(content, indent=2).encode("ascii") + b"\n"


def parse_vault(content: bytes) -> VaultFile:
    """Read the bytes of the file.

    Raises:
        VaultFormatError: Not a vault, or one of another version. Nothing is said of seals here.
    """
    try:
        fields = _fields("the file", json.loads(content), ("header", "records", "seal"))
        header = _header(fields["header"])
        records = fields["records"]
        if not isinstance(records, list):
            raise VaultFormatError("not a vault: records must be a list")
        return VaultFile(
            header=header,
            records=tuple(_sealed_record(record) for record in records),
            seal=_hex("seal", fields["seal"], bytes_count=SEAL_BYTES),
        )
    except (ValueError, RecursionError):
        raise VaultFormatError("not a vault: not JSON") from None


def _header(value: object) -> VaultHeader:
    fields = _fields("header", value, ("format", "version", "protection", "identity", "seal"))
    if fields["format"] != FORMAT:
        raise VaultFormatError("not a vault: the header says another format")
    if fields["version"] != VERSION:
        raise VaultFormatError("a vault of another version: this program knows version 1")
    if fields["protection"] != KEY_FILE_PROTECTION:
        raise VaultFormatError("a vault whose protection this program does not know")
    return VaultHeader(
        identity=_hex("identity", fields["identity"], bytes_count=IDENTITY_BYTES),
        protection=KEY_FILE_PROTECTION,
        seal=_hex("header seal", fields["seal"], bytes_count=SEAL_BYTES),
    )


def _sealed_record(value: object) -> SealedRecord:
    fields = _fields("a record", value, ("record", "nonce", "sealed"))
    return SealedRecord(
        record=_record(fields["record"]),
        nonce=_hex("nonce", fields["nonce"], bytes_count=NONCE_BYTES),
        sealed=_hex("sealed key", fields["sealed"]),
    )


def _record(value: object) -> VendingKeyRecord:
    names = tuple(VendingKeyRecord.__dataclass_fields__)
    fields = _fields("a record", value, names)
    try:
        return VendingKeyRecord(
            tenant=_text("tenant", fields["tenant"]),
            supply_group_code=SupplyGroupCode.parse(_text("group", fields["supply_group_code"])),
            key_revision_number=KeyRevisionNumber(_number(fields["key_revision_number"])),
            key_type=KeyType.parse(_number(fields["key_type"])),
            key_generation_algorithm=KeyGenerationAlgorithm.parse(
                _text("algorithm", fields["key_generation_algorithm"])
            ),
            base_date=BaseDate.parse(_text("base date", fields["base_date"])),
            key_expiry_number=KeyExpiryNumber(_number(fields["key_expiry_number"])),
            check_value=_text("check value", fields["check_value"]),
        )
    except (StsError, RecordError) as error:
        raise VaultFormatError(f"not a vault: a record's {error}") from None


def _fields(where: str, value: object, names: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise VaultFormatError(f"not a vault: {where} must have the fields {', '.join(names)}")
    return value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise VaultFormatError(f"not a vault: {name} must be text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise VaultFormatError("not a vault: a record's number is not a whole number")
    return value


def _hex(name: str, value: object, *, bytes_count: int | None = None) -> str:
    text = _text(name, value)
    try:
        found = len(bytes.fromhex(text))
    except ValueError:
        raise VaultFormatError(f"not a vault: {name} must be hexadecimal") from None
    if bytes_count not in (None, found):
        raise VaultFormatError(f"not a vault: {name} must have {bytes_count} bytes")
    return text
