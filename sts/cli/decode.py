"""``sts decode`` and ``sts explain``: what twenty digits say."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import click

from sts import codec
from sts.cli.keys import MeterKey, meter_key_options, parsed_key
from sts.explain import Anatomy, FieldAnatomy
from sts.explain import explain as explain_token
from sts.terminal import json_option, print_json
from sts.terminal_keys import sample_mark, warn_sample

_Command = TypeVar("_Command", bound=Callable[..., Any])
_HIDDEN: Final = frozenset({"class", "subclass", "rnd", "crc"})
"""Fields that a one-line reading leaves out."""


def _digits(words: tuple[str, ...]) -> str:
    """Join what the shell has taken apart at the spaces of the groups."""
    return "".join(words)


def _reading_options(command: _Command) -> _Command:
    """Add what both commands take."""
    offset = click.option(
        "--utc-offset",
        type=click.IntRange(-840, 840),
        default=0,
        help="Fixed offset in minutes, of a group whose history is in local time.",
    )
    return click.argument("digits", nargs=-1, required=True)(
        meter_key_options(offset(json_option(command)))
    )


def _anatomy(digits: str, key: MeterKey, *, keyless: bool, utc_offset: int) -> Anatomy:
    token_class, _ = codec.split_class(codec.parse_digits(digits))
    encrypted = token_class in (0, 2)
    cipher = key.cipher() if encrypted and not keyless else None
    return explain_token(
        digits,
        cipher,
        base_date=key.base if cipher else None,
        utc_offset=timedelta(minutes=utc_offset),
    )


@click.command()
@_reading_options
def decode(digits: tuple[str, ...], *, as_json: bool, utc_offset: int, **options: Any) -> None:
    """Read a token with the meter's key; refuse it as the meter would.

    \b
    Examples (keys from STS_DECODER_KEY or STS_VENDING_KEY, a file, or a prompt):
      sts decode 5862 5789 9869 9135 7486 --decoder-key-file meter.key
      sts decode 58625789986991357486 --meter 00000000000 --sgc 201457
      sts decode 0000 0000 0001 5099 7584
    """  # noqa: D301 - click's mark
    key = parsed_key(options)
    anatomy = _anatomy(_digits(digits), key, keyless=False, utc_offset=utc_offset)
    if anatomy.problem is not None:
        raise anatomy.problem
    tables = key.sta_tables() if anatomy.encrypted else None
    if as_json:
        print_json({**anatomy.as_dict(), "mark": sample_mark(tables)})
        return
    reading = "; ".join(
        f"{field.name.replace('_', ' ')}: {field.meaning}"
        for field in anatomy.fields
        if field.name not in _HIDDEN
    )
    click.echo(f"{anatomy.kind}: {reading}")
    warn_sample(tables)


@click.command()
@_reading_options
def explain(digits: tuple[str, ...], *, as_json: bool, utc_offset: int, **options: Any) -> None:
    """Show the anatomy of a token, bit by bit; without a key, what can be known without.

    The key is used if it can be had without asking: --decoder-key-file, STS_DECODER_KEY, or
    --meter with a vending key.

    \b
    Examples:
      sts explain 5649 3153 7254 5031 3471
      sts explain 5862 5789 9869 9135 7486 --decoder-key-file meter.key
    """  # noqa: D301 - click's mark
    key = parsed_key(options)
    anatomy = _anatomy(_digits(digits), key, keyless=not key.can_open, utc_offset=utc_offset)
    tables = key.sta_tables() if anatomy.encrypted and key.can_open else None
    if as_json:
        print_json({**anatomy.as_dict(), "mark": sample_mark(tables)})
    else:
        click.echo(picture(anatomy))
        warn_sample(tables)


def picture(anatomy: Anatomy) -> str:
    """Draw a token for the terminal: the strip of its fields, and what each one means."""
    lines = [
        f"token     {codec.format_token(anatomy.digits)}",
        f"66 bits   {anatomy.number:017x}h, {_state(anatomy)}",
        "",
        *_strip(anatomy.fields, closed="64 encrypted bits" if anatomy.encrypted else "64 bits"),
        "",
        *_meanings(anatomy.fields),
    ]
    if anatomy.crc_found is not None:
        sign = "=" if anatomy.crc_found == anatomy.crc_computed else "≠"
        lines += [
            "",
            f"checksum  found {anatomy.crc_found:04x}h {sign} computed {anatomy.crc_computed:04x}h",
        ]
    if anatomy.problem is not None:
        word = "closed  " if anatomy.status == "closed" else "refused "
        lines += ["", f"{word}  {anatomy.problem.code}: {anatomy.problem}"]
    return "\n".join(lines)


def _state(anatomy: Anatomy) -> str:
    if not anatomy.encrypted:
        return "not encrypted" if anatomy.kind is None else "not encrypted: any meter reads it"
    if anatomy.status == "closed":
        return "encrypted"
    return "does not open" if anatomy.kind is None else "encrypted, opened with the key"


def _strip(fields: tuple[FieldAnatomy, ...], *, closed: str) -> list[str]:
    """Draw the fields side by side, most significant bit on the left."""
    cells = []
    for field in fields:
        raw = _raw_text(field)
        bits = (str(field.highest_bit), str(field.lowest_bit))
        width = max(len(field.name), len(raw), len(bits[0]) + len(bits[1]) + 1)
        cells.append((width + 2, field.name, raw, bits))
    if len(fields) == 1:
        cells.append((40, closed, "?", ("63", "0")))
    ruler = " ".join(
        f" {high}{low.rjust(width - 2 - len(high))} " if high != low else high.center(width)
        for width, _, _, (high, low) in cells
    )
    return [
        f" {ruler}".rstrip(),
        f"┌{'┬'.join('─' * width for width, *_ in cells)}┐",
        f"│{'│'.join(name.center(width) for width, name, *_ in cells)}│",
        f"│{'│'.join(raw.center(width) for width, _, raw, _ in cells)}│",
        f"└{'┴'.join('─' * width for width, *_ in cells)}┘",
    ]


def _raw_text(field: FieldAnatomy) -> str:
    if field.raw is None:
        return "hidden"
    return f"{field.raw:04x}h" if field.name == "crc" else str(field.raw)


def _meanings(fields: tuple[FieldAnatomy, ...]) -> list[str]:
    longest = max(len(field.name) for field in fields)
    return [f"{field.name:<{longest}}  {field.meaning}" for field in fields]
