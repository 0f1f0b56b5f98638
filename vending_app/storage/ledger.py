"""Writing the books.

``post`` is the only way in: it continues the hash chain of the tenant, and moves what is left of a
vendor's float and a customer's credit together with their accounts. Nobody else writes
``vendors.float_minor`` or ``accounts.credit_minor``.

A row that holds the number of the entry (``sales.ledger_entry``) is written after ``ask_books``
has told it, or after ``post``. Both come as late as possible otherwise: from the first of them
until the transaction ends, nobody else posts for this tenant.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Table,
    and_,
    bindparam,
    false,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from keys.hash_chain import Head, link
from vending_app.domain.chart import account_kind, party_of
from vending_app.domain.ledger import EntryKind, LedgerEntry, Posting, chain_name
from vending_app.domain.ledger_errors import (
    LedgerAccountError,
    LedgerLimitError,
)
from vending_app.domain.ledger_rows import moment_text
from vending_app.domain.periods import open_period, posting_time
from vending_app.storage.locking import locked
from vending_app.storage.prepared import Prepared
from vending_app.storage.sending import receive
from vending_app.storage.tables import (
    accounts,
    ledger_accounts,
    ledger_entries,
    ledger_heads,
    ledger_lines,
    ledger_periods,
    vendors,
)

_ADD_LINES: Final = Prepared(insert(ledger_lines))
_ADD_ENTRY: Final = Prepared(insert(ledger_entries))
_MOVE_HEAD: Final = Prepared(
    update(ledger_heads)
    .where(ledger_heads.c.tenant == bindparam("books"))
    .values(
        length=bindparam("new_length"),
        hash=bindparam("new_hash"),
        posted_at=bindparam("new_posted_at"),
    )
)
_MOVE_FLOAT: Final = Prepared(
    update(vendors)
    .where(vendors.c.tenant == bindparam("books"), vendors.c.vendor_code == bindparam("party"))
    .values(float_minor=vendors.c.float_minor - bindparam("amount"))
)
_MOVE_CREDIT: Final = Prepared(
    update(accounts)
    .where(accounts.c.tenant == bindparam("books"), accounts.c.account_number == bindparam("party"))
    .values(credit_minor=accounts.c.credit_minor - bindparam("amount"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedEntry:
    """An entry that stands in the books.

    Attributes:
        entry_number: Counts the entries of the tenant without a gap.
        kind: What it is about.
        reference: The thing that it is about.
        period: The month that it is booked in.
        posted_at: When.
        postings: Its lines.
        hash: Its link of the chain, hexadecimal.
    """

    entry_number: int
    kind: str
    reference: str
    period: str
    posted_at: datetime
    postings: tuple[Posting, ...]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The end of a tenant's books.

    Attributes:
        head: Where the chain ends.
        posted_at: When the last entry was made; None before the first.
        closed_through: The last month that is closed; empty before the first.
    """

    head: Head
    posted_at: datetime | None
    closed_through: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPeriod:
    """A month in which nothing more is booked.

    Attributes:
        period: The month.
        length: The number of the entry that closed it.
        login: Who closed it.
        closed_at: When.
    """

    period: str
    length: int
    login: str
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBooks:
    """The end of the books, locked, and what an entry still needs there.

    Attributes:
        books: The end.
        missing: The accounts of the entry that are not there yet.
    """

    books: Books
    missing: frozenset[str]

    @property
    def next_number(self) -> int:
        """The number that the entry will have."""
        return self.books.head.length + 1


def post(
    tenant: str,
    connection: Connection,
    *,
    entry: LedgerEntry,
    now: datetime,
    opened: OpenBooks | None = None,
) -> PostedEntry:
    """Write an entry into the books, in the transaction that is open.

    Args:
        tenant: Whose books.
        connection: The transaction.
        entry: What is booked; in the first open month if its own is closed.
        now: The present time, aware.
        opened: What ``ask_books`` gave for these postings, if that was called before.

    Raises:
        LedgerClockBehindError: The clock lies more than five minutes behind the last entry; but for
            the entry that sets it back.
        LedgerAccountError, LedgerLimitError: As for ``ask_books``.
        sqlalchemy.exc.IntegrityError: The reference stands there already.
    """
    if opened is None:
        opened = ask_books(tenant, connection, postings=entry.postings)()
    books, missing = opened.books, opened.missing
    set_back = entry.kind is EntryKind.CLOCK_SET_BACK
    posted_at = now.astimezone(UTC) if set_back else posting_time(books.posted_at, now)
    period = open_period(entry.period, closed_through=books.closed_through)
    record = entry.record(period=period, posted_at=moment_text(posted_at))
    linked = link(books.head, record)
    if missing:
        _add_accounts(tenant, connection, names=missing)
    _ADD_LINES.run_all(connection, _line_rows(tenant, linked.sequence, entry.postings))
    _ADD_ENTRY.run(
        connection,
        {
            "tenant": tenant,
            "entry_number": linked.sequence,
            "kind": entry.kind,
            "reference": entry.reference,
            "period": period,
            "login": entry.login,
            "record": linked.written.decode("ascii"),
            "previous_hash": linked.previous.hex(),
            "hash": linked.hash.hex(),
            "posted_at": posted_at,
        },
    )
    _MOVE_HEAD.run(
        connection,
        {
            "books": tenant,
            "new_length": linked.sequence,
            "new_hash": linked.hash.hex(),
            "new_posted_at": posted_at,
        },
    )
    return PostedEntry(
        entry_number=linked.sequence,
        kind=entry.kind,
        reference=entry.reference,
        period=period,
        posted_at=posted_at,
        postings=entry.postings,
        hash=linked.hash.hex(),
    )


