"""Reading the books: entries, balances, and the chain as it stands there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, bindparam, case, func, select

from keys.canonical_json import read_json
from keys.hash_chain import Entry
from vending_app.domain.ledger import Posting
from vending_app.domain.ledger_errors import UnknownLedgerEntryError
from vending_app.storage.ledger import PostedEntry
from vending_app.storage.numbers import names_nothing
from vending_app.storage.tables import ledger_accounts, ledger_entries, ledger_lines

_AT_ONCE: Final = 1000
"""Rows that are fetched together: books may be larger than memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What stands on an account.

    Attributes:
        account: Which.
        kind: On which side of the books it stands.
        currency: Of the amounts.
        debit_minor: Everything on the one side.
        credit_minor: Everything on the other, not below nothing.
    """

    account: str
    kind: str
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Debit less credit."""
        return self.debit_minor - self.credit_minor


def find_entry(tenant: str, connection: Connection, *, entry_number: int) -> PostedEntry:
    """Return an entry.

    Raises:
        UnknownLedgerEntryError: There is none of this number.
    """
    if names_nothing(entry_number):
        raise UnknownLedgerEntryError(entry_number)
    found = next(entries(tenant, connection, after=entry_number - 1, through=entry_number), None)
    if found is None:
        raise UnknownLedgerEntryError(entry_number)
    return found


def find_entry_by_reference(
    tenant: str, connection: Connection, *, kind: str, reference: str
) -> PostedEntry | None:
    """Return the entry about something, or None if nothing is booked of it."""
    columns = ledger_entries.c
    number = connection.execute(
        select(columns.entry_number).where(
            columns.tenant == tenant, columns.kind == kind, columns.reference == reference
        )
    ).scalar()
    return None if number is None else find_entry(tenant, connection, entry_number=number)


def entries(
    tenant: str, connection: Connection, *, after: int = 0, through: int | None = None
) -> Iterator[PostedEntry]:
    """Yield the entries in their order.

    Args:
        tenant: Whose books.
        connection: The transaction.
        after: The number behind which to begin.
        through: The last number; None for all.
    """
    page = _entry_page(tenant, connection, after=after, through=through)
    while page:
        yield from page
        after = page[-1].entry_number
        page = _entry_page(tenant, connection, after=after, through=through)


def _entry_page(
    tenant: str, connection: Connection, *, after: int, through: int | None
) -> list[PostedEntry]:
    """Return the next entries, not more than are fetched together."""
    entry, line = ledger_entries.c, ledger_lines.c
    asked = [entry.tenant == tenant, entry.entry_number > after]
    if through is not None:
        asked.append(entry.entry_number <= through)
    headings = connection.execute(
        select(ledger_entries).where(*asked).order_by(entry.entry_number).limit(_AT_ONCE)
    ).all()
    if not headings:
        return []
    postings: dict[int, list[Posting]] = {row.entry_number: [] for row in headings}
    within = line.entry_number.between(headings[0].entry_number, headings[-1].entry_number)
    for row in connection.execute(
        select(ledger_lines)
        .where(line.tenant == tenant, within)
        .order_by(line.entry_number, line.line_number)
    ):
        postings[row.entry_number].append(
            Posting(account=row.account, amount_minor=row.amount_minor, currency=row.currency)
        )
    return [
        PostedEntry(
            entry_number=row.entry_number,
            kind=row.kind,
            reference=row.reference,
            period=row.period,
            posted_at=row.posted_at,
            postings=tuple(postings[row.entry_number]),
            hash=row.hash,
        )
        for row in headings
    ]


def balances(
    tenant: str, connection: Connection, *, period: str | None = None
) -> tuple[Balance, ...]:
    """Return what stands on each account, in all months or in one.

    Args:
        tenant: Whose books.
        connection: The transaction.
        period: The month; None for all.
    """
    line, entry, account = ledger_lines.c, ledger_entries.c, ledger_accounts.c
    debit = func.sum(case((line.amount_minor > 0, line.amount_minor), else_=0))
    credit = func.sum(case((line.amount_minor < 0, -line.amount_minor), else_=0))
    of_entry = and_(entry.tenant == line.tenant, entry.entry_number == line.entry_number)
    of_account = and_(account.tenant == line.tenant, account.account == line.account)
    asked = [line.tenant == tenant]
    if period is not None:
        asked.append(entry.period == period)
    rows = connection.execute(
        select(line.account, account.kind, line.currency, debit, credit)
        .select_from(ledger_lines.join(ledger_entries, of_entry).join(ledger_accounts, of_account))
        .where(*asked)
        .group_by(line.account, account.kind, line.currency)
        .order_by(line.account, line.currency)
    )
    return tuple(
        Balance(
            account=name,
            kind=kind,
            currency=currency,
            debit_minor=int(debits),
            credit_minor=int(credits_),
        )
        for name, kind, currency, debits, credits_ in rows
    )


def chain_entries(tenant: str, connection: Connection, *, after: int = 0) -> Iterator[Entry]:
    """Yield the links of the chain behind a number, as they stand there; nothing is checked.

    Raises:
        CanonicalJsonError: A record that is no JSON.
    """
    columns = ledger_entries.c
    next_page = (
        select(columns.entry_number, columns.previous_hash, columns.record, columns.hash)
        .where(columns.tenant == tenant, columns.entry_number > bindparam("after"))
        .order_by(columns.entry_number)
        .limit(_AT_ONCE)
    )
    page = connection.execute(next_page, {"after": after}).all()
    while page:
        for row in page:
            record = read_json(row.record.encode("utf-8"))
            yield Entry(
                sequence=row.entry_number,
                previous=bytes.fromhex(row.previous_hash),
                record=record if isinstance(record, dict) else {},
                hash=bytes.fromhex(row.hash),
            )
        page = connection.execute(next_page, {"after": page[-1].entry_number}).all()
