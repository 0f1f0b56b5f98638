"""One append-only chain: each entry holds the hash of the one before it.

The hash of an entry is SHA-256 over the canonical JSON of its sequence number, the hash before it
and its record. The first entry continues the hash of the chain's name, so that two chains have
nothing in common. Whoever alters, removes, adds or moves an entry must write all later ones anew,
and does not get past a ``Checkpoint`` that was kept elsewhere.

What no chain can show is what happened since its last checkpoint to entries at its end: they may
have been cut off, or replaced by others, if nothing else seals them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from keys.canonical_json import JsonObject, canonical_bytes
from keys.chain_errors import (
    AnotherChainsCheckpointError,
    ChainEntryAlteredError,
    ChainEntryMovedError,
    ChainEntryRemovedError,
    ChainEntryReplacedError,
    ChainError,
    ChainRewrittenError,
    ChainTruncatedError,
)

HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a chain ends.

    Attributes:
        length: How many entries it has, which is the number of the last.
        hash: The hash of the last entry, or of the chain's name if there is none.
    """

    length: int
    hash: bytes

    @classmethod
    def start(cls, chain: str) -> Self:
        """Return the head of an empty chain of this name."""
        return cls(length=0, hash=hashlib.sha256(canonical_bytes({"chain": chain})).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, linked or read; only ``verified`` tells whether one that was read is right.

    Attributes:
        sequence: Its number; the first is 1.
        previous: The hash of the entry before it.
        record: What it says.
        hash: Its own hash.
        written: What it says in canonical form, of an entry that was just linked; else empty.
    """

    sequence: int
    previous: bytes
    record: JsonObject
    hash: bytes
    written: bytes = field(default=b"", repr=False, compare=False)

    @property
    def head(self) -> Head:
        """The head of the chain that ends with this entry."""
        return Head(length=self.sequence, hash=self.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Who vouches for a head.

    Attributes:
        algorithm: How the seal was made.
        key_id: Which key made it, without saying anything of the key.
        value: The seal itself.
    """

    algorithm: str
    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The sealed head of a chain at one time, to be kept where the chain is not.

    Attributes:
        chain: The name of the chain.
        head: Its head then.
        sealed_at: When, in UTC.
        seal: Over all of this.
    """

    chain: str
    head: Head
    sealed_at: datetime
    seal: Seal


def link(previous: Head, record: JsonObject) -> Entry:
    """Return the entry that continues a chain.

    Raises:
        CanonicalJsonError: The record has no canonical form.
    """
    sequence, written = previous.length + 1, canonical_bytes(record)
    return Entry(
        sequence=sequence,
        previous=previous.hash,
        record=record,
        hash=_entry_hash(sequence, previous.hash, written=written),
        written=written,
    )


def require_unaltered(entry: Entry) -> None:
    """Refuse an entry whose content does not have its hash.

    Raises:
        ChainEntryAlteredError: It does not.
    """
    written = canonical_bytes(entry.record)
    if entry.hash != _entry_hash(entry.sequence, entry.previous, written=written):
        raise ChainEntryAlteredError(entry.sequence)


def verified(
    entries: Iterable[Entry],
    chain: str,
    *,
    since: Iterable[Checkpoint] = (),
    after: Head | None = None,
) -> Iterator[Entry]:
    """Yield the entries of a chain, each after it has been found right.

    Args:
        entries: All entries, from the first, or from the one behind ``after``.
        chain: The name of the chain.
        since: Checkpoints whose seals have been checked. Those before ``after`` say nothing.
        after: The head of the part that was checked before; None to check all.

    Raises:
        AnotherChainsCheckpointError: A checkpoint is of another chain.
        ChainEntryAlteredError, ChainEntryRemovedError, ChainEntryMovedError: The first entry that
            is not right.
        ChainEntryReplacedError: Two neighbours do not fit.
        ChainRewrittenError: An entry is not the one that a checkpoint remembers.
        ChainTruncatedError: The chain ends before a checkpoint.
    """
    remembered = _heads_by_length(chain, since)
    head = after or Head.start(chain)
    _require_remembered(head, remembered)
    rest = iter(entries)
    for entry in rest:
        _require_next(head, entry, rest=rest)
        head = entry.head
        _require_remembered(head, remembered)
        yield entry
    longest = max(remembered, default=0)
    if longest > head.length:
        raise ChainTruncatedError(head.length, checkpoint=longest)


def verify(
    entries: Iterable[Entry],
    chain: str,
    *,
    since: Iterable[Checkpoint] = (),
    after: Head | None = None,
) -> Head:
    """Check a chain and return its head.

    Raises:
        ChainError: As for ``verified``, whose arguments these are.
    """
    head = after or Head.start(chain)
    for entry in verified(entries, chain, since=since, after=after):
        head = entry.head
    return head


def _entry_hash(sequence: int, previous: bytes, *, written: bytes) -> bytes:
    # Canonical JSON of these three, around a record that has its canonical form already.
    body = b'{"previous":"%b","record":%b,"sequence":%d}'
    return hashlib.sha256(body % (previous.hex().encode("ascii"), written, sequence)).digest()


def _heads_by_length(chain: str, since: Iterable[Checkpoint]) -> dict[int, set[bytes]]:
    """Sort checkpoints by length; two that contradict each other are both kept."""
    heads: dict[int, set[bytes]] = {}
    for checkpoint in since:
        if checkpoint.chain != chain:
            raise AnotherChainsCheckpointError(chain, found=checkpoint.chain)
        heads.setdefault(checkpoint.head.length, set()).add(checkpoint.head.hash)
    return heads


def _require_remembered(head: Head, remembered: Mapping[int, set[bytes]]) -> None:
    if not remembered.get(head.length, set()) <= {head.hash}:
        raise ChainRewrittenError(head.length)


def _require_next(head: Head, entry: Entry, *, rest: Iterator[Entry]) -> None:
    """Refuse an entry that does not come next; ``rest`` is looked at only to find out why."""
    expected = head.length + 1
    written = canonical_bytes(entry.record)
    if entry.hash != _entry_hash(entry.sequence, entry.previous, written=written):
        # Its own number may be what was altered, so its place is what names it.
        raise ChainEntryAlteredError(expected)
    if entry.sequence == expected:
        if entry.previous != head.hash:
            raise ChainEntryReplacedError(expected)
        return
    if entry.sequence < expected or _comes_later(expected, rest):
        raise ChainEntryMovedError(expected, found=entry.sequence)
    raise ChainEntryRemovedError(expected, last=entry.sequence - 1)


def _comes_later(sequence: int, rest: Iterator[Entry]) -> bool:
    try:
        return any(entry.sequence == sequence for entry in rest)
    except ChainError:
        # Something further on cannot even be read, but it is the first fault that is named.
        return False
