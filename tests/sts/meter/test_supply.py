"""Credit counts down exactly, and the relay opens at the instant it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.errors import NaiveDatetimeError
from sts.meter.energy import cut_at
from sts.meter.errors import LoadError, MeterLoadError
from sts.meter.events import Event, EventKind
from sts.meter.outcomes import Accepted
from sts.meter.profiles import ReconnectPolicy
from sts.meter.registers import FINE_PARTS, Register
from sts.meter.spec import CreditKind, PricePeriod
from sts.meter.state import SupplyCause
from sts.meter.supply import CAUSES, advance, set_load, settle
from sts.tokens import Service
from tests.pair import START, VendAndMeter

HOUR: Final = timedelta(hours=1)
LOADS: Final = st.integers(0, 13_800)
SPANS: Final = st.timedeltas(timedelta(), timedelta(days=9))


def _running(tenths: int, load_w: int, **built: Any) -> VendAndMeter:
    pair = VendAndMeter(**built)
    pair.credit(tenths)
    pair.set_load(load_w)
    pair.events.clear()
    return pair


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour() -> None:
    pair = _running(100, 1000)
    pair.wait(HOUR)
    assert pair.state.consumed == Register(1000)
    assert pair.state.credit == Register(9000)


def test_what_is_below_a_watt_hour_is_carried_not_lost() -> None:
    pair = _running(100, 7)
    for _ in range(3600):
        pair.wait(timedelta(seconds=1))
    assert pair.state.consumed == Register(7)
    assert pair.state.credit == Register(9993)


def test_the_relay_opens_at_the_instant_credit_ends() -> None:
    pair = _running(1, 2300)
    pair.wait(HOUR)
    # 100 Wh at 2300 W last 156.52173913… s; the instant is the next whole microsecond.
    assert pair.events == [
        Event(
            at=START + timedelta(microseconds=156_521_740),
            kind=EventKind.RELAY_OPENED,
            cause=SupplyCause.CREDIT_EXHAUSTED,
            credit=0,
            consumed=100,
        )
    ]
    assert pair.state.credit == Register()
    assert pair.state.consumed == Register(100)
    assert pair.state.advanced_to == START + HOUR


def test_no_energy_flows_after_the_cut() -> None:
    pair = _running(1, 2300)
    pair.wait(HOUR)
    pair.wait(timedelta(days=365))
    assert pair.state.consumed == Register(100)
    assert len(pair.events) == 1


@pytest.mark.parametrize("early", [0, 1])
def test_the_cut_falls_neither_a_microsecond_early_nor_late(early: int) -> None:
    pair = _running(1, 3600)
    instant = timedelta(seconds=100)
    pair.wait(instant - timedelta(microseconds=early))
    assert pair.state.relay_closed is bool(early)


def test_a_new_token_after_the_cut_closes_the_relay_again() -> None:
    pair = _running(1, 2300)
    pair.wait(HOUR)
    assert isinstance(pair.credit(1), Accepted)
    assert pair.state.relay_closed
    assert pair.events[-1] == Event(
        at=START + HOUR,
        kind=EventKind.RELAY_CLOSED,
        cause=SupplyCause.CREDIT_EXHAUSTED,
        credit=100,
        consumed=100,
    )


def test_a_meter_that_waits_for_the_button_stays_open_until_it_is_pressed() -> None:
    pair = VendAndMeter(reconnect=ReconnectPolicy.BUTTON)
    pair.press()
    assert not pair.state.relay_closed
    pair.credit(1)
    assert not pair.state.relay_closed
    assert pair.state.causes == frozenset()
    pair.press()
    assert pair.state.relay_closed
    pair.press()
    assert [event.kind for event in pair.events] == [EventKind.RELAY_CLOSED]


def test_supply_needs_every_cause_to_go() -> None:
    pair = _running(10, 0)
    pair.tamper()
    pair.write_flag(2, value=True)
    pair.clear_credit()
    causes = {SupplyCause.CREDIT_EXHAUSTED, SupplyCause.TAMPER, SupplyCause.REMOTE}
    assert pair.state.causes == causes
    pair.clear_tamper()
    pair.credit(1)
    assert pair.state.causes == {SupplyCause.REMOTE}
    pair.write_flag(2, value=False)
    assert pair.state.relay_closed


def test_every_cause_has_words() -> None:
    assert set(CAUSES) == set(SupplyCause)


def test_a_debt_is_paid_off_before_supply_returns() -> None:
    pair = VendAndMeter(min_credit=-200)
    pair.credit(1)
    pair.set_load(1000)
    pair.wait(HOUR)
    assert pair.state.credit == Register(-200)
    pair.credit(2)
    assert pair.state.credit == Register()
    assert not pair.state.relay_closed
    pair.credit(1)
    assert pair.state.relay_closed


def test_time_never_runs_backward() -> None:
    pair = _running(10, 1000)
    pair.wait(HOUR)
    assert advance(pair.spec, pair.state, START).state is pair.state


def test_a_time_without_a_zone_is_refused() -> None:
    pair = _running(10, 1000)
    with pytest.raises(NaiveDatetimeError):
        advance(pair.spec, pair.state, START.replace(tzinfo=None))


@given(load_w=LOADS, tenths=st.integers(0, 5000), first=SPANS, second=SPANS)
def test_where_time_is_cut_makes_no_difference(
    load_w: int, tenths: int, first: timedelta, second: timedelta
) -> None:
    pair = _running(tenths, load_w)
    once = advance(pair.spec, pair.state, START + first + second)
    half = advance(pair.spec, pair.state, START + first)
    twice = advance(pair.spec, half.state, START + first + second)
    assert twice.state == once.state
    assert (*half.events, *twice.events) == once.events


@given(load_w=LOADS, tenths=st.integers(0, 5000), span=SPANS)
def test_what_was_bought_is_consumed_or_left(load_w: int, tenths: int, span: timedelta) -> None:
    pair = _running(tenths, load_w)
    state = advance(pair.spec, pair.state, START + span).state
    assert state.consumed.fine + state.credit.fine == state.credit_bought * FINE_PARTS
    assert state.credit.fine >= 0
    assert state.relay_closed == (state.credit.fine > 0)


@given(load_w=st.integers(1, 13_800), tenths=st.integers(1, 5000))
def test_the_predicted_end_of_credit_is_where_it_ends(load_w: int, tenths: int) -> None:
    pair = _running(tenths, load_w)
    predicted = cut_at(pair.spec, pair.state)
    if predicted is None:
        assert tenths * 100 / load_w > 24 * 3652
    else:
        before = advance(pair.spec, pair.state, predicted - timedelta(microseconds=1)).state
        at = advance(pair.spec, pair.state, predicted).state
        assert (before.relay_closed, at.relay_closed) == (True, False)


def test_credit_that_is_not_used_has_no_end() -> None:
    pair = _running(10, 0)
    assert cut_at(pair.spec, pair.state) is None
    pair.clear_credit()
    assert cut_at(pair.spec, pair.state) is None


def test_the_prediction_stops_at_the_end_of_the_calendar() -> None:
    pair = _running(10, 1)
    late = replace(pair.state, advanced_to=datetime(9999, 12, 31, tzinfo=UTC))
    assert cut_at(pair.spec, late) is None


@pytest.mark.parametrize("load", [138_001, -138_001, (1, 2, 3)])
def test_loads_beyond_what_a_meter_bears_are_refused(load: int | tuple[int, ...]) -> None:
    pair = VendAndMeter()
    with pytest.raises(MeterLoadError) as caught:
        set_load(pair.spec, pair.state, load)
    assert caught.value.code == "METER_LOAD"


@pytest.mark.parametrize("load", [True, 2.5, "1", (1.0,), (), (1, 2)])
def test_what_is_no_load_is_refused(load: Any) -> None:  # noqa: ANN401 - wrong types
    pair = VendAndMeter()
    with pytest.raises(LoadError) as caught:
        set_load(pair.spec, pair.state, load)
    assert caught.value.code == "METER_LOAD_DESCRIPTION"


def test_a_settled_meter_stays_as_it_is() -> None:
    pair = _running(10, 1000)
    assert settle(pair.spec, pair.state).state == pair.state


# --- other services, and currency -------------------------------------------------------------


def test_time_passes_without_a_load() -> None:
    pair = VendAndMeter(service=Service.TIME)
    pair.credit(25)
    pair.wait(HOUR)
    assert pair.events[-1].at == START + timedelta(minutes=2, seconds=30)
    assert pair.state.consumed == Register(150)


def test_water_flows_in_litres_an_hour() -> None:
    pair = VendAndMeter(service=Service.WATER)
    pair.credit(10)
    pair.set_load(500)
    pair.wait(HOUR)
    assert pair.state.credit == Register(500)


def test_a_currency_meter_charges_the_price_of_what_flows() -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY)
    pair.currency_credit(342_500)
    bought = pair.state.credit_bought
    pair.set_load(500)
    pair.wait(HOUR)
    assert pair.state.consumed == Register(500)
    assert pair.state.credit == Register(bought - 171_250)


def test_a_price_changes_at_its_moment() -> None:
    prices = (
        PricePeriod(starts_at=START, per_thousand=100_000),
        PricePeriod(starts_at=START + HOUR, per_thousand=200_000),
        PricePeriod(starts_at=START + 3 * HOUR, per_thousand=1),
    )
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, prices=prices)
    pair.currency_credit(1_000_000)
    bought = pair.state.credit_bought
    pair.set_load(1000)
    pair.wait(2 * HOUR)
    assert pair.state.credit == Register(bought - 300_000)


def test_before_the_first_price_the_first_price_holds() -> None:
    prices = (PricePeriod(starts_at=START + 9 * HOUR, per_thousand=100_000),)
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, prices=prices)
    pair.currency_credit(100_000)
    bought = pair.state.credit_bought
    pair.set_load(1000)
    pair.wait(HOUR / 2)
    assert pair.state.credit == Register(bought - 50_000)


def test_a_remainder_that_a_new_price_is_too_high_for_ends_supply_at_that_moment() -> None:
    prices = (
        PricePeriod(starts_at=START, per_thousand=1),
        PricePeriod(starts_at=START + HOUR, per_thousand=10**12),
    )
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, prices=prices)
    pair.currency_credit(100)
    pair.rebuild(credit=Register(0, 3_600_000_000 + 5))
    pair.set_load(1)
    pair.events.clear()
    pair.wait(2 * HOUR)
    assert [event.at for event in pair.events] == [START + HOUR]
    assert pair.state.credit == Register(0, 5)


@given(
    prices=st.lists(st.integers(1, 10**7), min_size=1, max_size=4),
    load_w=LOADS,
    units=st.integers(1, 10**9),
    first=SPANS,
    second=SPANS,
)
def test_where_time_is_cut_makes_no_difference_to_money_either(
    prices: list[int], load_w: int, units: int, first: timedelta, second: timedelta
) -> None:
    table = tuple(
        PricePeriod(starts_at=START + index * 36 * HOUR, per_thousand=price)
        for index, price in enumerate(prices)
    )
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, prices=table)
    pair.currency_credit(units)
    pair.set_load(load_w)
    once = advance(pair.spec, pair.state, START + first + second)
    half = advance(pair.spec, pair.state, START + first)
    twice = advance(pair.spec, half.state, START + first + second)
    assert twice.state == once.state
    assert (*half.events, *twice.events) == once.events


@given(price=st.integers(1, 10**12), load_w=LOADS, units=st.integers(1, 10**12), span=SPANS)
def test_money_is_spent_or_left(price: int, load_w: int, units: int, span: timedelta) -> None:
    table = (PricePeriod(starts_at=START, per_thousand=price),)
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, prices=table)
    pair.currency_credit(units)
    pair.set_load(load_w)
    pair.wait(span)
    spent = pair.state.consumed.fine * price // 1000
    assert spent + pair.state.credit.fine == pair.state.credit_bought * FINE_PARTS
    assert pair.state.relay_closed == (pair.state.credit.fine >= price)
