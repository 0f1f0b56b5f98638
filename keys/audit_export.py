"""The audit log for auditors: as JSON, which is exact, or as a table for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from keys.canonical_json import JsonValue, canonical_bytes
from keys.hash_chain import Entry

COLUMNS: Final = (
    "sequence",
    "at",
    "event",
    "actor",
    "refused",
    "refusal_code",
    "tenant",
    "supply_group_code",
    "key_revision_number",
    "check_value",
    "meter_pan",
    "message_id",
    "tid_minutes",
    "tokens",
    "count",
    "digest",
    "custodians",
    "party_id",
    "serial_number",
    "chain",
    "checkpoint",
    "torn_bytes",
    "note",
    "hash",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def export_json(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a JSON list in pieces, one entry a line."""
    before = "[\n"
    for entry in entries:
        body: dict[str, JsonValue] = {
            "sequence": entry.sequence,
            "previous": entry.previous.hex(),
            "record": entry.record,
            "hash": entry.hash.hex(),
        }
        yield before + canonical_bytes(body).decode("ascii")
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def export_csv(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a table line by line, the names of the columns first.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    yield _row(COLUMNS)
    for entry in entries:
        values: dict[str, JsonValue] = {
            **entry.record,
            "sequence": entry.sequence,
            "hash": entry.hash.hex(),
        }
        yield _row(_cell(values.get(column)) for column in COLUMNS)


def _row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: JsonValue) -> str:
    text = _text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case str() | int():
            return str(value)
        case dict():
            return " ".join(_text(item) for item in value.values())
        case _:
            return "; ".join(_text(item) for item in value)
