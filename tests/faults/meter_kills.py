"""A program that kills processes which work a meter: see ``test_meter_kills``.

    python meter_kills.py FILE KILLS SEED < tokens

All modules are loaded once; every process that works the meter is a fork of this one and is killed
with SIGKILL at a random instant. After each kill the file is opened anew and looked at.
"""

import os
import random
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sts.meter.device import open_meter
from sts.meter.memory import MeterMemory
from sts.meter.results import ResultCode
from sts.meter.state import MeterState

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LOAD_W: Final = 3000
TOKEN_WH: Final = 100
LONGEST_LIFE: Final = 0.02
_MINUTE: Final = timedelta(minutes=1)
_OPENED: Final = b"o"
_ENTERED: Final = b"+"
_PATIENCE: Final = 4
"""A process is left alone until it has reported less than so often, and then for an instant."""


def work(path: Path, tokens: list[str], first: int, report: int) -> None:
    """Enter one token a minute, and let half a minute pass between; never come back."""
    with open_meter(path) as meter:
        os.write(report, _OPENED)
        for number, digits in enumerate(tokens[first:], start=first):
            entry = meter.enter(digits, now=START + number * _MINUTE)
            assert entry.code is ResultCode.ACCEPT, entry
            os.write(report, _ENTERED)
            meter.advance(now=START + number * _MINUTE + _MINUTE / 2)
    while True:
        signal.pause()


def kill_one(path: Path, tokens: list[str], first: int, dice: random.Random) -> int:
    """Let a process work from the token ``first`` on, kill it; return what it had reported."""
    reading, report = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(path, tokens, first, report)
        finally:
            os._exit(1)
    os.close(report)
    # Pace is set by what it reports, so that a slow machine is tested as well as a fast one.
    entered = b"".join(os.read(reading, 1) for _ in range(dice.randrange(_PATIENCE)))
    time.sleep(dice.random() * LONGEST_LIFE)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, f"it ended by itself: {status}"
    while part := os.read(reading, 4096):
        entered += part
    os.close(reading)
    return entered.count(_ENTERED)


def look(path: Path) -> MeterState:
    """Open the file as after a power cut, and check that it is one moment of a meter's life."""
    memory = MeterMemory(path)
    state, last = memory.read().state, memory.history(1)
    memory.close()
    accepted, rest = divmod(state.credit_bought, TOKEN_WH)
    assert rest == 0
    assert state.credit_bought == state.credit.whole + state.consumed.whole + bool(
        state.credit.carry
    ), "energy was lost or made"
    minutes = (state.advanced_to - START) / _MINUTE
    if accepted:
        # Token and time are written together: the meter stands at the last token, or at the half
        # minute after it.
        assert minutes in {accepted - 1, accepted - 0.5}, (minutes, accepted)
        assert last[0].at == START + (accepted - 1) * _MINUTE
    assert state.consumed.whole == LOAD_W * int(2 * max(minutes, 0)) // 120
    return state


def main() -> None:
    """Kill as often as asked, and say how often something was under way."""
    path, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    tokens = sys.stdin.read().split()
    dice = random.Random(seed)  # noqa: S311 - instants that can be had again, no secrets
    accepted = moved = unreported = 0
    for number in range(kills):
        reported = kill_one(path, tokens, accepted, dice)
        now_accepted = look(path).credit_bought // TOKEN_WH
        done = now_accepted - accepted
        # Whatever was reported is there; of what was not, at most the one token on its way.
        assert done in {reported, reported + 1}, (number, reported, done)
        moved += done > 0
        unreported += done > reported
        accepted = now_accepted
    with open_meter(path) as meter:
        for digits in tokens[max(accepted - 2, 0) : accepted]:
            assert meter.enter(digits, now=START).code is ResultCode.USED_ERROR
        assert meter.snapshot(now=START).bought == accepted * TOKEN_WH
    print(kills, accepted, moved, unreported)


if __name__ == "__main__":
    main()
