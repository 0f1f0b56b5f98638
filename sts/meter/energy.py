"""Energy in exact whole numbers: what flows, what it costs, how long credit lasts.

A quantity is counted in units times microseconds an hour (for electricity: W·µs), the smallest
thing that a whole load can pass in the smallest time that a datetime knows. 3 600 000 000 of them
are a unit of the register; times the price of a thousand units they are fine parts of credit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sts.meter.registers import FINE_PARTS, PER_THOUSAND
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import MeterState
from sts.tokens import Service

_SECONDS_PER_HOUR: Final = 3600
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which the price stays the same.

    Attributes:
        ends_at: Its end.
        price: Of a thousand register units, in credit units.
    """

    ends_at: datetime
    price: int


def price_at(spec: MeterSpec, when: datetime) -> int:
    """Return the price of a thousand units; of a meter in units, a thousand."""
    if spec.credit_kind is CreditKind.UNIT:
        return PER_THOUSAND
    begun = [period for period in spec.prices if period.starts_at <= when]
    return (begun or spec.prices)[-1 if begun else 0].per_thousand


def stretches(spec: MeterSpec, start: datetime, end: datetime) -> Iterator[Stretch]:
    """Cut the time from ``start`` to ``end`` where the price changes."""
    changes = [period.starts_at for period in spec.prices if start < period.starts_at < end]
    begins = start
    for ends_at in (*changes, end):
        yield Stretch(ends_at=ends_at, price=price_at(spec, begins))
        begins = ends_at


def rate_per_hour(spec: MeterSpec, state: MeterState) -> int:
    """Return how many register units flow in an hour while the relay is closed.

    Electricity flows as the load draws it, water and gas as they are let out, and time passes.
    """
    return _SECONDS_PER_HOUR if spec.service is Service.TIME else state.load_w


def payable(spec: MeterSpec, state: MeterState, price: int) -> int:
    """Return the largest quantity that the credit pays for; 0 means that it is exhausted."""
    return max(state.credit.fine - spec.min_credit * FINE_PARTS, 0) // price


def after_flow(state: MeterState, quantity: int, price: int) -> MeterState:
    """Return the state after a quantity has flowed and been paid for."""
    return replace(
        state,
        credit=state.credit.plus_fine(-quantity * price),
        consumed=state.consumed.plus_fine(quantity * PER_THOUSAND),
    )


def microseconds_between(start: datetime, end: datetime) -> int:
    """Return the time between two moments."""
    return (end - start) // _MICROSECOND


def microseconds_until(quantity: int, rate: int) -> int:
    """Return the first microsecond at which ``quantity`` has flowed at ``rate`` an hour."""
    return -(-quantity // rate)


def moment_after(start: datetime, microseconds: int) -> datetime:
    """Return the moment so many microseconds after ``start``."""
    return start + microseconds * _MICROSECOND
