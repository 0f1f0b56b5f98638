"""The first key of a new meter: typed with its attributes, or from a sealed file.

A sealed file says for which meter it is and what the key is for, so nothing of that can be given
besides.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from sts.identifiers import (
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.meter.errors import MeterKeyFileError
from sts.meter.key_file import LARGEST_KEY_FILE, MeterKey, open_meter_key
from sts.meter.state import DecoderKeyRegister
from sts.terminal_keys import KeySource

KEY_VARIABLE: Final = "STS_DECODER_KEY"
PASSPHRASE_VARIABLE: Final = "STS_METER_PASSPHRASE"  # noqa: S105 - the name of a variable

_IN_THE_FILE: Final = ("drn", "ea", "kt", "sgc", "ti", "krn", "ken", "decoder_key_file")


def first_key(options: dict[str, Any]) -> MeterKey:
    """Return the meter, its cipher and its first key, as the options of ``new`` say."""
    sealed: Path | None = options["meter_key_file"]
    if sealed is None:
        return _typed(options)
    source = click.get_current_context().get_parameter_source
    for name in _IN_THE_FILE:
        if source(name) is not ParameterSource.DEFAULT:
            message = f"--{name.replace('_', '-')} is in the file of --meter-key-file already"
            raise click.UsageError(message)
    return open_meter_key(_read(sealed), _passphrase(options["passphrase_file"]))


def _typed(options: dict[str, Any]) -> MeterKey:
    if options["drn"] is None:
        message = "give --drn, or --meter-key-file"
        raise click.UsageError(message)
    key_type = KeyType(options["kt"])
    key = KeySource(
        file=options["decoder_key_file"], variable=KEY_VARIABLE, prompt="decoder key"
    ).text()
    has_revision = key_type is not KeyType.INITIALISATION
    return MeterKey(
        decoder_reference_number=MeterPan.parse(options["drn"]).drn,
        encryption_algorithm=EncryptionAlgorithm.parse(options["ea"]),
        register=DecoderKeyRegister(
            decoder_key=DecoderKey.from_hex(key),
            key_type=key_type,
            supply_group_code=SupplyGroupCode.parse(options["sgc"]),
            tariff_index=TariffIndex.parse(options["ti"]),
            key_revision_number=KeyRevisionNumber.parse(options["krn"]) if has_revision else None,
            key_expiry_number=KeyExpiryNumber(options["ken"]),
        ),
    )


def _passphrase(path: Path | None) -> str:
    if path is not None:
        return _read(path).rstrip("\r\n")
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    if sys.stdin is None or not sys.stdin.isatty():  # None where it was closed at the start.
        message = f"no passphrase: give --passphrase-file, or set {PASSPHRASE_VARIABLE}"
        raise click.UsageError(message)
    answer: str = click.prompt("passphrase", hide_input=True, err=True)
    return answer


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LARGEST_KEY_FILE)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        message = f"{path}: {reason}"
        raise MeterKeyFileError(message) from None
