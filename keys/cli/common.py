"""What the commands of ``sts-keys`` share: what opens a file, who asks, and when."""

import getpass
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import click

from keys.centre_custody import CentreCustody
from keys.custody import Custody
from keys.errors import KeysError
from keys.files import create_key_file, read_key_file, read_private
from keys.open import open_custody
from keys.unlock import Passphrase, Unlock
from sts import StsError
from sts.terminal import CodedGroup, json_option
from sts.terminal_keys import FILE_PATH
from sts.terminal_params import Moment

CENTRE_PREFIX: Final = "lab-centre:"
_LONGEST_ACTOR: Final = 200
_Command = TypeVar("_Command", bound=Callable[..., Any])


class KeysGroup(CodedGroup):
    """A group of commands in which every refusal of key custody is one line with its code."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (StsError, KeysError)


def random_bytes(size: int) -> bytes:
    """Return unpredictable bytes: the one place where the commands draw them."""
    return secrets.token_bytes(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockSource:
    """Where the key file or the passphrase of an encrypted file comes from.

    Attributes:
        key_file: A key file that the user named.
        passphrase_file: A file with the passphrase that the user named.
        what: What is opened, for the prompt and the names of the variables.
    """

    key_file: Path | None
    passphrase_file: Path | None
    what: str = "vault"

    def unlock(self) -> Unlock:
        """Return what opens a file that exists.

        Raises:
            VaultError: The named file cannot be used.
            click.UsageError: There is nobody to ask.
        """
        return self._given() or Passphrase.from_text(self._asked(confirm=False))

    def new_unlock(self, new_key_file: Path | None) -> Unlock:
        """Return what is to open a new file; a passphrase is asked for twice.

        Args:
            new_key_file: The key file to make for it, if one is wanted.

        Raises:
            VaultError: The named file cannot be used, or made.
            click.UsageError: There is nobody to ask, or two ways were given.
        """
        if new_key_file is not None:
            if self.key_file or self.passphrase_file:
                message = "--new-key-file stands alone: leave out --key-file and --passphrase-file"
                raise click.UsageError(message)
            return create_key_file(new_key_file, random_bytes)
        return self._given() or Passphrase.from_text(self._asked(confirm=True))

    def _given(self) -> Unlock | None:
        prefix = f"STS_{self.what.upper()}"
        if self.key_file is not None and self.passphrase_file is not None:
            message = "give --key-file or --passphrase-file, not both"
            raise click.UsageError(message)
        if self.key_file is not None:
            return read_key_file(self.key_file)
        if self.passphrase_file is not None:
            return _passphrase_of(self.passphrase_file)
        if os.environ.get(f"{prefix}_KEY_FILE"):
            return read_key_file(Path(os.environ[f"{prefix}_KEY_FILE"]))
        if os.environ.get(f"{prefix}_PASSPHRASE"):
            return Passphrase.from_text(os.environ[f"{prefix}_PASSPHRASE"])
        return None

    def _asked(self, *, confirm: bool) -> str:
        require_terminal(
            f"nothing opens the {self.what}: give --key-file or --passphrase-file, or set "
            f"STS_{self.what.upper()}_KEY_FILE or STS_{self.what.upper()}_PASSPHRASE"
        )
        answer: str = click.prompt(
            f"passphrase of the {self.what}",
            hide_input=True,
            confirmation_prompt=confirm,
            err=True,
        )
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The options that every command on keys takes.

    Attributes:
        key_file: As ``UnlockSource``.
        passphrase_file: As ``UnlockSource``.
        actor: Who asks, for the audit log.
        at: The present time that was given; None for the clock's.
    """

    key_file: Path | None
    passphrase_file: Path | None
    actor: str | None
    at: datetime | None

    @property
    def now(self) -> datetime:
        """The present time."""
        return datetime.now(UTC) if self.at is None else self.at

    @property
    def who(self) -> str:
        """Who asks: as given, or the name under which this person is logged in."""
        return self.actor or _logged_in()[:_LONGEST_ACTOR]

    def source(self, what: str = "vault") -> UnlockSource:
        """Return where the key of a vault or a centre comes from."""
        return UnlockSource(key_file=self.key_file, passphrase_file=self.passphrase_file, what=what)

    def unlock_for(self, module: str) -> Unlock | None:
        """Return what opens the keys of a module; an HSM has its PIN in its settings."""
        return None if module.startswith("pkcs11:") else self.source().unlock()

    def custody(self, module: str) -> Custody:
        """Open a module for its custodians."""
        opened = open_custody(
            module, self.unlock_for(module), actor=self.who, random_bytes=random_bytes
        )
        if self.at is not None:
            opened.require_lab("another time than the clock's")
        return opened

    def centre(self, path: Path) -> CentreCustody:
        """Open a lab centre."""
        unlock = self.source("centre").unlock()
        return CentreCustody.open(path, unlock=unlock, actor=self.who, random_bytes=random_bytes)

    def target(self, name: str) -> Custody | CentreCustody:
        """Open what a vending key is brought into: a module, or ``lab-centre:PATH``."""
        if name.startswith(CENTRE_PREFIX):
            return self.centre(Path(name.removeprefix(CENTRE_PREFIX)))
        return self.custody(name)


def session_options(command: _Command) -> _Command:
    """Add what opens the keys, who asks and when, and ``--json``."""
    options: tuple[Callable[[_Command], _Command], ...] = (
        click.option("--key-file", type=FILE_PATH, help="The key file that opens the keys."),
        click.option("--passphrase-file", type=FILE_PATH, help="A file with the passphrase."),
        click.option("--actor", help="Who asks, for the audit log.  [default: the user]"),
        click.option("--at", type=Moment(), help="The time, with its zone.  [default: now]"),
    )
    for option in reversed(options):
        command = option(command)
    return json_option(command)


def session_of(options: dict[str, Any]) -> Session:
    """Return the session by the options of a command, which are taken out."""
    names = ("key_file", "passphrase_file", "actor", "at")
    return Session(**{name: options.pop(name) for name in names})


NEW_KEY_FILE_OPTION: Final = click.option(
    "--new-key-file", type=FILE_PATH, help="Make this key file for it."
)
MODULE_ARGUMENT: Final = click.argument("module")


def require_terminal(message: str) -> None:
    """Refuse to ask where nobody can answer.

    Raises:
        click.UsageError: There is no terminal.
    """
    if sys.stdin is None or not sys.stdin.isatty():  # None where it was closed at the start.
        raise click.UsageError(message)


def read_content(path: Path) -> bytes:
    """Return a file that need not be secret.

    Raises:
        click.UsageError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise click.UsageError(message) from None


def _logged_in() -> str:
    """Return the name of the user; in a container there may be a number alone."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # The second from Python 3.13 on.
        return f"uid {os.getuid()}"


def _passphrase_of(path: Path) -> Passphrase:
    text = read_private(path).decode("utf-8", "surrogateescape")
    return Passphrase.from_text(text.removesuffix("\n").removesuffix("\r"))
