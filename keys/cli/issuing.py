"""``sts-keys issue``: one token by hand, of a lab module."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from keys.audit_record import AuditEvent
from keys.audited_module import meter_facts
from keys.cli.by_hand import message_option, meter_of, meter_options, open_by_hand
from keys.cli.common import MODULE_ARGUMENT, KeysGroup, session_of
from keys.cli.key_options import keys_json
from keys.json_fields import time_text
from keys.requests import (
    ClearCreditRequest,
    ClearTamperRequest,
    CreditRequest,
    CurrencyCreditRequest,
    MaximumPowerLimitRequest,
    PhasePowerUnbalanceLimitRequest,
    TariffRateRequest,
    TokenRequest,
    WaterMeterFactorRequest,
    WriteExtendedRequest,
)
from sts import CreditRegister, Service, datetime_from_tid, format_token
from sts.amount import encode_amount, encode_currency_amount, encode_power_limit
from sts.meanings import SERVICE_UNITS, currency_text, tenths_text
from sts.terminal import print_json
from sts.terminal_keys import SAMPLE_MARK
from sts.terminal_params import WholeUnits

_SERVICES: Final = tuple(service.name.lower() for service in Service)
_REGISTERS: Final = tuple(register.name.lower().replace("_", "-") for register in CreditRegister)
_Command = TypeVar("_Command", bound=Callable[..., Any])
_SERVICE: Final = click.option(
    "--service",
    type=click.Choice(_SERVICES),
    default="electricity",
    show_default=True,
    help="What is sold.",
)


@click.group(cls=KeysGroup)
def issue() -> None:
    """Make a token by hand, of a lab module; a production module answers only its clients.

    \b
    Example:
      sts-keys issue credit software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --amount 25.6 --key-file vault.key
    """  # noqa: D301 - click's mark


def _issue_options(command: _Command) -> _Command:
    command = click.option("--special-reserved", is_flag=True, help="Use minute 00:01 of the day.")(
        message_option(meter_options(command))
    )
    return MODULE_ARGUMENT(command)


def _issue(
    module: str, options: dict[str, Any], build: Callable[..., TokenRequest], *, says: str
) -> None:
    """Have the module make what ``build`` asks for, and print it."""
    as_json, special = options.pop("as_json"), options.pop("special_reserved")
    tables, message_id = options.pop("tables"), options.pop("message_id")
    session = session_of(options)
    meter = meter_of(options)
    with open_by_hand(
        module, session, event=AuditEvent.ISSUE, tables=tables, message_id=message_id
    ) as by_hand:
        with by_hand.module.audit.refusals_of(
            AuditEvent.ISSUE, now=session.now, message_id=message_id, **meter_facts(meter)
        ):
            tid = by_hand.tid_for(meter, special_reserved=special)
            request = build(tid_minutes=tid, special_reserved=special)
        answer = by_hand.module.issue(
            meter, request, message_id=by_hand.message_id, now=session.now
        )
    mark = SAMPLE_MARK if answer.sample_tables else None
    if as_json:
        issued_at = datetime_from_tid(answer.tid_minutes, answer.vending_key.record.base_date)
        print_json(
            {
                "message_id": answer.message_id,
                "token": answer.digits,
                "says": says,
                "tid_minutes": answer.tid_minutes,
                "issued_at": time_text(issued_at),
                "vending_key": keys_json([answer.vending_key])[0],
                "mark": mark,
            }
        )
        return
    click.echo(f"{format_token(answer.digits)}  {says}")
    click.echo(f"message id {answer.message_id}", err=True)
    if mark is not None:
        click.echo(mark, err=True)


@issue.command()
@click.option("--amount", type=WholeUnits(1), required=True, help="Units, one decimal: 25.6")
@_SERVICE
@_issue_options
def credit(module: str, *, amount: int, service: str, **options: Any) -> None:
    """Credit in kWh, m³ or minutes; more than 1638.3 is rounded up to the code's step.

    \b
    Example:
      sts-keys issue credit software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --amount 25.6 --key-file vault.key
    """  # noqa: D301 - click's mark
    what, coded = Service[service.upper()], encode_amount(amount)
    says = f"{tenths_text(coded.tenths)} {SERVICE_UNITS[what]} of {service}"
    _issue(
        module,
        options,
        lambda **frame: CreditRequest(service=what, amount=coded, **frame),
        says=says,
    )


@issue.command("currency-credit")
@click.option(
    "--amount",
    type=WholeUnits(5, signed=True),
    required=True,
    help="Currency, up to five decimals; may be negative.",
)
@_SERVICE
@_issue_options
def currency_credit(module: str, *, amount: int, service: str, **options: Any) -> None:
    """Credit in currency, for meters that count in currency.

    \b
    Example:
      sts-keys issue currency-credit software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --amount 12.50 --key-file vault.key
    """  # noqa: D301 - click's mark
    what, coded = Service[service.upper()], encode_currency_amount(amount)
    _issue(
        module,
        options,
        lambda **frame: CurrencyCreditRequest(service=what, amount=coded, **frame),
        says=f"{currency_text(coded.units)} of currency for {service}",
    )


@issue.command("power-limit")
@click.option("--watts", type=int, required=True, help="The limit in watts.")
@_issue_options
def power_limit(module: str, *, watts: int, **options: Any) -> None:
    """Set the maximum power limit.

    \b
    Example:
      sts-keys issue power-limit software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --watts 4600 --key-file vault.key
    """  # noqa: D301 - click's mark
    limit = encode_power_limit(watts)
    _issue(
        module,
        options,
        lambda **frame: MaximumPowerLimitRequest(limit=limit, **frame),
        says=f"maximum power limit {limit.watts} W",
    )


@issue.command("unbalance-limit")
@click.option("--watts", type=int, required=True, help="The limit in watts.")
@_issue_options
def unbalance_limit(module: str, *, watts: int, **options: Any) -> None:
    """Set the maximum power difference between phases.

    \b
    Example:
      sts-keys issue unbalance-limit software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --watts 2300 --key-file vault.key
    """  # noqa: D301 - click's mark
    limit = encode_power_limit(watts)
    _issue(
        module,
        options,
        lambda **frame: PhasePowerUnbalanceLimitRequest(limit=limit, **frame),
        says=f"maximum phase power unbalance limit {limit.watts} W",
    )


@issue.command("clear-credit")
@click.option("--register", type=click.Choice(_REGISTERS), required=True, help="Which credit.")
@_issue_options
def clear_credit(module: str, *, register: str, **options: Any) -> None:
    """Set one credit register, or all, to zero.

    \b
    Example:
      sts-keys issue clear-credit software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --register electricity --key-file vault.key
    """  # noqa: D301 - click's mark
    which = CreditRegister[register.upper().replace("-", "_")]
    _issue(
        module,
        options,
        lambda **frame: ClearCreditRequest(register=which, **frame),
        says=f"clear {register} credit",
    )


@issue.command("clear-tamper")
@_issue_options
def clear_tamper(module: str, **options: Any) -> None:
    """Clear the tamper condition.

    \b
    Example:
      sts-keys issue clear-tamper software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --key-file vault.key
    """  # noqa: D301 - click's mark
    _issue(module, options, ClearTamperRequest, says="clear tamper condition")


@issue.command("tariff-rate")
@click.option("--rate", type=click.IntRange(0, 0xFFFF), required=True, help="The 16 bits.")
@_issue_options
def tariff_rate(module: str, *, rate: int, **options: Any) -> None:
    """Set the tariff rate, whose meaning the standard reserves.

    \b
    Example:
      sts-keys issue tariff-rate software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --rate 3 --key-file vault.key
    """  # noqa: D301 - click's mark
    _issue(
        module,
        options,
        lambda **frame: TariffRateRequest(rate=rate, **frame),
        says=f"tariff rate {rate}",
    )


@issue.command("water-factor")
@click.option("--factor", type=click.IntRange(0, 0xFFFF), required=True, help="The 16 bits.")
@_issue_options
def water_factor(module: str, *, factor: int, **options: Any) -> None:
    """Set the water meter factor, whose meaning the standard reserves.

    \b
    Example:
      sts-keys issue water-factor software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --factor 100 --key-file vault.key
    """  # noqa: D301 - click's mark
    _issue(
        module,
        options,
        lambda **frame: WaterMeterFactorRequest(factor=factor, **frame),
        says=f"water meter factor {factor}",
    )


@issue.command("write-extended")
@click.option("--index", type=click.IntRange(0, 63), required=True, help="63 is the flags.")
@click.option("--data", type=click.IntRange(0, 1023), required=True, help="The 10 bits.")
@_issue_options
def write_extended(module: str, *, index: int, data: int, **options: Any) -> None:
    """Write a value of the extended token set (STS 202-5).

    \b
    Example:
      sts-keys issue write-extended software:keys.vault --tenant thabaneng --sgc 201457 \\
          --meter 0100200002010 --index 5 --data 17 --key-file vault.key
    """  # noqa: D301 - click's mark
    _issue(
        module,
        options,
        lambda **frame: WriteExtendedRequest(index=index, data=data, **frame),
        says=f"write index {index}, data {data}",
    )
