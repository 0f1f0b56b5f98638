"""``sts derive``: a decoder key from a vending key, for laboratories and integrators."""

import os
from pathlib import Path
from typing import Any, Final

import click

from sts.ciphers import new_cipher
from sts.cli.keys import derivation_options, parsed_key
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey
from sts.terminal import json_option, print_json

_CHECK_VALUE_BITS: Final = 24


def check_value(algorithm: EncryptionAlgorithm, key: DecoderKey) -> str:
    """Return 6 hexadecimal digits that tell keys apart and give nothing away.

    They are the first 24 bits of a block of zeros encrypted under the key. EA07 is no cipher that
    everybody's tables agree on, so for it DES is used.
    """
    cipher = new_cipher(
        EncryptionAlgorithm.DEA if algorithm is EncryptionAlgorithm.STA else algorithm, key
    )
    return f"{cipher.encrypt_block(0) >> (64 - _CHECK_VALUE_BITS):06x}"


@click.command()
@derivation_options
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the key here, hexadecimal, readable by you alone; never over a file.",
)
@click.option("--reveal", is_flag=True, help="Print the key itself.")
@json_option
def derive(*, as_json: bool, reveal: bool, output: Path | None, **options: Any) -> None:
    """Derive a decoder key; print its check value, and the key only if told to.

    \b
    Examples (vending key from STS_VENDING_KEY, a file, or a prompt):
      sts derive --meter 00000000000 --sgc 201457 --output meter.key
      sts derive --meter 00000000000 --sgc 123456 --dkga 02 --ea 07 --base-date 1993
    """  # noqa: D301 - click's mark
    key = parsed_key(options)
    attributes = key.attributes()
    decoder_key = key.derived()
    text = decoder_key.expose().hex()
    if output is not None:
        _write_new(output, text)
    facts = {
        "meter_pan": str(attributes.meter_pan),
        "algorithm": f"DKGA{key.dkga}",
        "bits": decoder_key.bits,
        "check_value": check_value(attributes.encryption_algorithm, decoder_key),
        "decoder_key": text if reveal else None,
        "written_to": None if output is None else str(output),
    }
    if as_json:
        print_json(facts)
        return
    click.echo(
        f"meter {facts['meter_pan']}  {facts['algorithm']}  {facts['bits']} bits  "
        f"check value {facts['check_value']}"
    )
    if output is not None:
        click.echo(f"written to {click.format_filename(output)}")
    if reveal:
        click.echo(text)


def _write_new(path: Path, text: str) -> None:
    """Write a file that nobody else may read, and never over another one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise click.UsageError(message) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{text}\n")
