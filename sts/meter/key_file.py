"""The key of one meter, sealed under a passphrase: how a security module hands it to a maker.

A JSON object. All but the last field can be read by everybody, and none of them can be exchanged
for another: they are sealed together with the key.

====================  ============================================================================
format, version       ``sts-vending meter key file``, 1
meter                 DRN, 11 or 13 digits
encryption_algorithm  ``07``, ``09`` or ``11``
key_type              0 to 2
supply_group_code     6 digits
tariff_index          2 digits
key_revision_number   1 to 9; null for a key of type 0
key_expiry_number     0 to 255
base_date             ``93``, ``14`` or ``35``; null if it was not told
scrypt                ``n``, ``r`` and ``p``: what it costs to try a passphrase
salt, nonce           16 and 12 bytes, hexadecimal
sealed_key            the decoder key, AES-256-GCM with its tag, hexadecimal
====================  ============================================================================

The AES key is what scrypt makes of the passphrase in UTF-8 and the salt. Sealed with the decoder
key is the object without ``sealed_key`` as JSON with its names sorted, without spaces, in ASCII.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import scrypt
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sts.errors import StsError
from sts.identifiers import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.meter.errors import MeterKeyFileError, MeterKeyFileSealError
from sts.meter.state import DecoderKeyRegister

FORMAT: Final = "sts-vending meter key file"
VERSION: Final = 1
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
LARGEST_KEY_FILE: Final = 10_000
"""Characters: many times what such a file has."""

_AES_KEY_BYTES: Final = 32
_SEALED: Final = "sealed_key"
_LEAST_COST: Final = 1 << 14
_LARGEST_MEMORY: Final = 1 << 28
_LARGEST_PARALLELISM: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it costs to try one passphrase.

    Attributes:
        n: Rounds, a power of two.
        r: Block size.
        p: How often.

    Raises:
        MeterKeyFileError: Too cheap to protect anything, or too dear for this machine.
    """

    n: int = 1 << 15
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Check the bounds: a file must not be able to fill the memory of whoever opens it."""
        power_of_two = self.n >= _LEAST_COST and not self.n & (self.n - 1)
        if not power_of_two or self.r < 1 or not 1 <= self.p <= _LARGEST_PARALLELISM:
            raise MeterKeyFileError("such a cost of scrypt is not accepted")
        if 128 * self.n * self.r > _LARGEST_MEMORY:
            raise MeterKeyFileError("such a cost of scrypt is not accepted")


STANDARD_COST: Final = Cost()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKey:
    """A key and the meter that it is for.

    Attributes:
        decoder_reference_number: The meter.
        encryption_algorithm: Its cipher.
        register: The key and its attributes.
    """

    decoder_reference_number: DecoderReferenceNumber
    encryption_algorithm: EncryptionAlgorithm
    register: DecoderKeyRegister


def seal_meter_key(
    meter_key: MeterKey, passphrase: str, *, salt: bytes, nonce: bytes, cost: Cost = STANDARD_COST
) -> str:
    """Return the text of a file.

    Args:
        meter_key: What is sealed.
        passphrase: What opens it again.
        salt: 16 random bytes.
        nonce: 12 random bytes.
        cost: What it costs to try a passphrase.
    """
    register = meter_key.register
    revision, base_date = register.key_revision_number, register.base_date
    header: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "meter": str(meter_key.decoder_reference_number),
        "encryption_algorithm": str(meter_key.encryption_algorithm),
        "key_type": int(register.key_type),
        "supply_group_code": str(register.supply_group_code),
        "tariff_index": str(register.tariff_index),
        "key_revision_number": None if revision is None else revision.number,
        "key_expiry_number": register.key_expiry_number.number,
        "base_date": None if base_date is None else base_date.value,
        "scrypt": asdict(cost),
        "salt": salt.hex(),
        "nonce": nonce.hex(),
    }
    cipher = _cipher(passphrase, salt, cost)
    sealed = cipher.encrypt(nonce, register.decoder_key.expose(), _sealed_text(header))
    return json.dumps({**header, _SEALED: sealed.hex()}, indent=2) + "\n"


def open_meter_key(text: str, passphrase: str) -> MeterKey:
    """Return what is sealed in a file.

    Raises:
        MeterKeyFileError: The text is not that of such a file.
        MeterKeyFileSealError: Another passphrase, or something was altered.
    """
    found = _read_object(text)
    sealed = _field(found, _SEALED, bytes.fromhex)
    header = {name: value for name, value in found.items() if name != _SEALED}
    salt, nonce = _field(found, "salt", bytes.fromhex), _field(found, "nonce", bytes.fromhex)
    if (len(salt), len(nonce)) != (SALT_BYTES, NONCE_BYTES):
        raise MeterKeyFileError("salt or nonce has another length")
    cipher = _cipher(passphrase, salt, _field(found, "scrypt", lambda cost: Cost(**cost)))
    try:
        key = cipher.decrypt(nonce, sealed, _sealed_text(header))
    except InvalidTag:
        raise MeterKeyFileSealError from None
    return MeterKey(
        decoder_reference_number=_field(found, "meter", DecoderReferenceNumber),
        encryption_algorithm=_field(found, "encryption_algorithm", EncryptionAlgorithm.parse),
        register=_register(found, key),
    )


def _register(found: Mapping[str, Any], key: bytes) -> DecoderKeyRegister:
    try:
        return DecoderKeyRegister(
            decoder_key=DecoderKey(key),
            key_type=_field(found, "key_type", KeyType),
            supply_group_code=_field(found, "supply_group_code", SupplyGroupCode.parse),
            tariff_index=_field(found, "tariff_index", TariffIndex.parse),
            key_revision_number=_optional(found, "key_revision_number", KeyRevisionNumber),
            key_expiry_number=_field(found, "key_expiry_number", KeyExpiryNumber),
            base_date=_optional(found, "base_date", BaseDate),
        )
    except MeterKeyFileError:
        raise
    except StsError as error:
        raise MeterKeyFileError(str(error)) from None


def _read_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text[:LARGEST_KEY_FILE])
    except (RecursionError, ValueError):
        raise MeterKeyFileError("it is not JSON") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise MeterKeyFileError("it is no meter key file")
    if found.get("version") != VERSION:
        raise MeterKeyFileError(f"its version is not {VERSION}")
    return found


def _field(found: Mapping[str, Any], name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - of each type
    try:
        return read(found[name])
    except MeterKeyFileError:
        raise
    except (StsError, AttributeError, KeyError, TypeError, ValueError):
        # Never the value: it might be a key that somebody put in the wrong place.
        raise MeterKeyFileError(f"{name} is missing, or not what it should be") from None


def _optional(found: Mapping[str, Any], name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - of each type
    return _field(found, name, lambda value: None if value is None else read(value))


def _cipher(passphrase: str, salt: bytes, cost: Cost) -> AESGCM:
    return AESGCM(
        scrypt(
            passphrase.encode(),
            salt=salt,
            n=cost.n,
            r=cost.r,
            p=cost.p,
            maxmem=2 * _LARGEST_MEMORY,
            dklen=_AES_KEY_BYTES,
        )
    )


def _sealed_text(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")
