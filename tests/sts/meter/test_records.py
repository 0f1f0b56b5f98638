"""Memory as rows: back and forth without loss, and never a meter out of nonsense."""

from dataclasses import fields, replace
from typing import Any, Final

import pytest

from sts.codec import parse_digits, split_class
from sts.identifiers import EncryptionAlgorithm, KeyType, SupplyGroupCode, TariffIndex
from sts.key_change import SetSize
from sts.meter.errors import MeterSpecError, MeterStateError
from sts.meter.forms import Rows
from sts.meter.profiles import MeterProfile, ReconnectPolicy
from sts.meter.records import (
    spec_from_rows,
    spec_to_rows,
    state_from_rows,
    state_to_rows,
    volatile_from_rows,
    volatile_to_rows,
)
from sts.meter.registers import Register
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import MeterState, Volatile
from sts.tokens import Service
from tests.pair import VendAndMeter

NEW: Final = {"supply_group_code": SupplyGroupCode(203557), "tariff_index": TariffIndex(2)}


def _busy(**built: Any) -> VendAndMeter:
    pair = VendAndMeter(**built)
    pair.credit(10)
    pair.power_limit(5000)
    pair.set_load(700)
    pair.rebuild(credit_cleared=Register(-3, 17), water_factor=3, tariff_rate=None)
    return pair


@pytest.mark.parametrize(
    "built",
    [
        {},
        {"phases": 3, "reconnect": ReconnectPolicy.BUTTON, "no_limit_code": None},
        {"algorithm": EncryptionAlgorithm.STA, "drn": "00100001023"},
        {"credit_kind": CreditKind.CURRENCY, "service": Service.GAS},
        {"key_type": KeyType.INITIALISATION},
    ],
    ids=["plain", "three-phase", "EA07", "currency", "DITK"],
)
def test_a_meter_comes_back_from_its_rows(built: dict[str, Any]) -> None:
    pair = _busy(**built)
    assert spec_from_rows(spec_to_rows(pair.spec)) == pair.spec
    rows = state_to_rows(pair.state)
    assert state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store) == pair.state


@pytest.mark.parametrize("size", [2, 3, 4])
def test_pending_parts_come_back_too(size: SetSize) -> None:
    built: dict[str, Any] = (
        {} if size == 4 else {"algorithm": EncryptionAlgorithm.STA, "drn": "00100001023"}
    )
    pair = VendAndMeter(**built)
    for digits in pair.key_change_digits(NEW, set_size=size)[1:]:
        pair.enter(digits)
    assert len(pair.volatile.pending) == size - 1
    rows = volatile_to_rows(pair.spec, pair.volatile)
    assert volatile_from_rows(pair.spec, rows) == pair.volatile
    assert volatile_from_rows(pair.spec, {}) == Volatile()


def test_no_field_is_forgotten() -> None:
    pair = VendAndMeter()
    built = {field.name for field in fields(MeterSpec)}
    habits = {field.name for field in fields(MeterProfile)} - {"name"}
    assert set(spec_to_rows(pair.spec)) == built | habits
    register = {field.name for field in fields(pair.state.key_register)}
    state = {field.name for field in fields(MeterState)} - {"key_register", "tid_store"}
    assert set(state_to_rows(pair.state)) == register | state


def test_a_row_that_older_files_do_not_have_takes_its_default() -> None:
    pair = VendAndMeter()
    rows = dict(state_to_rows(pair.state))
    del rows["water_factor"]
    assert state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store) == pair.state


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("credit", None),
        ("credit", 5),
        ("credit", "5"),
        ("credit", "5 -1"),
        ("credit", "x y"),
        ("credit_bought", "5"),
        ("credit_bought", None),
        ("flags", "1 x"),
        ("causes", "BOREDOM"),
        ("tampered", 2),
        ("relay_closed", "1"),
        ("advanced_to", "yesterday"),
        ("advanced_to", "2026-01-01T00:00:00"),
        ("advanced_to", 0),
        ("last_result", 17),
        ("decoder_key", "00"),
        ("decoder_key", "secret"),
        ("key_type", 3),
        ("key_type", 4),
        ("tariff_index", 100),
        ("key_revision_number", 0),
        ("power_limit_w", "much"),
        ("mood", "good"),
    ],
)
def test_rows_that_are_no_meter_s_are_refused_without_showing_the_value(
    name: str,
    value: Any,  # noqa: ANN401 - wrong types are the point
) -> None:
    pair = VendAndMeter()
    rows: Rows = {**state_to_rows(pair.state), name: value}
    with pytest.raises(MeterStateError) as caught:
        state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["advanced_to", "decoder_key"])
def test_a_row_that_must_be_there_is_missed(name: str) -> None:
    pair = VendAndMeter()
    rows = {key: value for key, value in state_to_rows(pair.state).items() if key != name}
    with pytest.raises(MeterStateError):
        state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store)


def test_a_state_of_another_meter_is_refused() -> None:
    pair = VendAndMeter()
    other = replace(pair.spec, encryption_algorithm=EncryptionAlgorithm.STA)
    with pytest.raises(MeterSpecError):
        state_from_rows(other, state_to_rows(pair.state), tid_store=pair.state.tid_store)


@pytest.mark.parametrize(
    ("name", "value"),
    [("prices", "now=1"), ("prices", "1"), ("service", 9), ("phases", None), ("currency", 1)],
)
def test_a_specification_that_cannot_be_is_refused(name: str, value: Any) -> None:  # noqa: ANN401 - wrong types are the point
    rows = {**spec_to_rows(VendAndMeter().spec), name: value}
    with pytest.raises(MeterStateError):
        spec_from_rows(rows)


@pytest.mark.parametrize("block", ["xyz", "0", "000000000000000000000"])
def test_pending_parts_that_are_no_key_change_are_refused(block: str) -> None:
    with pytest.raises(MeterStateError):
        volatile_from_rows(VendAndMeter().spec, {"pending": block})


def test_an_authentic_token_that_is_no_key_change_is_refused_as_pending() -> None:
    pair = VendAndMeter()
    pair.power_limit(5000)
    block = pair.meter_cipher.decrypt_block(split_class(parse_digits(pair.digits))[1])
    with pytest.raises(MeterStateError):
        volatile_from_rows(pair.spec, {"pending": f"{block:016x}"})
