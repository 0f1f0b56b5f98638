"""The network fails and returns: what a meter keeps and what it forgets."""

from datetime import timedelta
from typing import Final

import pytest

from sts.meter.energy import cut_at
from sts.meter.errors import MeterPowerError
from sts.meter.events import EventKind
from sts.meter.indicators import WITHOUT_POWER
from sts.meter.keypad import EMPTY
from sts.meter.lockout import NO_LOCKOUT, Lockout
from sts.meter.outcomes import PartStored
from sts.meter.profiles import ReconnectPolicy
from sts.meter.spec import CreditKind, PricePeriod
from sts.meter.state import Volatile
from tests.pair import START, VendAndMeter

LOCKED: Final = Lockout(refusals=3, until=START + timedelta(hours=5))


def _in_use() -> VendAndMeter:
    pair = VendAndMeter()
    pair.credit(100)
    pair.set_load(1000)
    pair.wait(timedelta(hours=1))
    return pair


def test_without_power_nothing_flows_and_time_passes() -> None:
    pair = _in_use()
    pair.lose_power()
    before = pair.state
    pair.wait(timedelta(days=30))
    assert (pair.state.credit, pair.state.consumed) == (before.credit, before.consumed)
    assert pair.state.advanced_to == pair.now


def test_the_relay_stays_where_it_is_and_supply_goes_on_with_the_power() -> None:
    pair = _in_use()
    pair.lose_power()
    pair.wait(timedelta(days=1))
    assert pair.state.relay_closed
    pair.return_power()
    pair.wait(timedelta(hours=1))
    assert pair.state.credit.whole == 8000


def test_going_and_coming_are_events() -> None:
    pair = _in_use()
    pair.events.clear()
    pair.lose_power()
    pair.wait(timedelta(minutes=5))
    pair.return_power()
    assert [(event.kind, event.at) for event in pair.events] == [
        (EventKind.POWER_LOST, START + timedelta(hours=1)),
        (EventKind.POWER_RETURNED, START + timedelta(hours=1, minutes=5)),
    ]


def test_power_that_is_gone_cannot_go_nor_come_twice() -> None:
    pair = _in_use()
    pair.return_power()
    pair.lose_power()
    state = pair.state
    pair.lose_power()
    assert pair.state == state
    pair.return_power()
    pair.return_power()
    kinds = [event.kind for event in pair.events]
    assert kinds.count(EventKind.POWER_LOST) == kinds.count(EventKind.POWER_RETURNED) == 1


def test_all_that_is_volatile_is_forgotten() -> None:
    pair = _in_use()
    first, second, *_ = pair.key_change_digits({})
    assert isinstance(pair.enter(first), PartStored)
    pair.keys("123")
    pair.lose_power()
    assert pair.volatile == Volatile()
    pair.return_power()
    outcome = pair.enter(second)
    assert isinstance(outcome, PartStored)
    assert 1 in outcome.missing


def test_switching_on_a_meter_that_is_on_forgets_nothing() -> None:
    pair = _in_use()
    pair.keys("123")
    pair.return_power()
    assert pair.volatile.keypad.digits == "123"


@pytest.mark.parametrize(("survives", "after"), [(False, NO_LOCKOUT), (True, LOCKED)])
def test_the_lock_out_survives_where_the_meter_was_built_so(
    *, survives: bool, after: Lockout
) -> None:
    pair = VendAndMeter(lockout_survives_power_cycle=survives)
    pair.rebuild(lockout=LOCKED)
    pair.lose_power()
    pair.return_power()
    assert pair.state.lockout == after


def test_a_dead_meter_takes_no_keys_no_tokens_and_no_codes() -> None:
    pair = _in_use()
    pair.lose_power()
    before = pair.state
    for act in (
        lambda: pair.keys("1"),
        lambda: pair.short_code("01"),
        lambda: pair.credit(1),
    ):
        with pytest.raises(MeterPowerError) as refused:
            act()
        assert refused.value.code == "METER_WITHOUT_POWER"
    assert pair.state == before
    assert pair.volatile.keypad == EMPTY


def test_a_dead_meter_is_dark_and_blank() -> None:
    pair = _in_use()
    pair.lose_power()
    assert pair.face().lines == ("",) * 4
    assert pair.face().indicators == WITHOUT_POWER


def test_the_button_of_a_dead_meter_does_nothing() -> None:
    pair = VendAndMeter(reconnect=ReconnectPolicy.BUTTON)
    pair.credit(10)
    pair.lose_power()
    pair.press()
    assert not pair.state.relay_closed
    pair.return_power()
    assert not pair.state.relay_closed
    pair.press()
    assert pair.state.relay_closed


def test_without_power_credit_has_no_end() -> None:
    pair = _in_use()
    pair.lose_power()
    assert cut_at(pair.spec, pair.state) is None


def test_a_price_that_rises_while_the_power_is_off_counts_when_it_returns() -> None:
    prices = (
        PricePeriod(starts_at=START, per_thousand=100),
        PricePeriod(starts_at=START + timedelta(hours=1), per_thousand=10**12),
    )
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, prices=prices)
    pair.currency_credit(1)
    assert pair.state.relay_closed
    pair.lose_power()
    pair.wait(timedelta(hours=2))
    assert pair.state.relay_closed
    pair.return_power()
    assert pair.state.credit.whole == 1
