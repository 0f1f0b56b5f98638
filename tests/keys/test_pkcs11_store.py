"""Vending keys in a token: how they come in, that they stay, and what happens to altered ones."""

import base64
import copy
import hmac
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pkcs11
import pytest
from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.exceptions import AttributeSensitive, KeyUnextractable
from pkcs11.mechanisms import KeyType, Mechanism
from pkcs11.types import Key, Object, Session, WrapMixin

from keys import KeysError, KeyTerms, Secret
from keys.pkcs11 import custody
from keys.pkcs11.records import HsmRecord, format_record, key_id, parse_record
from keys.pkcs11.store import APPLICATION, HsmKeys, prepare_token
from keys.registered_key import RegisteredKey
from sts import KeyGenerationAlgorithm, StsError, VendingKey
from tests.keys.custody import KEY_64, KEY_128, KEY_160, NOW, registered
from tests.soft_hsm import LABEL, PIN, SoftHsm, library

pytestmark = pytest.mark.hsm

DKGA02 = KeyGenerationAlgorithm.DKGA02
DKGA03 = KeyGenerationAlgorithm.DKGA03
KEY = registered()
DES_KEY = registered(revision=2, key_generation_algorithm=DKGA02)


@contextmanager
def session_of(hsm: SoftHsm) -> Iterator[Session]:
    """Give what somebody who has the PIN has."""
    token = pkcs11.lib(str(library())).get_token(token_label=LABEL)
    try:
        yield token.open(rw=True, user_pin=PIN)
    except pkcs11.UserAlreadyLoggedIn:
        yield token.open(rw=True)
    assert hsm.tokens.is_dir()


def key_object(session: Session, key: RegisteredKey = KEY) -> Object:
    (found,) = session.get_objects({Attribute.ID: key_id(key.name)})
    return found


def record_objects(session: Session) -> list[Object]:
    template = {Attribute.CLASS: ObjectClass.DATA, Attribute.APPLICATION: APPLICATION}
    return list(session.get_objects(template))


def put_record(session: Session, content: bytes, key: RegisteredKey = KEY) -> None:
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.DATA,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.APPLICATION: APPLICATION,
            Attribute.LABEL: str(key.name),
            Attribute.VALUE: content,
        }
    )


def put_key(session: Session, key: RegisteredKey, value: bytes, **options: bool) -> None:
    """Put a key in as nobody should, in clear."""
    attributes = {getattr(Attribute, name.upper()): value for name, value in options.items()}
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.GENERIC_SECRET,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.ID: key_id(key.name),
            Attribute.SIGN: True,
            Attribute.VALUE: value.ljust(32, b"\0"),
            **attributes,
        }
    )


def refused(keys: HsmKeys, key: RegisteredKey = KEY) -> str:
    with pytest.raises(KeysError) as refusal:
        keys.mac(key, b"message")
    return refusal.value.code


# --- coming in ------------------------------------------------------------------------------------


def test_a_key_comes_back_with_its_metadata_when_the_token_is_opened_again(hsm: SoftHsm) -> None:
    key = registered(terms=KeyTerms(activation=NOW, credit_limit_units=7))
    keys = hsm.keys()
    keys.add_all([(key, KEY_160), (DES_KEY, KEY_64)])
    again = hsm.keys()
    assert set(again.records) == set(keys.records) == {key, DES_KEY}
    assert again.find(key.name) == key
    assert again.journal_key() == keys.journal_key()
    assert again.mac(key, b"message") == keys.mac(key, b"message")


@pytest.mark.parametrize("pad", ["true", "false"])
def test_the_hmac_of_the_token_is_that_of_the_vending_key(hsm: SoftHsm, pad: str) -> None:
    """Zeros behind a short key make no difference; without them SoftHSM refuses it."""
    keys = hsm.keys(pad_hmac_keys=pad)
    if pad == "false":
        with pytest.raises(KeysError, match="KeySizeRange") as refusal:
            keys.add(KEY, KEY_160)
        assert refusal.value.code == "HSM_REFUSED"
        assert keys.records == hsm.keys().records == ()
        return
    keys.add(KEY, KEY_160)
    assert keys.mac(KEY, b"message") == hmac.digest(KEY_160.expose(), b"message", "sha256")


