"""Moments as whole microseconds: what the loop that lets time pass counts in.

A ``datetime`` knows no less than a microsecond, so nothing is lost on the way there and back.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = 1_000_000
"""In microseconds."""
NEVER: Final = 1 << 62
"""Later than any moment of the calendar."""


def microseconds_of(moment: datetime) -> int:
    """Return how many microseconds after 1970 a moment is."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(microseconds: int) -> datetime:
    """Return the moment, in UTC."""
    return EPOCH + microseconds * MICROSECOND


def moment_or_none(microseconds: int | None) -> datetime | None:
    """Return the moment of something that may not have been."""
    return None if microseconds is None else moment_of(microseconds)


def microseconds_or_none(moment: datetime | None) -> int | None:
    """Return the microseconds of something that may not have been."""
    return None if moment is None else microseconds_of(moment)
