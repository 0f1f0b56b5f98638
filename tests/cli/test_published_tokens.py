"""A published token, typed by hand into `sts decode`, shows what the meter will read."""

import json
from datetime import datetime
from importlib.resources import files
from typing import Any

import pytest

from tests.cli.transcript import in_process

Case = dict[str, Any]

CASES: list[Case] = json.loads(
    files("sts").joinpath("data", "sts531_ed22_ea11.json").read_text("utf-8")
)["cases"]
TOKENS = [case for case in CASES if case["op"] == "token"]
SETS = [case for case in CASES if case["op"] == "set"]

UNITS = {"electricity": "kWh", "water": "m³", "gas": "m³", "time": "min"}
REGISTERS = {
    0: "electricity credit",
    1: "water credit",
    2: "gas credit",
    3: "time credit",
    4: "electricity currency credit",
    0xFFFF: "all credit registers",
}


def _codes(exponents: int) -> list[int]:
    """Every value that a 14-bit mantissa can stand for, written down in the plainest way."""
    values = []
    below = 0
    for exponent in range(exponents):
        values += [below + mantissa * 10**exponent for mantissa in range(1 << 14)]
        below += (1 << 14) * 10**exponent
    return values


UNIT_VALUES = _codes(4)
CURRENCY_VALUES = _codes(32)


def _rounded(units: int, values: list[int]) -> int:
    """Round toward plus infinity: up, and where it is below zero toward zero."""
    if units >= 0:
        return min(value for value in values if value >= units)
    return -max(value for value in values if value <= -units)


def _amount(case: Case) -> str:
    if "currency_units" in case:
        units = _rounded(case["currency_units"], CURRENCY_VALUES)
        sign = "-" if units < 0 else ""
        return f"{sign}{abs(units) // 100_000}.{abs(units) % 100_000:05d} of the currency"
    tenths = _rounded(case["amount_tenths"], UNIT_VALUES)
    return f"{tenths // 10}.{tenths % 10} {UNITS[case['token_kind'].partition('/')[2]]}"


def _reading(case: Case) -> str:
    """Say what the meter reads, from what the vector file says and nothing else."""
    kind = case["token_kind"]
    if kind.startswith("TransferCredit/"):
        return f"amount: {_amount(case)}"
    if kind == "ClearCredit":
        return f"register: {REGISTERS[case['register']]}"
    if kind == "ExtendedToken":
        index, data = divmod(case["extended_field"], 1 << 10)
        if index == 63:
            return f"index: flags; data: flag {data >> 1}: conformance test = {data & 1}"
        return f"index: register; data: value {data}"
    if kind == "ClearTamperCondition":
        return "pad: padding"
    watts = case["mpl"] if kind == "SetMaximumPowerLimit" else case["mppul"]
    return f"limit: {_rounded(watts, UNIT_VALUES)} W"


def _typed(token: str) -> list[str]:
    """The five groups, as they stand on a receipt."""
    return [token[at : at + 4] for at in range(0, 20, 4)]


@pytest.mark.parametrize("case", TOKENS, ids=lambda case: case["id"])
def test_it_reads_as_published(case: Case) -> None:
    outcome = in_process(
        ["decode", *_typed(case["expected_token"]), "--base-date", case["base_date"]],
        {"STS_DECODER_KEY": case["decoder_key_hex"]},
    )
    when = datetime.fromisoformat(case["date_of_issue"])
    minute = f"minute {case['tid']}: {when:%Y-%m-%d %H:%M} UTC (base {case['base_date']})"
    assert outcome.status == 0
    kind = case["token_kind"]
    assert outcome.stdout.startswith(f"{kind}{' (write)' if kind == 'ExtendedToken' else ''}: ")
    assert f"tid: {minute}; {_reading(case)}" in outcome.stdout


@pytest.mark.parametrize("case", SETS, ids=lambda case: case["id"])
def test_a_set_joins_to_what_is_published(case: Case) -> None:
    outcome = in_process(
        ["key-change", "join", *reversed(case["expected_tokens"]), "--json"],
        {"STS_DECODER_KEY": case["decoder_key_hex"]},
    )
    assert json.loads(outcome.stdout) == {
        "supply_group_code": case["new_supply_group_code"],
        "tariff_index": case["new_tariff_index"],
        "key_revision_number": case["new_key_revision_number"],
        "key_type": case["new_key_type"],
        "key_expiry_number": case["new_key_expiry_number"],
        "rollover": bool(case["ro"]),
        "mark": None,
    }


def test_the_file_has_all_its_cases() -> None:
    assert len(TOKENS) + len(SETS) == 74
