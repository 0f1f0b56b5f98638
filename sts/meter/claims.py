"""Who runs a meter: a row in its file, so that there is one program at a time that lets time pass.

A claim does not lock the file: every other program can still operate the meter, one transaction at
a time. It says who shows the meter and takes keys for it (``orders``). A program that died without
a word leaves its claim behind; whoever comes next sees that it is dead and takes the meter over.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sts.meter.errors import MeterClaimedError
from sts.meter.memory import MeterMemory

HEARTBEAT: Final = timedelta(seconds=2)
"""How often a claim is renewed."""
SILENCE: Final = timedelta(seconds=30)
"""After so long without a renewal a program counts as dead, wherever it runs."""

_START_FIELD: Final = 19
"""Of a process's entry after its name: when it started; field 22 of proc_pid_stat(5)."""
_DEAD_STATES: Final = frozenset({"Z", "X"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row of the table.

    Attributes:
        program: What runs the meter, for people.
        process_id: Its process.
        process_started: When that began, as the system tells: numbers of processes come again.
        heartbeat: When the claim was last renewed.
    """

    program: str
    process_id: int
    process_started: str
    heartbeat: datetime

    def is_alive(self, now: datetime) -> bool:
        """Tell whether the program still runs."""
        return now - self.heartbeat < SILENCE and self.process_started == _started(self.process_id)

    def is_of(self, other: "Claim") -> bool:
        """Tell whether both are claims of the same process."""
        return (self.process_id, self.process_started) == (other.process_id, other.process_started)


class MeterClaim:
    """The claim of this process on a meter; use it in a ``with`` block."""

    def __init__(self, memory: MeterMemory, program: str) -> None:
        """Say which meter, and what this program is called."""
        self._memory: Final = memory
        self._mine = Claim(
            program=program,
            process_id=os.getpid(),
            process_started=_started(os.getpid()) or "",
            heartbeat=datetime.now(UTC),
        )

    def __enter__(self) -> Self:
        """Claim the meter.

        Raises:
            MeterClaimedError: Another program that lives has it.
        """
        self._write()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back, unless somebody else has it."""
        with self._memory.exclusively() as database:
            present = _read(self._memory)
            if present is not None and present.is_of(self._mine):
                database.table("claim").delete_where()

    def beat(self) -> None:
        """Renew the claim when it is time.

        Raises:
            MeterClaimedError: This process was taken for dead, and another one has the meter.
        """
        now = datetime.now(UTC)
        if now - self._mine.heartbeat >= HEARTBEAT:
            self._mine = Claim(
                program=self._mine.program,
                process_id=self._mine.process_id,
                process_started=self._mine.process_started,
                heartbeat=now,
            )
            self._write()

    def _write(self) -> None:
        mine = self._mine
        with self._memory.exclusively() as database:
            present = _read(self._memory)
            if present is not None and not present.is_of(mine) and present.is_alive(mine.heartbeat):
                raise MeterClaimedError(
                    self._memory.path, program=present.program, process_id=present.process_id
                )
            row = {
                "id": 1,
                "program": mine.program,
                "process_id": mine.process_id,
                "process_started": mine.process_started,
                "heartbeat": mine.heartbeat.isoformat(),
            }
            database.table("claim").upsert(row, pk="id")


def living_claim(memory: MeterMemory) -> Claim | None:
    """Return the claim of a program that runs the meter now; None if none does."""
    with memory.reading():
        claim = _read(memory)
    return claim if claim is not None and claim.is_alive(datetime.now(UTC)) else None


def _read(memory: MeterMemory) -> Claim | None:
    for row in memory.rows("claim"):
        return Claim(
            program=row["program"],
            process_id=row["process_id"],
            process_started=row["process_started"],
            heartbeat=datetime.fromisoformat(row["heartbeat"]),
        )
    return None


def _started(process_id: int) -> str | None:
    """Return when a process started, in the system's own terms; None if there is no such process.

    Where the system does not tell, the text is empty.
    """
    try:
        os.kill(process_id, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return None
    try:
        entry = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = entry.rpartition(")")[2].split()
    # What is left after a process died, until its parent has asked for it, runs no meter.
    return None if state in _DEAD_STATES else fields[_START_FIELD - 1]
