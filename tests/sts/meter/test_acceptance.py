"""The order of checks (IEC 62055-41, 7.3), every result, and that a refusal changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.errors import NaiveDatetimeError
from sts.identifiers import EncryptionAlgorithm, KeyExpiryNumber, KeyType, SupplyGroupCode
from sts.meter.acceptance import apply, authenticate, tid_of, validate
from sts.meter.functions import ABSENT, FUNCTIONS
from sts.meter.lockout import NO_LOCKOUT
from sts.meter.outcomes import Accepted, Authentic, Malformed, Outcome, PartStored, Refused, Valid
from sts.meter.registers import LARGEST_REGISTER, Register
from sts.meter.results import RESULTS, ResultCode
from sts.meter.spec import CreditKind
from sts.tokens import (
    CreditRegister,
    InitiateMeterTest,
    ReadExtended,
    Service,
    Token,
    TransferCredit,
)
from tests.pair import START, VendAndMeter

STA: Final = EncryptionAlgorithm.STA
STA_DRN: Final = "00100001023"

_AUTHENTIC_CLASS_0: Final = 0
_OLD_KEY: Final = {"supply_group_code": SupplyGroupCode(203557)}


def _overflow() -> Outcome:
    pair = VendAndMeter()
    pair.rebuild(credit=Register(LARGEST_REGISTER - 99))
    return pair.credit(1)


def _key_type() -> Outcome:
    pair = VendAndMeter()
    return pair.change_key({"key_type": KeyType.INITIALISATION})[-1]


def _malformed(token_class: int, subclass: int, content: int) -> Outcome:
    pair = VendAndMeter()
    frame = 5 << 40 | pair.tid() << 16
    return pair.enter(pair.digits_of_block(token_class, subclass, frame | content))


def _old() -> Outcome:
    pair = VendAndMeter(tid_of_manufacture=1000)
    return pair.credit(1, tid=999)


def _used() -> Outcome:
    pair = VendAndMeter()
    pair.credit(1, tid=1000)
    return pair.clear_tamper(tid=1000)


def _key_expired() -> Outcome:
    return VendAndMeter(key_expiry_number=0).credit(1)


def _default_key() -> Outcome:
    return VendAndMeter(key_type=KeyType.DEFAULT).credit(1)


def _another_meter() -> Outcome:
    stranger = VendAndMeter("0100200002028")
    stranger.credit(1)
    return VendAndMeter().enter(stranger.digits)


def _another_make() -> Outcome:
    pair = VendAndMeter("0100200002010")
    return pair.proprietary_test(6, 999)


REACHED: Final[dict[ResultCode, Callable[[], Outcome]]] = {
    ResultCode.ACCEPT: lambda: VendAndMeter().credit(1),
    ResultCode.FIRST_KEY_CHANGE_TOKEN: lambda: VendAndMeter().change_key(_OLD_KEY)[0],
    ResultCode.SECOND_KEY_CHANGE_TOKEN: lambda: VendAndMeter().change_key(_OLD_KEY)[1],
    ResultCode.OVERFLOW_ERROR: _overflow,
    ResultCode.KEY_TYPE_ERROR: _key_type,
    ResultCode.FORMAT_ERROR: lambda: VendAndMeter().enter("1234"),
    ResultCode.RANGE_ERROR: lambda: _malformed(2, 1, 8),
    ResultCode.FUNCTION_ERROR: lambda: VendAndMeter().tariff_rate(1),
    ResultCode.OLD_ERROR: _old,
    ResultCode.USED_ERROR: _used,
    ResultCode.KEY_EXPIRED_ERROR: _key_expired,
    ResultCode.DDTK_ERROR: _default_key,
    ResultCode.CRC_ERROR: _another_meter,
    ResultCode.MANUFACTURER_CODE_ERROR: _another_make,
}
"""How each result comes about; lock-out and "not ready" belong to the keypad to come."""
LATER: Final = {ResultCode.TOKEN_LOCKOUT, ResultCode.RESULT_NOT_READY}


@pytest.mark.parametrize("code", list(REACHED), ids=lambda code: code.name)
def test_every_result_comes_about(code: ResultCode) -> None:
    assert REACHED[code]().code is code


def test_no_result_is_left_out() -> None:
    assert set(REACHED) | LATER == set(ResultCode) == set(RESULTS)
    assert sorted(ResultCode) == list(range(1, 17))


def test_every_result_has_words_of_its_own() -> None:
    assert len({words.name for words in RESULTS.values()}) == len(RESULTS)
    assert all(words.household and words.engineer for words in RESULTS.values())


def test_every_token_kind_has_a_row() -> None:
    assert set(FUNCTIONS) | set(ABSENT) == set(get_args(Token))
    assert not set(FUNCTIONS) & set(ABSENT)


# --- format before key, class before crypto ---------------------------------------------------


@pytest.mark.parametrize(
    ("digits", "code"),
    [
        ("", ResultCode.FORMAT_ERROR),
        ("1234567890123456789", ResultCode.FORMAT_ERROR),
        ("123456789012345678901", ResultCode.FORMAT_ERROR),
        ("1234567890123456789x", ResultCode.FORMAT_ERROR),
        ("73786976294838206464", ResultCode.FORMAT_ERROR),
        ("00000000000402653184", ResultCode.FUNCTION_ERROR),
        ("00000000000150997585", ResultCode.CRC_ERROR),
    ],
    ids=["nothing", "19", "21", "letter", "67 bits", "class 3", "class 1 crc"],
)
def test_what_is_no_token_is_refused_before_anything_else(digits: str, code: ResultCode) -> None:
    outcome = VendAndMeter().enter(digits)
    assert isinstance(outcome, Refused)
    assert outcome.code is code
    assert outcome.token is None


def test_separators_between_the_digits_do_not_matter() -> None:
    pair = VendAndMeter()
    assert pair.enter("5649-3153 7254-5031 3471").code is ResultCode.ACCEPT


def test_a_part_for_another_key_length_is_a_function_that_the_meter_lacks() -> None:
    pair = VendAndMeter(STA_DRN, STA)
    assert pair.enter(pair.digits_of_block(2, 9, 1)).code is ResultCode.FUNCTION_ERROR


@pytest.mark.parametrize(("token_class", "subclass"), [(0, 8), (0, 15), (1, 3), (1, 5)])
def test_reserved_subclasses_are_functions_that_the_meter_lacks(
    token_class: int, subclass: int
) -> None:
    outcome = VendAndMeter().reserved(token_class, subclass)
    assert outcome.code is ResultCode.FUNCTION_ERROR


@pytest.mark.parametrize("subclass", [11, 15])
def test_proprietary_management_is_a_function_that_the_meter_lacks(subclass: int) -> None:
    assert VendAndMeter().proprietary_management(subclass).code is ResultCode.FUNCTION_ERROR


# --- authentic, but with content that must not be ---------------------------------------------


@pytest.mark.parametrize(
    ("token_class", "subclass", "content", "code"),
    [
        (2, 5, 1, ResultCode.FORMAT_ERROR),
        (2, 1, 8, ResultCode.RANGE_ERROR),
        (2, 1, 0xFFFE, ResultCode.RANGE_ERROR),
    ],
    ids=["pad not zero", "reserved register", "the last reserved register"],
)
def test_forbidden_content_is_refused_by_its_kind_of_fault(
    token_class: int, subclass: int, content: int, code: ResultCode
) -> None:
    assert _malformed(token_class, subclass, content).code is code


@pytest.mark.parametrize(
    ("subclass", "content"),
    [(3, 0x0 << 36), (3, 0xA << 36), (4, 100 << 32), (4, 255 << 32)],
    ids=["KRN 0", "KRN 10", "TI 100", "TI 255"],
)
def test_key_attributes_out_of_range_are_refused(subclass: int, content: int) -> None:
    pair = VendAndMeter()
    outcome = pair.enter(pair.digits_of_block(2, subclass, content))
    assert outcome.code is ResultCode.RANGE_ERROR
    assert pair.volatile.pending == ()


def test_a_three_token_mark_in_a_128_bit_set_is_a_format_error() -> None:
    pair = VendAndMeter()
    outcome = pair.enter(pair.digits_of_block(2, 3, 1 << 36 | 1 << 34))
    assert outcome.code is ResultCode.FORMAT_ERROR


def test_a_used_identifier_comes_before_forbidden_content() -> None:
    pair = VendAndMeter()
    pair.credit(1, tid=2000)
    content = 5 << 40 | 2000 << 16 | 8
    assert pair.enter(pair.digits_of_block(2, 1, content)).code is ResultCode.USED_ERROR


def test_a_default_key_comes_before_forbidden_content_of_a_credit_token() -> None:
    pair = VendAndMeter(key_type=KeyType.DEFAULT, credit_kind=CreditKind.CURRENCY)
    negative_zero = 8 << 40 | pair.tid() << 16
    assert pair.enter(pair.digits_of_block(0, 4, negative_zero)).code is ResultCode.DDTK_ERROR


def test_a_negative_zero_is_out_of_range() -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY)
    negative_zero = 8 << 40 | pair.tid() << 16
    assert pair.enter(pair.digits_of_block(0, 4, negative_zero)).code is ResultCode.RANGE_ERROR


# --- the manufacturer code of class 1 ---------------------------------------------------------


@pytest.mark.parametrize(
    ("drn", "digits", "code", "expected"),
    [
        ("00100001023", 2, 0, ResultCode.ACCEPT),
        ("00100001023", 2, 7, ResultCode.MANUFACTURER_CODE_ERROR),
        ("12345678903", 2, 12, ResultCode.ACCEPT),
        ("12345678903", 2, 0x12, ResultCode.ACCEPT),
        ("12345678903", 2, 13, ResultCode.MANUFACTURER_CODE_ERROR),
        ("12345678903", 4, 12, ResultCode.ACCEPT),
        ("12345678903", 4, 0x12, ResultCode.ACCEPT),
        ("0100200002010", 4, 100, ResultCode.ACCEPT),
        ("0100200002010", 4, 0x0100, ResultCode.ACCEPT),
        ("0100200002010", 4, 101, ResultCode.MANUFACTURER_CODE_ERROR),
        ("0100200002010", 2, 100, ResultCode.MANUFACTURER_CODE_ERROR),
        ("0100200002010", 2, 0, ResultCode.ACCEPT),
    ],
)
def test_a_meter_answers_to_its_own_make_and_to_the_code_for_all(
    drn: str, digits: int, code: int, expected: ResultCode
) -> None:
    pair = VendAndMeter(drn)
    token = InitiateMeterTest(
        control=1 << 4, manufacturer_code=code, manufacturer_digits=4 if digits == 4 else 2
    )
    assert pair.vend(token).code is expected


def test_a_read_token_of_another_make_is_refused() -> None:
    pair = VendAndMeter()
    outcome = pair.vend(ReadExtended(index=0, manufacturer_code=9))
    assert outcome.code is ResultCode.MANUFACTURER_CODE_ERROR


def test_a_proprietary_test_of_the_own_make_is_a_function_that_the_meter_lacks() -> None:
    assert VendAndMeter().proprietary_test(6, 100).code is ResultCode.FUNCTION_ERROR


# --- token identifiers, expiry, default key ---------------------------------------------------


def test_accepting_a_token_cancels_its_identifier() -> None:
    pair = VendAndMeter()
    assert pair.credit(1).code is ResultCode.ACCEPT
    assert pair.enter(pair.digits).code is ResultCode.USED_ERROR


def test_tokens_may_be_entered_out_of_order_within_the_window() -> None:
    pair = VendAndMeter()
    assert pair.credit(1, tid=5000).code is ResultCode.ACCEPT
    assert pair.credit(1, tid=4000).code is ResultCode.ACCEPT


def test_after_fifty_newer_tokens_an_older_one_is_old() -> None:
    pair = VendAndMeter()
    for tid in range(5000, 5050):
        assert pair.credit(1, tid=tid).code is ResultCode.ACCEPT
    assert pair.credit(1, tid=4999).code is ResultCode.OLD_ERROR
    assert pair.credit(1, tid=5000).code is ResultCode.USED_ERROR


def test_credit_and_management_share_the_store() -> None:
    pair = VendAndMeter()
    pair.power_limit(5000, tid=7000)
    assert pair.credit(1, tid=7000).code is ResultCode.USED_ERROR


def test_the_identifier_of_manufacture_counts_as_used() -> None:
    pair = VendAndMeter(tid_of_manufacture=1000)
    assert pair.credit(1, tid=1000).code is ResultCode.USED_ERROR
    assert pair.credit(1, tid=1001).code is ResultCode.ACCEPT


def test_the_last_minute_of_an_expiry_number_is_still_accepted() -> None:
    pair = VendAndMeter(key_expiry_number=0)
    assert pair.credit(1, tid=0xFFFF).code is ResultCode.ACCEPT
    assert pair.credit(1, tid=0x10000).code is ResultCode.KEY_EXPIRED_ERROR
    assert pair.clear_tamper(tid=0x10000).code is ResultCode.KEY_EXPIRED_ERROR


def test_a_meter_without_expiry_numbers_accepts_after_the_end_of_the_key() -> None:
    pair = VendAndMeter(key_expiry_number=0, supports_key_expiry=False)
    assert pair.credit(1, tid=0x10000).code is ResultCode.ACCEPT


def test_an_initialisation_key_does_not_expire() -> None:
    pair = VendAndMeter(key_type=KeyType.INITIALISATION, key_expiry_number=0)
    assert pair.credit(1, tid=0x10000).code is ResultCode.ACCEPT


def test_a_default_key_takes_management_tokens_but_no_credit() -> None:
    pair = VendAndMeter(key_type=KeyType.DEFAULT)
    assert pair.power_limit(5000).code is ResultCode.ACCEPT
    assert pair.credit(1).code is ResultCode.DDTK_ERROR


def test_old_comes_before_expired_and_expired_before_the_default_key() -> None:
    pair = VendAndMeter(key_type=KeyType.DEFAULT, key_expiry_number=0, tid_of_manufacture=0x20000)
    assert pair.credit(1, tid=0x1FFFF).code is ResultCode.OLD_ERROR
    assert pair.credit(1, tid=0x20001).code is ResultCode.KEY_EXPIRED_ERROR
    pair.rebuild(
        key_register=replace(pair.state.key_register, key_expiry_number=KeyExpiryNumber(255))
    )
    assert pair.credit(1, tid=0x20001).code is ResultCode.DDTK_ERROR


def test_the_default_key_comes_before_a_service_that_the_meter_does_not_have() -> None:
    pair = VendAndMeter(key_type=KeyType.DEFAULT)
    assert pair.credit(1, service=Service.WATER).code is ResultCode.DDTK_ERROR


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", [code for code in REACHED if code.name.endswith("ERROR")], ids=lambda code: code.name
)
def test_an_outcome_that_is_an_error_is_a_refusal(code: ResultCode) -> None:
    outcome = REACHED[code]()
    assert isinstance(outcome, Refused)
    assert outcome.reason


@given(digits=st.text("0123456789", min_size=20, max_size=20))
def test_twenty_refused_digits_change_nothing_but_result_and_lock_out(digits: str) -> None:
    pair = VendAndMeter()
    pair.credit(100)
    before, volatile = pair.state, pair.volatile
    reaction = pair.reaction(digits)
    if isinstance(reaction.outcome, Refused):
        assert reaction.state == replace(
            before, last_result=reaction.outcome.code, lockout=reaction.state.lockout
        )
        assert reaction.volatile == volatile
        assert reaction.events == ()


@given(text=st.text(max_size=30))
def test_anything_that_is_typed_has_an_outcome(text: str) -> None:
    outcome = VendAndMeter().enter(text)
    assert isinstance(outcome, Accepted | PartStored | Refused)


def test_a_credit_that_would_overflow_can_be_entered_again_later() -> None:
    pair = VendAndMeter()
    pair.rebuild(credit=Register(LARGEST_REGISTER - 99))
    store = pair.state.tid_store
    assert pair.credit(1).code is ResultCode.OVERFLOW_ERROR
    assert pair.state.tid_store == store
    pair.rebuild(credit=Register(LARGEST_REGISTER - 100))
    assert pair.enter(pair.digits).code is ResultCode.ACCEPT


def test_a_moment_without_a_zone_is_refused() -> None:
    pair = VendAndMeter()
    with pytest.raises(NaiveDatetimeError):
        apply(
            pair.spec,
            pair.state,
            pair.volatile,
            digits="",
            cipher=pair.meter_cipher,
            now=START.replace(tzinfo=None),
        )


def test_a_moment_before_the_meter_s_own_is_taken_for_its_own() -> None:
    pair = VendAndMeter()
    pair.wait(timedelta(hours=1))
    pair.now = START
    pair.credit(1)
    assert pair.state.advanced_to == START + timedelta(hours=1)


# --- the two halves that vending uses ---------------------------------------------------------


def test_authentication_alone_tells_authentic_from_malformed_and_refused() -> None:
    pair = VendAndMeter()
    pair.credit(1)
    cipher = pair.meter_cipher
    assert isinstance(authenticate(pair.digits, cipher, manufacturer_code="0100"), Authentic)
    digits = pair.digits_of_block(2, 4, 100 << 32)
    malformed = authenticate(digits, cipher, manufacturer_code="0100")
    assert isinstance(malformed, Malformed)
    assert (malformed.tid, malformed.is_credit) == (None, False)
    assert isinstance(authenticate("1", cipher, manufacturer_code="0100"), Refused)


def test_validation_alone_needs_no_key() -> None:
    class Shadow:
        tid_store = (10,) * 50
        key_type = KeyType.UNIQUE
        key_expiry_number = KeyExpiryNumber(255)

    pair = VendAndMeter()
    token = Accepted
    outcome = pair.credit(1, tid=11)
    assert isinstance(outcome, token)
    assert validate(pair.spec, Shadow(), outcome.token) == Valid(token=outcome.token)
    used = replace(outcome.token, tid=10) if isinstance(outcome.token, TransferCredit) else None
    assert used is not None
    refused = validate(pair.spec, Shadow(), used)
    assert isinstance(refused, Refused)
    assert refused.code is ResultCode.USED_ERROR


def test_tests_and_key_changes_have_no_identifier() -> None:
    pair = VendAndMeter()
    assert tid_of(InitiateMeterTest.for_tests([1])) is None
    store = pair.state.tid_store
    pair.test(3)
    pair.change_key(_OLD_KEY)
    assert pair.state.tid_store == store


def test_any_meter_with_credit_in_units_refuses_currency_and_other_services() -> None:
    pair = VendAndMeter()
    assert pair.currency_credit(100_000).code is ResultCode.FUNCTION_ERROR
    for service in (Service.WATER, Service.GAS, Service.TIME):
        pair.rebuild(lockout=NO_LOCKOUT)
        assert pair.credit(1, service=service).code is ResultCode.FUNCTION_ERROR
    pair.rebuild(lockout=NO_LOCKOUT)
    assert pair.clear_credit(CreditRegister.ELECTRICITY).code is ResultCode.ACCEPT
