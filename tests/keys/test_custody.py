"""Whatever comes into a module or a lab centre is written down, and so is whatever is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from keys.audit_record import AuditEvent
from keys.centre_custody import CentreCustody, audit_path
from keys.chain_errors import ChainTruncatedError
from keys.clients import ClientCredential
from keys.custody import Custody, Origin
from keys.custody_of_decoder_keys import take_decoder_keys
from keys.decoder_key_file import COLUMNS
from keys.errors import FileExistsRefusedError, KeysError, VaultChangedError
from keys.key_load_errors import RevokedCentreError, UnknownCentreError
from keys.module_home import ModuleHome, ModuleNotBegunError
from keys.records import check_value_of
from keys.registered_key import KeyTerms
from keys.sealed_file_errors import SealedFileKeyError
from keys.secret import Secret
from keys.vault import Vault
from sts import StsError, VendingKey
from tests.keys.custody import KEY_160, NOW, fixed_random, registered

UNLOCK: Final = Secret(bytes(range(32)))
CEREMONY: Final = Origin(
    event=AuditEvent.CEREMONY, custodians=("Ada Ohm", "Ben Volt"), note="led by Cy Watt"
)
IMPORT: Final = Origin(event=AuditEvent.IMPORT)
OTHER_KEY: Final = VendingKey(bytes(range(20)))
LINE: Final = "0100200002010,929bd3a415c9420a05ec5ee9f3ce91c3,11,201457,1,01,2,2014,255,04"


@dataclass
class House:
    """A module and a centre that know each other."""

    folder: Path
    module: Custody
    centre: CentreCustody

    def file(self, *keys: int, days: int = 30) -> bytes:
        names = [registered(revision=revision).name for revision in keys]
        public = self.module.file.identity.public
        return self.centre.issue(public, names, now=NOW, expires_at=NOW + timedelta(days=days))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return build(tmp_path, is_lab=True)


def build(folder: Path, *, is_lab: bool) -> House:
    vault = Vault.create(folder / "keys.vault", UNLOCK)
    module = Custody.begin(
        vault.path,
        vault,
        name="Depot 1",
        is_lab=is_lab,
        actor="ada",
        now=NOW,
        random_bytes=fixed_random("module"),
    )
    centre = CentreCustody.begin(
        folder / "lab.centre",
        "Lab",
        unlock=UNLOCK,
        actor="cy",
        now=NOW,
        random_bytes=fixed_random("centre"),
    )
    return House(folder=folder, module=module, centre=centre)


def reopened(house: House) -> Custody:
    vault = Vault.open(house.folder / "keys.vault", UNLOCK)
    return Custody.open(vault.path, vault, actor="ben", random_bytes=fixed_random("again"))


def written(opened: Custody | CentreCustody) -> list[dict[str, Any]]:
    """Return what stands in the log behind its first entry, without times and actors."""
    return [
        {name: value for name, value in entry.record.items() if name not in ("at", "actor")}
        for entry in opened.audit.log.entries()
    ][1:]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises((KeysError, StsError)) as refusal:
        act()
    assert isinstance(refusal.value, KeysError | StsError)
    return refusal.value.code


# --- beginning and opening ----------------------------------------------------------------------


def test_a_module_is_begun_once(house: House) -> None:
    home = ModuleHome(house.folder / "keys.vault")
    assert {path.stat().st_mode & 0o777 for path in (home.module, home.journal, home.audit)} == {
        0o600
    }
    again = reopened(house)
    assert again.file.identity.public == house.module.file.identity.public
    assert again.file.is_lab
    vault = Vault.open(home.place, UNLOCK)
    with pytest.raises(FileExistsRefusedError):
        Custody.begin(
            home.place,
            vault,
            name="x",
            is_lab=True,
            actor="x",
            now=NOW,
            random_bytes=fixed_random("x"),
        )


def test_keys_alone_are_no_module(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path / "bare.vault", UNLOCK)
    with pytest.raises(ModuleNotBegunError) as refusal:
        Custody.open(vault.path, vault, actor="x", random_bytes=fixed_random("x"))
    assert refusal.value.code == "MODULE_NOT_BEGUN"


def test_the_file_of_a_module_opens_with_its_own_vault_only(house: House) -> None:
    other = Vault.create(house.folder / "other.vault", UNLOCK)
    home = ModuleHome(house.folder / "keys.vault")
    with pytest.raises(SealedFileKeyError):
        home.open_file(other.journal_key(), random_bytes=fixed_random("x"))


def test_a_centre_is_begun_once(house: House) -> None:
    with pytest.raises(FileExistsRefusedError):
        CentreCustody.begin(
            house.folder / "lab.centre",
            "x",
            unlock=UNLOCK,
            actor="x",
            now=NOW,
            random_bytes=fixed_random("x"),
        )
    again = CentreCustody.open(
        house.folder / "lab.centre", unlock=UNLOCK, actor="x", random_bytes=fixed_random("x")
    )
    assert again.centre.identity == house.centre.centre.identity
    assert audit_path(house.folder / "lab.centre").name == "lab.centre.audit"


# --- from the centre to the module --------------------------------------------------------------


def test_a_key_goes_from_a_ceremony_at_the_centre_to_the_module(house: House) -> None:
    key, name = registered(), registered().name
    house.centre.take(key, KEY_160, origin=CEREMONY, now=NOW)
    house.module.trust(house.centre.centre.identity, now=NOW)
    house.module.load(house.file(1), now=NOW)
    assert reopened(house).store.records == (key,)
    named = {
        "tenant": name.tenant,
        "supply_group_code": "201457",
        "key_revision_number": 1,
    }
    assert written(house.centre) == [
        {
            "event": "ceremony",
            **named,
            "check_value": key.record.check_value,
            "custodians": ["Ada Ohm", "Ben Volt"],
            "note": "led by Cy Watt",
        },
        {
            "event": "key-load-file",
            **named,
            "party_id": house.module.file.identity.public.id,
            "serial_number": 1,
        },
    ]
    centre_id = house.centre.centre.identity.id
    assert written(house.module) == [
        {"event": "trust", "party_id": centre_id, "note": "Lab"},
        {
            "event": "load",
            **named,
            "check_value": key.record.check_value,
            "party_id": centre_id,
            "serial_number": 1,
        },
    ]


def test_a_file_with_new_terms_renews_a_key(house: House) -> None:
    until = NOW + timedelta(days=90)
    house.module.trust(house.centre.centre.identity, now=NOW)
    house.centre.take(registered(), KEY_160, origin=IMPORT, now=NOW)
    house.module.load(house.file(1), now=NOW)
    renewed = registered(terms=KeyTerms(issued_until=until))
    house.module.take(renewed, KEY_160, origin=CEREMONY, now=NOW)
    assert reopened(house).store.records == (renewed,)


def test_another_key_of_the_same_name_is_refused(house: House) -> None:
    house.module.take(registered(), KEY_160, origin=IMPORT, now=NOW)
    other = registered(check_value="000000")
    fitting = registered(check_value=check_value_of(OTHER_KEY))
    assert code_of(lambda: house.module.take(other, OTHER_KEY, origin=IMPORT, now=NOW)) == (
        "KEY_LOAD_FILE_KEY_MISMATCH"
    )
    assert code_of(lambda: house.module.take(fitting, OTHER_KEY, origin=IMPORT, now=NOW)) == (
        "KEY_ALREADY_IN_VAULT"
    )
    codes = [entry.get("refusal_code") for entry in written(house.module)]
    assert codes == [None, "KEY_LOAD_FILE_KEY_MISMATCH", None, "KEY_ALREADY_IN_VAULT"]


def test_a_file_that_is_refused_is_written_down_as_refused(house: House) -> None:
    house.centre.take(registered(), KEY_160, origin=IMPORT, now=NOW)
    content = house.file(1)
    assert code_of(lambda: house.module.load(content, now=NOW)) == "KEY_LOAD_FILE_UNKNOWN_CENTRE"
    house.module.trust(house.centre.centre.identity, now=NOW)
    house.module.distrust(house.centre.centre.identity.id, now=NOW)
    assert code_of(lambda: house.module.load(content, now=NOW)) == "KEY_LOAD_FILE_CENTRE_REVOKED"
    told = [(each["event"], each.get("refusal_code")) for each in written(house.module)]
    assert told == [
        ("refusal", "KEY_LOAD_FILE_UNKNOWN_CENTRE"),
        ("trust", None),
        ("revoke", None),
        ("refusal", "KEY_LOAD_FILE_CENTRE_REVOKED"),
    ]
    assert reopened(house).store.records == ()


def test_a_vault_that_cannot_be_written_leaves_its_trace(house: House) -> None:
    """The entry comes first, so that no key is ever in the vault unseen."""
    Vault.open(house.folder / "keys.vault", UNLOCK).add(registered(revision=7), KEY_160)
    with pytest.raises(VaultChangedError):
        house.module.take(registered(), KEY_160, origin=CEREMONY, now=NOW)
    assert [each["event"] for each in written(house.module)] == ["ceremony", "refusal"]


def test_what_the_centre_refuses_is_written_down(house: House) -> None:
    public = house.module.file.identity.public
    house.centre.take(registered(), KEY_160, origin=IMPORT, now=NOW)
    refusals = {
        "CENTRE_KEY_EXISTS": lambda: house.centre.take(
            registered(), KEY_160, origin=IMPORT, now=NOW
        ),
        "CENTRE_KEY_UNKNOWN": lambda: house.file(2),
        "CENTRE_MODULE_ID": lambda: house.centre.revoke_module("x", now=NOW),
    }
    for code, act in refusals.items():
        assert code_of(act) == code
    house.centre.revoke_key(registered().name, now=NOW)
    assert code_of(lambda: house.file(1)) == "CENTRE_KEY_REVOKED"
    house.centre.revoke_module(public.id, now=NOW)
    assert code_of(lambda: house.file(1)) == "CENTRE_MODULE_REVOKED"
    told = [each["refusal_code"] for each in written(house.centre) if "refusal_code" in each]
    assert told == [*refusals, "CENTRE_KEY_REVOKED", "CENTRE_MODULE_REVOKED"]


# --- what only a lab does -----------------------------------------------------------------------


def test_a_key_that_somebody_has_seen_stays_out_of_a_production_module(tmp_path: Path) -> None:
    house = build(tmp_path, is_lab=False)
    for event in (AuditEvent.IMPORT, AuditEvent.GENERATE):
        origin = Origin(event=event)
        take = partial(house.module.take, registered(), KEY_160, origin=origin, now=NOW)
        assert code_of(take) == "LAB_MODULE_ONLY"
    house.module.take(registered(), KEY_160, origin=CEREMONY, now=NOW)
    assert not reopened(house).file.is_lab


# --- clients ------------------------------------------------------------------------------------


def test_a_client_is_let_in_and_shut_out(house: House) -> None:
    credential = house.module.file.new_credential("till 1")
    house.module.add_client(credential, now=NOW)
    assert [each.name for each in reopened(house).file.clients] == ["till 1"]
    house.module.revoke_client("till 1", now=NOW)
    assert reopened(house).file.clients[0].revoked_at == NOW
    assert code_of(lambda: house.module.file.new_credential("till 1")) == "CLIENT_EXISTS"
    assert code_of(lambda: house.module.add_client(credential, now=NOW)) == "CLIENT_EXISTS"
    assert code_of(lambda: house.module.revoke_client("till 2", now=NOW)) == "CLIENT_UNKNOWN"
    told = [(each["event"], each.get("note")) for each in written(house.module)]
    assert told == [
        ("client", "till 1"),
        ("revoke", "till 1"),
        ("client", "till 1"),
        ("refusal", None),
        ("refusal", None),
    ]


def test_one_client_is_shut_out_and_the_others_stay(house: House) -> None:
    for name in ("till 1", "till 2"):
        house.module.add_client(house.module.file.new_credential(name), now=NOW)
    house.module.revoke_client("till 2", now=NOW)
    assert [each.revoked_at for each in reopened(house).file.clients] == [None, NOW]


def test_a_credential_of_another_module_lets_nobody_in(house: House) -> None:
    foreign = ClientCredential.generate("0" * 32, "till 1", random_bytes=fixed_random("x"))
    assert (
        code_of(partial(house.module.add_client, foreign, now=NOW)) == "CLIENT_CREDENTIAL_REFUSED"
    )


def test_a_centre_that_was_distrusted_is_not_trusted_again(house: House) -> None:
    identity = house.centre.centre.identity
    house.module.trust(identity, now=NOW)
    house.module.distrust(identity.id, now=NOW)
    with pytest.raises(RevokedCentreError):
        house.module.trust(identity, now=NOW)
    assert written(house.module)[-1]["refused"] == "trust"
    assert reopened(house).file.centres[0].revoked_at == NOW


def test_a_centre_that_is_not_known_cannot_be_distrusted(house: House) -> None:
    with pytest.raises(UnknownCentreError):
        house.module.distrust("0" * 32, now=NOW)
    assert written(house.module)[-1]["refused"] == "revoke"


# --- decoder keys -------------------------------------------------------------------------------


def _maker(line: str = LINE) -> bytes:
    return f"{','.join(COLUMNS)}\n{line}\n".encode()


def test_a_makers_keys_come_in_as_one(house: House) -> None:
    (record,) = take_decoder_keys(house.module, _maker(), tenant="mwanga", now=NOW)
    store = reopened(house).store
    assert isinstance(store, Vault)
    assert store.decoder_keys == (record,)
    assert written(house.module)[-1]["meter_pan"] == "000001002000020102"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff", "DECODER_KEY_FILE"),
        (_maker("0100200002011" + LINE[13:]), "DECODER_KEY_FILE"),
    ],
)
def test_a_makers_file_that_is_wrong_brings_nothing(
    house: House, content: bytes, code: str
) -> None:
    assert (
        code_of(partial(take_decoder_keys, house.module, content, tenant="mwanga", now=NOW)) == code
    )
    assert written(house.module)[-1]["refusal_code"] == code
    store = reopened(house).store
    assert isinstance(store, Vault)
    assert store.decoder_keys == ()


def test_a_byte_order_mark_is_no_key(house: House) -> None:
    assert take_decoder_keys(house.module, b"\xef\xbb\xbf" + _maker(), tenant="mwanga", now=NOW)


class _Elsewhere:
    """Keys that lie in no vault."""

    records = ()

    def load_all(self, keys: object) -> None:
        raise AssertionError(keys)

    def journal_key(self) -> Secret:
        return UNLOCK


def test_a_makers_keys_need_a_vault(tmp_path: Path) -> None:
    custody = Custody.begin(
        tmp_path / "hsm.toml",
        _Elsewhere(),
        name="HSM",
        is_lab=True,
        actor="ada",
        now=NOW,
        random_bytes=fixed_random("hsm"),
    )
    assert (
        code_of(partial(take_decoder_keys, custody, _maker(), tenant="mwanga", now=NOW))
        == "NO_PLACE_FOR_DECODER_KEYS"
    )


# --- checkpoints --------------------------------------------------------------------------------


@pytest.fixture
def old_copy(house: House) -> tuple[House, bytes]:
    path = ModuleHome(house.folder / "keys.vault").audit
    before = path.read_bytes()
    house.module.take(registered(), KEY_160, origin=IMPORT, now=NOW)
    return house, before


def test_an_old_copy_of_the_log_is_found_by_a_checkpoint(old_copy: tuple[House, bytes]) -> None:
    house, before = old_copy
    log = house.module.audit.log
    checkpoint = log.checkpoint(house.module.checkpoint_key(), now=NOW)
    ModuleHome(house.folder / "keys.vault").audit.write_bytes(before)
    again = reopened(house)
    assert again.audit.log.verified().head.length == 1
    with pytest.raises(ChainTruncatedError, match="ends with entry 1, but has had 2"):
        again.audit.log.verified([checkpoint])


def test_whoever_has_the_log_open_sees_it_even_without_one(old_copy: tuple[House, bytes]) -> None:
    house, before = old_copy
    ModuleHome(house.folder / "keys.vault").audit.write_bytes(before)
    with pytest.raises(ChainTruncatedError):
        house.module.audit.log.verified()


def test_the_centre_signs_checkpoints_with_its_own_key(house: House) -> None:
    key = house.centre.checkpoint_key()
    assert key.public_key == house.centre.centre.identity.signing_key
