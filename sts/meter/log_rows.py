"""What a meter's file keeps of the past, as rows: events and the tokens that were keyed.

Reading a row back takes nothing for granted: what is not such a row raises ``ValueError``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sts.meter.forms import Value, moment_of, read_text, read_whole
from sts.meter.results import ResultCode
from sts.meter.state import SupplyCause
from sts.meter.supply import Event, EventKind

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
        "credit": event.credit,
        "consumed": event.consumed,
    }


def event_from_row(row: LogRow) -> Event:
    """Return the event of a row.

    Raises:
        ValueError: The row is not that of an event.
    """
    cause = row["cause"]
    return Event(
        at=moment_of(read_text(row["at"])),
        kind=EventKind(read_text(row["kind"])),
        cause=None if cause is None else SupplyCause(read_text(cause)),
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
