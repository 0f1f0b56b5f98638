"""``sts-keys hsm``: make a token of a hardware security module ready for vending keys."""

from pathlib import Path

import click

from keys.cli.common import KeysGroup
from keys.files import read_key_file
from keys.pkcs11.settings import read_settings, require_driver
from sts.terminal import json_option, print_json
from sts.terminal_keys import FILE_PATH


@click.group(cls=KeysGroup)
def hsm() -> None:
    """Prepare a hardware security module (PKCS#11)."""


@hsm.command()
@click.argument("settings", type=FILE_PATH)
@click.option(
    "--shared-seal-key-file",
    type=FILE_PATH,
    help="A key file given to two tokens, so that one can take over from the other.",
)
@json_option
def prepare(settings: Path, *, shared_seal_key_file: Path | None, as_json: bool) -> None:
    """Make the keys in a token under which vending keys are kept. Once for each token.

    The token must exist and have its PIN; SETTINGS says where both are.

    \b
    Example:
      sts-keys hsm prepare hsm.toml
      sts-keys module init pkcs11:hsm.toml "Depot 1"
    """  # noqa: D301 - click's mark
    require_driver()
    from keys.pkcs11.store import prepare_token  # noqa: PLC0415 - a driver is imported on use

    shared = None if shared_seal_key_file is None else read_key_file(shared_seal_key_file)
    read = read_settings(settings)
    prepare_token(read, shared_seal_key=shared)
    if as_json:
        print_json({"token": read.token_label, "shared_seal_key": shared is not None})
    else:
        click.echo(f"prepared the token {read.token_label}")
