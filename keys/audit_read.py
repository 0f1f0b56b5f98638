"""Reading and checking an audit log, while others may be appending to it."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from keys.audit_file import AuditLogFormatError, lines_of, opened
from keys.audit_line import AuditLine, AuditLineError, parse_line, parse_rest
from keys.chain_errors import ChainEntryAlteredError
from keys.chain_seal import SealVerifier, require_entry_seal
from keys.file_lock import DEFAULT_ATTEMPTS, locked
from keys.hash_chain import Checkpoint, Entry, Head, require_unaltered, verified


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSummary:
    """What is known of a log that was found right.

    Attributes:
        chain: The name of its chain.
        head: Where it ends.
        torn_bytes: The length of an entry that a crash left half written; 0 for none.
    """

    chain: str
    head: Head
    torn_bytes: int


class AuditReader:
    """A log as it was at one moment. Going through it checks it.

    Attributes:
        chain: The name of its chain.
        torn_bytes: After going through it, the length of an entry that was left half written.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        """Look at the size and the first line of an open log."""
        with locked(descriptor, path, shared=True, attempts=DEFAULT_ATTEMPTS):
            # Whatever is appended later stands behind this, so the lock is not needed for long.
            self._size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self.chain, self.first = _beginning(descriptor, path, size=self._size)
        self.torn_bytes = 0

    def entries(
        self, *, key: SealVerifier | None = None, since: Iterable[Checkpoint] = ()
    ) -> Iterator[Entry]:
        """Yield every entry, each after it has been found right.

        Args:
            key: The key of the module, to check the seal of each entry; None if it is not at hand.
            since: Checkpoints whose seals have been checked.

        Raises:
            ChainError: The first thing that is not right.
        """
        lines: list[AuditLine] = []
        for entry in verified(self._entries_into(lines), self.chain, since=since):
            if key is not None:
                require_entry_seal(entry.head, self.chain, seal=lines[-1].seal, key=key)
            lines.clear()
            yield entry

    def _entries_into(self, lines: list[AuditLine]) -> Iterator[Entry]:
        """Yield the entries as they stand there, and put the line of the present one aside."""
        numbered = enumerate(lines_of(self._descriptor, size=self._size), start=1)
        for place, line in numbered:
            try:
                lines.append(parse_line(line.removesuffix(b"\n")))
            except AuditLineError:
                # What a crash leaves can only be at the very end; anywhere else it was altered.
                behind = (piece for _, piece in numbered)
                whole = self._entry_at_the_end(place, chain((line,), behind))
                if whole is None:
                    return
                lines.append(whole)
            yield lines[-1].entry

    def _entry_at_the_end(self, place: int, pieces: Iterable[bytes]) -> AuditLine | None:
        rest = b""
        for piece in pieces:
            if piece.endswith(b"\n"):
                raise ChainEntryAlteredError(place)
            rest += piece
        try:
            whole, self.torn_bytes = parse_rest(rest)
        except AuditLineError:
            raise ChainEntryAlteredError(place) from None
        return whole


def read_log(
    path: Path, *, key: SealVerifier | None = None, since: Iterable[Checkpoint] = ()
) -> Iterator[Entry]:
    """Yield the entries of a log, each after it has been found right.

    Raises:
        AuditLogFormatError: Not an audit log.
        ChainError: The log is not right; ``sequence`` of the error names the entry.
        UnsafeFileModeError, FileUnreadableError, FileLockedError: The file cannot be read.
    """
    with opened(path, writing=False) as descriptor:
        yield from AuditReader(descriptor, path).entries(key=key, since=since)


def verify_log(
    path: Path, *, key: SealVerifier | None = None, since: Iterable[Checkpoint] = ()
) -> AuditSummary:
    """Check a whole log.

    Raises:
        AuditLogFormatError, ChainError, UnsafeFileModeError, FileUnreadableError, FileLockedError:
            As for ``read_log``.
    """
    with opened(path, writing=False) as descriptor:
        reader = AuditReader(descriptor, path)
        head = Head.start(reader.chain)
        for entry in reader.entries(key=key, since=since):
            head = entry.head
        return AuditSummary(chain=reader.chain, head=head, torn_bytes=reader.torn_bytes)


def _beginning(descriptor: int, path: Path, *, size: int) -> tuple[str, AuditLine]:
    """Return the name of the chain and its first line.

    Raises:
        AuditLogFormatError: There is no such line.
        ChainEntryAlteredError: There is, but it was altered.
    """
    content = next(lines_of(descriptor, size=size), b"")
    try:
        line = parse_line(content.removesuffix(b"\n"))
    except AuditLineError:
        raise AuditLogFormatError(path) from None
    try:
        # The name of the chain is read from it, and a wrong name would be a misleading reason.
        require_unaltered(line.entry)
    except ChainEntryAlteredError:
        raise ChainEntryAlteredError(1) from None
    chain = line.entry.record.get("chain")
    if not isinstance(chain, str):
        raise AuditLogFormatError(path)
    return chain, line
