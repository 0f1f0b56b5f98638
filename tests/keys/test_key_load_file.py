import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest
from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key, key_agreement
from Crypto.Protocol.KDF import HKDF
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from hypothesis import given
from hypothesis import strategies as st

from keys.canonical_json import canonical_bytes, readable_bytes
from keys.chain_seal import Ed25519SealKey
from keys.check_values import check_value
from keys.errors import KeysError, RecordError
from keys.key_load import CLOCK_TOLERANCE, KeyInTransit, LoadedFile, issue, load
from keys.key_load_errors import (
    AnotherModulesFileError,
    KeyLoadError,
    KeyLoadExpiredError,
    KeyLoadFormatError,
    KeyLoadMismatchError,
    KeyLoadNotYetValidError,
    KeyLoadReplayedError,
    KeyLoadSignatureError,
    KeyLoadUnwrapError,
    KeyLoadVersionError,
    RevokedCentreError,
    UnknownCentreError,
)
from keys.key_load_file import (
    LARGEST_FILE_BYTES,
    MOST_KEYS,
    KeyLoadFile,
    WrappedKey,
    format_key_load_file,
    parse_key_load_file,
)
from keys.key_wrap import EphemeralKey, KeyWrap, require_signature, sign_file
from keys.module_identity import IdentityError, ModuleIdentity
from keys.registered_key import KeyName, KeyTerms, RegisteredKey
from keys.secret import Secret
from keys.trusted_centres import LAB_NOTICE, CentreIdentity, TrustedCentre
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    VendingKey,
)
from sts.errors import NaiveDatetimeError
from tests.keys.custody import KEY_160, NOW, fixed_random, in_transit, registered
from tests.strategies import shown_in, telling_bytes

EXCHANGE_KEY: Final = bytes(range(0x40, 0x60))
SIGNING_KEY: Final = Secret(bytes(range(0x60, 0x80)))
EPHEMERAL_KEY: Final = bytes(range(0x80, 0xA0))
MODULE: Final = ModuleIdentity(
    "Depot 1", exchange_key=Secret(EXCHANGE_KEY), audit_key=Secret(bytes(range(32)))
)
CENTRE: Final = CentreIdentity(
    name="Thaba Neng training lab", signing_key=Ed25519SealKey(SIGNING_KEY).public_key
)
TRUSTED: Final = TrustedCentre(identity=CENTRE)
EXPIRES: Final = NOW + timedelta(days=30)
TERMS: Final = KeyTerms(
    activation=NOW,
    expiry=NOW + timedelta(days=365),
    issued_until=NOW + timedelta(days=730),
    credit_limit_units=1_000_000,
)
KEYS: Final = (
    in_transit(terms=TERMS),
    in_transit(123456, 2, key_generation_algorithm=KeyGenerationAlgorithm.DKGA02),
)
GOLDEN: Final[Mapping[str, Any]] = json.loads(
    Path(__file__).parents[1].joinpath("vectors", "key_load_file.json").read_text("utf-8")
)


def _issue(*keys: KeyInTransit, **changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "centre": CENTRE,
        "signing_key": SIGNING_KEY,
        "serial_number": 7,
        "now": NOW,
        "expires_at": EXPIRES,
        "random_bytes": lambda _: EPHEMERAL_KEY,
    }
    return issue(keys or KEYS, MODULE.public, **{**arguments, **changes})


def _load(content: bytes, **changes: Any) -> LoadedFile:
    arguments: dict[str, Any] = {"centres": [TRUSTED], "now": NOW}
    identity = changes.pop("identity", MODULE)
    return load(content, identity, **{**arguments, **changes})


# --- both ends --------------------------------------------------------------------------------


def test_keys_arrive_as_they_were_sent() -> None:
    loaded = _load(_issue())
    assert loaded.keys == KEYS
    assert loaded.centre == replace(TRUSTED, last_serial_number=7)
    assert loaded.header.serial_number == 7
    assert (loaded.header.issued_at, loaded.header.expires_at) == (NOW, EXPIRES)


