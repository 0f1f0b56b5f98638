"""Class 2 with a token identifier: management of one meter."""

from dataclasses import dataclass
from typing import ClassVar

from sts.amount import PowerLimit
from sts.tokens.meter_test import EXTENDED_FLAG_INDEX
from sts.tokens.vocabulary import CreditRegister, require_type, require_width


@dataclass(frozen=True, slots=True, kw_only=True)
class _Management:
    """What the meter-specific management tokens (class 2) with a token identifier share.

    Attributes:
        rnd: 4 random bits.
        tid: Token identifier, minutes since the base date, 24 bits.
    """

    token_class: ClassVar[int] = 2
    rnd: int
    tid: int

    def __post_init__(self) -> None:
        """Check the widths."""
        require_width("rnd", self.rnd, 4)
        require_width("tid", self.tid, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMaximumPowerLimit(_Management):
    """Load the limit of the power that may be drawn (class 2, subclass 0)."""

    subclass: ClassVar[int] = 0
    limit: PowerLimit

    def __post_init__(self) -> None:
        """Check widths and type."""
        _Management.__post_init__(self)
        require_type("limit", self.limit, PowerLimit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCredit(_Management):
    """Set one credit register, or all, to zero (class 2, subclass 1)."""

    subclass: ClassVar[int] = 1
    register: CreditRegister

    def __post_init__(self) -> None:
        """Check widths and type."""
        _Management.__post_init__(self)
        require_type("register", self.register, CreditRegister)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTariffRate(_Management):
    """Reserved by the standard; the 16 bits have no meaning yet (class 2, subclass 2)."""

    subclass: ClassVar[int] = 2
    rate: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _Management.__post_init__(self)
        require_width("rate", self.rate, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTamperCondition(_Management):
    """Clear the tamper status and what it caused (class 2, subclass 5)."""

    subclass: ClassVar[int] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMaximumPhasePowerUnbalanceLimit(_Management):
    """Load the limit of the power difference between phases (class 2, subclass 6)."""

    subclass: ClassVar[int] = 6
    limit: PowerLimit

    def __post_init__(self) -> None:
        """Check widths and type."""
        _Management.__post_init__(self)
        require_type("limit", self.limit, PowerLimit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWaterMeterFactor(_Management):
    """Reserved by the standard; the 16 bits have no meaning yet (class 2, subclass 7)."""

    subclass: ClassVar[int] = 7
    factor: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _Management.__post_init__(self)
        require_width("factor", self.factor, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteExtended(_Management):
    """Write a value of the extended token set (class 2, subclass 10; STS 202-5).

    Attributes:
        index: Which register, 6 bits; 63 is the flags.
        data: 10 bits; of a flag, its number in the upper 9 and its value in the lowest.
    """

    subclass: ClassVar[int] = 10
    index: int
    data: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _Management.__post_init__(self)
        require_width("index", self.index, 6)
        require_width("data", self.data, 10)

    @property
    def flag_number(self) -> int | None:
        """The flag written to, or None if another register is."""
        return self.data >> 1 if self.index == EXTENDED_FLAG_INDEX else None

    @property
    def flag_value(self) -> bool | None:
        """The value written to the flag, or None if another register is written."""
        return bool(self.data & 1) if self.index == EXTENDED_FLAG_INDEX else None
