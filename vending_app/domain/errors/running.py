"""Refusals to start or to go on."""

from vending_app.domain.errors.root import VendingError


class StoreBusyError(VendingError):
    """The database did not answer in time; this step was not done."""

    code = "STORE_BUSY"
    hint = "try again: the same form never sells twice"

    def __init__(self) -> None:
        """Say that it is a matter of time."""
        super().__init__("The system is busy. This step was not done.")


class ConfigError(VendingError):
    """The settings do not allow a start."""

    code = "CONFIG"


class SecretMissingError(ConfigError):
    """No secret to sign sessions with: there is no default for it."""

    code = "SECRET_MISSING"
    hint = "run sts-vend init, or set STS_VEND_SECRET_KEY to 32 or more random characters"

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__("No secret key for sessions is set, or it is shorter than 32 characters.")


class DatabaseNotCurrentError(ConfigError):
    """The database has another form than this program's."""

    code = "DATABASE_NOT_CURRENT"
    hint = "back the database up, then run sts-vend init with this version of the program"

    def __init__(self, *, expected: str | None, found: str | None) -> None:
        """Say which revision the database has and which this program needs."""
        super().__init__(
            f"The database is at revision {found or 'none'}, this program needs {expected}."
        )