@given(
    key=telling_bytes(20),
    group=st.integers(min_value=0, max_value=999_999),
    revision=st.integers(min_value=1, max_value=9),
    key_type=st.sampled_from([KeyType.DEFAULT, KeyType.UNIQUE, KeyType.COMMON]),
    base_date=st.sampled_from(BaseDate),
    expiry=st.integers(min_value=0, max_value=255),
    limit=st.none() | st.integers(min_value=0, max_value=0xFFFF_FFFF),
    tenant=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9),
)
def test_whatever_is_sent_arrives_and_nothing_of_the_key_shows(
    *,
    key: bytes,
    group: int,
    revision: int,
    key_type: KeyType,
    base_date: BaseDate,
    expiry: int,
    limit: int | None,
    tenant: str,
) -> None:
    vending_key = VendingKey(key)
    sent = KeyInTransit(
        key=registered(
            group,
            revision,
            tenant=tenant,
            key_type=key_type,
            base_date=base_date,
            key_expiry_number=KeyExpiryNumber(expiry),
            check_value=check_value(vending_key),
            terms=KeyTerms(credit_limit_units=limit),
        ),
        vending_key=vending_key,
    )
    content = _issue(sent)
    loaded = _load(content)
    assert loaded.keys == (sent,)
    assert not shown_in(key, content.decode() + repr(loaded) + str(parse_key_load_file(content)))


def test_times_may_be_given_in_any_zone_but_not_without_one() -> None:
    zone = timezone(timedelta(hours=2))
    assert _issue(now=NOW.astimezone(zone), expires_at=EXPIRES.astimezone(zone)) == _issue()
    naive = datetime(2026, 3, 2)  # noqa: DTZ001 - the point
    with pytest.raises(NaiveDatetimeError):
        _issue(now=naive)
    with pytest.raises(NaiveDatetimeError):
        _load(_issue(), now=naive)


def test_the_file_can_be_inspected_without_any_key() -> None:
    file = parse_key_load_file(_issue())
    assert [wrapped.key for wrapped in file.keys] == [key.key for key in KEYS]
    assert format_key_load_file(file) == _issue()


def test_the_file_says_that_it_is_for_labs() -> None:
    assert json.loads(_issue())["notice"] == LAB_NOTICE


# --- another implementation -------------------------------------------------------------------


def test_the_golden_file_is_made_again() -> None:
    assert _issue().decode() == "".join(GOLDEN["file"])


def test_the_golden_file_is_loaded() -> None:
    assert _load("".join(GOLDEN["file"]).encode()).keys == KEYS


def test_another_implementation_reads_the_golden_file() -> None:
    """PyCryptodome and the words of docs/key-load-file.md, and nothing of this package."""

    def canonical(value: object) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")

    body = json.loads("".join(GOLDEN["file"]))
    signature = bytes.fromhex(body.pop("signature"))
    signing_key = ECC.construct(curve="Ed25519", seed=bytes.fromhex(GOLDEN["signing_key"]))
    public = signing_key.public_key()
    message = b"sts-vending key load file, version 1\0" + canonical(body)
    eddsa.new(public, "rfc8032").verify(message, signature)
    label = b"sts-vending key centre, version 1\0"
    fingerprint = SHA256.new(label + public.export_key(format="raw")).hexdigest()
    assert body["centre"]["id"] == fingerprint[:32]

    module = import_x25519_private_key(bytes.fromhex(GOLDEN["module_exchange_key"]))
    ephemeral = bytes.fromhex(body["ephemeral_key"])
    salt = ephemeral + module.public_key().export_key(format="raw")

    def wrapping_key(shared: bytes) -> bytes:
        derived = HKDF(shared, 32, salt, SHA256, context=b"sts-vending key load file, version 1")
        assert isinstance(derived, bytes)
        return derived

    key = key_agreement(
        static_priv=module, static_pub=import_x25519_public_key(ephemeral), kdf=wrapping_key
    )
    header = {name: item for name, item in body.items() if name != "keys"}
    unwrapped = []
    for position, metadata in enumerate(body["keys"]):
        wrapped = bytes.fromhex(metadata.pop("wrapped_key"))
        cipher = AES.new(key, AES.MODE_GCM, nonce=position.to_bytes(12, "big"))
        cipher.update(canonical({"file": header, "key": metadata}))
        unwrapped.append(cipher.decrypt_and_verify(wrapped[:-16], wrapped[-16:]).hex())
    assert unwrapped == GOLDEN["vending_keys"]


# --- refusals, in their order -----------------------------------------------------------------


@given(st.data())
def test_a_file_with_any_altered_byte_is_refused(data: st.DataObject) -> None:
    content = bytearray(_issue())
    place = data.draw(st.integers(min_value=0, max_value=len(content) - 1))
    content[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    with pytest.raises(KeyLoadError):
        _load(bytes(content))


def test_one_bit_of_each_byte_is_enough_to_be_refused() -> None:
    content = _issue()
    codes = set()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1
        with pytest.raises(KeyLoadError) as refused:
            _load(bytes(altered))
        codes.add(refused.value.code)
    assert codes == {
        "KEY_LOAD_FILE_FORMAT",
        "KEY_LOAD_FILE_VERSION",
        "KEY_LOAD_FILE_UNKNOWN_CENTRE",
        "KEY_LOAD_FILE_SIGNATURE",
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-1],
        lambda content: content + b"\n",
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: b"\xef\xbb\xbf" + content,
        lambda content: json.dumps(json.loads(content)).encode(),
        lambda _: b"",
        lambda _: b"[]",
        lambda _: b"\0" * 10,
        lambda content: content + b" " * LARGEST_FILE_BYTES,
    ],
)
def test_a_file_written_otherwise_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(KeyLoadFormatError):
        _load(change(_issue()))


