import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from Crypto.Hash import SHA256
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key, key_agreement
from Crypto.Protocol.KDF import HKDF
from Crypto.PublicKey import ECC

from keys.chain_seal import HmacSealKey
from keys.errors import FileExistsRefusedError, FileUnreadableError
from keys.key_load_errors import UnknownCentreError
from keys.module_file import ModuleFile, says_lab
from keys.module_identity import (
    IdentityError,
    ModuleIdentity,
    ModuleIdMismatchError,
    PublicIdentity,
    format_identity,
    parse_identity,
    require_module_id,
)
from keys.sealed_file import SealedFile
from keys.sealed_file_errors import SealedFileFormatError, SealedFileKeyError
from keys.secret import Secret
from keys.trusted_centres import (
    LAB_NOTICE,
    CentreIdentity,
    CentreIdentityError,
    CentreIdMismatchError,
    TrustedCentre,
    format_centre,
    parse_centre,
    require_centre_id,
)
from keys.unlock import Passphrase
from sts.errors import NaiveDatetimeError
from tests.keys.custody import NOW, QUICK, fixed_random

KEY: Final = Secret(bytes(range(32)))
EXCHANGE: Final = bytes(range(32, 64))
AUDIT: Final = bytes(range(64, 96))
IDENTITY: Final = ModuleIdentity("Depot 1", exchange_key=Secret(EXCHANGE), audit_key=Secret(AUDIT))
CENTRE: Final = CentreIdentity(name="Lab", signing_key=bytes(range(32)))
Edit = Callable[[dict[str, Any]], object]


# --- identity ---------------------------------------------------------------------------------


def test_the_public_keys_are_those_of_another_implementation() -> None:
    exchange = import_x25519_private_key(EXCHANGE).public_key().export_key(format="raw")
    audit = ECC.construct(curve="Ed25519", seed=AUDIT).public_key().export_key(format="raw")
    assert IDENTITY.public == PublicIdentity(name="Depot 1", exchange_key=exchange, audit_key=audit)
    fingerprint = SHA256.new(b"sts-vending module, version 1\0" + exchange + audit).hexdigest()
    assert IDENTITY.public.id == fingerprint[:32]


def test_both_sides_agree_on_the_same_secret() -> None:
    theirs = import_x25519_private_key(bytes(range(1, 33)))
    public = theirs.public_key().export_key(format="raw")
    ours = import_x25519_public_key(IDENTITY.public.exchange_key)
    agreed = key_agreement(static_priv=theirs, static_pub=ours, kdf=lambda secret: secret)
    assert IDENTITY.shared_secret(public).expose() == agreed


@pytest.mark.parametrize(
    "worthless",
    [
        bytes(32),
        b"\1" + bytes(31),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        bytes(31),
    ],
)
def test_a_public_key_that_gives_everybody_the_same_secret_is_refused(worthless: bytes) -> None:
    with pytest.raises(IdentityError):
        IDENTITY.shared_secret(worthless)


def test_the_id_is_that_of_both_keys_and_not_of_the_name() -> None:
    public = IDENTITY.public
    assert replace(public, name="Depot 2").id == public.id
    assert replace(public, exchange_key=bytes(32)).id != public.id
    assert replace(public, audit_key=bytes(32)).id != public.id


def test_a_new_identity_is_made_of_random_bytes() -> None:
    made = ModuleIdentity.generate("Depot 1", fixed_random("a"))
    other = ModuleIdentity.generate("Depot 1", fixed_random("b"))
    assert made.public.id != other.public.id
    assert ModuleIdentity.generate("Depot 1", fixed_random("a")).public == made.public


def test_a_stored_identity_comes_back() -> None:
    again = ModuleIdentity.restore("Depot 1", IDENTITY.stored())
    assert again.public == IDENTITY.public
    assert again.stored() == IDENTITY.stored()
    with pytest.raises(IdentityError):
        ModuleIdentity.restore("Depot 1", Secret(bytes(63)))


def test_the_keys_of_the_audit_log_follow_from_the_audit_key() -> None:
    assert IDENTITY.checkpoint_key().public_key == IDENTITY.public.audit_key
    derived = HKDF(AUDIT, 32, b"", SHA256, context=b"sts-vending entry seals, version 1")
    assert isinstance(derived, bytes)
    assert IDENTITY.entry_key().seal(b"x") == HmacSealKey(Secret(derived)).seal(b"x")


