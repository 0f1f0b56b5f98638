"""``kill -9`` at any instant leaves a meter before or after what it did, never between."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from sts.meter.device import open_meter
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

PROGRAM: Final = Path(__file__).with_name("meter_kills.py")
KILLS: Final = 110
TOKENS: Final = 1000


@pytest.mark.slow
def test_a_meter_survives_more_than_two_hundred_kills(tmp_path: Path) -> None:
    """Two meters at once: the load of the one makes the instants of the other more varied."""
    pair = VendAndMeter()
    tokens: list[str] = []
    for _ in range(TOKENS):
        pair.now += timedelta(minutes=1)
        tokens.append(credit_digits(pair, 1))
    running = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = meter_file(folder, pair)
        with open_meter(path) as meter:
            meter.set_load(3000, now=START)
        arguments = [sys.executable, str(PROGRAM), str(path), str(KILLS), str(seed)]
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(" ".join(tokens))
        process.stdin.close()
        running.append(process)
    for process in running:
        with process:
            assert process.stdout is not None
            printed = process.stdout.read()
        assert process.returncode == 0, printed
        kills, accepted, moved, _ = map(int, printed.split())
        assert kills == KILLS
        assert accepted > 0
        # Most of them died with something done, not while they opened the file.
        assert moved > KILLS // 4, printed