Edit = Callable[[dict[str, Any]], object]


def _edited(edit: Edit) -> bytes:
    body = json.loads(_issue())
    edit(body)
    return readable_bytes(body)


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.update(format="another"),
        lambda body: body.update(extra=1),
        lambda body: body.pop("notice"),
        lambda body: body.update(notice="For all purposes."),
        lambda body: body.update(centre={"name": "x"}),
        lambda body: body["centre"].update(id="xyz"),
        lambda body: body["module"].update(name=""),
        lambda body: body.update(serial_number=0),
        lambda body: body.update(serial_number="7"),
        lambda body: body.update(expires_at=body["issued_at"]),
        lambda body: body.update(issued_at="yesterday"),
        lambda body: body.update(ephemeral_key="00"),
        lambda body: body.update(signature="00"),
        lambda body: body.update(keys=[]),
        lambda body: body.update(keys={}),
        lambda body: body.update(keys=body["keys"] * 2),
        lambda body: body.update(keys=["no object"]),
        lambda body: body["keys"][0].pop("wrapped_key"),
        lambda body: body["keys"][0].update(wrapped_key="XYZ"),
        lambda body: body["keys"][0].pop("tenant"),
        lambda body: body["keys"][0].update(tenant=""),
        lambda body: body["keys"][0].update(supply_group_code="12345"),
        lambda body: body["keys"][0].update(key_revision_number=0),
        lambda body: body["keys"][0].update(key_type=0),
        lambda body: body["keys"][0].update(key_generation_algorithm="05"),
        lambda body: body["keys"][0].update(base_date="14"),
        lambda body: body["keys"][0].update(base_date="2020"),
        lambda body: body["keys"][0].update(key_expiry_number=256),
        lambda body: body["keys"][0].update(check_value="xyz"),
        lambda body: body["keys"][0].update(activation="now"),
        lambda body: body["keys"][0].update(expiry=body["keys"][0]["activation"]),
        lambda body: body["keys"][0].update(credit_limit_units=2**32),
        lambda body: body["keys"][0].update(credit_limit_units=1.5),
    ],
)
def test_a_field_that_cannot_be_is_refused_before_any_key_is_used(edit: Edit) -> None:
    body = json.loads(_issue())
    edit(body)
    with pytest.raises(KeyLoadFormatError):
        _load(json.dumps(body, indent=2).encode() + b"\n")


def test_another_version_is_told_from_damage() -> None:
    for body in ({"version": 2}, {"version": "1"}, {}):
        content = readable_bytes({"format": "sts-vending key load file", **body})
        with pytest.raises(KeyLoadVersionError):
            _load(content)


def test_a_centre_that_was_never_trusted_is_refused() -> None:
    other = CentreIdentity(name=CENTRE.name, signing_key=bytes(32))
    with pytest.raises(UnknownCentreError, match=CENTRE.id):
        _load(_issue(), centres=[TrustedCentre(identity=other)])
    with pytest.raises(UnknownCentreError):
        _load(_issue(), centres=[])


def test_a_revoked_centre_is_refused() -> None:
    with pytest.raises(RevokedCentreError, match="2026-03-02"):
        _load(_issue(), centres=[TRUSTED.revoked(NOW)])


def test_a_file_that_another_signed_is_refused() -> None:
    with pytest.raises(KeyLoadSignatureError):
        _load(_issue(signing_key=Secret(bytes(32))))


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: body.update(serial_number=8),
        lambda body: body.update(expires_at="2036-03-02T08:15:00Z"),
        lambda body: body["centre"].update(name="Another name"),
        lambda body: body["module"].update(id="0" * 32),
        lambda body: body.update(ephemeral_key="ff" * 32),
        lambda body: body["keys"].reverse(),
        lambda body: body["keys"].pop(),
        lambda body: body["keys"][0].update(tenant="another"),
        lambda body: body["keys"][0].update(credit_limit_units=None),
        lambda body: body["keys"][0].update(wrapped_key=body["keys"][1]["wrapped_key"]),
        lambda body: body["keys"][0].update(wrapped_key=""),
        lambda body: body.update(signature="00" * 64),
    ],
)
def test_the_signature_covers_everything(edit: Edit) -> None:
    with pytest.raises(KeyLoadSignatureError):
        _load(_edited(edit))


