"""``sts-keys client``: the programs that a production module answers."""

from pathlib import Path
from typing import Any

import click

from keys.cli.common import MODULE_ARGUMENT, KeysGroup, session_of, session_options
from keys.cli.key_options import optional_time
from keys.clients import format_credential
from keys.files import write_new
from keys.json_fields import time_text
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH
from sts.terminal_tables import print_table


@click.group(cls=KeysGroup)
def client() -> None:
    """Let a client in to a production module, or shut it out."""


@client.command()
@MODULE_ARGUMENT
@click.argument("name")
@click.option("--output", type=FILE_PATH, required=True, help="A new file, for the client alone.")
@session_options
def add(module: str, name: str, *, output: Path, as_json: bool, **options: Any) -> None:
    """Let a client in, and write the credential that it shows.

    \b
    Example:
      sts-keys client add software:keys.vault till-1 --output till-1.credential --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    opened = session.custody(module)
    credential = opened.file.new_credential(name)
    write_new(output, format_credential(credential))
    try:
        opened.add_client(credential, now=session.now)
    except BaseException:
        # A credential that opens nothing would only confuse.
        output.unlink()
        raise
    if as_json:
        print_json({"client": name, "file": str(output)})
    else:
        click.echo(f"let {name} in; its credential is {output}")


@client.command()
@MODULE_ARGUMENT
@click.argument("name")
@session_options
def revoke(module: str, name: str, *, as_json: bool, **options: Any) -> None:
    """Shut a client out; a program that has the module open must be stopped as well.

    \b
    Example:
      sts-keys client revoke software:keys.vault till-2 --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    session.custody(module).revoke_client(name, now=session.now)
    if as_json:
        print_json({"revoked": name})
    else:
        click.echo(f"shut {name} out")


@client.command("list")
@MODULE_ARGUMENT
@session_options
def list_clients(module: str, *, as_json: bool, **options: Any) -> None:
    """List the clients, those shut out included.

    \b
    Example:
      sts-keys client list software:keys.vault --key-file vault.key
    """  # noqa: D301 - click's mark
    found = session_of(options).custody(module).file.clients
    rows = [(each.name, time_text(each.added_at), optional_time(each.revoked_at)) for each in found]
    if as_json:
        print_json(
            [
                {"name": name, "added_at": added, "revoked_at": revoked or None}
                for name, added, revoked in rows
            ]
        )
    else:
        print_table(("client", "let in", "shut out"), rows)
