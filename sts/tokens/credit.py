"""Class 0: credit in units or in currency."""

from dataclasses import dataclass
from typing import ClassVar

from sts.amount import CurrencyAmount, UnitAmount
from sts.tokens.vocabulary import Service, require_type, require_width


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCredit:
    """Credit in units of a service (class 0, subclasses 0 to 3).

    Attributes:
        service: What the credit buys.
        rnd: 4 random bits.
        tid: Token identifier, minutes since the base date, 24 bits.
        amount: Tenths of a kWh, m³ or minute.
    """

    token_class: ClassVar[int] = 0
    service: Service
    rnd: int
    tid: int
    amount: UnitAmount

    def __post_init__(self) -> None:
        """Check widths and types."""
        require_width("rnd", self.rnd, 4)
        require_width("tid", self.tid, 24)
        require_type("service", self.service, Service)
        require_type("amount", self.amount, UnitAmount)

    @property
    def subclass(self) -> int:
        """The service's number."""
        return int(self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCurrencyCredit:
    """Credit in currency for a service (class 0, subclasses 4 to 7, 2018 edition).

    There are no random bits: sign and exponent take their place.

    Attributes:
        service: What the credit buys.
        tid: Token identifier, minutes since the base date, 24 bits.
        amount: 0.00001 of the currency, positive or negative.
    """

    token_class: ClassVar[int] = 0
    service: Service
    tid: int
    amount: CurrencyAmount

    def __post_init__(self) -> None:
        """Check width and types."""
        require_width("tid", self.tid, 24)
        require_type("service", self.service, Service)
        require_type("amount", self.amount, CurrencyAmount)

    @property
    def subclass(self) -> int:
        """The service's number above 4."""
        return int(self.service) + 4
