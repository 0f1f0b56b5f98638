"""Every way in which the virtual meter itself says no; a refused *token* is an outcome instead.

MeterError                      METER
├── MeterSpecError              METER_SPEC             a meter that cannot be built
├── MeterStateError             METER_STATE            registers that cannot be
├── MeterLoadError              METER_LOAD             a load beyond what the meter can have
│   └── LoadError               METER_LOAD_DESCRIPTION no load at all
├── EmergencyRefusedError       METER_EMERGENCY        emergency credit that it does not give
├── MeterPowerError             METER_WITHOUT_POWER    a key pressed while the power is off
├── MeterTablesError            METER_TABLES           other STA tables than it was built with
├── MeterKeyError               METER_KEY              a key that no keypad has (``keypad``)
├── MeterQuantityError          METER_QUANTITY         a load, time or price that cannot be read
├── MeterKeyFileError           METER_KEY_FILE         not the sealed key of a meter
│   └── MeterKeyFileSealError   METER_KEY_FILE_SEAL    another passphrase, or altered
├── MeterOrderError             METER_ORDER            refused by whoever runs the meter
└── MeterFileError              METER_FILE
    ├── MeterFileMissingError   METER_FILE_MISSING
    ├── MeterFileExistsError    METER_FILE_EXISTS
    ├── MeterFileForeignError   METER_FILE_FOREIGN     not a meter's memory
    ├── MeterFileDamagedError   METER_FILE_DAMAGED     a meter's memory, but broken
    ├── MeterFileVersionError   METER_FILE_VERSION     written by a newer program
    ├── MeterFileAccessError    METER_FILE_ACCESS      the system refused
    ├── MeterClaimedError       METER_CLAIMED          another program runs the meter
    └── MeterBusyError          METER_BUSY             somebody else is writing
"""

from pathlib import Path

from sts.errors import StsError


class MeterError(StsError):
    """The virtual meter cannot be built, read or operated like that."""

    code = "METER"


class MeterSpecError(MeterError):
    """A specification of which no meter can be built."""

    code = "METER_SPEC"

    def __init__(self, field: str, message: str) -> None:
        """Say which field of the specification is impossible and why."""
        super().__init__(f"{field}: {message}")
        self.field = field


class MeterStateError(MeterError):
    """Registers that no meter can hold."""

    code = "METER_STATE"

    def __init__(self, field: str, message: str) -> None:
        """Say which register is impossible and why."""
        super().__init__(f"{field}: {message}")
        self.field = field


class MeterLoadError(MeterError):
    """A load that no meter so built can have."""

    code = "METER_LOAD"


class LoadError(MeterLoadError):
    """A description of a load that cannot be, whatever the meter."""

    code = "METER_LOAD_DESCRIPTION"

    def __init__(self, message: str, *, line: int | None = None) -> None:
        """Say what is wrong and, of a file, in which line."""
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class EmergencyRefusedError(MeterError):
    """Emergency credit that the meter does not give."""

    code = "METER_EMERGENCY"


class MeterPowerError(MeterError):
    """A key was pressed on a meter without power."""

    code = "METER_WITHOUT_POWER"
    hint = "switch its power on"

    def __init__(self) -> None:
        """Say that nothing happened."""
        super().__init__("the meter has no power")


class MeterTablesError(MeterError):
    """An EA07 meter opened with other STA tables than it was built with."""

    code = "METER_TABLES"
    hint = "name the table file that the meter was made with (STS_STA_TABLES)"

    def __init__(self, *, built_with: str, found: str) -> None:
        """Show the fingerprints of both sets; the tables themselves are confidential."""
        super().__init__(
            f"the meter was built with the tables {built_with[:16]}, these are {found[:16]}"
        )


class MeterQuantityError(MeterError):
    """A load, a time or a price that cannot be read."""

    code = "METER_QUANTITY"


class MeterKeyFileError(MeterError):
    """A file that is not the sealed key of a meter."""

    code = "METER_KEY_FILE"


class MeterKeyFileSealError(MeterKeyFileError):
    """A sealed key that the passphrase does not open, or a file that somebody has altered."""

    code = "METER_KEY_FILE_SEAL"
    hint = "check the passphrase; nobody can tell it from a file that was altered"

    def __init__(self) -> None:
        """Say that it is one of the two."""
        super().__init__("the passphrase does not open this key, or the file was altered")


class MeterOrderError(MeterError):
    """What the program that runs a meter answered to an order that it could not carry out.

    Attributes:
        code: That of the error that it met there.
        hint: Likewise.
    """

    code = "METER_ORDER"

    def __init__(self, code: str, message: str, hint: str) -> None:
        """Take the error over as it was told."""
        super().__init__(message)
        # Constants of the class elsewhere, so for a type checker not to be assigned.
        vars(self).update(code=code, hint=hint)


class MeterFileError(MeterError):
    """The memory file of a meter cannot be used."""

    code = "METER_FILE"

    def __init__(self, path: Path, message: str) -> None:
        """Say which file it is about."""
        super().__init__(f"{path}: {message}")
        self.path = path


class MeterFileMissingError(MeterFileError):
    """There is no such file."""

    code = "METER_FILE_MISSING"
    hint = "make a meter with sts-meter new"

    def __init__(self, path: Path) -> None:
        """Say which file is missing."""
        super().__init__(path, "there is no such meter file")


class MeterFileExistsError(MeterFileError):
    """There is something already where a new meter's file would go."""

    code = "METER_FILE_EXISTS"
    hint = "choose another name; an existing file is never overwritten"

    def __init__(self, path: Path) -> None:
        """Say which file is in the way."""
        super().__init__(path, "exists already")


class MeterFileForeignError(MeterFileError):
    """A file that is not a meter's memory; it is left as it is."""

    code = "METER_FILE_FOREIGN"

    def __init__(self, path: Path) -> None:
        """Say which file is something else."""
        super().__init__(path, "is not the memory of a meter")


class MeterFileDamagedError(MeterFileError):
    """A meter's memory that contradicts itself; it is left as it is."""

    code = "METER_FILE_DAMAGED"
    hint = "restore the file from a copy"

    def __init__(self, path: Path, detail: str) -> None:
        """Say what was found; never a value, which might be a key."""
        super().__init__(path, f"the memory is damaged: {detail}")


class MeterFileVersionError(MeterFileError):
    """A memory in a form that this program does not know."""

    code = "METER_FILE_VERSION"
    hint = "use the program that wrote it, or a newer one"

    def __init__(self, path: Path, *, found: int, known: int) -> None:
        """Say which version was found and which is known."""
        super().__init__(path, f"has version {found}, this program knows {known}")


class MeterFileAccessError(MeterFileError):
    """The operating system refused: permissions, a full disk, a folder."""

    code = "METER_FILE_ACCESS"


class MeterBusyError(MeterFileError):
    """Another process kept the meter for longer than the two seconds that one waits."""

    code = "METER_BUSY"
    hint = "try again in a moment"

    def __init__(self, path: Path) -> None:
        """Say which meter is busy."""
        super().__init__(path, "another program is using the meter")


class MeterClaimedError(MeterFileError):
    """Another program lets time pass for the meter and shows it; there is one at a time."""

    code = "METER_CLAIMED"
    hint = "stop it first; tokens and keys can be entered beside it"

    def __init__(self, path: Path, *, program: str, process_id: int) -> None:
        """Say which program has it."""
        super().__init__(path, f"{program} (process {process_id}) runs the meter")
