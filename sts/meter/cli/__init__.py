"""The command ``sts-meter``: a virtual prepaid meter in a file, worked from the terminal.

An edge: here the wall clock is read and keys are taken from files, environment variables or a
prompt without echo. Every command parses, calls the meter, and prints.
"""

import click

from sts.meter.cli.making import new
from sts.meter.cli.operating import (
    enter,
    keypad,
    power,
    press,
    reset_lockout,
    supply,
    tamper,
)
from sts.meter.cli.profile import profile
from sts.meter.cli.reading import doctor, events, history, show
from sts.meter.cli.running import run
from sts.meter.cli.screen import tui
from sts.terminal import CodedGroup


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
      sts-meter new house.meter --drn 0100200002010 --decoder-key-file factory.key
      sts-meter enter house.meter 5862 5789 9869 9135 7486
      sts-meter run house.meter --load 2.3kW --until-off --speed max
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


_FRONT = (new, enter, show, run, keypad, press, tui)
_BENCH = (tamper, power, supply, events, history, profile, reset_lockout, doctor)
for command in (*_FRONT, *_BENCH):
    main.add_command(command)