def test_a_160_bit_key_never_leaves(hsm: SoftHsm) -> None:
    keys = hsm.keys(allow_unwrapped_dkga02="true")
    keys.add(KEY, KEY_160)
    with session_of(hsm) as session:
        found = key_object(session)
        assert found[Attribute.SENSITIVE]
        assert not found[Attribute.EXTRACTABLE]
        assert not found[Attribute.MODIFIABLE]
        for use in (Attribute.ENCRYPT, Attribute.DECRYPT, Attribute.WRAP, Attribute.DERIVE):
            assert not found[use]
        with pytest.raises(AttributeSensitive):
            found[Attribute.VALUE]
        storage_key = next(session.get_objects({Attribute.ID: custody.STORAGE_KEY}))
        assert isinstance(storage_key, WrapMixin)
        assert isinstance(found, Key)
        with pytest.raises(KeyUnextractable):
            storage_key.wrap_key(found, mechanism=Mechanism.AES_KEY_WRAP)
    with pytest.raises(KeysError) as refusal:
        keys.taken_out(KEY)
    assert refusal.value.code == "HSM_KEY_MISSING"


def test_the_keys_of_the_token_itself_never_leave_either(hsm: SoftHsm) -> None:
    with session_of(hsm) as session:
        for identifier, kind in (
            (custody.SEAL_KEY, ObjectClass.SECRET_KEY),
            (custody.STORAGE_KEY, ObjectClass.SECRET_KEY),
            (custody.IMPORT_KEY, ObjectClass.PRIVATE_KEY),
        ):
            (found,) = session.get_objects({Attribute.ID: identifier, Attribute.CLASS: kind})
            assert custody.is_kept(found)
            assert found[Attribute.ALWAYS_SENSITIVE]
            assert found[Attribute.NEVER_EXTRACTABLE]


@pytest.mark.parametrize(
    ("key", "vending_key"),
    [
        (DES_KEY, KEY_64),
        (registered(revision=3, key_generation_algorithm=DKGA03), KEY_128),
    ],
)
def test_other_keys_lie_wrapped_and_are_taken_out_for_use(
    hsm: SoftHsm, key: RegisteredKey, vending_key: VendingKey
) -> None:
    keys = hsm.keys()
    keys.add(key, vending_key)
    assert keys.taken_out(key) == vending_key
    with session_of(hsm) as session:
        assert not list(session.get_objects({Attribute.ID: key_id(key.name)}))
        (found,) = record_objects(session)
        record, _ = parse_record(found[Attribute.VALUE])
        assert record.wrapped is not None
        assert len(record.wrapped) == 24
        assert vending_key.expose() not in found[Attribute.VALUE]


def test_nothing_in_the_files_of_the_token_shows_a_key(hsm: SoftHsm) -> None:
    hsm.keys().add_all([(KEY, KEY_160), (DES_KEY, KEY_64)])
    content = b"".join(path.read_bytes() for path in hsm.tokens.rglob("*") if path.is_file())
    for secret in (KEY_160.expose(), KEY_64.expose(), KEY_160.expose()[8:]):
        assert secret not in content
        assert secret.hex().encode() not in content.lower()
        assert base64.b64encode(secret)[:20] not in content


def test_a_key_of_this_name_comes_in_once(hsm: SoftHsm) -> None:
    keys, other = hsm.keys(), hsm.keys()
    keys.add(KEY, KEY_160)
    # The second has opened the token before the key was there.
    for store in (keys, other, hsm.keys()):
        with pytest.raises(KeysError) as refusal:
            store.add(KEY, KEY_160)
        assert refusal.value.code == "KEY_ALREADY_IN_HSM"
    with pytest.raises(KeysError) as refusal:
        keys.add_all([(DES_KEY, KEY_64), (DES_KEY, KEY_64)])
    assert refusal.value.code == "KEY_ALREADY_IN_HSM"
    assert keys.records == hsm.keys().records == (KEY,)


@pytest.mark.parametrize(
    ("key", "vending_key", "code"),
    [
        (KEY, VendingKey(bytes(20)), "CHECK_VALUE_MISMATCH"),
        (KEY, KEY_64, "KEY_LENGTH"),
        (DES_KEY, KEY_160, "KEY_LENGTH"),
        (
            registered(key_generation_algorithm=KeyGenerationAlgorithm.DKGA01),
            KEY_64,
            "UNSUPPORTED_ALGORITHM",
        ),
    ],
)
def test_a_key_that_does_not_fit_its_record_stays_outside(
    hsm: SoftHsm, key: RegisteredKey, vending_key: VendingKey, code: str
) -> None:
    keys = hsm.keys()
    with pytest.raises((KeysError, StsError)) as refusal:
        keys.add_all([(registered(group=7), KEY_160), (key, vending_key)])
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code
    assert keys.records == hsm.keys().records == ()


