"""A lab key centre whose every act is written down in an audit log of its own."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from keys.audit import AuditLog
from keys.audit_record import AuditEvent
from keys.audit_writing import AuditWriter
from keys.chain_seal import Ed25519SealKey
from keys.custody import Origin
from keys.errors import FileExistsRefusedError
from keys.lab_centre import LabCentre
from keys.module_identity import PublicIdentity
from keys.randomness import RandomBytes
from keys.registered_key import KeyName, RegisteredKey
from keys.unlock import ScryptCost, Unlock
from sts import VendingKey


class CentreCustody:
    """An opened lab centre with its audit log. Make one with ``begin``, open one with ``open``.

    Attributes:
        centre: The centre.
        audit: Where everything is written down.
    """

    def __init__(self, centre: LabCentre, *, audit: AuditWriter) -> None:
        """Take over what has been checked."""
        self.centre: Final = centre
        self.audit: Final = audit

    @classmethod
    def begin(
        cls,
        path: Path,
        name: str,
        *,
        unlock: Unlock,
        actor: str,
        now: datetime,
        random_bytes: RandomBytes,
        cost: ScryptCost | None = None,
    ) -> Self:
        """Make a centre and its audit log.

        Raises:
            CentreIdentityError, AuditTextError: No printable name, no printable actor.
            FileExistsRefusedError, FileUnreadableError: The files cannot be written.
        """
        log_path = audit_path(path)
        if log_path.exists():
            raise FileExistsRefusedError(log_path)
        centre = LabCentre.create(path, name, unlock=unlock, random_bytes=random_bytes, cost=cost)
        log = AuditLog.create(
            log_path,
            f"centre {centre.identity.id}",
            key=centre.entry_key(),
            actor=actor,
            now=now,
        )
        return cls(centre, audit=AuditWriter(log, actor))

    @classmethod
    def open(cls, path: Path, *, unlock: Unlock, actor: str, random_bytes: RandomBytes) -> Self:
        """Open a centre and its audit log.

        Raises:
            SealedFileError, VaultError, ChainError: One of the files cannot be used.
        """
        centre = LabCentre.open(path, unlock=unlock, random_bytes=random_bytes)
        log = AuditLog.open(audit_path(path), key=centre.entry_key())
        return cls(centre, audit=AuditWriter(log, actor))

    def checkpoint_key(self) -> Ed25519SealKey:
        """Return the key that signs checkpoints of the audit log."""
        return self.centre.checkpoint_key()

    def take(
        self, key: RegisteredKey, vending_key: VendingKey, *, origin: Origin, now: datetime
    ) -> None:
        """Put a vending key into the register.

        Raises:
            CentreKeyExistsError, KeyLoadMismatchError, SealedFileError, VaultError: As for
                ``LabCentre.add``.
        """
        facts = {"key": key.name, "check_value": key.record.check_value}
        with self.audit.refusals_of(origin.event, now=now, **facts):
            self.audit.write(
                origin.event, now=now, custodians=origin.custodians, note=origin.note, **facts
            )
            self.centre.add(key, vending_key)

    def issue(
        self,
        module: PublicIdentity,
        names: Iterable[KeyName],
        *,
        now: datetime,
        expires_at: datetime,
    ) -> bytes:
        """Return a key load file that brings these keys to one module.

        Raises:
            LabCentreError, KeyLoadFormatError, IdentityError, SealedFileError, VaultError: As for
                ``LabCentre.issue``.
        """
        with self.audit.refusals_of(AuditEvent.KEY_LOAD_FILE, now=now, party_id=module.id):
            content = self.centre.issue(module, names, now=now, expires_at=expires_at)
            issued = self.centre.issued[-1]
            self.audit.log.append(
                *(
                    self.audit.record(
                        AuditEvent.KEY_LOAD_FILE,
                        now=now,
                        key=name,
                        party_id=module.id,
                        serial_number=issued.serial_number,
                    )
                    for name in issued.keys
                )
            )
        return content

    def revoke_key(self, name: KeyName, *, now: datetime) -> None:
        """Give a key to nobody any more.

        Raises:
            CentreKeyUnknownError, SealedFileError, VaultError: As for ``LabCentre.revoke_key``.
        """
        with self.audit.refusals_of(AuditEvent.REVOKE, now=now, key=name):
            self.centre.revoke_key(name, now=now)
            self.audit.write(AuditEvent.REVOKE, now=now, key=name)

    def revoke_module(self, module_id: str, *, now: datetime) -> None:
        """Give a module no keys any more.

        Raises:
            CentreModuleIdError, SealedFileError, VaultError: As for ``LabCentre.revoke_module``.
        """
        with self.audit.refusals_of(AuditEvent.REVOKE, now=now):
            self.centre.revoke_module(module_id, now=now)
            self.audit.write(AuditEvent.REVOKE, now=now, party_id=module_id)


def audit_path(path: Path) -> Path:
    """Return where the audit log of a centre lies: beside it."""
    return path.with_name(f"{path.name}.audit")
