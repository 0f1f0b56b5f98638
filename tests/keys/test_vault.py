import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keys import KeyName, KeyTerms, Secret, Vault
from keys.decoder_key_record import DecoderKeyRecord
from keys.errors import (
    AnotherTenantsKeyError,
    FileExistsRefusedError,
    FileUnreadableError,
    KeyAlreadyInVaultError,
    KeysError,
    UnknownKeyError,
    UnsafeFileModeError,
    VaultChangedError,
    VaultFormatError,
    VaultHeaderError,
    VaultProtectionError,
    VaultTamperedError,
)
from keys.unlock import Passphrase, ScryptCost
from sts import (
    BaseDate,
    DecoderKey,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
    VendingKey,
)
from tests.keys.conftest import NOW, VAULT_KEY, VENDING_KEY, RecordMaker

DAY = timedelta(days=1)
QUICK = ScryptCost(n=2**14)


def _name(tenant: str = "thabaneng", *, group: int = 201457, revision: int = 1) -> KeyName:
    return KeyName(
        tenant=tenant,
        supply_group_code=SupplyGroupCode(group),
        key_revision_number=KeyRevisionNumber(revision),
    )


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
    record = again.find(_name())
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
    assert refusal.value.code == "WRONG_PASSPHRASE_OR_DAMAGED_HEADER"


def test_an_altered_header_is_refused(vault: Vault, vault_path: Path, vault_key: Secret) -> None:
    assert vault.records
    _edit(vault_path, lambda c: c["header"].update(identity=_flip_hex(c["header"]["identity"], 5)))
    with pytest.raises(VaultHeaderError):
        Vault.open(vault_path, vault_key)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["records"][0]["record"]["key"].update(tenant="somebody"),
        lambda c: c["records"][0]["record"]["key"].update(key_expiry_number=254),
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
    _edit(vault_path, lambda c: c["records"][0]["record"]["key"].update(tenant="somebody"))
    monkeypatch.setattr("keys.vault.hmac.compare_digest", lambda _a, _b: True)
    with pytest.raises(VaultTamperedError):
        Vault.open(vault_path, vault_key)


def test_two_tenants_may_hold_the_key_of_one_group(
    vault: Vault, make_record: RecordMaker, vending_key: VendingKey
) -> None:
    vault.add(make_record(tenant="mwanga"), vending_key)
    found = vault.find(_name("mwanga"))
    assert found.record.tenant == "mwanga"
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
        vault.find(_name(tenant, group=group, revision=revision))


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
        lambda c: c["records"][0]["record"]["key"].pop("tenant"),
        lambda c: c["records"][0]["record"]["key"].update(tenant=""),
        lambda c: c["records"][0]["record"]["key"].update(supply_group_code="20145"),
        lambda c: c["records"][0]["record"]["key"].update(key_revision_number=0),
        lambda c: c["records"][0]["record"]["key"].update(key_revision_number="1"),
        lambda c: c["records"][0]["record"]["key"].update(key_type=0),
        lambda c: c["records"][0]["record"]["key"].update(base_date="2015"),
        lambda c: c["records"][0]["record"].update(kind="something else"),
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


@pytest.fixture(scope="session")
def passphrase() -> Passphrase:
    return Passphrase.from_text("seven quiet rivers")


def test_a_passphrase_opens_a_vault(
    vault_path: Path, make_record: RecordMaker, vending_key: VendingKey, passphrase: Passphrase
) -> None:
    terms = KeyTerms(activation=NOW, expiry=NOW + DAY, issued_until=NOW + DAY, credit_limit_units=5)
    made = Vault.create(vault_path, passphrase, cost=QUICK)
    made.add(make_record(terms=terms), vending_key)
    opened = Vault.open(vault_path, passphrase)
    assert opened.cost == QUICK
    assert opened.find(_name()).terms == terms
    assert opened.unsealed(opened.find(_name())) == vending_key
    with pytest.raises(VaultHeaderError):
        Vault.open(vault_path, Passphrase.from_text("seven loud rivers"))


def test_by_default_scrypt_costs_two_to_the_seventeen(tmp_path: Path, vault_key: Secret) -> None:
    made = Vault.create(tmp_path / "v", Passphrase.from_text("seven quiet rivers"))
    assert made.cost == ScryptCost(n=2**17, r=8, p=1)
    assert Vault.create(tmp_path / "w", vault_key).cost is None


def test_what_opens_a_vault_is_not_mixed_up(
    vault: Vault, vault_path: Path, tmp_path: Path, vault_key: Secret, passphrase: Passphrase
) -> None:
    assert vault.records
    with pytest.raises(VaultProtectionError, match="key file") as refusal:
        Vault.open(vault_path, passphrase)
    assert refusal.value.code == "VAULT_PROTECTION"
    Vault.create(tmp_path / "other", passphrase, cost=QUICK)
    with pytest.raises(VaultProtectionError, match="passphrase"):
        Vault.open(tmp_path / "other", vault_key)