def test_several_keys_come_in_all_or_none(hsm: SoftHsm) -> None:
    """Without zeros behind it SoftHSM refuses the second one, when the first one is inside."""
    keys = hsm.keys(pad_hmac_keys="false")
    with pytest.raises(KeysError) as refusal:
        keys.add_all([(DES_KEY, KEY_64), (KEY, KEY_160)])
    assert refusal.value.code == "HSM_REFUSED"
    assert keys.records == hsm.keys().records == ()
    with session_of(hsm) as session:
        assert not list(session.get_objects({Attribute.ID: key_id(KEY.name)}))


def test_a_token_that_cannot_do_the_mechanism_says_so(hsm: SoftHsm) -> None:
    keys = hsm.keys(oaep_hash='"sha-256"')
    with pytest.raises(KeysError, match="refuses to take a key in: ArgumentsBad") as refusal:
        keys.add(KEY, KEY_160)
    assert refusal.value.code == "HSM_REFUSED"
    assert "949494" not in repr(refusal.value.__context__)


def test_what_an_import_that_was_cut_off_has_left_is_removed(hsm: SoftHsm) -> None:
    keys = hsm.keys()
    with session_of(hsm) as session:
        put_key(session, KEY, bytes(20), sensitive=True, extractable=False)
    keys.add(KEY, KEY_160)
    with session_of(hsm) as session:
        key_object(session)
    assert hsm.keys().mac(KEY, b"m") == keys.mac(KEY, b"m")


# --- new terms ------------------------------------------------------------------------------------


def test_a_key_load_file_brings_new_keys_and_new_terms(hsm: SoftHsm) -> None:
    keys = hsm.keys()
    keys.add(KEY, KEY_160)
    before = keys.mac(KEY, b"message")
    renewed = replace(KEY, terms=KeyTerms(issued_until=NOW))
    keys.load_all([(renewed, KEY_160), (DES_KEY, KEY_64)])
    for store in (keys, hsm.keys()):
        assert set(store.records) == {renewed, DES_KEY}
        assert store.mac(renewed, b"message") == before
    with session_of(hsm) as session:
        assert len(record_objects(session)) == 2


@pytest.mark.parametrize(
    ("key", "vending_key"),
    [
        (registered(check_value=KEY.record.check_value), VendingKey(bytes(20))),
        (replace(KEY, record=replace(KEY.record, check_value="000000")), KEY_160),
        (registered(key_type=KEY.record.key_type.__class__.DEFAULT), KEY_160),
    ],
    ids=["other key", "other check value", "other type"],
)
def test_another_key_in_the_place_of_one_that_is_there_is_refused(
    hsm: SoftHsm, key: RegisteredKey, vending_key: VendingKey
) -> None:
    keys = hsm.keys()
    keys.add(KEY, KEY_160)
    with pytest.raises(KeysError) as refusal:
        keys.load_all([(DES_KEY, KEY_64), (key, vending_key)])
    assert refusal.value.code == "KEY_ALREADY_IN_HSM"
    assert keys.records == hsm.keys().records == (KEY,)


def test_of_two_records_of_a_key_the_later_one_counts(hsm: SoftHsm) -> None:
    """As a program leaves them that dies between writing the one and removing the other."""
    keys = hsm.keys()
    keys.add(KEY, KEY_160)
    with session_of(hsm) as session:
        (first,) = (bytes(each[Attribute.VALUE]) for each in record_objects(session))
    renewed = replace(KEY, terms=KeyTerms(credit_limit_units=1))
    keys.load_all([(renewed, KEY_160)])
    with session_of(hsm) as session:
        put_record(session, first)
    assert hsm.keys().records == (renewed,)


# --- what others have changed ---------------------------------------------------------------------


def _altered(content: bytes, **changes: Any) -> bytes:
    record, given = parse_record(content)
    return format_record(replace(record, **changes), given)


def _is_refused(hsm: SoftHsm) -> None:
    with pytest.raises(KeysError) as refusal:
        hsm.keys()
    assert refusal.value.code == "HSM_RECORD_TAMPERED"


