"""Errors are API: every code of the core is raised by something, and none tells a key.

That each class has a code of its own, and that the tree drawn in the docstring of ``sts.errors``
is the tree, is checked for all packages in ``tests/house/test_errors.py``.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given

import sts
from sts import batch
from sts.amount import encode_amount
from sts.ciphers import (
    SAMPLE_TABLES,
    Misty1,
    Sta,
    new_cipher,
    parse_sta_tables,
    require_licensed_tables,
)
from sts.codec import decode, encode
from sts.conformance import load_file
from sts.derivation import KeyAttributes, KeyDerivation, derive_decoder_key
from sts.errors import StsError
from sts.identifiers import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import KeyChange, KeyState, build, check, join
from sts.key_material import DecoderKey, VendingKey
from sts.layouts import KIND_INDEX
from sts.token_identifier import (
    next_token_identifier,
    require_unexpired,
    special_reserved_token_identifier,
    tid_from_datetime,
)
from sts.tokens import ClearTamperCondition, ReservedToken
from tests.strategies import shown_in, telling_bytes
from tests.sts import reference

STA = Sta(DecoderKey.from_hex("E653341F9D5BF36F"), SAMPLE_TABLES)
MISTY1 = Misty1(DecoderKey.from_hex("929BD3A415C9420A05EC5EE9F3CE91C3"))
NOW = datetime(2026, 7, 29, 12, tzinfo=UTC)
NOW_TID = tid_from_datetime(NOW, BaseDate.Y2014)
ATTRIBUTES = KeyAttributes(
    meter_pan=MeterPan("600727000000000009"),
    supply_group_code=SupplyGroupCode(201457),
    tariff_index=TariffIndex(1),
    key_revision_number=KeyRevisionNumber(1),
    key_type=KeyType.UNIQUE,
    base_date=BaseDate.Y2014,
    encryption_algorithm=EncryptionAlgorithm.MISTY1,
)
PRESENT = KeyState(attributes=ATTRIBUTES, algorithm=KeyGenerationAlgorithm.DKGA04)
NEW = replace(PRESENT, attributes=replace(ATTRIBUTES, tariff_index=TariffIndex(2)))
CHANGE = KeyChange(
    new_key=DecoderKey(bytes(16)),
    key_expiry_number=KeyExpiryNumber(255),
    key_revision_number=KeyRevisionNumber(1),
    key_type=KeyType.UNIQUE,
    tariff_index=TariffIndex(1),
    rollover=False,
    supply_group_code=SupplyGroupCode(201457),
)


def check_change(new: KeyState, *, rollover: bool = False) -> None:
    check(PRESENT, new, rollover=rollover, tid_now=NOW_TID)


def changed(key_type: KeyType) -> KeyState:
    return replace(PRESENT, attributes=replace(ATTRIBUTES, key_type=key_type))


# One call for each code of the core. Add a code, and the test below asks for its row.
REFUSALS: Final[list[tuple[str, Callable[[], object]]]] = [
    ("NOT_DIGITS", lambda: DecoderReferenceNumber("1234567890X")),
    ("WRONG_LENGTH", lambda: DecoderReferenceNumber("123456789012")),
    ("WRONG_CHECK_DIGIT", lambda: DecoderReferenceNumber("12345678904")),
    ("OUT_OF_RANGE", lambda: KeyRevisionNumber(0)),
    ("UNKNOWN_IIN", lambda: MeterPan("600728123456789030")),
    ("UNKNOWN_CODE", lambda: EncryptionAlgorithm.parse("08")),
    ("NAIVE_DATETIME", lambda: tid_from_datetime(NOW.replace(tzinfo=None), BaseDate.Y2014)),
    ("BEFORE_BASE_DATE", lambda: tid_from_datetime(NOW, BaseDate.Y2035)),
    ("AFTER_LAST_MINUTE", lambda: tid_from_datetime(NOW, BaseDate.Y1993)),
    ("KEY_EXPIRED", lambda: require_unexpired(NOW_TID, KeyExpiryNumber(85), BaseDate.Y2014)),
    (
        "TID_AHEAD_OF_CLOCK",
        lambda: next_token_identifier(range(NOW_TID, NOW_TID + 61), NOW, base_date=BaseDate.Y2014),
    ),
    (
        "TID_ALREADY_USED",
        lambda: special_reserved_token_identifier([NOW_TID - 719], NOW, base_date=BaseDate.Y2014),
    ),
    (
        "UTC_OFFSET",
        lambda: tid_from_datetime(NOW, BaseDate.Y2014, utc_offset=timedelta(seconds=1)),
    ),
    ("AMOUNT_NOT_INTEGER", lambda: encode_amount(1.5)),  # type: ignore[arg-type]  # on purpose
    ("AMOUNT_NEGATIVE", lambda: encode_amount(-1)),
    ("AMOUNT_TOO_LARGE", lambda: encode_amount(18_201_625)),
    ("FIELD_RANGE", lambda: ClearTamperCondition(rnd=16, tid=0)),
    ("FIELD_TYPE", lambda: KIND_INDEX[2, 1, 64].token_type(rnd=0, tid=1, register=0)),
    ("NOT_TWENTY_DIGITS", lambda: decode("1234")),
    ("EXCEEDS_66_BITS", lambda: decode("73786976294838206464")),
    ("RESERVED_CLASS", lambda: decode("73786976294838206463")),
    (
        "RESERVED_SUBCLASS",
        lambda: encode(ReservedToken(token_class=0, subclass=8, content=0), MISTY1),
    ),
    ("CRC_MISMATCH", lambda: decode("00000000000150997585")),
    (
        "NON_CANONICAL_TOKEN",
        lambda: decode(reference.forge(2, 5, 0x1, cipher=MISTY1), MISTY1),
    ),
    ("DECODER_KEY_REQUIRED", lambda: decode("58625789986991357486")),
    ("CIPHER_MISMATCH", lambda: encode(build(CHANGE)[3], STA)),
    ("KEY_LENGTH", lambda: DecoderKey(bytes(20))),
    ("KEY_FORMAT", lambda: DecoderKey.from_hex("not hexadecimal")),
    (
        "UNSUPPORTED_ALGORITHM",
        lambda: KeyDerivation(KeyGenerationAlgorithm.DKGA01, VendingKey(bytes(8))),
    ),
    (
        "UNSUPPORTED_KEY_TYPE",
        lambda: derive_decoder_key(
            KeyGenerationAlgorithm.DKGA04,
            VendingKey(bytes(20)),
            replace(ATTRIBUTES, key_type=KeyType.COMMON),
        ),
    ),
    ("STA_TABLES", lambda: parse_sta_tables(b"{}")),
    ("SAMPLE_TABLES_IN_PRODUCTION", lambda: require_licensed_tables(SAMPLE_TABLES)),
    ("KEY_CHANGE_INCOMPLETE", lambda: join(build(CHANGE)[1:], key_bits=128)),
    ("KEY_CHANGE_CONFLICT", lambda: build(replace(CHANGE, supply_group_code=None))),
    ("KEY_CHANGE_SET_SIZE", lambda: build(CHANGE, set_size=2)),
    ("KEY_CHANGE_SAME", lambda: check_change(PRESENT)),
    ("KEY_CHANGE_TYPE", lambda: check_change(changed(KeyType.COMMON))),
    ("KEY_CHANGE_ROLLOVER", lambda: check_change(NEW, rollover=True)),
    ("KEY_CHANGE_ALGORITHM", lambda: check_change(replace(NEW, algorithm=None))),
    (
        "KEY_CHANGE_TO_EXPIRED_KEY",
        lambda: check_change(replace(NEW, key_expiry_number=KeyExpiryNumber(85))),
    ),
    ("ARRAY_TYPE", lambda: batch.encode_amounts(np.array([1.5]))),
    ("ARRAY_SHAPE", lambda: batch.encode_amounts(np.array([[1]]))),
    ("VECTOR_FILE", lambda: load_file(Path("no such file"))),
]


@pytest.mark.parametrize(("code", "refused"), REFUSALS, ids=[code for code, _ in REFUSALS])
def test_every_code_is_raised_by_something(code: str, refused: Callable[[], object]) -> None:
    with pytest.raises(StsError) as caught:
        refused()
    assert caught.value.code == code
    assert str(caught.value)


EDGES: Final = ("sts.meter", "sts.cli", "sts.terminal")
"""What is not core: these have error classes and tests of their own."""


def is_core(module: str) -> bool:
    return module.startswith("sts.") and not module.startswith(EDGES)


def leaves(error: type[StsError]) -> Iterator[type[StsError]]:
    """Walk through the classes of the core that have no subclasses in it."""
    below = [each for each in error.__subclasses__() if is_core(each.__module__)]
    if not below:
        yield error
    for each in below:
        yield from leaves(each)


def test_no_code_of_the_core_is_without_its_refusal() -> None:
    for module in pkgutil.walk_packages(sts.__path__, "sts."):
        if is_core(module.name):
            importlib.import_module(module.name)
    codes = sorted(error.code for error in leaves(StsError))
    assert codes == sorted(code for code, _ in REFUSALS)
    assert len(set(codes)) == len(codes)


def test_a_message_is_one_line_that_can_be_printed() -> None:
    for _, refused in REFUSALS:
        with pytest.raises(StsError) as caught:
            refused()
        assert str(caught.value).isprintable()
        assert caught.value.hint.isprintable()


@given(telling_bytes(16), telling_bytes(20))
def test_no_refusal_tells_a_key(decoder_key: bytes, vending_key: bytes) -> None:
    """Everything that takes a key, called so that it refuses it or its company."""
    refusals: list[Callable[[], object]] = [
        lambda: DecoderKey(vending_key),
        lambda: VendingKey(vending_key[:19]),
        lambda: DecoderKey.from_hex(f"{decoder_key.hex()}x"),
        lambda: VendingKey.from_hex(vending_key.hex()[:-1]),
        lambda: new_cipher(EncryptionAlgorithm.STA, DecoderKey(decoder_key)),
        lambda: decode("58625789986991357485", Misty1(DecoderKey(decoder_key))),
        lambda: KeyDerivation(KeyGenerationAlgorithm.DKGA02, VendingKey(vending_key)),
        lambda: KeyDerivation(KeyGenerationAlgorithm.DKGA01, VendingKey(vending_key)),
        lambda: derive_decoder_key(
            KeyGenerationAlgorithm.DKGA04,
            VendingKey(vending_key),
            replace(ATTRIBUTES, key_type=KeyType.INITIALISATION),
        ),
        lambda: build(replace(CHANGE, new_key=DecoderKey(decoder_key)), set_size=2),
        lambda: join(build(replace(CHANGE, new_key=DecoderKey(decoder_key)))[:3], key_bits=128),
        lambda: join(build(replace(CHANGE, new_key=DecoderKey(decoder_key)))[:3], key_bits=64),
        lambda: encode(build(replace(CHANGE, new_key=DecoderKey(decoder_key)))[2], STA),
    ]
    for refused in refusals:
        with pytest.raises(StsError) as caught:
            refused()
        said = f"{caught.value} {caught.value!r} {vars(caught.value)}"
        assert not shown_in(decoder_key, said)
        assert not shown_in(vending_key, said)