def test_another_module_cannot_load_it() -> None:
    other = ModuleIdentity.generate("Depot 1", fixed_random("other"))
    with pytest.raises(AnotherModulesFileError, match=MODULE.public.id):
        _load(_issue(), identity=other)


@pytest.mark.parametrize("age", [timedelta(days=30), timedelta(days=31)])
def test_an_expired_file_is_refused(age: timedelta) -> None:
    with pytest.raises(KeyLoadExpiredError):
        _load(_issue(), now=NOW + age)


def test_a_file_can_be_loaded_until_the_second_before_it_expires() -> None:
    assert _load(_issue(), now=EXPIRES - timedelta(seconds=1)).keys


def test_a_file_from_the_future_is_refused_but_clocks_may_differ_a_little() -> None:
    assert _load(_issue(), now=NOW - CLOCK_TOLERANCE).keys
    with pytest.raises(KeyLoadNotYetValidError):
        _load(_issue(), now=NOW - CLOCK_TOLERANCE - timedelta(seconds=1))


@pytest.mark.parametrize("last", [7, 8])
def test_a_file_is_loaded_once_and_none_before_it_afterwards(last: int) -> None:
    with pytest.raises(KeyLoadReplayedError, match=f"file 7 comes too late: file {last}"):
        _load(_issue(), centres=[TRUSTED.after(last)])
    assert _load(_issue(serial_number=last + 1), centres=[TRUSTED.after(last)]).keys


def test_what_is_wrong_first_is_what_is_said() -> None:
    """Revoked, forged, for another, expired and replayed all at once: the order is that of load."""
    other = ModuleIdentity.generate("other", fixed_random("other"))
    late, seen = EXPIRES + timedelta(days=1), TRUSTED.after(9)
    forged = _issue(signing_key=Secret(bytes(32)))
    with pytest.raises(RevokedCentreError):
        _load(forged, identity=other, now=late, centres=[seen.revoked(NOW)])
    with pytest.raises(KeyLoadSignatureError):
        _load(forged, identity=other, now=late, centres=[seen])
    with pytest.raises(AnotherModulesFileError):
        _load(_issue(), identity=other, now=late, centres=[seen])
    with pytest.raises(KeyLoadExpiredError):
        _load(_issue(), now=late, centres=[seen])
    with pytest.raises(KeyLoadReplayedError):
        _load(_issue(), centres=[seen])


# --- a centre that makes mistakes -------------------------------------------------------------


def _signed(change: Callable[[KeyLoadFile], KeyLoadFile]) -> bytes:
    """Return a file that was changed before it was signed."""
    changed = change(parse_key_load_file(_issue()))
    return format_key_load_file(sign_file(changed.header, changed.keys, signing_key=SIGNING_KEY))


def _swapped(file: KeyLoadFile) -> KeyLoadFile:
    first, second = file.keys
    keys = (replace(first, wrapped=second.wrapped), replace(second, wrapped=first.wrapped))
    return replace(file, keys=keys)


def _moved(file: KeyLoadFile) -> KeyLoadFile:
    return replace(file, keys=file.keys[::-1])


def _relabelled(file: KeyLoadFile) -> KeyLoadFile:
    key = registered(999999, terms=TERMS)
    return replace(file, keys=(replace(file.keys[0], key=key),))


def _worthless(file: KeyLoadFile) -> KeyLoadFile:
    return replace(file, header=replace(file.header, ephemeral_key=bytes(32)))


def _empty(file: KeyLoadFile) -> KeyLoadFile:
    return replace(file, keys=(replace(file.keys[0], wrapped=b""),))


@pytest.mark.parametrize("change", [_swapped, _moved, _relabelled, _worthless, _empty])
def test_a_key_that_was_not_wrapped_for_this_place_is_refused_in_spite_of_the_signature(
    change: Callable[[KeyLoadFile], KeyLoadFile],
) -> None:
    with pytest.raises(KeyLoadUnwrapError, match="supply group"):
        _load(_signed(change))


def _wrapped_as(vending_key: VendingKey, key: RegisteredKey) -> bytes:
    """Return a file in which a key lies under the metadata of another."""
    file = parse_key_load_file(_issue())
    exchange_key = MODULE.public.exchange_key
    shared = EphemeralKey(Secret(EPHEMERAL_KEY)).shared_secret(exchange_key)
    wrap = KeyWrap(file.header, exchange_key, shared=shared)
    wrapped = wrap.wrap(vending_key, key, position=0)
    return format_key_load_file(sign_file(file.header, (wrapped,), signing_key=SIGNING_KEY))


