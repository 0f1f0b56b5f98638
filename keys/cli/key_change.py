"""``sts-keys change-key``, ``commission`` and ``verify``: by hand, of a lab module."""

from pathlib import Path
from typing import Any

import click

from keys.answers import AcceptableToken, KeyChangeAnswer
from keys.audit_record import AuditEvent
from keys.cli.by_hand import ByHand, message_option, meter_of, meter_options, open_by_hand
from keys.cli.common import MODULE_ARGUMENT, session_of
from keys.cli.key_options import keys_json
from keys.json_fields import time_text
from keys.requests import MeterConfiguration, NewKey
from sts import DecoderKey, KeyRevisionNumber, SupplyGroupCode, TariffIndex, format_token
from sts.terminal import REFUSED, print_json
from sts.terminal_keys import FILE_PATH, SAMPLE_MARK, KeySource

_ORDINALS = ("1st", "2nd", "3rd", "4th")


@click.command("change-key")
@MODULE_ARGUMENT
@click.option("--to-sgc", help="New supply group code.  [default: the present one]")
@click.option("--to-krn", help="New key revision number.  [default: the present one]")
@click.option("--to-ti", help="New tariff index.  [default: the present one]")
@click.option("--three", is_flag=True, help="Of a 64-bit key: bring the supply group code as well.")
@click.option("--forbid-dkga-change", is_flag=True, help="Refuse DKGA02 to DKGA04.")
@message_option
@meter_options
def change_key(module: str, *, as_json: bool, **options: Any) -> None:
    """Make the tokens that bring a meter to another key of the module.

    \b
    Example:
      sts-keys change-key software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --to-krn 2 --key-file vault.key
    """  # noqa: D301 - click's mark
    tables, message_id = options.pop("tables"), options.pop("message_id")
    session = session_of(options)
    meter = meter_of(options)
    new = _new_key(options, meter, allow=not options["forbid_dkga_change"])
    with open_by_hand(
        module, session, event=AuditEvent.KEY_CHANGE, tables=tables, message_id=message_id
    ) as by_hand:
        answer = by_hand.module.change_key(
            meter, new, message_id=by_hand.message_id, now=session.now
        )
    _print_change(answer, as_json=as_json)


@click.command()
@MODULE_ARGUMENT
@click.option(
    "--ditk-file",
    type=FILE_PATH,
    help="The maker's key in the meter, hexadecimal (or STS_DECODER_KEY, or a prompt).",
)
@click.option("--three", is_flag=True, help="Of a 64-bit key: bring the supply group code as well.")
@message_option
@meter_options
def commission(module: str, *, ditk_file: Path | None, as_json: bool, **options: Any) -> None:
    """Make the tokens that bring a new meter from the maker's own key to that of --sgc.

    \b
    Example:
      sts-keys commission software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --ditk-file factory.key --key-file vault.key
    """  # noqa: D301 - click's mark
    tables, message_id = options.pop("tables"), options.pop("message_id")
    session = session_of(options)
    meter = meter_of(options, key_type=0)
    options |= {"to_sgc": None, "to_krn": None, "to_ti": None}
    new = _new_key(options, meter, allow=True)
    source = KeySource(file=ditk_file, variable="STS_DECODER_KEY", prompt="decoder key")
    with open_by_hand(
        module, session, event=AuditEvent.COMMISSION, tables=tables, message_id=message_id
    ) as by_hand:
        # Not before: a production module refuses, and then nobody shall have typed a key.
        ditk = DecoderKey.from_hex(source.text())
        answer = by_hand.module.commission(
            meter, ditk, new, message_id=by_hand.message_id, now=session.now
        )
    _print_change(answer, as_json=as_json)


@click.command()
@MODULE_ARGUMENT
@click.argument("digits", nargs=-1, required=True)
@meter_options
def verify(module: str, digits: tuple[str, ...], *, as_json: bool, **options: Any) -> None:
    """Say what a token says to a meter, or why the meter refuses it (exit status 1).

    What only the meter knows is left out: whether it has taken this token before.

    \b
    Example:
      sts-keys verify software:keys.vault 5862 5789 9869 9135 7486 --tenant thabaneng \\
          --meter 00000000000 --sgc 201457 --key-file vault.key
    """  # noqa: D301 - click's mark
    tables = options.pop("tables")
    session = session_of(options)
    meter = meter_of(options)
    with open_by_hand(
        module, session, event=AuditEvent.VERIFY, tables=tables, what="reading tokens by hand"
    ) as by_hand:
        _verify(by_hand, meter, "".join(digits), as_json=as_json)


def _verify(by_hand: ByHand, meter: MeterConfiguration, digits: str, *, as_json: bool) -> None:
    found = by_hand.module.verify(meter, digits, now=by_hand.session.now)
    kind = None if found.token is None else type(found.token).__name__
    if isinstance(found, AcceptableToken):
        issued_at = None if found.issued_at is None else time_text(found.issued_at)
        if as_json:
            print_json({"accepted": True, "kind": kind, "issued_at": issued_at})
        else:
            click.echo(f"{kind}, issued {issued_at or 'at no time'}")
        return
    if as_json:
        print_json({"accepted": False, "kind": kind, "code": found.code, "reason": found.reason})
    else:
        click.echo(f"refused {found.code}: {found.reason}")
    click.get_current_context().exit(REFUSED)


def _new_key(options: dict[str, Any], meter: MeterConfiguration, *, allow: bool) -> NewKey:
    sgc, krn, index = (options[name] for name in ("to_sgc", "to_krn", "to_ti"))
    return NewKey(
        supply_group_code=SupplyGroupCode.parse(sgc) if sgc else meter.supply_group_code,
        key_revision_number=KeyRevisionNumber.parse(krn) if krn else meter.key_revision_number,
        tariff_index=TariffIndex.parse(index) if index else meter.tariff_index,
        with_supply_group_code=options["three"],
        allow_algorithm_change=allow,
    )


def _print_change(answer: KeyChangeAnswer, *, as_json: bool) -> None:
    mark = SAMPLE_MARK if answer.sample_tables else None
    if as_json:
        print_json(
            {
                "message_id": answer.message_id,
                "tokens": [made.digits for made in answer.tokens],
                "reasons": list(answer.reasons),
                "rollover": answer.rollover,
                "new_key": keys_json([answer.new_key])[0],
                "mark": mark,
            }
        )
        return
    for ordinal, made in zip(_ORDINALS, answer.tokens, strict=False):
        click.echo(f"{ordinal}  {format_token(made.digits)}")
    click.echo(f"changes: {', '.join(answer.reasons)}")
    click.echo("Enter all unused credit tokens first, then this set, in any order.")
    click.echo(f"message id {answer.message_id}", err=True)
    if mark is not None:
        click.echo(mark, err=True)
