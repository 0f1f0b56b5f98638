import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from Crypto.Cipher import AES
from Crypto.Hash import HMAC, SHA256
from Crypto.Protocol.KDF import HKDF, scrypt

from keys.canonical_json import canonical_bytes
from keys.errors import FileExistsRefusedError, FileUnreadableError, UnsafeFileModeError
from keys.file_lock import FileLockedError, locked, locked_beside
from keys.sealed_file import SealedFile, read_public
from keys.sealed_file_errors import (
    SealedFileChangedError,
    SealedFileFormatError,
    SealedFileKeyError,
    SealedFileProtectionError,
    SealedFileTamperedError,
)
from keys.secret import Secret
from keys.unlock import EmptyPassphraseError, Passphrase, ScryptCost, ScryptCostError, Unlock
from tests.keys.custody import QUICK, fixed_random

KIND: Final = "thing of a test"
KEY: Final = Secret(bytes(range(32)))
PASSPHRASE: Final = Passphrase.from_text("correct horse")
SECRET: Final = Secret(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
PUBLIC: Final = {"name": "Ω", "list": [1, None]}


def _create(path: Path, unlock: Unlock = KEY) -> SealedFile:
    return SealedFile.create(
        path,
        KIND,
        unlock=unlock,
        public=PUBLIC,
        secret=SECRET,
        random_bytes=fixed_random("sealed"),
        cost=QUICK,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    _create(tmp_path / "sealed")
    return tmp_path / "sealed"


@pytest.mark.parametrize("unlock", [KEY, PASSPHRASE], ids=["key file", "passphrase"])
def test_what_is_sealed_comes_back(tmp_path: Path, unlock: Unlock) -> None:
    path = tmp_path / "sealed"
    made = _create(path, unlock)
    opened = SealedFile.open(path, KIND, unlock=unlock)
    assert made.public == opened.public == PUBLIC == read_public(path, KIND)
    assert made.secret == opened.secret == SECRET
    assert path.stat().st_mode & 0o777 == 0o600
    assert SECRET.expose() not in path.read_bytes()
    assert SECRET.expose().hex() not in path.read_text()


@pytest.mark.parametrize("unlock", [KEY, PASSPHRASE], ids=["key file", "passphrase"])
def test_another_implementation_opens_the_file(tmp_path: Path, unlock: Unlock) -> None:
    """The bytes follow from the words of the module: PyCryptodome makes the same of them."""
    _create(tmp_path / "sealed", unlock)
    content = json.loads((tmp_path / "sealed").read_text())
    header, salt = content["header"], bytes.fromhex(content["header"]["salt"])
    start = KEY.expose()
    if isinstance(unlock, Passphrase):
        derived = scrypt(b"correct horse", salt, 32, N=2**14, r=8, p=1)
        assert isinstance(derived, bytes)
        start = derived
    material = HKDF(start, 64, salt, SHA256, context=b"sts-vending sealed file, version 1")
    assert isinstance(material, bytes)
    seal = HMAC.new(material[32:], canonical_bytes(header), SHA256).hexdigest()
    assert content["header_seal"] == seal
    cipher = AES.new(material[:32], AES.MODE_GCM, nonce=bytes.fromhex(content["nonce"]))
    cipher.update(canonical_bytes({"header": header, "public": content["public"]}))
    sealed = bytes.fromhex(content["sealed"])
    assert cipher.decrypt_and_verify(sealed[:-16], sealed[-16:]) == SECRET.expose()


def test_every_altered_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= (0x01, 0x20, 0x80)[place % 3]
        path.write_bytes(altered)
        with pytest.raises((SealedFileFormatError, SealedFileKeyError, SealedFileTamperedError)):
            SealedFile.open(path, KIND, unlock=KEY)


def test_another_key_is_told_from_altered_content(path: Path) -> None:
    with pytest.raises(SealedFileKeyError):
        SealedFile.open(path, KIND, unlock=Secret(bytes(32)))
    content = json.loads(path.read_text())
    content["public"]["name"] = "another"
    path.write_text(json.dumps(content, indent=2) + "\n")
    with pytest.raises(SealedFileTamperedError):
        SealedFile.open(path, KIND, unlock=KEY)


def test_a_passphrase_is_no_key_file_and_the_other_way_round(tmp_path: Path) -> None:
    _create(tmp_path / "by key")
    _create(tmp_path / "by passphrase", PASSPHRASE)
    with pytest.raises(SealedFileProtectionError, match="opened by a key file"):
        SealedFile.open(tmp_path / "by key", KIND, unlock=PASSPHRASE)
    with pytest.raises(SealedFileProtectionError, match="opened by a passphrase"):
        SealedFile.open(tmp_path / "by passphrase", KIND, unlock=KEY)
    wrong = Passphrase.from_text("wrong horse")
    with pytest.raises(SealedFileKeyError):
        SealedFile.open(tmp_path / "by passphrase", KIND, unlock=wrong)


Edit = Callable[[Any], object]


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.pop("nonce"),
        lambda content: content.update(extra=1),
        lambda content: content.update(header=[]),
        lambda content: content.update(public=[]),
        lambda content: content.update(nonce="00"),
        lambda content: content.update(header_seal="00"),
        lambda content: content["header"].update(format="another"),
        lambda content: content["header"].update(version=2),
        lambda content: content["header"].update(kind="another"),
        lambda content: content["header"].update(protection="word of honour"),
        lambda content: content["header"].update(scrypt={"n": 2**14, "r": 8, "p": 1}),
        lambda content: content["header"].update(salt="00"),
    ],
)
def test_anything_else_is_no_sealed_file(path: Path, edit: Edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content, indent=2) + "\n")
    with pytest.raises(SealedFileFormatError):
        SealedFile.open(path, KIND, unlock=KEY)
    if content.get("public") == []:
        with pytest.raises(SealedFileFormatError):
            read_public(path, KIND)


