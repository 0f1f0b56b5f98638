"""Why a key load file is refused. What is wrong is looked for in the order of this tree.

KeyLoadError                       KEY_LOAD_FILE
├── KeyLoadFormatError             KEY_LOAD_FILE_FORMAT
├── KeyLoadVersionError            KEY_LOAD_FILE_VERSION
├── UnknownCentreError             KEY_LOAD_FILE_UNKNOWN_CENTRE
├── RevokedCentreError             KEY_LOAD_FILE_CENTRE_REVOKED
├── KeyLoadSignatureError          KEY_LOAD_FILE_SIGNATURE
├── AnotherModulesFileError        KEY_LOAD_FILE_ANOTHER_MODULE
├── KeyLoadNotYetValidError        KEY_LOAD_FILE_NOT_YET_VALID
├── KeyLoadExpiredError            KEY_LOAD_FILE_EXPIRED
├── KeyLoadReplayedError           KEY_LOAD_FILE_REPLAYED
├── KeyLoadUnwrapError             KEY_LOAD_FILE_UNWRAP
└── KeyLoadMismatchError           KEY_LOAD_FILE_KEY_MISMATCH
"""

from datetime import datetime

from keys.errors import KeysError


class KeyLoadError(KeysError):
    """A key load file is refused; nothing was loaded from it."""

    code = "KEY_LOAD_FILE"


class KeyLoadFormatError(KeyLoadError):
    """Not a key load file, or not written as one."""

    code = "KEY_LOAD_FILE_FORMAT"
    hint = "transfer the file again, as it is: even a changed line ending is refused"


class KeyLoadVersionError(KeyLoadError):
    """A key load file of a version that this program does not know."""

    code = "KEY_LOAD_FILE_VERSION"
    hint = "use a version of this program that knows it"

    def __init__(self, known: int) -> None:
        """Say which version this program knows."""
        super().__init__(f"a key load file of another version: this program knows {known}")


class UnknownCentreError(KeyLoadError):
    """The module was never told to trust this centre."""

    code = "KEY_LOAD_FILE_UNKNOWN_CENTRE"
    hint = "compare the id with the centre by another way, then let the module trust it"

    def __init__(self, centre_id: str) -> None:
        """Say which centre the file names."""
        super().__init__(f"the file is from the centre {centre_id}, which is not trusted here")


class RevokedCentreError(KeyLoadError):
    """The module was told to trust this centre no longer."""

    code = "KEY_LOAD_FILE_CENTRE_REVOKED"
    hint = "take keys from another centre: this one stays distrusted"

    def __init__(self, centre_id: str, revoked_at: datetime) -> None:
        """Say which centre, and since when."""
        super().__init__(f"the centre {centre_id} was revoked at {revoked_at.isoformat()}")


class KeyLoadSignatureError(KeyLoadError):
    """The signature is not that of the centre over this file."""

    code = "KEY_LOAD_FILE_SIGNATURE"
    hint = "the file was altered or forged: ask the centre for another one, and say so"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the centre did not sign this file as it is")


class AnotherModulesFileError(KeyLoadError):
    """The file was made for another module."""

    code = "KEY_LOAD_FILE_ANOTHER_MODULE"
    hint = "ask the centre for a file for this module, by its identity file"

    def __init__(self, module_id: str) -> None:
        """Say which module the file is for."""
        super().__init__(f"the file is for the module {module_id}, not for this one")


class KeyLoadNotYetValidError(KeyLoadError):
    """The file was issued in the future."""

    code = "KEY_LOAD_FILE_NOT_YET_VALID"
    hint = "the clock of this computer or that of the centre is wrong"

    def __init__(self, issued_at: datetime) -> None:
        """Say when the file says that it was issued."""
        super().__init__(f"the file says that it was issued at {issued_at.isoformat()}")


class KeyLoadExpiredError(KeyLoadError):
    """The file was to be loaded earlier."""

    code = "KEY_LOAD_FILE_EXPIRED"
    hint = "ask the centre for a new file"

    def __init__(self, expires_at: datetime) -> None:
        """Say until when it could have been loaded."""
        super().__init__(f"the file expired at {expires_at.isoformat()}")


class KeyLoadReplayedError(KeyLoadError):
    """This file, or a later one of the same centre, was loaded before."""

    code = "KEY_LOAD_FILE_REPLAYED"
    hint = "load the files of one centre in the order of their serial numbers, each once"

    def __init__(self, serial_number: int, *, last: int) -> None:
        """Say which serial numbers."""
        super().__init__(f"file {serial_number} comes too late: file {last} was loaded before")


class KeyLoadUnwrapError(KeyLoadError):
    """The centre signed the file, but a key in it cannot be unwrapped."""

    code = "KEY_LOAD_FILE_UNWRAP"
    hint = "the centre wrapped it for other keys than this module's: give it the identity again"

    def __init__(self, name: str) -> None:
        """Say which key, without anything of its bytes."""
        super().__init__(f"the key of {name} cannot be unwrapped")


class KeyLoadMismatchError(KeyLoadError):
    """A key was unwrapped, but is not the one that its metadata describes."""

    code = "KEY_LOAD_FILE_KEY_MISMATCH"
    hint = "the centre made a mistake: use none of the keys of this file"

    def __init__(self, name: str) -> None:
        """Say which key; in what it differs is the centre's business."""
        super().__init__(f"the key of {name} does not fit its check value or its algorithm")
