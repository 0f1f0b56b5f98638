"""Decoder keys from vending keys: published values, a second implementation, refusals."""

import copy
import hashlib
import hmac
import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from Crypto.Cipher import DES
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st

from sts.derivation import (
    KeyAttributes,
    KeyDerivation,
    control_block,
    derive_decoder_key,
    derive_with_mac,
    dkga04_message,
    pan_block,
)
from sts.errors import (
    KeyLengthError,
    StsError,
    UnsupportedAlgorithmError,
    UnsupportedKeyTypeError,
)
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import VendingKey
from tests.strategies import key_attributes, meter_pans, shown_in, telling_bytes, vending_keys
from tests.sts import reference

DKGA01 = KeyGenerationAlgorithm.DKGA01
DKGA02 = KeyGenerationAlgorithm.DKGA02
DKGA03 = KeyGenerationAlgorithm.DKGA03
DKGA04 = KeyGenerationAlgorithm.DKGA04
STA = EncryptionAlgorithm.STA
DEA = EncryptionAlgorithm.DEA
MISTY1 = EncryptionAlgorithm.MISTY1

# The public keys of the STS 531 test steps.
SHORT_VENDING_KEY = VendingKey.from_hex("ABABABABABABABAB")
LONG_VENDING_KEY = VendingKey.from_hex("ABABABABABABABAB949494949494949401234567")

ATTRIBUTES = KeyAttributes(
    meter_pan=MeterPan("600727000000000009"),
    supply_group_code=SupplyGroupCode(123456),
    tariff_index=TariffIndex(1),
    key_revision_number=KeyRevisionNumber(1),
    key_type=KeyType.UNIQUE,
    base_date=BaseDate.Y1993,
    encryption_algorithm=STA,
)
OTHER_PAN = MeterPan("600727123456789030")
LONG_PAN = MeterPan("000001000000000082")


def altered(**attributes: Any) -> KeyAttributes:
    return replace(ATTRIBUTES, **attributes)


# --- DKGA02 -----------------------------------------------------------------------------------

# Attributes, PANBlock, CONTROLBlock, decoder key. The first row is official (CTSA01 of STS
# 531-1-0-02), the others were computed by the reference behind the facts sheet.
DKGA02_ROWS = [
    (ATTRIBUTES, "0072700000000000", "2123456011FFFFFF", "E653341F9D5BF36F"),
    (
        altered(tariff_index=TariffIndex(2)),
        "0072700000000000",
        "2123456021FFFFFF",
        "060B8643C59A27F1",
    ),
    (
        altered(tariff_index=TariffIndex(99)),
        "0072700000000000",
        "2123456991FFFFFF",
        "CEA00841D63894BB",
    ),
    (
        altered(key_revision_number=KeyRevisionNumber(2)),
        "0072700000000000",
        "2123456012FFFFFF",
        "F469DC6937C04441",
    ),
    (
        altered(key_type=KeyType.DEFAULT),
        "0072700000000000",
        "1123456011FFFFFF",
        "46C2A6C642CA3A1E",
    ),
    (
        altered(meter_pan=OTHER_PAN),
        "0072712345678903",
        "2123456011FFFFFF",
        "028C80B86A89870F",
    ),
    (
        altered(
            meter_pan=OTHER_PAN,
            key_type=KeyType.COMMON,
            supply_group_code=SupplyGroupCode(990400),
            tariff_index=TariffIndex(7),
        ),
        "0072700000000000",
        "3990400071FFFFFF",
        "6FA901539F81E80A",
    ),
    (
        altered(meter_pan=LONG_PAN),
        "0000100000000008",
        "2123456011FFFFFF",
        "E94023262E9993C2",
    ),
]


@pytest.mark.parametrize(("attributes", "pan", "control", "key"), DKGA02_ROWS)
def test_the_published_keys_of_dkga02_and_their_blocks_come_out(
    attributes: KeyAttributes, pan: str, control: str, key: str
) -> None:
    assert pan_block(attributes.meter_pan, attributes.key_type).hex().upper() == pan
    assert control_block(attributes).hex().upper() == control
    derived = derive_decoder_key(DKGA02, SHORT_VENDING_KEY, attributes)
    assert derived.expose().hex().upper() == key


