"""Key change sets of columns of meters are built, joined and refused as in the scalar core."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sts
from sts import batch
from sts.batch import NO_ALGORITHM, NOT_SENT, Status
from sts.errors import (
    ArrayShapeError,
    ArrayTypeError,
    KeyChangeConflictError,
    KeyChangeSetSizeError,
    KeyLengthError,
)
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyType,
)
from sts.key_change import KeyState, SetSize
from sts.tokens import KEY_CHANGE_TOKEN_TYPES
from tests.strategies import (
    KeyBits,
    bits,
    decoder_keys,
    issuable_tokens,
    key_attributes,
    key_changes,
)
from tests.sts.batch.rows import (
    CHUNK_EDGES,
    RAGGED,
    codes_of,
    column,
    keys_of,
    outcome,
    random_keys,
    scalar_cipher,
)
from tests.sts.batch.test_vectors import changes_of

STA, _, MISTY1 = EncryptionAlgorithm
SETS: Final[list[tuple[EncryptionAlgorithm, KeyBits, SetSize]]] = [
    (STA, 64, 2),
    (STA, 64, 3),
    (MISTY1, 128, 4),
]
EVERY_SET: Final = pytest.mark.parametrize(("algorithm", "key_bits", "set_size"), SETS)


@EVERY_SET
@settings(max_examples=15)
@given(data=st.data())
def test_sets_are_built_and_joined_as_in_the_scalar_core(
    algorithm: EncryptionAlgorithm, key_bits: KeyBits, set_size: SetSize, data: st.DataObject
) -> None:
    row = st.tuples(key_changes(key_bits), decoder_keys(key_bits))
    rows = data.draw(st.lists(row, min_size=1, max_size=10))
    changes = [change for change, _ in rows]
    cipher = batch.new_cipher(algorithm, keys_of(key for _, key in rows))
    made = batch.encode_key_changes(changes_of(changes), cipher, set_size=set_size)
    assert not made.status.any()
    for number, change in enumerate(changes):
        parts = sts.build_key_change(change, set_size=set_size)
        scalar = scalar_cipher(cipher, number)
        assert [digits.decode() for digits in made.digits[number]] == [
            sts.encode(part, scalar) for part in parts
        ]
    order = data.draw(st.permutations(range(set_size)))
    joined = batch.decode_key_changes(made.digits[:, order], cipher)
    assert_says(joined, [replace_group(change, set_size) for change in changes])


def replace_group(change: sts.KeyChange, set_size: SetSize) -> sts.KeyChange:
    return replace(change, supply_group_code=None) if set_size == 2 else change


def assert_says(joined: batch.KeyChanges, changes: list[sts.KeyChange]) -> None:
    wanted = changes_of(changes)
    assert not joined.new_keys.status.any()
    assert np.array_equal(joined.new_keys.expose(), wanted.new_keys.expose())
    for name in ("key_expiry_numbers", "key_revision_numbers", "key_types", "tariff_indexes"):
        assert np.array_equal(getattr(joined, name), getattr(wanted, name)), name
    assert np.array_equal(np.asarray(joined.rollover), np.asarray(wanted.rollover))
    groups = [
        NOT_SENT if change.supply_group_code is None else int(change.supply_group_code)
        for change in changes
    ]
    assert np.asarray(joined.supply_group_codes).tolist() == groups


@EVERY_SET
@settings(max_examples=25)
@given(data=st.data())
def test_any_heap_of_tokens_is_joined_or_refused_as_in_the_scalar_core(
    algorithm: EncryptionAlgorithm, key_bits: KeyBits, set_size: SetSize, data: st.DataObject
) -> None:
    """Parts of two sets, twice the same, too few, and other tokens among them."""
    changes = [data.draw(key_changes(key_bits)) for _ in range(2)]
    pool = [
        part
        for change in changes
        for size in {set_size, *((2, 3) if key_bits == 64 else ())}
        for part in sts.build_key_change(change, set_size=size)
    ]
    tokens = data.draw(st.lists(st.sampled_from(pool), max_size=6))
    key = data.draw(decoder_keys(key_bits))
    scalar = sts.new_cipher(algorithm, key)
    digits = np.zeros((2, 7), "S20")
    digits[0, : len(tokens)] = [sts.encode(token, scalar).encode() for token in tokens]
    cipher = batch.new_cipher(algorithm, keys_of([key, key]))
    joined = batch.decode_key_changes(digits, cipher)
    change, code = outcome(sts.join_key_change, tokens, key_bits=key_bits)
    # The scalar core looks for tokens of two sets before it looks for missing ones, as here.
    assert codes_of(joined.new_keys.status) == [code, "KEY_CHANGE_INCOMPLETE"]
    if isinstance(change, sts.KeyChange):
        assert joined.new_keys.expose()[0].tobytes() == change.new_key.expose()
    else:
        assert not joined.new_keys.expose().any()
        assert np.asarray(joined.supply_group_codes).tolist() == [NOT_SENT] * 2


@given(issuable_tokens(128), decoder_keys(128))
def test_a_token_that_is_no_part_of_a_set_is_a_conflict(
    token: sts.Token, key: sts.DecoderKey
) -> None:
    cipher = batch.new_cipher(MISTY1, keys_of([key]))
    digits = column(sts.encode(token, sts.new_cipher(MISTY1, key))).reshape(1, 1)
    is_part = isinstance(token, KEY_CHANGE_TOKEN_TYPES)
    wanted = "KEY_CHANGE_INCOMPLETE" if is_part else "KEY_CHANGE_CONFLICT"
    assert codes_of(batch.decode_key_changes(digits, cipher).new_keys.status) == [wanted]


def test_digits_that_are_no_token_say_why() -> None:
    cipher = batch.new_cipher(MISTY1, random_keys(2, 128))
    digits = np.array([[b"1" * 19, b""], [b"1" * 20, b"9" * 20]])
    joined = batch.decode_key_changes(digits, cipher)
    assert codes_of(joined.new_keys.status) == ["NOT_TWENTY_DIGITS", "CRC_MISMATCH"]


def test_a_supply_group_code_above_999999_is_marked() -> None:
    """Both halves are authentic, but make no code together."""
    cipher = batch.new_cipher(MISTY1, random_keys(1, 128))
    parts = list(batch.key_change_contents(small_change(1, 128)))
    parts[3] = batch.pack(
        2, 9, {"supply_group_high": 0xFFF, "new_key_middle_1": np.array([1])}, key_bits=128
    )
    digits = np.stack([batch.encode(part, cipher).digits for part in parts], axis=1)
    joined = batch.decode_key_changes(digits, cipher)
    assert codes_of(joined.new_keys.status) == ["OUT_OF_RANGE"]


def small_change(rows: int, key_bits: int, **changes: Any) -> batch.KeyChanges:
    made = batch.KeyChanges(
        new_keys=random_keys(rows, key_bits, seed=9),
        key_expiry_numbers=255,
        key_revision_numbers=1,
        key_types=2,
        tariff_indexes=1,
        rollover=False,
        supply_group_codes=201457,
    )
    return replace(made, **changes)


@EVERY_SET
@pytest.mark.parametrize("rows", [*RAGGED, *CHUNK_EDGES[1:]])
def test_any_number_of_rows_will_do(
    algorithm: EncryptionAlgorithm, key_bits: KeyBits, set_size: SetSize, rows: int
) -> None:
    cipher = batch.new_cipher(algorithm, random_keys(rows, key_bits))
    changes = small_change(rows, key_bits)
    made = batch.encode_key_changes(changes, cipher, set_size=set_size)
    assert made.digits.shape == (rows, set_size)
    joined = batch.decode_key_changes(made.digits, cipher)
    assert not joined.new_keys.status.any()
    assert np.array_equal(joined.new_keys.expose(), changes.new_keys.expose())


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("key_expiry_numbers", 0, 255),
        ("key_revision_numbers", 1, 9),
        ("key_types", 0, 3),
        ("tariff_indexes", 0, 99),
        ("supply_group_codes", 0, 999_999),
    ],
)
def test_a_number_out_of_range_blanks_the_whole_set(name: str, low: int, high: int) -> None:
    numbers = np.array([low - 1, low, high, high + 1])
    cipher = batch.new_cipher(STA, random_keys(4, 64))
    made = batch.encode_key_changes(small_change(4, 64, **{name: numbers}), cipher, set_size=3)
    assert codes_of(made.status) == ["OUT_OF_RANGE", "OK", "OK", "OUT_OF_RANGE"]
    assert (made.digits != b"").tolist() == [[right] * 3 for right in (False, True, True, False)]


def test_a_set_without_one_of_its_keys_is_blank() -> None:
    present, new = random_keys(3, 64), random_keys(3, 64, seed=2)
    present = batch.DecoderKeys(present.expose(), np.array([0, 3, 0], np.uint8))
    new = batch.DecoderKeys(new.expose(), np.array([0, 0, 4], np.uint8))
    made = batch.encode_key_changes(
        small_change(3, 64, new_keys=new), batch.new_cipher(STA, present)
    )
    assert codes_of(made.status) == ["OK", "WRONG_CHECK_DIGIT", "OUT_OF_RANGE"]
    assert (made.digits == b"").all(axis=1).tolist() == [False, True, True]


def test_a_set_that_may_not_be_issued_is_blank() -> None:
    refused = np.array([Status.OK, Status.KEY_CHANGE_SAME], np.uint8)
    cipher = batch.new_cipher(MISTY1, random_keys(2, 128))
    made = batch.encode_key_changes(small_change(2, 128), cipher, status=refused)
    assert made.status.tolist() == refused.tolist()
    assert (made.digits == b"").all(axis=1).tolist() == [False, True]


# --- refusals of a whole call -------------------------------------------------------------------


@pytest.mark.parametrize(("key_bits", "set_size"), [(64, 4), (128, 2), (128, 3)])
def test_a_size_belongs_to_a_length_of_key(key_bits: int, set_size: SetSize) -> None:
    with pytest.raises(KeyChangeSetSizeError):
        batch.key_change_contents(small_change(1, key_bits), set_size=set_size)


@pytest.mark.parametrize(("key_bits", "set_size"), [(64, 3), (128, 4)])
def test_large_sets_carry_a_supply_group_code(key_bits: int, set_size: SetSize) -> None:
    changes = small_change(1, key_bits, supply_group_codes=None)
    with pytest.raises(KeyChangeConflictError):
        batch.key_change_contents(changes, set_size=set_size)
    if key_bits == 64:
        assert len(batch.key_change_contents(changes)) == 2


def test_a_new_key_is_as_long_as_the_present_one() -> None:
    with pytest.raises(KeyLengthError):
        batch.encode_key_changes(small_change(1, 64), batch.new_cipher(MISTY1, random_keys(1, 128)))


@pytest.mark.parametrize(
    ("rollover", "error"),
    [(1, ArrayTypeError), (np.array([1]), ArrayTypeError), (np.array([True] * 2), ArrayShapeError)],
)
def test_a_rollover_is_a_flag(rollover: object, error: type[sts.StsError]) -> None:
    with pytest.raises(error):
        batch.key_change_contents(small_change(1, 64, rollover=rollover))


def test_the_tokens_of_sets_are_a_matrix_of_20_bytes() -> None:
    cipher = batch.new_cipher(STA, random_keys(1, 64))
    with pytest.raises(ArrayShapeError):
        batch.decode_key_changes(column("1" * 20), cipher)
    with pytest.raises(ArrayTypeError):
        batch.decode_key_changes(np.array([["1" * 20]]), cipher)


# --- which may not be issued --------------------------------------------------------------------

_algorithms: Final = st.sampled_from(
    (None, *(KeyGenerationAlgorithm(code) for code in ("02", "03", "04")))
)


@st.composite
def _pairs_of_states(draw: st.DrawFn) -> tuple[KeyState, KeyState]:
    """Draw two keys that often differ in little, as the two of a key change do."""
    present = KeyState(
        attributes=draw(key_attributes(STA)),
        algorithm=draw(_algorithms),
        key_expiry_number=KeyExpiryNumber(draw(bits(8))),
    )
    other = draw(key_attributes(STA))
    names = draw(st.sets(st.sampled_from(sorted(_ATTRIBUTES)), max_size=3))
    attributes = replace(
        present.attributes, **{name: getattr(other, name) for name in names - {"key_type"}}
    )
    if "key_type" in names:
        attributes = replace(attributes, key_type=draw(st.sampled_from(KeyType)))
    return present, KeyState(
        attributes=attributes,
        algorithm=draw(st.one_of(st.just(present.algorithm), _algorithms)),
        key_expiry_number=draw(
            st.sampled_from((present.key_expiry_number, KeyExpiryNumber(draw(bits(8)))))
        ),
    )


_ATTRIBUTES: Final = frozenset(
    {
        "meter_pan",
        "supply_group_code",
        "tariff_index",
        "key_revision_number",
        "key_type",
        "base_date",
    }
)


def columns_of(states: list[KeyState]) -> batch.KeyStateColumns:
    attributes = [state.attributes for state in states]
    return batch.KeyStateColumns(
        meter_pans=batch.parse_meter_numbers(
            column(*[str(each.meter_pan) for each in attributes], width=18)
        ),
        supply_group_codes=np.array([int(each.supply_group_code) for each in attributes]),
        tariff_indexes=np.array([int(each.tariff_index) for each in attributes]),
        key_revision_numbers=np.array([int(each.key_revision_number) for each in attributes]),
        key_types=np.array([int(each.key_type) for each in attributes]),
        base_dates=np.array([int(each.base_date.value) for each in attributes]),
        generation_algorithms=np.array(
            [
                NO_ALGORITHM if state.algorithm is None else int(state.algorithm.value)
                for state in states
            ]
        ),
        key_expiry_numbers=np.array([int(state.key_expiry_number) for state in states]),
        encryption_algorithm=attributes[0].encryption_algorithm,
    )


@settings(max_examples=30)
@given(
    st.lists(st.tuples(_pairs_of_states(), st.booleans(), bits(24)), min_size=5, max_size=10),
    st.booleans(),
)
def test_key_changes_are_refused_as_in_the_scalar_core(
    rows: list[tuple[tuple[KeyState, KeyState], bool, int]],
    allow: bool,  # noqa: FBT001 - drawn
) -> None:
    status = batch.check_key_changes(
        columns_of([states[0] for states, _, _ in rows]),
        columns_of([states[1] for states, _, _ in rows]),
        rollover=np.array([rollover for _, rollover, _ in rows]),
        tid_now=np.array([tid for _, _, tid in rows]),
        allow_dkga_change=allow,
    )
    for number, ((present, new), rollover, tid) in enumerate(rows):
        refusal = outcome(
            sts.check_key_change,
            present,
            new,
            rollover=rollover,
            tid_now=tid,
            allow_dkga_change=allow,
        )
        assert Status(status[number]).code == refusal[1]


def _state(algorithm: EncryptionAlgorithm = STA) -> batch.KeyStateColumns:
    return batch.KeyStateColumns(
        meter_pans=batch.parse_meter_numbers(column("12345678903", "x", width=11)),
        supply_group_codes=1,
        tariff_indexes=1,
        key_revision_numbers=1,
        key_types=2,
        base_dates=14,
        generation_algorithms=4,
        key_expiry_numbers=255,
        encryption_algorithm=algorithm,
    )


@pytest.mark.parametrize("key_type", [-1, 4, 1 << 40])
def test_a_key_type_that_does_not_exist_may_not_follow(key_type: int) -> None:
    status = batch.check_key_changes(
        _state(), replace(_state(), key_types=key_type), rollover=False, tid_now=1
    )
    assert codes_of(status) == ["KEY_CHANGE_TYPE", "NOT_DIGITS"]


def test_another_cipher_may_not_follow() -> None:
    new = replace(_state(MISTY1), tariff_indexes=2)
    status = batch.check_key_changes(_state(), new, rollover=False, tid_now=1)
    assert codes_of(status) == ["KEY_CHANGE_ALGORITHM", "NOT_DIGITS"]


def test_both_sides_have_the_same_meters() -> None:
    with pytest.raises(ArrayShapeError):
        batch.check_key_changes(
            _state(),
            replace(_state(), meter_pans=_state().meter_pans[:1]),
            rollover=False,
            tid_now=1,
        )


def test_base_dates_are_numbers_of_two_digits() -> None:
    assert {int(base_date.value) for base_date in BaseDate} == {93, 14, 35}
