"""The settings of an HSM: read strictly, from a file that only its owner writes, with no PIN."""

import sys
from pathlib import Path

import pytest

from keys import KeysError
from keys.open import ModuleOptions, open_driver, open_store
from keys.pkcs11.settings import HsmSettings, OaepHash, read_settings, require_driver

PIN = "71829300"
LEAST = 'library = "hsm.so"\ntoken_label = "t"\npin_file = "pin"\n'


def _file(folder: Path, text: str) -> Path:
    path = folder / "hsm.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    return path


def _refusal(folder: Path, text: str) -> KeysError:
    with pytest.raises(KeysError) as refusal:
        read_settings(_file(folder, text))
    assert refusal.value.code == "HSM_SETTINGS"
    assert PIN not in str(refusal.value)
    return refusal.value


def test_the_least_that_settings_say(tmp_path: Path) -> None:
    assert read_settings(_file(tmp_path, LEAST)) == HsmSettings(
        library=tmp_path / "hsm.so",
        token_label="t",
        pin_file=tmp_path / "pin",
        pin_environment=None,
        pad_hmac_keys=True,
        oaep_hash=OaepHash.SHA_1,
        allow_unwrapped_dkga02=False,
    )


def test_all_that_settings_say(tmp_path: Path) -> None:
    text = (
        'library = "/lib/hsm.so"\ntoken_label = "für 32 Byte"\npin_environment = "HSM_PIN"\n'
        'pad_hmac_keys = false\noaep_hash = "sha-256"\nallow_unwrapped_dkga02 = true\n'
    )
    assert read_settings(_file(tmp_path, text)) == HsmSettings(
        library=Path("/lib/hsm.so"),
        token_label="für 32 Byte",
        pin_environment="HSM_PIN",
        pad_hmac_keys=False,
        oaep_hash=OaepHash.SHA_256,
        allow_unwrapped_dkga02=True,
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "library is missing"),
        ('library = "a"\npin_file = "p"\n', "token_label is missing"),
        (LEAST + f'pin = "{PIN}"\n', "no setting called pin"),
        (LEAST + "pad_hmac_key = true\n", "no setting called pad_hmac_key"),
        (LEAST + 'pin_environment = "P"\n', "one of the two"),
        ('library = "a"\ntoken_label = "t"\n', "one of the two"),
        (LEAST + "pad_hmac_keys = 1\n", "pad_hmac_keys must be true or false"),
        (LEAST + 'allow_unwrapped_dkga02 = "yes"\n', "allow_unwrapped_dkga02 must be"),
        (LEAST + 'oaep_hash = "md5"\n', "oaep_hash must be sha-1 or sha-256"),
        (LEAST + "oaep_hash = 1\n", "oaep_hash must be printable text"),
        (LEAST.replace('"hsm.so"', '""'), "library must be printable text"),
        (LEAST.replace('"hsm.so"', '"a\\u0000b"'), "library must be printable text"),
        (LEAST.replace('"pin"', "4711"), "pin_file must be printable text"),
        (LEAST.replace('"t"', f'"{"x" * 33}"'), "1 to 32 bytes"),
        (LEAST.replace('"t"', f'"{"ü" * 17}"'), "1 to 32 bytes"),
        (LEAST.replace('"t"', '"a\\u2028b"'), "token_label must be printable text"),
        (f"pin = {PIN} or so\n", "is not TOML"),
        (LEAST + LEAST, "is not TOML"),
    ],
    ids=str,
)
def test_settings_that_are_none_are_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in str(_refusal(tmp_path, text))


def test_a_label_is_checked_wherever_it_comes_from() -> None:
    for label in ("", "a\nb", "x" * 33):
        with pytest.raises(KeysError) as refusal:
            HsmSettings(library=Path("a"), token_label=label, pin_file=Path("p"))
        assert refusal.value.code == "HSM_SETTINGS"


def test_settings_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, LEAST)
    path.write_bytes(b"\xff")
    with pytest.raises(KeysError, match="is not TOML") as refusal:
        read_settings(path)
    assert refusal.value.code == "HSM_SETTINGS"


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_settings_that_others_may_write_are_refused(tmp_path: Path, mode: int) -> None:
    """They could name a library of theirs."""
    path = _file(tmp_path, LEAST)
    path.chmod(mode)
    with pytest.raises(KeysError, match="others") as refusal:
        read_settings(path)
    assert refusal.value.code == "HSM_SETTINGS"


def test_settings_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysError) as refusal:
        read_settings(tmp_path / "hsm.toml")
    assert refusal.value.code == "FILE_UNREADABLE"


# --- the PIN --------------------------------------------------------------------------------------


def _pin_file(folder: Path, content: bytes, *, mode: int = 0o600) -> HsmSettings:
    path = folder / "pin"
    path.write_bytes(content)
    path.chmod(mode)
    return HsmSettings(library=Path("a"), token_label="t", pin_file=path)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_pin_comes_from_a_file(tmp_path: Path, end: str) -> None:
    settings = _pin_file(tmp_path, f"{PIN} {end}".encode())
    assert settings.read_pin().expose() == f"{PIN} ".encode()
    assert PIN not in repr(settings)


def test_the_pin_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = HsmSettings(library=Path("a"), token_label="t", pin_environment="STS_TEST_PIN")
    monkeypatch.setenv("STS_TEST_PIN", PIN)
    assert settings.read_pin().expose() == PIN.encode()
    monkeypatch.delenv("STS_TEST_PIN")
    with pytest.raises(KeysError) as refusal:
        settings.read_pin()
    assert refusal.value.code == "HSM_PIN"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff47"])
def test_a_file_without_a_pin_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(KeysError) as refusal:
        _pin_file(tmp_path, content).read_pin()
    assert refusal.value.code == "HSM_PIN"


def test_a_pin_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysError) as refusal:
        _pin_file(tmp_path, PIN.encode(), mode=0o640).read_pin()
    assert refusal.value.code == "UNSAFE_FILE_MODE"


# --- opening --------------------------------------------------------------------------------------


def test_without_the_driver_nothing_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"pkcs11:{_file(tmp_path, LEAST)}"
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    for attempt in (
        require_driver,
        lambda: open_driver(name, ModuleOptions(lab_mode=True)),
        lambda: open_store(name, None),
    ):
        with pytest.raises(KeysError) as refusal:
            attempt()
        assert refusal.value.code == "HSM_DRIVER"
        assert "sts-vending[hsm]" in refusal.value.hint


def test_settings_that_others_could_replace_serve_labs_only(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    name = f"pkcs11:{_file(folder, LEAST)}"
    with pytest.raises(KeysError) as refusal:
        open_driver(name, ModuleOptions(lab_mode=False))
    assert refusal.value.code == "UNSAFE_FOLDER_MODE"
    for attempt in (
        lambda: open_driver(name, ModuleOptions(lab_mode=True)),
        lambda: open_store(name, None),
    ):
        with pytest.raises(KeysError, match=r"hsm.so cannot be loaded") as refusal:
            attempt()
        assert refusal.value.code == "HSM_DRIVER"
