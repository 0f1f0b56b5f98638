"""Short codes: what a customer may ask of the meter with ``#NN#``.

The standard leaves them to the makes. A meter is built with a table of them; this is ours. What
each function shows is in ``readouts``, one row a function.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sts.meter.errors import MeterSpecError
from sts.meter.keypad import DIGITS, LONGEST_SHORT_CODE


class ShortFunction(StrEnum):
    """What a short code can ask for; a make decides under which number."""

    VERSION = "VERSION"
    CREDIT = "CREDIT"
    TOTAL_IMPORTED = "TOTAL_IMPORTED"
    TOTAL_BOUGHT = "TOTAL_BOUGHT"
    POWER_NOW = "POWER_NOW"
    VOLTAGE_AND_CURRENT = "VOLTAGE_AND_CURRENT"
    DAYS_LEFT = "DAYS_LEFT"
    LAST_TOKEN = "LAST_TOKEN"  # noqa: S105 - the name of a display, not a secret
    LAST_TOKENS = "LAST_TOKENS"
    KEY_ATTRIBUTES = "KEY_ATTRIBUTES"
    DECODER_REFERENCE_NUMBER = "DECODER_REFERENCE_NUMBER"
    POWER_LIMIT = "POWER_LIMIT"
    RELAY = "RELAY"
    TAMPER = "TAMPER"
    TARIFF = "TARIFF"
    EMERGENCY_CREDIT = "EMERGENCY_CREDIT"
    TAKE_EMERGENCY_CREDIT = "TAKE_EMERGENCY_CREDIT"
    MUTE_ALARM = "MUTE_ALARM"


ACTIONS: Final = frozenset({ShortFunction.TAKE_EMERGENCY_CREDIT, ShortFunction.MUTE_ALARM})
"""Functions that do something; all others only show something."""


@dataclass(frozen=True, slots=True)
class ShortCode:
    """One row of a meter's table.

    Attributes:
        code: The digits between the two ``#``.
        function: What they ask for.

    Raises:
        MeterSpecError: Not one to three digits.
    """

    code: str
    function: ShortFunction

    def __post_init__(self) -> None:
        """Check that the code can be keyed."""
        if not 0 < len(self.code) <= LONGEST_SHORT_CODE or not set(self.code) <= set(DIGITS):
            message = f"a code has 1 to {LONGEST_SHORT_CODE} digits, found {self.code!r}"
            raise MeterSpecError("short_codes", message)


DEFAULT_SHORT_CODES: Final = (
    ShortCode("00", ShortFunction.VERSION),
    ShortCode("01", ShortFunction.CREDIT),
    ShortCode("02", ShortFunction.TOTAL_IMPORTED),
    ShortCode("03", ShortFunction.TOTAL_BOUGHT),
    ShortCode("04", ShortFunction.POWER_NOW),
    ShortCode("05", ShortFunction.VOLTAGE_AND_CURRENT),
    ShortCode("06", ShortFunction.DAYS_LEFT),
    ShortCode("07", ShortFunction.LAST_TOKEN),
    ShortCode("08", ShortFunction.LAST_TOKENS),
    ShortCode("09", ShortFunction.KEY_ATTRIBUTES),
    ShortCode("10", ShortFunction.DECODER_REFERENCE_NUMBER),
    ShortCode("11", ShortFunction.POWER_LIMIT),
    ShortCode("12", ShortFunction.RELAY),
    ShortCode("13", ShortFunction.TAMPER),
    ShortCode("14", ShortFunction.TARIFF),
    ShortCode("15", ShortFunction.EMERGENCY_CREDIT),
    ShortCode("90", ShortFunction.TAKE_EMERGENCY_CREDIT),
    ShortCode("91", ShortFunction.MUTE_ALARM),
)
"""The table of our own meters."""

STANDARD_SHORT_CODES: Final = "standard"
NO_SHORT_CODES: Final = "none"
SHORT_CODE_TABLES: Final[Mapping[str, tuple[ShortCode, ...]]] = {
    STANDARD_SHORT_CODES: DEFAULT_SHORT_CODES,
    NO_SHORT_CODES: (),
}
"""Name to table: what a make's profile can choose."""


def short_code_table(name: str) -> tuple[ShortCode, ...]:
    """Return a table by its name.

    Raises:
        MeterSpecError: There is no such table.
    """
    if name not in SHORT_CODE_TABLES:
        raise MeterSpecError("short_codes", f"there are {', '.join(SHORT_CODE_TABLES)}")
    return SHORT_CODE_TABLES[name]


def require_distinct(table: Iterable[ShortCode]) -> None:
    """Refuse a table in which a code stands for two things.

    Raises:
        MeterSpecError: A code is there twice.
    """
    codes = [row.code for row in table]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise MeterSpecError("short_codes", f"twice in the table: {', '.join(twice)}")


def function_of(table: Iterable[ShortCode], code: str) -> ShortFunction | None:
    """Return what a code stands for in a meter with this table; None if for nothing."""
    return next((row.function for row in table if row.code == code), None)
