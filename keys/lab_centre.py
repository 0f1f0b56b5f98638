"""A key centre for labs: its own vending keys, given to security modules in key load files.

For trials, training and tests. Keys of supply groups that the STS Association allocates live only
in certified modules and come from the Association's own centre; this one cannot take its place, and
everything that it hands out says so (``LAB_NOTICE``).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys import key_load
from keys.chain_seal import Ed25519SealKey, HmacSealKey
from keys.key_load import KeyInTransit, require_fits
from keys.lab_centre_errors import (
    CentreKeyExistsError,
    CentreKeyExpiredError,
    CentreKeyRevokedError,
    CentreKeyUnknownError,
    CentreModuleIdError,
    CentreModuleRevokedError,
)
from keys.lab_centre_state import (
    CentreKey,
    CentreState,
    IssuedFile,
    RevokedModule,
    parse_state,
    public_part,
    secret_part,
    sha256_of,
)
from keys.module_identity import ID_DIGITS, KEY_BYTES, PublicIdentity
from keys.randomness import RandomBytes
from keys.registered_key import KeyName, RegisteredKey
from keys.sealed_file import SealedFile
from keys.secret import Secret
from keys.trusted_centres import CentreIdentity
from keys.unlock import ScryptCost, Unlock
from sts import VendingKey
from sts.token_identifier import require_utc

KIND: Final = "lab key centre"
_HEX_DIGITS: Final = frozenset("0123456789abcdef")


class LabCentre:
    """An opened lab key centre. Make one with ``create``, open one with ``open``.

    Every change is on the disk when the method returns; one that raises has changed nothing.
    """

    __slots__ = ("_file", "_random_bytes", "_state")

    def __init__(self, file: SealedFile, state: CentreState, *, random_bytes: RandomBytes) -> None:
        """Take over a file that has been checked."""
        self._file = file
        self._state = state
        self._random_bytes = random_bytes

    @classmethod
    def create(
        cls,
        path: Path,
        name: str,
        *,
        unlock: Unlock,
        random_bytes: RandomBytes,
        cost: ScryptCost | None = None,
    ) -> Self:
        """Make a new centre with a signing key of its own and an empty register.

        Raises:
            CentreIdentityError: No printable name.
            FileExistsRefusedError, FileUnreadableError: The file cannot be written.
        """
        signing_key = Secret(random_bytes(KEY_BYTES))
        public = Ed25519PrivateKey.from_private_bytes(signing_key.expose()).public_key()
        state = CentreState(
            identity=CentreIdentity(name=name, signing_key=public.public_bytes_raw()),
            signing_key=signing_key,
        )
        file = SealedFile.create(
            path,
            KIND,
            unlock=unlock,
            public=public_part(state),
            secret=secret_part(state),
            random_bytes=random_bytes,
            cost=cost,
        )
        return cls(file, state, random_bytes=random_bytes)

    @classmethod
    def open(cls, path: Path, *, unlock: Unlock, random_bytes: RandomBytes) -> Self:
        """Open the file of a centre.

        Raises:
            SealedFileError, VaultError: The file cannot be used.
        """
        file = SealedFile.open(path, KIND, unlock=unlock)
        return cls(file, parse_state(file.public, file.secret), random_bytes=random_bytes)

    @property
    def identity(self) -> CentreIdentity:
        """Who the centre is, for modules to trust."""
        return self._state.identity

    @property
    def keys(self) -> tuple[CentreKey, ...]:
        """The register."""
        return self._state.keys

    @property
    def issued(self) -> tuple[IssuedFile, ...]:
        """All key load files so far."""
        return self._state.issued

    @property
    def revoked_modules(self) -> tuple[RevokedModule, ...]:
        """The modules that get no keys any more."""
        return self._state.revoked_modules

    def checkpoint_key(self) -> Ed25519SealKey:
        """Return the key that signs checkpoints of the centre's audit log."""
        return Ed25519SealKey(self._state.signing_key)

    def entry_key(self) -> HmacSealKey:
        """Return the key that seals each entry of the centre's audit log."""
        return HmacSealKey.derived_from(self._state.signing_key)

    def add(self, key: RegisteredKey, vending_key: VendingKey) -> None:
        """Put a vending key into the register.

        Raises:
            CentreKeyExistsError: There is one of this name.
            KeyLoadMismatchError: The key does not fit its check value or its algorithm.
            SealedFileError, VaultError: The file cannot be written.
        """
        if any(present.key.name == key.name for present in self.keys):
            raise CentreKeyExistsError(str(key.name))
        require_fits(KeyInTransit(key=key, vending_key=vending_key))
        self._write(
            replace(
                self._state,
                keys=(*self.keys, CentreKey(key=key)),
                vending_keys={**self._state.vending_keys, key.name: vending_key},
            )
        )

    def issue(
        self,
        module: PublicIdentity,
        names: Iterable[KeyName],
        *,
        now: datetime,
        expires_at: datetime,
    ) -> bytes:
        """Return a key load file that brings these keys to one module.

        The serial number is used up on the disk before the file is returned, so that no two files
        ever have the same.

        Raises:
            CentreModuleRevokedError: The module gets nothing any more.
            CentreKeyUnknownError, CentreKeyRevokedError, CentreKeyExpiredError: The first key that
                cannot be given away.
            KeyLoadFormatError, IdentityError: As for ``key_load.issue``.
            SealedFileError, VaultError: The file of the centre cannot be written.
        """
        present = require_utc(now).replace(microsecond=0)
        for revoked in self.revoked_modules:
            if revoked.id == module.id:
                raise CentreModuleRevokedError(module.id, revoked.revoked_at)
        keys = tuple(self._issuable(name, present) for name in names)
        content = key_load.issue(
            keys,
            module,
            centre=self.identity,
            signing_key=self._state.signing_key,
            serial_number=self._state.next_serial_number,
            now=present,
            expires_at=expires_at,
            random_bytes=self._random_bytes,
        )
        issued = IssuedFile(
            serial_number=self._state.next_serial_number,
            module_name=module.name,
            module_id=module.id,
            issued_at=present,
            expires_at=require_utc(expires_at).replace(microsecond=0),
            sha256=sha256_of(content),
            keys=tuple(transit.key.name for transit in keys),
        )
        following = self._state.next_serial_number + 1
        self._write(
            replace(self._state, next_serial_number=following, issued=(*self.issued, issued))
        )
        return content

    def revoke_key(self, name: KeyName, *, now: datetime) -> None:
        """Give a key to nobody any more. Modules that have it keep it: move their meters away.

        Raises:
            CentreKeyUnknownError: There is none of this name.
            SealedFileError, VaultError: The file cannot be written.
        """
        found = self._find(name)
        revoked = replace(found, revoked_at=found.revoked_at or _whole_second(now))
        keys = tuple(revoked if key is found else key for key in self.keys)
        self._write(replace(self._state, keys=keys))

    def revoke_module(self, module_id: str, *, now: datetime) -> None:
        """Give a module no keys any more. Those that it has it keeps.

        Raises:
            CentreModuleIdError: Not the id of a module.
            SealedFileError, VaultError: The file cannot be written.
        """
        if len(module_id) != ID_DIGITS or not _HEX_DIGITS.issuperset(module_id):
            raise CentreModuleIdError
        if any(revoked.id == module_id for revoked in self.revoked_modules):
            return
        revoked = RevokedModule(id=module_id, revoked_at=_whole_second(now))
        self._write(replace(self._state, revoked_modules=(*self.revoked_modules, revoked)))

    def _find(self, name: KeyName) -> CentreKey:
        for key in self.keys:
            if key.key.name == name:
                return key
        raise CentreKeyUnknownError(str(name))

    def _issuable(self, name: KeyName, present: datetime) -> KeyInTransit:
        key = self._find(name)
        if key.revoked_at is not None:
            raise CentreKeyRevokedError(str(name), key.revoked_at)
        expiry = key.key.terms.expiry
        if expiry is not None and present >= expiry:
            raise CentreKeyExpiredError(str(name), expiry)
        return KeyInTransit(key=key.key, vending_key=self._state.vending_keys[name])

    def _write(self, state: CentreState) -> None:
        self._file.replace(public_part(state), secret_part(state), random_bytes=self._random_bytes)
        self._state = state


def _whole_second(now: datetime) -> datetime:
    return require_utc(now).replace(microsecond=0)
