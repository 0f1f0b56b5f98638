"""The security module of an installation: made once, opened by its name.

Whatever its name says, a vault in this process or an HSM, this program knows no key of it: it hands
requests in and gets tokens out, and the module writes every use into its own audit log.
"""

import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

from keys.audited_module import AuditedModule
from keys.clients import ClientCredential, format_credential, parse_credential
from keys.custody import Custody
from keys.errors import FileExistsRefusedError
from keys.files import create_key_file, read_key_file, read_private, write_new
from keys.module_home import ModuleHome
from keys.open import Caller, ModuleOptions, open_module, split_name
from keys.secret import Secret
from keys.vault import Vault
from sts import SAMPLE_TABLES, StaTables, load_sta_tables
from vending_app.config import Config

ACTOR: Final = "sts-vend"
_VAULT_KIND: Final = "software"


def begin_module(config: Config, *, now: datetime) -> None:
    """Make what is missing of a module over a vault; an HSM's is made by its custodians.

    A module for real meters knows this installation by a credential that is written beside it.

    Raises:
        KeysError: The module cannot be made.
    """
    kind, place = split_name(config.module)
    if kind != _VAULT_KIND:
        return
    key = _vault_key(config.module_key)
    vault = Vault.open(place, key) if place.exists() else Vault.create(place, key)
    if ModuleHome(place).module.exists():
        return
    custody = Custody.begin(
        place,
        vault,
        name=ACTOR,
        is_lab=config.lab_mode,
        actor=ACTOR,
        now=now,
        random_bytes=secrets.token_bytes,
    )
    if not config.lab_mode:
        credential = custody.file.new_credential(ACTOR)
        write_new(config.module_credential, format_credential(credential))
        custody.add_client(credential, now=now)


def open_installed_module(config: Config, *, now: datetime) -> AuditedModule:
    """Open the module of an installation.

    Raises:
        KeysError: It cannot be opened, or is not for this installation.
        StsError: The tables for EA07 cannot be read.
    """
    key = config.module_key
    options = ModuleOptions(
        lab_mode=config.lab_mode,
        unlock=read_key_file(key) if key.exists() else None,
        sta_tables=installed_tables(config),
    )
    credential = _credential(config.module_credential)
    caller = Caller(actor=ACTOR, now=now, credential=credential)
    return open_module(config.module, options, caller=caller)


def installed_tables(config: Config) -> StaTables:
    """Return the tables for EA07: the licensed set, or the printed one.

    Raises:
        StsError: The file cannot be read, or holds no tables.
    """
    return load_sta_tables(config.sta_tables) if config.sta_tables else SAMPLE_TABLES


def _credential(path: Path) -> ClientCredential | None:
    return parse_credential(read_private(path)) if path.exists() else None


def _vault_key(path: Path) -> Secret:
    """Return the key of the vault, made if there is none; another process may be making it."""
    try:
        return read_key_file(path) if path.exists() else create_key_file(path)
    except FileExistsRefusedError:
        return read_key_file(path)