@given(meter_pans)
def test_the_pan_block_leaves_out_the_first_and_the_last_digit(pan: MeterPan) -> None:
    assert pan_block(pan, KeyType.UNIQUE).hex() == str(pan)[1:17]
    assert pan_block(pan, KeyType.DEFAULT) == pan_block(pan, KeyType.UNIQUE)


@given(meter_pans)
def test_all_meters_of_a_common_group_have_one_pan_block(pan: MeterPan) -> None:
    expected = "0072700000000000" if pan.iin == "600727" else "0000000000000000"
    assert pan_block(pan, KeyType.COMMON).hex() == expected


@given(vending_keys(64), key_attributes(STA, DEA))
def test_a_weak_or_even_vending_key_is_taken_as_it_is(
    vending_key: VendingKey, attributes: KeyAttributes
) -> None:
    """No parity is forced on it before the last step; single DES comes from OpenSSL here."""
    data = d_block(attributes)
    single = triple_des(vending_key.expose() * 3, data)
    expected = xor(xor(single, data), vending_key.expose())
    assert derive_decoder_key(DKGA02, vending_key, attributes).expose() == expected


# --- DKGA04 -----------------------------------------------------------------------------------

# Supply group, PAN, revision, cipher, base date, tariff index, key. All but the row of 201457
# with EA07 reproduce or open official tokens.
DKGA04_ROWS = [
    ("123457", ATTRIBUTES.meter_pan, 1, "07", "93", 1, "AA4BAA8749C10D27"),
    ("123457", ATTRIBUTES.meter_pan, 4, "07", "14", 1, "9DC0722C29A6CC0C"),
    ("123457", ATTRIBUTES.meter_pan, 5, "07", "35", 1, "B08205E074AFC5D6"),
    ("123457", ATTRIBUTES.meter_pan, 1, "11", "93", 1, "F94B6ED353C3BFDB113E2D3A7EA3C41D"),
    ("201457", ATTRIBUTES.meter_pan, 1, "07", "14", 1, "87F3ECBB2E46B48F"),
    ("201457", ATTRIBUTES.meter_pan, 1, "11", "14", 1, "929BD3A415C9420A05EC5EE9F3CE91C3"),
    ("201457", ATTRIBUTES.meter_pan, 1, "11", "14", 2, "B199270A77AF96D3156C51B0964A8782"),
    ("203557", ATTRIBUTES.meter_pan, 6, "11", "35", 2, "39FA45A353CB729549DC515A68A25C98"),
    ("201457", LONG_PAN, 1, "11", "14", 1, "8A9F428834F5E13A3AD3D24C45B1A21A"),
]


@pytest.mark.parametrize(("group", "pan", "krn", "ea", "base", "ti", "key"), DKGA04_ROWS)
def test_the_published_keys_of_dkga04_come_out(
    group: str, pan: MeterPan, *, krn: int, ea: str, base: str, ti: int, key: str
) -> None:
    attributes = altered(
        supply_group_code=SupplyGroupCode.parse(group),
        meter_pan=pan,
        key_revision_number=KeyRevisionNumber(krn),
        encryption_algorithm=EncryptionAlgorithm.parse(ea),
        base_date=BaseDate.parse(base),
        tariff_index=TariffIndex(ti),
    )
    derived = derive_decoder_key(DKGA04, LONG_VENDING_KEY, attributes)
    assert derived.expose().hex().upper() == key


def test_the_message_of_dkga04_is_the_published_one() -> None:
    """With the two count bytes 04h, which another engine leaves out."""
    attributes = altered(supply_group_code=SupplyGroupCode(123457), encryption_algorithm=MISTY1)
    assert dkga04_message(attributes) == bytes.fromhex(
        "04 023034 023933 023131 023031 00 04 06313233343537 0132 0131"
        "12363030373237303030303030303030303039 00000080"
    )


def items(*texts: object) -> bytes:
    return b"".join(bytes([len(str(text))]) + str(text).encode() for text in texts)


