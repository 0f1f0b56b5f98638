"""Requests: a client's name for what it asks for, so that nothing is done twice."""

import string
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from keys.canonical_json import LARGEST_NUMBER, JsonObject, JsonValue, canonical_bytes
from sts import DecoderReferenceNumber
from vending_app.domain.errors import RequestIdError
from vending_app.domain.periods import CLOCK_TOLERANCE

_LONGEST: Final = 64
_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "-_")


class RequestState(StrEnum):
    """What has become of a request."""

    PENDING = "pending"
    """The security module is being asked."""
    UNKNOWN = "unknown"
    """The security module was asked and its answer is not known."""
    DONE = "done"
    FAILED = "failed"
    """It came to nothing, and never will."""

    @property
    def is_open(self) -> bool:
        """Whether it is not decided yet."""
        return self in {RequestState.PENDING, RequestState.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRequest:
    """What every request says, whatever it asks for.

    Attributes:
        tenant: Whose request.
        request_id: The client's name for it: the same again for the same request.
        kind: What is asked for, ``sale`` for one.
        login: Who asks.
        drn: For which meter; None if for none.
        content: What makes it this request and no other; who asks is not part of it.

    Raises:
        RequestIdError: The name is empty, too long or oddly written.
    """

    tenant: str
    request_id: str
    kind: str
    login: str
    drn: DecoderReferenceNumber | None
    content: JsonObject

    def __post_init__(self) -> None:
        """Check the form of the name."""
        if not 0 < len(self.request_id) <= _LONGEST or not _CHARACTERS.issuperset(self.request_id):
            raise RequestIdError

    @property
    def content_hash(self) -> str:
        """SHA-256 of what is asked for, by which a request with other content is noticed."""
        drn = None if self.drn is None else str(self.drn)
        whole = {"kind": self.kind, "drn": drn, "content": self.content}
        return sha256(canonical_bytes(whole)).hexdigest()


def exact_number(value: int | None) -> JsonValue:
    """Return a number as JSON keeps it exactly: as text where it is beyond the numbers of JSON.

    What is asked for may be absurd, and must be refused for that and not for how it is written.
    """
    return value if value is None or abs(value) <= LARGEST_NUMBER else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A request as it is kept.

    Attributes:
        tenant: Whose request.
        request_id: The client's name for it.
        kind: What was asked for.
        content_hash: SHA-256 of that.
        state: What has become of it.
        login: Who asked.
        drn: For which meter; None if for none.
        received_at: When it came.
        ended_at: When it was decided; None while it is open.
        plan: What was decided before a module elsewhere was asked, as canonical JSON.
        error_code: Why it failed.
        error_message: The same in words.
    """

    tenant: str
    request_id: str
    kind: str
    content_hash: str
    state: RequestState
    login: str
    drn: DecoderReferenceNumber | None
    received_at: datetime
    ended_at: datetime | None = None
    plan: str | None = None
    error_code: str | None = None
    error_message: str | None = None

    def came_by_wrong_clock(self, now: datetime) -> bool:
        """Tell whether it came at a time that has not come yet: the clock was wrong, then or now.

        Args:
            now: The present time, aware.
        """
        return self.received_at - now > CLOCK_TOLERANCE
