"""Columns of tokens are encoded and decoded as the scalar core does it, status and all."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sts
from sts import batch
from sts.batch import Status
from sts.batch.arrays import Numbers
from sts.batch.canonical import HOLDS
from sts.batch.codec import insert_classes, split_classes
from sts.codec import clear_block, insert_class, split_class
from sts.errors import ArrayShapeError, ArrayTypeError
from sts.identifiers import EncryptionAlgorithm
from sts.layouts import KIND_INDEX, TOKEN_KINDS
from sts.tokens import ReservedToken, Token
from tests.strategies import bits, decoder_keys, issuable_tokens
from tests.sts import reference
from tests.sts.batch.rows import (
    CHUNK_EDGES,
    RAGGED,
    codes_of,
    column,
    contents_of,
    keys_of,
    outcome,
    random_keys,
    scalar_cipher,
)

STA, DEA, MISTY1 = EncryptionAlgorithm
BITS: Final = {STA: 64, DEA: 64, MISTY1: 128}


def raw_of(token: Token, key_bits: int) -> int:
    """Return the 44 bits of content of a token, by the scalar core."""
    kind = KIND_INDEX[token.token_class, token.subclass, key_bits]
    return kind.layout.pack(kind.fields_of(token))


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
@settings(max_examples=20)
@given(data=st.data())
def test_every_kind_of_token_goes_there_and_back_as_in_the_scalar_core(
    algorithm: EncryptionAlgorithm, data: st.DataObject
) -> None:
    key_bits: Final = 128 if algorithm is MISTY1 else 64
    row = st.tuples(issuable_tokens(key_bits), decoder_keys(key_bits))
    rows = data.draw(st.lists(row, min_size=1, max_size=40))
    cipher = batch.new_cipher(algorithm, keys_of(key for _, key in rows))
    contents = contents_of([token for token, _ in rows], key_bits)
    made = batch.encode(contents, cipher)
    scalar = [
        sts.encode(token, scalar_cipher(cipher, number)) for number, (token, _) in enumerate(rows)
    ]
    assert [digits.decode() for digits in made.digits] == scalar
    assert not made.status.any()
    read = batch.decode(made.digits, cipher)
    assert not read.status.any()
    for name in ("token_class", "subclass", "content"):
        assert np.array_equal(getattr(read, name), getattr(contents, name)), name


@pytest.mark.parametrize("algorithm", [STA, MISTY1])
@settings(max_examples=20)
@given(data=st.data())
def test_any_authentic_content_is_taken_or_refused_as_in_the_scalar_core(
    algorithm: EncryptionAlgorithm, data: st.DataObject
) -> None:
    """Of every class and subclass, with a right checksum, also such as nobody may issue."""
    any_content = bits(44) | st.sampled_from((0, 1, 0x8_014EEC_0000, 0xFF, 0xA00000000))
    row = st.tuples(st.integers(0, 3), bits(4), any_content, decoder_keys(BITS[algorithm]))
    rows = data.draw(st.lists(row, min_size=1, max_size=40))
    cipher = batch.new_cipher(algorithm, keys_of(key for *_, key in rows))
    ciphers = [scalar_cipher(cipher, number) for number in range(len(rows))]
    digits = [
        reference.forge(
            token_class, subclass, content, cipher=None if token_class == 1 else ciphers[number]
        )
        for number, (token_class, subclass, content, _) in enumerate(rows)
    ]
    read = batch.decode(column(*digits), cipher)
    for number, (token_class, subclass, content, _) in enumerate(rows):
        code = outcome(sts.decode, digits[number], ciphers[number])[1]
        assert Status(read.status[number]).code == code
        found = tuple(int(each[number]) for each in (read.token_class, read.subclass, read.content))
        assert found == ((token_class, subclass, content) if code == "OK" else (0, 0, 0))
    again = batch.encode(read, cipher)
    right = read.status == Status.OK
    # What is read but never issued is all that does not come back.
    reserved = again.status == Status.RESERVED_SUBCLASS
    assert (again.digits[right & ~reserved] == column(*digits)[right & ~reserved]).all()
    assert np.array_equal(again.status[~right], read.status[~right])


@settings(max_examples=20)
@given(
    st.lists(
        bits(66).map(lambda number: f"{number:020d}") | st.text("0123456789x", max_size=20),
        min_size=1,
        max_size=40,
    ),
    decoder_keys(64),
)
def test_any_digits_are_refused_as_in_the_scalar_core(
    digits: list[str], key: sts.DecoderKey
) -> None:
    cipher = batch.new_cipher(STA, keys_of([key] * len(digits)))
    scalar = sts.new_cipher(STA, key)
    read = batch.decode(column(*digits), cipher)
    bare = batch.decode(column(*digits))
    for number, text in enumerate(digits):
        refusal = outcome(sts.decode, text, scalar)[1]
        assert Status(read.status[number]).code == refusal
        assert Status(bare.status[number]).code == outcome(sts.decode, text)[1]


@pytest.mark.parametrize("algorithm", [STA, MISTY1])
@pytest.mark.parametrize("rows", [*RAGGED, *CHUNK_EDGES])
def test_any_number_of_rows_will_do(algorithm: EncryptionAlgorithm, rows: int) -> None:
    cipher = batch.new_cipher(algorithm, random_keys(rows, BITS[algorithm]))
    numbers = np.arange(rows)
    contents = batch.transfer_credits(
        tids=numbers + 6_000_000, amount_codes=numbers % 1000, rnd=numbers % 16
    )
    made = batch.encode(contents, cipher)
    assert made.digits.shape == (rows,)
    assert made.digits.dtype == np.dtype("S20")
    for row in {0, rows // 2, rows - 1} if rows else set():
        token = sts.TransferCredit(
            service=sts.Service.ELECTRICITY,
            rnd=row % 16,
            tid=row + 6_000_000,
            amount=sts.UnitAmount(row % 1000),
        )
        assert made.digits[row].decode() == sts.encode(token, scalar_cipher(cipher, row))
    read = batch.decode(made.digits, cipher)
    assert not read.status.any()
    assert np.array_equal(read.field("tid"), numbers + 6_000_000)
    assert np.array_equal(read.field("rnd"), numbers % 16)
    assert np.array_equal(read.field("amount"), numbers % 1000)


@given(st.lists(st.tuples(bits(64), st.integers(0, 3)), min_size=1, max_size=30))
def test_the_class_is_put_in_and_taken_out_as_in_the_scalar_core(
    rows: list[tuple[int, int]],
) -> None:
    blocks = np.array([block for block, _ in rows], np.uint64)
    classes = np.array([token_class for _, token_class in rows], np.uint8)
    high, low = insert_classes(blocks, classes)
    numbers = [h << 64 | n for h, n in zip(high.tolist(), low.tolist(), strict=True)]
    assert numbers == [insert_class(*row) for row in rows]
    back = split_classes(high, low)
    assert list(zip(back[0].tolist(), back[1].tolist(), strict=True)) == [
        split_class(number) for number in numbers
    ]


def test_class_1_needs_no_key() -> None:
    token = sts.InitiateMeterTest.for_tests([1])
    made = batch.encode(contents_of([token], 64))
    assert made.digits.tolist() == [b"00000000000150997584"]
    assert batch.decode(made.digits).content.tolist() == [raw_of(token, 64)]


def test_classes_mix_in_one_column() -> None:
    """Class 1 stays clear between encrypted rows."""
    credit = sts.TransferCredit(
        service=sts.Service.WATER, rnd=5, tid=85740, amount=sts.encode_amount(1)
    )
    tokens: list[Token] = [credit, sts.InitiateMeterTest.for_tests([1]), credit]
    cipher = batch.new_cipher(MISTY1, random_keys(3, 128))
    made = batch.encode(contents_of(tokens, 128), cipher)
    assert [digits.decode() for digits in made.digits] == [
        sts.encode(token, scalar_cipher(cipher, row)) for row, token in enumerate(tokens)
    ]
    bare = batch.decode(made.digits)
    assert codes_of(bare.status) == ["DECODER_KEY_REQUIRED", "OK", "DECODER_KEY_REQUIRED"]


# --- a row is right or marked -------------------------------------------------------------------


def test_a_row_that_is_marked_before_stays_marked_and_blank() -> None:
    amounts = batch.encode_amounts(np.array([10, 18_201_625, -1]))
    contents = batch.transfer_credits(
        tids=np.array([1, 2, 3]), amount_codes=amounts.codes, rnd=5, status=amounts.status
    )
    made = batch.encode(contents, batch.new_cipher(MISTY1, random_keys(3, 128)))
    assert codes_of(made.status) == ["OK", "AMOUNT_TOO_LARGE", "AMOUNT_NEGATIVE"]
    assert [bool(digits) for digits in made.digits] == [True, False, False]


def test_without_a_key_there_is_no_token_but_of_class_1() -> None:
    status = np.array([Status.WRONG_CHECK_DIGIT, Status.WRONG_CHECK_DIGIT, 0], np.uint8)
    keys = batch.DecoderKeys(random_keys(3, 64).expose(), status)
    cipher = batch.new_cipher(STA, keys)
    test = sts.InitiateMeterTest.for_tests([1])
    tamper = sts.ClearTamperCondition(rnd=1, tid=2)
    made = batch.encode(contents_of([tamper, test, tamper], 64), cipher)
    assert codes_of(made.status) == ["WRONG_CHECK_DIGIT", "OK", "OK"]
    assert made.digits[0] == b""
    digits = np.array([made.digits[2], made.digits[1], made.digits[2]])
    assert codes_of(batch.decode(digits, cipher).status) == ["WRONG_CHECK_DIGIT", "OK", "OK"]


@pytest.mark.parametrize(
    ("token_class", "subclass", "content", "code"),
    [
        (4, 0, 0, "FIELD_RANGE"),
        (0, 16, 0, "FIELD_RANGE"),
        (0, 0, 1 << 44, "FIELD_RANGE"),
        (3, 0, 0, "RESERVED_SUBCLASS"),
        (0, 8, 0, "RESERVED_SUBCLASS"),
        (1, 3, 0, "RESERVED_SUBCLASS"),
        (2, 9, 0, "CIPHER_MISMATCH"),
        (2, 5, 1, "NON_CANONICAL_TOKEN"),
        (2, 1, 8, "NON_CANONICAL_TOKEN"),
        (0, 4, 0x8_014EEC_0000, "NON_CANONICAL_TOKEN"),
    ],
)
def test_what_may_not_be_issued_is_marked(
    token_class: int, subclass: int, content: int, code: str
) -> None:
    contents = batch.Contents(
        token_class=np.array([0, token_class], np.uint8),
        subclass=np.array([0, subclass], np.uint8),
        content=np.array([0, content], np.uint64),
        status=np.zeros(2, np.uint8),
    )
    made = batch.encode(contents, batch.new_cipher(STA, random_keys(2, 64)))
    assert codes_of(made.status) == ["OK", code]
    assert made.digits[1] == b""


def test_reserved_tokens_are_refused_as_in_the_scalar_core() -> None:
    cipher = batch.new_cipher(STA, random_keys(1, 64))
    token = ReservedToken(token_class=0, subclass=8, content=7)
    refusal = outcome(clear_block, token, 64)[1]
    assert codes_of(batch.encode(contents_of([token], 64), cipher).status) == [refusal]


def test_contents_for_the_other_length_of_key_are_marked() -> None:
    """Subclass 8 of class 2 is one token under 64 bits and another under 128."""
    group = batch.pack(2, 8, {"supply_group_code": np.array([201457])}, key_bits=64)
    part = batch.pack(
        2, 8, {"supply_group_low": 1, "new_key_middle_2": np.array([2])}, key_bits=128
    )
    for contents, algorithm in ((group, MISTY1), (part, STA)):
        made = batch.encode(contents, batch.new_cipher(algorithm, random_keys(1, BITS[algorithm])))
        assert codes_of(made.status) == ["CIPHER_MISMATCH"]
    first: dict[str, Numbers] = {
        "key_expiry_high": 15,
        "key_revision_number": 1,
        "rollover": 0,
        "three_token_set": 0,
        "key_type": 2,
        "new_key_high": np.array([1]),
    }
    either = batch.pack(2, 3, first, key_bits=64)
    assert not batch.encode(either, batch.new_cipher(MISTY1, random_keys(1, 128))).status.any()


def test_every_rule_of_the_layouts_is_kept_on_columns_too() -> None:
    rules = {rule.field for kind in TOKEN_KINDS for rule in kind.rules}
    assert rules == HOLDS.keys()


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "digits", [["1" * 20], np.array(["1" * 20]), np.array([b"1" * 21]), np.array([1])], ids=repr
)
def test_digits_are_a_column_of_20_bytes(
    digits: np.ndarray[tuple[int], np.dtype[np.bytes_]],
) -> None:
    with pytest.raises(ArrayTypeError):
        batch.decode(digits)


def test_every_row_has_a_key() -> None:
    cipher = batch.new_cipher(STA, random_keys(2, 64))
    with pytest.raises(ArrayShapeError):
        batch.decode(column("1" * 20), cipher)
    with pytest.raises(ArrayShapeError):
        batch.encode(contents_of([sts.ClearTamperCondition(rnd=1, tid=2)], 64), cipher)
