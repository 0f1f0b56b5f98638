"""Daily: what the security module made against what the books say.

The module's log is written before an answer leaves it, so everything in the books must be in the
log. The books are read first; what the log got within the last minutes may still be on its way
into them, and is not judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from keys.audit_read import read_log
from keys.audit_record import AuditEvent as KeyEvent
from keys.audit_record import TokenTrace
from keys.canonical_json import JsonObject, JsonValue, canonical_bytes
from keys.chain_errors import ChainError
from keys.chain_seal import SealVerifier
from sts import DecoderReferenceNumber, MeterPan
from vending_app.domain.reconciliation import (
    BookedToken,
    Comparison,
    Gap,
    JournalledRequest,
    KeyCounters,
    LoggedToken,
    compare,
)
from vending_app.services.plans import message_id
from vending_app.services.recovery import PATIENCE
from vending_app.storage import audit, reconciliations, requests, tenants
from vending_app.storage.audit import AuditEvent
from vending_app.storage.engine import Store

ACTOR: Final = "sts-vend"
GAP_CODE: Final = "MODULE_GAP"
MOST_LISTED: Final = 200
"""How many gaps an incident lists; it says how many there are in any case."""
_MOST_OPEN: Final = 10_000
_MADE: Final = frozenset({KeyEvent.ISSUE, KeyEvent.KEY_CHANGE, KeyEvent.COMMISSION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What came of a day.

    Attributes:
        tenant: Whose.
        day: Which, of the tenant's local calendar.
        attempt: Counts the reconciliations of this day.
        keys: Counters by supply group and revision.
        gaps: What does not agree.
    """

    tenant: str
    day: date
    attempt: int
    keys: dict[str, KeyCounters]
    gaps: tuple[Gap, ...]

    @property
    def agrees(self) -> bool:
        """Whether there is no gap."""
        return not self.gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    booked: Sequence[BookedToken]
    journal: Sequence[JournalledRequest] | None
    open_names: frozenset[str]


def day_before(store: Store, tenant: str, *, now: datetime) -> date:
    """Return the last day that is over in a tenant's local calendar.

    Raises:
        UnknownTenantError: There is none of this code.
    """
    with store.read() as connection:
        zone = ZoneInfo(tenants.find_tenant(tenant, connection).time_zone)
    return now.astimezone(zone).date() - timedelta(days=1)


def reconcile(
    store: Store,
    tenant: str,
    *,
    log: Path,
    day: date,
    now: datetime,
    shared_journal: bool = True,
    key: SealVerifier | None = None,
) -> Reconciliation:
    """Compare a day and write down what came of it; a gap is an incident in the audit log.

    Args:
        store: The database.
        tenant: Whose tokens.
        log: The audit log of the security module; it is only read.
        day: Which day of the tenant's local calendar.
        now: The present time, aware.
        shared_journal: Whether the module keeps its journal in this database.
        key: The seal key of the log, if it is at hand.

    Raises:
        UnknownTenantError: There is none of this code.
        ChainError: The log was altered, which is an incident of its own.
        KeysError: The log cannot be read.
    """
    with store.read() as connection:
        zone = ZoneInfo(tenants.find_tenant(tenant, connection).time_zone)
        begins = datetime.combine(day, time(), zone)
        ends = datetime.combine(day + timedelta(days=1), time(), zone)
        books = _read_books(
            connection, tenant, begins=begins, ends=ends, shared_journal=shared_journal
        )
    names = {token.message_id for token in books.booked if token.of_day}
    try:
        logged = [
            token
            for token, at in _logged(tenant, log, begins=begins, ends=ends, key=key)
            if token.message_id in names or (token.of_day and at <= now - PATIENCE)
        ]
    except ChainError as error:
        with store.write() as connection:
            _add_incident(
                connection, tenant, code=error.code, message=f"{error}.", document={}, now=now
            )
        raise
    found = compare(
        logged=logged,
        booked=books.booked,
        journal=books.journal,
        open_names=books.open_names,
    )
    return _written(store, tenant, found, day=day, now=now)


