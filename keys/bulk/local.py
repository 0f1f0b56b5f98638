"""Parts made by processes of this machine that inherit the opened module.

They are forked before anything else is begun, and inherit vending keys the way threads would share
them: no key passes through a pipe, and nothing that holds one can be pickled. Where the system has
no fork, or one process is wanted, this process makes the parts itself.

Each holds one end of a pipe whose other end only the first process has. When that is killed, the
pipe is closed, and they end, too: nobody is left with keys, and nobody writes into the folder of a
job that has been taken up by another process.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Final, Self

from keys.bulk.errors import WorkerLostError
from keys.bulk.part import PartFailure, PartTask, attempt_part, make_part, required
from keys.bulk.workspace import PartRecord
from keys.bulk_access import BulkAccess

_AHEAD: Final = 2
"""Parts that are handed out for each process; more would only be lost at a kill."""

_inherited: dict[str, BulkAccess] = {}
"""What a forked process makes parts with."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


class ThisProcess:
    """Makes parts one after the other, here."""

    def __init__(self, access: BulkAccess) -> None:
        """Use the keys of an opened module."""
        self._access = access

    def make(self, tasks: Iterable[PartTask]) -> Iterator[PartRecord]:
        """Yield the record of each part."""
        for task in tasks:
            yield make_part(task, self._access)


class ForkedProcesses:
    """Makes parts in processes that are forked when the block is entered."""

    def __init__(self, access: BulkAccess, processes: int) -> None:
        """Use the keys of an opened module.

        Args:
            access: The keys.
            processes: How many processes.
        """
        self._processes = processes
        self._lifeline = os.pipe()
        self._pool = ProcessPoolExecutor(
            processes,
            mp_context=multiprocessing.get_context("fork"),
            initializer=_begin,
            initargs=(access, self._lifeline),
        )

    def __enter__(self) -> Self:
        """Fork: all processes begin with the first task."""
        wait([self._pool.submit(os.getpid)])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the processes finish what they have begun, and end them."""
        self._pool.shutdown(cancel_futures=True)
        for end in self._lifeline:
            os.close(end)

    def make(self, tasks: Iterable[PartTask]) -> Iterator[PartRecord]:
        """Yield the record of each part as soon as it is done.

        Raises:
            WorkerLostError: One of the processes was killed.
        """
        left = iter(tasks)
        running: set[Future[PartRecord | PartFailure]] = set()
        try:
            while True:
                while len(running) < self._processes * _AHEAD:
                    task = next(left, None)
                    if task is None:
                        break
                    running.add(self._pool.submit(_make, task))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    yield required(each.result())
        except BrokenProcessPool:
            raise WorkerLostError from None


def _begin(access: BulkAccess, lifeline: tuple[int, int]) -> None:
    # The process that asked is told of Ctrl+C, too, and says what becomes of us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    theirs, ours = lifeline[1], lifeline[0]
    os.close(theirs)
    threading.Thread(target=_end_with_parent, args=(ours,), daemon=True).start()
    _inherited["access"] = access


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)
    os._exit(1)


def _make(task: PartTask) -> PartRecord | PartFailure:
    return attempt_part(task, lambda: _inherited["access"])
