"""Options that say which key a command works with.

Key bytes come from a file, an environment variable, or a prompt without echo, in this order; there
is no option that takes them from the command line, where other users of the machine could see them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sts.ciphers import SAMPLE_TABLES, StaTables, new_cipher
from sts.derivation import KeyAttributes, derive_decoder_key
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey, VendingKey
from sts.terminal_keys import FILE_PATH, TABLES_OPTION, KeySource, read_tables
from sts.tokens import BlockCipher

_Command = TypeVar("_Command", bound=Callable[..., Any])

EA_CODES: Final = ("07", "09", "11")
DKGA_CODES: Final = ("01", "02", "03", "04")
BASE_YEARS: Final = ("1993", "2014", "2035")


_CIPHER_OPTIONS: Final = (
    click.option(
        "--ea",
        type=click.Choice(EA_CODES),
        default="11",
        show_default=True,
        help="Encryption algorithm of the meter: 07 STA, 09 DES (legacy), 11 MISTY1.",
    ),
    TABLES_OPTION,
)
_DECODER_KEY_OPTION: Final = click.option(
    "--decoder-key-file",
    type=FILE_PATH,
    help="The meter's key, hexadecimal (or STS_DECODER_KEY, or a prompt).",
)
_ATTRIBUTE_OPTIONS: Final = (
    click.option("--meter", help="11- or 13-digit meter number, or the 18-digit PAN."),
    click.option("--sgc", help="Supply group code, 6 digits."),
    click.option("--ti", default="01", show_default=True, help="Tariff index, 2 digits."),
    click.option("--krn", default="1", show_default=True, help="Key revision number, 1 to 9."),
    click.option("--kt", type=click.IntRange(0, 3), default=2, show_default=True, help="Key type."),
    click.option(
        "--base-date",
        type=click.Choice(BASE_YEARS),
        default="2014",
        show_default=True,
        help="Base date of the key's token identifiers.",
    ),
    click.option(
        "--dkga",
        type=click.Choice(DKGA_CODES),
        default="04",
        show_default=True,
        help="Decoder key generation algorithm.",
    ),
    click.option(
        "--vending-key-file",
        type=FILE_PATH,
        help="The group's key, hexadecimal (or STS_VENDING_KEY, or a prompt).",
    ),
)


def _add(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def derivation_options(command: _Command) -> _Command:
    """Add the options from which a decoder key is derived."""
    return _add(command, (*_ATTRIBUTE_OPTIONS, *_CIPHER_OPTIONS))


def meter_key_options(command: _Command) -> _Command:
    """Add the options that give a decoder key, directly or by derivation (with ``--meter``)."""
    return _add(command, (_DECODER_KEY_OPTION, *_ATTRIBUTE_OPTIONS, *_CIPHER_OPTIONS))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKey:
    """The parsed options of one meter's key; the bytes are fetched when asked for."""

    decoder_key_file: Path | None
    vending_key_file: Path | None
    meter: str | None
    sgc: str | None
    ti: str
    krn: str
    kt: int
    base_date: str
    dkga: str
    ea: str
    tables: Path | None

    @property
    def algorithm(self) -> EncryptionAlgorithm:
        """The meter's cipher."""
        return EncryptionAlgorithm.parse(self.ea)

    @property
    def generation(self) -> KeyGenerationAlgorithm:
        """How its key is derived."""
        return KeyGenerationAlgorithm.parse(self.dkga)

    @property
    def base(self) -> BaseDate:
        """The base date of its key."""
        return BaseDate.parse(self.base_date)

    @property
    def decoder_key_source(self) -> KeySource:
        """Where the meter's own key comes from."""
        return KeySource(
            file=self.decoder_key_file, variable="STS_DECODER_KEY", prompt="decoder key"
        )

    @property
    def can_open(self) -> bool:
        """Whether a key can be had without asking for one."""
        if self.meter is not None and self.kt != 0:
            return self.vending_key_source.is_given
        return self.decoder_key_source.is_given

    def attributes(self) -> KeyAttributes:
        """Return what decides the key.

        Raises:
            click.UsageError: ``--meter`` or ``--sgc`` is missing.
            IdentifierError: One of the numbers is not well formed.
        """
        if self.meter is None or self.sgc is None:
            message = "give --meter and --sgc"
            raise click.UsageError(message)
        return KeyAttributes(
            meter_pan=MeterPan.parse(self.meter),
            supply_group_code=SupplyGroupCode.parse(self.sgc),
            tariff_index=TariffIndex.parse(self.ti),
            key_revision_number=KeyRevisionNumber.parse(self.krn),
            key_type=KeyType.parse(self.kt),
            base_date=self.base,
            encryption_algorithm=self.algorithm,
        )

    @property
    def vending_key_source(self) -> KeySource:
        """Where the supply group's key comes from."""
        return KeySource(
            file=self.vending_key_file, variable="STS_VENDING_KEY", prompt="vending key"
        )

    def vending_key(self) -> VendingKey:
        """Return the supply group's key."""
        return VendingKey.from_hex(self.vending_key_source.text())

    def derived(self) -> DecoderKey:
        """Return the key derived from the vending key and the attributes."""
        attributes = self.attributes()
        return derive_decoder_key(self.generation, self.vending_key(), attributes)

    def decoder_key(self) -> DecoderKey:
        """Return the meter's key: derived if a meter is named, else as given.

        A key of type 0 is the manufacturer's own value, so it is always given.
        """
        if self.meter is not None and self.kt != 0:
            if self.decoder_key_file is not None:
                message = "give --decoder-key-file or --meter, not both (but with --kt 0)"
                raise click.UsageError(message)
            return self.derived()
        return DecoderKey.from_hex(self.decoder_key_source.text())

    def sta_tables(self) -> StaTables | None:
        """Return the tables that the cipher needs, None if it needs none."""
        if self.algorithm is not EncryptionAlgorithm.STA:
            return None
        return read_tables(self.tables)

    def cipher(self) -> BlockCipher:
        """Return the meter's cipher under its key."""
        tables = self.sta_tables() or SAMPLE_TABLES
        return new_cipher(self.algorithm, self.decoder_key(), sta_tables=tables)


def parsed_key(options: dict[str, Any]) -> MeterKey:
    """Take the key options out of a command's options."""
    names = (
        "vending_key_file",
        "meter",
        "sgc",
        "ti",
        "krn",
        "kt",
        "base_date",
        "dkga",
        "ea",
        "tables",
    )
    return MeterKey(
        decoder_key_file=options.pop("decoder_key_file", None),
        **{name: options.pop(name) for name in names},
    )
