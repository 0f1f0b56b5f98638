"""``sts-meter new``: build a meter, as a factory would, and write its file."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from sts.ciphers import StaTables
from sts.meter.calendars import UTC_NAME
from sts.meter.cli.common import AT_OPTION, Quantity, moment, print_readings, warn_sample
from sts.meter.cli.first_key import KEY_VARIABLE, PASSPHRASE_VARIABLE, first_key
from sts.meter.device import create_meter, open_meter
from sts.meter.key_file import MeterKey
from sts.meter.profiles import (
    PROFILES,
    STANDARD_PROFILE,
    MeterProfile,
    ReconnectPolicy,
    profile_named,
)
from sts.meter.quantities import parse_price
from sts.meter.spec import CreditKind, MeterSpec, PricePeriod
from sts.meter.state import new_state
from sts.terminal import json_option
from sts.terminal_keys import FILE_PATH, TABLES_OPTION, read_tables
from sts.tokens import Service

_NO_CODE: Final = -1
_FIRST_PRICE: Final = datetime(1993, 1, 1, tzinfo=UTC)


@click.command()
@click.argument("meter_file", type=FILE_PATH)
@click.option("--drn", help="11- or 13-digit meter number, or the 18-digit PAN.")
@click.option("--ea", type=click.Choice(("07", "09", "11")), default="11", show_default=True)
@click.option(
    "--kt",
    type=click.IntRange(0, 2),
    default=0,
    show_default=True,
    help="Key type; 0 is the factory's own key, before the first key change.",
)
@click.option("--sgc", default="000000", show_default=True, help="Supply group code.")
@click.option("--ti", default="01", show_default=True, help="Tariff index.")
@click.option("--krn", default="1", show_default=True, help="Key revision number.")
@click.option("--ken", type=click.IntRange(0, 255), default=255, show_default=True)
@click.option("--decoder-key-file", type=FILE_PATH, help=f"Hexadecimal (or {KEY_VARIABLE}).")
@click.option(
    "--meter-key-file",
    type=FILE_PATH,
    help="A sealed key instead of all the above; it says for which meter it is.",
)
@click.option(
    "--passphrase-file", type=FILE_PATH, help=f"What opens it (or {PASSPHRASE_VARIABLE})."
)
@click.option(
    "--service",
    type=click.Choice([service.name.lower() for service in Service]),
    default="electricity",
    show_default=True,
)
@click.option("--currency", help="Count credit in this currency, three letters; needs --price.")
@click.option(
    "--price",
    "prices",
    type=Quantity("price", parse_price),
    multiple=True,
    help="Of a kWh, a m³ or 1000 s: 3.425; from a time on 2026-07-01T00:00Z=3.9. May be repeated.",
)
@click.option("--phases", type=click.Choice(("1", "3")), default="1", show_default=True)
@click.option("--voltage", type=int, default=230, show_default=True, help="Nominal, in V.")
@click.option("--max-current", type=int, default=60, show_default=True, help="A phase, in A.")
@click.option(
    "--habits",
    type=click.Choice(tuple(PROFILES)),
    default=STANDARD_PROFILE,
    show_default=True,
    help="Named habits of makes: reverse energy, overload, warnings, loans, friendly hours.",
)
@click.option("--time-zone", default=UTC_NAME, show_default=True, help="Of its local days.")
@click.option("--tid-store-size", type=int, help="Tokens kept.  [default: as the habits say]")
@click.option("--min-credit", type=int, default=0, help="How far below zero credit may go, in Wh.")
@click.option(
    "--no-limit-code",
    type=int,
    default=0xFFFF,
    show_default=True,
    help="The code of a power limit that means none; -1 for no such code.",
)
@click.option("--tariff-rate", is_flag=True, help="The meter stores a tariff rate (reserved).")
@click.option("--water-factor", is_flag=True, help="It stores a water meter factor (reserved).")
@click.option("--keep-lockout", is_flag=True, help="The lock-out survives a power cycle.")
@click.option("--no-key-expiry", is_flag=True, help="The meter does not check a key expiry number.")
@click.option("--no-three-token-set", is_flag=True, help="A 64-bit meter without sets of three.")
@click.option("--button", is_flag=True, help="Supply returns only when a button is pressed.")
@click.option("--tid-of-manufacture", type=int, default=0, help="Older tokens are refused.")
@TABLES_OPTION
@AT_OPTION
@json_option
def new(
    meter_file: Path, *, tables: Path | None, at: datetime | None, as_json: bool, **options: Any
) -> None:
    """Make a meter as it leaves the factory.

    Its key comes from a file, STS_DECODER_KEY, or a prompt without echo. It is brought into
    service with the tokens of sts key-change make --kt 0; or, with --kt 2 and the key of its
    supply group, it is in service at once. A security module may hand over the key sealed.
    """
    sta_tables, key = read_tables(tables), first_key(options)
    spec = _spec(options, key, sta_tables)
    now = moment(at)
    create_meter(meter_file, spec, new_state(spec, key.register, now=now), now=now)
    with open_meter(meter_file, sta_tables=sta_tables) as meter:
        warn_sample(meter)
        print_readings(meter.snapshot(now=now), as_json=as_json)


def _spec(options: dict[str, Any], key: MeterKey, sta_tables: StaTables) -> MeterSpec:
    currency, no_limit_code = options["currency"] or "", options["no_limit_code"]
    prices = tuple(
        PricePeriod(starts_at=starts_at or _FIRST_PRICE, per_thousand=price)
        for starts_at, price in options["prices"]
    )
    return MeterSpec(
        decoder_reference_number=key.decoder_reference_number,
        encryption_algorithm=key.encryption_algorithm,
        service=Service[options["service"].upper()],
        credit_kind=CreditKind.CURRENCY if currency or prices else CreditKind.UNIT,
        currency=currency,
        prices=prices,
        phases=3 if options["phases"] == "3" else 1,
        nominal_voltage_v=options["voltage"],
        maximum_current_a=options["max_current"],
        supports_key_expiry=not options["no_key_expiry"],
        supports_three_token_set=not options["no_three_token_set"],
        tid_of_manufacture=options["tid_of_manufacture"],
        time_zone=options["time_zone"],
        profile=_profile(options),
        min_credit=options["min_credit"],
        no_limit_code=None if no_limit_code == _NO_CODE else no_limit_code,
        stores_tariff_rate=options["tariff_rate"],
        stores_water_factor=options["water_factor"],
        lockout_survives_power_cycle=options["keep_lockout"],
        sta_tables_fingerprint=sta_tables.fingerprint,
    )


def _profile(options: dict[str, Any]) -> MeterProfile:
    """Return the named profile with what was asked for besides."""
    profile = profile_named(options["habits"])
    if options["button"]:
        profile = replace(profile, reconnect=ReconnectPolicy.BUTTON)
    size = options["tid_store_size"]
    return profile if size is None else replace(profile, tid_store_size=size)
