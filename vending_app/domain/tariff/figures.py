"""Exact figures as text, each in one spelling.

A decimal where there is one (``342.5``), else a fraction in lowest terms (``1000/3``).
"""

import re
from fractions import Fraction
from typing import Final

from vending_app.domain.tariff_errors import TariffSpellingError

_FIGURE: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,12}|/[1-9][0-9]{0,29})?")
_POWER_OF_TEN: Final = 10**12


def format_figure(value: Fraction) -> str:
    """Return the one spelling of an exact figure."""
    # A fraction ends in decimals if its denominator divides a power of ten; rates are never finer
    # than this one.
    if _POWER_OF_TEN % value.denominator:
        return f"{value.numerator}/{value.denominator}"
    whole, rest = divmod(abs(value), 1)
    decimals = f"{int(rest * _POWER_OF_TEN):012}".rstrip("0") if rest else ""
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def parse_figure(text: str, *, path: str = "") -> Fraction:
    """Read an exact figure in its one spelling.

    Raises:
        TariffSpellingError: Not a figure, or not in its one spelling.
    """
    if not _FIGURE.fullmatch(text):
        raise TariffSpellingError("A figure is written like 342.5 or 1000/3.", path=path)
    value = Fraction(text)
    if format_figure(value) != text:
        raise TariffSpellingError(f"Write this figure as {format_figure(value)}.", path=path)
    return value
