"""``sts-keys vault``: the encrypted file in which keys lie."""

import stat
from pathlib import Path
from typing import Any

import click

from keys.cli.common import NEW_KEY_FILE_OPTION, KeysGroup, session_of, session_options
from keys.errors import FileExistsRefusedError
from keys.files import read_private
from keys.vault import Vault
from keys.vault_format import parse_vault
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH


@click.group(cls=KeysGroup)
def vault() -> None:
    """Make a vault, or look at one."""


@vault.command()
@click.argument("file", type=FILE_PATH)
@NEW_KEY_FILE_OPTION
@session_options
def init(file: Path, *, new_key_file: Path | None, as_json: bool, **options: Any) -> None:
    """Make a new, empty vault.

    It is opened by a new key file, by one that exists, or by a passphrase, which is asked for
    twice. What opens it cannot be recovered: keep a copy of it elsewhere.

    \b
    Examples:
      sts-keys vault init keys.vault --new-key-file vault.key
      sts-keys vault init keys.vault   (asks for a passphrase)
    """  # noqa: D301 - click's mark
    session = session_of(options)
    if file.exists():
        # Before anything is asked for or made beside it.
        raise FileExistsRefusedError(file)
    made = Vault.create(file, session.source().new_unlock(new_key_file))
    if as_json:
        print_json({"vault": str(file), "opened_by": made.protection})
    else:
        click.echo(f"made {file}, opened by a {made.protection}")


@vault.command()
@click.argument("file", type=FILE_PATH)
@click.option("--inspect", is_flag=True, help="Read only what needs no key; nobody vouches for it.")
@session_options
def status(file: Path, *, inspect: bool, as_json: bool, **options: Any) -> None:
    """Check every record of a vault and say what is in it.

    \b
    Examples:
      sts-keys vault status keys.vault --key-file vault.key
      sts-keys vault status keys.vault --inspect
    """  # noqa: D301 - click's mark
    session = session_of(options)
    if inspect:
        content = parse_vault(read_private(file))
        protection, count = content.header.protection, len(content.records)
    else:
        opened = Vault.open(file, session.source().unlock())
        protection = opened.protection
        count = len(opened.records) + len(opened.decoder_keys)
    mode = f"{stat.S_IMODE(file.stat().st_mode):o}"
    if as_json:
        facts = {"vault": str(file), "opened_by": protection, "keys": count, "mode": mode}
        print_json({**facts, "checked": not inspect})
    else:
        click.echo(f"{file}: opened by a {protection}, mode {mode}, keys: {count}")
        click.echo("not checked: no key was used" if inspect else "every record is right")
