"""Modules are opened by name, audited, and outside lab mode by their clients only."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from keys import KeysError, Secret, Vault
from keys.audited_module import AuditedModule
from keys.clients import ClientCredential
from keys.custody import Custody
from keys.files import create_key_file, read_key_file
from keys.module_home import ModuleHome
from keys.open import (
    Caller,
    ModuleOptions,
    open_custody,
    open_driver,
    open_module,
    open_store,
    require_safe_store,
)
from keys.unlock import Passphrase, ScryptCost, Unlock
from tests.keys.conftest import NOW, VAULT_KEY
from tests.keys.custody import fixed_random

QUICK: Final = ScryptCost(n=2**14)
LONG: Final = "seven quiet rivers"
ADA: Final = Caller(actor="ada", now=NOW)


def _options(unlock: Unlock | None = VAULT_KEY, *, lab_mode: bool = True) -> ModuleOptions:
    return ModuleOptions(unlock=unlock, lab_mode=lab_mode, random_bytes=fixed_random("open"))


def _begin(vault: Vault, *, is_lab: bool = True) -> Custody:
    return Custody.begin(
        vault.path,
        vault,
        name="Depot 1",
        is_lab=is_lab,
        actor="ada",
        now=NOW,
        random_bytes=fixed_random("module"),
    )


def _events(module: Custody) -> list[tuple[Any, ...]]:
    return [
        tuple(entry.record.get(name) for name in ("event", "actor", "refusal_code"))
        for entry in module.audit.log.entries()
    ]


@pytest.mark.parametrize("kind", ["software", "decoder-keys"])
def test_a_module_opens_by_its_name(vault: Vault, kind: str) -> None:
    made = _begin(vault)
    module = open_module(f"{kind}:{vault.path}", _options(), caller=ADA)
    assert isinstance(module, AuditedModule)
    assert module.status().kind == kind
    assert _events(made) == [("created", "ada", None), ("open", "ada", None)]
    custody = open_custody(f"{kind}:{vault.path}", VAULT_KEY, actor="ben")
    assert custody.store.records == vault.records


@pytest.mark.parametrize("name", ["", "software", "software:", "hardware:x", ":x"])
def test_a_name_without_kind_or_place_opens_nothing(name: str) -> None:
    for act in (
        lambda: open_module(name, _options(), caller=ADA),
        lambda: open_driver(name, _options()),
        lambda: open_custody(name, VAULT_KEY, actor="x"),
        lambda: open_store(name, VAULT_KEY),
    ):
        with pytest.raises(KeysError) as refusal:
            act()
        assert refusal.value.code == "MODULE_NAME"


def test_keys_over_which_nobody_made_a_module_open_nothing(vault: Vault) -> None:
    for act in (
        lambda: open_module(f"software:{vault.path}", _options(), caller=ADA),
        lambda: open_custody(f"software:{vault.path}", VAULT_KEY, actor="x"),
    ):
        with pytest.raises(KeysError) as refusal:
            act()
        assert refusal.value.code == "MODULE_NOT_BEGUN"


def test_a_vault_needs_something_to_open_it(vault: Vault) -> None:
    for act in (
        lambda: open_driver(f"software:{vault.path}", _options(None)),
        lambda: open_store(f"software:{vault.path}", None),
        lambda: require_safe_store(vault, None),
    ):
        with pytest.raises(KeysError) as refusal:
            act()
        assert refusal.value.code == "UNLOCK_MISSING"


@pytest.mark.parametrize("is_lab", [True, False])
def test_a_module_is_never_opened_as_the_other_sort(vault: Vault, *, is_lab: bool) -> None:
    made = _begin(vault, is_lab=is_lab)
    with pytest.raises(KeysError) as refusal:
        open_module(f"software:{vault.path}", _options(lab_mode=not is_lab), caller=ADA)
    assert refusal.value.code == "MODULE_MODE"
    assert _events(made)[-1] == ("refusal", "ada", "MODULE_MODE")


def test_a_production_module_answers_its_clients_by_name(vault: Vault) -> None:
    made = _begin(vault, is_lab=False)
    credential = made.file.new_credential("till 1")
    made.add_client(credential, now=NOW)
    caller = replace(ADA, credential=credential)
    name, options = f"software:{vault.path}", _options(lab_mode=False)
    assert open_module(name, options, caller=caller).status().capabilities.production
    assert _events(made)[-1] == ("open", "till 1", None)
    made.revoke_client("till 1", now=NOW)
    foreign = ClientCredential.generate("0" * 32, "till 1", random_bytes=fixed_random("x"))
    for refused, code in (
        (ADA, "CLIENT_CREDENTIAL_MISSING"),
        (replace(ADA, credential=foreign), "CLIENT_CREDENTIAL_REFUSED"),
        (caller, "CLIENT_REVOKED"),
    ):
        with pytest.raises(KeysError) as refusal:
            open_module(name, options, caller=refused)
        assert refusal.value.code == code
        assert _events(made)[-1] == ("refusal", "ada", code)


def test_without_its_audit_log_a_module_opens_not(vault: Vault) -> None:
    _begin(vault)
    ModuleHome(vault.path).audit.unlink()
    with pytest.raises(KeysError) as refusal:
        open_module(f"software:{vault.path}", _options(), caller=ADA)
    assert refusal.value.code == "FILE_UNREADABLE"


def test_the_driver_alone_opens_from_its_key_file(tmp_path: Path) -> None:
    key = create_key_file(tmp_path / "vault.key")
    Vault.create(tmp_path / "keys.vault", key)
    options = ModuleOptions(lab_mode=False, unlock=read_key_file(tmp_path / "vault.key"))
    module = open_driver(f"software:{tmp_path / 'keys.vault'}", options)
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
    vault = Vault.create(tmp_path / "v", unlock, cost=cost)
    name = f"software:{tmp_path}/v"
    assert open_driver(name, _options(unlock)).status().lab_mode
    _begin(vault, is_lab=False)
    for act in (
        lambda: open_driver(name, _options(unlock, lab_mode=False)),
        lambda: open_custody(name, unlock, actor="x"),
    ):
        with pytest.raises(KeysError) as refusal:
            act()
        assert refusal.value.code == "WEAK_PASSPHRASE"


def test_a_strong_passphrase_serves_everywhere(tmp_path: Path) -> None:
    unlock = Passphrase.from_text(LONG)
    _begin(Vault.create(tmp_path / "v", unlock), is_lab=False)
    options = _options(unlock, lab_mode=False)
    assert open_driver(f"software:{tmp_path}/v", options).status().capabilities.production
    assert not open_custody(f"software:{tmp_path}/v", unlock, actor="x").file.is_lab


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_folder_that_others_write_to_serves_labs_only(vault: Vault, mode: int) -> None:
    vault.path.parent.chmod(mode)
    assert open_driver(f"software:{vault.path}", _options()).status().lab_mode
    with pytest.raises(KeysError) as refusal:
        open_driver(f"software:{vault.path}", _options(lab_mode=False))
    assert refusal.value.code == "UNSAFE_FOLDER_MODE"
    # In a folder like /tmp nobody can move another's files away.
    vault.path.parent.chmod(mode | 0o1000)
    assert not open_driver(f"software:{vault.path}", _options(lab_mode=False)).status().lab_mode


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
        open_driver(f"software:{vault.path}", _options(lab_mode=False))
    assert refusal.value.code == "FILE_UNREADABLE"


def test_what_is_no_vault_is_as_safe_as_it_is() -> None:
    class _Hsm:
        records = ()

        def load_all(self, keys: object) -> None:
            raise AssertionError(keys)

        def journal_key(self) -> Secret:
            return VAULT_KEY

    require_safe_store(_Hsm(), None)
