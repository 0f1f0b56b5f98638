"""A SoftHSM of its own for a test: configuration, token and settings file in a folder."""

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

import pkcs11

from keys.pkcs11.settings import HsmSettings, read_settings
from keys.pkcs11.store import HsmKeys, prepare_token
from keys.secret import Secret

LABEL: Final = "thabaneng"
PIN: Final = "4711"
SO_PIN: Final = "81532690"
SHARED_SEAL_KEY: Final = Secret(bytes(range(32)))
_PLACES: Final = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of random name is made in it


def missing() -> str | None:
    """Return why there is no SoftHSM here, or None if there is one."""
    if not any(Path(place).exists() for place in _PLACES):
        return "SoftHSM is not installed (apt-get install softhsm2)"
    return None if shutil.which("softhsm2-util") else "softhsm2-util is not installed"


@cache
def library() -> Path:
    """Return where the library is."""
    return next(Path(place) for place in _PLACES if Path(place).exists())


@dataclass(frozen=True, kw_only=True)
class SoftHsm:
    """One token in one folder."""

    folder: Path

    @classmethod
    def blank(cls, folder: Path) -> Self:
        """Make a token that has a PIN and nothing else, and plug it in."""
        hsm = cls(folder=folder)
        hsm.tokens.mkdir(parents=True)
        hsm._write_configuration()
        hsm.utility("--init-token", "--free", "--label", LABEL, "--so-pin", SO_PIN, "--pin", PIN)
        hsm.pin_file.touch(mode=0o600)
        hsm.pin_file.write_text(f"{PIN}\n", encoding="ascii")
        hsm.write_settings()
        hsm.plug_in()
        return hsm

    @classmethod
    def prepared(cls, folder: Path, template: str = "own seal key") -> Self:
        """Make a token with custody keys; to make those takes long, so one is copied.

        Two tokens of a template whose name begins with "shared" have one seal key, given to both.
        """
        hsm = cls(folder=folder)
        shutil.copytree(_template(template).folder, folder, dirs_exist_ok=True)
        hsm._write_configuration()
        hsm.plug_in()
        return hsm

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    @property
    def configuration(self) -> Path:
        return self.folder / "softhsm2.conf"

    @property
    def settings_file(self) -> Path:
        return self.folder / "hsm.toml"

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def write_settings(self, **changes: str) -> Path:
        """Write the settings file; values are TOML."""
        values = {
            "library": f'"{library()}"',
            "token_label": f'"{LABEL}"',
            "pin_file": '"pin"',
            **changes,
        }
        lines = [f"{name} = {value}\n" for name, value in values.items()]
        self.settings_file.write_text("".join(lines), encoding="utf-8")
        self.settings_file.chmod(0o644)
        return self.settings_file

    def settings(self, **changes: str) -> HsmSettings:
        """Return the settings, written with changes."""
        return read_settings(self.write_settings(**changes))

    def keys(self, **changes: str) -> HsmKeys:
        """Open the vending keys."""
        return HsmKeys.open(self.settings(**changes))

    def plug_in(self) -> None:
        """Let this process see this token; the library reads its configuration when it starts."""
        os.environ["SOFTHSM2_CONF"] = str(self.configuration)
        pkcs11.lib(str(library())).reinitialize()

    def utility(self, *arguments: str) -> str:
        """Run SoftHSM's own tool, which is another process."""
        finished = subprocess.run(
            ["softhsm2-util", *arguments],
            check=True,
            env={**os.environ, "SOFTHSM2_CONF": str(self.configuration)},
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return finished.stdout

    def initialise_again(self) -> None:
        """Have another process delete everything in the token."""
        slots = self.utility("--show-slots").splitlines()
        slot = next(line.split()[1] for line in slots if line.startswith("Slot "))
        self.utility(
            "--init-token", "--slot", slot, "--label", LABEL, "--so-pin", SO_PIN, "--pin", PIN
        )

    def change_pin(self, pin: str) -> None:
        """Give the token another PIN."""
        token = pkcs11.lib(str(library())).get_token(token_label=LABEL)
        with token.open(rw=True, user_pin=PIN) as session:
            session.set_pin(PIN, pin)
        self.pin_file.write_text(f"{pin}\n", encoding="ascii")

    def _write_configuration(self) -> None:
        lines = (f"directories.tokendir = {self.tokens}", "objectstore.backend = file")
        self.configuration.write_text("\n".join((*lines, "log.level = ERROR", "")))


def quick_folder() -> Path:
    """Return a new folder in memory if there is such: SoftHSM waits for the disk at each object."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="sts-hsm-", dir=place))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _template(name: str) -> SoftHsm:
    hsm = SoftHsm.blank(quick_folder() / "template")
    shared = SHARED_SEAL_KEY if name.startswith("shared") else None
    prepare_token(hsm.settings(), shared_seal_key=shared)
    return hsm
