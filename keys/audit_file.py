"""The file under an audit log: lines at its end, lines from its beginning, and safe appending."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from keys.audit_line import LONGEST_LINE
from keys.errors import FileUnreadableError, KeysError, UnsafeFileModeError

_OTHERS: Final = 0o077
_FIRST_STEP: Final = 4096


class AuditLogFormatError(KeysError):
    """Not an audit log."""

    code = "AUDIT_LOG_FORMAT"
    hint = "check that it is the log of this module; if it is, keep it as evidence"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} is not an audit log, or its beginning is damaged")


@contextmanager
def opened(path: Path, *, writing: bool) -> Iterator[int]:
    """Open a log that exists, and close it afterwards.

    Raises:
        UnsafeFileModeError: Others than its owner have access to it.
        FileUnreadableError: The operating system refuses this, or anything done meanwhile.
    """
    flags = os.O_RDWR | os.O_APPEND if writing else os.O_RDONLY
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        try:
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if mode & _OTHERS:
                raise UnsafeFileModeError(path, mode)
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FileUnreadableError(path, error.strerror) from error


def lines_of(descriptor: int, *, size: int) -> Iterator[bytes]:
    """Yield the lines of the first ``size`` bytes, each with its line feed if it has one.

    A line that is too long is cut into pieces, of which only the last has a line feed.
    """
    at, pending = 0, b""
    while at < size:
        step = os.pread(descriptor, min(LONGEST_LINE, size - at), at)
        if not step:
            # Somebody cut the file meanwhile; what has been read so far is what there is.
            break
        at += len(step)
        *whole, pending = (pending + step).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(pending) > LONGEST_LINE:
            yield pending
            pending = b""
    if pending:
        yield pending


def last_lines(descriptor: int, path: Path, *, size: int) -> tuple[bytes, bytes]:
    """Return the last line that has a line feed, without it, and what stands behind it.

    Raises:
        AuditLogFormatError: There is no such line.
    """
    at, end = size, b""
    while at > 0 and end.count(b"\n") < 2:  # noqa: PLR2004 - the one before the last line, too
        step = min(max(len(end), _FIRST_STEP), at)
        at -= step
        end = os.pread(descriptor, step, at) + end
    before, line_feed, rest = end.rpartition(b"\n")
    if not line_feed:
        raise AuditLogFormatError(path)
    return before.rpartition(b"\n")[2], rest


def write_at_end(descriptor: int, content: bytes, *, end: int) -> None:
    """Append to a file that ends at ``end``, on the disk when this returns.

    Raises:
        OSError: The operating system refuses; the file is as it was, as far as it lets us.
    """
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        # The caller is told that the entry is not there, so it must not be there.
        with suppress(OSError):
            os.ftruncate(descriptor, end)
        raise