@pytest.mark.parametrize(
    "key",
    [
        registered(check_value="000000"),
        registered(
            key_generation_algorithm=KeyGenerationAlgorithm.DKGA02,
            check_value=check_value(KEY_160),
        ),
        registered(
            key_generation_algorithm=KeyGenerationAlgorithm.DKGA01,
            check_value=check_value(KEY_160),
        ),
    ],
    ids=["check value", "length", "algorithm"],
)
def test_a_key_that_is_not_what_its_metadata_says_is_refused(key: RegisteredKey) -> None:
    with pytest.raises(KeyLoadMismatchError):
        _load(_wrapped_as(KEY_160, key))
    with pytest.raises(KeyLoadMismatchError):
        _issue(KeyInTransit(key=key, vending_key=KEY_160))


def test_bytes_of_a_length_that_no_key_has_are_refused() -> None:
    file = parse_key_load_file(_issue())
    exchange_key = MODULE.public.exchange_key
    shared = EphemeralKey(Secret(EPHEMERAL_KEY)).shared_secret(exchange_key)
    wrap = KeyWrap(file.header, exchange_key, shared=shared)

    class Short(VendingKey):  # type: ignore[misc]  # final, but a test may lie
        def expose(self) -> bytes:
            return bytes(7)

    wrapped = wrap.wrap(Short(bytes(8)), registered(), position=0)
    content = format_key_load_file(sign_file(file.header, (wrapped,), signing_key=SIGNING_KEY))
    with pytest.raises(KeyLoadMismatchError):
        _load(content)


@pytest.mark.parametrize(
    ("keys", "changes"),
    [
        ((KEYS[0], KEYS[0]), {}),
        (KEYS, {"expires_at": NOW}),
        (KEYS, {"serial_number": 0}),
    ],
)
def test_a_file_that_could_not_be_loaded_is_not_issued(
    keys: tuple[KeyInTransit, ...], changes: dict[str, Any]
) -> None:
    with pytest.raises(KeyLoadFormatError):
        _issue(*keys, **changes)


def test_a_file_without_keys_or_with_too_many_is_not_issued() -> None:
    file = parse_key_load_file(_issue())
    many = (WrappedKey(key=registered(group), wrapped=b"") for group in range(MOST_KEYS + 1))
    for keys in ((), tuple(many)):
        with pytest.raises(KeyLoadFormatError, match="1 to 1000 keys"):
            replace(file, keys=keys)


def test_nothing_is_wrapped_for_a_worthless_public_key() -> None:
    with pytest.raises(IdentityError):
        EphemeralKey(Secret(EPHEMERAL_KEY)).shared_secret(bytes(32))


def test_the_wrapping_key_is_not_copied() -> None:
    file = parse_key_load_file(_issue())
    wrap = KeyWrap(file.header, MODULE.public.exchange_key, shared=Secret(bytes(32)))
    with pytest.raises(TypeError):
        wrap.__reduce__()


def test_refusals_show_nothing_of_the_keys() -> None:
    for refusal in (_swapped, _worthless):
        with pytest.raises(KeysError) as refused:
            _load(_signed(refusal))
        assert "abab" not in repr(refused.value).lower()


def test_the_signature_alone_can_be_checked_by_anybody() -> None:
    require_signature(parse_key_load_file(_issue()), CENTRE.signing_key)
    assert canonical_bytes(json.loads(_issue()))


# --- terms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "terms",
    [
        {"activation": NOW.replace(microsecond=1)},
        {"activation": NOW, "expiry": NOW},
        {"activation": NOW, "issued_until": NOW - timedelta(days=1)},
        {"credit_limit_units": -1},
        {"credit_limit_units": 2**32},
    ],
)
def test_terms_that_cannot_be_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        KeyTerms(**terms)


def test_terms_have_time_zones() -> None:
    with pytest.raises(NaiveDatetimeError):
        KeyTerms(activation=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_a_tenant_in_a_file_can_be_printed() -> None:
    with pytest.raises(RecordError):
        registered(tenant="a\nb")


def test_a_key_is_named_by_tenant_group_and_revision() -> None:
    name = registered().name
    assert name == KeyName(
        tenant="thabaneng",
        supply_group_code=SupplyGroupCode(201457),
        key_revision_number=KeyRevisionNumber(1),
    )
    assert str(name) == "supply group 201457, key revision 1, of thabaneng"
