"""``sts-keys import`` and ``decoder-keys import``: keys that come in by hand."""

from pathlib import Path
from typing import Any, Final

import click

from keys.audit_record import AuditEvent
from keys.cli.ceremony import warn_parity
from keys.cli.common import MODULE_ARGUMENT, KeysGroup, read_content, session_of, session_options
from keys.cli.key_options import (
    KEY_HEADS,
    key_name,
    key_options,
    key_row,
    keys_json,
    registered_key,
    tenant_option,
)
from keys.custody import BY_HAND, Custody, Origin
from keys.custody_of_decoder_keys import take_decoder_keys
from sts import VendingKey
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH, KeySource
from sts.terminal_tables import print_table

_DES_BITS: Final = 64
_LOUD: Final = (
    "WARNING: this key has been outside a security module. Whoever has seen it can make tokens\n"
    "WARNING: for every meter of its supply group. For labs only: use `ceremony` or a key load\n"
    "WARNING: file for keys of real meters."
)


@click.command("import")
@click.argument("target")
@key_options
@click.option(
    "--file",
    type=FILE_PATH,
    help="The key, hexadecimal (or STS_VENDING_KEY, or a prompt).",
)
@session_options
def import_key(target: str, *, file: Path | None, as_json: bool, **options: Any) -> None:
    """Bring in a vending key from hexadecimal digits, for labs.

    TARGET is a lab module or lab-centre:FILE.

    \b
    Example:
      sts-keys import software:keys.vault --tenant thabaneng --sgc 201458 --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    click.echo(_LOUD, err=True)
    opened = session.target(target)
    if isinstance(opened, Custody):
        # Before anybody types a key that is then refused.
        name = key_name(options["tenant"], f"{options['sgc']}/{options['krn']}")
        with opened.audit.refusals_of(AuditEvent.IMPORT, now=session.now, key=name):
            opened.require_lab(BY_HAND)
    source = KeySource(file=file, variable="STS_VENDING_KEY", prompt="vending key")
    vending_key = VendingKey.from_hex(source.text())
    key = registered_key(options, vending_key)
    opened.take(key, vending_key, origin=Origin(event=AuditEvent.IMPORT), now=session.now)
    warn_parity(odd=vending_key.has_odd_parity if vending_key.bits == _DES_BITS else None)
    if as_json:
        print_json(keys_json([key])[0])
    else:
        print_table(KEY_HEADS, [key_row(key)])


@click.group("decoder-keys", cls=KeysGroup)
def decoder_keys() -> None:
    """Decoder keys that the maker of the meters supplied, one for each meter."""


@decoder_keys.command("import")
@MODULE_ARGUMENT
@click.argument("file", type=FILE_PATH)
@tenant_option
@session_options
def import_decoder_keys(
    module: str, file: Path, *, tenant: str, as_json: bool, **options: Any
) -> None:
    """Bring in the maker's file, CSV in UTF-8: all of it or nothing.

    Destroy the file afterwards: it holds the keys in the clear.

    \b
    Example:
      sts-keys decoder-keys import decoder-keys:keys.vault maker.csv --tenant mwanga \\
          --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    content = read_content(file)
    records = take_decoder_keys(session.custody(module), content, tenant=tenant, now=session.now)
    if as_json:
        print_json({"meters": [record.meter_pan.digits for record in records]})
    else:
        click.echo(f"took keys of meters: {len(records)}; destroy {file} now")
