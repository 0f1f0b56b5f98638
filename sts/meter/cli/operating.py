"""What the commands of ``sts-meter`` do to a meter: tokens, keys, the button, cover and power.

If another program runs the meter, it is asked to do it, and its answer is printed.
"""

import json
import os
import re
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from sts.meter.cli.common import AT_OPTION, meter_command, moment, print_answer, warn_sample
from sts.meter.device import VirtualMeter, open_meter
from sts.meter.keypad import KEYS
from sts.meter.lcd import COLUMNS
from sts.meter.orders import Answer, Order, OrderKind, ask
from sts.meter.state import TamperKind
from sts.terminal_keys import read_tables

BUTTON: Final = "P"
"""On the keypad of the terminal: the button that closes the relay."""
QUIT: Final = "Q"
"""What leaves the keypad."""

_TAMPERS: Final = {"cover": TamperKind.COVER, "magnet": TamperKind.MAGNETIC}
_TAMPER_ORDERS: Final = {
    None: OrderKind.TAMPER,
    "hold": OrderKind.HOLD_TAMPER,
    "end": OrderKind.END_TAMPER,
}
_KNOWN: Final = KEYS | {BUTTON, QUIT}
_END: Final = "\x04"
"""Ctrl-D."""
_ESCAPES: Final = re.compile(r"\x1b(?:[\[O][0-9;]*[A-Z~])?")
_LONGEST_READ: Final = 64


def _do(
    meter_file: Path, order: Order, tables: Path | None, *, at: datetime | None, as_json: bool
) -> None:
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter:
        warn_sample(meter)
        answer = ask(meter, order, now=moment(at))
    print_answer(answer, as_json=as_json)


@click.command()
@meter_command
@AT_OPTION
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
        warn_sample(meter)
        typed = "".join(digits) or click.prompt("Token", err=True)
        answer = ask(meter, Order(kind=OrderKind.ENTER, text=typed), now=moment(at))
    print_answer(answer, as_json=as_json)


@click.command()
@meter_command
@AT_OPTION
def press(meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool) -> None:
    """Press the button that closes the relay."""
    _do(meter_file, Order(kind=OrderKind.PRESS), tables, at=at, as_json=as_json)


@click.command()
@meter_command
@AT_OPTION
@click.option("--kind", type=click.Choice(tuple(_TAMPERS)), default="cover", show_default=True)
@click.option("--lasting", "order", flag_value="hold", help="It stays so until --end.")
@click.option("--end", "order", flag_value="end", help="Close the cover, or take the magnet away.")
def tamper(
    meter_file: Path,
    *,
    kind: str,
    order: str | None,
    tables: Path | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Open the cover of the meter, or hold a magnet to it."""
    wanted = Order(kind=_TAMPER_ORDERS[order], text=_TAMPERS[kind])
    _do(meter_file, wanted, tables, at=at, as_json=as_json)


@click.command()
@meter_command
@AT_OPTION
@click.argument("state", type=click.Choice(("off", "on")))
def power(
    meter_file: Path, *, state: str, tables: Path | None, at: datetime | None, as_json: bool
) -> None:
    """Let the network's power fail, or return."""
    kind = OrderKind.POWER_ON if state == "on" else OrderKind.POWER_OFF
    _do(meter_file, Order(kind=kind), tables, at=at, as_json=as_json)


@click.command()
@meter_command
@AT_OPTION
@click.argument("state", type=click.Choice(("off", "on")))
def supply(
    meter_file: Path, *, state: str, tables: Path | None, at: datetime | None, as_json: bool
) -> None:
    """Switch the supply off, or let it return, as a technician at the meter would."""
    kind = OrderKind.SUPPLY_ON if state == "on" else OrderKind.SUPPLY_OFF
    _do(meter_file, Order(kind=kind), tables, at=at, as_json=as_json)


@click.command("reset-lockout")
@meter_command
@AT_OPTION
def reset_lockout(
    meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool
) -> None:
    """Forget the refused tokens, as on a test bench."""
    _do(meter_file, Order(kind=OrderKind.RESET_LOCKOUT), tables, at=at, as_json=as_json)


@click.command()
@meter_command
@AT_OPTION
def keypad(meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool) -> None:
    """Press keys one by one and see the display: 0 to 9, # * C, P for the button, Q to leave.

    At a terminal every key counts as it is pressed. From a pipe every character does, and the
    display is shown at the end of each line.

    \b
    Example:
      echo '#01#' | sts-meter keypad house.meter
    """  # noqa: D301 - click's mark
    with open_meter(meter_file, sta_tables=read_tables(tables)) as meter, _key_by_key():
        warn_sample(meter)
        if not as_json:
            click.echo(_picture(meter.display(now=moment(at)).lines))
        for keys in _typed():
            answers = [_press(meter, key, at) for key in keys]
            if as_json:
                for answer in answers:
                    click.echo(json.dumps(answer.facts, ensure_ascii=False))
            elif answers:
                click.echo(_picture(answers[-1].lines))


def _press(meter: VirtualMeter, key: str, at: datetime | None) -> Answer:
    if key != BUTTON:
        return ask(meter, Order(kind=OrderKind.KEY, text=key), now=moment(at))
    pressed = ask(meter, Order(kind=OrderKind.PRESS), now=moment(at))
    lines = meter.display(now=moment(at)).lines
    return Answer(lines=lines, facts={"key": key, "display": list(lines), "meter": pressed.facts})


def _typed() -> Iterator[str]:
    """Give the keys that are typed: as they come at a terminal, line by line from a pipe."""
    while sys.stdin.isatty():
        typed = os.read(sys.stdin.fileno(), _LONGEST_READ).decode("utf-8", "replace").upper()
        if not typed or typed == _END:
            return
        # What a terminal sends for an arrow, say, is no key of a meter, though it ends in a letter.
        known = _ESCAPES.sub("", typed)
        keys, quits, _ = "".join(key for key in known if key in _KNOWN).partition(QUIT)
        yield from keys
        if quits:
            return
    for line in sys.stdin:
        keys, quits, _ = "".join(line.upper().split()).partition(QUIT)
        yield keys
        if quits:
            return


@contextmanager
def _key_by_key() -> Iterator[None]:
    """Let a terminal pass on every key at once and not show it; leave it as it was."""
    if not sys.stdin.isatty():
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _picture(lines: tuple[str, ...]) -> str:
    edge = f"+{'-' * COLUMNS}+"
    return "\n".join((edge, *(f"|{line:<{COLUMNS}}|" for line in lines), edge))
