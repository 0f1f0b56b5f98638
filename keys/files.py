"""Files with secrets in them: mode 0600, never overwritten by chance, whole or not there.

A new file is written under another name, flushed to the disk, and only then gets its own name. So
after a power cut there is the old file or the new one, nothing in between.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from keys.errors import (
    FileExistsRefusedError,
    FileUnreadableError,
    KeyFileError,
    UnsafeFileModeError,
)
from keys.randomness import RandomBytes
from keys.secret import Secret

KEY_FILE_BYTES: Final = 32
_OWNER_ONLY: Final = 0o600
_OTHERS: Final = 0o077


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet.

    Raises:
        FileExistsRefusedError: It exists.
        FileUnreadableError: The operating system refuses.
    """
    try:
        temporary = _write_beside(path, content)
        try:
            # A hard link, unlike a rename, fails if the name is taken.
            os.link(temporary, path)
        finally:
            temporary.unlink()
        _flush_folder(path.parent)
    except FileExistsError:
        raise FileExistsRefusedError(path) from None
    except OSError as error:
        raise FileUnreadableError(path, error.strerror) from error


def replace(path: Path, content: bytes) -> None:
    """Put new content in the place of a file at one instant.

    Raises:
        FileUnreadableError: The operating system refuses.
    """
    try:
        _write_beside(path, content).replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise FileUnreadableError(path, error.strerror) from error


def read_private(path: Path) -> bytes:
    """Read a file that only its owner may have access to.

    Raises:
        UnsafeFileModeError: Others may have access, too.
        FileUnreadableError: The operating system refuses.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _OTHERS:
                raise UnsafeFileModeError(path, mode)
            return file.read()
    except OSError as error:
        raise FileUnreadableError(path, error.strerror) from error


def create_key_file(path: Path, random_bytes: RandomBytes = secrets.token_bytes) -> Secret:
    """Write 32 random bytes in hexadecimal to a new file and return them.

    Raises:
        FileExistsRefusedError, FileUnreadableError: As for ``write_new``.
    """
    key = random_bytes(KEY_FILE_BYTES)
    write_new(path, f"{key.hex()}\n".encode("ascii"))
    return Secret(key)


def read_key_file(path: Path) -> Secret:
    """Read the key that ``create_key_file`` wrote.

    Raises:
        KeyFileError: Not 32 bytes in hexadecimal.
        UnsafeFileModeError, FileUnreadableError: As for ``read_private``.
    """
    content = read_private(path)
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        raise KeyFileError(path) from None
    if len(key) != KEY_FILE_BYTES:
        raise KeyFileError(path)
    return Secret(key)


def _write_beside(path: Path, content: bytes) -> Path:
    """Write a temporary file in the same folder, on the disk when this returns."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
