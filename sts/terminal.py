"""How our commands talk: a refusal is one line with its code, or one JSON object.

An edge of the library, shared by all its commands. Exit statuses: 0 done, 1 refused by the rules,
2 used wrongly.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn, TypeVar

import click

from sts.errors import StsError

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2

_JSON: Final = "sts.terminal.json"
_Command = TypeVar("_Command", bound=Callable[..., Any])


class CodedGroup(click.Group):
    """A group of commands in which every error is one line with a code.

    Attributes:
        refusals: The exceptions that are refusals; each has a ``code`` and may have a ``hint``.
    """

    refusals: ClassVar[tuple[type[Exception], ...]] = (StsError,)

    def main(  # click's own signature is overloaded; these are all the arguments it is given
        self, args: Sequence[str] | None = None, *_: Any, **extra: Any
    ) -> NoReturn:
        """Run as a program: print errors as they are to be seen, then leave with a status."""
        extra["standalone_mode"] = False
        try:
            status = super().main(args, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = USAGE
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else _program(extra)
            _say(
                "USAGE", error.format_message(), f"see {command} --help", as_json=_wants_json(args)
            )
            status = USAGE
        except click.ClickException as error:
            _say("USAGE", error.format_message(), "", as_json=_wants_json(args))
            status = USAGE
        except click.Abort:
            _show("ABORTED", "stopped before anything was done", "")
            status = REFUSED
        except OSError as error:  # Commands answer for what they read: this is output.
            _show("OUTPUT", f"cannot write: {error.strerror}", "")
            status = REFUSED
        sys.exit(status if isinstance(status, int) else DONE)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Run the command, and turn a refusal into a line and a status."""
        try:
            return super().invoke(ctx)
        except self.refusals as error:
            as_json = bool(ctx.find_root().meta.get(_JSON))
            show_refusal(error, as_json=as_json)
            ctx.exit(REFUSED)


def json_option(command: _Command) -> _Command:
    """Add ``--json`` to a command; its refusals are then JSON as well."""

    def remember(ctx: click.Context, _option: click.Parameter, value: bool) -> bool:  # noqa: FBT001 - click passes it so
        ctx.find_root().meta[_JSON] = value
        return value

    return click.option(
        "--json", "as_json", is_flag=True, is_eager=True, callback=remember, help="Print JSON."
    )(command)


def show_refusal(error: Exception, *, as_json: bool = False) -> None:
    """Print a refusal: one line for people on standard error, one object for programs."""
    code = getattr(error, "code", type(error).__name__)
    _say(code, str(error), getattr(error, "hint", ""), as_json=as_json)


def print_json(value: object) -> None:
    """Print ``value`` as indented JSON with its characters as they are."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # What is no character, a byte of a file name, becomes an escape, which JSON has as well.
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def _program(extra: dict[str, Any]) -> str:
    return str(extra.get("prog_name") or Path(sys.argv[0]).name)


def _wants_json(args: Sequence[str] | None) -> bool:
    """Tell whether the command asks for JSON, also where its options could not be parsed."""
    return "--json" in (sys.argv[1:] if args is None else args)


def _say(code: str, message: str, hint: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"error": {"code": code, "message": message, "hint": hint}})
    else:
        _show(code, message, hint)


def _show(code: str, message: str, hint: str) -> None:
    line = f"error {code}: {message}" + (f" ({hint})" if hint else "")
    click.echo(" ".join(line.split()), err=True)
