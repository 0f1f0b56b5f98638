"""Vending keys in a file that shows their metadata and hides their bytes.

Each key is sealed with AES-256-GCM together with its metadata and the vault's identity, so neither
can be changed, nor a record be moved to another vault. A seal over the whole list (HMAC-SHA-256)
notices a record that was removed or put back. The keys for both come from the 32 bytes of the key
file by HKDF. No plaintext key ever touches the disk.
"""

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final, Self, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.errors import (
    AnotherTenantsKeyError,
    KeyAlreadyInVaultError,
    UnknownKeyError,
    VaultHeaderError,
    VaultTamperedError,
)
from keys.files import read_private, replace, write_new
from keys.records import VendingKeyRecord
from keys.secret import Secret
from keys.vault_format import (
    IDENTITY_BYTES,
    KEY_FILE_PROTECTION,
    NONCE_BYTES,
    SealedRecord,
    VaultFile,
    VaultHeader,
    canonical,
    format_vault,
    header_body,
    parse_vault,
    record_body,
    records_body,
)
from sts import KeyRevisionNumber, SupplyGroupCode, VendingKey

_KEY_BYTES: Final = 32
_KeyName: TypeAlias = tuple[str, SupplyGroupCode, KeyRevisionNumber]


class Vault:
    """An opened vault. Make one with ``create``, open one with ``open``."""

    def __init__(self, path: Path, file: VaultFile, *, keys: "_VaultKeys") -> None:
        """Take over a file that has been checked."""
        self._path = path
        self._file = file
        self._keys = keys

    @classmethod
    def create(cls, path: Path, key: Secret) -> Self:
        """Write a new, empty vault.

        Raises:
            FileExistsRefusedError: A file is in the way.
            FileUnreadableError: The operating system refuses.
        """
        identity = secrets.token_hex(IDENTITY_BYTES)
        keys = _VaultKeys(key, identity)
        header = VaultHeader(
            identity=identity,
            protection=KEY_FILE_PROTECTION,
            seal=keys.header_seal(KEY_FILE_PROTECTION),
        )
        file = VaultFile(header=header, records=(), seal=keys.seal(header, ()))
        write_new(path, format_vault(file))
        return cls(path, file, keys=keys)

    @classmethod
    def open(cls, path: Path, key: Secret) -> Self:
        """Open a vault and check every record in it.

        Raises:
            VaultFormatError: Not a vault.
            VaultHeaderError: Another key, or an altered header.
            VaultTamperedError: A record was altered, added or removed.
            UnsafeFileModeError, FileUnreadableError: The file cannot be used.
        """
        file = parse_vault(read_private(path))
        keys = _VaultKeys(key, file.header.identity)
        if not hmac.compare_digest(file.header.seal, keys.header_seal(file.header.protection)):
            raise VaultHeaderError
        if not hmac.compare_digest(file.seal, keys.seal(file.header, file.records)):
            raise VaultTamperedError
        for sealed in file.records:
            keys.unseal(sealed)
        return cls(path, file, keys=keys)

    @property
    def records(self) -> tuple[VendingKeyRecord, ...]:
        """The metadata of all keys, of every tenant."""
        return tuple(sealed.record for sealed in self._file.records)

    def add(self, record: VendingKeyRecord, key: VendingKey) -> None:
        """Put a vending key in; the file is replaced at one instant.

        Raises:
            KeyAlreadyInVaultError: The tenant has a key of this supply group and revision.
            FileUnreadableError: The operating system refuses.
        """
        if any(_name(present) == _name(record) for present in self.records):
            raise KeyAlreadyInVaultError(
                str(record.supply_group_code), str(record.key_revision_number)
            )
        records = (*self._file.records, self._keys.sealed(record, key))
        file = VaultFile(
            header=self._file.header,
            records=records,
            seal=self._keys.seal(self._file.header, records),
        )
        replace(self._path, format_vault(file))
        self._file = file

    def find(
        self,
        tenant: str,
        supply_group_code: SupplyGroupCode,
        *,
        key_revision_number: KeyRevisionNumber,
    ) -> VendingKeyRecord:
        """Return the metadata of one key.

        Raises:
            UnknownKeyError, AnotherTenantsKeyError: No such key, or not for this tenant.
        """
        return self._sealed((tenant, supply_group_code, key_revision_number)).record

    def unsealed(self, record: VendingKeyRecord) -> VendingKey:
        """Return the key itself. For security modules, and nobody else.

        Raises:
            UnknownKeyError, AnotherTenantsKeyError: As for ``find``.
        """
        return self._keys.unseal(self._sealed(_name(record)))

    def _sealed(self, name: _KeyName) -> SealedRecord:
        """Return what lies under a name; several tenants may share a supply group."""
        _, *group_and_revision = name
        another_tenant = False
        for sealed in self._file.records:
            found = _name(sealed.record)
            if found == name:
                return sealed
            another_tenant |= list(found[1:]) == group_and_revision
        refusal = AnotherTenantsKeyError if another_tenant else UnknownKeyError
        raise refusal(*map(str, group_and_revision))


class _VaultKeys:
    """The two keys of one vault, made from its key file and its identity."""

    __slots__ = ("_aead", "_identity", "_mac_key")

    def __init__(self, key: Secret, identity: str) -> None:
        material = HKDF(
            algorithm=hashes.SHA256(),
            length=2 * _KEY_BYTES,
            salt=bytes.fromhex(identity),
            info=b"sts-vending vault, version 1",
        ).derive(key.expose())
        self._identity = identity
        self._aead = AESGCM(material[:_KEY_BYTES])
        self._mac_key = material[_KEY_BYTES:]

    def header_seal(self, protection: str) -> str:
        """Return the seal of the header."""
        return self._mac(b"header", canonical(header_body(self._identity, protection)))

    def seal(self, header: VaultHeader, records: tuple[SealedRecord, ...]) -> str:
        """Return the seal of header and records."""
        return self._mac(b"vault", canonical([header.seal, records_body(records)]))

    def sealed(self, record: VendingKeyRecord, key: VendingKey) -> SealedRecord:
        """Seal one key together with its metadata."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, key.expose(), self._context(record))
        return SealedRecord(record=record, nonce=nonce.hex(), sealed=sealed.hex())

    def unseal(self, sealed: SealedRecord) -> VendingKey:
        """Return the key of a record, or raise ``VaultTamperedError``."""
        nonce, cipher_text = bytes.fromhex(sealed.nonce), bytes.fromhex(sealed.sealed)
        try:
            return VendingKey(self._aead.decrypt(nonce, cipher_text, self._context(sealed.record)))
        except InvalidTag:
            raise VaultTamperedError from None

    def _context(self, record: VendingKeyRecord) -> bytes:
        return canonical([self._identity, record_body(record)])

    def _mac(self, label: bytes, message: bytes) -> str:
        return hmac.digest(self._mac_key, label + b"\0" + message, hashlib.sha256).hex()


def _name(record: VendingKeyRecord) -> _KeyName:
    """Return what names a vending key everywhere: whose it is, its supply group and revision."""
    return record.tenant, record.supply_group_code, record.key_revision_number
