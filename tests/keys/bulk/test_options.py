"""What the commands for fleets share: what they need, and what somebody who watches is shown."""

import importlib.util
import io
import re
import time

import numpy as np
import pytest

from keys.bulk.rows import RowCodes
from keys.cli import batch_options
from keys.cli.batch_options import BatchMissingError, progress_bar, require_libraries


class _Terminal(io.StringIO):
    """A screen that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_who_watches_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with progress_bar("key-change") as tell:
        tell(0, 2000)
        for done in range(100, 1100, 100):
            # The rate is that of some moments, so that there must be some.
            time.sleep(0.02)
            tell(done, 2000)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).replace("\n", "\r").split("\r")
    assert any(re.search(r"key-change .*50% 1,000 rows, [\d,]+/s 0:00:0\d", line) for line in shown)


def test_nobody_who_does_not_watch_is_shown_anything(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("key-change") as tell:
        tell(1000, 2000)
    assert capsys.readouterr().err == ""


def test_without_the_extra_the_commands_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BatchMissingError) as refusal:
        require_libraries()
    assert refusal.value.code == "BATCH_MISSING"
    assert "sts-vending[batch]" in refusal.value.hint
    assert batch_options.BatchMissingError is BatchMissingError


def test_a_code_that_comes_again_is_the_same_code() -> None:
    codes = RowCodes(3)
    codes.mark("UNKNOWN_VENDING_KEY", np.array([True, False, False]))
    codes.mark("UNKNOWN_VENDING_KEY", np.array([False, False, True]))
    assert [codes.code(row) for row in (0, 2)] == ["UNKNOWN_VENDING_KEY"] * 2
    assert codes.right.tolist() == [False, True, False]
