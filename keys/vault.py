"""Keys in a file that shows their metadata and hides their bytes.

Each key is sealed with AES-256-GCM together with its metadata and the vault's identity, so neither
can be changed, nor a record be moved to another vault. A seal over the whole list (HMAC-SHA-256)
notices a record that was removed or put back. The keys for both come by HKDF from the 32 bytes of
a key file, or from what scrypt makes of a passphrase. No plaintext key ever touches the disk.
"""

import hmac
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace as replace_fields
from hashlib import sha256
from pathlib import Path
from typing import Final, Self, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.canonical_json import canonical_bytes
from keys.decoder_key_record import DecoderKeyRecord
from keys.errors import (
    AnotherTenantsKeyError,
    FileUnreadableError,
    KeyAlreadyInVaultError,
    UnknownDecoderKeyError,
    UnknownKeyError,
    VaultChangedError,
    VaultHeaderError,
    VaultProtectionError,
    VaultTamperedError,
)
from keys.file_lock import locked_beside
from keys.files import read_private, replace, write_new
from keys.registered_key import KeyName, RegisteredKey
from keys.requests import MeterConfiguration
from keys.secret import Secret
from keys.unlock import Passphrase, ScryptCost, Unlock
from keys.vault_format import (
    IDENTITY_BYTES,
    NONCE_BYTES,
    SealedRecord,
    VaultFile,
    VaultHeader,
    VaultRecord,
    format_vault,
    header_body,
    parse_vault,
    record_body,
    records_body,
)
from sts import DecoderKey, MeterPan, SupplyGroupCode, TariffIndex, VendingKey

_KEY_BYTES: Final = 32
_LABEL: Final = b"sts-vending vault, version 1"
_JOURNAL_LABEL: Final = b"sts-vending issue journal, version 1"
_Name: TypeAlias = tuple[KeyName, MeterPan | None, TariffIndex | None]


