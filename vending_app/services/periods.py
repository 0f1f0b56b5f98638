"""Closing a month: nothing more is booked in it, and what was booked is chained as it stood."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from vending_app.domain.ledger import PERIOD_UNIT, EntryKind, LedgerEntry, Posting
from vending_app.domain.ledger_errors import (
    NothingToCloseError,
    PeriodClosedError,
    PeriodNotOverError,
)
from vending_app.domain.ledger_rows import rows_digest
from vending_app.domain.parties import Operator
from vending_app.domain.periods import period_of, require_period
from vending_app.domain.roles import Permission
from vending_app.services.permissions import require
from vending_app.storage import clock, ledger, tenants
from vending_app.storage.engine import Store
from vending_app.storage.ledger import ClosedPeriod

_CLOSED: Final = (
    Posting(account="periods:closed", amount_minor=1, currency=PERIOD_UNIT),
    Posting(account="periods", amount_minor=-1, currency=PERIOD_UNIT),
)


def close_period(store: Store, period: str, *, operator: Operator, now: datetime) -> ClosedPeriod:
    """Close a month, and every one before it.

    The last entry of the month says that it is closed. Whatever belongs to it and comes later is
    booked in the first month that is open, with the month that it belongs to in its record.

    Args:
        store: Where the books are.
        period: The month, ``2026-03``.
        operator: Who closes it.
        now: The present time, aware.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        PeriodFormatError: Not a month.
        PeriodNotOverError: It is not over in the local calendar.
        PeriodClosedError: It is closed already.
        NothingToCloseError: There is no entry in the books.
        LedgerClockBehindError, LedgerClockAheadError: The clock cannot be right.
    """
    require(operator, Permission.CLOSE_PERIOD)
    require_period(period)
    closed_at = now.astimezone(UTC)
    with store.write() as connection:
        tenant = tenants.find_tenant(operator.tenant, connection)
        books = ledger.lock_books(tenant.code, connection)
        if period >= period_of(now, ZoneInfo(tenant.time_zone)):
            raise PeriodNotOverError(period)
        if period <= books.closed_through:
            raise PeriodClosedError(period)
        if not books.head.length:
            raise NothingToCloseError
        clock.require_clock(tenant.code, connection, now=now)
        row = {"period": period, "login": operator.login, "closed_at": closed_at}
        entry = LedgerEntry(
            kind=EntryKind.PERIOD_CLOSE,
            reference=f"period {period}",
            period=period,
            login=operator.login,
            postings=_CLOSED,
            digest=rows_digest({"ledger_periods": (row,)}),
        )
        posted = ledger.post(tenant.code, connection, entry=entry, now=now)
        closed = ClosedPeriod(
            period=period, length=posted.entry_number, login=operator.login, closed_at=closed_at
        )
        ledger.close(tenant.code, connection, closed=closed)
    return closed
