"""Emergency credit: taken on purpose, used below zero, repaid first, and then to be had again."""

from datetime import timedelta
from typing import Any, Final

import pytest

from sts.meter.emergency import emergency_left, owed
from sts.meter.errors import EmergencyRefusedError
from sts.meter.events import EventKind
from sts.meter.profiles import PROFILES, CreditLevels
from sts.meter.readouts import CodeRefused, ShortCodeFault, Shown
from sts.meter.spec import CreditKind
from sts.meter.state import SupplyCause
from tests.pair import VendAndMeter

HOUR: Final = timedelta(hours=1)
STANDARD: Final = PROFILES["standard"]
"""It lends 5 kWh from 5 kWh on."""


def _empty(**built: Any) -> VendAndMeter:
    """Make a meter in use whose credit is used up at 1 kW."""
    pair = VendAndMeter(**{"profile": STANDARD, **built})
    pair.credit(10)
    pair.set_load(1000)
    pair.wait(3 * HOUR)
    assert not pair.state.relay_closed
    pair.events.clear()
    return pair


def _lent(**built: Any) -> VendAndMeter:
    pair = _empty(**built)
    pair.take_emergency()
    return pair


def _kinds(pair: VendAndMeter) -> list[EventKind]:
    return [event.kind for event in pair.events]


def test_taking_it_brings_supply_back_and_adds_no_credit() -> None:
    pair = _lent()
    assert pair.state.relay_closed
    assert pair.state.credit.whole == 0
    assert pair.state.credit_bought == 1000
    assert _kinds(pair) == [EventKind.EMERGENCY_TAKEN, EventKind.RELAY_CLOSED]


def test_it_ends_at_the_instant_it_is_used_up() -> None:
    pair = _lent()
    pair.wait(10 * HOUR)
    opened = pair.events[-1]
    assert opened.kind is EventKind.RELAY_OPENED
    assert opened.cause is SupplyCause.CREDIT_EXHAUSTED
    assert opened.credit == -5000
    assert opened.consumed == 6000
    assert pair.state.credit.fine == -5000 * 3_600_000_000 * 1000


def test_it_is_repaid_from_the_next_token() -> None:
    pair = _lent()
    pair.wait(2 * HOUR)
    assert (owed(pair.state), emergency_left(pair.spec, pair.state)) == (2000, 3000)
    pair.credit(50)
    assert pair.state.credit.whole == 3000
    assert pair.state.emergency_floor is None
    assert _kinds(pair)[-1] is EventKind.EMERGENCY_REPAID
    assert (owed(pair.state), emergency_left(pair.spec, pair.state)) == (0, 5000)
    pair.wait(3 * HOUR)
    assert not pair.state.relay_closed


def test_what_is_paid_back_in_part_is_not_lent_again() -> None:
    pair = _lent()
    pair.wait(10 * HOUR)
    pair.credit(20)
    assert pair.state.credit.whole == -3000
    assert (owed(pair.state), emergency_left(pair.spec, pair.state)) == (3000, 0)
    assert not pair.state.relay_closed
    pair.credit(29)
    assert not pair.state.relay_closed
    pair.credit(1)
    assert pair.state.credit.whole == 0
    assert _kinds(pair)[-1] is EventKind.EMERGENCY_REPAID
    # Repaid, but nothing is left to use.
    assert not pair.state.relay_closed
    pair.credit(1)
    assert pair.state.relay_closed


def test_what_is_not_used_stays_as_large_as_it_was_when_a_part_is_paid() -> None:
    pair = _lent()
    pair.wait(2 * HOUR)
    pair.credit(10)
    assert pair.state.credit.whole == -1000
    assert emergency_left(pair.spec, pair.state) == 3000
    assert pair.state.relay_closed
    pair.wait(10 * HOUR)
    assert pair.state.credit.whole == -4000


def test_after_it_is_repaid_it_can_be_taken_again() -> None:
    pair = _lent()
    pair.wait(HOUR)
    with pytest.raises(EmergencyRefusedError, match="taken already"):
        pair.take_emergency()
    pair.credit(10)
    pair.take_emergency()
    pair.wait(10 * HOUR)
    assert pair.state.credit.whole == -5000


def test_it_can_be_taken_before_credit_ends_and_is_counted_from_zero() -> None:
    pair = VendAndMeter(profile=STANDARD)
    pair.credit(30)
    pair.set_load(1000)
    pair.take_emergency()
    pair.wait(10 * HOUR)
    assert pair.state.credit.whole == -5000
    assert _kinds(pair).count(EventKind.RELAY_OPENED) == 1


def test_a_meter_that_gives_credit_anyway_lends_beyond_it() -> None:
    pair = _lent(min_credit=-1000)
    pair.wait(10 * HOUR)
    assert pair.state.credit.whole == -6000
    pair.credit(55)
    assert pair.state.credit.whole == -500
    assert pair.state.emergency_floor is not None
    pair.credit(5)
    assert pair.state.emergency_floor is None


def test_it_is_lent_in_currency_too() -> None:
    pair = VendAndMeter(profile=STANDARD, credit_kind=CreditKind.CURRENCY)
    pair.currency_credit(342_500)
    pair.set_load(1000)
    pair.wait(2 * HOUR)
    pair.take_emergency()
    pair.wait(10 * HOUR)
    assert pair.state.credit.whole == pytest.approx(-1_000_000, abs=1)
    pair.currency_credit(-100)
    assert pair.state.emergency_floor is not None


def test_cleared_credit_clears_the_loan() -> None:
    pair = _lent()
    pair.wait(2 * HOUR)
    pair.clear_credit()
    assert pair.state.credit.whole == 0
    assert pair.state.credit_cleared.whole == -2000
    assert pair.state.emergency_floor is None
    assert not pair.state.relay_closed


def test_a_tampered_meter_lends_but_does_not_supply() -> None:
    pair = _empty()
    pair.tamper()
    pair.take_emergency()
    assert pair.state.causes == {SupplyCause.TAMPER}
    pair.clear_tamper()
    assert pair.state.relay_closed


def test_a_loan_survives_a_power_cut() -> None:
    pair = _lent()
    pair.lose_power()
    pair.wait(HOUR)
    pair.return_power()
    pair.wait(10 * HOUR)
    assert pair.state.credit.whole == -5000


@pytest.mark.parametrize(
    ("profile", "tenths", "message"),
    [("plain", 0, "gives no"), ("standard", 51, "too much credit")],
)
def test_it_is_refused_with_a_reason(profile: str, tenths: int, message: str) -> None:
    pair = VendAndMeter(profile=PROFILES[profile])
    pair.credit(tenths)
    before = pair.state
    with pytest.raises(EmergencyRefusedError, match=message) as caught:
        pair.take_emergency()
    assert caught.value.code == "METER_EMERGENCY"
    assert pair.state == before


def test_a_level_is_asked_for_exactly() -> None:
    levels = CreditLevels(low=None, very_low=None, emergency=100, emergency_from=1000, friendly=0)
    pair = VendAndMeter(unit_levels=levels)
    pair.credit(10)
    pair.take_emergency()
    assert emergency_left(pair.spec, pair.state) == 100


def test_the_short_code_takes_it_and_says_how_much_there_is() -> None:
    pair = _empty()
    shown = pair.short_code("90").short_code
    assert isinstance(shown, Shown)
    assert shown.blocks == (("EMERGENCY CREDIT", "5.000 kWh"),)
    assert pair.state.relay_closed
    again = pair.short_code("90").short_code
    assert isinstance(again, CodeRefused)
    assert again.fault is ShortCodeFault.NOT_NOW
