"""The bans on clocks, dice and the outside world hold where they should, and only there."""

import subprocess
import sys
from typing import Final

import pytest

from tests.house.project import ROOT

FORBIDDEN: Final = {
    "the clock": "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
    "another clock": "import time\n\nNOW = time.monotonic()\n",
    "dice": "import secrets\n\nBITS = secrets.randbits(4)\n",
    "other dice": "from os import urandom\n\nBITS = urandom(4)\n",
    "a log": "import logging\n\nLOG = logging.getLogger()\n",
    "a socket": "import socket\n\nS = socket.socket()\n",
    "a setting": "import os\n\nS = os.environ\n",
}
PURE: Final = (
    "sts/bits.py",
    "sts/ciphers/sta.py",
    "sts/meter/acceptance.py",
    "vending_app/domain/money.py",
    "vending_app/services/vending.py",
)
EDGES: Final = (
    "sts/cli.py",
    "sts/cli/keys.py",
    "sts/meter/run.py",
    "keys/vault.py",
    "vending_app/cli.py",
    "vending_app/storage/engine.py",
    "vending_app/web/pages.py",
    "tests/sts/test_bits.py",
    "benchmarks/run.py",
    "tools/docs_check.py",
)


def _is_banned(path: str, code: str) -> bool:
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select=TID251", "--stdin-filename", path, "-"],
        check=False,
        cwd=ROOT,
        encoding="utf-8",
        input=code,
        stdout=subprocess.PIPE,
    )
    return "TID251" in checked.stdout


@pytest.mark.parametrize("code", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_pure_code_may_not_use_it(code: str) -> None:
    assert [path for path in PURE if not _is_banned(path, code)] == []


def test_the_edges_may() -> None:
    code = "\n".join(FORBIDDEN.values())
    assert [path for path in EDGES if _is_banned(path, code)] == []