@given(vending_keys(160), key_attributes(STA, MISTY1))
def test_dkga04_is_the_left_part_of_one_hmac(
    vending_key: VendingKey, attributes: KeyAttributes
) -> None:
    bits = attributes.encryption_algorithm.key_bits
    label = items(
        "04",
        attributes.base_date.value,
        attributes.encryption_algorithm.value,
        attributes.tariff_index,
    )
    context = items(
        attributes.supply_group_code,
        int(attributes.key_type),
        attributes.key_revision_number,
        attributes.meter_pan,
    )
    message = b"\4" + label + b"\0" + b"\4" + context + bits.to_bytes(4, "big")
    mac = hmac.new(vending_key.expose(), message, hashlib.sha256).digest()
    assert len(message) == 49
    assert derive_decoder_key(DKGA04, vending_key, attributes).expose() == mac[: bits // 8]


# --- DKGA03 -----------------------------------------------------------------------------------

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "dkga03_cross_checked.json"
CASES: Final[list[dict[str, Any]]] = json.loads(VECTORS.read_text("utf-8"))["cases"]


def triple_des(key: bytes, block: bytes) -> bytes:
    """Encrypt one block with OpenSSL's triple DES under three single keys."""
    encryptor = Cipher(TripleDES(key), modes.ECB()).encryptor()  # noqa: S305 - as in the standard
    return encryptor.update(block) + encryptor.finalize()


def single_des_back(key: bytes, block: bytes) -> bytes:
    decryptor = Cipher(TripleDES(key * 3), modes.ECB()).decryptor()  # noqa: S305 - as above
    return decryptor.update(block) + decryptor.finalize()


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


def d_block(attributes: KeyAttributes) -> bytes:
    pan = str(attributes.meter_pan)[1:17]
    control = (
        f"{int(attributes.key_type)}{attributes.supply_group_code}{attributes.tariff_index}"
        f"{attributes.key_revision_number}FFFFFF"
    )
    return xor(bytes.fromhex(pan), bytes.fromhex(control))


def dkga03_again(case: dict[str, Any], prefix: str = "") -> str:
    """Derive the key of a case with OpenSSL, from the strings in the file alone."""
    pan = case[f"{prefix}meter_pan"][1:17]
    control = "".join(
        str(case[f"{prefix}{name}"])
        for name in ("key_type", "supply_group_code", "tariff_index", "key_revision_number")
    )
    data = xor(bytes.fromhex(pan), bytes.fromhex(f"{control}FFFFFF"))
    vending_key = bytes.fromhex(case[f"{prefix}vending_key_hex"])
    return xor(triple_des(vending_key + vending_key[:8], data), data).hex()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_openssl_derives_the_same_keys_by_dkga03(case: dict[str, Any]) -> None:
    assert dkga03_again(case) == case["decoder_key_hex"]
    if case["op"] == "set":
        assert dkga03_again(case, "new_") == case["new_decoder_key_hex"]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["op"] == "token"], ids=lambda case: case["id"]
)
def test_openssl_makes_the_same_tokens_with_ea09(case: dict[str, Any]) -> None:
    clear = int(case["block_hex"], 16)
    content = clear >> 16 & (1 << 44) - 1
    assert clear == reference.clear_block(case["token_class"], case["subclass"], content)
    if case["subclass"] != 5 or case["token_class"] == 2:
        assert content >> 40 == case["rnd"]
    assert content >> 16 & 0xFFFFFF == case["tid"]
    key = bytes.fromhex(case["decoder_key_hex"])
    encrypted = triple_des(key * 3, clear.to_bytes(8, "big"))
    assert encrypted.hex() == case["expected_block_hex"]
    digits = reference.splice(int.from_bytes(encrypted, "big"), case["token_class"])
    assert digits == case["expected_token"]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["op"] == "set"], ids=lambda case: case["id"]
)
def test_openssl_reads_the_same_key_changes_with_ea09(case: dict[str, Any]) -> None:
    key = bytes.fromhex(case["decoder_key_hex"])
    contents = []
    for digits in case["expected_tokens"]:
        bits = f"{int(digits):066b}"
        closed = int(bits[2:37] + bits[:2] + bits[39:], 2)
        clear = int.from_bytes(single_des_back(key, closed.to_bytes(8, "big")), "big")
        contents.append(f"{clear >> 16 & (1 << 44) - 1:011x}")
        assert clear == reference.clear_block(2, clear >> 60, int(contents[-1], 16))
    expiry, group = case["new_key_expiry_number"], int(case["new_supply_group_code"])
    mark = case["ro"] << 3 | (case["set_size"] == 3) << 2 | case["new_key_type"]
    new_key, revision = case["new_decoder_key_hex"], case["new_key_revision_number"]
    expected = [
        f"{expiry >> 4:x}{revision:x}{mark:x}{new_key[:8]}",
        f"{expiry & 15:x}{int(case['new_tariff_index']):02x}{new_key[8:]}",
        f"{group:06x}00000",
    ]
    assert contents == expected[: case["set_size"]]


