"""The command ``sts-meter``: a virtual prepaid meter in a file, worked from the terminal.

An edge: here the wall clock is read and keys are taken from files, environment variables or a
prompt without echo. Every command parses, calls the meter, and prints.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sts.ciphers import StaTables
from sts.identifiers import (
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.meter.device import VirtualMeter, create_meter, open_meter
from sts.meter.errors import MeterQuantityError
from sts.meter.quantities import parse_duration, parse_load, parse_moment, parse_price
from sts.meter.report import (
    EVENT_HEADS,
    HISTORY_HEADS,
    entry_json,
    entry_lines,
    event_json,
    event_row,
    history_json,
    history_row,
    line_text,
    reading_rows,
)
from sts.meter.run import Plan, step_for
from sts.meter.run import run as run_meter
from sts.meter.snapshot import Snapshot
from sts.meter.spec import CreditKind, MeterSpec, PricePeriod, ReconnectPolicy
from sts.meter.state import DecoderKeyRegister, new_state
from sts.terminal import REFUSED, CodedGroup, json_option, print_json
from sts.terminal_keys import FILE_PATH, SAMPLE_MARK, TABLES_OPTION, KeySource, read_tables
from sts.tokens import Service

KEY_VARIABLE: Final = "STS_DECODER_KEY"
MAX_SPEED: Final = "max"

_LARGEST_SPEED: Final = 1_000_000
_PIPE_WIDTH: Final = 200
_FIRST_PRICE: Final = datetime(1993, 1, 1, tzinfo=UTC)
_OPEN_STEP: Final = timedelta(seconds=1)
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


def _parse_speed(text: str) -> int | None:
    if text == MAX_SPEED:
        return None
    if not text.isdecimal() or len(text) > len(str(_LARGEST_SPEED)):
        raise MeterQuantityError(f"a speed is a whole number, or {MAX_SPEED}")
    speed = int(text)
    if not 1 <= speed <= _LARGEST_SPEED:
        raise MeterQuantityError(f"a speed is from 1 to {_LARGEST_SPEED}, or {MAX_SPEED}")
    return speed


_AT_OPTION: Final = click.option(
    "--at",
    type=Quantity("time", parse_moment),
    help="The moment, with its zone, for scripts that must repeat.  [default: now]",
)


def _meter_command(command: _Command) -> _Command:
    """Add what every command on an existing meter takes."""
    return click.argument("meter_file", type=FILE_PATH)(TABLES_OPTION(json_option(command)))


@click.group(
    cls=CodedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="sts-vending")
def main() -> None:
    """Work a virtual prepaid meter (IEC 62055-41) that lives in a file.

    Exit status: 0 done or accepted, 1 refused, 2 usage.

    \b
    Examples:
      sts-meter new house.meter --drn 0100200002010 --sgc 201457 --decoder-key-file meter.key
      sts-meter enter house.meter 5862 5789 9869 9135 7486
      sts-meter run house.meter --load 2.3kW --until-off --speed max
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


@main.command()
@click.argument("meter_file", type=FILE_PATH)
@click.option("--drn", required=True, help="11- or 13-digit meter number, or the 18-digit PAN.")
@click.option("--ea", type=click.Choice(("07", "09", "11")), default="11", show_default=True)
@click.option("--kt", type=click.IntRange(0, 2), default=2, show_default=True, help="Key type.")
@click.option("--sgc", default="000000", show_default=True, help="Supply group code.")
@click.option("--ti", default="01", show_default=True, help="Tariff index.")
@click.option("--krn", default="1", show_default=True, help="Key revision number.")
@click.option("--ken", type=click.IntRange(0, 255), default=255, show_default=True)
@click.option("--decoder-key-file", type=FILE_PATH, help=f"Hexadecimal (or {KEY_VARIABLE}).")
@click.option(
    "--service",
    type=click.Choice([service.name.lower() for service in Service]),
    default="electricity",
    show_default=True,
)
@click.option("--currency", help="Count credit in this currency, three letters; needs --price.")
@click.option("--price", type=Quantity("price", parse_price), help="Of a kWh, a m³ or 1000 s.")
@click.option("--phases", type=click.Choice(("1", "3")), default="1", show_default=True)
@click.option("--voltage", type=int, default=230, show_default=True, help="Nominal, in V.")
@click.option("--max-current", type=int, default=60, show_default=True, help="A phase, in A.")
@click.option("--no-key-expiry", is_flag=True, help="The meter does not check a key expiry number.")
@click.option("--no-three-token-set", is_flag=True, help="A 64-bit meter without sets of three.")
@click.option("--button", is_flag=True, help="Supply returns only when a button is pressed.")
@click.option("--tid-of-manufacture", type=int, default=0, help="Older tokens are refused.")
@TABLES_OPTION
@_AT_OPTION
@json_option
def new(
    meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool, **options: Any
) -> None:
    """Make a meter. Its key comes from a file, STS_DECODER_KEY, or a prompt without echo."""
    sta_tables = read_tables(tables)
    spec = _spec(options, sta_tables)
    key_type = KeyType(options["kt"])
    register = DecoderKeyRegister(
        decoder_key=_decoder_key(options["decoder_key_file"]),
        key_type=key_type,
        supply_group_code=SupplyGroupCode.parse(options["sgc"]),
        tariff_index=TariffIndex.parse(options["ti"]),
        key_revision_number=(
            None if key_type is KeyType.INITIALISATION else KeyRevisionNumber.parse(options["krn"])
        ),
        key_expiry_number=KeyExpiryNumber(options["ken"]),
    )
    now = _now(at)
    create_meter(meter_file, spec, new_state(spec, register, now=now), now=now)
    with open_meter(meter_file, sta_tables=sta_tables) as meter:
        _warn_sample(meter)
        _show(meter.snapshot(now=now), as_json=as_json)


