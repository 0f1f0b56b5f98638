"""What a security module lets its bulk operations have: vending keys, rules and tables.

It is for ``keys.bulk`` and nobody else. It is never pickled: a process that works on a fleet has
inherited it from the process that opened the module, or has opened the module itself.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NoReturn, Protocol, final, runtime_checkable

from keys.errors import KeysError
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration
from keys.secret import Secret
from sts import EncryptionAlgorithm, StaTables, VendingKey
from sts.errors import SampleTablesInProductionError

_LABEL: Final = b"sts-vending bulk job, version 1\0"


class NoBulkError(KeysError):
    """The module makes tokens one at a time."""

    code = "NO_BULK"
    hint = "issue one by one, or bring the vending keys into a module software:VAULT"

    def __init__(self, kind: str) -> None:
        """Say what the module is made of."""
        super().__init__(f"a module of the kind {kind} has no bulk operations")


@runtime_checkable
class BulkKeys(Protocol):
    """A source of keys that gives a whole vending key to bulk operations."""

    def bulk_vending_key(self, key: RegisteredKey) -> VendingKey:
        """Return a vending key that has been checked against its check value."""
        ...


class RegisteredKeys(Protocol):
    """Who knows which vending key made the key in a meter."""

    def registered(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of that key, or raise a ``RequestError``."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class BulkAccess:
    """One opened module, as its bulk operations see it.

    Attributes:
        register: Knows the metadata of the vending keys.
        keys: Gives out the vending keys.
        journal_key: From which secrets of jobs are derived.
        lab_mode: Whether tokens of the SAMPLE tables are made.
        sta_tables: The tables for EA07.
    """

    register: RegisteredKeys
    keys: BulkKeys
    journal_key: Secret
    lab_mode: bool
    sta_tables: StaTables

    def require_real_tables(self, algorithm: EncryptionAlgorithm) -> None:
        """Refuse the SAMPLE tables outside lab mode.

        Raises:
            SampleTablesInProductionError: EA07 without licensed tables, and not in a lab.
        """
        if algorithm is EncryptionAlgorithm.STA and self.sta_tables.is_sample and not self.lab_mode:
            raise SampleTablesInProductionError

    def job_secret(self, job: bytes) -> bytes:
        """Return 32 bytes that belong to one job and can be found again by this module alone."""
        return hmac.digest(self.journal_key.expose(), _LABEL + job, sha256)

    def __repr__(self) -> str:
        """Show nothing."""
        return "<BulkAccess>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: it is as good as the vending keys."""
        message = "BulkAccess cannot be pickled"
        raise TypeError(message)
