import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from Crypto.PublicKey import ECC

from keys.errors import FileExistsRefusedError
from keys.key_load import load
from keys.key_load_errors import (
    KeyLoadFormatError,
    KeyLoadMismatchError,
    KeyLoadReplayedError,
    RevokedCentreError,
)
from keys.key_load_file import parse_key_load_file
from keys.lab_centre import KIND, LabCentre
from keys.lab_centre_errors import (
    CentreKeyExistsError,
    CentreKeyExpiredError,
    CentreKeyRevokedError,
    CentreKeyUnknownError,
    CentreModuleIdError,
    CentreModuleRevokedError,
    LabCentreError,
)
from keys.lab_centre_state import IssuedFile, RevokedModule, parse_state, public_part, secret_part
from keys.module_file import ModuleFile
from keys.registered_key import KeyTerms
from keys.sealed_file import SealedFile, read_public
from keys.sealed_file_errors import SealedFileChangedError, SealedFileFormatError
from keys.secret import Secret
from keys.trusted_centres import LAB_NOTICE, CentreIdentityError, format_centre, parse_centre
from keys.unlock import Passphrase
from sts import KeyGenerationAlgorithm
from sts.errors import NaiveDatetimeError
from tests.keys.custody import KEY_64, KEY_160, NOW, QUICK, fixed_random, in_transit, registered

UNLOCK: Final = Secret(bytes(range(32)))
EXPIRES: Final = NOW + timedelta(days=30)
FIRST: Final = in_transit()
SECOND: Final = in_transit(123456, 2, key_generation_algorithm=KeyGenerationAlgorithm.DKGA02)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "centre"


@pytest.fixture
def centre(path: Path) -> LabCentre:
    """A centre with two keys."""
    made = LabCentre.create(path, "Lab", unlock=UNLOCK, random_bytes=fixed_random("centre"))
    for key in (FIRST, SECOND):
        made.add(key.key, key.vending_key)
    return made


@pytest.fixture
def module(tmp_path: Path, centre: LabCentre) -> ModuleFile:
    """A module that trusts the centre."""
    made = ModuleFile.create(
        tmp_path / "module", "Depot 1", unlock=UNLOCK, random_bytes=fixed_random("module")
    )
    made.trust(parse_centre(format_centre(centre.identity)))
    return made


def _open(path: Path) -> LabCentre:
    return LabCentre.open(path, unlock=UNLOCK, random_bytes=fixed_random("again"))


# --- from the centre to a module --------------------------------------------------------------


def test_a_module_loads_what_the_centre_issues(centre: LabCentre, module: ModuleFile) -> None:
    names = [FIRST.key.name, SECOND.key.name]
    content = centre.issue(module.identity.public, names, now=NOW, expires_at=EXPIRES)
    loaded = load(content, module.identity, centres=module.centres, now=NOW)
    assert loaded.keys == (FIRST, SECOND)
    module.remember(loaded.centre)
    with pytest.raises(KeyLoadReplayedError):
        load(content, module.identity, centres=module.centres, now=NOW)


def test_every_file_has_a_serial_number_of_its_own(centre: LabCentre, module: ModuleFile) -> None:
    def serial_number(issuing: LabCentre) -> int:
        content = issuing.issue(
            module.identity.public, [FIRST.key.name], now=NOW, expires_at=EXPIRES
        )
        return parse_key_load_file(content).header.serial_number

    assert [serial_number(centre) for _ in range(3)] == [1, 2, 3]


def test_a_centre_that_the_module_revoked_loads_nothing(
    centre: LabCentre, module: ModuleFile
) -> None:
    content = centre.issue(module.identity.public, [FIRST.key.name], now=NOW, expires_at=EXPIRES)
    module.revoke(centre.identity.id, now=NOW)
    with pytest.raises(RevokedCentreError):
        load(content, module.identity, centres=module.centres, now=NOW)


def test_a_centre_has_keys_for_an_audit_log_of_its_own(centre: LabCentre, path: Path) -> None:
    assert centre.checkpoint_key().public_key == centre.identity.signing_key
    assert centre.entry_key().seal(b"x") == _open(path).entry_key().seal(b"x")
    assert centre.entry_key().key_id != centre.checkpoint_key().key_id


# --- the centre's file ------------------------------------------------------------------------


