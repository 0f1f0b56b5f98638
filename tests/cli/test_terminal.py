"""How every command of ours talks: one line or one object for a refusal, and three statuses."""

import json
from typing import ClassVar

import click
import pytest
from click.testing import CliRunner, Result

from sts.errors import NotTwentyDigitsError
from sts.terminal import CodedGroup, json_option, print_json

HINT = NotTwentyDigitsError.hint


class PlainRefusal(Exception):  # noqa: N818 - not of our tree, as another package's may be
    """A refusal without code or hint."""


class WiderGroup(CodedGroup):
    """A group with refusals of its own."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (*CodedGroup.refusals, PlainRefusal)


@click.group(cls=WiderGroup)
def program() -> None:
    """Do what a test wants."""


@program.command()
@click.argument("what")
@json_option
def fail(what: str, *, as_json: bool) -> None:
    """Fail in the way asked for."""
    del as_json
    raise {
        "refusal": NotTwentyDigitsError(found=3, other_characters=False),
        "plain": PlainRefusal("two\nlines"),
        "usage": click.UsageError("not like this"),
        "file": click.FileError("some file", "is on fire"),
        "abort": click.Abort(),
        "output": OSError(28, "No space left on device"),
        "bug": ZeroDivisionError("a bug"),
    }[what]


@program.command()
@click.argument("status", type=int)
@click.option("--note")
@click.pass_context
def leave(ctx: click.Context, status: int, note: str | None) -> None:
    """Leave with a status, and perhaps a note."""
    click.echo(note)
    ctx.exit(status)


def _run(*words: str) -> Result:
    return CliRunner().invoke(program, words, prog_name="program")


@pytest.mark.parametrize(
    ("what", "status", "line"),
    [
        ("refusal", 1, f"error NOT_TWENTY_DIGITS: a token is 20 digits, found 3 ({HINT})"),
        ("plain", 1, "error PlainRefusal: two lines"),
        ("usage", 2, "error USAGE: not like this (see program fail --help)"),
        ("file", 2, "error USAGE: Could not open file 'some file': is on fire"),
        ("abort", 1, "error ABORTED: stopped before anything was done"),
        ("output", 1, "error OUTPUT: cannot write: No space left on device"),
    ],
)
def test_whatever_goes_wrong_is_one_line_on_standard_error(
    what: str, status: int, line: str
) -> None:
    result = _run("fail", what)
    assert result.exit_code == status
    assert result.stderr == line + "\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (
            "refusal",
            {
                "code": "NOT_TWENTY_DIGITS",
                "message": "a token is 20 digits, found 3",
                "hint": HINT,
            },
        ),
        ("plain", {"code": "PlainRefusal", "message": "two\nlines", "hint": ""}),
    ],
)
def test_a_refusal_is_an_object_where_json_was_asked_for(what: str, error: dict[str, str]) -> None:
    result = _run("fail", what, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"error": error}
    assert result.stderr == ""


def test_a_bug_is_not_dressed_up_as_a_refusal() -> None:
    assert isinstance(_run("fail", "bug").exception, ZeroDivisionError)


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_status_is_handed_on(status: int) -> None:
    assert _run("leave", str(status)).exit_code == status


def test_without_a_command_the_help_is_shown_and_nothing_is_done() -> None:
    result = _run()
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: program [OPTIONS] COMMAND")
    assert result.stdout == ""


def test_the_program_is_named_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an option without its value, click does not say which command it belongs to."""
    monkeypatch.setattr("sys.argv", ["/somewhere/else/tool", "leave", "0", "--note"])
    with pytest.raises(SystemExit) as left:
        program.main()
    assert left.value.code == 2
    assert capsys.readouterr().err.endswith("(see tool --help)\n")


def test_what_is_no_character_becomes_an_escape_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"name": "m³ \udcff"}
    print_json(value)
    printed = capsys.readouterr().out
    assert "m³" in printed
    assert json.loads(printed) == value
