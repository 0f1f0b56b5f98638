from datetime import datetime

import pytest

from keys import AcceptableToken, KeyTerms, RegisteredKey, UnacceptableToken
from keys.token_making import GivenKey
from keys.verification import verify_token
from sts import (
    SAMPLE_TABLES,
    ClearTamperCondition,
    DecoderKey,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyType,
    ReservedToken,
    Service,
    Token,
    TransferCredit,
    encode,
    encode_amount,
    new_cipher,
)
from sts.codec import insert_class
from sts.crc import token_crc
from tests.keys.conftest import RecordMaker

KEY = DecoderKey(bytes(range(16)))
SOURCE = GivenKey(
    key=KEY, encryption_algorithm=EncryptionAlgorithm.MISTY1, sta_tables=SAMPLE_TABLES
)


def _credit(tid: int) -> Token:
    return TransferCredit(service=Service.ELECTRICITY, rnd=1, tid=tid, amount=encode_amount(5))


def _digits_of(token: Token) -> str:
    return encode(token, SOURCE.cipher())


def _reserved_digits() -> str:
    """Make what ``encode`` refuses to: an authentic token of a reserved subclass."""
    body = 9 << 44 | 5
    block = body << 16 | token_crc(0 << 48 | body, currency=False)
    cipher = new_cipher(EncryptionAlgorithm.MISTY1, KEY)
    return f"{insert_class(cipher.encrypt_block(block), 0):020d}"


@pytest.mark.parametrize(
    ("changes", "token", "code"),
    [
        ({"key_type": KeyType.DEFAULT}, _credit(5), "CREDIT_UNDER_DEFAULT_KEY"),
        ({"key_expiry_number": KeyExpiryNumber(0)}, _credit(1 << 16), "KEY_EXPIRED"),
    ],
    ids=["default", "expired"],
)
def test_what_the_key_does_not_allow_is_not_acceptable(
    make_record: RecordMaker, now: datetime, changes: dict[str, object], token: Token, code: str
) -> None:
    found = verify_token(_digits_of(token), SOURCE, key=make_record(**changes), now=now)
    assert isinstance(found, UnacceptableToken)
    assert (found.code, found.token) == (code, token)


def test_a_reserved_token_is_read_and_not_acceptable(
    make_record: RecordMaker, now: datetime
) -> None:
    found = verify_token(_reserved_digits(), SOURCE, key=make_record(), now=now)
    assert isinstance(found, UnacceptableToken)
    assert found.code == "RESERVED_SUBCLASS"
    assert isinstance(found.token, ReservedToken)


def test_a_management_token_works_under_a_default_key(
    make_record: RecordMaker, now: datetime
) -> None:
    key: RegisteredKey = make_record(terms=KeyTerms(), key_type=KeyType.DEFAULT)
    digits = _digits_of(ClearTamperCondition(rnd=1, tid=5))
    assert isinstance(verify_token(digits, SOURCE, key=key, now=now), AcceptableToken)


@pytest.mark.parametrize(
    ("digits", "code"),
    [("1234", "NOT_TWENTY_DIGITS"), ("9" * 20, "EXCEEDS_66_BITS"), ("0" * 20, "CRC_MISMATCH")],
)
def test_what_is_no_token_is_not_acceptable(
    make_record: RecordMaker, now: datetime, digits: str, code: str
) -> None:
    found = verify_token(digits, SOURCE, key=make_record(), now=now)
    assert isinstance(found, UnacceptableToken)
    assert (found.code, found.token) == (code, None)
