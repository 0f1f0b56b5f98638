"""Help is true: its examples work, and everything has a text."""

import shlex
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from sts.cli import main
from tests.cli.transcripts import in_process

# The examples take their keys from these; the factory key is that of the published vectors' meter.
KEYS = {
    "STS_DECODER_KEY": "929bd3a415c9420a05ec5ee9f3ce91c3",
    "STS_VENDING_KEY": "ABABABABABABABAB949494949494949401234567",
}
# Examples with another key than the rest of their command's.
OTHER_KEYS = {
    "--dkga 02": {"STS_VENDING_KEY": "ABABABABABABABAB"},
    "--ea 07": {"STS_DECODER_KEY": "87f3ecbb2e46b48f"},
}


def _commands(command: click.Command, name: str = "sts") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from _commands(child, f"{name} {child.name}")


COMMANDS = dict(_commands(main))


def _examples() -> Iterator[str]:
    for command in COMMANDS.values():
        for line in (command.help or "").splitlines():
            if line.strip().startswith("sts "):
                yield line.split("(")[0].strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_page_is_printed(name: str) -> None:
    words = name.split()[1:]
    outcome = in_process([*words, "--help"], {})
    assert outcome.status == 0
    assert outcome.stderr == ""
    assert outcome.stdout.startswith(f"Usage: {name}")
    assert in_process([*words, "-h"], {}) == outcome


@pytest.mark.parametrize("example", dict.fromkeys(_examples()))
def test_every_example_in_a_help_page_works(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "--output" not in example:
        (tmp_path / "meter.key").write_text(KEYS["STS_DECODER_KEY"] + "\n", encoding="ascii")
    settings = dict(KEYS)
    for option, other in OTHER_KEYS.items():
        settings |= other if option in example else {}
    words = shlex.split(example.removeprefix("sts "))
    if "2035" in words:
        # A group that moves to base date 2035 does so when that has come.
        words += ["--at", "2036-01-01T00:00Z"]
    outcome = in_process(words, settings)
    assert outcome.status == 0, outcome


def test_there_are_examples() -> None:
    assert len(set(_examples())) >= 15


def test_the_version_is_that_of_the_distribution() -> None:
    assert in_process(["--version"], {}).stdout == f"sts, version {version('sts-vending')}\n"
