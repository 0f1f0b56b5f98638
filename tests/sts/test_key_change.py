"""Key change sets: published contents, joining in any order, and what may not be issued."""

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from sts.ciphers import Misty1, Sta
from sts.ciphers.sta_tables import SAMPLE_TABLES
from sts.codec import decode, encode
from sts.derivation import KeyAttributes
from sts.errors import (
    KeyChangeAlgorithmError,
    KeyChangeConflictError,
    KeyChangeError,
    KeyChangeIncompleteError,
    KeyChangeRolloverError,
    KeyChangeSameError,
    KeyChangeSetSizeError,
    KeyChangeToExpiredKeyError,
    KeyChangeTypeError,
    OutOfRangeError,
)
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import (
    KeyChange,
    KeyState,
    SetSize,
    build,
    check,
    join,
    missing_parts,
    part_number,
)
from sts.key_material import DecoderKey
from sts.tokens import KeyChangeToken, Set4thSectionDecoderKey
from tests.strategies import KeyBits, ciphers, key_changes, shown_in, telling_bytes
from tests.sts.reference import content_of

OLD_KEY = Misty1(DecoderKey.from_hex("929BD3A415C9420A05EC5EE9F3CE91C3"))
OLD_SHORT_KEY = Sta(DecoderKey.from_hex("E653341F9D5BF36F"), SAMPLE_TABLES)

# Only the tariff index changes: STS 531-1-11 Edition 2.2, CTSA05 step 1.
TARIFF_CHANGE = KeyChange(
    new_key=DecoderKey.from_hex("B199270A 77AF96D3 156C51B0 964A8782"),
    key_expiry_number=KeyExpiryNumber(255),
    key_revision_number=KeyRevisionNumber(1),
    key_type=KeyType.UNIQUE,
    tariff_index=TariffIndex(2),
    rollover=False,
    supply_group_code=SupplyGroupCode(201457),
)
# Another supply group, revision and base date: step 2.
ROLLOVER = KeyChange(
    new_key=DecoderKey.from_hex("39FA45A353CB729549DC515A68A25C98"),
    key_expiry_number=KeyExpiryNumber(255),
    key_revision_number=KeyRevisionNumber(6),
    key_type=KeyType.UNIQUE,
    tariff_index=TariffIndex(2),
    rollover=True,
    supply_group_code=SupplyGroupCode(203557),
)
# The three-token example: its third part is all published, of its first part the upper half key.
THREE_TOKENS = KeyChange(
    new_key=DecoderKey.from_hex("7F78CDD2 00112233"),
    key_expiry_number=KeyExpiryNumber(255),
    key_revision_number=KeyRevisionNumber(1),
    key_type=KeyType.UNIQUE,
    tariff_index=TariffIndex(99),
    rollover=False,
    supply_group_code=SupplyGroupCode(201457),
)


@pytest.mark.parametrize(
    ("change", "contents", "digits"),
    [
        (
            TARIFF_CHANGE,
            ["F12B199270A", "F02964A8782", "2F177AF96D3", "031156C51B0"],
            [
                "03854447086453451911",
                "02791799436242461152",
                "67118070329353977190",
                "19019128690902932218",
            ],
        ),
        (
            ROLLOVER,
            ["F6A39FA45A3", "F0268A25C98", "B2553CB7295", "03149DC515A"],
            [
                "39536809214641544852",
                "23263472884016433225",
                "45268691985939334940",
                "65389277406881242890",
            ],
        ),
    ],
    ids=["tariff index", "rollover"],
)
def test_the_published_sets_of_four_come_out(
    change: KeyChange, contents: list[str], digits: list[str]
) -> None:
    tokens = build(change)
    made = [encode(token, OLD_KEY) for token in tokens]
    assert made == digits
    assert [content_of(token, OLD_KEY) for token in made] == contents


