"""Class 2 tokens other than key changes and ClearCredit (IEC 62055-41, 8.4 to 8.10)."""

import pytest

from sts.amount import LARGEST_UNIT_AMOUNT
from sts.meter.events import EventKind
from sts.meter.outcomes import Accepted, LimitSet, TamperCleared, ValueStored
from sts.meter.results import ResultCode
from sts.meter.state import SupplyCause
from sts.tokens import Service
from tests.pair import VendAndMeter


def test_the_power_limit_is_the_coded_one() -> None:
    pair = VendAndMeter()
    outcome = pair.power_limit(16_385)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (LimitSet(name="Maximum power limit", watts=16_394),)
    assert pair.state.power_limit_w == 16_394


def test_the_largest_code_takes_the_limit_away() -> None:
    pair = VendAndMeter()
    pair.power_limit(1000)
    assert pair.power_limit(LARGEST_UNIT_AMOUNT).code is ResultCode.ACCEPT
    assert pair.state.power_limit_w is None


def test_a_make_without_such_a_code_takes_it_for_a_limit() -> None:
    pair = VendAndMeter(no_limit_code=None)
    pair.power_limit(LARGEST_UNIT_AMOUNT)
    assert pair.state.power_limit_w == LARGEST_UNIT_AMOUNT


def test_a_water_meter_has_no_power_limit() -> None:
    assert VendAndMeter(service=Service.WATER).power_limit(1).code is ResultCode.FUNCTION_ERROR


def test_only_a_polyphase_meter_has_an_unbalance_limit() -> None:
    assert VendAndMeter().unbalance_limit(10).code is ResultCode.FUNCTION_ERROR
    pair = VendAndMeter(phases=3)
    assert pair.unbalance_limit(10).code is ResultCode.ACCEPT
    assert pair.state.unbalance_limit_w == 10


def test_tariff_rates_are_stored_only_where_they_are_agreed() -> None:
    assert VendAndMeter().tariff_rate(7).code is ResultCode.FUNCTION_ERROR
    pair = VendAndMeter(stores_tariff_rate=True)
    assert pair.tariff_rate(7).code is ResultCode.ACCEPT
    assert pair.state.tariff_rate == 7


def test_water_factors_are_stored_only_where_they_are_agreed() -> None:
    assert VendAndMeter(service=Service.WATER).water_factor(7).code is ResultCode.FUNCTION_ERROR
    pair = VendAndMeter(service=Service.WATER, stores_water_factor=True)
    assert pair.water_factor(7).code is ResultCode.ACCEPT
    assert pair.state.water_factor == 7


def test_clearing_tamper_cancels_what_it_caused() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    pair.tamper()
    assert pair.state.causes == {SupplyCause.TAMPER}
    outcome = pair.clear_tamper()
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (TamperCleared(was_tampered=True),)
    assert not pair.state.tampered
    assert pair.state.relay_closed
    assert [event.kind for event in pair.events] == [
        EventKind.RELAY_CLOSED,
        EventKind.TAMPER_DETECTED,
        EventKind.RELAY_OPENED,
        EventKind.TAMPER_CLEARED,
        EventKind.RELAY_CLOSED,
    ]


def test_clearing_a_tamper_that_was_not_is_accepted_without_an_event() -> None:
    pair = VendAndMeter()
    outcome = pair.clear_tamper()
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (TamperCleared(was_tampered=False),)
    assert pair.events == []


# --- the extended token set -------------------------------------------------------------------


def test_the_control_value_can_be_written_and_read() -> None:
    pair = VendAndMeter()
    outcome = pair.write_control_value(123)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (ValueStored(name="control value", value=123),)
    assert pair.state.control_value == 123


def test_flags_can_be_set_and_cleared() -> None:
    pair = VendAndMeter()
    pair.write_flag(0, value=True)
    assert 0 in pair.state.flags
    pair.write_flag(0, value=False)
    assert 0 not in pair.state.flags


@pytest.mark.parametrize("number", [4, 11, 12, 511])
def test_flags_without_a_meaning_here_are_refused(number: int) -> None:
    pair = VendAndMeter()
    assert pair.write_flag(number, value=True).code is ResultCode.FUNCTION_ERROR
    assert pair.read_flag(number).code is ResultCode.FUNCTION_ERROR


def test_the_supplier_can_switch_supply_off_and_on() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    pair.write_flag(2, value=True)
    assert pair.state.causes == {SupplyCause.REMOTE}
    assert pair.events[-1].cause is SupplyCause.REMOTE
    pair.write_flag(2, value=False)
    assert pair.state.relay_closed


def test_without_the_flag_a_tamper_is_not_noticed() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    pair.write_flag(1, value=False)
    pair.tamper()
    assert not pair.state.tampered
    assert pair.state.relay_closed


def test_without_the_other_flag_a_tamper_does_not_cut_supply() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    pair.write_flag(3, value=False)
    pair.tamper()
    assert pair.state.tampered
    assert pair.state.relay_closed
    assert pair.events[-1].kind is EventKind.TAMPER_DETECTED


def test_a_second_tamper_changes_nothing() -> None:
    pair = VendAndMeter()
    pair.tamper()
    before = (pair.state, list(pair.events))
    pair.tamper()
    assert (pair.state, pair.events) == before
