"""Opening a security module by its name, ``KIND:PATH``; drivers are imported on use.

==================  ===============================================================================
software:VAULT      in process, over the vending keys of a vault
decoder-keys:VAULT  in process, over decoder keys that the meters' maker supplied
pkcs11:SETTINGS     over the vending keys of a hardware security module, named by a settings file
==================  ===============================================================================
"""

import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from keys.audit import AuditLog
from keys.audit_record import AuditEvent
from keys.audit_writing import AuditWriter
from keys.audited_module import AuditedModule
from keys.client_errors import ModuleModeError
from keys.clients import ClientCredential, require_client
from keys.custody import Custody, KeyStore
from keys.errors import (
    FileUnreadableError,
    KeysError,
    UnsafeFolderModeError,
    WeakPassphraseError,
)
from keys.issuing import JournalledModule
from keys.journal import IssueJournal
from keys.module_file import says_lab
from keys.module_home import ModuleHome
from keys.pkcs11.settings import read_settings, require_driver
from keys.randomness import RandomBytes
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


class UnlockMissingError(KeysError):
    """A vault was to be opened with neither key file nor passphrase."""

    code = "UNLOCK_MISSING"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("a vault is opened by a key file or a passphrase, and there is neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleOptions:
    """What modules of every kind need to be opened.

    Attributes:
        lab_mode: Whether tokens of the SAMPLE tables are made.
        unlock: The key of the key file, or the passphrase, where a vault is to be opened.
        sta_tables: The tables for EA07.
        journal: Where answers are kept if a request brings no journal.
        manufacturing: Whether meters are commissioned outside lab mode, too.
        random_bytes: Where random bytes come from, unless the module has a source of its own.
    """

    lab_mode: bool
    unlock: Unlock | None = None
    sta_tables: StaTables = SAMPLE_TABLES
    journal: IssueJournal | None = None
    manufacturing: bool = False
    random_bytes: RandomBytes = secrets.token_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who opens a module, when, and by what right.

    Attributes:
        actor: Who asks, for the audit log of a lab module; a production module writes down the
            client that it knows.
        now: The present time, aware.
        credential: By which a production module knows the client.
    """

    actor: str
    now: datetime
    credential: ClientCredential | None = None


def split_name(name: str) -> tuple[str, Path]:
    """Return the kind of a module and the place of its keys.

    Raises:
        ModuleNameError: No such kind, or no place.
    """
    kind, colon, place = name.partition(":")
    if kind not in _KINDS or not colon or not place:
        raise ModuleNameError(tuple(_KINDS))
    return kind, Path(place)


def open_module(name: str, options: ModuleOptions, *, caller: Caller) -> AuditedModule:
    """Open a security module that writes down every use of a key.

    Args:
        name: ``software:PATH`` and the like, see above.
        options: What it needs.
        caller: Who opens it.

    Raises:
        ModuleNameError: No such kind.
        ModuleNotBegunError: There are keys, but no module over them.
        ModuleModeError: A lab module outside lab mode, or the reverse.
        ClientError: A production module, and the caller is no client of it.
        VaultError: The vault cannot be used, or is not safe enough outside lab mode.
        SealedFileError, ChainError: A file of the module cannot be used.
    """
    _, place = split_name(name)
    home = ModuleHome(place)
    home.require_begun()
    driver = open_driver(name, options)
    file = home.open_file(driver.journal_key(), random_bytes=options.random_bytes)
    log = AuditLog.open(home.audit, key=file.identity.entry_key())
    stranger = AuditWriter(log, caller.actor)
    with stranger.refusals_of(AuditEvent.OPEN, now=caller.now):
        if file.is_lab is not options.lab_mode:
            raise ModuleModeError(is_lab=file.is_lab)
        if file.is_lab:
            known = stranger
        else:
            known = AuditWriter(log, require_client(caller.credential, file.clients).name)
    known.write(AuditEvent.OPEN, now=caller.now)
    return AuditedModule(driver, known)


def open_driver(name: str, options: ModuleOptions) -> JournalledModule:
    """Open what makes the tokens of a module, without audit log and clients.

    For tests and benchmarks, and for what stands in front of it; everybody else uses
    ``open_module``.

    Raises:
        ModuleNameError: No such kind.
        VaultError: The vault cannot be used, or is not safe enough outside lab mode.
        HsmError: The hardware security module cannot be used.
    """
    kind, place = split_name(name)
    return _KINDS[kind](place, options)


def open_store(name: str, unlock: Unlock | None) -> KeyStore:
    """Open the keys of a module, to look at them or to begin a module over them.

    Raises:
        ModuleNameError: No such kind.
        VaultError: The vault cannot be used.
    """
    kind, place = split_name(name)
    return _STORES[kind](place, unlock)


def open_custody(
    name: str,
    unlock: Unlock | None,
    *,
    actor: str,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Custody:
    """Open a module for its custodians.

    Args:
        name: ``software:PATH`` and the like, see above.
        unlock: The key of the key file, or the passphrase, where a vault is to be opened.
        actor: Who opens it, for the audit log.
        random_bytes: Where random bytes come from.

    Raises:
        ModuleNameError: No such kind.
        ModuleNotBegunError: There are keys, but no module over them.
        VaultError: The vault cannot be used, or is not safe enough for a production module.
        SealedFileError, ChainError: A file of the module cannot be used.
    """
    _, place = split_name(name)
    home = ModuleHome(place)
    home.require_begun()
    if not says_lab(home.module):
        # Before anything is opened: the settings of an HSM name a library, and that is run.
        require_safe_folder(place)
    store = open_store(name, unlock)
    opened = Custody.open(place, store, actor=actor, random_bytes=random_bytes)
    if not opened.file.is_lab:
        require_safe_store(store, unlock)
    return opened


def require_safe_vault(vault: Vault, unlock: Unlock) -> None:
    """Refuse a vault that is not safe enough for keys of real meters.

    That only its owner can read the file is asked for everywhere, also in labs.

    Raises:
        UnsafeFolderModeError: Others may write to its folder, and so put another in its place.
        WeakPassphraseError: The passphrase is short, or scrypt cheaper than its default.
        FileUnreadableError: The folder cannot be looked at.
    """
    require_safe_folder(vault.path)
    if isinstance(unlock, Passphrase):
        least, cost = ScryptCost(), vault.cost
        assert cost is not None
        characters = len(unlock.secret.expose().decode("utf-8", "surrogatepass"))
        cheap = cost.n * cost.r * cost.p < least.n * least.r * least.p
        if cheap or characters < LEAST_PASSPHRASE_CHARACTERS:
            raise WeakPassphraseError(LEAST_PASSPHRASE_CHARACTERS)


def require_safe_folder(path: Path) -> None:
    """Refuse a file that others could put another in the place of.

    Raises:
        UnsafeFolderModeError: Others may write to its folder.
        FileUnreadableError: The folder cannot be looked at.
    """
    folder = path.resolve().parent
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise FileUnreadableError(folder, error.strerror) from error
    if mode & _WRITABLE_BY_OTHERS and not mode & stat.S_ISVTX:
        raise UnsafeFolderModeError(folder, mode)


def require_safe_store(store: KeyStore, unlock: Unlock | None) -> None:
    """Refuse keys that are not safe enough for real meters; an HSM looks after itself.

    Raises:
        VaultError: As for ``require_safe_vault``.
    """
    if isinstance(store, Vault):
        require_safe_vault(store, _present(unlock))


def _open_vault(path: Path, options: ModuleOptions) -> Vault:
    unlock = _present(options.unlock)
    vault = Vault.open(path, unlock)
    if not options.lab_mode:
        require_safe_vault(vault, unlock)
    return vault


def _present(unlock: Unlock | None) -> Unlock:
    if unlock is None:
        raise UnlockMissingError
    return unlock


def _vault_store(path: Path, unlock: Unlock | None) -> KeyStore:
    return Vault.open(path, _present(unlock))


def _open_software(path: Path, options: ModuleOptions) -> JournalledModule:
    return SoftwareModule(
        _open_vault(path, options),
        lab_mode=options.lab_mode,
        sta_tables=options.sta_tables,
        journal=options.journal,
        random_bytes=options.random_bytes,
        manufacturing=options.manufacturing,
    )


def _open_decoder_keys(path: Path, options: ModuleOptions) -> JournalledModule:
    from keys.decoder_keys import DecoderKeysModule  # noqa: PLC0415 - a driver is imported on use

    return DecoderKeysModule(
        _open_vault(path, options),
        lab_mode=options.lab_mode,
        sta_tables=options.sta_tables,
        journal=options.journal,
        random_bytes=options.random_bytes,
    )


def _open_pkcs11(path: Path, options: ModuleOptions) -> JournalledModule:
    require_driver()
    from keys.pkcs11.module import Pkcs11Module  # noqa: PLC0415 - a driver is imported on use
    from keys.pkcs11.store import HsmKeys  # noqa: PLC0415 - as above

    if not options.lab_mode:
        require_safe_folder(path)
    return Pkcs11Module(
        HsmKeys.open(read_settings(path)),
        lab_mode=options.lab_mode,
        sta_tables=options.sta_tables,
        journal=options.journal,
        random_bytes=options.random_bytes,
        manufacturing=options.manufacturing,
    )


def _hsm_store(path: Path, unlock: Unlock | None) -> KeyStore:
    del unlock  # A token has a PIN, and the settings say where that is.
    require_driver()
    from keys.pkcs11.store import HsmKeys  # noqa: PLC0415 - a driver is imported on use

    return HsmKeys.open(read_settings(path))


_KINDS: Final[Mapping[str, Callable[[Path, ModuleOptions], JournalledModule]]] = {
    "software": _open_software,
    "decoder-keys": _open_decoder_keys,
    "pkcs11": _open_pkcs11,
}
"""Kind of module to what opens it; a new kind is a row here."""

_STORES: Final[Mapping[str, Callable[[Path, Unlock | None], KeyStore]]] = {
    "software": _vault_store,
    "decoder-keys": _vault_store,
    "pkcs11": _hsm_store,
}
"""Kind of module to what opens its keys alone."""
