"""The file in which a security module keeps who it is, whom it trusts and whom it answers.

The private keys are sealed. The rest lies in the readable part, no secret, but nobody can alter it
either: whether this is a lab module, the centres that it trusts with the serial number of the last
key load file from each, and the clients that may ask it for tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from keys.canonical_json import JsonObject, JsonValue
from keys.client_errors import (
    ClientCredentialRefusedError,
    ClientExistsError,
    ClientUnknownError,
)
from keys.clients import ClientCredential, KnownClient, client_body, parse_client
from keys.json_fields import Fields, time_text
from keys.key_load_errors import UnknownCentreError
from keys.module_identity import ModuleIdentity, identity_body
from keys.randomness import RandomBytes
from keys.sealed_file import SealedFile, read_public
from keys.sealed_file_errors import SealedFileFormatError
from keys.trusted_centres import CentreIdentity, CentreIdentityError, TrustedCentre
from keys.unlock import ScryptCost, Unlock

KIND: Final = "security module"
_NAMES: Final = ("identity", "mode", "centres", "clients")
_MODES: Final[Mapping[str, bool]] = {"lab": True, "production": False}
"""What stands in the file, and whether it is a lab module then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What a module remembers besides its keys."""

    is_lab: bool
    centres: tuple[TrustedCentre, ...] = ()
    clients: tuple[KnownClient, ...] = ()


class ModuleFile:
    """An opened module file. Make one with ``create``, open one with ``open``."""

    __slots__ = ("_file", "_memory", "_random_bytes", "identity")

    def __init__(
        self,
        file: SealedFile,
        identity: ModuleIdentity,
        *,
        memory: _Memory,
        random_bytes: RandomBytes,
    ) -> None:
        """Take over a file that has been checked."""
        self._file = file
        self._random_bytes = random_bytes
        self._memory = memory
        self.identity: Final = identity

    @classmethod
    def create(
        cls,
        path: Path,
        name: str,
        *,
        unlock: Unlock,
        random_bytes: RandomBytes,
        is_lab: bool = True,
        cost: ScryptCost | None = None,
    ) -> Self:
        """Make a new identity and write its file.

        Args:
            path: Where.
            name: What people call the module.
            unlock: What opens the file.
            random_bytes: Where random bytes come from.
            is_lab: Whether it is a lab module, or one for real meters; that never changes.
            cost: How slow a passphrase is made; None for the default.

        Raises:
            IdentityError: No printable name.
            FileExistsRefusedError, FileUnreadableError: The file cannot be written.
        """
        identity = ModuleIdentity.generate(name, random_bytes)
        memory = _Memory(is_lab=is_lab)
        file = SealedFile.create(
            path,
            KIND,
            unlock=unlock,
            public=_body(identity, memory),
            secret=identity.stored(),
            random_bytes=random_bytes,
            cost=cost,
        )
        return cls(file, identity, memory=memory, random_bytes=random_bytes)

    @classmethod
    def open(cls, path: Path, *, unlock: Unlock, random_bytes: RandomBytes) -> Self:
        """Open the file of a module.

        Raises:
            SealedFileError, VaultError: The file cannot be used.
        """
        file = SealedFile.open(path, KIND, unlock=unlock)
        fields = _fields("the module", file.public, _NAMES)
        names = ("name", "id", "exchange_key", "audit_key")
        named = _fields("the identity", fields.raw("identity"), names)
        identity = ModuleIdentity.restore(named.text("name"), file.secret)
        return cls(file, identity, memory=_parse_memory(fields), random_bytes=random_bytes)

    @property
    def is_lab(self) -> bool:
        """Whether this is a lab module."""
        return self._memory.is_lab

    @property
    def centres(self) -> tuple[TrustedCentre, ...]:
        """The centres that the module knows, revoked ones included."""
        return self._memory.centres

    @property
    def clients(self) -> tuple[KnownClient, ...]:
        """The clients that the module knows, revoked ones included."""
        return self._memory.clients

    def trust(self, identity: CentreIdentity) -> None:
        """Take key load files of this centre from now on; one that was revoked stays so.

        Raises:
            SealedFileError, VaultError: The file cannot be written.
        """
        if all(centre.identity.id != identity.id for centre in self.centres):
            added = TrustedCentre(identity=identity)
            self._write(replace(self._memory, centres=(*self.centres, added)))

    def revoke(self, centre_id: str, *, now: datetime) -> None:
        """Take no key load files of this centre any more.

        Raises:
            UnknownCentreError: The module does not know it.
            SealedFileError, VaultError: The file cannot be written.
        """
        for centre in self.centres:
            if centre.identity.id == centre_id:
                self.remember(centre.revoked(now))
                return
        raise UnknownCentreError(centre_id)

    def remember(self, centre: TrustedCentre) -> None:
        """Keep what ``load`` says about a centre once its keys are in the vault.

        Raises:
            SealedFileError, VaultError: The file cannot be written.
        """
        centres = tuple(
            centre if known.identity.id == centre.identity.id else known for known in self.centres
        )
        self._write(replace(self._memory, centres=centres))

    def new_credential(self, name: str) -> ClientCredential:
        """Make a credential for a client that is to be let in; ``add_client`` lets it in.

        Raises:
            ClientExistsError: There is, or was, one of this name.
            ClientCredentialFormatError: No printable name.
        """
        if any(client.name == name for client in self.clients):
            raise ClientExistsError(name)
        module_id = self.identity.public.id
        return ClientCredential.generate(module_id, name, random_bytes=self._random_bytes)

    def add_client(self, credential: ClientCredential, *, now: datetime) -> None:
        """Let the client with this credential in from now on.

        Raises:
            ClientExistsError: There is, or was, one of this name.
            ClientCredentialRefusedError: The credential is for another module.
            SealedFileError, VaultError: The file cannot be written.
        """
        if any(client.name == credential.client for client in self.clients):
            raise ClientExistsError(credential.client)
        if credential.module_id != self.identity.public.id:
            raise ClientCredentialRefusedError
        added = KnownClient.of(credential, now=now)
        self._write(replace(self._memory, clients=(*self.clients, added)))

    def revoke_client(self, name: str, *, now: datetime) -> None:
        """Let a client in no longer.

        Raises:
            ClientUnknownError: There is none of this name.
            SealedFileError, VaultError: The file cannot be written.
        """
        if all(client.name != name for client in self.clients):
            raise ClientUnknownError(name)
        clients = tuple(
            client.revoked(now) if client.name == name else client for client in self.clients
        )
        self._write(replace(self._memory, clients=clients))

    def _write(self, memory: _Memory) -> None:
        self._file.replace(
            _body(self.identity, memory), self.identity.stored(), random_bytes=self._random_bytes
        )
        self._memory = memory


def says_lab(path: Path) -> bool:
    """Return whether a file says that it is of a lab module; nobody vouches for it yet.

    Raises:
        SealedFileError, VaultError: The file cannot be used.
    """
    return _is_lab(_fields("the module", read_public(path, KIND), _NAMES))


def _body(identity: ModuleIdentity, memory: _Memory) -> JsonObject:
    centres: list[JsonValue] = [
        {
            "name": centre.identity.name,
            "id": centre.identity.id,
            "signing_key": centre.identity.signing_key.hex(),
            "last_serial_number": centre.last_serial_number,
            "revoked_at": None if centre.revoked_at is None else time_text(centre.revoked_at),
        }
        for centre in memory.centres
    ]
    (mode,) = (word for word, is_lab in _MODES.items() if is_lab is memory.is_lab)
    return {
        "identity": identity_body(identity.public),
        "mode": mode,
        "centres": centres,
        "clients": [client_body(client) for client in memory.clients],
    }


def _parse_memory(fields: Fields) -> _Memory:
    return _Memory(
        is_lab=_is_lab(fields),
        centres=tuple(_parse_centre(item) for item in fields.items("centres")),
        clients=tuple(
            parse_client(item, refuse=SealedFileFormatError) for item in fields.items("clients")
        ),
    )


def _is_lab(fields: Fields) -> bool:
    mode = fields.text("mode")
    if mode not in _MODES:
        raise SealedFileFormatError(f"the module: its mode is {' or '.join(_MODES)}")
    return _MODES[mode]


def _parse_centre(value: JsonValue) -> TrustedCentre:
    names = ("name", "id", "signing_key", "last_serial_number", "revoked_at")
    fields = _fields("a centre", value, names)
    try:
        identity = CentreIdentity(
            name=fields.text("name"), signing_key=fields.hexadecimal("signing_key")
        )
    except CentreIdentityError as error:
        raise SealedFileFormatError(f"a centre: {error}") from None
    return TrustedCentre(
        identity=identity,
        last_serial_number=fields.number("last_serial_number"),
        revoked_at=fields.optional_time("revoked_at"),
    )


def _fields(where: str, value: JsonValue, names: tuple[str, ...]) -> Fields:
    return Fields(where, value, names=names, refuse=SealedFileFormatError)
