"""The clock and the books: who says that it is right when the books do not believe it.

Entries are made in the order of their times. So one sale with the clock years ahead would keep the
books from everything that comes after; a clock that is too far ahead of the last entry is refused,
until somebody has compared it. Where such a sale was made all the same, somebody sets the clock of
the books back by an entry, and from then on they go by the right time again.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from keys.canonical_json import JsonObject, canonical_bytes
from vending_app.domain.ledger import CLOCK_UNIT, EntryKind, LedgerEntry, Posting
from vending_app.domain.ledger_errors import (
    ClockNotBehindError,
    ClockOtherDayError,
    ClockOtherTimeError,
)
from vending_app.domain.ledger_rows import moment_text
from vending_app.domain.parties import Operator
from vending_app.domain.periods import ACCEPTED_FOR, CLOCK_TOLERANCE, ClockTerms, period_of
from vending_app.domain.requests import exact_number
from vending_app.domain.roles import Permission
from vending_app.services.permissions import require, require_reason
from vending_app.services.refusals import audited_refusals
from vending_app.storage import audit, clock, ledger, tenants
from vending_app.storage.audit import AuditEvent
from vending_app.storage.engine import Store
from vending_app.storage.ledger import PostedEntry

_SET_BACK: Final = (
    Posting(account="clock:set-back", amount_minor=1, currency=CLOCK_UNIT),
    Posting(account="clock", amount_minor=-1, currency=CLOCK_UNIT),
)


def accept(
    store: Store, operator: Operator, *, today: date, reason: str, now: datetime
) -> ClockTerms:
    """Say that the clock is right, however far it is ahead of the books.

    Args:
        store: The database.
        operator: Who says so.
        today: The day by another calendar than the clock's.
        reason: Why the books lie so far behind.
        now: What the clock says, aware.

    Returns:
        What the utility believes from now on.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        ReasonMissingError: No reason is given.
        ClockOtherDayError: The clock does not show this day.
    """
    about: JsonObject = {"request": "clock accept", "today": today.isoformat()}
    with audited_refusals(store, operator.tenant, login=operator.login, about=about, now=now):
        require(operator, Permission.SET_CLOCK)
        kept = require_reason(reason)
        with store.write() as connection:
            _require_day(connection, operator.tenant, today=today, now=now)
            known = _lock_terms(connection, operator.tenant)
            terms = replace(known, accepted_until=now.astimezone(UTC) + ACCEPTED_FOR)
            _change(connection, operator, terms=terms, code="CLOCK_ACCEPTED", reason=kept, now=now)
    return terms


def set_limit(
    store: Store, operator: Operator, *, days: int, reason: str, now: datetime
) -> ClockTerms:
    """Set how many days the clock may be ahead of the last entry before it is refused.

    Returns:
        What the utility believes from now on.

    Raises:
        NotPermittedError, ReasonMissingError: As for ``accept``.
        ClockLimitError: No such number of days.
    """
    about: JsonObject = {"request": "clock limit", "days": exact_number(days)}
    with audited_refusals(store, operator.tenant, login=operator.login, about=about, now=now):
        require(operator, Permission.SET_CLOCK)
        kept = require_reason(reason)
        with store.write() as connection:
            terms = replace(_lock_terms(connection, operator.tenant), days_ahead=days)
            _change(connection, operator, terms=terms, code="CLOCK_LIMIT_SET", reason=kept, now=now)
    return terms


def last_entry_at(store: Store, tenant: str) -> datetime | None:
    """Return when the last entry of a utility's books was made; None before the first."""
    with store.read() as connection:
        return clock.last_entry_at(tenant, connection)


def set_back(
    store: Store,
    operator: Operator,
    *,
    today: date,
    time_of_day: time,
    reason: str,
    now: datetime,
) -> PostedEntry:
    """Let the books go by the clock again, after entries that a wrong clock has put ahead of it.

    Those entries stay as they are: what they sold is taken back by cases, like everything else. If
    somebody had said that the wrong clock was right, that is over.

    Args:
        store: The database.
        operator: Who says that the clock is right now.
        today: The day by another calendar than the clock's.
        time_of_day: What another clock says there. The machine's own may be hours behind one that
            is right and show the same day; it would put right books wrong.
        reason: What had happened.
        now: What the clock says, aware.

    Returns:
        The entry that says so.

    Raises:
        NotPermittedError, ReasonMissingError, ClockOtherDayError: As for ``accept``.
        ClockOtherTimeError: The clock shows another time, by more than five minutes.
        ClockNotBehindError: The books are not ahead of the clock.
    """
    tenant = operator.tenant
    about: JsonObject = {
        "request": "clock set-back",
        "today": today.isoformat(),
        "time_of_day": time_of_day.isoformat("minutes"),
    }
    with audited_refusals(store, tenant, login=operator.login, about=about, now=now):
        require(operator, Permission.SET_CLOCK)
        kept = require_reason(reason)
        with store.write() as connection:
            zone = _require_day(connection, tenant, today=today, now=now)
            _require_time(now.astimezone(zone), today=today, said=time_of_day)
            books = ledger.lock_books(tenant, connection)
            if books.posted_at is None or books.posted_at - now <= CLOCK_TOLERANCE:
                raise ClockNotBehindError
            _end_acceptance(connection, tenant)
            entry = LedgerEntry(
                kind=EntryKind.CLOCK_SET_BACK,
                reference=f"clock {books.head.length + 1}",
                period=period_of(now, zone),
                login=operator.login,
                postings=_SET_BACK,
                facts={"reason": kept, "last": moment_text(books.posted_at)},
            )
            return ledger.post(tenant, connection, entry=entry, now=now)


def _lock_terms(connection: Connection, tenant: str) -> ClockTerms:
    """Return what is believed of the clock: nobody else changes it, nor posts by it."""
    ledger.lock_books(tenant, connection)
    return clock.find_terms(tenant, connection)


def _require_day(connection: Connection, tenant: str, *, today: date, now: datetime) -> ZoneInfo:
    """Refuse a clock that shows another day than somebody says it is; return the local calendar."""
    zone = ZoneInfo(tenants.find_tenant(tenant, connection).time_zone)
    shown = now.astimezone(zone).date()
    if shown != today:
        raise ClockOtherDayError(clock=shown, said=today)
    return zone


def _require_time(shown: datetime, *, today: date, said: time) -> None:
    """Refuse a clock that shows another time than somebody says it is.

    As people read them from a wall: where an hour comes twice a year, they do not say which.
    """
    if abs(shown.replace(tzinfo=None) - datetime.combine(today, said)) > CLOCK_TOLERANCE:
        raise ClockOtherTimeError(clock=shown.time(), said=said)


def _end_acceptance(connection: Connection, tenant: str) -> None:
    """Believe no longer what somebody said of a clock that was wrong."""
    terms = clock.find_terms(tenant, connection)
    if terms.accepted_until is not None:
        clock.set_terms(tenant, connection, terms=replace(terms, accepted_until=None))


def _change(
    connection: Connection,
    operator: Operator,
    *,
    terms: ClockTerms,
    code: str,
    reason: str,
    now: datetime,
) -> None:
    clock.set_terms(operator.tenant, connection, terms=terms)
    until = terms.accepted_until
    document: JsonObject = {
        "days_ahead": terms.days_ahead,
        "accepted_until": None if until is None else moment_text(until),
    }
    event = AuditEvent(
        kind="clock",
        login=operator.login,
        code=code,
        message=reason,
        document=canonical_bytes(document).decode("ascii"),
        happened_at=now,
    )
    audit.add_event(operator.tenant, connection, event=event)
