"""The file in which a security module keeps who it is and whom it trusts.

The private keys are sealed. The centres that the module trusts, with the serial number of the last
key load file from each, lie in the readable part: no secret, but nobody can alter them either.
"""

from datetime import datetime
from pathlib import Path
from typing import Final, Self

from keys.canonical_json import JsonObject, JsonValue
from keys.json_fields import Fields, time_text
from keys.key_load_errors import UnknownCentreError
from keys.module_identity import ModuleIdentity, identity_body
from keys.randomness import RandomBytes
from keys.sealed_file import SealedFile
from keys.sealed_file_errors import SealedFileFormatError
from keys.trusted_centres import CentreIdentity, CentreIdentityError, TrustedCentre
from keys.unlock import ScryptCost, Unlock

KIND: Final = "security module"


class ModuleFile:
    """An opened module file. Make one with ``create``, open one with ``open``."""

    __slots__ = ("_centres", "_file", "_random_bytes", "identity")

    def __init__(
        self, file: SealedFile, identity: ModuleIdentity, *, random_bytes: RandomBytes
    ) -> None:
        """Take over a file that has been checked."""
        self._file = file
        self._random_bytes = random_bytes
        self._centres = _parse_centres(file.public)
        self.identity: Final = identity

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
        """Make a new identity and write its file.

        Raises:
            IdentityError: No printable name.
            FileExistsRefusedError, FileUnreadableError: The file cannot be written.
        """
        identity = ModuleIdentity.generate(name, random_bytes)
        file = SealedFile.create(
            path,
            KIND,
            unlock=unlock,
            public=_body(identity, ()),
            secret=identity.stored(),
            random_bytes=random_bytes,
            cost=cost,
        )
        return cls(file, identity, random_bytes=random_bytes)

    @classmethod
    def open(cls, path: Path, *, unlock: Unlock, random_bytes: RandomBytes) -> Self:
        """Open the file of a module.

        Raises:
            SealedFileError, VaultError: The file cannot be used.
        """
        file = SealedFile.open(path, KIND, unlock=unlock)
        fields = _fields("the module", file.public, ("identity", "centres"))
        names = ("name", "id", "exchange_key", "audit_key")
        named = _fields("the identity", fields.raw("identity"), names)
        identity = ModuleIdentity.restore(named.text("name"), file.secret)
        return cls(file, identity, random_bytes=random_bytes)

    @property
    def centres(self) -> tuple[TrustedCentre, ...]:
        """The centres that the module knows, revoked ones included."""
        return self._centres

    def trust(self, identity: CentreIdentity) -> None:
        """Take key load files of this centre from now on; one that was revoked stays so.

        Raises:
            SealedFileError, VaultError: The file cannot be written.
        """
        if all(centre.identity.id != identity.id for centre in self._centres):
            self._write((*self._centres, TrustedCentre(identity=identity)))

    def revoke(self, centre_id: str, *, now: datetime) -> None:
        """Take no key load files of this centre any more.

        Raises:
            UnknownCentreError: The module does not know it.
            SealedFileError, VaultError: The file cannot be written.
        """
        for centre in self._centres:
            if centre.identity.id == centre_id:
                self.remember(centre.revoked(now))
                return
        raise UnknownCentreError(centre_id)

    def remember(self, centre: TrustedCentre) -> None:
        """Keep what ``load`` says about a centre once its keys are in the vault.

        Raises:
            SealedFileError, VaultError: The file cannot be written.
        """
        self._write(
            tuple(
                centre if known.identity.id == centre.identity.id else known
                for known in self._centres
            )
        )

    def _write(self, centres: tuple[TrustedCentre, ...]) -> None:
        self._file.replace(
            _body(self.identity, centres),
            self.identity.stored(),
            random_bytes=self._random_bytes,
        )
        self._centres = centres


def _body(identity: ModuleIdentity, centres: tuple[TrustedCentre, ...]) -> JsonObject:
    bodies: list[JsonValue] = [
        {
            "name": centre.identity.name,
            "id": centre.identity.id,
            "signing_key": centre.identity.signing_key.hex(),
            "last_serial_number": centre.last_serial_number,
            "revoked_at": None if centre.revoked_at is None else time_text(centre.revoked_at),
        }
        for centre in centres
    ]
    return {"identity": identity_body(identity.public), "centres": bodies}


def _parse_centres(public: JsonObject) -> tuple[TrustedCentre, ...]:
    fields = _fields("the module", public, ("identity", "centres"))
    return tuple(_parse_centre(item) for item in fields.items("centres"))


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
