"""The command ``sts``: tokens made, read and explained in the terminal.

An edge of the library: here the clock is read, random bits are drawn, keys are taken from files,
environment variables or prompts. Every command parses, calls the library once, and prints.
"""

import click

from sts.cli.conformance import conformance
from sts.cli.decode import decode, explain
from sts.cli.derive import derive
from sts.cli.encode import encode
from sts.cli.key_change import key_change
from sts.cli.tables import tables
from sts.terminal import CodedGroup


@click.group(
    cls=CodedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="sts-vending")
def main() -> None:
    """Make, read and explain STS prepayment tokens (IEC 62055-41).

    Keys are never given as arguments: they come from a file, from an environment variable, or
    from a prompt without echo. Every command has --json.

    Exit status: 0 done, 1 refused by the rules, 2 usage.

    \b
    Examples:
      sts explain 5649 3153 7254 5031 3471
      sts encode test --test 1
      sts conformance
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


for command in (encode, decode, explain, derive, key_change, tables, conformance):
    main.add_command(command)
