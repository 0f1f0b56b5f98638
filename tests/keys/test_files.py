import os
import stat
from pathlib import Path

import pytest

from keys.errors import (
    FileExistsRefusedError,
    FileUnreadableError,
    KeyFileError,
    UnsafeFileModeError,
)
from keys.files import create_key_file, read_key_file, read_private, replace, write_new


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_new(tmp_path / "new", b"content")
    finally:
        os.umask(before)
    assert _mode(tmp_path / "new") == 0o600
    assert read_private(tmp_path / "new") == b"content"


def test_a_file_in_the_way_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "old"
    write_new(path, b"old")
    with pytest.raises(FileExistsRefusedError) as refusal:
        write_new(path, b"new")
    assert refusal.value.code == "FILE_EXISTS"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_new(path, b"old")
    replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert _mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file"
    with pytest.raises(FileUnreadableError) as refusal:
        write_new(path, b"")
    assert refusal.value.code == "FILE_UNREADABLE"
    with pytest.raises(FileUnreadableError):
        replace(path, b"")
    with pytest.raises(FileUnreadableError):
        read_private(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_open_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "open"
    write_new(path, b"content")
    path.chmod(mode)
    with pytest.raises(UnsafeFileModeError) as refusal:
        read_private(path)
    assert refusal.value.code == "UNSAFE_FILE_MODE"


def test_a_key_file_gives_back_its_key(tmp_path: Path) -> None:
    made = create_key_file(tmp_path / "key")
    assert len(made.expose()) == 32
    assert read_key_file(tmp_path / "key") == made
    assert create_key_file(tmp_path / "other") != made


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff" * 32])
def test_what_holds_no_key_is_no_key_file(tmp_path: Path, content: bytes) -> None:
    write_new(tmp_path / "key", content)
    with pytest.raises(KeyFileError) as refusal:
        read_key_file(tmp_path / "key")
    assert refusal.value.code == "KEY_FILE"
