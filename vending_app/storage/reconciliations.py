"""Statements about reconciliations, and what they look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, insert, select

from vending_app.storage.tables import bases, issue_journal, reconciliations, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedRow:
    """A token in the books with the request that it belongs to."""

    request_id: str
    drn: str
    digits: str
    is_key_change: bool
    supply_group_code: str
    key_revision_number: int
    amount_tenths: int
    currency_units: int
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """A request in the security module's journal."""

    message_id: str
    supply_group_code: str
    key_revision_number: int
    credit_units: int
    made_at: datetime


def booked_since(tenant: str, connection: Connection, *, since: datetime) -> Iterator[BookedRow]:
    """Yield the tokens made since a moment, request by request in the order of their making."""
    rows = connection.execute(
        select(tokens, bases.c.request_id)
        .join(
            bases,
            and_(bases.c.tenant == tokens.c.tenant, bases.c.basis_number == tokens.c.basis_number),
        )
        .where(tokens.c.tenant == tenant, tokens.c.made_at >= since)
        .order_by(bases.c.request_id, tokens.c.basis_number, tokens.c.token_number)
    )
    for row in rows:
        yield BookedRow(
            request_id=row.request_id,
            drn=row.drn,
            digits=row.digits,
            is_key_change=row.tid is None,
            supply_group_code=row.supply_group_code,
            key_revision_number=row.key_revision_number,
            amount_tenths=row.amount_tenths or 0,
            currency_units=int(row.currency_units or 0),
            made_at=row.made_at,
        )


def journalled_since(
    tenant: str, connection: Connection, *, since: datetime
) -> Iterator[JournalRow]:
    """Yield the requests in the security module's journal since a moment."""
    rows = connection.execute(
        select(issue_journal)
        .where(issue_journal.c.tenant == tenant, issue_journal.c.made_at >= since)
        .order_by(issue_journal.c.message_id)
    )
    for row in rows:
        yield JournalRow(
            message_id=row.message_id,
            supply_group_code=row.supply_group_code,
            key_revision_number=row.key_revision_number,
            credit_units=int(row.credit_units),
            made_at=row.made_at,
        )


def add(
    tenant: str, connection: Connection, *, day: date, agrees: bool, document: str, now: datetime
) -> int:
    """Add what came of a day; the same day again is the next attempt. Return its number."""
    table = reconciliations
    attempt = connection.execute(
        select(func.coalesce(func.max(table.c.attempt), 0) + 1).where(
            table.c.tenant == tenant, table.c.day == day.isoformat()
        )
    ).scalar_one()
    connection.execute(
        insert(table).values(
            tenant=tenant,
            day=day.isoformat(),
            attempt=attempt,
            agrees=agrees,
            document=document,
            made_at=now,
        )
    )
    return int(attempt)