def _read_books(
    connection: Connection, tenant: str, *, begins: datetime, ends: datetime, shared_journal: bool
) -> _Books:
    journal = None
    if shared_journal:
        journal = [
            JournalledRequest(
                message_id=row.message_id,
                key=_key(row.supply_group_code, row.key_revision_number),
                of_day=row.made_at < ends,
                currency_units=row.credit_units,
            )
            for row in reconciliations.journalled_since(tenant, connection, since=begins)
        ]
    opened = requests.list_open(tenant, connection, limit=_MOST_OPEN)
    return _Books(
        booked=list(_booked(connection, tenant, begins=begins, ends=ends)),
        journal=journal,
        open_names=frozenset(message_id(tenant, each.request_id, "") for each in opened),
    )


def _booked(
    connection: Connection, tenant: str, *, begins: datetime, ends: datetime
) -> Iterator[BookedToken]:
    """Yield the tokens in the books, under the names that the module was given."""
    request_id, number = "", 0
    for row in reconciliations.booked_since(tenant, connection, since=begins):
        if row.request_id != request_id:
            request_id, number = row.request_id, 0
        number += not row.is_key_change
        part = "key" if row.is_key_change else str(number)
        pan = MeterPan.from_drn(DecoderReferenceNumber(row.drn))
        yield BookedToken(
            message_id=message_id(tenant, request_id, part),
            digest=TokenTrace.of(row.digits, pan).digest,
            key=_key(row.supply_group_code, row.key_revision_number),
            of_day=row.made_at < ends,
            tenths=row.amount_tenths,
            currency_units=row.currency_units,
        )


def _logged(
    tenant: str, log: Path, *, begins: datetime, ends: datetime, key: SealVerifier | None
) -> Iterator[tuple[LoggedToken, datetime]]:
    """Yield the tokens in the log with the time of each, all entries checked on the way."""
    for entry in read_log(log, key=key):
        record = entry.record
        if record.get("tenant") != tenant or record.get("event") not in _MADE:
            continue
        at = datetime.fromisoformat(str(record["at"]))
        name = record.get("message_id")
        traces = record.get("tokens", [])
        assert isinstance(traces, list)
        for trace in traces:
            assert isinstance(trace, dict)
            token = LoggedToken(
                message_id=None if name is None else str(name),
                digest=str(trace["digest"]),
                key=_key(record["supply_group_code"], record["key_revision_number"]),
                of_day=begins <= at < ends,
            )
            yield token, at


def _key(supply_group_code: JsonValue, key_revision_number: JsonValue) -> str:
    return f"{supply_group_code}/{key_revision_number}"


def _written(
    store: Store, tenant: str, found: Comparison, *, day: date, now: datetime
) -> Reconciliation:
    document: JsonObject = {
        "keys": {key: counters.body() for key, counters in sorted(found.keys.items())},
        "gap_count": len(found.gaps),
        "gaps": [
            {"kind": gap.kind.value, "message_id": gap.message_id, "key": gap.key}
            for gap in found.gaps[:MOST_LISTED]
        ],
    }
    with store.write() as connection:
        tenants.lock_tenant(tenant, connection)
        attempt = reconciliations.add(
            tenant,
            connection,
            day=day,
            agrees=not found.gaps,
            document=canonical_bytes(document).decode("ascii"),
            now=now,
        )
        if found.gaps:
            message = f"{len(found.gaps)} gaps between security module and books on {day}."
            _add_incident(
                connection, tenant, code=GAP_CODE, message=message, document=document, now=now
            )
    return Reconciliation(
        tenant=tenant, day=day, attempt=attempt, keys=found.keys, gaps=tuple(found.gaps)
    )


def _add_incident(
    connection: Connection,
    tenant: str,
    *,
    code: str,
    message: str,
    document: JsonObject,
    now: datetime,
) -> None:
    event = AuditEvent(
        kind="incident",
        login=ACTOR,
        code=code,
        message=message,
        document=canonical_bytes(document).decode("ascii"),
        happened_at=now,
    )
    audit.add_event(tenant, connection, event=event)
