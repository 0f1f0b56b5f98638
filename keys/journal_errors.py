"""Every way in which an issue journal says no.

JournalError
├── NoJournalError        NO_JOURNAL
├── JournalFormatError    JOURNAL_FORMAT
├── JournalDamagedError   JOURNAL_DAMAGED
├── JournalBusyError      JOURNAL_BUSY
└── JournalTamperedError  JOURNAL_TAMPERED
"""

from pathlib import Path

from keys.errors import KeysError


class JournalError(KeysError):
    """An issue journal that cannot be used."""

    code = "JOURNAL"


class NoJournalError(JournalError):
    """The module has no journal of its own, and the caller gave none."""

    code = "NO_JOURNAL"
    hint = "open the module by name, or give it a journal"

    def __init__(self) -> None:
        """Say that nothing is issued unrecorded."""
        super().__init__("no token is made without a journal to write it into")


class JournalFormatError(JournalError):
    """The file is no issue journal of this program."""

    code = "JOURNAL_FORMAT"
    hint = "check the path; if it is the journal, restore it from a backup"

    def __init__(self, path: Path, reason: str) -> None:
        """Say which file, and why."""
        super().__init__(f"{path} is not an issue journal: {reason}")


class JournalDamagedError(JournalError):
    """The file of the journal is damaged, or its disk is full; nothing was issued."""

    code = "JOURNAL_DAMAGED"
    hint = "look at the disk; restore the journal from a backup only with every entry since"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} cannot be read or written as a journal")


class JournalBusyError(JournalError):
    """Another program kept the journal to itself for too long; nothing was issued."""

    code = "JOURNAL_BUSY"
    hint = "try again"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the issue journal is in use by another program")


class JournalTamperedError(JournalError):
    """An entry of the journal was altered, or written by a module with another key."""

    code = "JOURNAL_TAMPERED"
    hint = "find out who changed the journal; the entry cannot be answered from any more"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the entry of the journal is not as this module wrote it")
