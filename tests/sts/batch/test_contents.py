"""Contents are packed from fields and read as fields, by the layouts of the scalar core."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sts
from sts import batch
from sts.batch import Status
from sts.errors import ArrayShapeError, ArrayTypeError, UnknownCodeError
from sts.layouts import KIND_INDEX
from tests.strategies import KeyBits, bits, issuable_tokens, tids
from tests.sts.batch.rows import CHUNK_EDGES, codes_of, contents_of


@pytest.mark.parametrize("key_bits", [64, 128])
@given(data=st.data())
def test_fields_are_those_of_the_scalar_core(key_bits: KeyBits, data: st.DataObject) -> None:
    tokens = data.draw(st.lists(issuable_tokens(key_bits), min_size=1, max_size=10))
    contents = contents_of(tokens, key_bits)
    contents = batch.Contents(
        token_class=contents.token_class,
        subclass=contents.subclass,
        content=contents.content,
        status=contents.status,
        key_bits=key_bits,
    )
    kinds = [KIND_INDEX[token.token_class, token.subclass, key_bits] for token in tokens]
    fields = [kind.fields_of(token) for kind, token in zip(kinds, tokens, strict=True)]
    for name in {name for each in fields for name in each}:
        assert contents.field(name).tolist() == [each.get(name, 0) for each in fields]


@pytest.mark.parametrize("key_bits", [64, 128])
@given(data=st.data())
def test_packing_fields_gives_the_content_of_the_scalar_core(
    key_bits: KeyBits, data: st.DataObject
) -> None:
    token = data.draw(issuable_tokens(key_bits))
    kind = KIND_INDEX[token.token_class, token.subclass, key_bits]
    raw = kind.fields_of(token)
    fields = {name: np.array([value]) for name, value in raw.items() if name != "pad"}
    made = batch.pack(token.token_class, token.subclass, fields, key_bits=key_bits)
    assert made.content.tolist() == [kind.layout.pack(raw)]
    assert (made.token_class[0], made.subclass[0]) == (token.token_class, token.subclass)
    assert made.key_bits == kind.key_bits


@given(st.lists(st.tuples(tids, bits(16), bits(4)), min_size=1, max_size=20))
def test_credits_of_every_service_are_packed(rows: list[tuple[int, int, int]]) -> None:
    numbers, codes, rnd = (np.array(each) for each in zip(*rows, strict=True))
    for service in sts.Service:
        made = batch.transfer_credits(tids=numbers, amount_codes=codes, rnd=rnd, service=service)
        assert made.is_kind(0, int(service)).all()
        assert np.array_equal(made.field("amount"), codes)
        currency = batch.transfer_currency_credits(
            tids=numbers, sign_exponents=rnd, amount_codes=codes, service=service
        )
        assert currency.is_kind(0, int(service) + 4).all()
        assert np.array_equal(currency.field("sign_exponent"), rnd)


@pytest.mark.parametrize(
    ("name", "value"),
    [("tids", 1 << 24), ("tids", -1), ("amount_codes", 1 << 16), ("rnd", 16), ("rnd", -1)],
)
def test_a_field_that_does_not_fit_marks_its_row_and_no_other(name: str, value: int) -> None:
    columns = {field: np.array([1, 2, 3]) for field in ("tids", "amount_codes", "rnd")}
    columns[name][1] = value
    made = batch.transfer_credits(
        tids=columns["tids"], amount_codes=columns["amount_codes"], rnd=columns["rnd"]
    )
    assert codes_of(made.status) == ["OK", "FIELD_RANGE", "OK"]
    assert made.content[1] == 0
    assert made.is_kind(0, 0).tolist() == [True, False, True]
    assert made.field("tid").tolist() == [1, 0, 3]


@pytest.mark.parametrize("rows", CHUNK_EDGES)
def test_chunks_meet_without_a_seam(rows: int) -> None:
    numbers = np.arange(rows)
    made = batch.transfer_credits(tids=numbers, amount_codes=numbers % 65_536, rnd=numbers % 16)
    assert np.array_equal(made.field("tid"), numbers)
    assert np.array_equal(made[5:9].content, made.content[5:9])


def test_one_number_for_all_rows_is_as_good_as_a_column() -> None:
    made = batch.transfer_credits(tids=np.arange(3), amount_codes=7, rnd=np.uint8(2))
    assert made.field("amount").tolist() == [7, 7, 7]
    assert len(batch.transfer_credits(tids=1, amount_codes=7, rnd=2)) == 1


def test_no_rows_have_no_fields() -> None:
    empty = np.zeros(0, np.int64)
    made = batch.transfer_credits(tids=empty, amount_codes=empty, rnd=0)
    assert made.field("tid").size == 0


def test_rows_that_are_marked_have_no_fields() -> None:
    contents = batch.Contents(
        token_class=np.zeros(1, np.uint8),
        subclass=np.zeros(1, np.uint8),
        content=np.array([0xFFFFFF], np.uint64),
        status=np.array([Status.CRC_MISMATCH], np.uint8),
    )
    assert contents.field("amount").tolist() == [0]


def test_the_content_is_not_shown() -> None:
    """It may be part of a key."""
    contents = batch.pack(
        2, 4, {"key_expiry_low": 1, "tariff_index": 1, "new_key_low": np.array([0xCAFEBABE])}
    )
    assert repr(contents) == "Contents(key_bits=None)"


# --- refusals ---------------------------------------------------------------------------------


def test_a_field_that_no_token_has_is_refused() -> None:
    with pytest.raises(UnknownCodeError, match="field: must be one of amount, "):
        batch.transfer_credits(tids=1, amount_codes=1, rnd=1).field("tidd")


@pytest.mark.parametrize(("token_class", "subclass"), [(3, 0), (0, 16), (2, 9)])
def test_a_kind_that_does_not_exist_is_refused(token_class: int, subclass: int) -> None:
    with pytest.raises(UnknownCodeError, match="token kind: must be one of the classes"):
        batch.pack(token_class, subclass, {})


@pytest.mark.parametrize(
    "fields", [{}, {"rnd": 1, "tid": 1}, {"rnd": 1, "tid": 1, "amount": 1, "limit": 1}]
)
def test_the_fields_of_a_kind_are_all_there_and_no_others(fields: dict[str, int]) -> None:
    with pytest.raises(UnknownCodeError, match="fields of TransferCredit"):
        batch.pack(0, 0, fields)


def test_fields_are_whole_numbers() -> None:
    with pytest.raises(ArrayTypeError, match="tid must hold whole numbers, found float64"):
        batch.transfer_credits(tids=np.array([1.0]), amount_codes=1, rnd=1)


def test_fields_are_of_one_length() -> None:
    with pytest.raises(ArrayShapeError):
        batch.transfer_credits(tids=np.arange(2), amount_codes=np.arange(3), rnd=1)


@pytest.mark.parametrize("status", [[0], np.zeros(1, np.int64)], ids=repr)
def test_a_status_is_a_column_of_bytes(status: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None:
    with pytest.raises(ArrayTypeError):
        batch.transfer_credits(tids=np.arange(1), amount_codes=1, rnd=1, status=status)


def test_a_status_has_one_row_for_each() -> None:
    with pytest.raises(ArrayShapeError):
        batch.pack(2, 5, {"rnd": 1, "tid": np.arange(2)}, status=np.zeros((2, 1), np.uint8))


def test_columns_of_contents_have_their_types() -> None:
    good = batch.transfer_credits(tids=np.arange(2), amount_codes=1, rnd=1)
    with pytest.raises(ArrayTypeError):
        batch.Contents(
            token_class=good.token_class,
            subclass=good.subclass,
            content=good.content.astype(np.int64),
            status=good.status,
        )
    with pytest.raises(ArrayShapeError):
        batch.Contents(
            token_class=good.token_class[:1],
            subclass=good.subclass,
            content=good.content,
            status=good.status,
        )
