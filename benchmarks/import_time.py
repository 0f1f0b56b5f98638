"""How long ``import sts`` takes in a fresh interpreter, beyond starting it."""

import statistics
import subprocess
import sys
from typing import Final

from benchmarks.measure import ROUNDS, row

_AIM_MS: Final = 150
_TIMED: Final = """
from time import process_time
start = process_time()
import sts
print(process_time() - start)
"""


def run() -> None:
    """Measure and print."""
    times = []
    for _ in range(ROUNDS + 1):
        finished = subprocess.run(
            [sys.executable, "-c", _TIMED], check=True, capture_output=True, text=True
        )
        times.append(1000 * float(finished.stdout))
    # The first one may have compiled the modules.
    median = statistics.median(times[1:])
    print("import")
    row("import sts", f"{median:.0f} ms", f"aim < {_AIM_MS} ms")
