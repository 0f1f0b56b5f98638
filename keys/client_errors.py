"""Why a caller is not let in to a security module.

ClientError                          CLIENT
├── ClientCredentialFormatError      CLIENT_CREDENTIAL_FORMAT
├── ClientCredentialMissingError     CLIENT_CREDENTIAL_MISSING
├── ClientCredentialRefusedError     CLIENT_CREDENTIAL_REFUSED
├── ClientRevokedError               CLIENT_REVOKED
├── ClientExistsError                CLIENT_EXISTS
├── ClientUnknownError               CLIENT_UNKNOWN
├── LabModuleOnlyError               LAB_MODULE_ONLY
└── ModuleModeError                  MODULE_MODE
"""

from datetime import datetime

from keys.errors import KeysError


class ClientError(KeysError):
    """A caller may not use the module, or not for this."""

    code = "CLIENT"


class ClientCredentialFormatError(ClientError):
    """Not the file of a client credential."""

    code = "CLIENT_CREDENTIAL_FORMAT"
    hint = "give the file that `client add` wrote"


class ClientCredentialMissingError(ClientError):
    """A production module was to be opened by nobody in particular."""

    code = "CLIENT_CREDENTIAL_MISSING"
    hint = "give the credential file of a client that was added to this module"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("a production module answers only a client with its credential")


class ClientCredentialRefusedError(ClientError):
    """The credential is of another module, or the module does not know it."""

    code = "CLIENT_CREDENTIAL_REFUSED"
    hint = "add the client to this module and use the file that is made then"

    def __init__(self) -> None:
        """Say so; whether the name or the secret is wrong is the caller's to find out."""
        super().__init__("the module does not know this client credential")


class ClientRevokedError(ClientError):
    """The client may not use the module any more."""

    code = "CLIENT_REVOKED"
    hint = "let the program in anew, under another name"

    def __init__(self, name: str, revoked_at: datetime) -> None:
        """Say which client, and since when."""
        super().__init__(f"the client {name} was revoked at {revoked_at.isoformat()}")


class ClientExistsError(ClientError):
    """The module has, or had, a client of this name."""

    code = "CLIENT_EXISTS"
    hint = "names are not used twice, so that the audit log stays clear: take another one"

    def __init__(self, name: str) -> None:
        """Say which name."""
        super().__init__(f"there is a client {name} already")


class ClientUnknownError(ClientError):
    """The module has no client of this name."""

    code = "CLIENT_UNKNOWN"
    hint = "list the clients of this module: names are written exactly as there"

    def __init__(self, name: str) -> None:
        """Say which name."""
        super().__init__(f"there is no client {name}")


class LabModuleOnlyError(ClientError):
    """What was asked for is for laboratories, and this module serves real meters."""

    code = "LAB_MODULE_ONLY"
    hint = "a production module answers programs that show a client credential; try this in a lab"

    def __init__(self, what: str) -> None:
        """Say what was asked for."""
        super().__init__(f"{what} is for lab modules only, and this is a production module")


class ModuleModeError(ClientError):
    """A lab module was to be opened as one for production, or the reverse."""

    code = "MODULE_MODE"
    hint = "a module is one or the other for ever; make another one"

    def __init__(self, *, is_lab: bool) -> None:
        """Say what the module is."""
        super().__init__(f"this is a {'lab' if is_lab else 'production'} module")