class Vault:
    """An opened vault. Make one with ``create``, open one with ``open``."""

    def __init__(self, path: Path, file: VaultFile, *, keys: "_VaultKeys") -> None:
        """Take over a file that has been checked."""
        self.path = path
        self._keys = keys
        self._file = file
        self._content = format_vault(file)
        self._note()

    @classmethod
    def create(cls, path: Path, unlock: Unlock, *, cost: ScryptCost | None = None) -> Self:
        """Write a new, empty vault.

        Args:
            path: Where.
            unlock: What opens it.
            cost: How slow a passphrase is made; None for the default.

        Raises:
            FileExistsRefusedError: A file is in the way.
            FileUnreadableError: The operating system refuses.
        """
        identity = secrets.token_bytes(IDENTITY_BYTES)
        slow = (cost or ScryptCost()) if isinstance(unlock, Passphrase) else None
        keys = _VaultKeys(unlock, identity, cost=slow)
        header = VaultHeader(identity=identity, cost=slow, seal=keys.header_seal())
        created = cls(
            path,
            VaultFile(header=header, records=(), seal=keys.seal(header, ())),
            keys=keys,
        )
        write_new(path, created._content)
        return created

    @classmethod
    def open(cls, path: Path, unlock: Unlock) -> Self:
        """Open a vault and check every record in it.

        Raises:
            VaultFormatError: Not a vault, or scrypt parameters out of bounds.
            VaultProtectionError: A passphrase in the place of a key file, or the reverse.
            VaultHeaderError: Another key, or an altered header.
            VaultTamperedError: A record was altered, added or removed.
            UnsafeFileModeError, FileUnreadableError: The file cannot be used.
        """
        content = read_private(path)
        file = parse_vault(content)
        header = file.header
        if isinstance(unlock, Passphrase) is (header.cost is None):
            raise VaultProtectionError(header.protection)
        keys = _VaultKeys(unlock, header.identity, cost=header.cost)
        if not hmac.compare_digest(header.seal, keys.header_seal()):
            raise VaultHeaderError
        if not hmac.compare_digest(file.seal, keys.seal(header, file.records)):
            raise VaultTamperedError
        for sealed in file.records:
            keys.unseal(sealed)
        if format_vault(file) != content:
            # It says the same, but no program of ours writes it like that.
            raise VaultTamperedError
        opened = cls(path, file, keys=keys)
        opened._content = content
        return opened

    @property
    def cost(self) -> ScryptCost | None:
        """How slow the passphrase is made; None if a key file opens the vault."""
        return self._file.header.cost

    @property
    def protection(self) -> str:
        """What opens the vault, in words."""
        return self._file.header.protection

    @property
    def records(self) -> tuple[RegisteredKey, ...]:
        """The metadata of all vending keys, of every tenant."""
        return tuple(
            sealed.record
            for sealed in self._file.records
            if isinstance(sealed.record, RegisteredKey)
        )

    @property
    def decoder_keys(self) -> tuple[DecoderKeyRecord, ...]:
        """The metadata of all decoder keys from makers, of every tenant."""
        return tuple(
            sealed.record
            for sealed in self._file.records
            if isinstance(sealed.record, DecoderKeyRecord)
        )

    def add(self, record: RegisteredKey, key: VendingKey) -> None:
        """Put a vending key in; the file is replaced at one instant.

        Raises:
            KeyAlreadyInVaultError: The tenant has a key of this supply group and revision.
            VaultChangedError: Another program wrote the vault since it was opened.
            FileLockedError, FileUnreadableError: The file cannot be written.
        """
        self._add([(record, key)])

    def add_all(self, keys: Sequence[tuple[RegisteredKey, VendingKey]]) -> None:
        """Put vending keys in, all or none of them; raises as ``add``."""
        self._add(keys)

    def load_all(self, keys: Sequence[tuple[RegisteredKey, VendingKey]]) -> None:
        """Put in what a key centre has sent: new keys, and new terms for those that are there.

        A key that is there may get other terms and another key expiry number, nothing else.

        Raises:
            KeyAlreadyInVaultError: The tenant has another key of this supply group and revision.
            VaultChangedError, FileLockedError, FileUnreadableError: As for ``add``.
        """
        present = {record.name: record for record in self.records}
        for record, key in keys:
            known = present.get(record.name)
            if known is not None and not self._is_same_key(known, record, key):
                raise _already_there(record)
        replaced = {record.name for record, _ in keys}
        kept = tuple(
            sealed
            for sealed in self._file.records
            if not isinstance(sealed.record, RegisteredKey) or sealed.record.name not in replaced
        )
        self._write((*kept, *self._all_sealed(keys)))

    def add_decoder_keys(self, keys: Sequence[tuple[DecoderKeyRecord, DecoderKey]]) -> None:
        """Put makers' decoder keys in, all or none of them.

        Raises:
            KeyAlreadyInVaultError: The tenant has a key of a meter with the same attributes.
            VaultChangedError, FileLockedError, FileUnreadableError: As for ``add``.
        """
        self._add(keys)

    def find(self, name: KeyName) -> RegisteredKey:
        """Return the metadata of one vending key.

        Raises:
            UnknownKeyError, AnotherTenantsKeyError: No such key, or not for this tenant.
        """
        found = self._vending_keys.get(name.plain)
        if found is not None:
            return found
        group = (name.supply_group_code, name.key_revision_number)
        others = (record.name for record in self.records)
        another_tenant = group in (
            (other.supply_group_code, other.key_revision_number) for other in others
        )
        refusal = AnotherTenantsKeyError if another_tenant else UnknownKeyError
        raise refusal(*map(str, group))

    def find_for(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of the vending key that made the key in a meter.

        Raises:
            UnknownKeyError, AnotherTenantsKeyError: As for ``find``.
        """
        # As in `KeyName.plain`, but without a `KeyName`, which would cost ten times the look-up.
        plain = meter.tenant, meter.supply_group_code.number, meter.key_revision_number.number
        found = self._vending_keys.get(plain)
        return self.find(meter.key_name) if found is None else found

    def find_group(self, tenant: str, group: SupplyGroupCode) -> tuple[RegisteredKey, ...]:
        """Return the metadata of a tenant's vending keys of a supply group; there may be none."""
        return self._groups.get((tenant, group.number), ())

    def find_decoder_key(self, meter: MeterConfiguration) -> DecoderKeyRecord:
        """Return the metadata of the key in a meter, as its maker supplied it.

        Raises:
            UnknownDecoderKeyError: The tenant has none of this meter with these attributes.
        """
        found = self._by_name.get((meter.key_name, meter.meter_pan, meter.tariff_index))
        if found is None or not isinstance(found.record, DecoderKeyRecord):
            raise UnknownDecoderKeyError(meter.meter_pan.digits)
        return found.record

    def unsealed(self, record: RegisteredKey) -> VendingKey:
        """Return a vending key itself. For security modules, and nobody else."""
        return VendingKey(self._keys.unseal(self._sealed(record)))

    def unsealed_decoder_key(self, record: DecoderKeyRecord) -> DecoderKey:
        """Return a decoder key itself. For security modules, and nobody else."""
        return DecoderKey(self._keys.unseal(self._sealed(record)))

    def journal_key(self) -> Secret:
        """Return the key under which modules over this vault encrypt their journal entries."""
        return self._keys.journal_key

    def _sealed(self, record: VaultRecord) -> SealedRecord:
        return self._by_name[_name(record)]

    def _is_same_key(self, known: RegisteredKey, record: RegisteredKey, key: VendingKey) -> bool:
        ken = record.record.key_expiry_number
        return (
            replace_fields(known.record, key_expiry_number=ken) == record.record
            and self.unsealed(known) == key
        )

    def _add(self, keys: Sequence[tuple[VaultRecord, VendingKey | DecoderKey]]) -> None:
        names = set(self._by_name)
        for record, _ in keys:
            name = _name(record)
            if name in names:
                raise _already_there(record)
            names.add(name)
        self._write((*self._file.records, *self._all_sealed(keys)))

    def _all_sealed(
        self, keys: Sequence[tuple[VaultRecord, VendingKey | DecoderKey]]
    ) -> tuple[SealedRecord, ...]:
        return tuple(self._keys.sealed(record, key.expose()) for record, key in keys)

    def _write(self, records: tuple[SealedRecord, ...]) -> None:
        header = self._file.header
        file = VaultFile(header=header, records=records, seal=self._keys.seal(header, records))
        content = format_vault(file)
        try:
            with locked_beside(self.path):
                if read_private(self.path) != self._content:
                    raise VaultChangedError
                replace(self.path, content)
        except OSError as error:
            raise FileUnreadableError(self.path, error.strerror) from error
        self._file, self._content = file, content
        self._note()

    def _note(self) -> None:
        """Know what there is by its name, and vending keys by their supply group."""
        self._by_name = {_name(sealed.record): sealed for sealed in self._file.records}
        self._vending_keys = {key.name.plain: key for key in self.records}
        groups: defaultdict[tuple[str, int], list[RegisteredKey]] = defaultdict(list)
        for key in self._vending_keys.values():
            tenant, group_number, _ = key.name.plain
            groups[tenant, group_number].append(key)
        self._groups = {group: tuple(keys) for group, keys in groups.items()}


class _VaultKeys:
    """The keys of one vault, made from what opens it and from its identity."""

    __slots__ = ("_aead", "_cost", "_identity", "_mac_key", "journal_key")

    def __init__(self, unlock: Unlock, identity: bytes, *, cost: ScryptCost | None) -> None:
        if isinstance(unlock, Passphrase):
            assert cost is not None
            unlock = unlock.stretched(identity, cost)
        material = _expanded(unlock, identity, label=_LABEL, size=2 * _KEY_BYTES)
        self._identity = identity
        self._cost = cost
        self._aead = AESGCM(material[:_KEY_BYTES])
        self._mac_key = material[_KEY_BYTES:]
        self.journal_key = Secret(
            _expanded(unlock, identity, label=_JOURNAL_LABEL, size=_KEY_BYTES)
        )

    def header_seal(self) -> bytes:
        """Return the seal of the header."""
        return self._mac(b"header", canonical_bytes(header_body(self._identity, self._cost)))

    def seal(self, header: VaultHeader, records: tuple[SealedRecord, ...]) -> bytes:
        """Return the seal of header and records."""
        content = canonical_bytes([header.seal.hex(), records_body(records)])
        return self._mac(b"vault", content)

    def sealed(self, record: VaultRecord, key: bytes) -> SealedRecord:
        """Seal one key together with its metadata."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, key, self._context(record))
        return SealedRecord(record=record, nonce=nonce, sealed=sealed)

    def unseal(self, sealed: SealedRecord) -> bytes:
        """Return the key of a record, or raise ``VaultTamperedError``."""
        try:
            return self._aead.decrypt(sealed.nonce, sealed.sealed, self._context(sealed.record))
        except InvalidTag:
            raise VaultTamperedError from None

    def _context(self, record: VaultRecord) -> bytes:
        return canonical_bytes([self._identity.hex(), record_body(record)])

    def _mac(self, label: bytes, message: bytes) -> bytes:
        return hmac.digest(self._mac_key, label + b"\0" + message, sha256)


def _expanded(secret: Secret, salt: bytes, *, label: bytes, size: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=label).derive(
        secret.expose()
    )


def _already_there(record: VaultRecord) -> KeyAlreadyInVaultError:
    name, meter, _ = _name(record)
    group = f"supply group {name.supply_group_code}, key revision {name.key_revision_number}"
    return KeyAlreadyInVaultError(
        group if meter is None else f"a key of meter {meter.digits} for {group}"
    )


def _name(record: VaultRecord) -> _Name:
    """Return what no two records of a vault have in common."""
    if isinstance(record, DecoderKeyRecord):
        return record.key.name, record.meter_pan, record.tariff_index
    return record.name, None, None
