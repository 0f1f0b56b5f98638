"""Key changes in the meter (IEC 62055-41, 8.9): any order, ten minutes, one switch."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any, Final

import pytest

from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import PERMITTED_KEY_TYPES
from sts.meter.events import EventKind
from sts.meter.outcomes import Accepted, KeyChanged, PartStored, Refused
from sts.meter.registers import Register
from sts.meter.results import ResultCode
from sts.meter.state import UNKNOWN_SUPPLY_GROUP, Volatile
from sts.tokens import Set1stSectionDecoderKey, Set3rdSectionSupplyGroup
from tests.pair import VendAndMeter

STA: Final = EncryptionAlgorithm.STA
STA_DRN: Final = "00100001023"
NEW: Final[dict[str, Any]] = {
    "tariff_index": TariffIndex(2),
    "supply_group_code": SupplyGroupCode(203557),
    "key_revision_number": KeyRevisionNumber(6),
}


def _sta(**built: Any) -> VendAndMeter:
    return VendAndMeter(STA_DRN, STA, **built)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3, 4))))
def test_a_set_of_four_works_in_any_order(order: tuple[int, ...]) -> None:
    pair = VendAndMeter()
    outcomes = pair.change_key(NEW, order=order)
    assert [outcome.code for outcome in outcomes[:3]] == [
        ResultCode.FIRST_KEY_CHANGE_TOKEN if part == 1 else ResultCode.SECOND_KEY_CHANGE_TOKEN
        for part in order[:3]
    ]
    last = outcomes[-1]
    assert isinstance(last, Accepted)
    assert last.effects == (KeyChanged(key_type=KeyType.UNIQUE, rollover=False, **NEW),)
    assert pair.volatile == Volatile()
    assert pair.credit(1).code is ResultCode.ACCEPT


@pytest.mark.parametrize("order", list(permutations((1, 2))))
def test_a_set_of_two_works_in_any_order_and_leaves_the_group_unknown(
    order: tuple[int, ...],
) -> None:
    pair = _sta()
    assert isinstance(pair.change_key(NEW, order=order, set_size=2)[-1], Accepted)
    register = pair.state.key_register
    assert register.supply_group_code == UNKNOWN_SUPPLY_GROUP
    assert register.tariff_index == TariffIndex(2)
    assert register.key_revision_number == KeyRevisionNumber(6)
    assert pair.credit(1).code is ResultCode.ACCEPT


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_a_set_of_three_works_in_any_order_and_brings_the_group(order: tuple[int, ...]) -> None:
    pair = _sta()
    outcomes = pair.change_key(NEW, order=order, set_size=3)
    assert isinstance(outcomes[-1], Accepted)
    assert pair.state.key_register.supply_group_code == SupplyGroupCode(203557)
    assert pair.credit(1).code is ResultCode.ACCEPT


def test_the_answers_name_the_parts_that_are_missing() -> None:
    outcomes = VendAndMeter().change_key(NEW, order=(3, 1, 4, 2))
    missing = [outcome.missing for outcome in outcomes if isinstance(outcome, PartStored)]
    assert missing == [(1, 2, 4), (2, 4), (2,)]


def test_a_64_bit_meter_waits_for_the_third_part_once_the_first_announces_it() -> None:
    outcomes = _sta().change_key(NEW, order=(3, 2, 1), set_size=3)
    missing = [outcome.missing for outcome in outcomes if isinstance(outcome, PartStored)]
    assert missing == [(1, 2), (1,)]


def test_credit_totals_and_limits_stay() -> None:
    pair = VendAndMeter()
    pair.credit(100)
    pair.power_limit(5000)
    store = pair.state.tid_store
    pair.change_key(NEW)
    assert pair.state.credit == Register(10_000)
    assert pair.state.power_limit_w == 5000
    assert pair.state.tid_store == store
    assert pair.events[-1].kind is EventKind.KEY_CHANGED


def test_tokens_made_under_the_old_key_no_longer_work() -> None:
    pair = VendAndMeter()
    token = pair.digits_of_block(0, 0, pair.tid() << 16 | 1)
    pair.change_key(NEW)
    assert pair.enter(token).code is ResultCode.CRC_ERROR


def test_a_set_works_once() -> None:
    pair = VendAndMeter()
    digits = pair.key_change_digits(NEW)
    for part in digits:
        pair.enter(part)
    again = [pair.enter(part).code for part in digits]
    assert again == [*[ResultCode.CRC_ERROR] * 3, ResultCode.TOKEN_LOCKOUT]


def test_other_tokens_in_between_are_taken_under_the_old_key() -> None:
    pair = VendAndMeter()
    digits = pair.key_change_digits(NEW)
    pair.enter(digits[0])
    assert pair.credit(1).code is ResultCode.ACCEPT
    assert pair.enter("1").code is ResultCode.FORMAT_ERROR
    assert [pair.enter(part).code for part in digits[1:]][-1] is ResultCode.ACCEPT


def test_the_same_part_again_is_harmless() -> None:
    pair = VendAndMeter()
    digits = pair.key_change_digits(NEW)
    pair.enter(digits[0])
    assert pair.enter(digits[0]).code is ResultCode.FIRST_KEY_CHANGE_TOKEN
    assert len(pair.volatile.pending) == 1


def test_a_different_part_of_the_same_number_takes_its_place() -> None:
    pair = VendAndMeter()
    wrong = pair.key_change_digits({"key_revision_number": KeyRevisionNumber(9)})
    pair.enter(wrong[0])
    assert isinstance(pair.change_key(NEW)[-1], Accepted)
    assert pair.state.key_register.key_revision_number == KeyRevisionNumber(6)


def test_after_ten_minutes_the_parts_are_still_there() -> None:
    pair = VendAndMeter()
    digits = pair.key_change_digits(NEW)
    outcomes = []
    for part in digits:
        outcomes.append(pair.enter(part))
        pair.wait(timedelta(minutes=10))
    assert isinstance(outcomes[-1], Accepted)


def test_a_moment_later_they_are_forgotten() -> None:
    pair = VendAndMeter()
    digits = pair.key_change_digits(NEW)
    for part in digits[:3]:
        pair.enter(part)
    pair.wait(timedelta(minutes=10, microseconds=1))
    outcome = pair.enter(digits[3])
    assert isinstance(outcome, PartStored)
    assert outcome.missing == (1, 2, 3)


def test_a_power_loss_takes_the_parts_away() -> None:
    pair = VendAndMeter()
    digits = pair.key_change_digits(NEW)
    pair.enter(digits[0])
    pair.volatile = Volatile()
    outcome = pair.enter(digits[1])
    assert isinstance(outcome, PartStored)
    assert outcome.missing == (1, 3, 4)


def test_a_group_part_of_another_set_is_dropped_when_two_are_announced() -> None:
    pair = _sta()
    three = pair.key_change_digits(NEW, set_size=3)
    pair.enter(three[2])
    assert isinstance(pair.change_key(NEW, set_size=2)[-1], Accepted)
    assert pair.state.key_register.supply_group_code == UNKNOWN_SUPPLY_GROUP


@pytest.mark.parametrize("child", list(KeyType))
@pytest.mark.parametrize("parent", [KeyType.INITIALISATION, KeyType.DEFAULT, KeyType.UNIQUE])
def test_only_permitted_changes_of_key_type_are_made(parent: KeyType, child: KeyType) -> None:
    pair = VendAndMeter(key_type=parent)
    # The bytes of a key of types 0 and 3 do not matter: the meter must refuse them all.
    digits = pair.key_change_digits({"key_type": KeyType.UNIQUE, **NEW})
    token = pair.reaction(digits[0]).outcome
    assert isinstance(token, PartStored)
    assert isinstance(token.token, Set1stSectionDecoderKey)
    pair.vend(replace(token.token, key_type=child))
    before = pair.state
    last = [pair.enter(part) for part in digits[1:]][-1]
    if (parent, child) in PERMITTED_KEY_TYPES:
        assert isinstance(last, Accepted)
        assert pair.state.key_type is child
    else:
        assert isinstance(last, Refused)
        assert last.code is ResultCode.KEY_TYPE_ERROR
        assert pair.state.key_register == before.key_register
        assert len(pair.volatile.pending) == 3


def test_halves_that_make_no_group_code_are_out_of_range() -> None:
    pair = VendAndMeter()
    digits = pair.key_change_digits(NEW)
    for part in digits[:3]:
        pair.enter(part)
    fourth = pair.digits_of_block(2, 9, 0xFFF << 32)
    before = pair.volatile
    assert pair.enter(fourth).code is ResultCode.RANGE_ERROR
    assert pair.volatile == before
    assert isinstance(pair.enter(digits[3]), Accepted)


def test_a_group_code_beyond_six_digits_is_out_of_range() -> None:
    pair = _sta()
    assert pair.enter(pair.digits_of_block(2, 8, 1_000_000 << 20)).code is ResultCode.RANGE_ERROR


def test_a_rollover_clears_the_store_so_that_the_new_base_date_works() -> None:
    pair = VendAndMeter()
    pair.credit(100)
    outcomes = pair.change_key({**NEW, "base_date": BaseDate.Y2035}, rollover=True)
    assert isinstance(outcomes[-1], Accepted)
    assert set(pair.state.tid_store) == {0}
    assert pair.state.credit == Register(10_000)
    assert pair.credit(1, tid=0).code is ResultCode.USED_ERROR
    assert pair.credit(1, tid=1).code is ResultCode.ACCEPT


def test_without_a_rollover_the_identifiers_stay() -> None:
    pair = VendAndMeter()
    pair.credit(1, tid=9000)
    pair.change_key(NEW)
    assert pair.credit(1, tid=9000).code is ResultCode.USED_ERROR


@pytest.mark.parametrize("number", [0, 85, 170, 255])
def test_the_expiry_number_comes_with_the_key(number: int) -> None:
    pair = VendAndMeter(key_expiry_number=0)
    assert isinstance(pair.change_key(NEW, key_expiry_number=number)[-1], Accepted)
    assert pair.state.key_expiry_number == KeyExpiryNumber(number)


def test_an_expired_key_can_still_be_left() -> None:
    pair = VendAndMeter(key_expiry_number=0)
    assert pair.credit(1).code is ResultCode.KEY_EXPIRED_ERROR
    pair.change_key(NEW)
    assert pair.credit(1).code is ResultCode.ACCEPT


def test_a_meter_without_expiry_numbers_does_not_keep_one() -> None:
    pair = VendAndMeter(supports_key_expiry=False)
    pair.change_key(NEW, key_expiry_number=0)
    assert pair.state.key_expiry_number == KeyExpiryNumber(255)


def test_a_factory_brings_a_meter_into_service() -> None:
    pair = VendAndMeter(key_type=KeyType.INITIALISATION)
    assert isinstance(pair.change_key({"key_type": KeyType.DEFAULT})[-1], Accepted)
    assert pair.credit(1).code is ResultCode.DDTK_ERROR
    assert isinstance(pair.change_key({"key_type": KeyType.UNIQUE})[-1], Accepted)
    assert pair.credit(1).code is ResultCode.ACCEPT


def test_a_decoder_that_does_not_know_three_parts_refuses_first_and_third() -> None:
    pair = _sta(supports_three_token_set=False)
    outcomes = pair.change_key(NEW, set_size=3)
    assert [outcome.code for outcome in outcomes] == [
        ResultCode.FUNCTION_ERROR,
        ResultCode.SECOND_KEY_CHANGE_TOKEN,
        ResultCode.FUNCTION_ERROR,
    ]
    # The second part is the same in both sets, and still waits.
    assert pair.change_key(NEW, set_size=2, order=(1,))[-1].code is ResultCode.ACCEPT


def test_what_is_pending_never_shows_a_part_of_the_key() -> None:
    pair = _sta()
    for part in pair.key_change_digits(NEW, set_size=3)[1:]:
        pair.enter(part)
    shown = repr(pair.volatile) + repr(pair.state)
    second = next(p for p in pair.volatile.pending if not isinstance(p, Set3rdSectionSupplyGroup))
    assert str(getattr(second, "new_key_low", None)) not in shown
    assert pair.state.key_register.decoder_key.expose().hex() not in shown.lower()


@pytest.mark.parametrize(
    ("before", "rollover", "after"),
    [
        (BaseDate.Y1993, True, BaseDate.Y2014),
        (BaseDate.Y2014, True, BaseDate.Y2035),
        (BaseDate.Y2035, True, None),
        (None, True, None),
        (BaseDate.Y2014, False, BaseDate.Y2014),
        (None, False, None),
    ],
)
def test_a_rollover_set_leads_to_the_next_base_date(
    before: BaseDate | None, after: BaseDate | None, *, rollover: bool
) -> None:
    pair = VendAndMeter()
    pair.rebuild(key_register=replace(pair.state.key_register, base_date=before))
    pair.change_key({}, rollover=rollover)
    assert pair.state.key_register.base_date is after
