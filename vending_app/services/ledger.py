"""Corrections of the books, and what is read of them: balances, the journal.

The code of a correction names it for ever: the same one sent again is answered with the entry that
stands there, another one under its code is refused.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from vending_app.domain.chart import party_of
from vending_app.domain.ledger import CLOCK_UNIT, EntryKind, LedgerEntry, Posting
from vending_app.domain.ledger_errors import (
    LedgerAccountError,
    LedgerLimitError,
    LedgerReferenceReusedError,
)
from vending_app.domain.parties import Operator
from vending_app.domain.periods import period_of
from vending_app.domain.roles import Permission
from vending_app.services.adding import require_code
from vending_app.services.permissions import require, require_reason, require_second_person
from vending_app.services.sale_case import pending_sales_minor
from vending_app.storage import clock, ledger, ledger_reading, parties, tenants
from vending_app.storage.engine import Store
from vending_app.storage.ledger import PostedEntry
from vending_app.storage.ledger_reading import Balance

JOURNAL_COLUMNS: Final = (
    "entry_number",
    "posted_at",
    "period",
    "kind",
    "reference",
    "account",
    "amount_minor",
    "currency",
    "hash",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """An entry by hand, which puts right what an earlier one got wrong.

    Attributes:
        correction_code: Names the correction.
        reason: In words.
        postings: The lines; they balance.
        original_period: The month of what it corrects, if that is another.
    """

    correction_code: str
    reason: str
    postings: tuple[Posting, ...]
    original_period: str | None = None


def correct(
    store: Store,
    correction: Correction,
    *,
    operator: Operator,
    approver: Operator,
    now: datetime,
) -> PostedEntry:
    """Book a correction that two people stand for.

    Raises:
        NotPermittedError: A role does not allow it.
        SecondPersonError: Both are the same.
        ReasonMissingError: No reason.
        CodeFormError: The code cannot be one.
        LedgerAccountError: The accounts of the clock are not corrected by hand.
        LedgerError: Lines that are no entry, or that a float or credit does not suffice for.
        LedgerReferenceReusedError: The code stands for another correction.
    """
    require(operator, Permission.BANKING)
    require(approver, Permission.READ_LEDGER)
    require_second_person(operator.login, approver)
    require_code("A correction code", correction.correction_code)
    _require_no_clock(correction.postings)
    with store.read() as connection:
        tenant = tenants.find_tenant(operator.tenant, connection)
    entry = LedgerEntry(
        kind=EntryKind.CORRECTION,
        reference=f"correction {correction.correction_code}",
        period=period_of(now, ZoneInfo(tenant.time_zone)),
        login=operator.login,
        postings=correction.postings,
        facts={"reason": require_reason(correction.reason), "approved_login": approver.login},
        original_period=correction.original_period,
    )
    return _post_once(store, tenant.code, entry=entry, now=now)


def balances(store: Store, tenant: str, *, period: str | None = None) -> tuple[Balance, ...]:
    """Return what stands on each account, in all months or in one.

    Raises:
        UnknownTenantError: There is no such tenant.
    """
    with store.read() as connection:
        tenants.find_tenant(tenant, connection)
        return ledger_reading.balances(tenant, connection, period=period)


def journal_csv(store: Store, tenant: str) -> Iterator[str]:
    """Yield the journal as a table, a line at a time, the names of the columns first.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front; amounts do not,
    they are numbers.

    Raises:
        UnknownTenantError: There is no such tenant.
    """
    with store.read() as connection:
        tenants.find_tenant(tenant, connection)
        yield _csv_line(JOURNAL_COLUMNS)
        for entry in ledger_reading.entries(tenant, connection):
            for posting in entry.postings:
                yield _csv_line(
                    (
                        str(entry.entry_number),
                        entry.posted_at.isoformat(),
                        entry.period,
                        entry.kind,
                        _cell(entry.reference),
                        _cell(posting.account),
                        str(posting.amount_minor),
                        posting.currency,
                        entry.hash,
                    )
                )


def _require_no_clock(postings: tuple[Posting, ...]) -> None:
    """Refuse to count by hand how often the clock was set back; the checker believes no such."""
    for posting in postings:
        if posting.account.partition(":")[0] == "clock" or posting.currency == CLOCK_UNIT:
            raise LedgerAccountError(posting.account)


def _post_once(store: Store, tenant: str, *, entry: LedgerEntry, now: datetime) -> PostedEntry:
    """Return the entry under this reference, booked now if it was not before."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with store.write() as connection:
                found = ledger_reading.find_entry_by_reference(
                    tenant, connection, kind=entry.kind, reference=entry.reference
                )
                if found is None:
                    clock.require_clock(tenant, connection, now=now)
                    posted = ledger.post(tenant, connection, entry=entry, now=now)
                    _require_enough_for_pending(connection, tenant, entry.postings)
                    return posted
        except IntegrityError:
            # Somebody booked under this reference meanwhile; the next attempt finds it.
            if attempt == _ATTEMPTS:
                raise
        else:
            if found.postings != entry.postings:
                raise LedgerReferenceReusedError(entry.reference)
            return found
    raise AssertionError  # pragma: no cover - the last attempt returns or raises


def _require_enough_for_pending(
    connection: Connection, tenant: str, postings: Iterable[Posting]
) -> None:
    """Refuse to take from a float what sales need whose outcome is not known yet."""
    taken: Counter[str] = Counter()
    for posting in postings:
        taken[posting.account] += posting.amount_minor
    for account, minor in sorted(taken.items()):
        kind, code = party_of(account) or ("", "")
        if kind == "vendor" and minor > 0:
            vendor = parties.find_vendor(tenant, connection, vendor_code=code)
            if vendor.available_minor < pending_sales_minor(connection, vendor):
                raise LedgerLimitError(account)


def _csv_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
