"""Refusals of backups and of their way back."""

from vending_app.domain.errors.root import VendingError


class BackupError(VendingError):
    """A backup cannot be written or read."""

    code = "BACKUP"


class BackupExistsError(BackupError):
    """There is a file of this name."""

    code = "BACKUP_EXISTS"
    hint = "give another name: a backup is never overwritten"

    def __init__(self, path: str) -> None:
        """Say which file."""
        super().__init__(f"{path} exists.")


class BackupUnreadableError(BackupError):
    """The operating system refuses the file."""

    code = "BACKUP_UNREADABLE"

    def __init__(self, path: str, reason: str) -> None:
        """Say which file and why."""
        super().__init__(f"{path} cannot be used: {reason}.")


class BackupDamagedError(BackupError):
    """The file is no backup, or not as it was written."""

    code = "BACKUP_DAMAGED"
    hint = "take another copy of the backup; nothing was restored"

    def __init__(self, path: str, reason: str) -> None:
        """Say which file and what is wrong with it."""
        super().__init__(f"{path} is not a whole backup: {reason}.")


class BackupRevisionError(BackupError):
    """The backup is of another form of the database than this program's."""

    code = "BACKUP_REVISION"
    hint = "restore it with the version of the program that wrote it, then upgrade"

    def __init__(self, *, expected: str | None, found: str) -> None:
        """Say both revisions."""
        super().__init__(f"The backup is of revision {found}, this program has {expected}.")


class DatabaseNotEmptyError(BackupError):
    """The database to restore into holds something."""

    code = "DATABASE_NOT_EMPTY"
    hint = "restore into a new database, then point the installation to it"

    def __init__(self, table: str) -> None:
        """Say in which table something is."""
        super().__init__(f"The database is not empty: there are rows in {table}.")
