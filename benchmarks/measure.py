"""How all benchmarks measure and print."""

import hashlib
import platform
import statistics
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Final, NamedTuple

ROUNDS: Final = 7
_YARDSTICK_CALLS: Final = 50_000


class Rates(NamedTuple):
    """Calls a second, by two clocks."""

    processor: int
    """By the processor's time, which other programs disturb little."""
    wall: int
    """By the clock on the wall, which also waits for the disk."""


def rates(call: Callable[[], object], calls: int) -> Rates:
    """Return calls a second: the median of several rounds of ``calls`` calls each."""
    found = []
    for _ in range(ROUNDS):
        processor, wall = process_time(), perf_counter()
        for _ in range(calls):
            call()
        found.append((calls / (process_time() - processor), calls / (perf_counter() - wall)))
    return Rates(*(round(statistics.median(each)) for each in zip(*found, strict=True)))


def rate(call: Callable[[], object], calls: int) -> int:
    """Return calls a second by the processor's time, as ``rates``."""
    return rates(call, calls).processor


def yardstick() -> int:
    """Return SHA-256 digests of 64 bytes a second, to compare other rates with."""
    data = bytes(64)
    return rate(lambda: hashlib.sha256(data).digest(), _YARDSTICK_CALLS)


def machine() -> str:
    """Name the interpreter and the processor in one line."""
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}"


def row(name: str, value: str, note: str = "") -> None:
    """Print one line of figures."""
    print(f"  {name:<34}{value:>16}  {note}".rstrip())
