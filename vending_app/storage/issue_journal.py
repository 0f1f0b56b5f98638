"""The security module's issue journal, within the database transaction that a sale has open."""

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    cast,
    func,
    insert,
    select,
    union_all,
)

from keys import JournalEntry, JournalTransaction, KeyName, KeyUsage, LookedUp
from sts import BaseDate, KeyRevisionNumber, MeterPan, SupplyGroupCode
from vending_app.storage.prepared import Found, Prepared
from vending_app.storage.tables import issue_journal, supply_groups

_CREDIT_DIGITS: Final = 40
"""As many as the column holds."""
_DIGITS_AT_ONCE: Final = 10
"""What 900 million entries of as many digits add up to is within 64 bits."""


def _credit_parts() -> list[ColumnElement[int]]:
    """Return the sums of the credit's digits, ten at a time and the last ones first.

    Credit may be beyond 64 bits, and no kind of number of both databases holds more of it exactly.
    """
    credit = issue_journal.c.credit_units
    padded = "0" * _CREDIT_DIGITS + credit
    starts = range(_CREDIT_DIGITS - _DIGITS_AT_ONCE, -1, -_DIGITS_AT_ONCE)
    return [
        func.sum(
            cast(func.substr(padded, func.length(credit) + start + 1, _DIGITS_AT_ONCE), BigInteger)
        )
        for start in starts
    ]


_USAGE: Final = select(func.count(), *_credit_parts()).where(
    issue_journal.c.tenant == bindparam("tenant"),
    issue_journal.c.supply_group_code == bindparam("group"),
    issue_journal.c.key_revision_number == bindparam("revision"),
)
_FIND: Final = Prepared(
    select(issue_journal).where(
        issue_journal.c.tenant == bindparam("tenant"),
        issue_journal.c.message_id == bindparam("message_id"),
    )
)
# Not one condition with OR: so both parts are found by way of their indexes for certain.
_LOOK_UP: Final = Prepared(
    union_all(
        select(issue_journal).where(
            issue_journal.c.tenant == bindparam("tenant"),
            issue_journal.c.message_id == bindparam("message_id"),
        ),
        select(issue_journal).where(
            issue_journal.c.tenant == bindparam("tenant"),
            issue_journal.c.meter_pan == bindparam("meter_pan"),
            issue_journal.c.base_date == bindparam("base_date"),
            issue_journal.c.tid == bindparam("tid"),
        ),
    )
)
_ADD: Final = Prepared(insert(issue_journal))


class DatabaseJournal:
    """The journal of all nodes; whoever opened the transaction commits it."""

    def __init__(self, connection: Connection) -> None:
        """Write into the transaction of ``connection``."""
        self._connection = connection

    def transaction(self) -> AbstractContextManager[JournalTransaction]:
        """Stand for the transaction that is open."""
        return nullcontext(self)

    def find(self, tenant: str, message_id: str) -> JournalEntry | None:
        """Return the entry of a message id, or None if the request is new."""
        values = {"tenant": tenant, "message_id": message_id}
        row = _FIND.one_or_none(self._connection, values)
        return None if row is None else _entry(row)

    def look_up(
        self, tenant: str, message_id: str, *, meter_pan: MeterPan, base_date: BaseDate, tid: int
    ) -> LookedUp:
        """Find the entry of a message id, and whether a token identifier has been used."""
        minute = {"meter_pan": meter_pan.digits, "base_date": base_date.year, "tid": tid}
        values = {"tenant": tenant, "message_id": message_id, **minute}
        rows = _LOOK_UP.rows(self._connection, values)
        entries = (_entry(row) for row in rows if row.message_id == message_id)
        tid_is_used = any(
            (row.meter_pan, row.base_date, row.tid) == tuple(minute.values()) for row in rows
        )
        return LookedUp(entry=next(entries, None), tid_is_used=tid_is_used)

    def usage(self, key: KeyName) -> KeyUsage:
        """Return how much was made under a vending key.

        The supply group is locked until the transaction ends, so two sales cannot both use up
        what is left of a limit.
        """
        group = str(key.supply_group_code)
        self._connection.execute(
            select(supply_groups.c.tenant)
            .where(supply_groups.c.tenant == key.tenant, supply_groups.c.supply_group_code == group)
            .with_for_update()
        )
        values = {"tenant": key.tenant, "group": group, "revision": int(key.key_revision_number)}
        tokens, *parts = self._connection.execute(_USAGE, values).one()
        # Without an entry the sums are NULL.
        credit = sum(
            int(part or 0) * 10 ** (_DIGITS_AT_ONCE * place) for place, part in enumerate(parts)
        )
        return KeyUsage(tokens=tokens, credit_units=credit)

    def add(self, entry: JournalEntry) -> None:
        """Write an entry down."""
        _ADD.run(
            self._connection,
            {
                "tenant": entry.key.tenant,
                "message_id": entry.message_id,
                "request_hash": entry.request_hash,
                "meter_pan": entry.meter_pan.digits,
                "supply_group_code": f"{entry.key.supply_group_code.number:06d}",
                "key_revision_number": int(entry.key.key_revision_number),
                "base_date": entry.base_date.year,
                "tid": entry.tid_minutes,
                "credit_units": str(entry.credit_units),
                "sealed": entry.sealed,
                "made_at": entry.made_at,
            },
        )


def _entry(row: Found) -> JournalEntry:
    return JournalEntry(
        message_id=row.message_id,
        request_hash=row.request_hash,
        meter_pan=MeterPan(row.meter_pan),
        key=KeyName(
            tenant=row.tenant,
            supply_group_code=SupplyGroupCode.parse(row.supply_group_code),
            key_revision_number=KeyRevisionNumber(row.key_revision_number),
        ),
        base_date=BaseDate.parse(row.base_date),
        tid_minutes=row.tid,
        credit_units=int(row.credit_units),
        sealed=row.sealed,
        made_at=row.made_at,
    )
