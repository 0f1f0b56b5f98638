"""Every vector that comes with the project, by the batch engine: all keys, all tokens, both ways.

The scalar core is held against the same files in ``sts.conformance``. Cases whose tokens need the
licensed tables have their keys compared.
"""

from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from sts import batch
from sts.conformance import load_bundled, load_file
from sts.identifiers import EncryptionAlgorithm, KeyGenerationAlgorithm
from sts.key_change import KeyChange
from sts.vectors import KeyInput, VectorCase
from tests.sts.batch.rows import column, contents_of, keys_of

_FOLDER: Final = Path(__file__).parents[2] / "vectors"
_CASES: Final = [
    case
    for cases in (
        load_bundled(),
        *(
            load_file(_FOLDER / name)
            for name in (
                "cross_checked_sample.json",
                "dkga03_cross_checked.json",
                "reference_only.json",
            )
        ),
    )
    for case in cases
    if isinstance(case, VectorCase)
]
_MADE: Final = [case for case in _CASES if case.expected and case.sta_tables != "licensed"]
_KEYS: Final = [
    key
    for case in _CASES
    for key in (case.key, case.new_key)
    if key is not None and key.attributes is not None and key.algorithm is not None
]


def in_common(key: KeyInput) -> tuple[str, ...]:
    """Return what the keys of one derivation have in common."""
    assert key.attributes is not None
    assert key.algorithm is not None
    assert key.vending_key is not None
    attributes = key.attributes
    return (
        key.algorithm.value,
        key.vending_key.expose().hex(),
        attributes.base_date.value,
        attributes.encryption_algorithm.value,
    )


def test_there_are_vectors() -> None:
    assert len(_KEYS) > 500
    assert len(_MADE) > 300


def test_every_published_key_is_derived() -> None:
    compared = 0
    for _, group in groupby(sorted(_KEYS, key=in_common), key=in_common):
        keys = list(group)
        first = keys[0]
        assert first.vending_key is not None
        assert first.algorithm is not None
        attributes = [key.attributes for key in keys if key.attributes is not None]
        columns = batch.KeyAttributeColumns(
            meter_pans=batch.parse_meter_numbers(
                column(*[str(each.meter_pan) for each in attributes], width=18)
            ),
            supply_group_codes=np.array([int(each.supply_group_code) for each in attributes]),
            tariff_indexes=np.array([int(each.tariff_index) for each in attributes]),
            key_revision_numbers=np.array([int(each.key_revision_number) for each in attributes]),
            key_types=np.array([int(each.key_type) for each in attributes]),
            base_date=attributes[0].base_date,
            encryption_algorithm=attributes[0].encryption_algorithm,
        )
        derived = batch.derive_decoder_keys(first.algorithm, first.vending_key, columns)
        assert not derived.status.any()
        published = keys_of(key.decoder_key for key in keys)
        assert np.array_equal(derived.expose(), published.expose())
        compared += len(keys)
    assert compared == len(_KEYS)


def cipher_of(cases: list[VectorCase]) -> batch.Cipher:
    algorithm = cases[0].encryption_algorithm
    assert algorithm is not None
    return batch.new_cipher(algorithm, keys_of(case.key.decoder_key for case in cases if case.key))


@pytest.mark.parametrize("algorithm", [*EncryptionAlgorithm, None])
def test_every_published_token_is_made_and_read(algorithm: EncryptionAlgorithm | None) -> None:
    cases = [
        case
        for case in _MADE
        if case.token is not None
        and (case.encryption_algorithm if case.key is not None else None) is algorithm
    ]
    # The legacy cipher has key changes only, if anything.
    assert cases or algorithm is EncryptionAlgorithm.DEA
    if not cases:
        return
    key_bits = 64 if algorithm is None else algorithm.key_bits
    contents = contents_of([case.token for case in cases if case.token is not None], key_bits)
    cipher = None if algorithm is None else cipher_of(cases)
    made = batch.encode(contents, cipher)
    published = column(*[case.expected[0] for case in cases])
    assert np.array_equal(made.digits, published)
    read = batch.decode(published, cipher)
    assert not read.status.any()
    assert np.array_equal(read.content, contents.content)


def carries(case: VectorCase) -> tuple[str, int]:
    assert case.encryption_algorithm is not None
    return case.encryption_algorithm.value, case.set_size or 0


def changes_of(changes: list[KeyChange]) -> batch.KeyChanges:
    return batch.KeyChanges(
        new_keys=keys_of(change.new_key for change in changes),
        key_expiry_numbers=np.array([int(change.key_expiry_number) for change in changes]),
        key_revision_numbers=np.array([int(change.key_revision_number) for change in changes]),
        key_types=np.array([int(change.key_type) for change in changes]),
        tariff_indexes=np.array([int(change.tariff_index) for change in changes]),
        rollover=np.array([change.rollover for change in changes]),
        supply_group_codes=np.array([int(change.supply_group_code or 0) for change in changes]),
    )


def test_every_published_key_change_set_is_made_and_joined() -> None:
    sets = sorted((case for case in _MADE if case.set_size), key=carries)
    assert sets
    for _, group in groupby(sets, key=carries):
        cases = list(group)
        changes = changes_of([case.change for case in cases if case.change is not None])
        cipher = cipher_of(cases)
        made = batch.encode_key_changes(changes, cipher, set_size=cases[0].set_size)
        published = np.array([[digits.encode() for digits in case.expected] for case in cases])
        assert np.array_equal(made.digits, published)
        joined = batch.decode_key_changes(published[:, ::-1], cipher)
        assert not joined.new_keys.status.any()
        assert np.array_equal(joined.new_keys.expose(), changes.new_keys.expose())
        assert np.array_equal(np.asarray(joined.rollover), np.asarray(changes.rollover))


def test_every_published_part_of_a_set_is_made() -> None:
    parts = [case for case in _MADE if case.part is not None]
    for case in parts:
        assert case.change is not None
        made = batch.encode_key_changes(changes_of([case.change]), cipher_of([case]))
        assert case.part is not None
        assert made.digits[0, case.part - 1].decode() == case.expected[0]


def test_the_derivations_of_all_algorithms_are_among_the_vectors() -> None:
    assert {key.algorithm for key in _KEYS} == set(KeyGenerationAlgorithm) - {
        KeyGenerationAlgorithm.DKGA01
    }
