"""How a vault is written; knows no key and no cipher.

A vault is one JSON object:

    header    format, version, what opens it and how slowly, a random identity, and its own seal
    records   a list: the metadata of a key in clear, its bytes sealed, and the nonce
    seal      over header and records together

A record is a vending key or, with ``kind`` ``decoder-key``, a meter's own key from its maker.
Whatever is sealed is sealed in canonical JSON.
"""

from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from keys.canonical_json import CanonicalJsonError, JsonObject, JsonValue, read_json, readable_bytes
from keys.decoder_key_record import DecoderKeyRecord, decoder_key_body, parse_decoder_key
from keys.errors import VaultFormatError
from keys.json_fields import Fields
from keys.registered_key import RegisteredKey, key_body, parse_key
from keys.unlock import ScryptCost, ScryptCostError

FORMAT: Final = "sts-vending vault"
VERSION: Final = 1
KEY_FILE: Final = "key file"
PASSPHRASE: Final = "passphrase"  # noqa: S105 - the name of a kind of protection
IDENTITY_BYTES: Final = 16
NONCE_BYTES: Final = 12
SEAL_BYTES: Final = 32
_VENDING_KEY: Final = "vending-key"
_DECODER_KEY: Final = "decoder-key"

VaultRecord: TypeAlias = RegisteredKey | DecoderKeyRecord
"""Metadata of a key in a vault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultHeader:
    """What must be known before anything can be opened.

    Attributes:
        identity: 16 random bytes; no two vaults have the same. Also the salt of a passphrase.
        cost: How slow a passphrase is made; None if a key file opens the vault.
        seal: HMAC of the header without this field.
    """

    identity: bytes
    cost: ScryptCost | None
    seal: bytes

    @property
    def protection(self) -> str:
        """What opens the vault."""
        return KEY_FILE if self.cost is None else PASSPHRASE


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRecord:
    """One key: metadata to read, bytes that stay closed without the vault's key."""

    record: VaultRecord
    nonce: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultFile:
    """The whole content of a vault."""

    header: VaultHeader
    records: tuple[SealedRecord, ...]
    seal: bytes


def header_body(identity: bytes, cost: ScryptCost | None) -> JsonObject:
    """Return the fields of a header that its seal covers."""
    named: JsonObject = {"format": FORMAT, "version": VERSION, "identity": identity.hex()}
    if cost is None:
        return {**named, "protection": KEY_FILE}
    scrypt: JsonObject = {"n": cost.n, "r": cost.r, "p": cost.p}
    return {**named, "protection": PASSPHRASE, "scrypt": scrypt}


def record_body(record: VaultRecord) -> JsonObject:
    """Return the metadata of a key as plain JSON values."""
    if isinstance(record, DecoderKeyRecord):
        return {"kind": _DECODER_KEY, "key": decoder_key_body(record)}
    return {"kind": _VENDING_KEY, "key": key_body(record)}


def records_body(records: tuple[SealedRecord, ...]) -> list[JsonValue]:
    """Return all records as plain JSON values."""
    return [
        {
            "record": record_body(sealed.record),
            "nonce": sealed.nonce.hex(),
            "sealed": sealed.sealed.hex(),
        }
        for sealed in records
    ]


def format_vault(vault: VaultFile) -> bytes:
    """Return the bytes of the file."""
    header = header_body(vault.header.identity, vault.header.cost)
    return readable_bytes(
        {
            "header": {**header, "seal": vault.header.seal.hex()},
            "records": records_body(vault.records),
            "seal": vault.seal.hex(),
        }
    )


def parse_vault(content: bytes) -> VaultFile:
    """Read the bytes of the file.

    Raises:
        VaultFormatError: Not a vault, or one of another version. Nothing is said of seals here.
    """
    try:
        value = read_json(content)
    except CanonicalJsonError as error:
        _refuse(str(error))
    fields = _fields("the file", value, ("header", "records", "seal"))
    return VaultFile(
        header=_header(fields.raw("header")),
        records=tuple(_sealed_record(record) for record in fields.items("records")),
        seal=fields.hexadecimal("seal", size=SEAL_BYTES),
    )


def _header(value: JsonValue) -> VaultHeader:
    has_scrypt = isinstance(value, dict) and "scrypt" in value
    names = ("format", "version", "identity", "protection", "seal")
    fields = _fields("the header", value, (*names, "scrypt") if has_scrypt else names)
    if fields.raw("format") != FORMAT:
        _refuse("the header says another format")
    if fields.raw("version") != VERSION:
        _refuse(f"this program knows version {VERSION} only")
    if fields.raw("protection") != (PASSPHRASE if has_scrypt else KEY_FILE):
        _refuse("it is opened by something that this program does not know")
    return VaultHeader(
        identity=fields.hexadecimal("identity", size=IDENTITY_BYTES),
        cost=_scrypt_cost(fields.raw("scrypt")) if has_scrypt else None,
        seal=fields.hexadecimal("seal", size=SEAL_BYTES),
    )


def _scrypt_cost(value: JsonValue) -> ScryptCost:
    """Read the parameters; their bounds are checked before anything is computed with them."""
    scrypt = _fields("scrypt", value, ("n", "r", "p"))
    try:
        return ScryptCost(n=scrypt.number("n"), r=scrypt.number("r"), p=scrypt.number("p"))
    except ScryptCostError as error:
        _refuse(str(error))


def _sealed_record(value: JsonValue) -> SealedRecord:
    fields = _fields("a record", value, ("record", "nonce", "sealed"))
    return SealedRecord(
        record=_record(fields.raw("record")),
        nonce=fields.hexadecimal("nonce", size=NONCE_BYTES),
        sealed=fields.hexadecimal("sealed"),
    )


def _record(value: JsonValue) -> VaultRecord:
    fields = _fields("the metadata of a record", value, ("kind", "key"))
    kind, key = fields.raw("kind"), fields.raw("key")
    if kind == _DECODER_KEY:
        return parse_decoder_key("a record", key, refuse=VaultFormatError)
    if kind != _VENDING_KEY:
        _refuse("a record of a kind that this program does not know")
    return parse_key("a record", key, refuse=VaultFormatError)


def _fields(where: str, value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields(where, value, names=names, refuse=VaultFormatError)


def _refuse(reason: str) -> NoReturn:
    raise VaultFormatError(f"not a vault: {reason}")