def test_a_centre_comes_back_with_everything(
    centre: LabCentre, module: ModuleFile, path: Path
) -> None:
    content = centre.issue(module.identity.public, [FIRST.key.name], now=NOW, expires_at=EXPIRES)
    centre.revoke_key(FIRST.key.name, now=NOW)
    centre.revoke_module("0" * 32, now=NOW)
    again = _open(path)
    assert again.identity == centre.identity
    assert [key.key for key in again.keys] == [FIRST.key, SECOND.key]
    assert [key.revoked_at for key in again.keys] == [NOW, None]
    assert again.revoked_modules == (RevokedModule(id="0" * 32, revoked_at=NOW),)
    assert again.issued == (
        IssuedFile(
            serial_number=1,
            module_name="Depot 1",
            module_id=module.identity.public.id,
            issued_at=NOW,
            expires_at=EXPIRES,
            sha256=sha256(content).hexdigest(),
            keys=(FIRST.key.name,),
        ),
    )
    issued = again.issue(module.identity.public, [SECOND.key.name], now=NOW, expires_at=EXPIRES)
    assert load(issued, module.identity, centres=module.centres, now=NOW).keys == (SECOND,)
    assert parse_key_load_file(issued).header.serial_number == 2


def test_the_signing_key_is_that_of_another_implementation(path: Path) -> None:
    seed = fixed_random("centre")(32)
    made = LabCentre.create(path, "Lab", unlock=UNLOCK, random_bytes=fixed_random("centre"))
    expected = ECC.construct(curve="Ed25519", seed=seed).public_key().export_key(format="raw")
    assert made.identity.signing_key == expected


def test_a_passphrase_guards_it_as_well(path: Path) -> None:
    passphrase = Passphrase.from_text("correct horse")
    random_bytes = fixed_random("centre")
    made = LabCentre.create(path, "Lab", unlock=passphrase, random_bytes=random_bytes, cost=QUICK)
    again = LabCentre.open(path, unlock=passphrase, random_bytes=random_bytes)
    assert again.identity == made.identity


def test_the_register_can_be_read_without_the_key_and_holds_none(
    centre: LabCentre, path: Path
) -> None:
    public = json.dumps(read_public(path, KIND))
    assert centre.identity.id in public
    assert "201457" in public
    assert LAB_NOTICE in public
    content = path.read_text().lower()
    for secret in (KEY_160.expose(), KEY_64.expose(), fixed_random("centre")(32)):
        assert secret.hex() not in content
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_centre_shows_no_key(centre: LabCentre) -> None:
    text = repr(centre.keys) + repr(centre) + repr(centre.identity)
    assert "abab" not in text.lower()


def test_a_centre_is_not_made_twice_nor_without_a_name(centre: LabCentre, path: Path) -> None:
    assert centre.issued == ()
    with pytest.raises(FileExistsRefusedError):
        LabCentre.create(path, "Lab", unlock=UNLOCK, random_bytes=fixed_random("x"))
    with pytest.raises(CentreIdentityError):
        LabCentre.create(path, "", unlock=UNLOCK, random_bytes=fixed_random("x"))


def test_two_programs_at_one_centre_do_not_use_one_serial_number(
    centre: LabCentre, module: ModuleFile, path: Path
) -> None:
    other = _open(path)
    names = [FIRST.key.name]
    centre.issue(module.identity.public, names, now=NOW, expires_at=EXPIRES)
    with pytest.raises(SealedFileChangedError):
        other.issue(module.identity.public, names, now=NOW, expires_at=EXPIRES)
    assert other.issued == ()


# --- refusals ---------------------------------------------------------------------------------


def test_a_key_is_registered_once(centre: LabCentre) -> None:
    with pytest.raises(CentreKeyExistsError, match="supply group 201457, key revision 1"):
        centre.add(FIRST.key, FIRST.vending_key)
    assert len(centre.keys) == 2


def test_a_key_is_registered_under_its_own_check_value(centre: LabCentre) -> None:
    with pytest.raises(KeyLoadMismatchError):
        centre.add(registered(revision=2, check_value="000000"), KEY_160)
    assert len(centre.keys) == 2


def test_an_unknown_key_is_not_issued(centre: LabCentre, module: ModuleFile) -> None:
    unknown = registered(revision=5).name
    with pytest.raises(CentreKeyUnknownError, match="key revision 5"):
        centre.issue(module.identity.public, [unknown], now=NOW, expires_at=EXPIRES)
    with pytest.raises(CentreKeyUnknownError):
        centre.revoke_key(unknown, now=NOW)


def test_a_revoked_key_is_not_issued(centre: LabCentre, module: ModuleFile) -> None:
    centre.revoke_key(FIRST.key.name, now=NOW)
    centre.revoke_key(FIRST.key.name, now=NOW + timedelta(days=1))
    with pytest.raises(CentreKeyRevokedError, match="2026-03-02"):
        centre.issue(module.identity.public, [FIRST.key.name], now=NOW, expires_at=EXPIRES)
    assert centre.issue(module.identity.public, [SECOND.key.name], now=NOW, expires_at=EXPIRES)


