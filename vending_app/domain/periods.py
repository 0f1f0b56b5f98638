"""Time in the books: months, ``2026-03``, of the tenant's calendar (decision 19), and moments."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from sts.token_identifier import require_utc
from vending_app.domain.ledger_errors import (
    ClockLimitError,
    LedgerClockAheadError,
    LedgerClockBehindError,
    PeriodFormatError,
)

NO_PERIOD: Final = ""
"""Before every month."""
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock may lie behind the last entry; within it, that entry's time is taken."""
ACCEPTED_FOR: Final = timedelta(days=7)
"""How long a clock that somebody has compared is believed; the next entry makes it unnecessary."""
BELIEVED: Final = timedelta(days=1)
"""How far the clock may lie ahead of the last entry whatever the utility has set."""
LEAST_DAYS_AHEAD: Final = 1
MOST_DAYS_AHEAD: Final = 36_500
_FORM: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTerms:
    """How far ahead of the last entry of its books a utility believes its clock.

    Attributes:
        days_ahead: So many days.
        accepted_until: Somebody has compared the clock: for the week up to this time it is believed
            in any case.

    Raises:
        ClockLimitError: No such number of days.
    """

    days_ahead: int = 60
    accepted_until: datetime | None = None

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if not LEAST_DAYS_AHEAD <= self.days_ahead <= MOST_DAYS_AHEAD:
            raise ClockLimitError(LEAST_DAYS_AHEAD, MOST_DAYS_AHEAD)

    def accepts(self, now: datetime) -> bool:
        """Tell whether somebody has compared the clock that says this.

        A clock that was accepted years ahead by mistake is no reason to believe all of the years
        before, so the week has a beginning as well.
        """
        until = self.accepted_until
        return until is not None and until - ACCEPTED_FOR - CLOCK_TOLERANCE <= now <= until


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


def require_believable(last: datetime, now: datetime, *, terms: ClockTerms) -> None:
    """Refuse a clock so far ahead that it is more likely to be wrong than right.

    What was booked in the far future could not be followed by anything else.

    Args:
        last: When the last entry was made.
        now: What the clock says, aware.
        terms: What the utility believes.

    Raises:
        LedgerClockAheadError: The clock is too far ahead, and nobody has accepted it.
    """
    if now - last > timedelta(days=terms.days_ahead) and not terms.accepts(now):
        raise LedgerClockAheadError(now=now.astimezone(UTC), last=last)