@pytest.mark.parametrize(
    ("scrypt", "refusal"),
    [
        ({"n": 2**40, "r": 8, "p": 1}, VaultFormatError),
        ({"n": 2, "r": 8, "p": 1}, VaultFormatError),
        ({"n": 2**14, "r": 8, "p": 1, "q": 1}, VaultFormatError),
        ({"n": "16384", "r": 8, "p": 1}, VaultFormatError),
        ({"n": 2**15, "r": 8, "p": 1}, VaultHeaderError),
    ],
    ids=str,
)
def test_scrypt_parameters_are_bounded_before_use_and_sealed(
    vault_path: Path,
    passphrase: Passphrase,
    scrypt: dict[str, object],
    refusal: type[KeysError],
) -> None:
    Vault.create(vault_path, passphrase, cost=QUICK)
    _edit(vault_path, lambda c: c["header"].update(scrypt=scrypt))
    with pytest.raises(refusal):
        Vault.open(vault_path, passphrase)


def test_a_vault_that_another_program_wrote_meanwhile_is_not_written(
    vault: Vault, vault_path: Path, vault_key: Secret, make_record: RecordMaker
) -> None:
    Vault.open(vault_path, vault_key).add(make_record(tenant="mwanga"), VENDING_KEY)
    before = vault_path.read_bytes()
    with pytest.raises(VaultChangedError) as refusal:
        vault.add(make_record(tenant="third"), VENDING_KEY)
    assert refusal.value.code == "VAULT_CHANGED"
    assert vault_path.read_bytes() == before
    assert len(vault.records) == 1


def test_a_vault_that_cannot_be_locked_is_not_written(
    vault: Vault, vault_path: Path, make_record: RecordMaker
) -> None:
    lock_file = vault_path.with_name(f".{vault_path.name}.lock")
    lock_file.unlink()
    lock_file.mkdir()
    with pytest.raises(FileUnreadableError):
        vault.add(make_record(tenant="mwanga"), VENDING_KEY)


def test_two_vaults_have_different_journal_keys(vault: Vault, tmp_path: Path) -> None:
    other = Vault.create(tmp_path / "other", VAULT_KEY)
    assert vault.journal_key() != other.journal_key()
    again = Vault.open(vault.path, VAULT_KEY)
    assert vault.journal_key() == again.journal_key()


def test_a_centre_gives_new_terms_and_a_new_expiry_to_a_key(
    vault: Vault, vault_path: Path, make_record: RecordMaker
) -> None:
    other = make_record(tenant="mwanga")
    vault.add(other, VENDING_KEY)
    renewed = make_record(
        terms=KeyTerms(issued_until=NOW + DAY), key_expiry_number=KeyExpiryNumber(200)
    )
    second = make_record(key_revision_number=KeyRevisionNumber(2))
    vault.load_all([(renewed, VENDING_KEY), (second, VENDING_KEY)])
    again = Vault.open(vault_path, VAULT_KEY)
    assert set(again.records) == {other, renewed, second}
    assert again.unsealed(again.find(_name())) == VENDING_KEY


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"base_date": BaseDate.Y2035}, VENDING_KEY),
        ({"check_value": "000000"}, VENDING_KEY),
        ({}, VendingKey(bytes(20))),
    ],
    ids=["base date", "check value", "bytes"],
)
def test_another_key_of_the_same_name_is_not_loaded_over_it(
    vault: Vault,
    vault_path: Path,
    make_record: RecordMaker,
    change: dict[str, object],
    key: VendingKey,
) -> None:
    before = vault_path.read_bytes()
    with pytest.raises(KeyAlreadyInVaultError):
        vault.load_all([(make_record(**change), key)])
    assert vault_path.read_bytes() == before


def test_decoder_keys_stay_where_vending_keys_are_loaded(
    vault: Vault, vault_path: Path, make_record: RecordMaker
) -> None:
    record = DecoderKeyRecord(
        meter_pan=MeterPan.from_drn("0100200002010"),
        tariff_index=TariffIndex(1),
        encryption_algorithm=EncryptionAlgorithm.MISTY1,
        key=make_record(),
    )
    vault.add_decoder_keys([(record, DecoderKey(bytes(16)))])
    vault.load_all([(make_record(), VENDING_KEY)])
    assert Vault.open(vault_path, VAULT_KEY).decoder_keys == (record,)


def test_a_vault_says_what_opens_it(vault: Vault, vault_path: Path) -> None:
    assert vault.protection == "key file"
    made = Vault.create(vault_path.with_name("p"), Passphrase.from_text("x"), cost=QUICK)
    assert made.protection == "passphrase"


def test_what_says_the_same_in_other_words_was_altered(vault: Vault, vault_path: Path) -> None:
    assert vault.records
    vault_path.write_bytes(vault_path.read_bytes().replace(b'": "', b'":  "', 1))
    with pytest.raises(VaultTamperedError):
        Vault.open(vault_path, VAULT_KEY)
