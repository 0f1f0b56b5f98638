"""The transcripts leave nothing out: no command, no option, no exit status, no error code."""

from collections.abc import Iterator
from typing import Final

import click
import pytest

from sts import errors
from sts.cli import main
from sts.errors import StsError
from tests.cli.transcript import Step, all_transcripts

STEPS: Final = [step for transcript in all_transcripts() for step in transcript.steps]

# Codes that no command can bring about, each with the reason.
NOT_FROM_THE_COMMAND_LINE: Final = {
    "AMOUNT_NOT_INTEGER": "amounts are read as whole numbers of small units",
    "ARRAY_SHAPE": "the command works with single tokens",
    "ARRAY_TYPE": "as ARRAY_SHAPE",
    "FIELD_TYPE": "the command makes the values that tokens are made of",
    "RESERVED_SUBCLASS": "there is no command for a token that is never issued",
    "SAMPLE_TABLES_IN_PRODUCTION": "this is a laboratory's command, which marks instead",
    "UNKNOWN_CODE": "codes are choices of their options",
    "UTC_OFFSET": "the range of the option is the same",
}


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


def _command(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


def _options(path: tuple[str, ...]) -> set[str]:
    return {
        name
        for parameter in _command(path).params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }


def _used(step: Step) -> set[str]:
    return {word.split("=", 1)[0] for word in step.words if word.startswith("--")}


ALL_COMMANDS: Final = list(_commands(main))


def _steps_of(path: tuple[str, ...]) -> list[Step]:
    return [step for step in STEPS if tuple(step.words[: len(path)]) == path]


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_every_command_is_shown_at_work_refusing_and_in_json(path: tuple[str, ...]) -> None:
    steps = [step for step in _steps_of(path) if "--help" not in step.words]
    assert any("--json" in step.words for step in steps)
    done = [step for step in steps if not step.expected[-1].startswith("[exit")]
    # No table file that may be in this repository passes `tables verify`.
    assert done or path == ("tables", "verify")


@pytest.mark.parametrize("path", ALL_COMMANDS, ids=" ".join)
def test_every_option_of_its_own_is_used(path: tuple[str, ...]) -> None:
    others = [_options(other) for other in ALL_COMMANDS if other != path]
    own = _options(path) - set().union(*others)
    used: set[str] = set().union(*(_used(step) for step in _steps_of(path)))
    assert own <= used


def test_every_shared_option_is_used() -> None:
    every: set[str] = set().union(*(_options(path) for path in ALL_COMMANDS))
    used: set[str] = set().union(*(_used(step) for step in STEPS))
    assert every <= used


def test_every_exit_status_is_seen() -> None:
    last_lines = {step.expected[-1] for step in STEPS}
    statuses = {line for line in last_lines if line.startswith("[exit")}
    assert statuses == {"[exit 1]", "[exit 2]"}


def test_every_error_code_is_seen_or_is_said_to_be_out_of_reach() -> None:
    printed = "\n".join(line for step in STEPS for line in step.expected)
    leaves = {
        value.code
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, StsError) and not value.__subclasses__()
    }
    seen = {code for code in leaves if f"error {code}:" in printed or f'"{code}"' in printed}
    assert leaves - seen == set(NOT_FROM_THE_COMMAND_LINE)


def test_the_error_lines_of_a_transcript_are_one_line_each() -> None:
    for step in STEPS:
        errors_shown = [line for line in step.expected if line.startswith("! error ")]
        assert len(errors_shown) <= 1, step.command
