"""Cases: why something is done that no customer paid for, who said so, and what proves it.

A case is opened by one person and decided by another. It names beforehand what it allows: tokens
for a free issue, an exchange of meters or a job card; one sale for a reversal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from keys.canonical_json import JsonObject
from sts import DecoderReferenceNumber
from vending_app.domain.errors import CaseContentError, EvidenceError

MOST_TOKENS: Final = 20
LONGEST_EVIDENCE: Final = 2_000
LONGEST_REASON: Final = 500
_HASH_DIGITS: Final = 64
_HEX: Final = frozenset("0123456789abcdef")


class CaseKind(StrEnum):
    """What a case is for."""

    REVERSAL = "reversal"
    """A sale is taken back."""
    WRONG_METER = "wrong_meter"
    """A sale is taken back, and made to the right meter."""
    EXCHANGE = "exchange"
    """What was left in a meter that was taken down goes into the one in its place."""
    FREE_ISSUE = "free_issue"
    """Credit that nobody pays for."""
    JOB_CARD = "job_card"
    """An engineer's work at a meter."""

    @property
    def makes_tokens(self) -> bool:
        """Whether it allows tokens, and not the reversal of a sale."""
        return self in _ALLOWED


class CaseState(StrEnum):
    """What has become of a case."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    DONE = "done"


class EvidenceKind(StrEnum):
    """What proves that a sale may be taken back."""

    NEVER_DELIVERED = "never_delivered"
    """The customer never saw the token: a printer or a line failed, and there is a record of it."""
    NOT_ISSUED = "not_issued"
    """The security module says that it never made the token."""
    REGISTER_READING = "register_reading"
    """A reading of the meter, with a photograph, shows that the token was not entered."""
    KEY_CHANGED = "key_changed"
    """The meter has been given a key of another revision since, which makes the token void."""
    SUPERVISOR_WORD = "supervisor_word"
    """Nothing but somebody's word, up to a limit."""


class CaseTokenKind(StrEnum):
    """What a case may let be made."""

    CREDIT = "credit"
    CURRENCY_CREDIT = "currency_credit"
    CLEAR_CREDIT = "clear_credit"
    CLEAR_TAMPER = "clear_tamper"
    POWER_LIMIT = "power_limit"
    PHASE_UNBALANCE_LIMIT = "phase_unbalance_limit"
    TARIFF_RATE = "tariff_rate"
    WATER_FACTOR = "water_factor"
    WRITE_EXTENDED = "write_extended"


_CREDIT: Final = frozenset({CaseTokenKind.CREDIT, CaseTokenKind.CURRENCY_CREDIT})
_ALLOWED: Final[Mapping[CaseKind, frozenset[CaseTokenKind]]] = {
    CaseKind.EXCHANGE: _CREDIT,
    CaseKind.FREE_ISSUE: _CREDIT,
    CaseKind.JOB_CARD: frozenset(CaseTokenKind) - _CREDIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseToken:
    """A token that a case allows.

    Attributes:
        kind: What it does.
        value: How much: tenths of a unit, 0.00001 of the currency, watts, the register, rate,
            factor or data; nothing for clearing tamper.
        index: Which register of the extended set; 0 for everything else.
    """

    kind: CaseTokenKind
    value: int = 0
    index: int = 0

    def body(self) -> JsonObject:
        """Return it as plain JSON values; what is asked for may be beyond the numbers of JSON."""
        return {"kind": self.kind.value, "value": str(self.value), "index": str(self.index)}

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "CaseToken":
        """Return what ``body`` returned."""
        return cls(
            kind=CaseTokenKind(body["kind"]), value=int(body["value"]), index=int(body["index"])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContent:
    """What a case is about, before anybody has decided.

    Attributes:
        kind: What it is for.
        drn: The meter: of a wrong sale, the one that it went to; of an exchange, the new one.
        reason: In words that an auditor understands.
        tokens: What it allows to be made.
        special_reserved: Whether its one token has the special identifier of the day, 00:01.
        sale_number: The sale to be taken back.
        right_drn: Of a sale to a wrong meter, the right one; of an exchange, the old one.
        evidence_kind: What proves that a sale may be taken back.
        evidence: What it says.
        evidence_hash: SHA-256 of a file that shows it, in hexadecimal.

    Raises:
        CaseContentError: Something is missing or does not belong there.
        EvidenceError: A reversal without proof.
    """

    kind: CaseKind
    drn: DecoderReferenceNumber
    reason: str
    tokens: tuple[CaseToken, ...] = ()
    special_reserved: bool = False
    sale_number: int | None = None
    right_drn: DecoderReferenceNumber | None = None
    evidence_kind: EvidenceKind | None = None
    evidence: str = ""
    evidence_hash: str | None = None

    def __post_init__(self) -> None:
        """Check that it is complete."""
        if not self.reason.strip():
            raise CaseContentError("A case needs a reason.")
        if len(self.reason) > LONGEST_REASON:
            raise CaseContentError(f"A reason has at most {LONGEST_REASON} characters.")
        if len(self.evidence) > LONGEST_EVIDENCE:
            raise CaseContentError(f"Evidence has at most {LONGEST_EVIDENCE} characters.")
        if self.kind.makes_tokens:
            self._require_tokens()
        else:
            self._require_sale()
        wants_other = self.kind in {CaseKind.WRONG_METER, CaseKind.EXCHANGE}
        if wants_other != (self.right_drn is not None) or self.right_drn == self.drn:
            raise CaseContentError("Name the other meter where there are two, and only there.")

    def _require_tokens(self) -> None:
        if self.sale_number is not None or self.evidence_kind is not None:
            raise CaseContentError("This kind of case takes no sale back.")
        if not 1 <= len(self.tokens) <= MOST_TOKENS:
            raise CaseContentError(f"Such a case allows 1 to {MOST_TOKENS} tokens.")
        if not _ALLOWED[self.kind].issuperset(token.kind for token in self.tokens):
            raise CaseContentError("This kind of case does not allow such a token.")
        if any(token.kind in _CREDIT and token.value <= 0 for token in self.tokens):
            raise CaseContentError("Credit is more than nothing.")
        if self.special_reserved and len(self.tokens) > 1:
            raise CaseContentError("One token a day can have the special identifier.")

    def _require_sale(self) -> None:
        if self.tokens or self.special_reserved:
            raise CaseContentError("Taking a sale back makes no tokens.")
        if self.sale_number is None:
            raise CaseContentError("Say which sale is to be taken back.")
        if self.evidence_kind is None or not self.evidence.strip():
            raise EvidenceError("Taking a sale back needs evidence.")
        photographed = self.evidence_kind is EvidenceKind.REGISTER_READING
        found = self.evidence_hash
        if photographed and found is None:
            raise EvidenceError("A reading needs a photograph; give the SHA-256 of its file.")
        if found is not None and (len(found) != _HASH_DIGITS or not _HEX.issuperset(found)):
            raise EvidenceError("The SHA-256 of a file is 64 small hexadecimal digits.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it is kept.

    Attributes:
        tenant: Whose.
        number: Counts the tenant's cases without a gap.
        state: What has become of it.
        content: What it is about.
        login: Who opened it.
        opened_at: When.
        approved_login: Who decided; None while nobody has.
        decided_at: When.
        ended_at: When everything that it allows was done.
    """

    tenant: str
    number: int
    state: CaseState
    content: CaseContent
    login: str
    opened_at: datetime
    approved_login: str | None = None
    decided_at: datetime | None = None
    ended_at: datetime | None = None