def test_the_published_set_of_three_comes_out() -> None:
    made = [encode(token, OLD_SHORT_KEY) for token in build(THREE_TOKENS, set_size=3)]
    contents = [content_of(token, OLD_SHORT_KEY) for token in made]
    # The tariff index is two decimal digits in the key's control block, but binary here.
    assert contents == ["F167F78CDD2", "F6300112233", "0312F100000"]


def test_a_set_of_two_does_not_announce_a_third_and_carries_no_group() -> None:
    made = [encode(token, OLD_SHORT_KEY) for token in build(THREE_TOKENS)]
    contents = [content_of(token, OLD_SHORT_KEY) for token in made]
    assert contents == ["F127F78CDD2", "F6300112233"]


# --- building and joining ---------------------------------------------------------------------

SIZES: list[tuple[KeyBits, SetSize]] = [(64, 2), (64, 3), (128, 4)]

every_size = pytest.mark.parametrize(("key_bits", "size"), SIZES)


def carried(change: KeyChange, size: SetSize) -> KeyChange:
    """Return the change as the meter learns it: a set of two has no supply group code."""
    return replace(change, supply_group_code=None) if size == 2 else change


@every_size
@given(data=st.data())
def test_joining_undoes_building_in_any_order_and_with_any_part_twice(
    key_bits: KeyBits, size: SetSize, data: DataObject
) -> None:
    change = data.draw(key_changes(key_bits))
    parts = build(change, set_size=size)
    again = data.draw(st.lists(st.sampled_from(parts), max_size=4))
    entered = data.draw(st.permutations([*parts, *again]))
    assert join(entered, key_bits=key_bits) == carried(change, size)


@every_size
@given(data=st.data())
def test_a_meter_reads_the_set_that_was_built(
    key_bits: KeyBits, size: SetSize, data: DataObject
) -> None:
    """The whole way: parts, digits under the old key, parts, the new key."""
    change = data.draw(key_changes(key_bits))
    cipher = data.draw(ciphers[key_bits])
    digits = [encode(token, cipher) for token in build(change, set_size=size)]
    parts: list[Any] = [decode(text, cipher) for text in digits]
    assert join(reversed(parts), key_bits=key_bits) == carried(change, size)


@every_size
@given(data=st.data())
def test_parts_are_numbered_in_the_order_of_building(
    key_bits: KeyBits, size: SetSize, data: DataObject
) -> None:
    parts = build(data.draw(key_changes(key_bits)), set_size=size)
    assert [part_number(part) for part in parts] == list(range(1, size + 1))


def test_a_set_has_the_size_of_the_key_unless_told_otherwise() -> None:
    assert len(build(THREE_TOKENS)) == 2
    assert len(build(TARIFF_CHANGE)) == 4


@pytest.mark.parametrize(
    ("change", "size", "message"),
    [
        (THREE_TOKENS, 4, "a 64-bit key is split over 2 or 3 tokens, found 4"),
        (TARIFF_CHANGE, 2, "a 128-bit key is split over 4 tokens, found 2"),
        (TARIFF_CHANGE, 3, "a 128-bit key is split over 4 tokens, found 3"),
    ],
)
def test_a_key_is_not_split_over_another_number_of_tokens(
    change: KeyChange, size: SetSize, message: str
) -> None:
    with pytest.raises(KeyChangeSetSizeError) as caught:
        build(change, set_size=size)
    assert str(caught.value) == message


@pytest.mark.parametrize(("change", "size"), [(THREE_TOKENS, 3), (TARIFF_CHANGE, 4)])
def test_a_set_that_carries_a_group_needs_one(change: KeyChange, size: SetSize) -> None:
    without = replace(change, supply_group_code=None)
    with pytest.raises(KeyChangeConflictError, match=f"a set of {size} tokens carries"):
        build(without, set_size=size)


FOUR = build(TARIFF_CHANGE)
THREE = build(THREE_TOKENS, set_size=3)
TWO = build(THREE_TOKENS)


