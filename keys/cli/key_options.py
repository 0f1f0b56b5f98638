"""Options that describe a vending key or name one, and how keys are printed."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

import click

from keys.canonical_json import JsonValue
from keys.custody import KeyStore
from keys.decoder_key_record import DecoderKeyRecord
from keys.json_fields import time_text
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import KeyName, KeyTerms, RegisteredKey, key_body
from keys.vault import Vault
from sts import (
    BaseDate,
    KeyDerivation,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    VendingKey,
)
from sts.terminal_params import Moment

BASE_YEARS: Final = ("1993", "2014", "2035")
KEY_HEADS: Final = ("tenant", "SGC", "KRN", "KT", "DKGA", "base", "KEN", "issued until", "check")
_DKGA_BITS: Final = {"02": 64, "03": 128, "04": 160}
_Command = TypeVar("_Command", bound=Callable[..., Any])


def tenant_option(command: _Command) -> _Command:
    """Add whose the key or the meter is."""
    return click.option("--tenant", required=True, help="Whose key it is.")(command)


def key_options(command: _Command) -> _Command:
    """Add the options that describe a vending key."""
    options: tuple[Callable[[_Command], _Command], ...] = (
        tenant_option,
        click.option("--sgc", required=True, help="Supply group code, 6 digits."),
        click.option("--krn", default="1", show_default=True, help="Key revision, 1 to 9."),
        click.option(
            "--kt",
            type=click.IntRange(1, 3),
            default=2,
            show_default=True,
            help="Type: 1 default (VDDK), 2 unique (VUDK), 3 common (VCDK).",
        ),
        click.option(
            "--dkga",
            type=click.Choice(tuple(_DKGA_BITS)),
            default="04",
            show_default=True,
            help="How decoder keys are derived: 02 with 64 bits, 03 with 128, 04 with 160.",
        ),
        click.option(
            "--base-date",
            type=click.Choice(BASE_YEARS),
            default="2014",
            show_default=True,
            help="Base date of its token identifiers.",
        ),
        click.option("--ken", type=int, default=255, show_default=True, help="Key expiry number."),
        click.option("--activation", type=Moment(), help="From when it may be used."),
        click.option("--expiry", type=Moment(), help="From when no centre gives it away."),
        click.option("--issued-until", type=Moment(), help="From when it makes no tokens."),
        click.option("--credit-limit", type=int, help="Currency units it may sell."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def key_bits(options: dict[str, Any]) -> int:
    """Return how long the key is that the options describe."""
    return _DKGA_BITS[options["dkga"]]


def registered_key(options: dict[str, Any], vending_key: VendingKey) -> RegisteredKey:
    """Return what the options, which are taken out, say of a vending key.

    Raises:
        StsError, RecordError: No vending key can be like that.
    """
    algorithm = KeyGenerationAlgorithm.parse(options.pop("dkga"))
    # Refuses a key of another length, and says so better than its check value would.
    KeyDerivation(algorithm, vending_key)
    return RegisteredKey(
        record=VendingKeyRecord(
            tenant=options.pop("tenant"),
            supply_group_code=SupplyGroupCode.parse(options.pop("sgc")),
            key_revision_number=KeyRevisionNumber.parse(options.pop("krn")),
            key_type=KeyType.parse(options.pop("kt")),
            key_generation_algorithm=algorithm,
            base_date=BaseDate.parse(options.pop("base_date")),
            key_expiry_number=KeyExpiryNumber(options.pop("ken")),
            check_value=check_value_of(vending_key),
        ),
        terms=KeyTerms(
            activation=options.pop("activation"),
            expiry=options.pop("expiry"),
            issued_until=options.pop("issued_until"),
            credit_limit_units=options.pop("credit_limit"),
        ),
    )


def key_name(tenant: str, text: str) -> KeyName:
    """Return the name of a key that is given as ``SGC`` or ``SGC/KRN``.

    Raises:
        IdentifierError: One of the two is not well formed.
    """
    group, _, revision = text.partition("/")
    return KeyName(
        tenant=tenant,
        supply_group_code=SupplyGroupCode.parse(group),
        key_revision_number=KeyRevisionNumber.parse(revision or "1"),
    )


def key_row(key: RegisteredKey) -> tuple[str, ...]:
    """Return the cells of a key, in the order of ``KEY_HEADS``."""
    record, until = key.record, key.terms.issued_until
    return (
        record.tenant,
        str(record.supply_group_code),
        str(record.key_revision_number),
        str(int(record.key_type)),
        str(record.key_generation_algorithm),
        str(record.base_date),
        str(record.key_expiry_number),
        optional_time(until),
        record.check_value,
    )


def keys_json(keys: Iterable[RegisteredKey]) -> list[dict[str, JsonValue]]:
    """Return keys as plain JSON values."""
    return [key_body(key) for key in keys]


def makers_keys(store: KeyStore) -> tuple[DecoderKeyRecord, ...]:
    """Return what is known of the keys of meters that a maker supplied; an HSM has none."""
    return store.decoder_keys if isinstance(store, Vault) else ()


def optional_time(when: datetime | None) -> str:
    """Return a time as it stands in tables."""
    return "" if when is None else time_text(when)
