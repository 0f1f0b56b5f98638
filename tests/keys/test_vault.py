import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keys import Secret, Vault
from keys.errors import (
    AnotherTenantsKeyError,
    FileExistsRefusedError,
    KeyAlreadyInVaultError,
    KeysError,
    UnknownKeyError,
    UnsafeFileModeError,
    VaultFormatError,
    VaultHeaderError,
    VaultTamperedError,
)
from keys.vault_format import canonical
from sts import KeyRevisionNumber, SupplyGroupCode, VendingKey
from tests.keys.conftest import RecordMaker

GROUP = SupplyGroupCode(201457)


def _edit(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _flip_hex(text: str, place: int) -> str:
    return text[:place] + ("1" if text[place] == "0" else "0") + text[place + 1 :]


def test_a_key_comes_back_after_closing_and_opening(
    vault: Vault, vault_path: Path, vault_key: Secret, vending_key: VendingKey
) -> None:
    again = Vault.open(vault_path, vault_key)
    record = again.find("thabaneng", GROUP, key_revision_number=KeyRevisionNumber(1))
    assert again.records == vault.records == (record,)
    assert again.unsealed(record) == vending_key


def test_the_file_holds_no_key_in_any_form(vault: Vault, vault_path: Path) -> None:
    assert vault.records
    content = vault_path.read_text().lower()
    assert "abababab" not in content
    assert "94949494" not in content


def test_the_file_is_for_its_owner_only(vault: Vault, vault_path: Path, vault_key: Secret) -> None:
    assert vault.records
    assert vault_path.stat().st_mode & 0o077 == 0
    vault_path.chmod(0o644)
    with pytest.raises(UnsafeFileModeError):
        Vault.open(vault_path, vault_key)


def test_a_vault_is_never_overwritten(vault: Vault, vault_path: Path, vault_key: Secret) -> None:
    assert vault.records
    with pytest.raises(FileExistsRefusedError):
        Vault.create(vault_path, vault_key)


def test_another_key_does_not_open_it(vault: Vault, vault_path: Path) -> None:
    assert vault.records
    with pytest.raises(VaultHeaderError) as refusal:
        Vault.open(vault_path, Secret(bytes(32)))
    assert refusal.value.code == "WRONG_KEY_OR_DAMAGED_HEADER"


def test_an_altered_header_is_refused(vault: Vault, vault_path: Path, vault_key: Secret) -> None:
    assert vault.records
    _edit(vault_path, lambda c: c["header"].update(identity=_flip_hex(c["header"]["identity"], 5)))
    with pytest.raises(VaultHeaderError):
        Vault.open(vault_path, vault_key)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["records"][0]["record"].update(tenant="somebody"),
        lambda c: c["records"][0]["record"].update(key_expiry_number=254),
        lambda c: c["records"][0].update(sealed=_flip_hex(c["records"][0]["sealed"], 0)),
        lambda c: c["records"][0].update(nonce=_flip_hex(c["records"][0]["nonce"], 0)),
        lambda c: c["records"].clear(),
        lambda c: c["records"].append(c["records"][0]),
        lambda c: c.update(seal=_flip_hex(c["seal"], 0)),
    ],
    ids=["tenant", "expiry", "sealed key", "nonce", "removed", "doubled", "seal"],
)
def test_an_altered_record_is_refused(
    vault: Vault, vault_path: Path, vault_key: Secret, change: Callable[[Any], object]
) -> None:
    assert vault.records
    _edit(vault_path, change)
    with pytest.raises(VaultTamperedError) as refusal:
        Vault.open(vault_path, vault_key)
    assert refusal.value.code == "VAULT_TAMPERED"


def test_a_record_with_a_forged_seal_over_all_is_still_refused(
    vault: Vault, vault_path: Path, vault_key: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each record is sealed by itself, too."""
    assert vault.records
    _edit(vault_path, lambda c: c["records"][0]["record"].update(tenant="somebody"))
    monkeypatch.setattr("keys.vault.hmac.compare_digest", lambda _a, _b: True)
    with pytest.raises(VaultTamperedError):
        Vault.open(vault_path, vault_key)


def test_two_tenants_may_hold_the_key_of_one_group(
    vault: Vault, make_record: RecordMaker, vending_key: VendingKey
) -> None:
    vault.add(make_record(tenant="mwanga"), vending_key)
    found = vault.find("mwanga", GROUP, key_revision_number=KeyRevisionNumber(1))
    assert found.tenant == "mwanga"
    assert len(vault.records) == 2


def test_the_same_key_is_not_put_in_twice(
    vault: Vault, make_record: RecordMaker, vending_key: VendingKey, vault_path: Path
) -> None:
    before = vault_path.read_bytes()
    with pytest.raises(KeyAlreadyInVaultError) as refusal:
        vault.add(make_record(), vending_key)
    assert refusal.value.code == "KEY_ALREADY_IN_VAULT"
    assert vault_path.read_bytes() == before


@pytest.mark.parametrize(
    ("tenant", "group", "revision", "refusal"),
    [
        ("mwanga", 201457, 1, AnotherTenantsKeyError),
        ("thabaneng", 201457, 2, UnknownKeyError),
        ("thabaneng", 201458, 1, UnknownKeyError),
    ],
)
def test_only_a_tenants_own_keys_are_found(
    vault: Vault, tenant: str, group: int, revision: int, refusal: type[KeysError]
) -> None:
    with pytest.raises(refusal):
        vault.find(tenant, SupplyGroupCode(group), key_revision_number=KeyRevisionNumber(revision))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("seal"),
        lambda c: c.update(more=1),
        lambda c: c.update(header=[]),
        lambda c: c.update(records={}),
        lambda c: c.update(seal="00"),
        lambda c: c.update(seal=7),
        lambda c: c.update(seal="no hexadecimal"),
        lambda c: c["header"].update(format="something else"),
        lambda c: c["header"].update(version=2),
        lambda c: c["header"].update(protection="none"),
        lambda c: c["header"].update(identity="00"),
        lambda c: c["records"].append(1),
        lambda c: c["records"][0]["record"].pop("tenant"),
        lambda c: c["records"][0]["record"].update(tenant=""),
        lambda c: c["records"][0]["record"].update(supply_group_code="20145"),
        lambda c: c["records"][0]["record"].update(key_revision_number=0),
        lambda c: c["records"][0]["record"].update(key_revision_number="1"),
        lambda c: c["records"][0]["record"].update(key_type=0),
        lambda c: c["records"][0]["record"].update(base_date="2015"),
    ],
)
def test_what_is_not_in_the_format_is_no_vault(
    vault: Vault, vault_path: Path, vault_key: Secret, change: Callable[[Any], object]
) -> None:
    assert vault.records
    _edit(vault_path, change)
    with pytest.raises(VaultFormatError) as refusal:
        Vault.open(vault_path, vault_key)
    assert refusal.value.code == "VAULT_FORMAT"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"[" * 100_000])
def test_what_is_not_json_is_no_vault(tmp_path: Path, vault_key: Secret, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(VaultFormatError):
        Vault.open(path, vault_key)


def test_there_is_one_way_to_write_a_value() -> None:
    assert canonical({"b": 1, "a": ["ü"]}) == b'{"a":["\\u00fc"],"b":1}'