def test_a_key_is_issued_until_its_terms_say_no(centre: LabCentre, module: ModuleFile) -> None:
    expiry = NOW + timedelta(days=1)
    key = registered(revision=3, terms=KeyTerms(expiry=expiry))
    centre.add(key, KEY_160)
    before = expiry - timedelta(seconds=1)
    assert centre.issue(module.identity.public, [key.name], now=before, expires_at=EXPIRES)
    with pytest.raises(CentreKeyExpiredError, match="2026-03-03"):
        centre.issue(module.identity.public, [key.name], now=expiry, expires_at=EXPIRES)


def test_a_revoked_module_gets_nothing(centre: LabCentre, module: ModuleFile) -> None:
    public = module.identity.public
    centre.revoke_module(public.id, now=NOW)
    centre.revoke_module(public.id, now=NOW + timedelta(days=1))
    with pytest.raises(CentreModuleRevokedError, match="2026-03-02"):
        centre.issue(public, [FIRST.key.name], now=NOW, expires_at=EXPIRES)
    other = replace(public, audit_key=bytes(32))
    assert centre.issue(other, [FIRST.key.name], now=NOW, expires_at=EXPIRES)


@pytest.mark.parametrize("module_id", ["", "0" * 31, "A" * 32, "Depot 1"])
def test_what_is_no_id_cannot_be_revoked(centre: LabCentre, module_id: str) -> None:
    with pytest.raises(CentreModuleIdError):
        centre.revoke_module(module_id, now=NOW)


@pytest.mark.parametrize(
    ("names", "expires_at"),
    [([], EXPIRES), ([FIRST.key.name, FIRST.key.name], EXPIRES), ([FIRST.key.name], NOW)],
)
def test_what_could_not_be_loaded_uses_up_no_serial_number(
    centre: LabCentre, module: ModuleFile, names: list[Any], expires_at: datetime
) -> None:
    with pytest.raises(KeyLoadFormatError):
        centre.issue(module.identity.public, names, now=NOW, expires_at=expires_at)
    content = centre.issue(module.identity.public, [FIRST.key.name], now=NOW, expires_at=EXPIRES)
    assert parse_key_load_file(content).header.serial_number == 1


def test_a_time_without_a_zone_is_refused(centre: LabCentre, module: ModuleFile) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the point
    for attempt in (
        lambda: centre.revoke_key(FIRST.key.name, now=naive),
        lambda: centre.revoke_module("0" * 32, now=naive),
        lambda: centre.issue(
            module.identity.public, [FIRST.key.name], now=naive, expires_at=EXPIRES
        ),
    ):
        with pytest.raises(NaiveDatetimeError):
            attempt()


def test_refusals_have_one_root(centre: LabCentre) -> None:
    with pytest.raises(LabCentreError):
        centre.revoke_module("x", now=NOW)


# --- content that is no centre's --------------------------------------------------------------

Edit = Callable[[Any, Any], object]


@pytest.mark.parametrize(
    "edit",
    [
        lambda public, _: public.pop("keys"),
        lambda public, _: public.update(name=""),
        lambda public, _: public.update(signing_key="00"),
        lambda public, _: public.update(next_serial_number=0),
        lambda public, _: public["keys"].pop(),
        lambda public, _: public["keys"][0].update(key={}),
        lambda public, _: public["keys"][0].update(revoked_at="once"),
        lambda public, _: public.update(revoked_modules=[{}]),
        lambda public, _: public.update(issued=[{}]),
        lambda public, _: public["issued"][0].update(keys=[{}]),
        lambda public, _: public["issued"][0]["keys"][0].update(key_revision_number=0),
        lambda _, secret: secret.pop("signing_key"),
        lambda _, secret: secret.update(signing_key="00"),
        lambda _, secret: secret["vending_keys"].pop(),
        lambda _, secret: secret["vending_keys"].append("00" * 20),
        lambda _, secret: secret.update(vending_keys=["00"] * 2),
        lambda _, secret: secret.update(vending_keys=["XY"] * 2),
    ],
)
def test_anything_else_is_no_centre(
    centre: LabCentre, module: ModuleFile, path: Path, edit: Edit
) -> None:
    centre.issue(module.identity.public, [FIRST.key.name], now=NOW, expires_at=EXPIRES)
    file = SealedFile.open(path, KIND, unlock=UNLOCK)
    state = parse_state(file.public, file.secret)
    public, secret = json.loads(json.dumps(file.public)), json.loads(file.secret.expose())
    assert public_part(state) == public
    assert secret_part(state) == file.secret
    edit(public, secret)
    text = json.dumps(secret, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(SealedFileFormatError) as refused:
        parse_state(public, Secret(text))
    assert "abab" not in str(refused.value).lower()
