"""``sts encode``: one subcommand a kind of token."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, TypeVar

import click

from sts import codec
from sts.amount import encode_amount, encode_currency_amount, encode_power_limit
from sts.cli.keys import MeterKey, meter_key_options, parsed_key
from sts.explain import explain
from sts.identifiers import KeyExpiryNumber
from sts.meanings import SERVICE_UNITS, currency_text, names_of_tests, tenths_text
from sts.terminal import CodedGroup, json_option, print_json
from sts.terminal_keys import sample_mark, warn_sample
from sts.terminal_params import Moment, WholeUnits
from sts.token_identifier import (
    DEFAULT_LEAD_CAP_MINUTES,
    LAST_TID_MINUTES,
    next_token_identifier,
    require_unexpired,
    special_reserved_token_identifier,
)
from sts.tokens import (
    EXTENDED_FLAG_INDEX,
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    ReadExtended,
    Service,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)

_Command = TypeVar("_Command", bound=Callable[..., Any])
_TID: Final = click.IntRange(0, LAST_TID_MINUTES)
_SERVICES: Final = tuple(service.name.lower() for service in Service)
_REGISTERS: Final = tuple(register.name.lower().replace("_", "-") for register in CreditRegister)


def _frame_options(command: _Command) -> _Command:
    """Add what every encrypted token with a token identifier takes."""
    options: tuple[Callable[[_Command], _Command], ...] = (
        click.option("--at", type=Moment(), help="Time of issue with zone.  [default: now]"),
        click.option("--tid", type=_TID, help="Token identifier itself, instead of a time."),
        click.option(
            "--issued",
            type=_TID,
            multiple=True,
            help="A token identifier issued to this meter before; give each of the last 50.",
        ),
        click.option("--special-reserved", is_flag=True, help="Use minute 00:01 of the day."),
        click.option(
            "--lead-cap",
            type=click.IntRange(0, LAST_TID_MINUTES),
            default=DEFAULT_LEAD_CAP_MINUTES,
            show_default=True,
            help="How many minutes the identifier may be ahead of the time.",
        ),
        click.option("--ken", type=int, default=255, show_default=True, help="Key expiry number."),
        click.option(
            "--utc-offset",
            type=click.IntRange(-840, 840),
            default=0,
            help="Fixed offset in minutes, of a group whose history is in local time.",
        ),
        click.option(
            "--rnd", type=click.IntRange(0, 15), help="The 4 random bits.  [default: random]"
        ),
    )
    command = json_option(meter_key_options(command))
    for option in reversed(options):
        command = option(command)
    return command


def _frame(options: dict[str, Any], key: MeterKey) -> tuple[int, int]:
    """Return random bits and token identifier by the options, which are taken out."""
    names = ("at", "tid", "issued", "special_reserved", "ken", "lead_cap", "utc_offset", "rnd")
    at, tid, issued, special, ken, cap, offset, rnd = (options.pop(name) for name in names)
    bits = secrets.randbits(4) if rnd is None else rnd
    expiry = KeyExpiryNumber(ken)
    if tid is not None:
        if at is not None or issued or special:
            message = "--tid stands alone: leave out --at, --issued and --special-reserved"
            raise click.UsageError(message)
        require_unexpired(tid, expiry, key.base, utc_offset=timedelta(minutes=offset))
        return bits, tid
    choose = (
        special_reserved_token_identifier
        if special
        else partial(next_token_identifier, lead_cap_minutes=cap)
    )
    chosen = choose(
        issued,
        at or datetime.now(UTC),
        base_date=key.base,
        key_expiry_number=expiry,
        utc_offset=timedelta(minutes=offset),
    )
    return bits, chosen


def _emit(options: dict[str, Any], build: Callable[[int, int], Token], says: str) -> None:
    """Encode what ``build`` makes of random bits and token identifier, and print it."""
    as_json = options.pop("as_json")
    key = parsed_key(options)
    offset = timedelta(minutes=options["utc_offset"])
    rnd, tid = _frame(options, key)
    token = build(rnd, tid)
    tables = key.sta_tables()
    cipher = key.cipher()
    digits = codec.encode(token, cipher)
    if not as_json:
        click.echo(f"{codec.format_token(digits)}  {says}")
        warn_sample(tables)
        return
    anatomy = explain(digits, cipher, base_date=key.base, utc_offset=offset).as_dict()
    print_json({**anatomy, "says": says, "mark": sample_mark(tables)})


def _emit_clear(token: Token, text: str, *, as_json: bool) -> None:
    """Print a class 1 token, which needs no key."""
    digits = codec.encode(token)
    if as_json:
        print_json({**explain(digits).as_dict(), "says": text, "mark": None})
    else:
        click.echo(f"{codec.format_token(digits)}  {text}")


@click.group(cls=CodedGroup)
def encode() -> None:
    """Make a token.

    \b
    Examples (keys from STS_DECODER_KEY, or a prompt):
      sts encode credit --amount 25.6
      sts encode credit --amount 25.6 --meter 00000000000 --sgc 201457   (STS_VENDING_KEY)
      sts encode power-limit --watts 1000 --ea 07
      sts encode test --test 0 --digits 4
    """  # noqa: D301 - click's mark


@encode.command()
@click.option("--amount", type=WholeUnits(1), required=True, help="Units, one decimal: 25.6")
@click.option(
    "--service",
    type=click.Choice(_SERVICES),
    default="electricity",
    show_default=True,
    help="What is sold.",
)
@_frame_options
def credit(amount: int, service: str, **options: Any) -> None:
    """Credit in kWh, m³ or minutes; more than 1638.3 is rounded up to the code's step."""
    what = Service[service.upper()]
    coded = encode_amount(amount)
    text = f"{tenths_text(coded.tenths)} {SERVICE_UNITS[what]} of {service}"
    _emit(
        options,
        lambda rnd, tid: TransferCredit(service=what, rnd=rnd, tid=tid, amount=coded),
        text,
    )


