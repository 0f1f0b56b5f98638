"""The real program in poor conditions: closed streams, full disks, and folders that are gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.transcript import PROGRAM, Outcome, as_program, program_environment

TOKEN = "58625789986991357486"
KEY = "929bd3a415c9420a05ec5ee9f3ce91c3"
FULL = Path("/dev/full")


def _shell(script: str, **settings: str) -> Outcome:
    """Run a shell script in which `$sts` is the program."""
    finished = subprocess.run(
        ["/bin/sh", "-c", script],
        check=False,
        encoding="utf-8",
        env={**program_environment(), "sts": str(PROGRAM), **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    return Outcome(stdout=finished.stdout, stderr=finished.stderr, status=finished.returncode)


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "words", [f"explain {TOKEN}", "conformance", "conformance --json", "tables show", "--help"]
)
def test_a_full_disk_is_a_refusal_in_one_line(words: str) -> None:
    outcome = _shell(f'"$sts" {words} > {FULL}')
    assert outcome.status == 1
    assert outcome.stderr == "error OUTPUT: cannot write: No space left on device\n"


@pytest.mark.parametrize("words", ["conformance --json", "conformance", "--help"])
def test_a_reader_that_has_seen_enough_is_no_error(words: str) -> None:
    outcome = _shell(f'"$sts" {words} | head -n 1')
    assert outcome.stdout.count("\n") == 1
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("stream", [">&-", "2>&-", "<&-"])
def test_closed_streams_do_no_harm(stream: str) -> None:
    outcome = _shell(f'"$sts" decode {TOKEN} {stream}', STS_DECODER_KEY=KEY)
    assert outcome.status == 0
    assert outcome.stderr == ""


def test_with_a_closed_input_there_is_nobody_to_ask() -> None:
    outcome = _shell(f'"$sts" decode {TOKEN} <&-')
    assert outcome.status == 2
    assert outcome.stderr.startswith("error USAGE: no decoder key")


def test_a_pipe_is_nobody_to_ask_either() -> None:
    outcome = _shell(f'echo {KEY} | "$sts" decode {TOKEN}')
    assert outcome.status == 2
    assert outcome.stderr.startswith("error USAGE: no decoder key")


def test_a_key_may_come_from_a_pipe_that_is_named_as_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = f'echo {KEY} > "$pipe" & "$sts" decode {TOKEN} --decoder-key-file "$pipe"'
    assert _shell(script, pipe=str(pipe)).status == 0


def test_an_endless_file_is_no_key() -> None:
    outcome = as_program(["decode", TOKEN, "--decoder-key-file", "/dev/zero"], {})
    assert outcome.status == 1
    assert outcome.stderr.startswith("error KEY_FORMAT: ")


def test_a_folder_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    script = f'cd "$gone" && rmdir "$gone" && "$sts" decode {TOKEN}'
    assert _shell(script, gone=str(tmp_path), STS_DECODER_KEY=KEY).status == 0


@pytest.mark.parametrize("word", [b"\xff\xfe", b"\x1b[31m"])
@pytest.mark.parametrize(
    "words",
    [
        ["explain"],
        ["derive", "--meter"],
        ["encode", "credit", "--amount"],
        ["conformance", "--json"],
    ],
    ids=" ".join,
)
def test_arguments_that_are_no_text_are_refused_in_one_line(words: list[str], word: bytes) -> None:
    finished = subprocess.run(
        [PROGRAM, *words, word],
        check=False,
        env=program_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert finished.returncode in (1, 2)
    printed = finished.stderr.decode() if finished.stderr else finished.stdout.decode()
    assert printed.startswith(("error ", "{"))
    assert "Traceback" not in printed


@pytest.mark.skipif(sys.platform == "win32", reason="file names are bytes on POSIX only")
def test_a_file_name_that_is_no_text_is_still_a_file(tmp_path: Path) -> None:
    name = os.fsdecode(b"key\xff")
    for words in ([], ["--json"]):
        path = tmp_path / f"{name}{len(words)}"
        outcome = as_program(
            ["derive", "--meter", "00000000000", "--sgc", "201457", "--output", str(path), *words],
            {"STS_VENDING_KEY": "ABABABABABABABAB949494949494949401234567"},
        )
        assert outcome.status == 0
        assert path.exists()
