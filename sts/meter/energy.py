"""What energy costs, and how long credit lasts at the present load: questions, no time passes.

A quantity is counted in units times microseconds an hour (for electricity: W·µs), as in
``accounts``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sts.meter.flow import Rates, rates_of
from sts.meter.moments import MICROSECOND, microseconds_of
from sts.meter.registers import FINE_PARTS, PER_THOUSAND
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import MeterState
from sts.tokens import Service

HORIZON: Final = timedelta(days=3652)
"""How far ``cut_at`` looks ahead: ten years."""

_SECONDS_PER_HOUR: Final = 3600
_MILLI: Final = 1000


@dataclass(frozen=True, slots=True)
class PhaseReading:
    """What one phase carries now.

    Attributes:
        power_w: The power drawn; 0 while the relay is open, negative if it is fed back.
        voltage_v: The voltage.
        current_ma: The current, with the sign of the power.
    """

    power_w: int
    voltage_v: int
    current_ma: int


def price_at(spec: MeterSpec, when: datetime) -> int:
    """Return the price of a thousand units; of a meter in units, a thousand."""
    if spec.credit_kind is CreditKind.UNIT:
        return PER_THOUSAND
    begun = [period for period in spec.prices if period.starts_at <= when]
    return (begun or spec.prices)[-1 if begun else 0].per_thousand


def present_rates(spec: MeterSpec, watts: tuple[int, ...]) -> Rates:
    """Return how fast the registers run under a load while the relay is closed.

    Electricity flows as the load draws it, water and gas as they are let out, and time passes.
    """
    if spec.service is Service.TIME:
        return Rates(_SECONDS_PER_HOUR)
    if not spec.measures_power:
        return Rates(sum(watts))
    return rates_of(spec.profile.reverse_energy, watts or (0,))


def payable(spec: MeterSpec, state: MeterState, price: int) -> int:
    """Return the largest quantity that credit and emergency credit taken pay for.

    Whatever friendly hours allow beyond that is not counted.
    """
    floor = spec.min_credit * FINE_PARTS
    if state.emergency_floor is not None:
        floor = min(floor, state.emergency_floor.fine)
    return max(state.credit.fine - floor, 0) // price


def phase_readings(spec: MeterSpec, state: MeterState) -> tuple[PhaseReading, ...]:
    """Return power, voltage and current of each phase; none if the meter does not measure power."""
    if not spec.measures_power:
        return ()
    nothing = (0,) * spec.phases
    watts = state.watts if state.powered and state.relay_closed and state.watts else nothing
    volts = (state.volts or (spec.nominal_voltage_v,) * spec.phases) if state.powered else nothing
    return tuple(
        PhaseReading(power, voltage, _current_ma(power, voltage))
        for power, voltage in zip(watts, volts, strict=True)
    )


def _current_ma(power_w: int, voltage_v: int) -> int:
    """Return a current with the sign of its power, rounded toward zero."""
    magnitude = abs(power_w) * _MILLI // voltage_v if voltage_v else 0
    return -magnitude if power_w < 0 else magnitude


def cut_at(spec: MeterSpec, state: MeterState) -> datetime | None:
    """Return when credit will be used up at the present load; None if not in ten years.

    Friendly hours, and whatever else may open or close the relay before, are left aside.
    """
    rate = present_rates(spec, state.watts).imported
    if not state.relay_closed or not state.powered or not rate:
        return None
    latest = datetime.max.replace(tzinfo=UTC)
    begins, left = state.advanced_to, payable(spec, state, 1)
    for ends_at, price in _prices(spec, begins, begins + min(HORIZON, latest - begins)):
        lasts = -(-(left // price) // rate)
        if lasts <= microseconds_of(ends_at) - microseconds_of(begins):
            return begins + lasts * MICROSECOND
        left -= rate * price * (microseconds_of(ends_at) - microseconds_of(begins))
        begins = ends_at
    return None


def _prices(spec: MeterSpec, start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    """Cut the time from ``start`` to ``end`` where the price changes; give ends and prices."""
    changes = [period.starts_at for period in spec.prices if start < period.starts_at < end]
    begins = start
    for ends_at in (*changes, end):
        yield ends_at, price_at(spec, begins)
        begins = ends_at
