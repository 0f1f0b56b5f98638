"""The anatomy of a token: every field with its bits, its value and its meaning in words."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sts.amount import CurrencyAmount, PowerLimit, UnitAmount
from sts.ciphers import SAMPLE_TABLES, Cipher, Misty1, Sta
from sts.codec import decode, encode
from sts.errors import (
    CipherMismatchError,
    CrcMismatchError,
    DecoderKeyRequiredError,
    Exceeds66BitsError,
    NotTwentyDigitsError,
    ReservedClassError,
    StsError,
    UtcOffsetError,
)
from sts.explain import Anatomy, explain
from sts.identifiers import (
    BaseDate,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import KeyChange, build
from sts.key_material import DecoderKey
from sts.meanings import (
    EXTENDED_FLAG_NAMES,
    KEY_TYPE_NAMES,
    REGISTER_NAMES,
    SERVICE_UNITS,
    TEST_NAMES,
    currency_text,
    names_of_tests,
    tenths_text,
)
from sts.tokens import (
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
    Service,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)
from tests.strategies import (
    ISSUABLE_TOKENS,
    KeyBits,
    any_cipher,
    bits,
    ciphers,
    shown_in,
    telling_bytes,
)
from tests.sts import reference

MISTY1 = Misty1(DecoderKey.from_hex("929BD3A415C9420A05EC5EE9F3CE91C3"))
STA = Sta(DecoderKey.from_hex("E653341F9D5BF36F"), SAMPLE_TABLES)
WALK_THROUGH = "5862 5789 9869 9135 7486"


def told(anatomy: Anatomy) -> dict[str, str]:
    """Return the meaning of each field."""
    return {field.name: field.meaning for field in anatomy.fields}


def told_of(token: Token, cipher: Cipher = MISTY1) -> dict[str, str]:
    return told(explain(encode(token, cipher), cipher, base_date=BaseDate.Y2014))


# --- whole anatomies --------------------------------------------------------------------------


def test_a_credit_token_is_taken_apart_field_by_field() -> None:
    """STS 531-1-11 Edition 2.2, CTSA01 step 1: 0.1 kWh on 2014-03-01 at 13:00."""
    anatomy = explain(WALK_THROUGH, MISTY1, base_date=BaseDate.Y2014)
    assert [
        (field.name, field.highest_bit, field.lowest_bit, field.raw, field.meaning)
        for field in anatomy.fields
    ] == [
        ("class", 65, 64, 0, "credit"),
        ("subclass", 63, 60, 0, "TransferCredit/electricity"),
        ("rnd", 59, 56, 5, "random bits"),
        ("tid", 55, 32, 85740, "minute 85740: 2014-03-01 13:00 UTC (base 2014)"),
        ("amount", 31, 16, 1, "0.1 kWh"),
        ("crc", 15, 0, 0x3188, "CRC, fits"),
    ]
    assert (anatomy.status, anatomy.problem) == ("open", None)
    assert (anatomy.crc_found, anatomy.crc_computed) == (0x3188, 0x3188)
    assert anatomy.kind == "TransferCredit/electricity"
    assert anatomy.digits == "58625789986991357486"
    assert anatomy.number == 0x32D98A5616345BE2E
    assert anatomy.encrypted
    assert anatomy.token == decode(WALK_THROUGH, MISTY1)


def test_the_anatomy_is_plain_values_for_json() -> None:
    shown = explain(WALK_THROUGH, MISTY1, base_date=BaseDate.Y2014).as_dict()
    assert {name: value for name, value in shown.items() if name != "fields"} == {
        "token": "58625789986991357486",
        "grouped": "5862 5789 9869 9135 7486",
        "number_hex": "32d98a5616345be2e",
        "class": 0,
        "encrypted": True,
        "status": "open",
        "kind": "TransferCredit/electricity",
        "crc_found": "3188",
        "crc_computed": "3188",
        "problem": None,
    }
    assert shown["fields"][4] == {
        "name": "amount",
        "bits": [31, 16],
        "raw": 1,
        "meaning": "0.1 kWh",
    }


def test_without_a_key_a_credit_token_shows_its_class_and_why_no_more() -> None:
    anatomy = explain(WALK_THROUGH)
    assert anatomy.status == "closed"
    assert isinstance(anatomy.problem, DecoderKeyRequiredError)
    assert told(anatomy) == {"class": "credit"}
    assert (anatomy.kind, anatomy.token) == (None, None)
    assert (anatomy.crc_found, anatomy.crc_computed) == (None, None)
    shown = anatomy.as_dict()
    assert (shown["crc_found"], shown["crc_computed"]) == (None, None)
    assert shown["problem"] == {
        "code": "DECODER_KEY_REQUIRED",
        "message": "class 0 tokens are encrypted: a decoder key is needed",
    }


def test_without_a_key_a_class_1_token_shows_everything() -> None:
    anatomy = explain("00000000000150997584")
    assert anatomy.status == "open"
    assert not anatomy.encrypted
    assert told(anatomy) == {
        "class": "test or display, for any meter",
        "subclass": "InitiateMeterTest/Display1",
        "control": "1: test the load switch",
        "manufacturer_code": "any make",
        "crc": "CRC, fits",
    }


def test_under_another_key_the_two_checksums_are_told_and_nothing_else() -> None:
    anatomy = explain(WALK_THROUGH, Misty1(DecoderKey(bytes(16))))
    assert anatomy.status == "refused"
    assert isinstance(anatomy.problem, CrcMismatchError)
    assert told(anatomy) == {"class": "credit"}
    assert anatomy.token is None
    assert None not in (anatomy.crc_found, anatomy.crc_computed)
    assert anatomy.crc_found != anatomy.crc_computed


def test_a_mistyped_class_1_token_tells_the_checksum_that_it_should_have() -> None:
    anatomy = explain("00000000000150997585")
    assert (anatomy.crc_found, anatomy.crc_computed) == (0x0A51, 0x0A50)
    assert anatomy.as_dict()["crc_found"] == "0a51"


def test_a_checksum_keeps_its_leading_zeros() -> None:
    shown = explain(reference.forge(1, 0, 0)).as_dict()
    assert shown["crc_found"] == f"{reference.checksum(1, 0, 0):04x}"
    assert len(shown["number_hex"]) == 17


def test_class_3_is_told_and_refused() -> None:
    anatomy = explain(reference.forge(3, 0, 0), MISTY1)
    assert anatomy.status == "refused"
    assert isinstance(anatomy.problem, ReservedClassError)
    assert told(anatomy) == {"class": "reserved"}


def test_a_part_for_the_other_key_length_is_told_and_refused() -> None:
    anatomy = explain(reference.forge(2, 9, 0x031156C51B0, cipher=STA), STA)
    assert anatomy.status == "refused"
    assert isinstance(anatomy.problem, CipherMismatchError)
    assert anatomy.crc_found == anatomy.crc_computed
    assert told(anatomy) == {"class": "management of one meter"}


def test_a_reserved_subclass_is_opened_without_a_meaning() -> None:
    anatomy = explain(reference.forge(0, 8, 0x123, cipher=MISTY1), MISTY1)
    assert anatomy.status == "open"
    assert anatomy.kind == "reserved"
    assert told(anatomy)["content"] == "not defined by the standard"


def test_a_negative_zero_is_told_as_what_it_is() -> None:
    anatomy = explain(reference.forge(0, 4, 0x8_014EEC_0000, cipher=MISTY1), MISTY1)
    assert anatomy.status == "refused"
    assert told(anatomy)["amount"] == "a negative zero, which must not be"


def test_a_reserved_register_is_told_as_such() -> None:
    anatomy = explain(reference.forge(2, 1, 0x5_014EEC_0008, cipher=MISTY1), MISTY1)
    assert anatomy.status == "refused"
    assert told(anatomy)["register"] == "reserved"


# --- meanings ---------------------------------------------------------------------------------

FRAME = {"rnd": 5, "tid": 85740}
MEANINGS: list[tuple[Token, str, str]] = [
    (
        TransferCredit(service=Service.WATER, amount=UnitAmount(0x4001), **FRAME),
        "amount",
        "1639.4 m³",
    ),
    (TransferCredit(service=Service.GAS, amount=UnitAmount(25), **FRAME), "amount", "2.5 m³"),
    (TransferCredit(service=Service.TIME, amount=UnitAmount(25), **FRAME), "amount", "2.5 min"),
    (
        TransferCurrencyCredit(
            service=Service.TIME, tid=1, amount=CurrencyAmount.rounding_up(-100000)
        ),
        "amount",
        "-0.99994 of the currency",
    ),
    (
        TransferCurrencyCredit(service=Service.GAS, tid=1, amount=CurrencyAmount.rounding_up(5)),
        "sign_exponent",
        "0, sign and upper 3 bits of the exponent",
    ),
    (
        TransferCurrencyCredit(service=Service.GAS, tid=1, amount=CurrencyAmount.rounding_up(5)),
        "crc",
        "CRC_C, fits",
    ),
    (
        InitiateMeterTest.for_tests([4, 19]),
        "control",
        "4: display key revision number and key type, 19: reserved",
    ),
    (
        InitiateMeterTest.for_tests([0], manufacturer_digits=4),
        "control",
        "0: all tests that the meter supports",
    ),
    (
        InitiateMeterTest.for_tests([0], manufacturer_digits=4),
        "subclass",
        "InitiateMeterTest/Display2",
    ),
    (InitiateMeterTest(control=0), "control", "no test"),
    (InitiateMeterTest(control=1, manufacturer_code=4), "manufacturer_code", "maker 4"),
    (ReadExtended(index=0, data=7), "index", "register"),
    (ReadExtended(index=0, data=7), "data", "value 7"),
    (ReadExtended.flag(1), "index", "flags"),
    (ReadExtended.flag(1), "data", "flag 1: detect tamper"),
    (ReadExtended.flag(400), "data", "flag 400: unknown"),
    (
        ProprietaryTest(subclass=6, control=1, manufacturer_code=100),
        "control",
        "the maker's business",
    ),
    (SetMaximumPowerLimit(limit=PowerLimit(0x4001), **FRAME), "limit", "16394 W"),
    (SetMaximumPhasePowerUnbalanceLimit(limit=PowerLimit(10), **FRAME), "limit", "10 W"),
    (ClearCredit(register=CreditRegister.ALL, **FRAME), "register", "all credit registers"),
    (SetTariffRate(rate=7, **FRAME), "rate", "7, reserved by the standard"),
    (ClearTamperCondition(**FRAME), "pad", "padding"),
    (SetWaterMeterFactor(factor=7, **FRAME), "factor", "7, reserved for water meters"),
    (WriteExtended(index=63, data=0b11, **FRAME), "data", "flag 1: detect tamper = 1"),
    (WriteExtended(index=63, data=0b10, **FRAME), "data", "flag 1: detect tamper = 0"),
    (WriteExtended(index=0, data=123, **FRAME), "data", "value 123"),
    (ProprietaryManagement(subclass=11, content=1), "content", "not defined by the standard"),
]


@pytest.mark.parametrize(("token", "field", "meaning"), MEANINGS)
def test_a_field_has_a_meaning_in_words(token: Token, field: str, meaning: str) -> None:
    assert told_of(token)[field] == meaning


CHANGE = KeyChange(
    new_key=DecoderKey(bytes(range(0xA0, 0xA8))),
    key_expiry_number=KeyExpiryNumber(0xAB),
    key_revision_number=KeyRevisionNumber(6),
    key_type=KeyType.UNIQUE,
    tariff_index=TariffIndex(2),
    rollover=True,
    supply_group_code=SupplyGroupCode(4097),
)


def test_a_key_change_is_explained_but_for_the_key() -> None:
    first, second, third = (told_of(token, STA) for token in build(CHANGE, set_size=3))
    expiry = CHANGE.key_expiry_number.number
    upper = f"{expiry >> 4}, the upper 4 bits of the new key's expiry number"
    assert first["key_expiry_high"] == upper
    assert first["key_revision_number"] == f"{CHANGE.key_revision_number}, of the new key"
    assert first["rollover"] == "new base date"
    assert first["three_token_set"] == "a third token belongs to the set"
    assert first["key_type"] == "unique key (DUTK)"
    assert first["new_key_high"] == second["new_key_low"] == "part of the new key, not shown"
    assert (
        second["key_expiry_low"]
        == f"{expiry & 15}, the lower 4 bits of the new key's expiry number"
    )
    assert second["tariff_index"] == "02, of the new key"
    assert third["supply_group_code"] == "supply group 004097"
    assert third["pad"] == "padding"


def test_a_key_change_of_two_tokens_says_so() -> None:
    first, _ = build(CHANGE)
    assert told_of(first, STA)["three_token_set"] == "no third token with the supply group"


def test_the_halves_of_a_long_key_change_are_explained() -> None:
    long = KeyChange(
        new_key=DecoderKey(bytes(16)),
        key_expiry_number=KeyExpiryNumber(1),
        key_revision_number=KeyRevisionNumber(6),
        key_type=KeyType.DEFAULT,
        tariff_index=TariffIndex(2),
        rollover=False,
        supply_group_code=SupplyGroupCode(201457),
    )
    first, _, third, fourth = (told_of(token) for token in build(long))
    assert first["rollover"] == "same base date"
    assert first["key_type"] == "default key (DDTK)"
    assert (
        third["supply_group_low"] == f"{201457 & 0xFFF}, the lower 12 bits of the supply group code"
    )
    assert (
        fourth["supply_group_high"] == f"{201457 >> 12}, the upper 12 bits of the supply group code"
    )


def test_without_the_base_date_the_time_is_told_for_each() -> None:
    assert told(explain(WALK_THROUGH, MISTY1))["tid"] == (
        "minute 85740: 1993-03-01 13:00 UTC (base 1993) or 2014-03-01 13:00 UTC (base 2014) or "
        "2035-03-01 13:00 UTC (base 2035)"
    )


def test_the_reserved_minute_is_told() -> None:
    token = ClearTamperCondition(rnd=5, tid=6612481)
    assert told_of(token)["tid"] == (
        "minute 6612481: 2026-07-29 00:01 UTC (base 2014), the reserved minute of the day"
    )


def test_every_test_of_the_standard_has_a_name() -> None:
    assert sorted(TEST_NAMES) == list(range(19))
    for test, name in TEST_NAMES.items():
        assert names_of_tests((test,)) == f"{test}: {name}"
    assert names_of_tests(()) == "no test"


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (EXTENDED_FLAG_NAMES, range(12)),
        (REGISTER_NAMES, CreditRegister),
        (SERVICE_UNITS, Service),
        (KEY_TYPE_NAMES, KeyType),
    ],
    ids=["flags", "registers", "units", "key types"],
)
def test_every_code_has_its_words(names: Mapping[int, str], keys: list[int]) -> None:
    assert sorted(names) == sorted(keys)
    assert all(names.values())


@pytest.mark.parametrize(("tenths", "text"), [(0, "0.0"), (5, "0.5"), (256, "25.6")])
def test_tenths_have_one_decimal_place(tenths: int, text: str) -> None:
    assert tenths_text(tenths) == text


@pytest.mark.parametrize(
    ("units", "text"),
    [(0, "0.00000"), (1, "0.00001"), (-1, "-0.00001"), (150000, "1.50000"), (-150000, "-1.50000")],
)
def test_currency_has_five_decimal_places(units: int, text: str) -> None:
    assert currency_text(units) == text


# --- properties -------------------------------------------------------------------------------

EVERY_KIND = [
    pytest.param(key_bits, kind, id=f"{kind.__name__}-{key_bits}")
    for key_bits, kinds in ISSUABLE_TOKENS.items()
    for kind in kinds
]


# A quarter of the examples: there are over thirty kinds, and most of what is drawn says the same.
@pytest.mark.parametrize(("key_bits", "kind"), EVERY_KIND)
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_every_bit_of_every_kind_is_explained(
    key_bits: KeyBits, kind: type[Token], data: st.DataObject
) -> None:
    token = data.draw(ISSUABLE_TOKENS[key_bits][kind])
    cipher = data.draw(ciphers[key_bits])
    anatomy = explain(encode(token, cipher), cipher)
    assert anatomy.token == token
    assert (anatomy.status, anatomy.encrypted) == ("open", token.token_class != 1)
    covered = [
        bit
        for field in anatomy.fields
        for bit in range(field.highest_bit, field.lowest_bit - 1, -1)
    ]
    assert covered == list(range(65, -1, -1))
    assert all(field.meaning for field in anatomy.fields)


@given(st.one_of(st.text(), bits(66).map(lambda number: f"{number:020d}")), st.data())
def test_only_what_is_no_token_at_all_is_not_explained(text: str, data: st.DataObject) -> None:
    cipher = data.draw(st.one_of(st.none(), any_cipher))
    try:
        anatomy = explain(text, cipher)
    except (NotTwentyDigitsError, Exceeds66BitsError):
        return
    assert anatomy.digits == text.replace(" ", "").replace("-", "")
    assert json.loads(json.dumps(anatomy.as_dict()))["token"] == anatomy.digits
    assert (anatomy.token is None) is (anatomy.problem is not None)


@given(token_class=st.sampled_from([0, 2]), subclass=bits(4), content=bits(44), cipher=any_cipher)
def test_an_authentic_token_is_explained_as_it_is_decoded(
    token_class: int, subclass: int, content: int, cipher: Cipher
) -> None:
    digits = reference.forge(token_class, subclass, content, cipher=cipher)
    anatomy = explain(digits, cipher)
    assert (
        anatomy.crc_found
        == anatomy.crc_computed
        == reference.checksum(token_class, subclass, content)
    )
    try:
        assert anatomy.token == decode(digits, cipher)
    except StsError as error:
        assert anatomy.status == "refused"
        assert str(anatomy.problem) == str(error)  # noqa: PT017 - both must refuse alike


@given(telling_bytes(8), telling_bytes(16))
def test_a_key_change_is_never_explained_to_the_key(short: bytes, long: bytes) -> None:
    for key, cipher, size in ((short, STA, 3), (long, MISTY1, 4)):
        change = KeyChange(
            new_key=DecoderKey(key),
            key_expiry_number=KeyExpiryNumber(255),
            key_revision_number=KeyRevisionNumber(1),
            key_type=KeyType.UNIQUE,
            tariff_index=TariffIndex(1),
            rollover=False,
            supply_group_code=SupplyGroupCode(1),
        )
        for token in build(change, set_size=3 if size == 3 else 4):
            anatomy = explain(encode(token, cipher), cipher)
            parts = [field for field in anatomy.fields if field.name.startswith("new_key_")]
            assert all(field.raw is None for field in parts)
            assert not shown_in(key, f"{anatomy!r} {json.dumps(anatomy.as_dict())}")


def test_the_time_of_a_group_in_local_time_is_told_in_utc() -> None:
    token = TransferCredit(service=Service.GAS, rnd=0, tid=120, amount=UnitAmount(1))
    anatomy = explain(
        encode(token, STA), STA, base_date=BaseDate.Y2014, utc_offset=timedelta(hours=2)
    )
    told = {field.name: field.meaning for field in anatomy.fields}
    assert told["tid"] == "minute 120: 2014-01-01 00:00 UTC (base 2014)"


def test_an_offset_that_cannot_be_is_no_fault_of_the_token() -> None:
    with pytest.raises(UtcOffsetError):
        explain("00000000000150997584", utc_offset=timedelta(days=2))
