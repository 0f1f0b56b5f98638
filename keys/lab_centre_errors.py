"""What a lab key centre refuses to do.

LabCentreError                 LAB_CENTRE
├── CentreKeyExistsError       CENTRE_KEY_EXISTS
├── CentreKeyUnknownError      CENTRE_KEY_UNKNOWN
├── CentreKeyRevokedError      CENTRE_KEY_REVOKED
├── CentreKeyExpiredError      CENTRE_KEY_EXPIRED
├── CentreModuleRevokedError   CENTRE_MODULE_REVOKED
└── CentreModuleIdError        CENTRE_MODULE_ID
"""

from datetime import datetime

from keys.errors import KeysError


class LabCentreError(KeysError):
    """A lab key centre refused something."""

    code = "LAB_CENTRE"


class CentreKeyExistsError(LabCentreError):
    """The register has a key of this name already; a new one is a new revision."""

    code = "CENTRE_KEY_EXISTS"
    hint = "register the new key under the next key revision number"

    def __init__(self, name: str) -> None:
        """Say which key."""
        super().__init__(f"the centre already has a key of {name}")


class CentreKeyUnknownError(LabCentreError):
    """The register has no such key."""

    code = "CENTRE_KEY_UNKNOWN"
    hint = "list the keys of the centre, and draw this one or hold its ceremony first"

    def __init__(self, name: str) -> None:
        """Say which key."""
        super().__init__(f"the centre has no key of {name}")


class CentreKeyRevokedError(LabCentreError):
    """The key was revoked and is given to nobody any more."""

    code = "CENTRE_KEY_REVOKED"
    hint = "issue the next key revision of the supply group"

    def __init__(self, name: str, revoked_at: datetime) -> None:
        """Say which key, and since when."""
        super().__init__(f"the key of {name} was revoked at {revoked_at.isoformat()}")


class CentreKeyExpiredError(LabCentreError):
    """The terms of the key say that it is not given away any more."""

    code = "CENTRE_KEY_EXPIRED"
    hint = "move the supply group to its next key revision"

    def __init__(self, name: str, expiry: datetime) -> None:
        """Say which key, and since when."""
        super().__init__(f"the key of {name} is given to nobody since {expiry.isoformat()}")


class CentreModuleRevokedError(LabCentreError):
    """The module was revoked and gets no keys any more."""

    code = "CENTRE_MODULE_REVOKED"
    hint = "make a new module, and issue for its identity"

    def __init__(self, module_id: str, revoked_at: datetime) -> None:
        """Say which module, and since when."""
        super().__init__(f"the module {module_id} was revoked at {revoked_at.isoformat()}")


class CentreModuleIdError(LabCentreError):
    """Not the id of a module."""

    code = "CENTRE_MODULE_ID"

    def __init__(self) -> None:
        """Say what an id looks like."""
        super().__init__("the id of a module has 32 lower-case hexadecimal digits")
