"""Units of the services, and how amounts of them are written."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from sts import Service

UNITS: Final[Mapping[Service, str]] = {
    Service.ELECTRICITY: "kWh",
    Service.WATER: "m³",
    Service.GAS: "m³",
    Service.TIME: "min",
}
"""What a unit of each service is called."""
_TENTHS: Final = 10
_THOUSANDTHS: Final = 1000


def format_tenths(tenths: int) -> str:
    """Return tenths of a unit for people: ``5.9``."""
    whole, tenth = divmod(abs(tenths), _TENTHS)
    return f"{'−' if tenths < 0 else ''}{whole}.{tenth}"


def format_units(units: Fraction) -> str:
    """Return an exact quantity of units to three decimals, cut off: ``5.839``."""
    scaled = units * _THOUSANDTHS
    whole, rest = divmod(scaled.numerator // scaled.denominator, _THOUSANDTHS)
    return f"{whole}.{rest:03d}"
