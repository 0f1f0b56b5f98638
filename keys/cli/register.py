"""``sts-keys list``, ``expiring`` and ``advice``: which key serves, what ends, what must change."""

from datetime import datetime, timedelta
from typing import Any

import click

from keys.cli.common import MODULE_ARGUMENT, session_of, session_options
from keys.cli.key_options import (
    BASE_YEARS,
    KEY_HEADS,
    key_row,
    keys_json,
    makers_keys,
    optional_time,
    tenant_option,
)
from keys.custody import KeyStore
from keys.json_fields import time_text
from keys.key_advice import KeyInMeter, advise
from keys.register import Deadline, deadlines, why_not
from keys.register import expiring as ending
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.terminal import print_json
from sts.terminal_tables import print_table


@click.command("list")
@MODULE_ARGUMENT
@session_options
def list_keys(module: str, *, as_json: bool, **options: Any) -> None:
    """List the keys of a module with what they are, never the keys.

    \b
    Example:
      sts-keys list software:keys.vault --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    opened = session.custody(module)
    records = opened.store.records
    supplied = makers_keys(opened.store)
    if as_json:
        bodies = [
            {**body, "usable": why_not(record, session.now) is None}
            for record, body in zip(records, keys_json(records), strict=True)
        ]
        meters = [
            {
                "meter": each.meter_pan.digits,
                "tariff_index": str(each.tariff_index),
                "encryption_algorithm": each.encryption_algorithm.value,
                "key": keys_json([each.key])[0],
            }
            for each in supplied
        ]
        print_json({"vending_keys": bodies, "decoder_keys": meters})
        return
    rows = [(*key_row(key), why_not(key, session.now) or "in use") for key in records]
    if records or not supplied:
        print_table((*KEY_HEADS, "state"), rows)
    if supplied:
        heads = ("meter", "TI", "EA", *KEY_HEADS)
        print_table(
            heads,
            [
                (
                    each.meter_pan.digits,
                    str(each.tariff_index),
                    each.encryption_algorithm.value,
                    *key_row(each.key),
                )
                for each in supplied
            ],
        )


@click.command()
@MODULE_ARGUMENT
@click.option("--days", type=click.IntRange(0, 36500), required=True, help="How far to look.")
@session_options
def expiring(module: str, *, days: int, as_json: bool, **options: Any) -> None:
    """List what ends within so many days: use, key expiry, base date. Exit status 1 if any does.

    \b
    Example:
      sts-keys expiring software:keys.vault --days 30 --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    found = _endings(session.custody(module).store, session.now, timedelta(days=days))
    if as_json:
        print_json(
            [
                {
                    "at": time_text(end.at),
                    "what": end.kind,
                    "key": keys_json([end.key])[0],
                    "meter": meter,
                }
                for end, meter in found
            ]
        )
    elif found:
        rows = [
            (
                time_text(end.at),
                str(end.kind),
                f"{end.key.name}{'' if meter is None else f': meter {meter}'}",
            )
            for end, meter in found
        ]
        print_table(("at", "what ends", "of"), rows)
    else:
        click.echo(f"nothing ends within {days} days")
    if found:
        click.get_current_context().exit(1)


def _endings(
    store: KeyStore, now: datetime, within: timedelta
) -> list[tuple[Deadline, str | None]]:
    """Return what ends, the earliest first, each with the meter if it is the key of one."""
    vending = [(end, None) for end in ending(store.records, now=now, within=within)]
    meters = [
        (end, each.meter_pan.digits)
        for each in makers_keys(store)
        for end in ending([each.key], now=now, within=within)
    ]
    return sorted((*vending, *meters), key=lambda found: found[0].at)


@click.command()
@MODULE_ARGUMENT
@tenant_option
@click.option("--sgc", required=True, help="Supply group of the key in the meter.")
@click.option("--krn", default="1", show_default=True, help="Its key revision.")
@click.option("--ti", default="01", show_default=True, help="Its tariff index.")
@click.option("--kt", type=click.IntRange(0, 3), default=2, show_default=True, help="Its type.")
@click.option("--ken", type=int, help="Its key expiry number, as the meter was told.")
@click.option("--base-date", type=click.Choice(BASE_YEARS), help="Its base date, if it has one.")
@click.option("--to-sgc", help="The group it should be in.  [default: the present one]")
@click.option("--to-ti", help="The index it should have.  [default: the present one]")
@session_options
def advice(module: str, *, as_json: bool, **options: Any) -> None:
    """Say whether a meter must change its key, why, and until when the present one serves.

    \b
    Example:
      sts-keys advice software:keys.vault --tenant thabaneng --sgc 201457 --krn 1 \\
          --base-date 1993 --key-file vault.key
    """  # noqa: D301 - click's mark
    session = session_of(options)
    base, ken, to_sgc, to_ti = (options[name] for name in ("base_date", "ken", "to_sgc", "to_ti"))
    meter = KeyInMeter(
        tenant=options["tenant"],
        supply_group_code=SupplyGroupCode.parse(options["sgc"]),
        key_revision_number=KeyRevisionNumber.parse(options["krn"]),
        key_type=KeyType.parse(options["kt"]),
        tariff_index=TariffIndex.parse(options["ti"]),
        base_date=None if base is None else BaseDate.parse(base),
        key_expiry_number=None if ken is None else KeyExpiryNumber(ken),
    )
    found = advise(
        meter,
        session.custody(module).store.records,
        now=session.now,
        supply_group_code=None if to_sgc is None else SupplyGroupCode.parse(to_sgc),
        tariff_index=None if to_ti is None else TariffIndex.parse(to_ti),
    )
    ends = deadlines(found.target)
    if as_json:
        print_json(
            {
                "change": found.is_needed,
                "reasons": list(found.reasons),
                "rollover": found.rollover,
                "to": keys_json([found.target])[0],
                "tariff_index": str(found.tariff_index),
                "usable_until": optional_time(found.usable_until) or None,
                "deadlines": [{"at": time_text(end.at), "what": end.kind} for end in ends],
            }
        )
        return
    if found.is_needed:
        reasons = ", ".join(found.reasons)
        click.echo(f"change the key to {found.target.name}, TI {found.tariff_index}: {reasons}")
        if found.rollover:
            click.echo("the set carries the rollover bit: enter all unused credit tokens first")
    else:
        click.echo("the key in the meter is the right one")
    if found.usable_until is not None:
        click.echo(f"the present key serves until {time_text(found.usable_until)}")
    for end in ends:
        click.echo(f"the key it should have: {end.kind} at {time_text(end.at)}")
