"""Time in the books: months, ``2026-03``, of the tenant's calendar (decision 19), and moments."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from sts.token_identifier import require_utc
from vending_app.domain.ledger_errors import LedgerClockBehindError, PeriodFormatError

NO_PERIOD: Final = ""
"""Before every month."""
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock may lie behind the last entry; within it, that entry's time is taken."""
_FORM: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_MONTHS: Final = 12


def require_period(text: str) -> str:
    """Return what names a month.

    Raises:
        PeriodFormatError: It does not.
    """
    if not _FORM.fullmatch(text):
        raise PeriodFormatError
    return text


def period_of(moment: datetime, zone: tzinfo) -> str:
    """Return the month that a moment lies in.

    Args:
        moment: Aware.
        zone: The local calendar of the tenant.

    Raises:
        NaiveDatetimeError: The moment has no zone.
    """
    local = require_utc(moment).astimezone(zone)
    return f"{local.year:04d}-{local.month:02d}"


def next_period(period: str) -> str:
    """Return the month after one.

    Raises:
        PeriodFormatError: Not a month.
    """
    year, month = require_period(period).split("-")
    carry, following = divmod(int(month), _MONTHS)
    return f"{int(year) + carry:04d}-{following + 1:02d}"


def open_period(wanted: str, *, closed_through: str) -> str:
    """Return the month to book in: the wanted one, or if that is closed the first that is not."""
    # Months in this form sort as text.
    return next_period(closed_through) if wanted <= closed_through else wanted


def posting_time(last: datetime | None, now: datetime) -> datetime:
    """Return the time of an entry: now, or that of the last one if the clock is a little behind.

    Raises:
        LedgerClockBehindError: The clock lies more than five minutes behind the last entry.
    """
    moment = now.astimezone(UTC)
    if last is None or moment >= last:
        return moment
    if last - moment > CLOCK_TOLERANCE:
        raise LedgerClockBehindError(now=moment, last=last)
    return last
