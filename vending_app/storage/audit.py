"""Statements about the audit log: what was refused, and what somebody should look at."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select

from vending_app.storage import tenants
from vending_app.storage.tables import audit_events

LONGEST_LOGIN: Final = 64
LONGEST_MESSAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """An event of the audit log before it has a number.

    Attributes:
        kind: What it is about, ``refused`` for one.
        login: Who was at it; nobody need have that log-in.
        code: The stable code of what happened.
        message: The same in words.
        document: What else is known, as canonical JSON; never the digits of a token.
        happened_at: When.
    """

    kind: str
    login: str
    code: str
    message: str
    document: str
    happened_at: datetime


def add_event(tenant: str, connection: Connection, *, event: AuditEvent) -> int:
    """Add an event and return its number."""
    number = tenants.next_number(tenant, connection, counter=tenants.AUDIT)
    connection.execute(
        insert(audit_events).values(
            tenant=tenant,
            event_number=number,
            kind=event.kind,
            login=event.login[:LONGEST_LOGIN],
            code=event.code,
            message=event.message[:LONGEST_MESSAGE],
            document=event.document,
            happened_at=event.happened_at,
        )
    )
    return number


def list_events(
    tenant: str, connection: Connection, *, limit: int, kind: str | None = None
) -> tuple[AuditEvent, ...]:
    """Return the latest events, newest first, of all kinds or of one."""
    query = (
        select(audit_events)
        .where(audit_events.c.tenant == tenant)
        .order_by(audit_events.c.event_number.desc())
        .limit(limit)
    )
    if kind is not None:
        query = query.where(audit_events.c.kind == kind)
    return tuple(
        AuditEvent(
            kind=row.kind,
            login=row.login,
            code=row.code,
            message=row.message,
            document=row.document,
            happened_at=row.happened_at,
        )
        for row in connection.execute(query)
    )
