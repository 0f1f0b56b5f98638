"""What the command `sts-keys` prints is what its transcripts say, to the letter."""

import difflib
import os
import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import click
import pytest

from tests.cli.transcript import (
    KEYS_FOLDER,
    PROGRAMS,
    Step,
    Transcript,
    all_transcripts,
    in_process,
)

UPDATE: Final = bool(os.environ.get("STS_UPDATE_TRANSCRIPTS"))
TRANSCRIPTS: Final = all_transcripts(KEYS_FOLDER)
STEPS: Final = [step for transcript in TRANSCRIPTS for step in transcript.steps]


@pytest.fixture
def _same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every transcript draw the same random bytes in the same order."""
    drawn = 0

    def token_bytes(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return b"".join(
            sha256(f"{drawn}/{part}".encode()).digest() for part in range(size // 32 + 1)
        )[:size]

    monkeypatch.setattr(secrets, "token_bytes", token_bytes)


@pytest.mark.usefixtures("_same_bytes")
@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda transcript: transcript.path.stem)
def test_the_transcript_is_true(
    transcript: Transcript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    transcript.prepare(tmp_path)
    outcomes, wrong = [], []
    for step in transcript.steps:
        settings = {**transcript.environment, **step.settings}
        outcome = in_process(step.words, settings, step.program)
        outcomes.append(outcome)
        if transcript.differs(step, outcome):
            difference = difflib.unified_diff(
                step.expected, outcome.lines, "transcript", "printed", lineterm=""
            )
            wrong.append("\n".join([f"line {step.line}: $ {step.command}", *difference]))
    if UPDATE:
        transcript.path.write_text(transcript.text_with(outcomes), encoding="utf-8")
    elif wrong:
        advice = "STS_UPDATE_TRANSCRIPTS=1 pytest tests/cli writes down what is printed now"
        pytest.fail("\n\n".join([*wrong, advice]), pytrace=False)


# --- nothing is left out ------------------------------------------------------------------------


def _commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from _commands(command, (*path, name))
    else:
        yield path


ALL_COMMANDS: Final = list(_commands(PROGRAMS["sts-keys"]))
# A transcript would not be the same without the hardware: `test_keys_hsm.py` has these.
WITH_HARDWARE: Final = [("hsm", "prepare")]
SHOWN: Final = [path for path in ALL_COMMANDS if path not in WITH_HARDWARE]


def _command(path: tuple[str, ...]) -> click.Command:
    command = PROGRAMS["sts-keys"]
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def _steps_of(path: tuple[str, ...]) -> list[Step]:
    return [
        step
        for step in STEPS
        if step.program == "sts-keys" and tuple(step.words[: len(path)]) == path
    ]


def _options(path: tuple[str, ...]) -> set[str]:
    return {
        name
        for parameter in _command(path).params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }


@pytest.mark.parametrize("path", SHOWN, ids=" ".join)
def test_every_command_is_shown_at_work_and_in_json(path: tuple[str, ...]) -> None:
    steps = _steps_of(path)
    assert any("--json" in step.words for step in steps)
    assert any(step.expected and not step.expected[-1].startswith("[exit") for step in steps)


@pytest.mark.parametrize("path", SHOWN, ids=" ".join)
def test_every_command_is_shown_refusing(path: tuple[str, ...]) -> None:
    assert any(line.startswith("! error ") for step in _steps_of(path) for line in step.expected)


def test_every_option_is_used() -> None:
    every: set[str] = set().union(*(_options(path) for path in SHOWN))
    used = {word.split("=", 1)[0] for step in STEPS for word in step.words}
    assert every - used == {"--tables"}


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_every_command_and_option_says_what_it_is(path: tuple[str, ...]) -> None:
    command = _command(path)
    assert command.help
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []
    outcome = in_process([*path, "--help"], {}, "sts-keys")
    assert outcome.status == 0
    assert outcome.stdout.startswith(f"Usage: sts-keys {' '.join(path)}")


def test_no_option_takes_a_key_a_passphrase_or_a_pin() -> None:
    for path in ALL_COMMANDS:
        assert not _options(path) & {"--passphrase", "--pin", "--vending-key", "--decoder-key"}
