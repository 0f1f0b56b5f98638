"""What the commands of ``sts-meter`` show without touching the meter: readings, logs, checks."""

import stat
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from sts.meter.checks import failures
from sts.meter.claims import living_claim
from sts.meter.cli.common import (
    AT_OPTION,
    meter_command,
    moment,
    print_readings,
    warn_sample,
)
from sts.meter.device import open_meter
from sts.meter.report import (
    EVENT_HEADS,
    HISTORY_HEADS,
    event_json,
    event_row,
    history_json,
    history_row,
)
from sts.terminal import REFUSED, print_json
from sts.terminal_keys import read_tables
from sts.terminal_tables import print_table

_ALL: Final = 1_000_000


@click.command()
@meter_command
@AT_OPTION
def show(meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool) -> None:
    """Show what the meter shows; nothing is changed."""
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        warn_sample(meter)
        print_readings(meter.snapshot(now=moment(at)), as_json=as_json)


@click.command()
@meter_command
@AT_OPTION
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
def events(
    meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool, limit: int
) -> None:
    """List what happened to the supply, newest first, up to now."""
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        meter.advance(now=moment(at))
        found = meter.events(limit)
    if as_json:
        print_json([event_json(event) for event in found])
    else:
        print_table(EVENT_HEADS, [event_row(event) for event in found])


@click.command()
@meter_command
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
def history(meter_file: Path, *, tables: Path | None, as_json: bool, limit: int) -> None:
    """List the tokens that were keyed, newest first."""
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        found = meter.history(limit)
    if as_json:
        print_json([history_json(token) for token in found])
    else:
        print_table(HISTORY_HEADS, [history_row(token) for token in found])


@click.command()
@meter_command
def doctor(meter_file: Path, *, tables: Path | None, as_json: bool) -> None:
    """Check the file and the registers, and say with codes what is wrong.

    A file that is missing, foreign, damaged or newer has a code of its own, as for any command.
    """
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        contents = meter.memory.read()
        claim = living_claim(meter.memory)
        found = list(failures(contents.spec, contents.state))
        if meter_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            found.append(("FILE_NOT_PRIVATE", "others than its owner may read the key in it"))
        found += [
            ("CLAIM_LEFT_BEHIND", f"{row['program']} died; the next one takes the meter over")
            for row in meter.memory.rows("claim")
            if claim is None
        ]
        # Reading every row proves that each is what it is to be.
        kept = len(meter.events(_ALL)), len(meter.history(_ALL))
    runs = None if claim is None else f"{claim.program} (process {claim.process_id})"
    if as_json:
        problems = [{"code": code, "message": message} for code, message in found]
        facts = {"problems": problems, "events": kept[0], "tokens": kept[1], "run_by": runs}
        print_json(facts)
    else:
        for code, message in found:
            click.echo(f"problem {code}: {message}")
        click.echo(f"file and registers checked: {kept[0]} events, {kept[1]} tokens")
        click.echo(f"run by {runs or 'nobody'}; {len(found) or 'no'} problems")
    if found:
        click.get_current_context().exit(REFUSED)
