"""Opening a security module by its name, ``KIND:PATH``; drivers are imported on use.

==================  ===========================================================
software:VAULT      in process, over the vending keys of a vault
decoder-keys:VAULT  in process, over decoder keys that the meters' maker supplied
==================  ===========================================================
"""

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keys.errors import (
    FileUnreadableError,
    KeysError,
    UnsafeFolderModeError,
    WeakPassphraseError,
)
from keys.files import read_key_file
from keys.issuing import JournalledModule
from keys.journal import IssueJournal
from keys.security_module import SecurityModule
from keys.software import SoftwareModule
from keys.unlock import Passphrase, ScryptCost, Unlock
from keys.vault import Vault
from sts import SAMPLE_TABLES, StaTables

LEAST_PASSPHRASE_CHARACTERS: Final = 12
_WRITABLE_BY_OTHERS: Final = 0o022


class ModuleNameError(KeysError):
    """No security module of this kind, or a name that does not say where it is."""

    code = "MODULE_NAME"

    def __init__(self, kinds: tuple[str, ...]) -> None:
        """Say what names look like; the name itself may hold a secret and is not repeated."""
        super().__init__(f"a security module is named KIND:PATH, with KIND {' or '.join(kinds)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleOptions:
    """What modules of every kind need to be opened.

    Attributes:
        unlock: The key of the key file, or the passphrase.
        lab_mode: Whether tokens of the SAMPLE tables are made.
        sta_tables: The tables for EA07.
        journal: Where answers are kept if a request brings no journal.
        manufacturing: Whether meters are commissioned outside lab mode, too.
    """

    unlock: Unlock
    lab_mode: bool
    sta_tables: StaTables = SAMPLE_TABLES
    journal: IssueJournal | None = None
    manufacturing: bool = False


def open_module(name: str, options: ModuleOptions) -> SecurityModule:
    """Open a security module.

    Args:
        name: ``software:PATH`` and the like, see above.
        options: What it needs.

    Raises:
        ModuleNameError: No such kind.
        VaultError: The vault cannot be used, or is not safe enough outside lab mode.
    """
    kind, colon, place = name.partition(":")
    if kind not in _KINDS or not colon or not place:
        raise ModuleNameError(tuple(_KINDS))
    return _KINDS[kind](Path(place), options)


def open_software_module(
    vault: Path, vault_key: Path, *, lab_mode: bool, sta_tables: StaTables = SAMPLE_TABLES
) -> JournalledModule:
    """Open the in-process module over a vault that a key file opens.

    Args:
        vault: The vault.
        vault_key: Its key file.
        lab_mode: Whether tokens of the SAMPLE tables are made.
        sta_tables: The tables for EA07.

    Raises:
        VaultError: Vault or key file cannot be used, or are not safe enough outside lab mode.
    """
    unlock = read_key_file(vault_key)
    return _open_software(
        vault, ModuleOptions(unlock=unlock, lab_mode=lab_mode, sta_tables=sta_tables)
    )


def require_safe_vault(vault: Vault, unlock: Unlock) -> None:
    """Refuse a vault that is not safe enough for keys of real meters.

    That only its owner can read the file is asked for everywhere, also in labs.

    Raises:
        UnsafeFolderModeError: Others may write to its folder, and so put another in its place.
        WeakPassphraseError: The passphrase is short, or scrypt cheaper than its default.
        FileUnreadableError: The folder cannot be looked at.
    """
    folder = vault.path.resolve().parent
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise FileUnreadableError(folder, error.strerror) from error
    if mode & _WRITABLE_BY_OTHERS and not mode & stat.S_ISVTX:
        raise UnsafeFolderModeError(folder, mode)
    if isinstance(unlock, Passphrase):
        least, cost = ScryptCost(), vault.cost
        assert cost is not None
        characters = len(unlock.secret.expose().decode("utf-8", "surrogatepass"))
        cheap = cost.n * cost.r * cost.p < least.n * least.r * least.p
        if cheap or characters < LEAST_PASSPHRASE_CHARACTERS:
            raise WeakPassphraseError(LEAST_PASSPHRASE_CHARACTERS)


def _open_vault(path: Path, options: ModuleOptions) -> Vault:
    vault = Vault.open(path, options.unlock)
    if not options.lab_mode:
        require_safe_vault(vault, options.unlock)
    return vault


def _open_software(path: Path, options: ModuleOptions) -> JournalledModule:
    return SoftwareModule(
        _open_vault(path, options),
        lab_mode=options.lab_mode,
        sta_tables=options.sta_tables,
        journal=options.journal,
        manufacturing=options.manufacturing,
    )


def _open_decoder_keys(path: Path, options: ModuleOptions) -> JournalledModule:
    from keys.decoder_keys import DecoderKeysModule  # noqa: PLC0415 - a driver is imported on use

    return DecoderKeysModule(
        _open_vault(path, options),
        lab_mode=options.lab_mode,
        sta_tables=options.sta_tables,
        journal=options.journal,
    )


_KINDS: Final[Mapping[str, Callable[[Path, ModuleOptions], SecurityModule]]] = {
    "software": _open_software,
    "decoder-keys": _open_decoder_keys,
}
"""Kind of module to what opens it; a new kind is a row here."""
