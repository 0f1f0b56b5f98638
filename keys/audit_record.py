"""What the key audit log says about each use of a key: who, when, which key, which meter, what.

The fields are fixed, so that there is no place for a key, and none for a whole token: of a token
only a digest and the last four digits are kept. The digest covers the meter number as well, so
that nobody can try all tokens against all entries at once. What people type (names, notes) is
refused where it looks like a key or a token.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from keys.canonical_json import JsonValue
from keys.errors import KeysError
from keys.hash_chain import Checkpoint
from keys.json_fields import LONGEST_TEXT, is_name, time_text
from keys.registered_key import KeyName
from sts import MeterPan
from sts.token_identifier import require_utc

MOST_TOKENS: Final = 100
MOST_CUSTODIANS: Final = 10
_LAST_DIGITS: Final = 4
_TOKEN_DIGITS: Final = 20
_LOOKS_LIKE_TOKEN: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){19}(?!\d)")
_LOOKS_LIKE_KEY: Final = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f](?:[ :-]?[0-9A-Fa-f]){15,}")


class AuditTextError(KeysError):
    """A text that may not stand in the audit log."""

    code = "AUDIT_TEXT"


class AuditEvent(StrEnum):
    """What happened."""

    CREATED = "created"
    """The log was begun."""
    RECOVERED = "recovered"
    """An entry that a crash had left half written was cut off."""
    ISSUE = "issue"
    KEY_CHANGE = "key-change"
    COMMISSION = "commission"
    VERIFY = "verify"
    BULK = "bulk"
    """Many tokens or decoder keys at once, as one use."""
    METER_FILE = "meter-file"
    """The decoder key of a meter went out, sealed under a passphrase."""
    LOAD = "load"
    """Vending keys came in by a key load file."""
    IMPORT = "import"
    """A vending key came in by hand."""
    CEREMONY = "ceremony"
    """A vending key came in as components."""
    GENERATE = "generate"
    """A lab centre drew a vending key."""
    KEY_LOAD_FILE = "key-load-file"
    """A centre issued a key load file."""
    TRUST = "trust"
    """A module was told to trust a centre."""
    CLIENT = "client"
    """A client was let in to a module."""
    REVOKE = "revoke"
    REMOVE = "remove"
    OPEN = "open"
    """A module was opened for use."""
    WITNESS = "witness"
    """A checkpoint of another chain, kept here."""
    REFUSAL = "refusal"
    """Something was asked for and refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTrace:
    """By what a token is recognised later, without being given away.

    Attributes:
        digest: SHA-256 over meter number and digits, hexadecimal.
        last_digits: The last four digits.
    """

    digest: str
    last_digits: str

    @classmethod
    def of(cls, digits: str, meter_pan: MeterPan | None) -> Self:
        """Return the trace of a token; a token for all meters has no meter number.

        Raises:
            AuditTextError: Not 20 digits. They are not repeated.
        """
        if len(digits) != _TOKEN_DIGITS or not (digits.isascii() and digits.isdigit()):
            raise AuditTextError(f"a token has {_TOKEN_DIGITS} digits")
        pan = "null" if meter_pan is None else f'"{meter_pan.digits}"'
        # Canonical JSON: with nothing but digits in it, it can be put together here.
        message = f'{{"meter_pan":{pan},"token":"{digits}"}}'.encode("ascii")
        return cls(digest=hashlib.sha256(message).hexdigest(), last_digits=digits[-_LAST_DIGITS:])


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One use of a key, or one refusal. What does not apply is None or empty.

    Attributes:
        at: When.
        event: What happened.
        actor: Who asked for it: an operator or a client.
        refused: Of a refusal, what was asked for.
        refusal_code: Of a refusal, the code of the error; of a token that was verified, the code
            of why the meter does not accept it.
        key: Which key.
        check_value: By which the key can be recognised.
        meter_pan: Which meter.
        message_id: The caller's name for the request.
        tid_minutes: The token identifier.
        tokens: Traces of the tokens made.
        count: How many, of a use in bulk.
        digest: SHA-256 of all that a use in bulk made, hexadecimal.
        custodians: Who took part in a ceremony.
        party_id: Of which centre or module a file or an order was.
        serial_number: Of the key load file.
        chain: The name of the chain that begins here.
        checkpoint: Of another chain, or of the log that this one continues.
        torn_bytes: How many bytes were cut off after a crash.
        note: In a person's words.

    Raises:
        AuditTextError: A text too long, with control characters, or like a key or a token.
        NaiveDatetimeError: The time has no zone.
    """

    at: datetime
    event: AuditEvent
    actor: str
    refused: AuditEvent | None = None
    refusal_code: str | None = None
    key: KeyName | None = None
    check_value: str | None = None
    meter_pan: MeterPan | None = None
    message_id: str | None = None
    tid_minutes: int | None = None
    tokens: tuple[TokenTrace, ...] = ()
    count: int | None = None
    digest: str | None = None
    custodians: tuple[str, ...] = ()
    party_id: str | None = None
    serial_number: int | None = None
    chain: str | None = None
    checkpoint: Checkpoint | None = None
    torn_bytes: int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Check the texts and the lengths of the lists."""
        require_utc(self.at)
        if len(self.tokens) > MOST_TOKENS or len(self.custodians) > MOST_CUSTODIANS:
            raise AuditTextError("too many tokens or custodians for one entry")
        for custodian in self.custodians:
            _require_harmless("custodian", custodian)
        for name in ("actor", "note"):
            text: str | None = getattr(self, name)
            if text is not None:
                _require_harmless(name, text)
        for name in ("refusal_code", "check_value", "message_id", "party_id", "chain", "digest"):
            text = getattr(self, name)
            if text is not None and not is_name(text):
                raise AuditTextError(f"{name}: 1 to {LONGEST_TEXT} printable characters")