def test_private_keys_are_not_shown_and_not_copied() -> None:
    assert repr(IDENTITY) == f"<ModuleIdentity {IDENTITY.public.id}>"
    with pytest.raises(TypeError):
        pickle.dumps(IDENTITY)
    with pytest.raises(TypeError):
        copy.copy(IDENTITY)


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "a\n"}, {"exchange_key": bytes(31)}, {"audit_key": bytes(33)}],
)
def test_an_identity_has_a_name_and_two_keys(change: dict[str, Any]) -> None:
    with pytest.raises(IdentityError):
        replace(IDENTITY.public, **change)


def test_a_module_makes_itself_known_by_a_file() -> None:
    content = format_identity(IDENTITY.public)
    assert parse_identity(content) == IDENTITY.public
    assert EXCHANGE.hex() not in content.decode()
    assert AUDIT.hex() not in content.decode()


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.pop("id"),
        lambda body: body.update(format="other"),
        lambda body: body.update(version=2),
        lambda body: body.update(id="0" * 32),
        lambda body: body.update(name=""),
        lambda body: body.update(exchange_key="00" * 32),
        lambda body: body.update(audit_key="00" * 31),
    ],
)
def test_anything_else_is_no_identity(edit: Edit) -> None:
    body = json.loads(format_identity(IDENTITY.public))
    edit(body)
    with pytest.raises(IdentityError):
        parse_identity(json.dumps(body).encode())


def test_no_json_is_no_identity() -> None:
    with pytest.raises(IdentityError):
        parse_identity(b"{")


def test_the_id_that_people_compared_is_that_of_the_file() -> None:
    require_module_id(IDENTITY.public, f" {IDENTITY.public.id.upper()} ")
    with pytest.raises(ModuleIdMismatchError, match=IDENTITY.public.id):
        require_module_id(IDENTITY.public, "0" * 32)
    require_centre_id(CENTRE, f"{CENTRE.id[:16]} {CENTRE.id[16:]}")
    with pytest.raises(CentreIdMismatchError, match=CENTRE.id):
        require_centre_id(CENTRE, "")


# --- centres ----------------------------------------------------------------------------------


def test_a_centre_makes_itself_known_by_a_file_that_says_it_is_a_lab() -> None:
    content = format_centre(CENTRE)
    assert parse_centre(content) == CENTRE
    assert json.loads(content)["notice"] == LAB_NOTICE
    assert json.loads(content)["id"] == CENTRE.id


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.pop("notice"),
        lambda body: body.update(format="other"),
        lambda body: body.update(version=2),
        lambda body: body.update(id="0" * 32),
        lambda body: body.update(name="a\n"),
        lambda body: body.update(signing_key="00" * 31),
    ],
)
def test_anything_else_is_no_centre(edit: Edit) -> None:
    body = json.loads(format_centre(CENTRE))
    edit(body)
    with pytest.raises(CentreIdentityError):
        parse_centre(json.dumps(body).encode())


def test_no_json_is_no_centre() -> None:
    with pytest.raises(CentreIdentityError):
        parse_centre(b"{")


@pytest.mark.parametrize("change", [{"name": ""}, {"signing_key": bytes(31)}])
def test_a_centre_has_a_name_and_a_key(change: dict[str, Any]) -> None:
    with pytest.raises(CentreIdentityError):
        replace(CENTRE, **change)


def test_a_serial_number_is_never_forgotten_for_a_smaller_one() -> None:
    centre = TrustedCentre(identity=CENTRE)
    assert centre.after(5).after(3).last_serial_number == 5


def test_a_centre_stays_revoked_since_the_first_time() -> None:
    centre = TrustedCentre(identity=CENTRE).revoked(NOW + timedelta(microseconds=3))
    assert centre.revoked_at == NOW
    assert centre.revoked(NOW + timedelta(days=1)).revoked_at == NOW
    with pytest.raises(NaiveDatetimeError):
        TrustedCentre(identity=CENTRE).revoked(datetime(2026, 1, 1))  # noqa: DTZ001 - the point


# --- the file of a module ---------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "module"


@pytest.fixture
def module(path: Path) -> ModuleFile:
    return ModuleFile.create(path, "Depot 1", unlock=KEY, random_bytes=fixed_random("module"))


def _open(path: Path) -> ModuleFile:
    return ModuleFile.open(path, unlock=KEY, random_bytes=fixed_random("again"))


def test_a_module_comes_back_with_its_keys_and_centres(module: ModuleFile, path: Path) -> None:
    module.trust(CENTRE)
    module.remember(module.centres[0].after(7))
    again = _open(path)
    assert again.identity.stored() == module.identity.stored()
    assert again.identity.public == module.identity.public
    assert again.centres == (TrustedCentre(identity=CENTRE, last_serial_number=7),)


