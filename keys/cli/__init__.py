"""The command ``sts-keys``: custody of vending keys in the terminal.

An edge: here the clock is read, random bytes are drawn, secrets are taken from files, environment
variables or prompts without echo. Every command parses, calls the library, and prints; no command
prints a key.
"""

import click

from keys.cli.audit import audit
from keys.cli.batch import batch
from keys.cli.ceremony import ceremony
from keys.cli.clients import client
from keys.cli.common import KeysGroup
from keys.cli.hsm import hsm
from keys.cli.imports import decoder_keys, import_key
from keys.cli.issuing import issue
from keys.cli.key_change import change_key, commission, verify
from keys.cli.lab_centre import lab_centre
from keys.cli.meter_file import meter_file
from keys.cli.module import module
from keys.cli.register import advice, expiring, list_keys
from keys.cli.vault import vault


@click.group(
    cls=KeysGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="sts-vending")
def main() -> None:
    """Keep vending keys, from the key centre to the token (IEC 62055-41).

    A module is named KIND:PATH: software:keys.vault, decoder-keys:keys.vault or
    pkcs11:settings.toml. Keys, passphrases and PINs are never given as arguments: they come from
    a file, from an environment variable, or from a prompt without echo. Nothing is overwritten.

    Keys of supply groups that the STS Association allocates live only in certified modules; the
    key centre here is for labs.

    Exit status: 0 done, 1 refused, 2 usage.

    \b
    Examples:
      sts-keys vault init keys.vault --new-key-file vault.key
      sts-keys module init software:keys.vault "Depot 1" --key-file vault.key
      sts-keys list software:keys.vault --key-file vault.key
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


_CUSTODY = (vault, hsm, module, client, lab_centre, ceremony, import_key, decoder_keys)
_USE = (issue, change_key, commission, meter_file, verify, batch)
# A further command is a name in one of these lines.
for command in (*_CUSTODY, list_keys, expiring, advice, *_USE, audit):
    main.add_command(command)
