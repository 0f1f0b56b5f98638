"""A security module as its custodians see it: keys and clients come in, all is written down.

Nothing here makes a token. What enters is in the audit log before it is in the vault, so no key
comes in unseen; where the vault then refuses, that stands in the log behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol, Self

from keys import key_load
from keys.audit import AuditLog
from keys.audit_record import AuditEvent
from keys.audit_writing import AuditWriter
from keys.chain_seal import Ed25519SealKey
from keys.client_errors import LabModuleOnlyError
from keys.clients import ClientCredential
from keys.journal_file import FileJournal
from keys.key_load import KeyInTransit, LoadedFile, require_fits
from keys.key_load_errors import RevokedCentreError
from keys.module_file import ModuleFile
from keys.module_home import ModuleHome, module_file_key
from keys.randomness import RandomBytes
from keys.registered_key import RegisteredKey
from keys.secret import Secret
from keys.trusted_centres import CentreIdentity
from sts import VendingKey

BY_HAND: Final = "a key that one person has seen"


class KeyStore(Protocol):
    """Where the vending keys of a module lie: a vault, or an HSM."""

    @property
    def records(self) -> tuple[RegisteredKey, ...]:
        """The metadata of all vending keys, of every tenant."""
        ...

    def load_all(self, keys: Sequence[tuple[RegisteredKey, VendingKey]]) -> None:
        """Put vending keys in, all or none of them, or give new terms to those that are there."""
        ...

    def journal_key(self) -> Secret:
        """Return the 32 bytes under which the module's journal is encrypted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How one vending key comes in.

    Attributes:
        event: As a component, by hand, or drawn here.
        custodians: Who took part in a ceremony.
        note: What else is to stand in the log.
    """

    event: AuditEvent
    custodians: tuple[str, ...] = ()
    note: str | None = None


class Custody:
    """An opened module, for its custodians. Make one with ``begin``, open one with ``open``.

    Attributes:
        store: Where its vending keys lie.
        file: Who it is.
        audit: Where everything is written down.
    """

    def __init__(self, store: KeyStore, file: ModuleFile, *, audit: AuditWriter) -> None:
        """Take over what has been checked."""
        self.store: Final = store
        self.file: Final = file
        self.audit: Final = audit

    @classmethod
    def begin(
        cls,
        place: Path,
        store: KeyStore,
        *,
        name: str,
        is_lab: bool,
        actor: str,
        now: datetime,
        random_bytes: RandomBytes,
    ) -> Self:
        """Make a module over keys: its identity, its journal and its audit log.

        Args:
            place: The vault, or the settings of an HSM.
            store: The same, opened.
            name: What people call the module.
            is_lab: Whether it is a lab module, or one for real meters; that never changes.
            actor: Who makes it.
            now: The present time, aware.
            random_bytes: Where random bytes come from.

        Raises:
            IdentityError: No printable name.
            AuditTextError: No printable actor.
            FileExistsRefusedError, FileUnreadableError: The files cannot be written.
        """
        home = ModuleHome(place)
        home.require_empty()
        file = ModuleFile.create(
            home.module,
            name,
            unlock=module_file_key(store.journal_key()),
            is_lab=is_lab,
            random_bytes=random_bytes,
        )
        log = AuditLog.create(
            home.audit,
            f"module {file.identity.public.id}",
            key=file.identity.entry_key(),
            actor=actor,
            now=now,
        )
        FileJournal.create(home.journal).close()
        return cls(store, file, audit=AuditWriter(log, actor))

    @classmethod
    def open(cls, place: Path, store: KeyStore, *, actor: str, random_bytes: RandomBytes) -> Self:
        """Open the module over keys that have been opened.

        Raises:
            ModuleNotBegunError: There is none.
            SealedFileError, VaultError, ChainError: One of its files cannot be used.
        """
        home = ModuleHome(place)
        file = home.open_file(store.journal_key(), random_bytes=random_bytes)
        log = AuditLog.open(home.audit, key=file.identity.entry_key())
        return cls(store, file, audit=AuditWriter(log, actor))

    def checkpoint_key(self) -> Ed25519SealKey:
        """Return the key that signs checkpoints of the audit log."""
        return self.file.identity.checkpoint_key()

    def load(self, content: bytes, *, now: datetime) -> LoadedFile:
        """Take the keys of a key load file into the store.

        Raises:
            KeyLoadError: The file is refused, nothing was loaded.
            KeyAlreadyInVaultError: It brings another key where there is one.
            VaultError, SealedFileError: A file of the module cannot be written.
        """
        with self.audit.refusals_of(AuditEvent.LOAD, now=now):
            loaded = key_load.load(content, self.file.identity, centres=self.file.centres, now=now)
            header = loaded.header
            self.audit.log.append(
                *(
                    self.audit.record(
                        AuditEvent.LOAD,
                        now=now,
                        key=transit.key.name,
                        check_value=transit.key.record.check_value,
                        party_id=header.centre.id,
                        serial_number=header.serial_number,
                    )
                    for transit in loaded.keys
                )
            )
            self.store.load_all([(transit.key, transit.vending_key) for transit in loaded.keys])
            self.file.remember(loaded.centre)
        return loaded

    def take(
        self, key: RegisteredKey, vending_key: VendingKey, *, origin: Origin, now: datetime
    ) -> None:
        """Take one vending key into the store that did not come in a key load file.

        Raises:
            LabModuleOnlyError: By hand, into a module for real meters.
            KeyLoadMismatchError: The key does not fit its check value or its algorithm.
            KeyAlreadyInVaultError: There is another key of this name.
            VaultError: The vault cannot be written.
        """
        facts = {"key": key.name, "check_value": key.record.check_value}
        with self.audit.refusals_of(origin.event, now=now, **facts):
            if origin.event is not AuditEvent.CEREMONY:
                self.require_lab(BY_HAND)
            require_fits(KeyInTransit(key=key, vending_key=vending_key))
            self.audit.write(
                origin.event, now=now, custodians=origin.custodians, note=origin.note, **facts
            )
            self.store.load_all([(key, vending_key)])

    def trust(self, identity: CentreIdentity, *, now: datetime) -> None:
        """Take key load files of this centre from now on.

        Raises:
            RevokedCentreError: It was distrusted once, and stays so.
            SealedFileError, VaultError: The module's file cannot be written.
        """
        with self.audit.refusals_of(AuditEvent.TRUST, now=now, party_id=identity.id):
            for centre in self.file.centres:
                if centre.identity.id == identity.id and centre.revoked_at is not None:
                    raise RevokedCentreError(identity.id, centre.revoked_at)
            self.audit.write(AuditEvent.TRUST, now=now, party_id=identity.id, note=identity.name)
            self.file.trust(identity)

    def distrust(self, centre_id: str, *, now: datetime) -> None:
        """Take no key load files of this centre any more.

        Raises:
            UnknownCentreError: The module does not know it.
            SealedFileError, VaultError: The module's file cannot be written.
        """
        with self.audit.refusals_of(AuditEvent.REVOKE, now=now):
            self.file.revoke(centre_id, now=now)
            self.audit.write(AuditEvent.REVOKE, now=now, party_id=centre_id)

    def add_client(self, credential: ClientCredential, *, now: datetime) -> None:
        """Let the client in that holds this credential, see ``ModuleFile.new_credential``.

        Raises:
            ClientExistsError, ClientCredentialRefusedError: Not this one.
            SealedFileError, VaultError: The module's file cannot be written.
        """
        with self.audit.refusals_of(AuditEvent.CLIENT, now=now):
            self.audit.write(AuditEvent.CLIENT, now=now, note=credential.client)
            self.file.add_client(credential, now=now)

    def revoke_client(self, name: str, *, now: datetime) -> None:
        """Let a client in no longer.

        Raises:
            ClientUnknownError: There is none of this name.
            SealedFileError, VaultError: The module's file cannot be written.
        """
        with self.audit.refusals_of(AuditEvent.REVOKE, now=now):
            self.file.revoke_client(name, now=now)
            self.audit.write(AuditEvent.REVOKE, now=now, note=name)

    def require_lab(self, what: str) -> None:
        """Refuse what is for lab modules only.

        Raises:
            LabModuleOnlyError: This is a production module.
        """
        if not self.file.is_lab:
            raise LabModuleOnlyError(what)
