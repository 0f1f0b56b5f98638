"""Modules are opened by name, and outside lab mode only from a vault that is safe enough."""

from pathlib import Path

import pytest

from keys import KeysError, Secret, Vault
from keys.files import create_key_file
from keys.open import ModuleOptions, open_module, open_software_module
from keys.unlock import Passphrase, ScryptCost
from tests.keys.conftest import VAULT_KEY

QUICK = ScryptCost(n=2**14)
LONG = "seven quiet rivers"


def _options(unlock: Secret | Passphrase = VAULT_KEY, *, lab_mode: bool = True) -> ModuleOptions:
    return ModuleOptions(unlock=unlock, lab_mode=lab_mode)


@pytest.mark.parametrize("kind", ["software", "decoder-keys"])
def test_a_module_opens_by_its_name(vault: Vault, kind: str) -> None:
    assert open_module(f"{kind}:{vault.path}", _options()).status().kind == kind


@pytest.mark.parametrize("name", ["", "software", "software:", "hardware:x", ":x"])
def test_a_name_without_kind_or_place_opens_nothing(name: str) -> None:
    with pytest.raises(KeysError) as refusal:
        open_module(name, _options())
    assert refusal.value.code == "MODULE_NAME"


def test_a_module_opens_from_its_key_file(tmp_path: Path) -> None:
    key = create_key_file(tmp_path / "vault.key")
    Vault.create(tmp_path / "keys.vault", key)
    module = open_software_module(tmp_path / "keys.vault", tmp_path / "vault.key", lab_mode=False)
    status = module.status()
    assert status.vending_keys == 0
    assert status.capabilities.production
    assert status.sta_tables_name == "SAMPLE"
    assert len(status.sta_tables_fingerprint) == 64
    assert not status.capabilities.holds_sta_tables


@pytest.mark.parametrize(
    ("passphrase", "cost"), [("short", ScryptCost()), (LONG, QUICK)], ids=["short", "cheap"]
)
def test_a_weak_passphrase_serves_labs_only(
    tmp_path: Path, passphrase: str, cost: ScryptCost
) -> None:
    unlock = Passphrase.from_text(passphrase)
    Vault.create(tmp_path / "v", unlock, cost=cost)
    assert open_module(f"software:{tmp_path}/v", _options(unlock)).status().lab_mode
    with pytest.raises(KeysError) as refusal:
        open_module(f"software:{tmp_path}/v", _options(unlock, lab_mode=False))
    assert refusal.value.code == "WEAK_PASSPHRASE"


def test_a_strong_passphrase_serves_everywhere(tmp_path: Path) -> None:
    unlock = Passphrase.from_text(LONG)
    Vault.create(tmp_path / "v", unlock)
    opened = open_module(f"software:{tmp_path}/v", _options(unlock, lab_mode=False))
    assert opened.status().capabilities.production


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_folder_that_others_write_to_serves_labs_only(vault: Vault, mode: int) -> None:
    folder = vault.path.parent
    folder.chmod(mode)
    try:
        assert open_module(f"software:{vault.path}", _options()).status().lab_mode
        with pytest.raises(KeysError) as refusal:
            open_module(f"software:{vault.path}", _options(lab_mode=False))
        assert refusal.value.code == "UNSAFE_FOLDER_MODE"
        folder.chmod(0o1777)
        opened = open_module(f"software:{vault.path}", _options(lab_mode=False))
        assert opened.status().capabilities.production
    finally:
        folder.chmod(0o700)


def test_a_folder_that_cannot_be_looked_at_is_refused(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def refuse(path: Path, *, follow_symlinks: bool = True) -> object:
        if path == vault.path.parent:
            raise PermissionError(13, "Permission denied")
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(KeysError) as refusal:
        open_module(f"software:{vault.path}", _options(lab_mode=False))
    assert refusal.value.code == "FILE_UNREADABLE"
