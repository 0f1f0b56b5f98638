"""``sts-keys ceremony``: a vending key from components of several people."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

import click
from rich.console import Console

from keys.audit_record import AuditEvent
from keys.centre_custody import CentreCustody
from keys.ceremony import Ceremony, CombinedKey, require_leader
from keys.ceremony import Origin as ComponentOrigin
from keys.ceremony_record import ceremony_record
from keys.check_values import CheckValueMethod, check_value, require_check_value
from keys.cli.common import random_bytes, require_terminal, session_of, session_options
from keys.cli.key_options import key_bits, key_options, keys_json, registered_key
from keys.component_file import format_component, parse_component
from keys.custody import Custody, Origin
from keys.errors import FileExistsRefusedError
from keys.files import read_private, write_new
from keys.trusted_centres import LAB_NOTICE
from sts.terminal import print_json
from sts.terminal_keys import FILE_PATH

_METHODS: Final = tuple(method.value for method in CheckValueMethod)


class _Way(StrEnum):
    """How a component comes in."""

    ENTER = "enter"
    GENERATE = "generate"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A component that is to come.

    Attributes:
        custodian: From whom.
        way: Typed or drawn.
        file: Where it lies or is to lie; None for the terminal.
    """

    custodian: str
    way: _Way
    file: Path | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``NAME=enter``, ``NAME=generate``, and either with ``:FILE`` behind it."""
        custodian, _, how = text.rpartition("=")
        way, _, file = how.partition(":")
        if not custodian or way not in tuple(_Way):
            message = f"{text!r} is not NAME=enter or NAME=generate, with :FILE if it is a file"
            raise click.BadParameter(message, param_hint="'--component'")
        return cls(custodian=custodian, way=_Way(way), file=Path(file) if file else None)


@click.command()
@click.argument("target")
@key_options
@click.option(
    "--component",
    "components",
    multiple=True,
    required=True,
    help="NAME=enter or NAME=generate, then :FILE if not at the terminal; two to nine times.",
)
@click.option("--led-by", required=True, help="Who leads, and holds no component.")
@click.option("--check-value", help="The combined check value, as written down before.")
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    default=CheckValueMethod.HMAC_SHA_256.value,
    show_default=True,
    help="How check values are defined; des is that of other equipment.",
)
@click.option("--record", type=FILE_PATH, required=True, help="A new file to print and sign.")
@session_options
def ceremony(
    target: str,
    *,
    components: tuple[str, ...],
    led_by: str,
    check_value: str | None,
    method: str,
    record: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a vending key from components that different people hold (XOR).

    TARGET is a module or lab-centre:FILE. Each component is drawn here and shown to its custodian
    alone, or typed by its custodian, with its check value each time; at the end the combined check
    value is confirmed. The record holds no key material.

    \b
    Example:
      sts-keys ceremony lab-centre:lab.centre --tenant thabaneng --sgc 201457 \\
          --component "Ada Ohm=generate" --component "Ben Volt=generate" \\
          --led-by "Cy Watt" --record ceremony.txt
    """  # noqa: D301 - click's mark
    session = session_of(options)
    wanted = [_Wanted.parse(each) for each in components]
    for path in (record, *(each.file for each in wanted if each.way is _Way.GENERATE)):
        if path is not None and path.exists():
            raise FileExistsRefusedError(path)
    opened = session.target(target)
    chosen = CheckValueMethod(method)
    with _made_files_removed_if_refused(wanted):
        with opened.audit.refusals_of(AuditEvent.CEREMONY, now=session.now):
            require_leader(led_by, (each.custodian for each in wanted))
            begun = Ceremony(bits=key_bits(options), components_wanted=len(wanted))
            combined = _combined(begun, wanted, confirmed=check_value, method=chosen, led_by=led_by)
            key = registered_key(options, combined.vending_key)
            paper = ceremony_record(
                combined, key, led_by=led_by, now=session.now, notice=_notice(opened)
            )
        custodians = tuple(each.custodian for each in combined.components)
        origin = Origin(event=AuditEvent.CEREMONY, custodians=custodians, note=f"led by {led_by}")
        opened.take(key, combined.vending_key, origin=origin, now=session.now)
    write_new(record, paper.encode("utf-8"))
    warn_parity(odd=combined.has_odd_parity)
    if as_json:
        print_json({"key": keys_json([key])[0], "record": str(record)})
    else:
        click.echo(paper, nl=False)


