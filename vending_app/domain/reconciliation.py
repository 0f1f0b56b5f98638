"""What the security module says that it made, against what the books say: token by token.

The two are written by different hands: the module keeps its log (and, in this process, its journal)
and the services keep bases and tokens. Whatever one side has and the other has not is a gap.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from keys.canonical_json import JsonObject


class GapKind(StrEnum):
    """On which side something is missing."""

    NOT_BOOKED = "not_booked"
    """The module's log has a token that the books have not: made and rolled back, or made past
    the books."""
    UNDECIDED = "undecided"
    """The same, and the request is open: ``recover`` finds out what came of it."""
    NOT_LOGGED = "not_logged"
    """The books have a token that the module's log has not."""
    DIFFERENT = "different"
    """Both have a token of this name, and not the same one."""
    JOURNAL_ONLY = "journal_only"
    """The module's journal has a request that the books have no token of."""
    NOT_IN_JOURNAL = "not_in_journal"
    """The books have tokens of a request that is not in the module's journal."""
    JOURNAL_CREDIT = "journal_credit"
    """The journal has other credit in money than the books."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedToken:
    """A token in the log of the security module.

    Attributes:
        message_id: The name of its request; None if the module was given none.
        digest: SHA-256 over meter number and digits.
        key: Supply group and revision of the vending key, ``201457/1``.
        of_day: Whether it was made on the day that is looked at.
    """

    message_id: str | None
    digest: str
    key: str
    of_day: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedToken:
    """A token in the books.

    Attributes:
        message_id: The name of its request, as the module was given it.
        digest: As in the log.
        key: As in the log.
        of_day: As in the log.
        tenths: Credit in tenths of a unit.
        currency_units: Credit in 0.00001 of the currency.
    """

    message_id: str
    digest: str
    key: str
    of_day: bool
    tenths: int = 0
    currency_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalledRequest:
    """A request in the journal of the security module.

    Attributes:
        message_id: Its name.
        key: As in the log.
        of_day: As in the log.
        currency_units: Credit in 0.00001 of the currency.
    """

    message_id: str
    key: str
    of_day: bool
    currency_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that one side has and the other has not.

    Attributes:
        kind: On which side.
        message_id: The name of the request, or a digest where there is none.
        key: Under which key.
    """

    kind: GapKind
    message_id: str
    key: str

    def __str__(self) -> str:
        """Say it for people."""
        return f"{self.kind.value}: {self.message_id} under {self.key}"


@dataclass(slots=True)
class KeyCounters:
    """What was made under one key on a day.

    Attributes:
        module_tokens: As the module's log says.
        book_tokens: As the books say.
        module_requests: Requests, as the module's journal says.
        book_requests: The same, as the books say.
        book_tenths: Credit in tenths of a unit.
        module_currency_units: Credit in 0.00001 of the currency, as the journal says.
        book_currency_units: The same, as the books say.
    """

    module_tokens: int = 0
    book_tokens: int = 0
    module_requests: int = 0
    book_requests: int = 0
    book_tenths: int = 0
    module_currency_units: int = 0
    book_currency_units: int = 0

    def body(self) -> JsonObject:
        """Return them as plain JSON values; credit in money may be beyond the numbers of JSON."""
        return {
            "module_tokens": self.module_tokens,
            "book_tokens": self.book_tokens,
            "module_requests": self.module_requests,
            "book_requests": self.book_requests,
            "book_tenths": self.book_tenths,
            "module_currency_units": str(self.module_currency_units),
            "book_currency_units": str(self.book_currency_units),
        }


@dataclass(slots=True)
class Comparison:
    """What came of comparing.

    Attributes:
        keys: The counters of each key.
        gaps: What does not agree.
    """

    keys: dict[str, KeyCounters] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def counters(self, key: str) -> KeyCounters:
        """Return the counters of a key."""
        return self.keys.setdefault(key, KeyCounters())

    def add(self, kind: GapKind, message_id: str, *, key: str) -> None:
        """Note a gap."""
        self.gaps.append(Gap(kind=kind, message_id=message_id, key=key))


def compare(
    *,
    logged: Iterable[LoggedToken],
    booked: Sequence[BookedToken],
    journal: Sequence[JournalledRequest] | None,
    open_names: Collection[str],
) -> Comparison:
    """Compare the module's log and journal with the books.

    Args:
        logged: The log: everything of the day, and of other days what the day's tokens are named.
        booked: The books, from the beginning of the day to now.
        journal: The journal over the same time; None if the module keeps it to itself.
        open_names: The beginnings of the names of open requests' messages.
    """
    found = Comparison()
    by_digest = {token.digest: token for token in booked}
    names = _named(logged, by_digest)
    _compare_log(found, names, booked=by_digest, open_names=open_names)
    for token in booked:
        if token.of_day:
            counters = found.counters(token.key)
            counters.book_tokens += 1
            counters.book_tenths += token.tenths
            counters.book_currency_units += token.currency_units
            if token.digest not in names.digests:
                known = token.message_id in names.messages
                kind = GapKind.DIFFERENT if known else GapKind.NOT_LOGGED
                found.add(kind, token.message_id, key=token.key)
    if journal is not None:
        _compare_journal(found, booked, journal)
    return found


@dataclass(slots=True)
class _Names:
    """The log by digest and by name; a token that is logged twice, as answers are, is one."""

    digests: dict[str, LoggedToken] = field(default_factory=dict)
    messages: set[str] = field(default_factory=set)
    matched: set[str] = field(default_factory=set)


def _named(logged: Iterable[LoggedToken], booked: Mapping[str, BookedToken]) -> _Names:
    names = _Names()
    for token in logged:
        names.digests.setdefault(token.digest, token)
        if token.message_id is not None:
            names.messages.add(token.message_id)
            if token.digest in booked:
                names.matched.add(token.message_id)
    return names


def _compare_log(
    found: Comparison,
    names: _Names,
    *,
    booked: Mapping[str, BookedToken],
    open_names: Collection[str],
) -> None:
    different = {token.message_id for token in booked.values() if token.of_day} - names.matched
    for token in names.digests.values():
        if not token.of_day:
            continue
        match = booked.get(token.digest)
        # The log has a key change under the key that it brings, the books under the one before.
        found.counters(token.key if match is None else match.key).module_tokens += 1
        if match is not None or token.message_id in different:
            continue
        name = token.message_id or f"token {token.digest[:16]}"
        is_open = any(name.startswith(beginning) for beginning in open_names)
        kind = GapKind.UNDECIDED if is_open else GapKind.NOT_BOOKED
        found.add(kind, name, key=token.key)


def _compare_journal(
    found: Comparison, booked: Sequence[BookedToken], journal: Sequence[JournalledRequest]
) -> None:
    entries = {entry.message_id: entry for entry in journal}
    requests: dict[str, list[BookedToken]] = {}
    for token in booked:
        requests.setdefault(token.message_id, []).append(token)
    for name, made in requests.items():
        first = made[0]
        if first.of_day:
            found.counters(first.key).book_requests += 1
            entry = entries.get(name)
            if entry is None:
                found.add(GapKind.NOT_IN_JOURNAL, name, key=first.key)
            elif entry.currency_units != sum(token.currency_units for token in made):
                found.add(GapKind.JOURNAL_CREDIT, name, key=first.key)
    for entry in journal:
        if entry.of_day:
            counters = found.counters(entry.key)
            counters.module_requests += 1
            counters.module_currency_units += entry.currency_units
            if entry.message_id not in requests:
                found.add(GapKind.JOURNAL_ONLY, entry.message_id, key=entry.key)
