"""``sts-meter run``: let time pass, at any speed and with any load, and watch."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from sts.meter.claims import MeterClaim
from sts.meter.cli.common import AT_OPTION, Quantity, meter_command, moment, warn_sample
from sts.meter.device import open_meter
from sts.meter.errors import LoadError, MeterQuantityError
from sts.meter.household import HouseholdLoad
from sts.meter.loads import Load
from sts.meter.orders import attend
from sts.meter.quantities import parse_duration, parse_load
from sts.meter.recordings import parse_recording
from sts.meter.report import line_text
from sts.meter.run import Plan, step_for
from sts.meter.run import run as run_meter
from sts.meter.schedules import parse_schedule
from sts.meter.snapshot import Snapshot
from sts.meter.spec import MeterSpec
from sts.terminal_keys import FILE_PATH, read_tables

MAX_SPEED: Final = "max"

_LARGEST_SPEED: Final = 1_000_000
_OPEN_STEP: Final = timedelta(seconds=1)
_LOAD_STEP: Final = timedelta(hours=1)
_LARGEST_PROFILE_BYTES: Final = 100_000_000
_SCHEDULE_HEAD: Final = "days,"


def _parse_speed(text: str) -> int | None:
    if text == MAX_SPEED:
        return None
    if not text.isdecimal() or len(text) > len(str(_LARGEST_SPEED)):
        raise MeterQuantityError(f"a speed is a whole number, or {MAX_SPEED}")
    speed = int(text)
    if not 1 <= speed <= _LARGEST_SPEED:
        raise MeterQuantityError(f"a speed is from 1 to {_LARGEST_SPEED}, or {MAX_SPEED}")
    return speed


@click.command()
@meter_command
@AT_OPTION
@click.option(
    "--load",
    type=Quantity("load", parse_load),
    help="2300W or 2.3kW; of three phases 1kW,2kW,-500W.  [default: as is]",
)
@click.option("--profile", type=FILE_PATH, help="A load in CSV: a recording, or a schedule.")
@click.option("--household", type=click.IntRange(0), help="A made-up household of this number.")
@click.option("--for", "length", type=Quantity("time", parse_duration), help="90s, 30min, 2h, 1d.")
@click.option("--until-off", is_flag=True, help="Stop when the credit is used up.")
@click.option(
    "--speed",
    type=Quantity("speed", _parse_speed),
    default="1",
    show_default=True,
    help=f"How many times faster than the clock; {MAX_SPEED} does not wait.",
)
@click.option("--step", type=Quantity("time", parse_duration), help="Time between two lines.")
def run(
    meter_file: Path,
    *,
    tables: Path | None,
    at: datetime | None,
    as_json: bool,
    load: int | tuple[int, ...] | None,
    profile: Path | None,
    household: int | None,
    length: timedelta | None,
    until_off: bool,
    speed: int | None,
    step: timedelta | None,
) -> None:
    """Let time pass and watch the credit count down.

    Faster than the clock, the meter ends up ahead of it: its time never runs back, and stands
    still until the clock has caught up. Stop an endless run with Ctrl-C.
    """
    if length is None and not until_off and speed is None:
        message = f"--speed {MAX_SPEED} needs an end: --for or --until-off"
        raise click.UsageError(message)
    if sum(given is not None for given in (load, profile, household)) > 1:
        message = "give one of --load, --profile and --household"
        raise click.UsageError(message)
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        warn_sample(meter)
        drawn = _load(meter.spec, profile, household)
        if drawn is not None and length is None:
            message = "--profile and --household need an end: --for"
            raise click.UsageError(message)
        with MeterClaim(meter.memory, "sts-meter run") as claim:
            now = moment(at)
            before = meter.advance(now=now)
            shown = before if load is None else meter.set_load(load, now=now)
            changes = until_off and drawn is None
            end = _end_of_run(shown, length=length, until_off=changes)
            plan = Plan(
                start=shown.at,
                end=end,
                step=step or _step(shown.at, end, speed=speed, changing=drawn is not None),
                speed=speed,
                until_off=until_off and drawn is not None,
            )

            def look(now: datetime) -> None:
                claim.beat()
                attend(meter, now=now)

            try:
                for line in run_meter(meter, plan, load=drawn, look=look):
                    click.echo(line_text(line, full=shown.credit, as_json=as_json))
            except KeyboardInterrupt:
                click.echo("stopped", err=True)


def _step(start: datetime, end: datetime | None, *, speed: int | None, changing: bool) -> timedelta:
    if end is None:
        return _OPEN_STEP * (speed or 1)
    return min(_LOAD_STEP, end - start) if changing else step_for(end - start)


def _load(spec: MeterSpec, profile: Path | None, household: int | None) -> Load | None:
    """Return the load that changes with time; None if it is constant."""
    if household is not None:
        return HouseholdLoad(seed=household, phases=spec.phases, zone=spec.time_zone)
    if profile is None:
        return None
    try:
        with profile.open("rb") as file:
            text = file.read(_LARGEST_PROFILE_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{profile}: {getattr(error, 'strerror', None) or 'not text in UTF-8'}"
        raise LoadError(message) from None
    if text.startswith(_SCHEDULE_HEAD):
        return parse_schedule(text, spec.time_zone)
    return parse_recording(text)


def _end_of_run(shown: Snapshot, *, length: timedelta | None, until_off: bool) -> datetime | None:
    try:
        end = None if length is None else shown.at + length
    except OverflowError:
        message = "--for goes beyond the calendar"
        raise click.UsageError(message) from None
    if not until_off:
        return end
    if not shown.relay_closed:
        return shown.at
    if shown.credit_ends_at is None:
        if end is None:
            message = "with this load the credit is not used up: give --load, or --for"
            raise click.UsageError(message)
        return end
    return shown.credit_ends_at if end is None else min(end, shown.credit_ends_at)