def _notice(opened: Custody | CentreCustody) -> str:
    """Say on the record where the key has gone, which the lab centre's own notice does."""
    if isinstance(opened, CentreCustody):
        return LAB_NOTICE
    public = opened.file.identity.public
    kind = "lab" if opened.file.is_lab else "production"
    return (
        f"Taken into the {kind} module {public.name} ({public.id}).\n"
        "Keys of supply groups allocated by the STS Association live only in certified modules."
    )


@contextmanager
def _made_files_removed_if_refused(wanted: list[_Wanted]) -> Iterator[None]:
    """Leave no component behind of a key that has not come to be."""
    try:
        yield
    except BaseException:
        for each in wanted:
            if each.way is _Way.GENERATE and each.file is not None:
                each.file.unlink(missing_ok=True)
        raise


def warn_parity(*, odd: bool | None) -> None:
    """Say on standard error that a DES key has not the parity that it should have."""
    if odd is False:
        click.echo(
            "WARNING: not every byte of this key has odd parity, as a DES key from a key centre "
            "has; it is used as it is",
            err=True,
        )


def _combined(
    ceremony: Ceremony,
    wanted: list[_Wanted],
    *,
    confirmed: str | None,
    method: CheckValueMethod,
    led_by: str,
) -> CombinedKey:
    """Go through all components, and have the combined check value confirmed."""
    for each in wanted:
        step = _generated if each.way is _Way.GENERATE else _entered
        ceremony = step(ceremony, each, method)
    found = ceremony.combined_check_value(method)
    if confirmed is None:
        require_terminal("give --check-value, or confirm it at a terminal")
        if any(part.origin is ComponentOrigin.GENERATED for part in ceremony.components):
            click.echo(f"combined check value  {found}", err=True)
        # Of components that were all typed, the value is on paper already: typing it is the proof.
        confirmed = click.prompt(f"{led_by} confirms the combined check value", err=True)
    return ceremony.complete(confirmed, method)


def _entered(ceremony: Ceremony, wanted: _Wanted, method: CheckValueMethod) -> Ceremony:
    custodian = wanted.custodian
    if wanted.file is not None:
        stored = parse_component(read_private(wanted.file), custodian)
        digits, expected = stored.digits.expose().decode(), stored.check_value
        return ceremony.with_entered(custodian, digits, check_value=expected)
    require_terminal("a component is typed at a terminal, or read from a file of its custodian")
    digits = click.prompt(f"{custodian}: component (hexadecimal)", hide_input=True, err=True)
    expected = click.prompt(f"{custodian}: check value of the component", err=True)
    return ceremony.with_entered(custodian, digits, check_value=expected, method=method)


def _generated(ceremony: Ceremony, wanted: _Wanted, method: CheckValueMethod) -> Ceremony:
    following = ceremony.with_generated(wanted.custodian, random_bytes)
    component = following.components[-1]
    if wanted.file is not None:
        write_new(wanted.file, format_component(component))
        return following
    require_terminal("a component is shown at a terminal, or written to a file of its custodian")
    click.prompt(
        f"{wanted.custodian} alone at the screen: press Enter",
        default="",
        show_default=False,
        err=True,
    )
    console = Console(stderr=True, highlight=False)
    # The other screen of a terminal: it is gone afterwards, also for who scrolls back.
    with console.screen(hide_cursor=False):
        console.print(f"{wanted.custodian}, write this down:\n\n    {component.reveal()}\n")
        console.print(f"check value  {check_value(component.value, method)}\n")
        typed = click.prompt("type the check value when it is written down", err=True)
    require_check_value(component.value, typed, method=method)
    return following
