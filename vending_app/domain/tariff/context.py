"""What a quote must know of a customer: the local day, and what was bought before.

Months and days are those of the utility's calendar at the time of payment. ``Counters`` is what is
kept of a customer and service between two purchases; ``TariffContext`` is how it stands on a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vending_app.domain.tariff_errors import CounterError, CountersAheadError, TimeZoneError


@dataclass(frozen=True, slots=True)
class PaidTo:
    """How far a charge per day or month is paid.

    Attributes:
        day: The last local day that is paid in full; of a month, its last day.
        part_minor: What is paid toward the next day or month already, an exact fraction.

    Raises:
        CounterError: A part below nothing.
    """

    day: date
    part_minor: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        """Check the part."""
        if self.part_minor < 0:
            raise CounterError("What is paid of a charge cannot be below nothing.")


_NOTHING_PAID: Final[Mapping[str, PaidTo]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What was bought before, as it is kept.

    Attributes:
        month: The first day of the local month of the last purchase; none before the first.
        month_tenths: What the tokens of that month carry, in tenths of the service's unit.
        month_purchases: How many purchases that month had.
        paid_to: How far each charge per day or month is paid, by the code of the charge. A charge
            that is not named here is due for the present day or month only.

    Raises:
        CounterError: Not the first day of a month, a count below nothing, or counts without month.
    """

    month: date | None = None
    month_tenths: int = 0
    month_purchases: int = 0
    paid_to: Mapping[str, PaidTo] = field(default_factory=lambda: _NOTHING_PAID)

    def __post_init__(self) -> None:
        """Check the counts."""
        if self.month_tenths < 0 or self.month_purchases < 0:
            raise CounterError("What was bought in a month cannot be below nothing.")
        if self.month is None and (self.month_tenths or self.month_purchases):
            raise CounterError("What was bought in a month needs its month.")
        if self.month is not None and self.month.day != 1:
            raise CounterError("A month is named by its first day.")


FIRST_PURCHASE: Final = Counters()
"""The counters of somebody who has never bought anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffContext:
    """How a customer and service stand at the moment of payment.

    Attributes:
        day: The local day.
        month_tenths: Bought in this local month already, in tenths of the service's unit.
        month_purchases: Purchases in this local month before this one.
        first_purchase_ever: Whether nothing was ever bought before.
        paid_to: How far each charge per day or month is paid.
    """

    day: date
    month_tenths: int
    month_purchases: int
    first_purchase_ever: bool
    paid_to: Mapping[str, PaidTo]

    @classmethod
    def at(cls, now: datetime, *, time_zone: str, counters: Counters = FIRST_PURCHASE) -> Self:
        """Return how a customer stands now: a new local month begins with nothing bought.

        Raises:
            TimeZoneError: ``now`` has no zone, or there is no such zone.
            CountersAheadError: The last purchase was in a later month.
        """
        return cls.on(local_day(now, time_zone), counters=counters)

    @classmethod
    def on(cls, day: date, *, counters: Counters = FIRST_PURCHASE) -> Self:
        """Return how a customer stands on a local day.

        Raises:
            CountersAheadError: The last purchase was in a later month.
        """
        month = day.replace(day=1)
        if counters.month is not None and counters.month > month:
            # Selling on would give the blocks of a past month a second time.
            raise CountersAheadError(month=counters.month, day=day)
        same_month = counters.month == month
        return cls(
            day=day,
            month_tenths=counters.month_tenths if same_month else 0,
            month_purchases=counters.month_purchases if same_month else 0,
            first_purchase_ever=counters.month is None,
            paid_to=counters.paid_to,
        )

    @property
    def month(self) -> date:
        """The first day of the local month."""
        return self.day.replace(day=1)

    @property
    def first_purchase_of_month(self) -> bool:
        """Whether nothing was bought in this local month yet."""
        return self.month_purchases == 0


def local_day(now: datetime, time_zone: str) -> date:
    """Return the day that it is at ``now`` in a time zone.

    Raises:
        TimeZoneError: ``now`` has no zone, or there is no such zone.
    """
    if now.tzinfo is None:
        raise TimeZoneError
    try:
        return now.astimezone(UTC).astimezone(ZoneInfo(time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A name with odd characters, an absolute path or a folder of the database is no zone.
        raise TimeZoneError from None
