"""What an HSM keeps of a vending key besides the key: read back, or refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from keys.pkcs11.errors import HsmRecordError
from keys.pkcs11.records import HsmRecord, format_record, key_id, parse_record, sealed_bytes
from keys.registered_key import KeyTerms
from sts import KeyRevisionNumber, SupplyGroupCode
from tests.keys.custody import NOW, registered

SEAL = bytes(range(32))
RECORD = HsmRecord(
    serial_number=3,
    key=registered(terms=KeyTerms(activation=NOW)),
    bits=160,
    odd_parity=None,
    wrapped=None,
    fingerprint=bytes(32),
)
WRAPPED = replace(RECORD, bits=64, odd_parity=False, wrapped=bytes(24))


@pytest.mark.parametrize("record", [RECORD, WRAPPED])
def test_a_record_is_read_as_it_was_written(record: HsmRecord) -> None:
    assert parse_record(format_record(record, SEAL)) == (record, SEAL)


@pytest.mark.parametrize(
    "change",
    [
        {"serial_number": 4},
        {"key": registered()},
        {"odd_parity": True},
        {"wrapped": bytes(25)},
        {"fingerprint": SEAL},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_seal_covers_every_field(change: dict[str, Any]) -> None:
    assert sealed_bytes(replace(WRAPPED, **change)) != sealed_bytes(WRAPPED)
    assert sealed_bytes(WRAPPED) in format_record(WRAPPED, SEAL)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"serial_number": "3"},
        {"key": None},
        {"bits": 96},
        {"odd_parity": 1},
        {"wrapped": "AB"},
        {"fingerprint": "00"},
        {"more": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_record_of_another_form_is_refused(change: dict[str, Any]) -> None:
    content = json.loads(format_record(WRAPPED, SEAL))
    content["record"] |= change
    with pytest.raises(HsmRecordError) as refusal:
        parse_record(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
    assert refusal.value.code == "HSM_RECORD_TAMPERED"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"record":{},"seal":"00"}', b"\xff"])
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(HsmRecordError):
        parse_record(content)


def test_a_record_written_otherwise_is_refused() -> None:
    """It says the same, but no program of ours writes it like that."""
    with pytest.raises(HsmRecordError):
        parse_record(format_record(RECORD, SEAL) + b"\n")


def test_keys_of_other_names_are_other_objects() -> None:
    name = registered().name
    names = [
        name,
        replace(name, tenant="mwanga"),
        replace(name, supply_group_code=SupplyGroupCode(201458)),
        replace(name, key_revision_number=KeyRevisionNumber(2)),
    ]
    assert len({key_id(each) for each in names}) == len(names)
    assert {len(key_id(each)) for each in names} == {16}
