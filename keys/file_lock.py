"""One writer at a time, among threads and processes: an advisory lock with a bounded wait."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keys.errors import KeysError

DEFAULT_ATTEMPTS: Final = 500
_PAUSE_SECONDS: Final = 0.02
"""Half a thousand attempts at this pause are ten seconds."""


class FileLockedError(KeysError):
    """Somebody else kept a file to himself for longer than we wait."""

    code = "FILE_LOCKED"
    hint = "another program is working on this file: try again, or find out what holds it up"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} is in use by another program")


@contextmanager
def locked(
    descriptor: int, path: Path, *, shared: bool = False, attempts: int = DEFAULT_ATTEMPTS
) -> Iterator[None]:
    """Hold the lock on an open file.

    The lock belongs to this opening of the file, so a thread or a forked process that opens the
    file anew waits for it, while one that inherited the descriptor would not.

    Args:
        descriptor: The open file.
        path: Its name, for the message.
        shared: Whether other readers may hold it too.
        attempts: How often to try, 20 ms apart.

    Raises:
        FileLockedError: Never free in all the attempts.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    for attempt in range(attempts):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < attempts:
                time.sleep(_PAUSE_SECONDS)
        else:
            break
    else:
        raise FileLockedError(path)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked_beside(path: Path, *, attempts: int = DEFAULT_ATTEMPTS) -> Iterator[None]:
    """Hold the lock on a file that is replaced as a whole, by way of a lock file beside it.

    The lock file stays: to remove it would let two programs hold two locks of one name.

    Raises:
        FileLockedError: Never free in all the attempts.
        OSError: The lock file cannot be made.
    """
    lock_file = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with locked(descriptor, path, attempts=attempts):
            yield
    finally:
        os.close(descriptor)
