"""When a charge, or one of its schedules, applies: seasons, lifelines, first purchases.

A condition looks only at what is known before a purchase is worked out: the local calendar, what
was bought before, and the money tendered.
"""

from dataclasses import dataclass
from typing import Final

from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.rates import require_whole
from vending_app.domain.tariff_errors import TariffFigureError

_MONTHS: Final = range(1, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Everything that is set must hold; nothing set is always true.

    Attributes:
        months: The calendar months of a season, 1 to 12 in rising order; none for all the year.
        first_purchase_of_month: Only for the first purchase of the local month.
        first_purchase_ever: Only for the very first purchase.
        month_below_tenths: Only while less than this was bought in the local month, before this
            purchase.
        purchase_at_most_minor: Only for purchases of at most this much money.

    Raises:
        TariffFigureError: Months that are none or in disorder, or a limit that is not positive.
    """

    months: tuple[int, ...] = ()
    first_purchase_of_month: bool = False
    first_purchase_ever: bool = False
    month_below_tenths: int | None = None
    purchase_at_most_minor: int | None = None

    def __post_init__(self) -> None:
        """Check the figures."""
        if list(self.months) != sorted(set(self.months) & set(_MONTHS)):
            raise TariffFigureError("Months are 1 to 12, each once, in order.", path="/months")
        for name in ("month_below_tenths", "purchase_at_most_minor"):
            limit = getattr(self, name)
            if limit is not None:
                require_whole(limit, path=f"/{name}", smallest=1)

    @property
    def always(self) -> bool:
        """Whether it holds whatever happens."""
        return self == ALWAYS

    def holds(self, context: TariffContext, *, tendered_minor: int) -> bool:
        """Tell whether it holds for a purchase."""
        below, at_most = self.month_below_tenths, self.purchase_at_most_minor
        return (
            (not self.months or context.day.month in self.months)
            and (not self.first_purchase_of_month or context.first_purchase_of_month)
            and (not self.first_purchase_ever or context.first_purchase_ever)
            and (below is None or context.month_tenths < below)
            and (at_most is None or tendered_minor <= at_most)
        )


ALWAYS: Final = Condition()
