"""A command measured with all the processes that it starts: time, and memory while it runs."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_EVERY_SECONDS: Final = 0.2


class Usage(NamedTuple):
    """What a command took.

    Attributes:
        seconds: On the clock on the wall.
        largest_mb: The most that one process held at any time, by the system's own account.
        together_mb: The most that all processes held at one time. What they share, as forked
            processes do, is counted once (proportional set size).
    """

    seconds: float
    largest_mb: int
    together_mb: int


def measured(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Usage:
    """Run a command and look at its processes five times a second (Linux).

    Raises:
        RuntimeError: The command refuses.
    """
    start = time.perf_counter()
    running = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    largest = together = 0
    while running.poll() is None:
        tree = list(_tree(running.pid))
        largest = max([largest, *(_kilobytes(each, "status", "VmHWM:") for each in tree)])
        held = sum(_kilobytes(each, "smaps_rollup", "Pss:") for each in tree)
        together = max(together, held)
        time.sleep(_EVERY_SECONDS)
    if running.returncode:
        message = f"{' '.join(command)}: exit status {running.returncode}"
        raise RuntimeError(message)
    return Usage(time.perf_counter() - start, largest >> 10, together >> 10)


def _tree(process: int) -> Iterator[int]:
    yield process
    try:
        for task in (_PROC / str(process) / "task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                yield from _tree(int(child))
    except OSError:
        # It has ended meanwhile.
        return


def _kilobytes(process: int, file: str, name: str) -> int:
    try:
        lines = (_PROC / str(process) / file).read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
