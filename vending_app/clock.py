"""Where the time comes from: read at the edges, handed on as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Returns the present time, aware."""


def utc_now() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)
