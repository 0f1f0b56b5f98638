"""A meter's answers as lines, table rows and JSON; the terminal prints them."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Final

from sts.codec import format_token
from sts.meter.entry import Entry
from sts.meter.events import DayRecord, Event, IntervalRecord
from sts.meter.log_rows import HistoryEntry
from sts.meter.results import RESULTS, ResultCode
from sts.meter.run import Line, picture
from sts.meter.snapshot import Snapshot
from sts.tokens import Service

EVENT_HEADS: Final = ("time", "event", "cause", "credit", "total")
HISTORY_HEADS: Final = ("time", "token", "result", "amount")
INTERVAL_FIELDS: Final = ("starts_at", "ends_at", "imported", "exported", "credit")
DAY_FIELDS: Final = ("day", "starts_at", "ends_at", "imported", "exported")


def entry_lines(entry: Entry) -> Sequence[str]:
    """Return what the keypad's user reads, and for a refusal what an engineer needs."""
    words = RESULTS[entry.code]
    lines = (entry.household_text, *(f"  {line}" for line in entry.lines))
    if entry.refused:
        return (*lines, f"{words.name} ({entry.code:d}): {entry.engineer_text}")
    return (*lines, f"Credit {entry.snapshot.credit_text}. {entry.snapshot.supply_text}")


def entry_json(entry: Entry) -> dict[str, object]:
    """Return an entry for programs."""
    return {
        "result": _result_json(entry.code),
        "refused": entry.refused,
        "text": entry.household_text,
        "reason": entry.engineer_text,
        "amount": entry.amount_text,
        "lines": list(entry.lines),
        "meter": entry.snapshot.as_json(),
    }


def event_row(event: Event) -> tuple[str, ...]:
    """Return an event as a row under ``EVENT_HEADS``."""
    return (
        event.at.isoformat(),
        str(event.kind),
        str(event.cause or event.tamper or ""),
        str(event.credit),
        str(event.consumed),
    )


def event_json(event: Event) -> dict[str, object]:
    """Return an event for programs."""
    return {
        "at": event.at.isoformat(),
        "event": str(event.kind),
        "cause": None if event.cause is None else str(event.cause),
        "tamper": None if event.tamper is None else str(event.tamper),
        "credit": event.credit,
        "total": event.consumed,
    }


def history_row(token: HistoryEntry) -> tuple[str, ...]:
    """Return a token that was keyed as a row under ``HISTORY_HEADS``."""
    name = RESULTS[token.result].name
    return (token.at.isoformat(), format_token(token.digits), name, token.amount)


def history_json(token: HistoryEntry) -> dict[str, object]:
    """Return a token that was keyed for programs."""
    return {
        "at": token.at.isoformat(),
        "digits": token.digits,
        "result": _result_json(token.result),
        "amount": token.amount,
        "text": token.text,
        "reason": token.reason,
    }


def interval_fields(line: IntervalRecord) -> dict[str, object]:
    """Return a half hour for programs, under ``INTERVAL_FIELDS``."""
    return _plain_fields(line, INTERVAL_FIELDS)


def day_fields(day: DayRecord) -> dict[str, object]:
    """Return a daily total for programs, under ``DAY_FIELDS``."""
    return _plain_fields(day, DAY_FIELDS)


def line_text(line: Line, *, full: int, as_json: bool) -> str:
    """Return one line of a run, as a picture or as one line of JSON."""
    if not as_json:
        return picture(line, full=full)
    fields = event_json(line) if isinstance(line, Event) else line.as_json()
    return json.dumps(fields, ensure_ascii=False)


def reading_rows(snapshot: Snapshot) -> Sequence[tuple[str, str]]:
    """Return what the meter shows, as names and values."""
    ends, result = snapshot.credit_ends_at, snapshot.last_result
    key = (
        f"SGC {snapshot.supply_group_code}  KRN {snapshot.key_revision_number or '-'}  "
        f"TI {snapshot.tariff_index}  KT {snapshot.key_type:d}  KEN {snapshot.key_expiry_number}"
    )
    missing = ", ".join(str(part) for part in snapshot.missing_parts)
    # Rows that most meters have no use for are left out where there is nothing to say.
    lent = [("emergency", snapshot.emergency_text)] if snapshot.emergency_text else []
    fed = [("fed back", snapshot.exported_text)] if snapshot.exported else []
    return (
        ("meter", f"{snapshot.drn}  EA{snapshot.encryption_algorithm}  {snapshot.phases}-phase"),
        ("credit", snapshot.credit_text),
        *lent,
        ("supply", snapshot.supply_text),
        ("load", _load_text(snapshot) if snapshot.relay_closed else "none"),
        ("lasts until", "-" if ends is None else ends.isoformat()),
        ("total", snapshot.total_text),
        *fed,
        ("power limit", _limit_text(snapshot)),
        ("tamper", "yes" if snapshot.tampered else "no"),
        ("key", key),
        ("last token", "-" if result is None else RESULTS[result].name),
        ("waits for part", missing or "-"),
    )


def _plain_fields(record: object, names: tuple[str, ...]) -> dict[str, object]:
    values = ((name, getattr(record, name)) for name in names)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values}


def _load_text(snapshot: Snapshot) -> str:
    if snapshot.service is Service.TIME:
        return "time passes"
    if not snapshot.measures_power:
        return f"{snapshot.load_w} litre/h"
    total = f"{snapshot.load_w} W"
    if snapshot.phases == 1:
        return total
    return f"{total} ({', '.join(f'{watts} W' for watts in snapshot.phase_loads_w)})"


def _limit_text(snapshot: Snapshot) -> str:
    limit, spread = snapshot.power_limit_w, snapshot.unbalance_limit_w
    total = "none" if limit is None else f"{limit} W"
    return total if spread is None else f"{total}, between phases {spread} W"


def _result_json(code: ResultCode) -> dict[str, object]:
    return {"code": int(code), "name": RESULTS[code].name}