@pytest.mark.parametrize(
    ("entered", "key_bits", "missing"),
    [
        ((), 64, (1, 2)),
        ((TWO[0],), 64, (2,)),
        ((TWO[1],), 64, (1,)),
        ((THREE[0],), 64, (2, 3)),
        ((THREE[0], THREE[1]), 64, (3,)),
        # Until the first part announces it, nobody knows of a third one.
        ((THREE[1],), 64, (1,)),
        ((THREE[1], THREE[2]), 64, (1,)),
        ((THREE[2],), 64, (1, 2)),
        ((), 128, (1, 2, 3, 4)),
        ((FOUR[0],), 128, (2, 3, 4)),
        ((FOUR[3], FOUR[1]), 128, (1, 3)),
        ((FOUR[2], FOUR[2]), 128, (1, 2, 4)),
        ((FOUR[0], FOUR[2], FOUR[3]), 128, (2,)),
        # A mark that a long key does not have; the layouts refuse it, the joining too.
        ((THREE[0], FOUR[1], FOUR[2]), 128, (4,)),
    ],
)
def test_the_missing_parts_are_numbered(
    entered: tuple[KeyChangeToken, ...], key_bits: int, missing: tuple[int, ...]
) -> None:
    assert missing_parts(entered, key_bits=key_bits) == missing
    for order in permutations(entered):
        with pytest.raises(KeyChangeIncompleteError) as caught:
            join(order, key_bits=key_bits)
        assert caught.value.missing == missing
        numbers = ", ".join(map(str, missing))
        assert str(caught.value) == f"missing part {numbers} of the set"


@every_size
@given(data=st.data())
def test_nothing_is_missing_from_a_whole_set(
    key_bits: KeyBits, size: SetSize, data: DataObject
) -> None:
    parts = build(data.draw(key_changes(key_bits)), set_size=size)
    assert missing_parts(parts, key_bits=key_bits) == ()


@pytest.mark.parametrize(
    ("entered", "key_bits", "message"),
    [
        ((*FOUR, build(ROLLOVER)[2]), 128, "two different parts 3: they belong to different sets"),
        ((THREE[0], TWO[0], TWO[1]), 64, "two different parts 1: they belong to different sets"),
        ((*FOUR[:2], THREE[2]), 128, "part 3 does not belong to a 128-bit key"),
        ((*THREE[:2], FOUR[2]), 64, "part 3 does not belong to a 64-bit key"),
        ((*TWO, FOUR[3]), 64, "part 4 does not belong to a 64-bit key"),
        ((*TWO, THREE[2]), 64, "part 3 was given, but part 1 announces a set of two"),
    ],
)
def test_parts_of_different_sets_do_not_join(
    entered: tuple[KeyChangeToken, ...], key_bits: int, message: str
) -> None:
    for order in permutations(entered):
        with pytest.raises(KeyChangeConflictError) as caught:
            join(order, key_bits=key_bits)
        assert str(caught.value) == message


def test_two_halves_may_not_make_a_group_that_does_not_exist() -> None:
    """Each half fits its 12 bits; together they are above 999999."""
    fourth = Set4thSectionDecoderKey(supply_group_high=0xFFF, new_key_middle_1=0)
    with pytest.raises(OutOfRangeError) as caught:
        join((*FOUR[:3], fourth), key_bits=128)
    assert caught.value.found == 0xFFF2F1


@given(telling_bytes(8), telling_bytes(16))
def test_neither_a_change_nor_its_parts_show_the_key(short: bytes, long: bytes) -> None:
    for change, key in (
        (replace(THREE_TOKENS, new_key=DecoderKey(short)), short),
        (replace(TARIFF_CHANGE, new_key=DecoderKey(long)), long),
    ):
        assert not shown_in(key, repr(change))
        assert not shown_in(key, repr(build(change)))


# --- what may be issued -----------------------------------------------------------------------

DKGA02 = KeyGenerationAlgorithm.DKGA02
DKGA03 = KeyGenerationAlgorithm.DKGA03
DKGA04 = KeyGenerationAlgorithm.DKGA04

