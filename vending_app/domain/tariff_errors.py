"""Every way in which a tariff is refused, or refuses a sale.

One branch of the tree of ``vending_app.domain.errors``, in a module of its own for its length. What
is wrong with a definition carries the path to it, as a JSON pointer into the document form of the
tariff: ``/charges/2/percent``. The path is empty where the whole is meant.

    TariffError                       TARIFF
    ├── TariffDefinitionError         a tariff that cannot be, with the path to the fault
    │   ├── TariffJsonError           TARIFF_JSON
    │   ├── TariffFieldMissingError   TARIFF_FIELD_MISSING
    │   ├── TariffFieldUnknownError   TARIFF_FIELD_UNKNOWN
    │   ├── TariffFieldTypeError      TARIFF_FIELD_TYPE
    │   ├── TariffSpellingError       TARIFF_SPELLING
    │   ├── TariffNameError           TARIFF_NAME
    │   ├── TariffNameTwiceError      TARIFF_NAME_TWICE
    │   ├── TariffFigureError         TARIFF_FIGURE
    │   ├── TariffDatesError          TARIFF_DATES
    │   ├── TariffBlocksError         TARIFF_BLOCKS
    │   ├── TariffGoodsError          TARIFF_GOODS
    │   ├── TariffFreeError           TARIFF_FREE
    │   ├── TariffBasisError          TARIFF_BASIS
    │   └── TariffLoopError           TARIFF_LOOP
    ├── TariffNotEffectiveError       TARIFF_NOT_EFFECTIVE
    ├── RateMissingError              RATE_MISSING
    ├── AmountBelowChargesError       AMOUNT_BELOW_CHARGES
    ├── TooManyTokensError            TOO_MANY_TOKENS
    ├── UnitsNotForSaleError          UNITS_NOT_FOR_SALE
    ├── TimeZoneError                 TIME_ZONE
    ├── CounterError                  TARIFF_COUNTER
    └── CountersAheadError            COUNTERS_AHEAD
"""

from collections.abc import Sequence
from datetime import date

from vending_app.domain.errors import TariffError

# --- definitions ------------------------------------------------------------------------------


class TariffDefinitionError(TariffError):
    """A tariff that cannot be; ``path`` leads to the fault in its document form."""

    code = "TARIFF_DEFINITION"

    def __init__(self, message: str, *, path: str = "") -> None:
        """Say what is wrong and where."""
        super().__init__(message)
        self.path = path


class TariffJsonError(TariffDefinitionError):
    """Not JSON, a name twice in one object, or a number that is not whole."""

    code = "TARIFF_JSON"


class TariffFieldMissingError(TariffDefinitionError):
    """A field that must be there is not."""

    code = "TARIFF_FIELD_MISSING"


class TariffFieldUnknownError(TariffDefinitionError):
    """A field that nothing would read."""

    code = "TARIFF_FIELD_UNKNOWN"


class TariffFieldTypeError(TariffDefinitionError):
    """A field of another kind than its name asks for."""

    code = "TARIFF_FIELD_TYPE"


class TariffSpellingError(TariffDefinitionError):
    """A figure or date that is not written in its one way."""

    code = "TARIFF_SPELLING"


class TariffNameError(TariffDefinitionError):
    """A code, label or account that is empty, too long or oddly written."""

    code = "TARIFF_NAME"


class TariffNameTwiceError(TariffDefinitionError):
    """Two lines with one code."""

    code = "TARIFF_NAME_TWICE"


class TariffFigureError(TariffDefinitionError):
    """A figure outside its range, or limits in disorder."""

    code = "TARIFF_FIGURE"


class TariffDatesError(TariffDefinitionError):
    """Dates in disorder."""

    code = "TARIFF_DATES"


class TariffBlocksError(TariffDefinitionError):
    """Blocks or bands that do not follow each other, or do not cover everything."""

    code = "TARIFF_BLOCKS"


class TariffGoodsError(TariffDefinitionError):
    """Nothing is sold, or units and currency credit at the same time."""

    code = "TARIFF_GOODS"


class TariffFreeError(TariffDefinitionError):
    """At some time units would be free without end."""

    code = "TARIFF_FREE"


class TariffBasisError(TariffDefinitionError):
    """A percentage of a line that does not exist, or cannot be its basis."""

    code = "TARIFF_BASIS"


class TariffLoopError(TariffDefinitionError):
    """A percentage that is, in the end, a percentage of itself."""

    code = "TARIFF_LOOP"

    def __init__(self, loop: Sequence[str], *, path: str = "") -> None:
        """Show the way round."""
        super().__init__(f"A percentage of itself: {' → '.join(loop)}.", path=path)
        self.loop = tuple(loop)


# --- sales ------------------------------------------------------------------------------------


class TariffNotEffectiveError(TariffError):
    """The tariff does not apply on the day of payment."""

    code = "TARIFF_NOT_EFFECTIVE"
    hint = "a version of the tariff for this day must be approved first"

    def __init__(self, tariff: str, *, day: date) -> None:
        """Say which tariff and which day."""
        super().__init__(f"Tariff {tariff} has no version for {day}.")


class RateMissingError(TariffError):
    """A dated table has no rate for the day of payment."""

    code = "RATE_MISSING"
    hint = "enter the rate for this day in the table"

    def __init__(self, table: str, *, day: date) -> None:
        """Say which table and which day."""
        super().__init__(f"Table {table} has no rate for {day}.")


class AmountBelowChargesError(TariffError):
    """The money does not cover a charge that every purchase has to bear in full."""

    code = "AMOUNT_BELOW_CHARGES"
    hint = "pay more at once"

    def __init__(self, label: str) -> None:
        """Say which charge is not covered."""
        super().__init__(f"This amount does not cover the charge “{label}”.")


class TooManyTokensError(TariffError):
    """More tokens than anybody types in."""

    code = "TOO_MANY_TOKENS"
    hint = "sell in several purchases, or set the largest token of the meter's model"

    def __init__(self, maximum: int) -> None:
        """Say how many would be too many."""
        super().__init__(f"This sale would need more than {maximum} tokens.")


class UnitsNotForSaleError(TariffError):
    """No amount of money within the tariff's limits buys as much."""

    code = "UNITS_NOT_FOR_SALE"

    def __init__(self, maximum: str) -> None:
        """Say which amount does not buy it."""
        super().__init__(f"Not even {maximum}, the largest amount at once, buys as much.")


class TimeZoneError(TariffError):
    """No such time zone, or a time that does not say which it is in."""

    code = "TIME_ZONE"

    def __init__(self) -> None:
        """Say what is asked for."""
        super().__init__("A local calendar needs a time with its zone, and a zone known to IANA.")


class CounterError(TariffError):
    """What is counted of earlier purchases makes no sense."""

    code = "TARIFF_COUNTER"


class CountersAheadError(TariffError):
    """The last purchase was in a later month than this one: a clock is wrong."""

    code = "COUNTERS_AHEAD"
    hint = "check the clock; if it is right, first take the sale back that a wrong one has made"

    def __init__(self, *, month: date, day: date) -> None:
        """Say which month and which day do not fit."""
        super().__init__(f"The last purchase was in {month:%Y-%m}, but today is {day}.")
