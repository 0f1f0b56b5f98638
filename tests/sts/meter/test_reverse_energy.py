"""Energy that flows backward, and what three phases add up to: one way of each make."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.meter.checks import failures
from sts.meter.energy import PhaseReading, phase_readings
from sts.meter.events import EventKind
from sts.meter.flow import Rates, rates_of
from sts.meter.outcomes import Accepted
from sts.meter.profiles import PROFILES, ReverseEnergy
from sts.meter.registers import FINE_PARTS
from sts.meter.state import PhaseEnergy, SupplyCause, TamperKind
from tests.pair import START, VendAndMeter

HOUR: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)
WATTS: Final = st.integers(-13_800, 13_800)


def _running(
    reverse: ReverseEnergy, load: int | tuple[int, ...], *, phases: int = 1
) -> VendAndMeter:
    pair = VendAndMeter(reverse_energy=reverse, phases=phases)
    pair.credit(100)
    pair.set_load(load)
    pair.events.clear()
    return pair


def _wh(pair: VendAndMeter) -> tuple[int, int, int]:
    state = pair.state
    return state.consumed.whole, state.exported.whole, state.credit.whole


@pytest.mark.parametrize(
    ("reverse", "readings"),
    [
        (ReverseEnergy.IGNORE, (0, 0, 10_000)),
        (ReverseEnergy.CHARGE, (2000, 0, 8000)),
        (ReverseEnergy.REGISTER, (0, 2000, 10_000)),
        (ReverseEnergy.TAMPER, (2000, 0, 8000)),
    ],
)
def test_what_one_phase_feeds_back(reverse: ReverseEnergy, readings: tuple[int, int, int]) -> None:
    pair = VendAndMeter(reverse_energy=reverse, reverse_tamper_s=600_000)
    pair.credit(100)
    pair.set_load(-1000)
    pair.wait(2 * HOUR)
    assert _wh(pair) == readings


@pytest.mark.parametrize(
    ("reverse", "rates"),
    [
        (ReverseEnergy.IGNORE, Rates(1300, 0, (1000, 300, 0), (0, 0, 0))),
        (ReverseEnergy.CHARGE, Rates(3000, 0, (1000, 300, 1700), (0, 0, 0))),
        (ReverseEnergy.TAMPER, Rates(3000, 0, (1000, 300, 1700), (0, 0, 0))),
        (ReverseEnergy.REGISTER, Rates(0, 400, (1000, 300, 0), (0, 0, 1700))),
    ],
)
def test_what_three_phases_add_up_to(reverse: ReverseEnergy, rates: Rates) -> None:
    assert rates_of(reverse, (1000, 300, -1700)) == rates


def test_a_phase_that_feeds_back_makes_up_for_one_that_draws() -> None:
    pair = _running(ReverseEnergy.REGISTER, (3000, 0, -1000), phases=3)
    pair.wait(HOUR)
    assert _wh(pair) == (2000, 0, 8000)
    drawn, idle, fed = pair.state.phase_energy
    assert (drawn.imported.whole, drawn.exported.whole) == (3000, 0)
    assert idle == PhaseEnergy()
    assert (fed.imported.whole, fed.exported.whole) == (0, 1000)


def test_net_export_adds_no_credit() -> None:
    pair = _running(ReverseEnergy.REGISTER, (500, 0, -2000), phases=3)
    pair.wait(HOUR)
    assert _wh(pair) == (0, 1500, 10_000)
    pair.set_load((2500, 0, -500))
    pair.wait(HOUR)
    assert _wh(pair) == (2000, 1500, 8000)


@given(
    reverse=st.sampled_from(ReverseEnergy),
    load=st.tuples(WATTS, WATTS, WATTS),
    tenths=st.integers(1, 300),
    span=st.timedeltas(timedelta(), timedelta(days=3)),
)
def test_phases_and_total_agree_even_at_the_cut(
    reverse: ReverseEnergy, load: tuple[int, int, int], tenths: int, span: timedelta
) -> None:
    pair = VendAndMeter(reverse_energy=reverse, phases=3)
    pair.credit(tenths)
    pair.set_load(load)
    pair.wait(span)
    assert list(failures(pair.spec, pair.state)) == []
    state = pair.state
    assert state.consumed.fine + state.credit.fine == state.credit_bought * FINE_PARTS


# --- reverse energy as tampering --------------------------------------------------------------


def test_reverse_energy_that_lasts_is_tampering() -> None:
    pair = _running(ReverseEnergy.TAMPER, -1000)
    pair.wait(HOUR)
    assert [(event.kind, event.tamper, event.at - START) for event in pair.events] == [
        (EventKind.TAMPER_DETECTED, TamperKind.REVERSE, 60 * SECOND),
        (EventKind.RELAY_OPENED, None, 60 * SECOND),
    ]
    assert pair.state.causes == {SupplyCause.TAMPER}
    assert pair.state.tamper_kinds == {TamperKind.REVERSE}
    assert isinstance(pair.clear_tamper(), Accepted)
    assert pair.state.relay_closed
    # It still flows backward, so it is noticed again.
    pair.wait(60 * SECOND)
    assert not pair.state.relay_closed


def test_reverse_energy_with_pauses_is_none() -> None:
    pair = _running(ReverseEnergy.TAMPER, -1000)
    for _ in range(5):
        pair.wait(59 * SECOND)
        pair.set_load(1)
        pair.wait(SECOND)
        pair.set_load(-1000)
    assert pair.events == []


def test_where_it_does_not_disconnect_it_is_only_noted_once() -> None:
    pair = _running(ReverseEnergy.TAMPER, (-100, 500, 500), phases=3)
    pair.write_flag(3, value=False)
    pair.wait(HOUR)
    assert [event.kind for event in pair.events] == [EventKind.TAMPER_DETECTED]
    assert pair.state.relay_closed


def test_a_meter_that_does_not_detect_tampering_does_not_watch_for_it() -> None:
    pair = _running(ReverseEnergy.TAMPER, -1000)
    pair.write_flag(1, value=False)
    pair.wait(HOUR)
    assert not pair.state.tampered
    pair.write_flag(1, value=True)
    pair.wait(60 * SECOND)
    assert pair.state.tampered


# --- tampering that lasts ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", [TamperKind.COVER, TamperKind.MAGNETIC])
def test_while_it_goes_on_the_status_cannot_be_cleared_for_long(kind: TamperKind) -> None:
    pair = VendAndMeter(profile=PROFILES["standard"])
    pair.credit(100)
    pair.tamper(kind, lasting=True)
    pair.events.clear()
    pair.clear_tamper()
    assert [event.kind for event in pair.events] == [
        EventKind.TAMPER_CLEARED,
        EventKind.TAMPER_DETECTED,
    ]
    assert pair.state.tamper_kinds == {kind}
    assert not pair.state.relay_closed
    pair.end_tamper(kind)
    assert pair.state.tampered
    pair.clear_tamper()
    assert not pair.state.tampered
    assert pair.state.relay_closed


def test_an_open_cover_is_noticed_once_it_is_watched_for() -> None:
    pair = VendAndMeter()
    pair.credit(100)
    pair.write_flag(1, value=False)
    pair.tamper(lasting=True)
    assert pair.state.relay_closed
    pair.write_flag(1, value=True)
    assert pair.state.tamper_kinds == {TamperKind.COVER}
    assert not pair.state.relay_closed


def test_a_cover_opened_without_power_opens_the_relay() -> None:
    pair = VendAndMeter()
    pair.credit(100)
    pair.lose_power()
    pair.tamper()
    assert not pair.state.relay_closed
    pair.return_power()
    assert pair.state.causes == {SupplyCause.TAMPER}
    pair.clear_tamper()
    assert pair.state.relay_closed


# --- readings ---------------------------------------------------------------------------------


def test_power_voltage_and_current_of_each_phase() -> None:
    pair = _running(ReverseEnergy.REGISTER, (2300, 0, -1150), phases=3)
    assert phase_readings(pair.spec, pair.state) == (
        PhaseReading(2300, 230, 10_000),
        PhaseReading(0, 230, 0),
        PhaseReading(-1150, 230, -5000),
    )
    pair.set_load((2300, 0, 0), 115, 0, 240)
    assert phase_readings(pair.spec, pair.state) == (
        PhaseReading(2300, 115, 20_000),
        PhaseReading(0, 0, 0),
        PhaseReading(0, 240, 0),
    )
    pair.lose_power()
    assert phase_readings(pair.spec, pair.state) == (PhaseReading(0, 0, 0),) * 3


def test_one_number_is_spread_over_the_phases() -> None:
    pair = _running(ReverseEnergy.REGISTER, 1000, phases=3)
    assert pair.state.watts == (334, 333, 333)