PRESENT = KeyState(
    attributes=KeyAttributes(
        meter_pan=MeterPan("600727000000000009"),
        supply_group_code=SupplyGroupCode(201457),
        tariff_index=TariffIndex(1),
        key_revision_number=KeyRevisionNumber(1),
        key_type=KeyType.UNIQUE,
        base_date=BaseDate.Y2014,
        encryption_algorithm=EncryptionAlgorithm.STA,
    ),
    algorithm=DKGA04,
)
TODAY = 0x604E60


def changed(state: KeyState, **attributes: Any) -> KeyState:
    return replace(state, attributes=replace(state.attributes, **attributes))


NEW_TARIFF = changed(PRESENT, tariff_index=TariffIndex(2))

# The issuing rules of IEC 62055-41, 6.5.2.4, as far as a meter with a keypad goes: types 0 and 3
# never come into being by a key change.
PERMITTED = {(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)}


@pytest.mark.parametrize(("old", "new"), list(product(KeyType, KeyType)))
def test_a_key_type_changes_as_the_standard_permits(old: KeyType, new: KeyType) -> None:
    present, goal = changed(PRESENT, key_type=old), changed(NEW_TARIFF, key_type=new)
    if (int(old), int(new)) in PERMITTED:
        check(present, goal, rollover=False, tid_now=TODAY)
    else:
        with pytest.raises(KeyChangeTypeError) as caught:
            check(present, goal, rollover=False, tid_now=TODAY)
        assert str(caught.value) == f"key type {int(old)} may not become {int(new)}"


@pytest.mark.parametrize(
    "new",
    [
        NEW_TARIFF,
        changed(PRESENT, supply_group_code=SupplyGroupCode(203557)),
        changed(PRESENT, key_revision_number=KeyRevisionNumber(2)),
        # A meter learns another expiry number in no other way.
        replace(PRESENT, key_expiry_number=KeyExpiryNumber(170)),
    ],
    ids=["TI", "SGC", "KRN", "KEN"],
)
def test_each_reason_for_a_key_change_is_good(new: KeyState) -> None:
    check(PRESENT, new, rollover=False, tid_now=TODAY)


def test_a_key_is_not_changed_into_itself() -> None:
    """Such a set would work for ever, because it would still open under the new key."""
    with pytest.raises(KeyChangeSameError):
        check(PRESENT, PRESENT, rollover=False, tid_now=TODAY)


@pytest.mark.parametrize(("old", "new"), list(product(BaseDate, BaseDate)))
def test_the_rollover_bit_is_set_exactly_when_the_base_date_changes(
    old: BaseDate, new: BaseDate
) -> None:
    present, goal = changed(PRESENT, base_date=old), changed(NEW_TARIFF, base_date=new)
    check(present, goal, rollover=old is not new, tid_now=TODAY)
    said = "stays, so the rollover bit must not" if old is new else "changes, so the rollover bit"
    with pytest.raises(KeyChangeRolloverError, match=said):
        check(present, goal, rollover=old is new, tid_now=TODAY)


def test_a_key_that_has_expired_is_no_goal_but_a_place_to_leave() -> None:
    """CTSA16: from a key with expiry number 85 to one with 255, never the other way."""
    expired = replace(PRESENT, key_expiry_number=KeyExpiryNumber(85))
    check(expired, NEW_TARIFF, rollover=False, tid_now=TODAY)
    goal = replace(NEW_TARIFF, key_expiry_number=KeyExpiryNumber(85))
    check(PRESENT, goal, rollover=False, tid_now=0x55FFFF)
    with pytest.raises(KeyChangeToExpiredKeyError, match="expired with key expiry number 85"):
        check(PRESENT, goal, rollover=False, tid_now=0x560000)


ALGORITHMS = [None, DKGA02, DKGA03, DKGA04]


