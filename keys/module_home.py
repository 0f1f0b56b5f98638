"""Where the files of a security module lie: beside its vault, or beside the settings of its HSM.

==================  =============================================================
PLACE               the vault, or the settings
PLACE.module        who the module is, whom it trusts and whom it answers
PLACE.journal       what it has issued under which message id
PLACE.audit         every use of a key
==================  =============================================================

What opens the vault, or the HSM, opens the rest: the key of the module's file follows from the key
of its journal. So a module has one passphrase or key file, and is opened once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.errors import FileExistsRefusedError, KeysError
from keys.module_file import ModuleFile
from keys.randomness import RandomBytes
from keys.secret import Secret

_FILE_KEY_LABEL: Final = b"sts-vending module file, version 1"
_FILE_KEY_BYTES: Final = 32


class ModuleNotBegunError(KeysError):
    """There are keys, but no security module over them yet."""

    code = "MODULE_NOT_BEGUN"
    hint = "sts-keys module init makes its identity, its journal and its audit log"

    def __init__(self, place: Path) -> None:
        """Say where."""
        super().__init__(f"there is no security module at {place}")


@dataclass(frozen=True, slots=True)
class ModuleHome:
    """The files of one security module.

    Attributes:
        place: Its vault, or the settings of its HSM.
    """

    place: Path

    @property
    def module(self) -> Path:
        """Who the module is."""
        return self._beside("module")

    @property
    def journal(self) -> Path:
        """What it has issued."""
        return self._beside("journal")

    @property
    def audit(self) -> Path:
        """Every use of a key."""
        return self._beside("audit")

    def require_empty(self) -> None:
        """Refuse to begin a module where there is something of one.

        Raises:
            FileExistsRefusedError: One of its files exists.
        """
        for path in (self.module, self.journal, self.audit):
            if path.exists():
                raise FileExistsRefusedError(path)

    def require_begun(self) -> None:
        """Refuse a place without a module.

        Raises:
            ModuleNotBegunError: There is none.
        """
        if not self.module.exists():
            raise ModuleNotBegunError(self.place)

    def open_file(self, journal_key: Secret, *, random_bytes: RandomBytes) -> ModuleFile:
        """Open the file that says who the module is.

        Raises:
            ModuleNotBegunError: There is none.
            SealedFileError, VaultError: It cannot be used, or belongs to another vault.
        """
        self.require_begun()
        return ModuleFile.open(
            self.module, unlock=module_file_key(journal_key), random_bytes=random_bytes
        )

    def _beside(self, kind: str) -> Path:
        return self.place.with_name(f"{self.place.name}.{kind}")


def module_file_key(journal_key: Secret) -> Secret:
    """Return the key that opens a module's file; the journal's key cannot be found from it."""
    derived = HKDF(
        algorithm=hashes.SHA256(), length=_FILE_KEY_BYTES, salt=None, info=_FILE_KEY_LABEL
    ).derive(journal_key.expose())
    return Secret(derived)
