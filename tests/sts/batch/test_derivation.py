"""Decoder keys of columns of meters are those that the scalar core derives one by one."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sts
from sts import batch
from sts.batch import Status
from sts.errors import ArrayShapeError, ArrayTypeError, KeyLengthError, UnsupportedAlgorithmError
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
from tests.strategies import base_dates, drns, vending_keys
from tests.sts.batch.rows import CHUNK_EDGES, RAGGED, column, outcome

DRN: Final = "12345678903"
DKGA02, DKGA03, DKGA04 = (KeyGenerationAlgorithm(code) for code in ("02", "03", "04"))
STA, DEA, MISTY1 = EncryptionAlgorithm
BITS: Final = {DKGA02: 64, DKGA03: 128, DKGA04: 160}
PAIRS: Final = [(DKGA02, STA), (DKGA02, DEA), (DKGA03, DEA), (DKGA04, STA), (DKGA04, MISTY1)]
Row = tuple[str, int, int, int, int]
"""Meter number, supply group, tariff index, key revision, key type."""

_row: Final = st.tuples(
    drns.map(str) | st.just("12345678904"),
    st.integers(0, 999_999) | st.integers(-1, 1_000_001),
    st.integers(0, 99) | st.integers(-1, 101),
    st.integers(1, 9) | st.integers(-1, 11),
    st.integers(1, 2) | st.integers(-1, 5),
)


def columns(rows: list[Row], **changes: Any) -> batch.KeyAttributeColumns:
    numbers, groups, tariffs, revisions, key_types = zip(*rows, strict=True)
    made = batch.KeyAttributeColumns(
        meter_pans=batch.parse_meter_numbers(column(*numbers, width=13)),
        supply_group_codes=np.array(groups),
        tariff_indexes=np.array(tariffs),
        key_revision_numbers=np.array(revisions),
        key_types=np.array(key_types),
        base_date=BaseDate.Y2014,
        encryption_algorithm=STA,
    )
    return replace(made, **changes)


def scalar_attributes(
    row: Row, base_date: BaseDate, algorithm: EncryptionAlgorithm
) -> sts.KeyAttributes:
    number, group, tariff, revision, key_type = row
    return sts.KeyAttributes(
        meter_pan=MeterPan.parse(number),
        supply_group_code=SupplyGroupCode(group),
        tariff_index=TariffIndex(tariff),
        key_revision_number=KeyRevisionNumber(revision),
        key_type=KeyType.parse(key_type),
        base_date=base_date,
        encryption_algorithm=algorithm,
    )


def derived(
    derivation: sts.KeyDerivation,
    row: Row,
    *,
    base_date: BaseDate,
    algorithm: EncryptionAlgorithm,
) -> sts.DecoderKey:
    return derivation.derive(scalar_attributes(row, base_date, algorithm))


@pytest.mark.parametrize(("generation", "algorithm"), PAIRS)
@settings(max_examples=12)
@given(data=st.data(), base_date=base_dates)
def test_keys_are_those_of_the_scalar_core(
    generation: KeyGenerationAlgorithm,
    algorithm: EncryptionAlgorithm,
    data: st.DataObject,
    base_date: BaseDate,
) -> None:
    rows = data.draw(st.lists(_row, min_size=1, max_size=20))
    vending_key = data.draw(vending_keys(BITS[generation]))
    attributes = columns(rows, base_date=base_date, encryption_algorithm=algorithm)
    keys = batch.derive_decoder_keys(generation, vending_key, attributes)
    scalar = sts.KeyDerivation(generation, vending_key)
    for number, row in enumerate(rows):
        key, code = outcome(derived, scalar, row, base_date=base_date, algorithm=algorithm)
        assert Status(keys.status[number]).code == code
        wanted = key.expose() if isinstance(key, sts.DecoderKey) else bytes(keys.bits // 8)
        assert keys.expose()[number].tobytes() == wanted


@pytest.mark.parametrize(("generation", "algorithm"), PAIRS)
def test_one_number_for_all_rows_is_as_good_as_a_column(
    generation: KeyGenerationAlgorithm, algorithm: EncryptionAlgorithm
) -> None:
    rows = [(drn, 201457, 7, 3, 2) for drn in (DRN, "0102000000004")]
    vending_key = sts.VendingKey(bytes(range(BITS[generation] // 8)))
    attributes = columns(rows, encryption_algorithm=algorithm)
    repeated = replace(
        attributes,
        supply_group_codes=SupplyGroupCode(201457),
        tariff_indexes=7,
        key_revision_numbers=np.int8(3),
        key_types=KeyType.UNIQUE,
    )
    keys = [
        batch.derive_decoder_keys(generation, vending_key, each) for each in (attributes, repeated)
    ]
    assert np.array_equal(keys[0].expose(), keys[1].expose())
    assert not keys[1].status.any()


def test_one_number_out_of_range_marks_all_rows() -> None:
    rows = [(DRN, 201457, 1, 1, 2)] * 3
    attributes = columns(rows, tariff_indexes=100)
    keys = batch.derive_decoder_keys(DKGA02, sts.VendingKey(bytes(8)), attributes)
    assert keys.status.tolist() == [Status.OUT_OF_RANGE] * 3
    assert not keys.expose().any()


@pytest.mark.parametrize("rows", [*RAGGED, 4095, 4096, 4097, *CHUNK_EDGES])
def test_any_number_of_rows_will_do(rows: int) -> None:
    pans = batch.parse_meter_numbers(batch.drns_from_serials("01", np.arange(rows)).digits)
    attributes = columns([(DRN, 201457, 1, 1, 2)], meter_pans=pans)
    attributes = replace(
        attributes,
        supply_group_codes=201457,
        tariff_indexes=1,
        key_revision_numbers=1,
        key_types=2,
    )
    vending_key = sts.VendingKey(bytes(range(8)))
    keys = batch.derive_decoder_keys(DKGA02, vending_key, attributes)
    assert len(keys) == rows
    for row in {0, rows // 2, rows - 1} if rows else set():
        one = scalar_attributes((pans.digits[row].decode(), 201457, 1, 1, 2), BaseDate.Y2014, STA)
        wanted = sts.derive_decoder_key(DKGA02, vending_key, one).expose()
        assert keys.expose()[row].tobytes() == wanted


def test_dkga04_meets_its_chunks_without_a_seam() -> None:
    serials = np.arange(4096 - 2, 4096 + 3)
    all_rows = batch.parse_meter_numbers(batch.drns_from_serials("01", np.arange(4200)).digits)
    some = all_rows[4094:4099]
    vending_key = sts.VendingKey(bytes(range(20)))
    attributes = replace(
        columns([(DRN, 201457, 1, 1, 2)], meter_pans=all_rows),
        supply_group_codes=201457,
        tariff_indexes=1,
        key_revision_numbers=1,
        key_types=2,
    )
    whole = batch.derive_decoder_keys(DKGA04, vending_key, attributes)
    part = batch.derive_decoder_keys(DKGA04, vending_key, replace(attributes, meter_pans=some))
    assert np.array_equal(whole[4094:4099].expose(), part.expose())
    assert len(part) == len(serials)


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("generation", "algorithm"),
    [(DKGA02, MISTY1), (DKGA03, STA), (DKGA03, MISTY1), (DKGA04, DEA)],
)
def test_an_algorithm_makes_keys_for_its_ciphers_only(
    generation: KeyGenerationAlgorithm, algorithm: EncryptionAlgorithm
) -> None:
    attributes = columns([(DRN, 1, 1, 1, 2)], encryption_algorithm=algorithm)
    with pytest.raises(UnsupportedAlgorithmError):
        batch.derive_decoder_keys(
            generation, sts.VendingKey(bytes(BITS[generation] // 8)), attributes
        )


def test_dkga01_is_refused() -> None:
    attributes = columns([(DRN, 1, 1, 1, 2)])
    with pytest.raises(UnsupportedAlgorithmError):
        batch.derive_decoder_keys(
            KeyGenerationAlgorithm.DKGA01, sts.VendingKey(bytes(8)), attributes
        )


def test_a_vending_key_of_another_length_is_refused() -> None:
    attributes = columns([(DRN, 1, 1, 1, 2)])
    with pytest.raises(KeyLengthError):
        batch.derive_decoder_keys(DKGA04, sts.VendingKey(bytes(8)), attributes)


@pytest.mark.parametrize(
    ("name", "values", "error"),
    [
        ("tariff_indexes", np.array([1.0]), ArrayTypeError),
        ("key_types", np.array([1, 2]), ArrayShapeError),
        ("supply_group_codes", "201457", ArrayTypeError),
    ],
)
def test_attributes_are_columns_of_whole_numbers(
    name: str, values: object, error: type[sts.StsError]
) -> None:
    attributes = columns([(DRN, 1, 1, 1, 2)], **{name: values})
    with pytest.raises(error):
        batch.derive_decoder_keys(DKGA02, sts.VendingKey(bytes(8)), attributes)