@pytest.mark.parametrize(("old", "new"), list(product(ALGORITHMS, ALGORITHMS[1:])))
def test_the_derivation_stays_or_is_brought_up_to_date(
    old: KeyGenerationAlgorithm | None, new: KeyGenerationAlgorithm
) -> None:
    """A manufacturer's key (None) was derived by nobody, so anything may follow it."""
    present, goal = replace(PRESENT, algorithm=old), replace(NEW_TARIFF, algorithm=new)
    if old in (None, new) or (old, new) == (DKGA02, DKGA04):
        check(present, goal, rollover=False, tid_now=TODAY)
    else:
        with pytest.raises(KeyChangeAlgorithmError) as caught:
            check(present, goal, rollover=False, tid_now=TODAY)
        assert str(caught.value) == f"no change from DKGA{old} to DKGA{new}"


def test_a_supply_group_may_keep_its_derivation() -> None:
    present = replace(PRESENT, algorithm=DKGA02)
    with pytest.raises(KeyChangeAlgorithmError, match="does not allow a change from DKGA02"):
        check(present, NEW_TARIFF, rollover=False, tid_now=TODAY, allow_dkga_change=False)
    same = replace(NEW_TARIFF, algorithm=DKGA02)
    check(present, same, rollover=False, tid_now=TODAY, allow_dkga_change=False)


@pytest.mark.parametrize(
    ("new", "error", "message"),
    [
        (
            changed(NEW_TARIFF, meter_pan=MeterPan("000001000000000082")),
            KeyChangeConflictError,
            "the two keys belong to different meters",
        ),
        (
            changed(NEW_TARIFF, encryption_algorithm=EncryptionAlgorithm.MISTY1),
            KeyChangeAlgorithmError,
            "the cipher is built into the meter, a key change cannot replace it",
        ),
    ],
    ids=["meter", "cipher"],
)
def test_a_key_change_stays_in_its_meter(
    new: KeyState, error: type[KeyChangeError], message: str
) -> None:
    with pytest.raises(error) as caught:
        check(PRESENT, new, rollover=False, tid_now=TODAY)
    assert str(caught.value) == message


# Each change has all the faults from its own on, so the order of the checks decides.
EXPIRED = replace(NEW_TARIFF, key_expiry_number=KeyExpiryNumber(0))
PRECEDENCE: list[tuple[KeyState, type[KeyChangeError]]] = [
    (changed(replace(EXPIRED, algorithm=DKGA02), key_type=KeyType.COMMON), KeyChangeTypeError),
    (replace(EXPIRED, algorithm=DKGA02), KeyChangeAlgorithmError),
    (PRESENT, KeyChangeSameError),
    (EXPIRED, KeyChangeRolloverError),
]


@pytest.mark.parametrize(("new", "error"), PRECEDENCE)
def test_the_first_fault_in_the_order_of_the_checks_is_the_one_told(
    new: KeyState, error: type[KeyChangeError]
) -> None:
    with pytest.raises(error):
        check(PRESENT, new, rollover=True, tid_now=TODAY)


@pytest.mark.parametrize("algorithm", [DKGA02, DKGA03])
def test_a_rollover_needs_another_key(algorithm: KeyGenerationAlgorithm) -> None:
    """The base date does not enter these keys: the same key would take all old tokens again."""
    present = changed(replace(PRESENT, algorithm=algorithm), base_date=BaseDate.Y1993)
    goal = changed(present, base_date=BaseDate.Y2014)
    with pytest.raises(KeyChangeRolloverError, match="base date alone does not change a key"):
        check(present, goal, rollover=True, tid_now=TODAY)
    revised = changed(goal, key_revision_number=KeyRevisionNumber(2))
    check(present, revised, rollover=True, tid_now=TODAY)


def test_only_sta_meters_come_up_to_date() -> None:
    old = changed(replace(PRESENT, algorithm=DKGA02), encryption_algorithm=EncryptionAlgorithm.DEA)
    new = replace(changed(old, tariff_index=TariffIndex(2)), algorithm=DKGA04)
    with pytest.raises(KeyChangeAlgorithmError, match="no change from DKGA02 to DKGA04"):
        check(old, new, rollover=False, tid_now=TODAY)
