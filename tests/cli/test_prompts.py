"""Keys are asked for at a terminal: without echo, and never of a program that cannot answer."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.transcript import PROGRAM, program_environment

TOKEN = "58625789986991357486"
DECODER_KEY = "929bd3a415c9420a05ec5ee9f3ce91c3"
VENDING_KEY = "ABABABABABABABAB949494949494949401234567"
READING = "TransferCredit/electricity: tid: minute 85740: 2014-03-01 13:00 UTC (base 2014)"
SECONDS = 30


@dataclass
class Terminal:
    """A person at a terminal, in front of a program.

    Attributes:
        process: The program.
        line: Our end of the line to it.
        seen: All that has appeared on the screen.
    """

    process: subprocess.Popen[bytes]
    line: int
    seen: bytearray = field(default_factory=bytearray)

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Look at the screen until ``text`` is on it."""
        deadline = time.monotonic() + SECONDS
        while self.seen.count(text.encode()) < times:
            assert time.monotonic() < deadline, self.screen
            assert self._look(), self.screen

    def type(self, text: str) -> None:
        """Type ``text``."""
        os.write(self.line, text.encode())

    def finish(self) -> int:
        """Look at the screen until the program has ended; return its status."""
        while self._look():
            pass
        return self.process.wait(SECONDS)

    @property
    def screen(self) -> str:
        """What is on the screen."""
        return re.sub(r"\r+\n", "\n", self.seen.decode())

    def _look(self) -> bool:
        ready, _, _ = select.select([self.line], [], [], SECONDS)
        try:
            data = os.read(self.line, 4096) if ready else b""
        except OSError:
            # On Linux this is how the other end of a terminal says that it is closed.
            data = b""
        self.seen += data
        return bool(data)


@contextmanager
def terminal(*words: str, program: Path = PROGRAM) -> Iterator[Terminal]:
    """Start a program with a terminal as its standard input, output and error."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [program, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=program_environment(),
            start_new_session=True,
        ) as process:
            os.close(theirs)
            try:
                yield Terminal(process, ours)
            finally:
                process.kill()
    finally:
        os.close(ours)


def test_the_meters_key_is_asked_for_without_echo() -> None:
    with terminal("decode", TOKEN) as person:
        person.wait_for("decoder key (hexadecimal): ")
        person.type(f"{DECODER_KEY}\n")
        assert person.finish() == 0
    assert READING in person.screen
    assert DECODER_KEY not in person.screen


def test_the_groups_key_is_asked_for_without_echo() -> None:
    with terminal("decode", TOKEN, "--meter", "00000000000", "--sgc", "201457") as person:
        person.wait_for("vending key (hexadecimal): ")
        person.type(f"{VENDING_KEY}\n")
        assert person.finish() == 0
    assert READING in person.screen
    assert VENDING_KEY not in person.screen


def test_a_wrong_key_is_refused_and_not_repeated() -> None:
    with terminal("decode", TOKEN) as person:
        person.wait_for("decoder key (hexadecimal): ")
        person.type("under the mat\n")
        assert person.finish() == 1
    assert "error KEY_FORMAT: " in person.screen
    assert "mat" not in person.screen


def test_nothing_at_all_is_asked_for_again() -> None:
    with terminal("decode", TOKEN) as person:
        person.wait_for("decoder key (hexadecimal): ")
        person.type("\n")
        person.wait_for("decoder key (hexadecimal): ", times=2)
        person.type(f"{DECODER_KEY}\n")
        assert person.finish() == 0
    assert READING in person.screen


def test_end_of_file_stops_before_anything_is_done() -> None:
    with terminal("decode", TOKEN) as person:
        person.wait_for("decoder key (hexadecimal): ")
        person.type("\x04")
        assert person.finish() == 1
    assert person.screen.endswith("error ABORTED: stopped before anything was done\n")


def test_an_interrupt_stops_before_anything_is_done(tmp_path: Path) -> None:
    file = tmp_path / "meter.key"
    group = ("--meter", "00000000000", "--sgc", "201457")
    with terminal("derive", *group, "--output", str(file)) as person:
        person.wait_for("vending key (hexadecimal): ")
        person.process.send_signal(signal.SIGINT)
        assert person.finish() == 1
    assert person.screen.endswith("error ABORTED: stopped before anything was done\n")
    assert not file.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("explain", TOKEN),
        ("encode", "test", "--test", "1"),
        ("encode", "read-extended", "--flag", "0"),
        ("decode", "00000000000150997584"),
        ("tables", "show"),
    ],
    ids=" ".join,
)
def test_what_needs_no_key_asks_for_none(words: tuple[str, ...]) -> None:
    with terminal(*words) as person:
        assert person.finish() == 0
    assert "hexadecimal" not in person.screen
