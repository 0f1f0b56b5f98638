"""What a load means for the registers: one table, by what a make does with reverse energy.

Power is positive when the customer draws it. On three phases, makes add them up in one of three
ways (Landis+Gyr's manual of the E450 has the names):

    reverse energy     phase registers            total                        summation
    -----------------  -------------------------  ---------------------------  ------------------
    ignore             forward part               sum of the forward parts     by magnitude, one way
    charge, tamper     magnitude                  sum of the magnitudes        absolute magnitude
    register           forward and reverse part   sum with signs; one of the   vectorial
                                                  two registers runs at a time

Credit and the power limit follow the total import, so under ``register`` a phase that feeds back
makes up for one that draws at the same instant. It never adds credit.
"""

from collections.abc import Callable, Mapping
from operator import sub
from typing import Final, NamedTuple

from sts.meter.profiles import ReverseEnergy


class Rates(NamedTuple):
    """How fast the registers run, in units an hour (W for electricity).

    Attributes:
        imported: The total that is consumed.
        exported: The total that flows back.
        phases_imported: The same for each of several phases; none of a single one.
        phases_exported: As above.
    """

    imported: int
    exported: int = 0
    phases_imported: tuple[int, ...] = ()
    phases_exported: tuple[int, ...] = ()


NOTHING: Final = Rates(0)


def rates_of(reverse_energy: ReverseEnergy, watts: tuple[int, ...]) -> Rates:
    """Return how fast the registers of an electricity meter run under a load."""
    return _SUMMATIONS[reverse_energy](watts)


def _one_way(watts: tuple[int, ...]) -> Rates:
    if len(watts) == 1:
        return Rates(max(watts[0], 0))
    forward, _ = _parts(watts)
    return Rates(sum(forward), 0, forward, (0,) * len(watts))


def _absolute(watts: tuple[int, ...]) -> Rates:
    if len(watts) == 1:
        return Rates(abs(watts[0]))
    magnitudes = tuple(map(abs, watts))
    return Rates(sum(magnitudes), 0, magnitudes, (0,) * len(watts))


def _vectorial(watts: tuple[int, ...]) -> Rates:
    total = sum(watts)
    if len(watts) == 1:
        return Rates(max(total, 0), max(-total, 0))
    return Rates(max(total, 0), max(-total, 0), *_parts(watts))


def _parts(watts: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what each phase draws, and what it feeds back."""
    if min(watts) >= 0:
        return watts, (0,) * len(watts)
    # A list is quicker than a generator, and a year of minutes comes through here.
    forward = tuple([max(0, power) for power in watts])
    return forward, tuple(map(sub, forward, watts))


_SUMMATIONS: Final[Mapping[ReverseEnergy, Callable[[tuple[int, ...]], Rates]]] = {
    ReverseEnergy.IGNORE: _one_way,
    ReverseEnergy.CHARGE: _absolute,
    ReverseEnergy.TAMPER: _absolute,
    ReverseEnergy.REGISTER: _vectorial,
}
