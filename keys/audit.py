"""The key audit log: a file to which every use of a key is appended, and nothing ever taken away.

Each line is an entry of a hash chain (``hash_chain``) with a seal under the module's own key. An
entry is on the disk when ``append`` returns. Writers, threads and processes alike, wait for each
other with a lock on the file.

A crash can leave the last entry half written. Nobody was told that it was there, so the next
``append`` cuts it off and says so in an entry of its own; a reader passes over it. An entry that
is whole is never cut off: if only its line feed is missing, that is added. Nothing is ever appended
behind an entry that is not right, or behind anything that no crash would leave.

Without the seal key a log can still be checked against itself and against checkpoints. With it,
nobody but the module can have written a single entry. What remains undetectable is that entries
behind the last checkpoint were cut off, or the whole file put back to how it was after it.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from keys.audit_file import AuditLogFormatError, last_lines, opened, write_at_end
from keys.audit_line import AuditLine, AuditLineError, format_line, parse_line, parse_rest
from keys.audit_read import AuditReader, AuditSummary, read_log, verify_log
from keys.audit_record import AuditEvent, AuditRecord, audit_body
from keys.chain_errors import (
    ChainEntryAlteredError,
    ChainEntryReplacedError,
    ChainRewrittenError,
    ChainTruncatedError,
)
from keys.chain_seal import SealKey, require_entry_seal, seal_entry, seal_head
from keys.file_lock import DEFAULT_ATTEMPTS, locked
from keys.files import write_new
from keys.hash_chain import Checkpoint, Entry, Head, link, require_unaltered


class AuditLog:
    """An audit log that can be appended to. Make one with ``create``, open one with ``open``.

    Attributes:
        chain: The name of its chain.
    """

    def __init__(self, path: Path, *, head: Head, chain: str, key: SealKey) -> None:
        """Take over a log that has been looked at.

        Args:
            path: Where it is.
            head: A head that it is known to have had.
            chain: The name of its chain.
            key: Seals each entry.
        """
        self._path = path
        self._seen = head
        self._last_line = b""
        self._key = key
        self.chain: Final = chain
        self.lock_attempts = DEFAULT_ATTEMPTS
        """How often a writer tries to get the lock, 20 ms apart."""

    @classmethod
    def create(
        cls,
        path: Path,
        chain: str,
        *,
        key: SealKey,
        actor: str,
        now: datetime,
        follows: Checkpoint | None = None,
    ) -> Self:
        """Begin a log.

        Args:
            path: Where.
            chain: The name of its chain; no two logs have the same.
            key: Seals each entry.
            actor: Who begins it.
            now: The present time, aware.
            follows: The last checkpoint of the log that it continues, if there is one.

        Raises:
            AuditTextError: A name that cannot be printed.
            FileExistsRefusedError, FileUnreadableError: The file cannot be written.
        """
        record = AuditRecord(
            at=now, event=AuditEvent.CREATED, actor=actor, chain=chain, checkpoint=follows
        )
        log = cls(path, head=Head.start(chain), chain=chain, key=key)
        first = log._continued(log._seen, record)
        write_new(path, format_line(first))
        log._seen = first.entry.head
        return log

    @classmethod
    def open(cls, path: Path, *, key: SealKey) -> Self:
        """Open a log to append to it. Only its ends are looked at, see ``verify_log``.

        Raises:
            AuditLogFormatError: Not an audit log.
            SealMismatchError: The log of another key.
            ChainBrokenError: The first or the last entry is not right.
            UnsafeFileModeError, FileUnreadableError, FileLockedError: The file cannot be used.
        """
        with opened(path, writing=False) as descriptor:
            reader = AuditReader(descriptor, path)
            log = cls(path, head=Head.start(reader.chain), chain=reader.chain, key=key)
            log._require_right(reader.first)
            with locked(descriptor, path, shared=True):
                log._seen = log._tail(descriptor).head
        return log

    def append(self, *records: AuditRecord) -> tuple[Entry, ...]:
        """Append entries, on the disk when this returns; several share one wait for the disk.

        Raises:
            AuditLineError: A record too long.
            ChainBrokenError, SealMismatchError: The end of the file is not right, or not what this
                object has seen there before.
            FileLockedError: Other writers kept the file for too long.
            UnsafeFileModeError, FileUnreadableError: The file cannot be written; the entries are
                not in it.
        """
        if not records:
            return ()
        with (
            opened(self._path, writing=True) as descriptor,
            locked(descriptor, self._path, attempts=self.lock_attempts),
        ):
            tail = self._tail(descriptor)
            head, lines = tail.head, list[AuditLine]()
            for record in (*_recovery(tail, records[0]), *records):
                lines.append(self._continued(head, record))
                head = lines[-1].entry.head
            written = [b"\n"] * tail.lacks_line_feed + [format_line(line) for line in lines]
            # From here on the file changes.
            if tail.torn_bytes:
                os.ftruncate(descriptor, tail.end)
            write_at_end(descriptor, b"".join(written), end=tail.end)
            self._seen, self._last_line = head, written[-1]
        return tuple(line.entry for line in lines[-len(records) :])

    def checkpoint(
        self, key: SealKey, *, now: datetime, since: Iterable[Checkpoint] = ()
    ) -> Checkpoint:
        """Check the whole log and return its sealed head, to be kept elsewhere.

        Args:
            key: Seals the checkpoint; with Ed25519 everybody can check it.
            now: The present time, aware.
            since: Earlier checkpoints whose seals have been checked.

        Raises:
            ChainError: The log is not right.
            AuditLogFormatError, UnsafeFileModeError, FileUnreadableError, FileLockedError: The
                file cannot be read.
        """
        summary = self.verified(since)
        return seal_head(summary.head, summary.chain, key=key, now=now)

    def verified(self, since: Iterable[Checkpoint] = ()) -> AuditSummary:
        """Check the whole log, and that it still ends where this object has seen it end or later.

        Raises:
            ChainError, AuditLogFormatError, UnsafeFileModeError, FileUnreadableError,
            FileLockedError: As for ``verify_log``.
        """
        summary = verify_log(self._path, key=self._key, since=since)
        self._require_seen(summary.head)
        return summary

    def entries(self, since: Iterable[Checkpoint] = ()) -> Iterator[Entry]:
        """Yield every entry, each after it has been found right; raises as ``read_log``."""
        return read_log(self._path, key=self._key, since=since)

    def _continued(self, head: Head, record: AuditRecord) -> AuditLine:
        entry = link(head, audit_body(record))
        return AuditLine(entry=entry, seal=seal_entry(entry.head, self.chain, key=self._key))

    def _tail(self, descriptor: int) -> "_Tail":
        """Look at the end of the file, and refuse to build on anything that is not right."""
        size = os.fstat(descriptor).st_size
        last, rest = last_lines(descriptor, self._path, size=size)
        if last + b"\n" == self._last_line and not rest:
            # The file ends with what was written from here, so that has been looked at before.
            return _Tail(head=self._seen, end=size, torn_bytes=0, lacks_line_feed=False)
        line = self._right(last)
        try:
            unended, torn_bytes = parse_rest(rest)
        except AuditLineError:
            raise ChainEntryAlteredError(line.entry.sequence + 1) from None
        if unended is not None:
            self._require_right(unended)
            if unended.entry.previous != line.entry.hash:
                raise ChainEntryReplacedError(line.entry.sequence + 1)
        tail = _Tail(
            head=(unended or line).entry.head,
            end=size - torn_bytes,
            torn_bytes=torn_bytes,
            lacks_line_feed=unended is not None,
        )
        self._require_seen(tail.head)
        return tail

    def _right(self, content: bytes) -> AuditLine:
        try:
            line = parse_line(content)
        except AuditLineError:
            raise AuditLogFormatError(self._path) from None
        self._require_right(line)
        return line

    def _require_right(self, line: AuditLine) -> None:
        require_unaltered(line.entry)
        require_entry_seal(line.entry.head, self.chain, seal=line.seal, key=self._key)

    def _require_seen(self, head: Head) -> None:
        """Refuse a file that is shorter than before: somebody put an old copy in its place."""
        if head.length < self._seen.length:
            raise ChainTruncatedError(head.length, checkpoint=self._seen.length)
        if head.length == self._seen.length and head.hash != self._seen.hash:
            raise ChainRewrittenError(head.length)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tail:
    """The end of the file.

    Attributes:
        head: The last whole entry.
        end: Where the whole entries end.
        torn_bytes: How many bytes behind them a crash has left.
        lacks_line_feed: Whether the last whole entry has none.
    """

    head: Head
    end: int
    torn_bytes: int
    lacks_line_feed: bool


def _recovery(tail: _Tail, following: AuditRecord) -> tuple[AuditRecord, ...]:
    """Return the entry that tells of half an entry that is cut off."""
    if not tail.torn_bytes:
        return ()
    recovered = AuditRecord(
        at=following.at,
        event=AuditEvent.RECOVERED,
        actor=following.actor,
        torn_bytes=tail.torn_bytes,
    )
    return (recovered,)