@encode.command("currency-credit")
@click.option(
    "--amount",
    type=WholeUnits(5, signed=True),
    required=True,
    help="Currency, up to five decimals; may be negative.",
)
@click.option(
    "--service",
    type=click.Choice(_SERVICES),
    default="electricity",
    show_default=True,
    help="What is sold.",
)
@_frame_options
def currency_credit(amount: int, service: str, **options: Any) -> None:
    """Credit in currency, for meters that count in currency."""
    coded = encode_currency_amount(amount)
    text = f"{currency_text(coded.units)} of currency for {service}"
    _emit(
        options,
        lambda _rnd, tid: TransferCurrencyCredit(
            service=Service[service.upper()], tid=tid, amount=coded
        ),
        text,
    )


@encode.command("power-limit")
@click.option("--watts", type=int, required=True, help="The limit in watts.")
@_frame_options
def power_limit(watts: int, **options: Any) -> None:
    """Set the maximum power limit."""
    limit = encode_power_limit(watts)
    _emit(
        options,
        lambda rnd, tid: SetMaximumPowerLimit(rnd=rnd, tid=tid, limit=limit),
        f"maximum power limit {limit.watts} W",
    )


@encode.command("unbalance-limit")
@click.option("--watts", type=int, required=True, help="The limit in watts.")
@_frame_options
def unbalance_limit(watts: int, **options: Any) -> None:
    """Set the maximum power difference between phases."""
    limit = encode_power_limit(watts)
    _emit(
        options,
        lambda rnd, tid: SetMaximumPhasePowerUnbalanceLimit(rnd=rnd, tid=tid, limit=limit),
        f"maximum phase power unbalance limit {limit.watts} W",
    )


@encode.command("clear-credit")
@click.option("--register", type=click.Choice(_REGISTERS), required=True, help="Which credit.")
@_frame_options
def clear_credit(register: str, **options: Any) -> None:
    """Set one credit register, or all, to zero."""
    which = CreditRegister[register.upper().replace("-", "_")]
    _emit(
        options,
        lambda rnd, tid: ClearCredit(rnd=rnd, tid=tid, register=which),
        f"clear {register} credit",
    )


