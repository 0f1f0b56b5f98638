"""The command ``sts-meter tui``; what draws the screen is imported when it is used."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from sts.meter.claims import MeterClaim
from sts.meter.device import open_meter
from sts.meter.orders import attend
from sts.meter.tui_session import Session
from sts.terminal_keys import FILE_PATH, TABLES_OPTION, read_tables

_LARGEST_SPEED = 1_000_000


@click.command()
@click.argument("meter_file", type=FILE_PATH)
@click.option(
    "--speed",
    type=click.IntRange(1, _LARGEST_SPEED),
    default=1,
    show_default=True,
    help="How many times faster than the clock.",
)
@TABLES_OPTION
def tui(meter_file: Path, *, speed: int, tables: Path | None) -> None:
    """Work the meter on a screen: keypad, display, lamps, loads, charts and logs.

    Keys of the keyboard are keys of the meter: 0 to 9 and #; Backspace, and Escape for clear. Every
    key press is written to the file at once, so the screen can be left at any time.
    """
    try:
        from sts.meter.tui import run_screen  # noqa: PLC0415 - textual is loaded on use
    except ModuleNotFoundError as error:
        message = f"the screen needs {error.name}: install sts-vending[meter]"
        raise click.UsageError(message) from error
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        message = "the screen needs a terminal; scripts use sts-meter enter, show and run"
        raise click.UsageError(message)
    with (
        open_meter(meter_file, sta_tables=read_tables(tables)) as meter,
        MeterClaim(meter.memory, "sts-meter tui") as claim,
    ):

        def serve(now: datetime) -> None:
            claim.beat()
            attend(meter, now=now)

        run_screen(Session(meter, lambda: datetime.now(UTC), speed=speed, attend=serve))
