"""``sts key-change``: a set that moves a meter to another key, and a set put together again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from sts import codec
from sts.cli.keys import BASE_YEARS, DKGA_CODES, MeterKey, meter_key_options, parsed_key
from sts.derivation import KeyAttributes, derive_decoder_key
from sts.errors import KeyChangeConflictError
from sts.identifiers import (
    BaseDate,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_change import KeyChange, KeyState, build, check, join
from sts.key_material import VendingKey
from sts.meanings import KEY_TYPE_NAMES
from sts.terminal import CodedGroup, json_option, print_json
from sts.terminal_keys import KeySource, sample_mark, warn_sample
from sts.terminal_params import Moment
from sts.token_identifier import tid_from_datetime
from sts.tokens import KEY_CHANGE_TOKEN_TYPES, KeyChangeToken

_ORDINALS: Final = ("1st", "2nd", "3rd", "4th")


@click.group("key-change", cls=CodedGroup)
def key_change() -> None:
    """Make a key change set, or put one together again."""


@key_change.command("make")
@meter_key_options
@click.option("--ken", type=int, default=255, show_default=True, help="Present key expiry number.")
@click.option("--to-sgc", help="New supply group code.  [default: the present one]")
@click.option("--to-ti", help="New tariff index.  [default: the present one]")
@click.option("--to-krn", help="New key revision number.  [default: the present one]")
@click.option("--to-kt", type=click.IntRange(0, 3), default=2, show_default=True, help="New type.")
@click.option("--to-ken", type=int, default=255, show_default=True, help="New key expiry number.")
@click.option(
    "--to-base-date",
    type=click.Choice(BASE_YEARS),
    help="New base date; another one sets the rollover bit.  [default: the present one]",
)
@click.option(
    "--to-dkga", type=click.Choice(DKGA_CODES), help="New derivation.  [default: the present one]"
)
@click.option(
    "--to-vending-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The new group's or revision's key (or STS_NEW_VENDING_KEY).  [default: the present one]",
)
@click.option(
    "--set-size",
    type=click.Choice(("2", "3", "4")),
    help="Tokens in the set.  [default: 2 for a 64-bit key, 4 for a 128-bit one]",
)
@click.option(
    "--rollover/--no-rollover",
    default=None,
    help="Rollover bit; refused unless the base date changes with it.  [default: as needed]",
)
@click.option("--forbid-dkga-change", is_flag=True, help="Refuse DKGA02 to DKGA04.")
@click.option("--at", type=Moment(), help="Time of issue with zone.  [default: now]")
@click.option(
    "--utc-offset",
    type=click.IntRange(-840, 840),
    default=0,
    help="Fixed offset in minutes, of a group whose history is in local time.",
)
@json_option
def make(*, as_json: bool, at: datetime | None, utc_offset: int, **options: Any) -> None:
    """Make the tokens that move a meter from its present key to a new one.

    The present key comes from --meter and the vending key, or with --kt 0 (a new meter's factory
    key) as the decoder key itself.

    \b
    Examples (STS_VENDING_KEY, for a factory key also STS_DECODER_KEY):
      sts key-change make --meter 00000000000 --sgc 201457 --to-ti 02
      sts key-change make --meter 00000000000 --sgc 201457 --kt 0
      sts key-change make --meter 00000000000 --sgc 201457 --to-krn 2 --to-base-date 2035
    """  # noqa: D301 - click's mark
    goal_options = {name: options.pop(name) for name in _GOAL_OPTIONS}
    present_ken = KeyExpiryNumber(options.pop("ken"))
    key = parsed_key(options)
    present = KeyState(
        attributes=key.attributes(),
        # A factory key was not derived by any algorithm.
        algorithm=None if key.kt == 0 else key.generation,
        key_expiry_number=present_ken,
    )
    new = _goal(present.attributes, key, goal_options)
    rollover = goal_options["rollover"]
    if rollover is None:
        rollover = present.attributes.base_date is not new.attributes.base_date
    check(
        present,
        new,
        rollover=rollover,
        tid_now=tid_from_datetime(
            at or datetime.now(UTC),
            new.attributes.base_date,
            utc_offset=timedelta(minutes=utc_offset),
        ),
        allow_dkga_change=not goal_options["forbid_dkga_change"],
    )
    tokens = build(_change(key, new, goal_options, rollover=rollover), set_size=_size(goal_options))
    cipher = key.cipher()
    digits = [codec.encode(token, cipher) for token in tokens]
    tables = key.sta_tables()
    if as_json:
        facts = {"tokens": digits, "rollover": rollover, "mark": sample_mark(tables)}
        print_json({**facts, "new_key": _facts(new)})
        return
    for ordinal, number in zip(_ORDINALS, digits, strict=False):
        click.echo(f"{ordinal}  {codec.format_token(number)}")
    click.echo("Enter all unused credit tokens first, then this set, in any order.")
    warn_sample(tables)


_GOAL_OPTIONS: Final = (
    "to_sgc",
    "to_ti",
    "to_krn",
    "to_kt",
    "to_ken",
    "to_base_date",
    "to_dkga",
    "to_vending_key_file",
    "set_size",
    "rollover",
    "forbid_dkga_change",
)


def _goal(present: KeyAttributes, key: MeterKey, options: dict[str, Any]) -> KeyState:
    """Return the key that the meter is to have: the present one with what the options change."""
    sgc, ti, krn, base = (options[name] for name in ("to_sgc", "to_ti", "to_krn", "to_base_date"))
    attributes = replace(
        present,
        supply_group_code=SupplyGroupCode.parse(sgc) if sgc else present.supply_group_code,
        tariff_index=TariffIndex.parse(ti) if ti else present.tariff_index,
        key_revision_number=KeyRevisionNumber.parse(krn) if krn else present.key_revision_number,
        base_date=BaseDate.parse(base) if base else present.base_date,
        key_type=KeyType.parse(options["to_kt"]),
    )
    return KeyState(
        attributes=attributes,
        algorithm=KeyGenerationAlgorithm.parse(options["to_dkga"] or key.dkga),
        key_expiry_number=KeyExpiryNumber(options["to_ken"]),
    )


def _change(key: MeterKey, new: KeyState, options: dict[str, Any], *, rollover: bool) -> KeyChange:
    assert new.algorithm is not None
    source = KeySource(
        file=options["to_vending_key_file"],
        variable="STS_NEW_VENDING_KEY",
        prompt="new vending key",
    )
    vending_key = VendingKey.from_hex(source.text()) if source.is_given else key.vending_key()
    attributes = new.attributes
    return KeyChange(
        new_key=derive_decoder_key(new.algorithm, vending_key, attributes),
        key_expiry_number=new.key_expiry_number,
        key_revision_number=attributes.key_revision_number,
        key_type=attributes.key_type,
        tariff_index=attributes.tariff_index,
        rollover=rollover,
        supply_group_code=attributes.supply_group_code,
    )


def _size(options: dict[str, Any]) -> Any:
    return None if options["set_size"] is None else int(options["set_size"])


def _facts(new: KeyState) -> dict[str, Any]:
    attributes = new.attributes
    return {
        "supply_group_code": str(attributes.supply_group_code),
        "tariff_index": str(attributes.tariff_index),
        "key_revision_number": attributes.key_revision_number.number,
        "key_type": int(attributes.key_type),
        "key_expiry_number": new.key_expiry_number.number,
        "base_date": str(attributes.base_date),
    }


@key_change.command("join")
@click.argument("tokens", nargs=-1, required=True)
@meter_key_options
@json_option
def join_set(tokens: tuple[str, ...], *, as_json: bool, **options: Any) -> None:
    """Put the tokens of a set together, in any order, and tell what the new key is for.

    Give the present key of the meter, and the tokens of the set. The new key is not shown.

    \b
    Example (key from STS_DECODER_KEY or STS_VENDING_KEY, a file, or a prompt):
      sts key-change join 0385-4447-0864-5345-1911 02791799436242461152 \\
        67118070329353977190 19019128690902932218 --meter 00000000000 --sgc 201457
    """  # noqa: D301 - click's mark
    key = parsed_key(options)
    cipher = key.cipher()
    parts: list[KeyChangeToken] = []
    for text in _separate(tokens):
        token = codec.decode(text, cipher)
        if not isinstance(token, KEY_CHANGE_TOKEN_TYPES):
            message = f"{text} is a {type(token).__name__}, not part of a key change set"
            raise KeyChangeConflictError(message)
        parts.append(token)
    change = join(parts, key_bits=cipher.key_bits)
    group = change.supply_group_code
    facts = {
        "supply_group_code": None if group is None else str(group),
        "tariff_index": str(change.tariff_index),
        "key_revision_number": change.key_revision_number.number,
        "key_type": int(change.key_type),
        "key_expiry_number": change.key_expiry_number.number,
        "rollover": change.rollover,
    }
    tables = key.sta_tables()
    if as_json:
        print_json({**facts, "mark": sample_mark(tables)})
        return
    facts["supply_group_code"] = facts["supply_group_code"] or "not in the set"
    facts["key_type"] = KEY_TYPE_NAMES[change.key_type]
    facts["rollover"] = "yes" if change.rollover else "no"
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<20} {value}")
    warn_sample(tables)


def _separate(words: tuple[str, ...]) -> list[str]:
    """Return one text a token, also where the shell has taken the groups of four apart."""
    digits = "".join(words).replace(" ", "").replace("-", "")
    if len(digits) % codec.TOKEN_DIGITS:
        return list(words)
    return [
        digits[start : start + codec.TOKEN_DIGITS]
        for start in range(0, len(digits), codec.TOKEN_DIGITS)
    ]
