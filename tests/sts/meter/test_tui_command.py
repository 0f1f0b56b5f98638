"""``sts-meter tui`` as it is typed, in a terminal and without one."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from sts.meter.cli import main
from sts.meter.device import open_meter
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

PROGRAM: Final = (sys.executable, "-c", "from sts.meter.cli import main; main()")
PATIENCE_SECONDS: Final = 60


def test_without_a_terminal_it_says_what_scripts_use(tmp_path: Path) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    result = CliRunner().invoke(main, ["tui", str(path)])
    assert result.exit_code == 2
    assert "error USAGE: the screen needs a terminal" in result.stderr


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "textual", None)
    for name in ("sts.meter.tui", "sts.meter.tui_widgets"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    result = CliRunner().invoke(main, ["tui", str(tmp_path / "house.meter")])
    assert result.exit_code == 2
    assert "install sts-vending[meter]" in result.stderr


@pytest.mark.slow
def test_in_a_terminal_tokens_are_keyed_also_from_beside_and_the_screen_is_left(
    tmp_path: Path,
) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(
        [*PROGRAM, "tui", str(path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    ) as screen:
        os.close(theirs)
        _read_until(ours, "BUTTON")
        os.write(ours, credit_digits(pair, 59).encode())
        _read_until(ours, "ACCEPT")
        beside = CliRunner().invoke(main, ["enter", str(path), credit_digits(pair, 30)])
        assert beside.exit_code == 0, beside.stderr
        assert "3.0 kWh added" in beside.stdout
        _read_until(ours, "8.900 kWh")
        second = CliRunner().invoke(main, ["run", str(path), "--for", "1s"])
        assert "error METER_CLAIMED" in second.stderr
        os.write(ours, b"q")
        _read_until(ours, "\x1b[?1049l")
        assert screen.wait(PATIENCE_SECONDS) == 0
    os.close(ours)
    with open_meter(path) as meter:
        assert meter.snapshot(now=START).credit_wh == 8900
        assert meter.memory.rows("claim") == []


def _read_until(terminal: int, wanted: str) -> None:
    """Read what a screen draws until something is there."""
    seen, until = "", time.monotonic() + PATIENCE_SECONDS
    while wanted not in seen:
        ready, _, _ = select.select([terminal], [], [], until - time.monotonic())
        assert ready, f"{wanted!r} never came"
        seen += os.read(terminal, 65536).decode(errors="replace")
