"""How all benchmarks measure and print."""

import hashlib
import platform
import statistics
from collections.abc import Callable
from time import process_time
from typing import Final

ROUNDS: Final = 7
_YARDSTICK_CALLS: Final = 50_000


def rate(call: Callable[[], object], calls: int) -> int:
    """Return calls a second: the median of several rounds of ``calls`` calls each."""
    rates = []
    for _ in range(ROUNDS):
        start = process_time()
        for _ in range(calls):
            call()
        rates.append(calls / (process_time() - start))
    return round(statistics.median(rates))


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