def _line_rows(
    tenant: str, entry_number: int, postings: Iterable[Posting]
) -> list[dict[str, object]]:
    """Return the rows of the lines of an entry."""
    return [
        {
            "tenant": tenant,
            "entry_number": entry_number,
            "line_number": number,
            "account": posting.account,
            "amount_minor": posting.amount_minor,
            "currency": posting.currency,
        }
        for number, posting in enumerate(postings, start=1)
    ]


def lock_books(tenant: str, connection: Connection) -> Books:
    """Return the end of the books; nobody else posts until the transaction ends."""
    return _ask_books(tenant, connection, wanted=frozenset())().books


def ask_books(
    tenant: str, connection: Connection, *, postings: Iterable[Posting]
) -> Callable[[], OpenBooks]:
    """Open the books for an entry with these postings, which ``post`` then has to write.

    What is left of floats and credits is moved along. What is returned gives the end of the books.

    Raises:
        LedgerAccountError: A float or a credit of somebody who does not exist.
        LedgerLimitError: A float or a credit does not suffice.
    """
    # Owners come before the head; whoever sells or takes back has locked them before.
    _move_parties(tenant, connection, postings=postings)
    wanted = frozenset(posting.account for posting in postings)
    return _ask_books(tenant, connection, wanted=wanted)


def close(tenant: str, connection: Connection, *, closed: ClosedPeriod) -> None:
    """Write down that a month is closed, and let nothing more be booked in it."""
    connection.execute(
        insert(ledger_periods).values(
            tenant=tenant,
            period=closed.period,
            length=closed.length,
            login=closed.login,
            closed_at=closed.closed_at,
        )
    )
    connection.execute(
        update(ledger_heads)
        .where(ledger_heads.c.tenant == tenant)
        .values(closed_through=closed.period)
    )


def _ask_books(
    tenant: str, connection: Connection, *, wanted: frozenset[str]
) -> Callable[[], OpenBooks]:
    """Ask for the end of the books, locked, and which of the accounts are not there yet."""
    head = _head(len(wanted))
    values = {"tenant": tenant}
    for place, name in enumerate(sorted(wanted)):
        values[f"account_{place}"] = name
    asked = head.ask(connection, values)

    def found() -> OpenBooks:
        rows = asked.rows()
        if not rows:
            # The first entry of a tenant; whoever is first makes the head, the others find it.
            start = {"tenant": tenant, "length": 0, "hash": _start(tenant)}
            connection.execute(_unless_there(ledger_heads, connection), start)
            rows = head.rows(connection, values)
        first = rows[0]
        return OpenBooks(
            books=Books(
                head=Head(length=first.length, hash=bytes.fromhex(first.hash)),
                posted_at=first.posted_at,
                closed_through=first.closed_through,
            ),
            missing=wanted - {row.account for row in rows},
        )

    return found


def _start(tenant: str) -> str:
    """Return the hash that a tenant's books begin with."""
    return Head.start(chain_name(tenant)).hash.hex()


@cache
def _head(accounts_asked: int) -> Prepared:
    """Return the statement that locks the head, and asks for as many accounts."""
    asked: list[BindParameter[str]] = [
        bindparam(f"account_{place}") for place in range(accounts_asked)
    ]
    query = (
        select(
            ledger_heads.c.length,
            ledger_heads.c.hash,
            ledger_heads.c.posted_at,
            ledger_heads.c.closed_through,
            ledger_accounts.c.account,
        )
        .select_from(
            ledger_heads.outerjoin(
                ledger_accounts,
                and_(
                    ledger_accounts.c.tenant == ledger_heads.c.tenant,
                    ledger_accounts.c.account.in_(asked) if asked else false(),
                ),
            )
        )
        .where(ledger_heads.c.tenant == bindparam("tenant"))
    )
    return Prepared(locked(query, ledger_heads))


def _add_accounts(tenant: str, connection: Connection, *, names: frozenset[str]) -> None:
    rows = [
        {"tenant": tenant, "account": name, "kind": account_kind(name), "name": name}
        for name in sorted(names)
    ]
    connection.execute(_unless_there(ledger_accounts, connection), rows)


def _unless_there(table: Table, connection: Connection) -> Insert:
    """Return an INSERT that leaves a row alone that is there already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def _move_parties(tenant: str, connection: Connection, *, postings: Iterable[Posting]) -> None:
    """Move what is left of floats and credits together with their accounts."""
    moves: dict[str, int] = {}
    for posting in postings:
        moves[posting.account] = moves.get(posting.account, 0) + posting.amount_minor
    # In the order of their names, so that two entries never wait for each other.
    for account, amount in sorted(moves.items()):
        party = party_of(account)
        if party is not None:
            kind, name = party
            move = _MOVE_FLOAT if kind == "vendor" else _MOVE_CREDIT
            # What was sent before shall not be taken for a float that does not suffice.
            receive(connection)
            try:
                moved = move.change(connection, {"books": tenant, "party": name, "amount": amount})
            except IntegrityError:
                raise LedgerLimitError(account) from None
            if moved != 1:
                raise LedgerAccountError(account)
