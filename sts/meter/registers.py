"""Registers that lose nothing: whole units and an exact carry, and the units of each service.

A constant load of so many units an hour, over so many microseconds, at a price for a thousand
units: the product of the three is a whole number of fine parts of a register's unit. So registers
are counted in fine parts, and no energy and no money is ever rounded away.

    =============  ==============  ================  =========================
    service        register unit   shown as          a tenth in a token is
    =============  ==============  ================  =========================
    electricity    Wh              kWh, 3 decimals   100 Wh
    water, gas     litre           m³, 3 decimals    100 litres
    time           second          minutes, seconds  6 seconds
    in currency    0.00001         5 decimals        (tokens count the same)
    =============  ==============  ================  =========================
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from sts.meter.errors import MeterStateError
from sts.tokens import Service

MICROSECONDS_PER_HOUR: Final = 3_600_000_000
PER_THOUSAND: Final = 1000
FINE_PARTS: Final = MICROSECONDS_PER_HOUR * PER_THOUSAND
"""Into how many parts a register's unit is divided."""
LARGEST_REGISTER: Final = 2**63 - 1
"""The largest magnitude of a register in whole units: 63 bits and a sign."""


@dataclass(frozen=True, slots=True)
class Register:
    """A quantity in whole units and fine parts; ``carry`` always counts upward.

    Attributes:
        whole: Whole units, rounded down; 63 bits and a sign.
        carry: Fine parts beyond them, 0 to 3 599 999 999 999.

    Raises:
        MeterStateError: A part is out of its range.
    """

    whole: int = 0
    carry: int = 0

    def __post_init__(self) -> None:
        """Check both ranges."""
        if not -LARGEST_REGISTER <= self.whole <= LARGEST_REGISTER:
            raise MeterStateError("register", "more than 63 bits")
        if not 0 <= self.carry < FINE_PARTS:
            raise MeterStateError("register", "the carry is not below one unit")

    @classmethod
    def from_fine(cls, fine: int) -> Self:
        """Make the register of so many fine parts."""
        return cls(*divmod(fine, FINE_PARTS))

    @property
    def fine(self) -> int:
        """The whole content in fine parts."""
        return self.whole * FINE_PARTS + self.carry

    def plus(self, units: int) -> Self:
        """Return the register with whole units added.

        Raises:
            MeterStateError: The sum has more than 63 bits.
        """
        return type(self)(self.whole + units, self.carry)

    def plus_fine(self, fine: int) -> Self:
        """Return the register with fine parts added.

        Raises:
            MeterStateError: The sum has more than 63 bits.
        """
        return self.from_fine(self.fine + fine)


@dataclass(frozen=True, slots=True)
class Measure:
    """How one service is counted.

    Attributes:
        unit: The register's unit.
        per_tenth: How many of them one tenth of a token's unit is (IEC 62055-41, 6.3.6).
    """

    unit: str
    per_tenth: int


MEASURES: Final[Mapping[Service, Measure]] = {
    Service.ELECTRICITY: Measure("Wh", 100),
    Service.WATER: Measure("litre", 100),
    Service.GAS: Measure("litre", 100),
    Service.TIME: Measure("second", 6),
}
"""Service to its measure."""
