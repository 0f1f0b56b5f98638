"""`import sts` is light: it needs the base install only, and it is quick."""

import json
import subprocess
import sys
from typing import Final

# What an import of the library must not bring along, even where it is installed.
HEAVY: Final = ("alembic", "click", "flask", "numpy", "rich", "sqlalchemy", "sqlite3", "textual")
MILLISECONDS: Final = 150

_MEASURE: Final = """
import json, sys, time
started = time.process_time()
import sts
print(json.dumps({"ms": (time.process_time() - started) * 1000, "loaded": sorted(sys.modules)}))
"""


def _import_in_a_new_process() -> tuple[float, set[str]]:
    printed = subprocess.run(
        # -I: neither the current folder nor the environment; so coverage does not slow it either.
        [sys.executable, "-I", "-c", _MEASURE],
        check=True,
        encoding="utf-8",
        env={},
        stdout=subprocess.PIPE,
    ).stdout
    measured = json.loads(printed)
    return measured["ms"], set(measured["loaded"])


def test_importing_the_library_loads_nothing_heavy() -> None:
    _, loaded = _import_in_a_new_process()
    assert "sts" in loaded
    assert not loaded & set(HEAVY)


def test_importing_the_library_is_quick() -> None:
    """In time of the processor, and the best of five: a busy machine only makes it slower."""
    assert min(_import_in_a_new_process()[0] for _ in range(5)) < MILLISECONDS
