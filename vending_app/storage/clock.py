"""Statements about the clock: whether the books believe it, and what a utility has set."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from vending_app.domain.periods import BELIEVED, ClockTerms, posting_time, require_believable
from vending_app.storage.tables import clock_terms, ledger_heads


def require_clock(tenant: str, connection: Connection, *, now: datetime) -> None:
    """Refuse a clock that nothing should be booked by, before anything is made that has to be.

    Raises:
        LedgerClockBehindError: It lies more than five minutes behind the last entry.
        LedgerClockAheadError: It lies so far ahead of the last entry that nobody believes it.
    """
    last = last_entry_at(tenant, connection)
    require_clock_after(tenant, connection, last=last, now=now)


def require_clock_after(
    tenant: str, connection: Connection, *, last: datetime | None, now: datetime
) -> None:
    """Refuse the same, where it is known when the last entry was made; None before the first.

    Raises:
        LedgerClockBehindError, LedgerClockAheadError: As for ``require_clock``.
    """
    posting_time(last, now)
    # The next sale mostly follows within a day, and needs no further statement.
    if last is not None and now - last > BELIEVED:
        require_believable(last, now, terms=find_terms(tenant, connection))


def last_entry_at(tenant: str, connection: Connection) -> datetime | None:
    """Return when the last entry of the books was made; None before the first."""
    query = select(ledger_heads.c.posted_at).where(ledger_heads.c.tenant == tenant)
    last: datetime | None = connection.execute(query).scalar_one_or_none()
    return last


def find_terms(tenant: str, connection: Connection) -> ClockTerms:
    """Return how far ahead a utility believes its clock."""
    row = connection.execute(
        select(clock_terms.c.days_ahead, clock_terms.c.accepted_until).where(
            clock_terms.c.tenant == tenant
        )
    ).one_or_none()
    if row is None:
        return ClockTerms()
    return ClockTerms(days_ahead=row.days_ahead, accepted_until=row.accepted_until)


def set_terms(tenant: str, connection: Connection, *, terms: ClockTerms) -> None:
    """Write down how far ahead a utility believes its clock; it is alone with its books."""
    connection.execute(delete(clock_terms).where(clock_terms.c.tenant == tenant))
    connection.execute(
        insert(clock_terms).values(
            tenant=tenant, days_ahead=terms.days_ahead, accepted_until=terms.accepted_until
        )
    )