@main.command()
@_meter_command
@_AT_OPTION
@click.argument("digits", nargs=-1)
def enter(
    meter_file: Path,
    digits: tuple[str, ...],
    *,
    tables: Path | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Key in a token; asks for it if it is not given."""
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        _warn_sample(meter)
        typed = "".join(digits) or click.prompt("Token", err=True)
        entry = meter.enter(typed, now=_now(at))
    if as_json:
        print_json(entry_json(entry))
    else:
        click.echo("\n".join(entry_lines(entry)))
    if entry.refused:
        click.get_current_context().exit(REFUSED)


@main.command()
@_meter_command
@_AT_OPTION
def show(meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool) -> None:
    """Show what the meter shows; nothing is changed."""
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        _warn_sample(meter)
        _show(meter.snapshot(now=_now(at)), as_json=as_json)


@main.command()
@_meter_command
@_AT_OPTION
@click.option("--load", type=Quantity("load", parse_load), help="2300W or 2.3kW.  [default: as is]")
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
    load: int | None,
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
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        _warn_sample(meter)
        now = _now(at)
        before = meter.advance(now=now)
        shown = before if load is None else meter.set_load(load, now=now)
        end = _end_of_run(shown, length=length, until_off=until_off)
        plan = Plan(
            start=shown.at,
            end=end,
            step=step or (_OPEN_STEP * (speed or 1) if end is None else step_for(end - shown.at)),
            speed=speed,
        )
        try:
            for line in run_meter(meter, plan):
                click.echo(line_text(line, full=shown.credit, as_json=as_json))
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


@main.command()
@_meter_command
@_AT_OPTION
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
def events(
    meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool, limit: int
) -> None:
    """List what happened to the supply, newest first, up to now."""
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        meter.advance(now=_now(at))
        found = meter.events(limit)
    if as_json:
        print_json([event_json(event) for event in found])
    else:
        _print_table(EVENT_HEADS, [event_row(event) for event in found])


@main.command()
@_meter_command
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
def history(meter_file: Path, *, tables: Path | None, as_json: bool, limit: int) -> None:
    """List the tokens that were keyed, newest first."""
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        found = meter.history(limit)
    if as_json:
        print_json([history_json(token) for token in found])
    else:
        _print_table(HISTORY_HEADS, [history_row(token) for token in found])


# --- what the commands share ------------------------------------------------------------------


def _now(at: datetime | None) -> datetime:
    return datetime.now(UTC) if at is None else at


def _spec(options: dict[str, Any], sta_tables: StaTables) -> MeterSpec:
    currency, price = options["currency"] or "", options["price"]
    prices = () if price is None else (PricePeriod(starts_at=_FIRST_PRICE, per_thousand=price),)
    return MeterSpec(
        decoder_reference_number=MeterPan.parse(options["drn"]).drn,
        encryption_algorithm=EncryptionAlgorithm.parse(options["ea"]),
        service=Service[options["service"].upper()],
        credit_kind=CreditKind.CURRENCY if currency or prices else CreditKind.UNIT,
        currency=currency,
        prices=prices,
        phases=3 if options["phases"] == "3" else 1,
        nominal_voltage_v=options["voltage"],
        maximum_current_a=options["max_current"],
        supports_key_expiry=not options["no_key_expiry"],
        supports_three_token_set=not options["no_three_token_set"],
        reconnect=ReconnectPolicy.BUTTON if options["button"] else ReconnectPolicy.AUTOMATIC,
        tid_of_manufacture=options["tid_of_manufacture"],
        sta_tables_fingerprint=sta_tables.fingerprint,
    )


def _decoder_key(path: Path | None) -> DecoderKey:
    source = KeySource(file=path, variable=KEY_VARIABLE, prompt="decoder key")
    return DecoderKey.from_hex(source.text())


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


def _warn_sample(meter: VirtualMeter) -> None:
    if meter.uses_sample_tables:
        click.echo(SAMPLE_MARK, err=True)


def _show(snapshot: Snapshot, *, as_json: bool) -> None:
    if as_json:
        print_json(snapshot.as_json())
    else:
        _print_table((), reading_rows(snapshot))


def _print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print columns; what was keyed is shown as it is, never taken for markup."""
    table = Table(*heads, box=None, show_header=bool(heads), pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # A pipe has no width: nothing is to be cut off there.
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    with console.capture() as printed:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))
