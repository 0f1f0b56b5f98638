"""Help is true: its examples work, and everything has a text."""

import json
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from sts.ciphers.sta_tables import SAMPLE_JSON
from sts.cli import main
from tests.cli.transcript import in_process

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
MINE = {
    "op": "token",
    "token_kind": "InitiateMeterTest/Display1",
    "control_hex": "1",
    "control_bits": 36,
    "manufacturer_code": "0",
    "expected_token": "00000000000150997584",
}
# The files that the examples name.
FILES = {
    "meter.key": KEYS["STS_DECODER_KEY"],
    "mine.json": json.dumps({"cases": [MINE]}),
    "licensed.json": SAMPLE_JSON.decode("ascii"),
}


def _commands(command: click.Command, name: str = "sts") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from _commands(child, f"{name} {child.name}")


COMMANDS = dict(_commands(main))


def _examples() -> Iterator[str]:
    for command in COMMANDS.values():
        text = re.sub(r"\\\n\s*", "", command.help or "")
        for line in text.splitlines():
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
    for name, content in FILES.items():
        if f"--output {name}" not in example:
            (tmp_path / name).write_text(content, encoding="ascii")
    settings = dict(KEYS)
    for option, other in OTHER_KEYS.items():
        settings |= other if option in example else {}
    words = shlex.split(example.removeprefix("sts "))
    if "2035" in words:
        # A group that moves to base date 2035 does so when that has come.
        words += ["--at", "2036-01-01T00:00Z"]
    outcome = in_process(words, settings)
    # Whoever has a licensed table file does not bring it here.
    assert outcome.status == (1 if "licensed.json" in words else 0), outcome


def test_there_are_examples() -> None:
    assert len(set(_examples())) >= 15


def test_the_version_is_that_of_the_distribution() -> None:
    assert in_process(["--version"], {}).stdout == f"sts, version {version('sts-vending')}\n"