def test_a_passphrase_opens_it_as_well(path: Path) -> None:
    passphrase = Passphrase.from_text("correct horse")
    random_bytes = fixed_random("module")
    made = ModuleFile.create(
        path, "Depot 1", unlock=passphrase, random_bytes=random_bytes, cost=QUICK
    )
    again = ModuleFile.open(path, unlock=passphrase, random_bytes=random_bytes)
    assert again.identity.public == made.identity.public
    with pytest.raises(SealedFileKeyError):
        ModuleFile.open(path, unlock=Passphrase.from_text("x"), random_bytes=random_bytes)


def test_the_file_shows_whom_the_module_trusts_and_hides_its_keys(
    module: ModuleFile, path: Path
) -> None:
    module.trust(CENTRE)
    content = path.read_text()
    assert CENTRE.id in content
    assert module.identity.public.id in content
    stored = module.identity.stored().expose().hex()
    assert stored[:64] not in content
    assert stored[64:] not in content
    assert path.stat().st_mode & 0o777 == 0o600


def test_to_trust_a_centre_again_changes_nothing(module: ModuleFile, path: Path) -> None:
    module.trust(CENTRE)
    module.remember(module.centres[0].after(7))
    module.revoke(CENTRE.id, now=NOW)
    before = path.read_bytes()
    module.trust(replace(CENTRE, name="another name"))
    assert path.read_bytes() == before
    assert _open(path).centres[0].revoked_at == NOW
    assert _open(path).centres[0].last_serial_number == 7


def test_one_centre_is_revoked_and_the_others_stay(module: ModuleFile, path: Path) -> None:
    other = CentreIdentity(name="Other", signing_key=bytes(32))
    module.trust(CENTRE)
    module.trust(other)
    module.revoke(other.id, now=NOW)
    assert [centre.revoked_at for centre in _open(path).centres] == [None, NOW]


def test_a_centre_that_is_not_known_cannot_be_revoked(module: ModuleFile) -> None:
    with pytest.raises(UnknownCentreError):
        module.revoke(CENTRE.id, now=NOW)


def test_a_module_is_not_made_twice(module: ModuleFile, path: Path) -> None:
    assert module.centres == ()
    with pytest.raises(FileExistsRefusedError):
        ModuleFile.create(path, "x", unlock=KEY, random_bytes=fixed_random("x"))
    with pytest.raises(FileUnreadableError):
        _open(path.with_name("other"))


@pytest.mark.parametrize(
    "centre",
    [
        "no object",
        {"name": "Lab"},
        {
            "name": "Lab",
            "id": CENTRE.id,
            "signing_key": "00",
            "last_serial_number": 0,
            "revoked_at": None,
        },
    ],
)
def test_a_file_with_other_content_is_no_module(path: Path, centre: object) -> None:
    public: Any = {"identity": {}, "mode": "lab", "centres": [centre], "clients": []}
    SealedFile.create(
        path,
        "security module",
        unlock=KEY,
        public={**public, "identity": json.loads(_identity_body())},
        secret=IDENTITY.stored(),
        random_bytes=fixed_random("x"),
    )
    with pytest.raises(SealedFileFormatError):
        _open(path)


@pytest.mark.parametrize(
    "change",
    [{"mode": "other"}, {"clients": [{}]}, {"clients": {}}, {"more": 1}],
    ids=str,
)
def test_a_module_is_of_one_of_two_modes_and_its_clients_are_clients(
    path: Path, change: dict[str, Any]
) -> None:
    public: Any = {"mode": "lab", "centres": [], "clients": []}
    SealedFile.create(
        path,
        "security module",
        unlock=KEY,
        public={**public, "identity": json.loads(_identity_body()), **change},
        secret=IDENTITY.stored(),
        random_bytes=fixed_random("x"),
    )
    with pytest.raises(SealedFileFormatError):
        _open(path)


@pytest.mark.parametrize("is_lab", [True, False])
def test_a_file_says_without_a_key_whether_it_is_of_a_lab_module(
    path: Path, *, is_lab: bool
) -> None:
    ModuleFile.create(
        path, "Depot 1", unlock=KEY, is_lab=is_lab, random_bytes=fixed_random("module")
    )
    assert says_lab(path) is is_lab
    assert _open(path).is_lab is is_lab


def _identity_body() -> str:
    body = json.loads(format_identity(IDENTITY.public))
    return json.dumps({name: body[name] for name in ("name", "id", "exchange_key", "audit_key")})


def test_times_are_utc(module: ModuleFile, path: Path) -> None:
    module.trust(CENTRE)
    module.revoke(CENTRE.id, now=NOW)
    revoked_at = _open(path).centres[0].revoked_at
    assert revoked_at is not None
    assert revoked_at.tzinfo is UTC
