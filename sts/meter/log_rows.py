"""What a meter's file keeps of the past, as rows: events, tokens, half hours and days.

Reading a row back takes nothing for granted: what is not such a row raises ``ValueError``.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from sts.meter.events import DayRecord, Event, EventKind, IntervalRecord
from sts.meter.forms import Value, moment_of, read_text, read_whole
from sts.meter.results import ResultCode
from sts.meter.state import SupplyCause, TamperKind

LogRow: TypeAlias = dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One token that was keyed.

    Attributes:
        at: When, UTC.
        digits: As keyed, without spaces; cut off and made printable if they were no token.
        result: The answer.
        amount: The amount it added, with its unit; empty without one.
        text: The answer in words for the household.
        reason: Why it was refused, for an engineer; empty if it was not.
    """

    at: datetime
    digits: str
    result: ResultCode
    amount: str
    text: str
    reason: str


def event_to_row(event: Event) -> LogRow:
    """Return the row of an event."""
    return {
        "at": event.at.isoformat(),
        "kind": str(event.kind),
        "cause": None if event.cause is None else str(event.cause),
        "tamper": None if event.tamper is None else str(event.tamper),
        "credit": event.credit,
        "consumed": event.consumed,
    }


def event_from_row(row: LogRow) -> Event:
    """Return the event of a row.

    Raises:
        ValueError: The row is not that of an event.
    """
    cause, tamper = row["cause"], row["tamper"]
    return Event(
        at=moment_of(read_text(row["at"])),
        kind=EventKind(read_text(row["kind"])),
        cause=None if cause is None else SupplyCause(read_text(cause)),
        tamper=None if tamper is None else TamperKind(read_text(tamper)),
        credit=read_whole(row["credit"]),
        consumed=read_whole(row["consumed"]),
    )


def token_to_row(token: HistoryEntry) -> LogRow:
    """Return the row of a token."""
    return {
        "at": token.at.isoformat(),
        "digits": token.digits,
        "result": int(token.result),
        "amount": token.amount,
        "text": token.text,
        "reason": token.reason,
    }


def token_from_row(row: LogRow) -> HistoryEntry:
    """Return the token of a row.

    Raises:
        ValueError: The row is not that of a token.
    """
    return HistoryEntry(
        at=moment_of(read_text(row["at"])),
        digits=read_text(row["digits"]),
        result=ResultCode(read_whole(row["result"])),
        amount=read_text(row["amount"]),
        text=read_text(row["text"]),
        reason=read_text(row["reason"]),
    )


def interval_to_row(interval: IntervalRecord) -> LogRow:
    """Return the row of a half hour."""
    return {
        "starts_at": interval.starts_at.isoformat(),
        "ends_at": interval.ends_at.isoformat(),
        "imported": interval.imported,
        "exported": interval.exported,
        "credit": interval.credit,
    }


def interval_from_row(row: LogRow) -> IntervalRecord:
    """Return the half hour of a row.

    Raises:
        ValueError: The row is not that of a half hour.
    """
    return IntervalRecord(
        starts_at=moment_of(read_text(row["starts_at"])),
        ends_at=moment_of(read_text(row["ends_at"])),
        imported=read_whole(row["imported"]),
        exported=read_whole(row["exported"]),
        credit=read_whole(row["credit"]),
    )


def day_to_row(day: DayRecord) -> LogRow:
    """Return the row of a local day."""
    return {
        "day": day.day.isoformat(),
        "starts_at": day.starts_at.isoformat(),
        "ends_at": day.ends_at.isoformat(),
        "imported": day.imported,
        "exported": day.exported,
    }


def day_from_row(row: LogRow) -> DayRecord:
    """Return the local day of a row.

    Raises:
        ValueError: The row is not that of a day.
    """
    return DayRecord(
        day=date.fromisoformat(read_text(row["day"])),
        starts_at=moment_of(read_text(row["starts_at"])),
        ends_at=moment_of(read_text(row["ends_at"])),
        imported=read_whole(row["imported"]),
        exported=read_whole(row["exported"]),
    )
