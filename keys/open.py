"""Opening a security module from the files that it needs."""

from pathlib import Path

from keys.files import read_key_file
from keys.software import SoftwareModule
from keys.vault import Vault
from sts import SAMPLE_TABLES, StaTables


def open_software_module(
    vault: Path, vault_key: Path, *, lab_mode: bool, sta_tables: StaTables = SAMPLE_TABLES
) -> SoftwareModule:
    """Open the in-process module over a vault.

    Args:
        vault: The vault.
        vault_key: Its key file.
        lab_mode: Whether tokens of the SAMPLE tables are made.
        sta_tables: The tables for EA07.

    Raises:
        VaultError: Vault or key file cannot be used.
    """
    opened = Vault.open(vault, read_key_file(vault_key))
    return SoftwareModule(opened, lab_mode=lab_mode, sta_tables=sta_tables)
