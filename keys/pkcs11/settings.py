"""The settings file of a hardware security module: ``pkcs11:/etc/sts-vending/hsm.toml``.

=======================  ========================================================================
library                  the manufacturer's PKCS#11 library
token_label              the name of the token, at most 32 bytes
pin_file                 a file with the PIN and nothing else, mode 0600 …
pin_environment          … or the name of an environment variable with the PIN
pad_hmac_keys            fill keys up with zeros to the 32 bytes that some HSMs ask for (SoftHSM
                         does); HMAC-SHA-256 is the same. Default true
oaep_hash                hash in RSA-OAEP when a key is brought in: ``sha-1``, which is all that
                         SoftHSM knows and is not weak in this place, or ``sha-256``
allow_unwrapped_dkga02   let 64-bit keys out into memory for each derivation. Default false
=======================  ========================================================================

File names are relative to the folder of the settings. The PIN itself is never in the file, so that
the file can be shown; who may write it can name another library, so nobody but its owner may.
"""

import importlib.util
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NoReturn

from keys.errors import FileUnreadableError
from keys.files import read_private
from keys.pkcs11.errors import HsmDriverError, HsmPinError, HsmSettingsError
from keys.secret import Secret

LONGEST_LABEL: Final = 32
"""Bytes in the label of a token (PKCS#11 2.40, CK_TOKEN_INFO)."""
_WRITABLE_BY_OTHERS: Final = 0o022
_TEXTS: Final = ("library", "token_label")
_PINS: Final = ("pin_file", "pin_environment")
_SWITCHES: Final = {"pad_hmac_keys": True, "allow_unwrapped_dkga02": False}


class OaepHash(StrEnum):
    """The hash in RSA-OAEP when a key is brought in."""

    SHA_1 = "sha-1"
    SHA_256 = "sha-256"


@dataclass(frozen=True, slots=True, kw_only=True)
class HsmSettings:
    """How a token is reached, and what it is asked to do; see above.

    Raises:
        HsmSettingsError: A token label that no token can have, or not exactly one source of the
            PIN.
    """

    library: Path
    token_label: str
    pin_file: Path | None = None
    pin_environment: str | None = None
    pad_hmac_keys: bool = True
    oaep_hash: OaepHash = OaepHash.SHA_1
    allow_unwrapped_dkga02: bool = False

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        size = len(self.token_label.encode("utf-8", "replace"))
        if not self.token_label.isprintable() or not 0 < size <= LONGEST_LABEL:
            _refuse(f"token_label must be 1 to {LONGEST_LABEL} bytes of printable text")
        if (self.pin_file is None) is (self.pin_environment is None):
            _refuse("the PIN comes from pin_file or from pin_environment, one of the two")

    def read_pin(self) -> Secret:
        """Return the PIN as it stands there now.

        Raises:
            HsmPinError: There is none.
            UnsafeFileModeError: Others may read the file.
            FileUnreadableError: It cannot be read.
        """
        if self.pin_file is not None:
            pin = read_private(self.pin_file).rstrip(b"\r\n")
        else:
            assert self.pin_environment is not None
            pin = os.environb.get(os.fsencode(self.pin_environment), b"")
        try:
            pin.decode("utf-8")
        except UnicodeDecodeError:
            raise HsmPinError("the PIN is not UTF-8 text") from None
        if not pin:
            raise HsmPinError("there is no PIN where the settings say")
        return Secret(pin)


def read_settings(path: Path) -> HsmSettings:
    """Read a settings file.

    Raises:
        HsmSettingsError: Not such a file, or others may write it.
        FileUnreadableError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read()
    except OSError as error:
        raise FileUnreadableError(path, error.strerror) from error
    if mode & _WRITABLE_BY_OTHERS:
        _refuse(f"{path} may be written by others than its owner (mode {mode:o})")
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except ValueError:
        # The reader's own message may quote a PIN that somebody wrote there by mistake.
        _refuse(f"{path} is not TOML")
    return _parse(table, path.parent)


def require_driver() -> None:
    """Refuse to go on without python-pkcs11, which is an extra of the distribution.

    Raises:
        HsmDriverError: It is not installed.
    """
    if importlib.util.find_spec("pkcs11") is None:
        raise HsmDriverError("the Python driver for PKCS#11 is not installed")


def _parse(table: Mapping[str, Any], folder: Path) -> HsmSettings:
    unknown = set(table) - {*_TEXTS, *_PINS, *_SWITCHES, "oaep_hash"}
    if unknown:
        _refuse(f"there is no setting called {min(unknown)}")
    for name in _TEXTS:
        if name not in table:
            _refuse(f"{name} is missing")
    texts = {name: _text(table, name) for name in (*_TEXTS, *_PINS, "oaep_hash") if name in table}
    for name in _SWITCHES:
        if not isinstance(table.get(name, False), bool):
            _refuse(f"{name} must be true or false")
    hash_name = texts.get("oaep_hash", OaepHash.SHA_1)
    if hash_name not in set(OaepHash):
        _refuse(f"oaep_hash must be {' or '.join(OaepHash)}")
    pin_file = texts.get("pin_file")
    return HsmSettings(
        library=folder / texts["library"],
        token_label=texts["token_label"],
        pin_file=None if pin_file is None else folder / pin_file,
        pin_environment=texts.get("pin_environment"),
        pad_hmac_keys=table.get("pad_hmac_keys", _SWITCHES["pad_hmac_keys"]),
        oaep_hash=OaepHash(hash_name),
        allow_unwrapped_dkga02=table.get(
            "allow_unwrapped_dkga02", _SWITCHES["allow_unwrapped_dkga02"]
        ),
    )


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table[name]
    if not isinstance(value, str) or not value or not value.isprintable():
        _refuse(f"{name} must be printable text")
    return value


def _refuse(reason: str) -> NoReturn:
    raise HsmSettingsError(reason)
