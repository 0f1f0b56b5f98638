"""Why a sealed file cannot be opened or written.

SealedFileError                    SEALED_FILE
├── SealedFileFormatError          SEALED_FILE_FORMAT
├── SealedFileProtectionError      SEALED_FILE_PROTECTION
├── SealedFileKeyError             WRONG_KEY_OR_DAMAGED_SEALED_FILE
├── SealedFileTamperedError        SEALED_FILE_TAMPERED
└── SealedFileChangedError         SEALED_FILE_CHANGED
"""

from pathlib import Path

from keys.errors import KeysError


class SealedFileError(KeysError):
    """A sealed file cannot be used."""

    code = "SEALED_FILE"


class SealedFileFormatError(SealedFileError):
    """Not a sealed file, one of another kind, or of a version that this program does not know."""

    code = "SEALED_FILE_FORMAT"
    hint = "check the name of the file, or restore it from a backup"


class SealedFileProtectionError(SealedFileError):
    """A passphrase was given where a key file is wanted, or the other way round."""

    code = "SEALED_FILE_PROTECTION"

    def __init__(self, path: Path, protection: str) -> None:
        """Say what opens the file."""
        super().__init__(f"{path} is opened by a {protection}")


class SealedFileKeyError(SealedFileError):
    """The header does not authenticate under this key or passphrase."""

    code = "WRONG_KEY_OR_DAMAGED_SEALED_FILE"
    hint = "use the passphrase, key file or HSM token that it was made with, or restore a backup"

    def __init__(self, path: Path) -> None:
        """Say both things that it can be; the two look the same."""
        super().__init__(f"{path}: the passphrase or key file is wrong, or the header is damaged")


class SealedFileTamperedError(SealedFileError):
    """The content was altered outside this program."""

    code = "SEALED_FILE_TAMPERED"
    hint = "stop using this file, find out who changed it, restore it from a backup"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path}: the content is not as it was written")


class SealedFileChangedError(SealedFileError):
    """Somebody else wrote the file since it was opened."""

    code = "SEALED_FILE_CHANGED"
    hint = "open the file again and repeat the command"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} was changed by another program, nothing was written")