@given(vending_keys(64), key_attributes(DEA))
def test_two_equal_halves_make_dkga03_single_des(
    half: VendingKey, attributes: KeyAttributes
) -> None:
    data = d_block(attributes)
    key = half.expose()
    expected = xor(DES.new(key, DES.MODE_ECB).encrypt(data), data)  # noqa: S304 - as prescribed
    assert derive_decoder_key(DKGA03, VendingKey(key * 2), attributes).expose() == expected


@given(vending_keys(128), key_attributes(DEA))
def test_any_two_halves_make_dkga03_triple_des(
    vending_key: VendingKey, attributes: KeyAttributes
) -> None:
    key, data = vending_key.expose(), d_block(attributes)
    expected = xor(triple_des(key + key[:8], data), data)
    assert derive_decoder_key(DKGA03, vending_key, attributes).expose() == expected


# --- what decides a key -----------------------------------------------------------------------

CHANGES: list[dict[str, Any]] = [
    {"meter_pan": OTHER_PAN},
    {"supply_group_code": SupplyGroupCode(123457)},
    {"tariff_index": TariffIndex(2)},
    {"key_revision_number": KeyRevisionNumber(2)},
    {"key_type": KeyType.DEFAULT},
    {"base_date": BaseDate.Y2014},
    {"encryption_algorithm": MISTY1},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_attribute_decides_the_key_of_dkga04(change: dict[str, Any]) -> None:
    derivation = KeyDerivation(DKGA04, LONG_VENDING_KEY)
    before, after = derivation.derive(ATTRIBUTES), derivation.derive(altered(**change))
    assert before.expose() != after.expose()[:8]


@pytest.mark.parametrize("change", CHANGES[:5], ids=lambda change: next(iter(change)))
def test_every_attribute_but_base_date_and_cipher_decides_the_key_of_dkga02(
    change: dict[str, Any],
) -> None:
    derivation = KeyDerivation(DKGA02, SHORT_VENDING_KEY)
    assert derivation.derive(ATTRIBUTES) != derivation.derive(altered(**change))
    same = altered(base_date=BaseDate.Y2035, encryption_algorithm=DEA)
    assert derivation.derive(same) == derivation.derive(ATTRIBUTES)


@given(st.lists(key_attributes(STA, MISTY1), min_size=2, max_size=4))
def test_one_derivation_serves_any_number_of_meters(attributes: list[KeyAttributes]) -> None:
    derivation = KeyDerivation(DKGA04, LONG_VENDING_KEY)
    one_by_one = [derive_decoder_key(DKGA04, LONG_VENDING_KEY, each) for each in attributes]
    assert [derivation.derive(each) for each in attributes] == one_by_one


# --- refusals ---------------------------------------------------------------------------------

VENDING_KEY_BITS = {DKGA02: 64, DKGA03: 128, DKGA04: 160}
CIPHERS_OF = {DKGA02: {STA, DEA}, DKGA03: {DEA}, DKGA04: {STA, MISTY1}}


@pytest.mark.parametrize("bits", [64, 128, 160])
def test_dkga01_is_recognised_and_refused(bits: int) -> None:
    with pytest.raises(UnsupportedAlgorithmError, match=r"DKGA01 .* is not supported"):
        KeyDerivation(DKGA01, VendingKey(bytes(bits // 8)))


@pytest.mark.parametrize(("algorithm", "bits"), list(product(VENDING_KEY_BITS, [64, 128, 160])))
def test_an_algorithm_takes_vending_keys_of_its_length_only(
    algorithm: KeyGenerationAlgorithm, bits: int
) -> None:
    vending_key = VendingKey(bytes(bits // 8))
    if bits == VENDING_KEY_BITS[algorithm]:
        assert KeyDerivation(algorithm, vending_key).algorithm is algorithm
    else:
        with pytest.raises(KeyLengthError) as caught:
            KeyDerivation(algorithm, vending_key)
        assert caught.value.allowed_bits == (VENDING_KEY_BITS[algorithm],)
        assert caught.value.found_bits == bits


def derivation_of(algorithm: KeyGenerationAlgorithm) -> KeyDerivation:
    return KeyDerivation(algorithm, VendingKey(bytes(VENDING_KEY_BITS[algorithm] // 8)))


@pytest.mark.parametrize(("algorithm", "cipher"), list(product(CIPHERS_OF, EncryptionAlgorithm)))
def test_an_algorithm_makes_keys_for_its_ciphers_only(
    algorithm: KeyGenerationAlgorithm, cipher: EncryptionAlgorithm
) -> None:
    attributes = altered(encryption_algorithm=cipher)
    if cipher in CIPHERS_OF[algorithm]:
        assert derivation_of(algorithm).derive(attributes).bits == cipher.key_bits
    else:
        with pytest.raises(
            UnsupportedAlgorithmError, match=f"DKGA{algorithm} makes no keys for EA{cipher}"
        ):
            derivation_of(algorithm).derive(attributes)


@pytest.mark.parametrize(("algorithm", "key_type"), list(product(VENDING_KEY_BITS, KeyType)))
def test_an_initialisation_key_is_never_derived_and_a_common_one_by_dkga02_only(
    algorithm: KeyGenerationAlgorithm, key_type: KeyType
) -> None:
    cipher = DEA if algorithm is DKGA03 else STA
    attributes = altered(key_type=key_type, encryption_algorithm=cipher)
    derivable = {KeyType.DEFAULT, KeyType.UNIQUE}
    if algorithm is DKGA02:
        derivable.add(KeyType.COMMON)
    if key_type in derivable:
        assert derivation_of(algorithm).derive(attributes).bits == 64
    else:
        with pytest.raises(UnsupportedKeyTypeError, match=f"^key type {int(key_type)} is "):
            derivation_of(algorithm).derive(attributes)


@given(telling_bytes(20))
def test_a_derivation_shows_neither_its_key_nor_puts_it_in_a_refusal(key: bytes) -> None:
    derivation = KeyDerivation(DKGA04, VendingKey(key))
    assert repr(derivation) == "<KeyDerivation DKGA04>"
    for refused in (altered(encryption_algorithm=DEA), altered(key_type=KeyType.COMMON)):
        with pytest.raises(StsError) as caught:
            derivation.derive(refused)
        assert not shown_in(key, f"{caught.value!r}")


def test_a_derivation_is_not_copied() -> None:
    derivation = KeyDerivation(KeyGenerationAlgorithm.DKGA04, VendingKey(bytes(20)))
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.deepcopy(derivation)


# --- an HMAC that is made elsewhere -----------------------------------------------------------


@given(vending_keys(160), key_attributes(STA, MISTY1))
def test_dkga04_is_the_same_where_another_device_makes_the_hmac(
    vending_key: VendingKey, attributes: KeyAttributes
) -> None:
    def mac(message: bytes) -> bytes:
        return hmac.digest(vending_key.expose(), message, hashlib.sha256)

    expected = derive_decoder_key(DKGA04, vending_key, attributes)
    assert derive_with_mac(attributes, mac) == expected


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"key_type": KeyType.INITIALISATION}, UnsupportedKeyTypeError),
        ({"key_type": KeyType.COMMON}, UnsupportedKeyTypeError),
        ({"encryption_algorithm": DEA}, UnsupportedAlgorithmError),
    ],
)
def test_another_device_is_not_asked_for_what_dkga04_does_not_make(
    change: dict[str, Any], refusal: type[Exception]
) -> None:
    def mac(message: bytes) -> bytes:
        pytest.fail(f"it was asked for {message.hex()}")

    with pytest.raises(refusal):
        derive_with_mac(altered(**change), mac)
