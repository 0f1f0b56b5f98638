"""The security module's issue journal, within the database transaction that a sale has open.

How much credit a vending key has made is asked for only where that is limited. The sum is kept in a
row of its own, so that a sale takes as long however many there were. Only who has asked for it goes
on counting; credit that is made without having been counted removes the row, and whoever asks next
adds up the journal again.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    select,
    union_all,
    update,
)

from keys import JournalEntry, JournalTransaction, KeyName, LookedUp
from sts import BaseDate, KeyRevisionNumber, MeterPan, SupplyGroupCode
from vending_app.storage.locking import locked
from vending_app.storage.prepared import Found, Prepared
from vending_app.storage.tables import issue_journal, key_credit, supply_groups

_NO_CREDIT: Final = "0"


def _of_key(table: Table) -> ColumnElement[bool]:
    return and_(
        table.c.tenant == bindparam("of_tenant"),
        table.c.supply_group_code == bindparam("of_group"),
        table.c.key_revision_number == bindparam("of_revision"),
    )


_LOCK_GROUP: Final = Prepared(
    locked(
        select(supply_groups.c.tenant).where(
            supply_groups.c.tenant == bindparam("of_tenant"),
            supply_groups.c.supply_group_code == bindparam("of_group"),
        )
    )
)
_COUNTED: Final = Prepared(select(key_credit.c.credit_units).where(_of_key(key_credit)))
_JOURNALLED: Final = Prepared(
    select(issue_journal.c.credit_units).where(
        _of_key(issue_journal), issue_journal.c.credit_units != _NO_CREDIT
    )
)
_BEGIN_COUNT: Final = Prepared(insert(key_credit))
_GO_ON: Final = Prepared(
    update(key_credit).where(_of_key(key_credit)).values(credit_units=bindparam("new_units"))
)
_END_COUNT: Final = Prepared(delete(key_credit).where(_of_key(key_credit)))
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
        self._counted: dict[KeyName, int] = {}

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

    def credit_used(self, key: KeyName) -> int:
        """Return how much credit was made under a vending key, in 0.00001 of the currency.

        The supply group is locked until the transaction ends, so two sales cannot both use up
        what is left of a limit.
        """
        of_key = _values(key)
        self._lock_group(of_key)
        counted = _COUNTED.one_or_none(self._connection, of_key)
        if counted is None:
            # Credit may be beyond 64 bits, which no database adds up.
            rows = _JOURNALLED.rows(self._connection, of_key)
            used = sum(int(row.credit_units) for row in rows)
            _BEGIN_COUNT.run(
                self._connection,
                {
                    "tenant": key.tenant,
                    "supply_group_code": of_key["of_group"],
                    "key_revision_number": of_key["of_revision"],
                    "credit_units": str(used),
                },
            )
        else:
            used = int(counted.credit_units)
        self._counted[key] = used
        return used

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
        if entry.credit_units:
            self._count(entry.key, entry.credit_units)

    def _count(self, key: KeyName, units: int) -> None:
        """Add credit to what a key has made, if that is counted."""
        of_key, used = _values(key), self._counted.pop(key, None)
        if used is None:
            self._lock_group(of_key)
            _END_COUNT.run(self._connection, of_key)
        else:
            _GO_ON.run(self._connection, {**of_key, "new_units": str(used + units)})

    def _lock_group(self, of_key: Mapping[str, object]) -> None:
        # Found or not: a key of a group that is not set up here sells nothing.
        group = {name: of_key[name] for name in ("of_tenant", "of_group")}
        _LOCK_GROUP.rows(self._connection, group)


def _values(key: KeyName) -> dict[str, object]:
    return {
        "of_tenant": key.tenant,
        "of_group": f"{key.supply_group_code.number:06d}",
        "of_revision": int(key.key_revision_number),
    }


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