@encode.command("clear-tamper")
@_frame_options
def clear_tamper(**options: Any) -> None:
    """Clear the tamper condition."""
    _emit(
        options,
        lambda rnd, tid: ClearTamperCondition(rnd=rnd, tid=tid),
        "clear tamper condition",
    )


@encode.command("tariff-rate")
@click.option("--rate", type=click.IntRange(0, 0xFFFF), required=True, help="The 16 bits.")
@_frame_options
def tariff_rate(rate: int, **options: Any) -> None:
    """Set the tariff rate, whose meaning the standard reserves."""
    _emit(
        options,
        lambda rnd, tid: SetTariffRate(rnd=rnd, tid=tid, rate=rate),
        f"tariff rate {rate}",
    )


@encode.command("water-factor")
@click.option("--factor", type=click.IntRange(0, 0xFFFF), required=True, help="The 16 bits.")
@_frame_options
def water_factor(factor: int, **options: Any) -> None:
    """Set the water meter factor, whose meaning the standard reserves."""
    _emit(
        options,
        lambda rnd, tid: SetWaterMeterFactor(rnd=rnd, tid=tid, factor=factor),
        f"water meter factor {factor}",
    )


@encode.command("write-extended")
@click.option("--index", type=click.IntRange(0, 63), required=True, help="63 is the flags.")
@click.option("--data", type=click.IntRange(0, 1023), help="The 10 bits.")
@click.option("--flag", type=click.IntRange(0, 511), help="The flag, with index 63.")
@click.option("--on/--off", "value", default=None, help="The flag's value.")
@_frame_options
def write_extended(
    index: int, *, data: int | None, flag: int | None, value: bool | None, **options: Any
) -> None:
    """Write a value of the extended token set (STS 202-5)."""
    word = _extended_data(index, data, flag=flag, value=value)
    _emit(
        options,
        lambda rnd, tid: WriteExtended(rnd=rnd, tid=tid, index=index, data=word),
        f"write flag {flag} = {int(bool(value))}"
        if flag is not None
        else f"write index {index}, data {word}",
    )


def _extended_data(index: int, data: int | None, *, flag: int | None, value: bool | None) -> int:
    """Return the 10 bits: as given, or a flag and its value."""
    if data is not None and flag is None and value is None:
        return data
    if index == EXTENDED_FLAG_INDEX and data is None and flag is not None and value is not None:
        return flag << 1 | value
    message = "give --data, or for index 63 --flag with --on or --off"
    raise click.UsageError(message)


@encode.command("test")
@click.option(
    "--test",
    "tests",
    type=int,
    multiple=True,
    required=True,
    help="0 to 18 (higher ones are reserved); may be repeated.",
)
@click.option(
    "--digits",
    type=click.Choice(("2", "4")),
    default="2",
    show_default=True,
    help="Digits of the manufacturer code: 2 for 11-digit meters, 4 for 13-digit ones.",
)
@json_option
def meter_test(tests: tuple[int, ...], digits: str, *, as_json: bool) -> None:
    """Ask any meter for tests or displays; no key is needed."""
    length: Literal[2, 4] = 4 if digits == "4" else 2
    token = InitiateMeterTest.for_tests(tests, manufacturer_digits=length)
    _emit_clear(token, names_of_tests(token.tests), as_json=as_json)


@encode.command("read-extended")
@click.option("--index", type=click.IntRange(0, 62), help="Which register.")
@click.option("--flag", type=click.IntRange(0, 511), help="Which flag, instead of a register.")
@json_option
def read_extended(index: int | None, flag: int | None, *, as_json: bool) -> None:
    """Ask a meter for a value of the extended token set; no key is needed."""
    if (index is None) == (flag is None):
        message = "give either --index or --flag"
        raise click.UsageError(message)
    token = ReadExtended(index=index) if index is not None else ReadExtended.flag(flag or 0)
    what = f"register {index}" if index is not None else f"flag {flag}"
    _emit_clear(token, f"display {what}", as_json=as_json)
