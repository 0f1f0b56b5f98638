"""``sts-meter profile``: what the meter has written down of its load, for other programs."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from sts.meter.cli.common import AT_OPTION, meter_command, moment
from sts.meter.device import open_meter
from sts.meter.errors import MeterFileAccessError, MeterFileExistsError
from sts.meter.report import DAY_FIELDS, INTERVAL_FIELDS, day_fields, interval_fields
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH, read_tables

_ALL: Final = 1_000_000


@click.group()
def profile() -> None:
    """Take the load profile out of the meter: half hours and days."""


@profile.command()
@meter_command
@AT_OPTION
@click.option("--days", is_flag=True, help="The daily totals instead of the half hours.")
@click.option("--output", type=FILE_PATH, help="A new file.  [default: standard output]")
def export(
    meter_file: Path,
    *,
    tables: Path | None,
    at: datetime | None,
    as_json: bool,
    days: bool,
    output: Path | None,
) -> None:
    """Write the half hours up to now as CSV, the oldest first.

    Energy is in Wh, water and gas in litres, time in seconds; credit is in the register's unit.

    \b
    Example:
      sts-meter profile export house.meter --output house.csv
    """  # noqa: D301 - click's mark
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        meter.advance(now=moment(at))
        rows = (
            [day_fields(day) for day in reversed(meter.daily_totals(_ALL))]
            if days
            else [interval_fields(line) for line in reversed(meter.load_profile(_ALL))]
        )
    if as_json:
        print_json(rows)
        return
    text = io.StringIO()
    table = csv.DictWriter(text, DAY_FIELDS if days else INTERVAL_FIELDS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    if output is None:
        click.echo(text.getvalue(), nl=False)
    else:
        _write_new(output, text.getvalue())
        click.echo(f"{len(rows)} lines written to {output}")


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise MeterFileExistsError(path) from None
    except OSError as error:
        raise MeterFileAccessError(path, str(error.strerror)) from error