def audit_body(record: AuditRecord) -> dict[str, JsonValue]:
    """Return a record as plain JSON values; what does not apply is left out."""
    meter_pan = None if record.meter_pan is None else record.meter_pan.digits
    body: dict[str, JsonValue] = {
        "at": time_text(record.at),
        "event": record.event,
        "actor": record.actor,
        "refused": record.refused,
        "refusal_code": record.refusal_code,
        **_key_body(record.key),
        "check_value": record.check_value,
        "meter_pan": meter_pan,
        "message_id": record.message_id,
        "tid_minutes": record.tid_minutes,
        "tokens": [
            {"digest": token.digest, "last_digits": token.last_digits} for token in record.tokens
        ],
        "count": record.count,
        "digest": record.digest,
        "custodians": list(record.custodians),
        "party_id": record.party_id,
        "serial_number": record.serial_number,
        "chain": record.chain,
        "checkpoint": _checkpoint_body(record.checkpoint),
        "torn_bytes": record.torn_bytes,
        "note": record.note,
    }
    return {name: value for name, value in body.items() if value is not None and value != []}


def _key_body(key: KeyName | None) -> dict[str, JsonValue]:
    if key is None:
        return {}
    return {
        "tenant": key.tenant,
        "supply_group_code": str(key.supply_group_code),
        "key_revision_number": int(key.key_revision_number),
    }


def _checkpoint_body(checkpoint: Checkpoint | None) -> dict[str, JsonValue] | None:
    if checkpoint is None:
        return None
    return {
        "chain": checkpoint.chain,
        "length": checkpoint.head.length,
        "head": checkpoint.head.hash.hex(),
        "sealed_at": time_text(checkpoint.sealed_at),
    }


def _require_harmless(name: str, text: str) -> None:
    if not is_name(text):
        raise AuditTextError(f"{name}: 1 to {LONGEST_TEXT} printable characters")
    if _LOOKS_LIKE_TOKEN.search(text) or _LOOKS_LIKE_KEY.search(text):
        raise AuditTextError(f"{name}: the text looks like a key or a token, and is not kept")