@pytest.mark.parametrize("content", [b"", b"\0", b"[]", b"{}"])
def test_no_json_is_no_sealed_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SealedFileFormatError):
        SealedFile.open(path, KIND, unlock=KEY)


def test_a_file_for_everybody_is_not_opened(path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(UnsafeFileModeError):
        SealedFile.open(path, KIND, unlock=KEY)


def test_an_existing_file_is_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(FileExistsRefusedError):
        _create(path)
    assert path.read_bytes() == before


# --- writing ----------------------------------------------------------------------------------


def test_new_content_takes_the_place_of_the_old(path: Path) -> None:
    opened = SealedFile.open(path, KIND, unlock=KEY)
    opened.replace({"new": 1}, Secret(b"new"), random_bytes=fixed_random("again"))
    again = SealedFile.open(path, KIND, unlock=KEY)
    assert opened.public == again.public == {"new": 1}
    assert opened.secret == again.secret == Secret(b"new")
    opened.replace({"new": 2}, Secret(b"newer"), random_bytes=fixed_random("and again"))
    assert read_public(path, KIND) == {"new": 2}
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_another_program_wrote_meanwhile_is_not_lost(path: Path) -> None:
    mine = SealedFile.open(path, KIND, unlock=KEY)
    other = SealedFile.open(path, KIND, unlock=KEY)
    other.replace({"by": "other"}, SECRET, random_bytes=fixed_random("other"))
    with pytest.raises(SealedFileChangedError):
        mine.replace({"by": "me"}, SECRET, random_bytes=fixed_random("me"))
    assert mine.public == PUBLIC
    assert read_public(path, KIND) == {"by": "other"}


def test_a_folder_that_went_away_is_reported(path: Path) -> None:
    opened = SealedFile.open(path, KIND, unlock=KEY)
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(FileUnreadableError):
        opened.replace({}, SECRET, random_bytes=fixed_random("x"))


# --- passphrases ------------------------------------------------------------------------------


def test_two_ways_to_type_a_letter_are_one_passphrase() -> None:
    assert Passphrase.from_text("é").secret == Passphrase.from_text("e\u0301").secret
    assert Passphrase.from_text("a").secret != Passphrase.from_text("A").secret
    assert "horse" not in repr(PASSPHRASE)


def test_an_empty_passphrase_is_none() -> None:
    with pytest.raises(EmptyPassphraseError):
        Passphrase.from_text("")


def test_scrypt_is_that_of_its_definition() -> None:
    """RFC 7914, 12: the third vector has n = 16384, r = 8, p = 1."""
    derived = Passphrase.from_text("pleaseletmein").stretched(b"SodiumChloride", QUICK)
    assert derived.expose().hex() == (
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    )


@pytest.mark.parametrize(
    ("n", "r", "p"),
    [
        (2**13, 8, 1),
        (2**21, 8, 1),
        (2**17 + 1, 8, 1),
        (0, 8, 1),
        (-(2**17), 8, 1),
        (2**17, 7, 1),
        (2**17, 33, 1),
        (2**17, 8, 0),
        (2**17, 8, 17),
        (2**20, 16, 1),
        (2**19, 8, 8),
    ],
)
def test_parameters_out_of_bounds_are_refused_before_anything_is_computed(
    n: int, r: int, p: int
) -> None:
    with pytest.raises(ScryptCostError):
        ScryptCost(n=n, r=r, p=p)


def test_the_default_cost_is_within_bounds() -> None:
    assert ScryptCost().n == 2**17


def test_a_file_cannot_ask_for_absurd_parameters(tmp_path: Path) -> None:
    path = tmp_path / "sealed"
    _create(path, PASSPHRASE)
    content = json.loads(path.read_text())
    content["header"]["scrypt"]["n"] = 2**40
    path.write_text(json.dumps(content, indent=2) + "\n")
    with pytest.raises(SealedFileFormatError, match="out of bounds"):
        SealedFile.open(path, KIND, unlock=PASSPHRASE)


# --- locks ------------------------------------------------------------------------------------


def test_who_waits_in_vain_is_told(path: Path) -> None:
    first, second = os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY)
    try:
        with locked(first, path):
            for shared in (True, False):
                with (
                    pytest.raises(FileLockedError, match="in use by another program"),
                    locked(second, path, shared=shared, attempts=2),
                ):
                    pytest.fail("two at once")
        with locked(first, path, shared=True), locked(second, path, shared=True, attempts=1):
            pass
    finally:
        os.close(first)
        os.close(second)


def test_a_locked_file_is_not_replaced(path: Path) -> None:
    with (
        locked_beside(path),
        pytest.raises(FileLockedError),
        locked_beside(path, attempts=1),
    ):
        pytest.fail("two at once")
    assert (path.parent / ".sealed.lock").stat().st_mode & 0o777 == 0o600


def test_another_process_waits_too(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from keys.file_lock import locked_beside\n"
        "with locked_beside(Path(sys.argv[1]), attempts=1): pass"
    )
    command = [sys.executable, "-c", program, str(path)]
    with locked_beside(path):
        waiting = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "FileLockedError" in waiting.stderr
    assert subprocess.run(command, check=False).returncode == 0
