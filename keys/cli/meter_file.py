"""``sts-keys meter-file``: the key of a meter for whoever makes it, of a lab module."""

import os
from pathlib import Path
from typing import Any, Final

import click

from keys.audit_record import AuditEvent
from keys.cli.by_hand import configuration_options, meter_of, open_by_hand
from keys.cli.common import (
    MODULE_ARGUMENT,
    random_bytes,
    require_terminal,
    session_of,
    session_options,
)
from keys.cli.key_options import keys_json
from keys.files import read_private
from keys.meter_file import write_meter_file
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH

# The variable in which `sts-meter new` looks, too.
_VARIABLE: Final = "STS_METER_PASSPHRASE"


@click.command("meter-file")
@MODULE_ARGUMENT
@click.option("--output", type=FILE_PATH, required=True, help="A new file.")
@click.option(
    "--meter-passphrase-file",
    type=FILE_PATH,
    help=f"A file with what is to open it (or {_VARIABLE}, or a prompt).",
)
@configuration_options
@session_options
def meter_file(
    module: str,
    *,
    output: Path,
    meter_passphrase_file: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write the key of a lab meter to a file, sealed under a passphrase.

    A virtual meter is made from it (sts-meter new --meter-key-file) and needs no key change.

    \b
    Example:
      sts-keys meter-file software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --output house.key --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    meter = meter_of(options)
    what = "taking out the key of a meter"
    with open_by_hand(module, session, event=AuditEvent.METER_FILE, what=what) as by_hand:
        key = write_meter_file(
            by_hand.module,
            meter,
            path=output,
            passphrase=_passphrase(meter_passphrase_file),
            now=session.now,
            random_bytes=random_bytes,
        )
    number = str(meter.meter_pan.drn)
    if as_json:
        print_json({"file": str(output), "meter": number, "vending_key": keys_json([key])[0]})
        return
    record = key.record
    click.echo(f"wrote {output}: the sealed key of meter {number}")
    click.echo(
        f"vending key {record.supply_group_code}/{record.key_revision_number} of {record.tenant}, "
        f"check value {record.check_value}"
    )


def _passphrase(path: Path | None) -> str:
    if path is not None:
        # What is not text is refused like any other passphrase that nobody can type.
        return read_private(path).decode("utf-8", "surrogateescape").rstrip("\r\n")
    given = os.environ.get(_VARIABLE)
    if given:
        return given
    require_terminal(f"no passphrase: give --meter-passphrase-file, or set {_VARIABLE}")
    answer: str = click.prompt(
        "passphrase of the meter key file", hide_input=True, confirmation_prompt=True, err=True
    )
    return answer
