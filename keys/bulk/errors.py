"""Why a job on a whole fleet is refused; rows that are refused have codes of their own.

KeysError
└── BulkError
    ├── InputFormatError        INPUT_FORMAT
    ├── InputTruncatedError     INPUT_TRUNCATED
    ├── InputChangedError       INPUT_CHANGED
    ├── OutputChangedError      OUTPUT_CHANGED
    ├── MissingColumnError      MISSING_COLUMN
    ├── ColumnTwiceError        COLUMN_TWICE
    ├── JobChangedError         JOB_CHANGED
    ├── JobFilesError           JOB_FILES
    ├── JobRunningError         JOB_RUNNING
    ├── DiskFullError           DISK_FULL
    ├── OutputError             OUTPUT_UNWRITABLE
    ├── WorkerLostError         WORKER_LOST
    ├── PartFailedError         the code that a process refused its part with
    ├── ClusterError            CLUSTER
    └── NotVerifiedError        NOT_VERIFIED
"""

import errno
from pathlib import Path

from keys.errors import KeysError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BulkError(KeysError):
    """A job that cannot be done, or not go on."""

    code = "BULK"


class InputFormatError(BulkError):
    """The input is not a table that can be read."""

    code = "INPUT_FORMAT"

    def __init__(self, path: Path, what: str) -> None:
        """Say what is wrong with it."""
        super().__init__(f"{path}: {what}")


class InputTruncatedError(BulkError):
    """The input ends before it should, so nobody knows what is missing."""

    code = "INPUT_TRUNCATED"
    hint = "copy the file again; the last line of a whole CSV file ends with a line feed"

    def __init__(self, path: Path, what: str) -> None:
        """Say where, or what is missing."""
        super().__init__(f"{path}: {what}")


class InputChangedError(BulkError):
    """The input is not what it was when the job began."""

    code = "INPUT_CHANGED"
    hint = "put the old input back, or remove the folder of the job and begin anew"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} has changed since the job began")


class OutputChangedError(BulkError):
    """The output is not what the job has written."""

    code = "OUTPUT_CHANGED"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} is not what its manifest says: somebody has changed it")


class MissingColumnError(BulkError):
    """Neither the input nor an option says what is needed."""

    code = "MISSING_COLUMN"

    def __init__(self, name: str) -> None:
        """Say which column."""
        super().__init__(f"there is no column {name}, and no option says it for all rows")


class ColumnTwiceError(BulkError):
    """A column stands in the input twice, or an option says it once more."""

    code = "COLUMN_TWICE"

    def __init__(self, name: str) -> None:
        """Say which column."""
        super().__init__(f"the column {name} is given twice")


class JobChangedError(BulkError):
    """The job that was begun was another one."""

    code = "JOB_CHANGED"
    hint = "give the options of the first time, or remove the folder of the job and begin anew"

    def __init__(self, names: tuple[str, ...]) -> None:
        """Say what differs."""
        super().__init__(f"the job was begun with another {', '.join(names)}")


class JobFilesError(BulkError):
    """A file of the job says what no file of a job says."""

    code = "JOB_FILES"

    def __init__(self, path: Path, what: str) -> None:
        """Say which file."""
        super().__init__(f"{path}: {what}")


class JobRunningError(BulkError):
    """Another process is at work on this output."""

    code = "JOB_RUNNING"

    def __init__(self, path: Path) -> None:
        """Say which output."""
        super().__init__(f"another process is at work on {path}")


class DiskFullError(BulkError):
    """There is no room for the files of the job."""

    code = "DISK_FULL"
    hint = "make room and give the same command again: it goes on where it stopped"

    def __init__(self, path: Path) -> None:
        """Say where."""
        super().__init__(f"no room left to write {path}")


class OutputError(BulkError):
    """A file of the job cannot be written."""

    code = "OUTPUT_UNWRITABLE"

    def __init__(self, path: Path, why: str) -> None:
        """Say which and why."""
        super().__init__(f"{path}: {why}")


class WorkerLostError(BulkError):
    """A process that made parts came to an end."""

    code = "WORKER_LOST"
    hint = "give the same command again: it goes on where it stopped"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("a process that made parts was killed, perhaps for want of memory")


class PartFailedError(BulkError):
    """A process refused to make its part; the refusal came here as words."""

    code = "PART_FAILED"

    def __init__(self, message: str, *, code: str, hint: str) -> None:
        """Pass on what it said."""
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # the code of another error
        self.hint = hint  # type: ignore[misc]  # as above


class ClusterError(BulkError):
    """The cluster cannot be used."""

    code = "CLUSTER"


class NotVerifiedError(BulkError):
    """The output is not what the scalar core makes of the input."""

    code = "NOT_VERIFIED"

    def __init__(self, line: int, what: str) -> None:
        """Say at which line of the input."""
        super().__init__(f"line {line} of the input: {what}" if line else what)


def unwritable(path: Path, error: OSError) -> BulkError:
    """Return the refusal for what the operating system says about writing a file."""
    if error.errno in _FULL:
        return DiskFullError(path)
    return OutputError(path, error.strerror or type(error).__name__)
