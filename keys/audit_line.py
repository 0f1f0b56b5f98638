"""One line of the audit log: an entry of the chain with its seal, as canonical JSON."""

import json
from dataclasses import dataclass
from typing import Final

from keys.canonical_json import CanonicalJsonError, canonical_bytes, read_canonical
from keys.errors import KeysError
from keys.hash_chain import HASH_BYTES, Entry
from keys.json_fields import Fields

LONGEST_LINE: Final = 2**16
_NAMES: Final = ("sequence", "previous", "record", "hash", "seal")


class AuditLineError(KeysError):
    """Not a line of an audit log."""

    code = "AUDIT_LINE"
    hint = "keep the log as evidence and compare it with its last backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """An entry and its seal.

    Attributes:
        entry: The entry.
        seal: Over the chain up to this entry.
    """

    entry: Entry
    seal: bytes


def format_line(line: AuditLine) -> bytes:
    """Return the bytes of a line, line feed included.

    Raises:
        AuditLineError: More than a line can hold.
    """
    entry = line.entry
    content = canonical_bytes(
        {
            "sequence": entry.sequence,
            "previous": entry.previous.hex(),
            "record": entry.record,
            "hash": entry.hash.hex(),
            "seal": line.seal.hex(),
        }
    )
    if len(content) >= LONGEST_LINE:
        raise AuditLineError(f"an entry of the audit log has at most {LONGEST_LINE} bytes")
    return content + b"\n"


def parse_line(content: bytes) -> AuditLine:
    """Read the bytes of a line, line feed excluded.

    Raises:
        AuditLineError: Not a line, or not written in the one way.
    """
    try:
        value = read_canonical(content)
    except CanonicalJsonError as error:
        raise AuditLineError(f"not an entry of an audit log: {error}") from None
    fields = Fields("an entry", value, names=_NAMES, refuse=AuditLineError)
    record = fields.raw("record")
    if not isinstance(record, dict):
        raise AuditLineError("not an entry of an audit log: the record is not an object")
    return AuditLine(
        entry=Entry(
            sequence=fields.number("sequence", low=1),
            previous=fields.hexadecimal("previous", size=HASH_BYTES),
            record=record,
            hash=fields.hexadecimal("hash", size=HASH_BYTES),
        ),
        seal=fields.hexadecimal("seal"),
    )


def parse_rest(content: bytes) -> tuple[AuditLine | None, int]:
    """Read what stands behind the last line feed: what a crash can leave there.

    That is nothing, the beginning of an entry, or a whole one without its line feed; and behind
    each there may be zeros, where the disk had made room for more.

    Returns:
        The entry, if it is whole, and how many bytes are left over.

    Raises:
        AuditLineError: Something else: an entry with more behind it, which no crash leaves.
    """
    if not content:
        return None, 0
    written = content.rstrip(b"\0")
    try:
        return parse_line(written), len(content) - len(written)
    except AuditLineError:
        # The brace that closes an entry is its last byte, so a beginning is never whole JSON.
        if _begins_with_json(written):
            raise
        return None, len(content)


def _begins_with_json(content: bytes) -> bool:
    try:
        json.JSONDecoder().raw_decode(content.decode("latin-1"))
    except (ValueError, RecursionError):
        return False
    return True