@pytest.mark.parametrize(
    "change",
    [
        {"key": replace(KEY, terms=KeyTerms(credit_limit_units=None, issued_until=NOW))},
        {"key": registered(tenant="mwanga")},
        {"serial_number": 2},
        {"odd_parity": True},
        {"wrapped": bytes(24)},
        {"fingerprint": bytes(32)},
        {"bits": 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_record_is_noticed(hsm: SoftHsm, change: dict[str, Any]) -> None:
    hsm.keys().add(KEY, KEY_160)
    with session_of(hsm) as session:
        (found,) = record_objects(session)
        content = bytes(found[Attribute.VALUE])
        found.destroy()
        put_record(session, _altered(content, **change))
    _is_refused(hsm)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 40])
def test_a_record_that_is_none_is_noticed(hsm: SoftHsm, content: bytes) -> None:
    with session_of(hsm) as session:
        put_record(session, content)
    _is_refused(hsm)


def test_a_record_of_another_token_is_noticed(hsm: SoftHsm) -> None:
    record = HsmRecord(
        serial_number=1, key=KEY, bits=160, odd_parity=None, wrapped=None, fingerprint=bytes(32)
    )
    with session_of(hsm) as session:
        put_record(session, format_record(record, bytes(32)))
    _is_refused(hsm)


def test_another_key_in_the_place_of_the_object_serves_nobody(hsm: SoftHsm) -> None:
    hsm.keys().add(KEY, KEY_160)
    with session_of(hsm) as session:
        key_object(session).destroy()
    assert refused(hsm.keys()) == "HSM_KEY_MISSING"
    with session_of(hsm) as session:
        put_key(session, KEY, bytes(20), sensitive=True, extractable=False)
    assert refused(hsm.keys()) == "CHECK_VALUE_MISMATCH"
    with session_of(hsm) as session:
        put_key(session, KEY, KEY_160.expose(), sensitive=True, extractable=False)
    assert refused(hsm.keys()) == "HSM_KEY_MISSING", "one of two is none"


@pytest.mark.parametrize(
    "options",
    [{"sensitive": True, "extractable": True}, {"sensitive": False, "extractable": False}],
    ids=["extractable", "readable"],
)
def test_a_key_that_could_be_taken_out_serves_nobody(
    hsm: SoftHsm, options: dict[str, bool]
) -> None:
    hsm.keys().add(KEY, KEY_160)
    with session_of(hsm) as session:
        key_object(session).destroy()
        put_key(session, KEY, KEY_160.expose(), **options)
    assert refused(hsm.keys()) == "HSM_KEY_EXPOSED"


@pytest.mark.parametrize("identifier", [custody.IMPORT_KEY, custody.STORAGE_KEY])
def test_without_its_own_keys_a_token_takes_none_in(hsm: SoftHsm, identifier: bytes) -> None:
    with session_of(hsm) as session:
        for each in list(session.get_objects({Attribute.ID: identifier})):
            each.destroy()
    with pytest.raises(KeysError) as refusal:
        hsm.keys().add(DES_KEY, KEY_64)
    assert refusal.value.code == "HSM_NOT_PREPARED"


def test_without_its_storage_key_a_token_gives_none_out(hsm: SoftHsm) -> None:
    hsm.keys().add(DES_KEY, KEY_64)
    with session_of(hsm) as session:
        next(iter(session.get_objects({Attribute.ID: custody.STORAGE_KEY}))).destroy()
    with pytest.raises(KeysError) as refusal:
        hsm.keys().taken_out(DES_KEY)
    assert refusal.value.code == "HSM_NOT_PREPARED"


def test_a_seal_key_that_could_be_taken_out_seals_nothing(hsm: SoftHsm) -> None:
    with session_of(hsm) as session:
        next(iter(session.get_objects({Attribute.ID: custody.SEAL_KEY}))).destroy()
        session.generate_key(
            KeyType.GENERIC_SECRET,
            256,
            id=custody.SEAL_KEY,
            store=True,
            capabilities=MechanismFlag.SIGN,
            template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: True},
        )
    with pytest.raises(KeysError) as refusal:
        hsm.keys()
    assert refusal.value.code == "HSM_NOT_PREPARED"


# --- the rest -------------------------------------------------------------------------------------


def test_a_token_is_prepared_once(hsm: SoftHsm) -> None:
    for shared in (None, Secret(bytes(32))):
        with pytest.raises(KeysError) as refusal:
            prepare_token(hsm.settings(), shared_seal_key=shared)
        assert refusal.value.code == "HSM_ALREADY_PREPARED"


def test_another_tenants_key_is_refused_by_its_name(hsm: SoftHsm) -> None:
    keys = hsm.keys()
    keys.add(KEY, KEY_160)
    for name, code in (
        (replace(KEY.name, tenant="mwanga"), "ANOTHER_TENANTS_KEY"),
        (DES_KEY.name, "UNKNOWN_VENDING_KEY"),
    ):
        with pytest.raises(KeysError) as refusal:
            keys.find(name)
        assert refusal.value.code == code


def test_the_token_makes_random_bytes(hsm: SoftHsm) -> None:
    drawn = [hsm.keys().random_bytes(20) for _ in range(3)]
    assert {len(each) for each in drawn} == {20}
    assert len(set(drawn)) == 3


def test_open_keys_are_neither_copied_nor_shown(hsm: SoftHsm) -> None:
    keys = hsm.keys()
    keys.add(KEY, KEY_160)
    for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            duplicate(keys)
    assert "ABAB" not in repr(vars(keys)).upper()
