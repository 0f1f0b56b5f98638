"""Blocks: how many units some money buys, and how many of them lie in which block.

All positions count from the beginning of the local month, in units. The blocks of several charges
(energy, a levy per unit) may have different ends; the price of a unit is the sum of their rates,
each with the taxes on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from vending_app.domain.tariff.charges import UnitCharge
from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.rates import ZERO, Tables, rate_on, total
from vending_app.domain.tariff.version import TariffVersion
from vending_app.domain.tariff_errors import TariffFreeError

TENTHS: Final = 10


@dataclass(frozen=True, slots=True)
class Step:
    """A block with the rate of the day; without end it is the last one."""

    start: Fraction
    end: Fraction | None
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Steps:
    """The blocks of one charge that apply to one purchase."""

    charge: UnitCharge
    steps: tuple[Step, ...]

    def at(self, position: Fraction) -> Step:
        """Return the block at a position; at a border, the one that begins there."""
        return next(step for step in self.steps if step.end is None or position < step.end)

    def used(self, start: Fraction, end: Fraction) -> Iterator[tuple[int, Step, Fraction]]:
        """Yield the number from 1, the block, and how much of a stretch lies in it, if any does."""
        for number, step in enumerate(self.steps, start=1):
            lower = max(start, step.start)
            upper = end if step.end is None else min(end, step.end)
            if lower < upper:
                yield number, step, upper - lower


def steps_for(
    version: TariffVersion, context: TariffContext, *, tendered_minor: int, tables: Tables
) -> tuple[Steps, ...]:
    """Return the blocks of each charge per unit that applies to a purchase.

    Raises:
        RateMissingError: A table has no rate for today.
    """
    found: list[Steps] = []
    for charge in version.unit_charges:
        for schedule in charge.schedules:
            if schedule.when.holds(context, tendered_minor=tendered_minor):
                rates = [
                    rate_on(block.rate, context.day, tables=tables) for block in schedule.blocks
                ]
                ends = [_units(block.up_to_tenths) for block in schedule.blocks]
                starts = [ZERO, *(end for end in ends if end is not None)]
                steps = tuple(
                    Step(start, end, rate)
                    for start, end, rate in zip(starts, ends, rates, strict=True)
                )
                found.append(Steps(charge, steps))
                break
    return tuple(found)


def units_for(
    left_minor: Fraction,
    bought: Fraction,
    *,
    steps: Sequence[Steps],
    loads: Mapping[str, Fraction],
) -> Fraction:
    """Return the most units that the money buys, after ``bought`` in this month.

    Units in a free block cost nothing, so that any purchase gets all of them.

    Raises:
        TariffFreeError: Units would be free without end.
    """
    position, money = bought, left_minor
    price = _price_at(position, steps, loads)
    for end in _ends_above(bought, steps):
        whole = (end - position) * price
        if whole > money:
            break
        position, money = end, money - whole
        price = _price_at(position, steps, loads)
    if not price:
        raise TariffFreeError("Units are free without end today.", path="/charges")
    units = money / price
    return units if position is bought else position - bought + units


def price_of(units: Fraction, bought: Fraction, *, steps: Sequence[Steps]) -> dict[str, Fraction]:
    """Return what some units cost on the line of each charge per unit, its taxes apart."""
    return {
        each.charge.code: total(
            amount * step.rate for _, step, amount in each.used(bought, bought + units)
        )
        for each in steps
    }


def _ends_above(position: Fraction, steps: Sequence[Steps]) -> list[Fraction]:
    """Return where blocks end above a position, in order."""
    ends = {step.end for each in steps for step in each.steps if step.end is not None}
    return sorted(end for end in ends if end > position)


def _price_at(
    position: Fraction, steps: Sequence[Steps], loads: Mapping[str, Fraction]
) -> Fraction:
    """Return what a unit costs at a position, with all taxes."""
    return total(each.at(position).rate * loads[each.charge.code] for each in steps)


@lru_cache(maxsize=1024)
def _units(tenths: int | None) -> Fraction | None:
    return None if tenths is None else Fraction(tenths, TENTHS)
