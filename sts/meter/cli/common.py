"""What the commands of ``sts-meter`` share: parsing what was typed, and printing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click

from sts.meter.device import VirtualMeter
from sts.meter.errors import MeterQuantityError
from sts.meter.orders import Answer
from sts.meter.quantities import parse_moment
from sts.meter.report import reading_rows
from sts.meter.snapshot import Snapshot
from sts.terminal import REFUSED, json_option, print_json
from sts.terminal_keys import FILE_PATH, SAMPLE_MARK, TABLES_OPTION
from sts.terminal_tables import print_table

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Quantity(click.ParamType[Any]):
    """A quantity that the library reads; what it cannot read is a mistake in usage."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        """Read with ``parse``."""
        self.name = name
        self._parse = parse

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the quantity."""
        try:
            return self._parse(value) if isinstance(value, str) else value
        except MeterQuantityError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


AT_OPTION: Final = click.option(
    "--at",
    type=Quantity("time", parse_moment),
    help="The moment, with its zone, for scripts that must repeat.  [default: now]",
)


def meter_command(command: _Command) -> _Command:
    """Add what every command on an existing meter takes."""
    return click.argument("meter_file", type=FILE_PATH)(TABLES_OPTION(json_option(command)))


def moment(at: datetime | None) -> datetime:
    """Return the moment that was given, or the clock's."""
    return datetime.now(UTC) if at is None else at


def warn_sample(meter: VirtualMeter) -> None:
    """Say on standard error that the meter takes no real tokens."""
    if meter.uses_sample_tables:
        click.echo(SAMPLE_MARK, err=True)


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """Print what came of an order; a refused token makes the status 1."""
    if as_json:
        print_json(answer.facts)
    else:
        click.echo("\n".join(answer.lines))
    if answer.refused:
        click.get_current_context().exit(REFUSED)


def print_readings(snapshot: Snapshot, *, as_json: bool) -> None:
    """Print all that the meter shows."""
    if as_json:
        print_json(snapshot.as_json())
    else:
        print_table((), reading_rows(snapshot))
