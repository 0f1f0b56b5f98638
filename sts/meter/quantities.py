"""Loads, times and prices as people type them, read exactly."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from sts.meter.errors import MeterQuantityError

_LOAD: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(W|kW)?", re.ASCII | re.IGNORECASE)
_DURATION: Final = re.compile(r"(\d+)\s*(s|min|h|d)\s*", re.ASCII)
_UNITS: Final = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_LONGEST: Final = 32
_PRICE_UNITS: Final = 100_000


def parse_load(text: str) -> int | tuple[int, ...]:
    """Read a load: ``2300``, ``2.3kW``, ``-500W``, or of each phase ``1kW,2kW,-500W``.

    Returns:
        Whole watts, negative what flows back; a tuple if each phase was given.

    Raises:
        MeterQuantityError: Not a load, or a fraction of a watt.
    """
    if "," in text:
        return tuple(_parse_watts(part) for part in text.split(","))
    return _parse_watts(text)


def parse_duration(text: str) -> timedelta:
    """Read a length of time: ``90s``, ``30min``, ``2h``, ``1d12h``.

    Raises:
        MeterQuantityError: Not a length of time, or nothing, or longer than a calendar.
    """
    stripped = _short(text)
    parts = list(_DURATION.finditer(stripped))
    if "".join(part[0] for part in parts) != stripped:
        raise MeterQuantityError("a time is written 90s, 30min, 2h or 1d12h")
    try:
        total = sum((timedelta(**{_UNITS[part[2]]: int(part[1])}) for part in parts), timedelta())
    except OverflowError:
        raise MeterQuantityError("a time longer than a calendar") from None
    if not total:
        raise MeterQuantityError("a time must be longer than nothing")
    return total


def parse_moment(text: str) -> datetime:
    """Read a moment with its zone: ``2026-01-31T12:00Z``; returned in UTC.

    Raises:
        MeterQuantityError: Not such a moment, or without a zone.
    """
    try:
        moment = datetime.fromisoformat(_short(text))
    except ValueError:
        raise MeterQuantityError("a moment is written 2026-01-31T12:00Z") from None
    if moment.utcoffset() is None:
        raise MeterQuantityError("a moment needs its zone, for example 2026-01-31T12:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise MeterQuantityError("a moment outside the calendar") from None


def parse_price(text: str) -> tuple[datetime | None, int]:
    """Read a price of a kWh, a m³ or 1000 s: ``3.425``, or ``2026-07-01T00:00Z=3.9``.

    Returns:
        From when on it holds, None if that was not said, and the price in 0.00001 of the currency.

    Raises:
        MeterQuantityError: Not a moment, not a number, or with more than five decimals.
    """
    moment, equals, price = text.rpartition("=")
    return (parse_moment(moment) if equals else None, _parse_currency(price))


def _parse_watts(text: str) -> int:
    found = _LOAD.fullmatch(_short(text))
    if found is None:
        raise MeterQuantityError("a load is written 2300W or 2.3kW; of three phases 1kW,2kW,500W")
    number, unit = Decimal(found[1]), (found[2] or "W").lower()
    watts = number * 1000 if unit == "kw" else number
    if watts != int(watts):
        raise MeterQuantityError("a load is a whole number of watts")
    return int(watts)


def _parse_currency(text: str) -> int:
    try:
        units = Decimal(_short(text)) * _PRICE_UNITS
    except InvalidOperation:
        raise MeterQuantityError("a price is a number, for example 3.425") from None
    if not units.is_finite() or units != int(units):
        raise MeterQuantityError("a price has at most five decimals")
    return int(units)


def _short(text: str) -> str:
    """Return what was typed without spaces around it; nobody types as much as ``_LONGEST``."""
    stripped = text.strip()
    if len(stripped) > _LONGEST:
        raise MeterQuantityError(f"more than {_LONGEST} characters")
    return stripped
