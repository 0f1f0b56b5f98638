"""Short codes: a table of what may be asked, and an answer to every code that can be keyed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.identifiers import KeyType
from sts.meter.energy import PhaseReading
from sts.meter.errors import MeterSpecError
from sts.meter.lcd import COLUMNS, LINES, Block, paginate
from sts.meter.profiles import PROFILES, ReconnectPolicy
from sts.meter.readouts import (
    READOUTS,
    SHORT_CODE_FAULTS,
    ActionAsked,
    CodeRefused,
    ShortCodeFault,
    Shown,
    answer,
)
from sts.meter.registers import LARGEST_REGISTER, Register
from sts.meter.results import ResultCode
from sts.meter.short_codes import (
    ACTIONS,
    DEFAULT_SHORT_CODES,
    SHORT_CODE_TABLES,
    ShortCode,
    ShortFunction,
    function_of,
    require_distinct,
    short_code_table,
)
from sts.meter.spec import CreditKind
from sts.meter.state import SupplyCause
from sts.meter.view import View
from sts.tokens import Service
from tests.pair import VendAndMeter

TOKEN: Final = "12345678901234567890"
ONE_PHASE: Final = (PhaseReading(2300, 230, 10_000),)
THREE_PHASES: Final = (
    PhaseReading(2300, 230, 10_000),
    PhaseReading(0, 231, 0),
    PhaseReading(-1150, 229, -5022),
)


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A line of history."""

    digits: str = TOKEN
    result: ResultCode = ResultCode.ACCEPT
    amount: str = ""


def _view(pair: VendAndMeter | None = None, **changes: Any) -> View:
    made = VendAndMeter() if pair is None else pair
    return View(**{"spec": made.spec, "state": made.state, "phases": ONE_PHASE, **changes})


def _asked(code: str, view: View) -> tuple[Block, ...]:
    answered = answer(view, DEFAULT_SHORT_CODES, code=code)
    assert isinstance(answered, Shown)
    assert answered.code == code
    return answered.blocks


def _sold(tenths: int = 125) -> VendAndMeter:
    pair = VendAndMeter()
    pair.credit(tenths)
    return pair


# --- the table --------------------------------------------------------------------------------


def test_our_table_is_the_one_that_the_manual_prints() -> None:
    codes = [row.code for row in DEFAULT_SHORT_CODES]
    assert codes == [f"{number:02d}" for number in (*range(16), 90, 91)]
    assert {row.function for row in DEFAULT_SHORT_CODES} == set(ShortFunction)


def test_every_function_shows_something_or_does_something() -> None:
    assert set(ShortFunction) == ACTIONS | set(READOUTS)
    assert not ACTIONS & set(READOUTS)


@pytest.mark.parametrize("code", ["", "1234", "1a", "#1", "\N{FULLWIDTH DIGIT ONE}", " 1"])
def test_a_code_that_cannot_be_keyed_is_refused(code: str) -> None:
    with pytest.raises(MeterSpecError) as refused:
        ShortCode(code, ShortFunction.CREDIT)
    assert refused.value.field == "short_codes"


def test_a_code_stands_for_one_thing() -> None:
    require_distinct(DEFAULT_SHORT_CODES)
    with pytest.raises(MeterSpecError, match=r"twice in the table: 01$"):
        require_distinct((*DEFAULT_SHORT_CODES, ShortCode("01", ShortFunction.RELAY)))


def test_every_table_that_a_profile_can_choose_is_sound() -> None:
    assert short_code_table("standard") == DEFAULT_SHORT_CODES
    for name, table in SHORT_CODE_TABLES.items():
        require_distinct(table)
        assert short_code_table(name) == table


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(MeterSpecError, match="there are standard, none"):
        short_code_table("mine")


def test_a_make_may_have_other_codes() -> None:
    table = (ShortCode("078", ShortFunction.CREDIT),)
    assert function_of(table, "078") is ShortFunction.CREDIT
    assert function_of(table, "78") is None
    assert isinstance(answer(_view(), table, code="078"), Shown)


# --- what is shown ----------------------------------------------------------------------------


def test_credit_and_totals() -> None:
    pair = _sold()
    pair.set_load(1000)
    pair.wait(timedelta(hours=2))
    view = _view(pair)
    assert _asked("01", view) == (("CREDIT", "10.500 kWh"),)
    assert _asked("02", view) == (("TOTAL USED", "2.000 kWh"),)
    assert _asked("03", view) == (("TOTAL BOUGHT", "12.500 kWh"),)


def test_the_version() -> None:
    assert _asked("00", _view()) == (("STS VEND METER", "VERSION 1.0"),)


def test_power_of_one_phase_and_of_three() -> None:
    assert _asked("04", _view()) == (("POWER NOW", "2300 W"),)
    assert _asked("04", _view(phases=THREE_PHASES)) == (
        ("POWER         1150 W", "L1 2300 W", "L2 0 W", "L3 -1150 W"),
    )


def test_voltage_and_current() -> None:
    assert _asked("05", _view(phases=THREE_PHASES)) == (
        ("VOLTAGE, CURRENT", "L1 230 V 10.000 A", "L2 231 V 0.000 A", "L3 229 V -5.022 A"),
    )


def test_days_left_at_the_mean_of_the_latest_days() -> None:
    view = _view(_sold(), daily_use=(2000, 3000))
    assert _asked("06", view) == (("DAYS LEFT", "5", "mean of 2 days"),)
    week = _view(_sold(), daily_use=(1000,) * 7 + (10**9,))
    assert _asked("06", week) == (("DAYS LEFT", "12", "mean of 7 days"),)


def test_days_left_of_a_currency_meter_are_at_the_present_price() -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY)
    pair.currency_credit(3_425_000)
    assert _asked("06", _view(pair, daily_use=(2000,))) == (("DAYS LEFT", "5", "mean of 1 days"),)


@pytest.mark.parametrize("days", [(), (0, 0), (-5, 0)])
def test_without_use_no_days_are_told(days: tuple[int, ...]) -> None:
    view = _view(_sold(), daily_use=days)
    assert _asked("06", view) == (("DAYS LEFT", "Not known yet."),)


def test_a_debt_lasts_no_days() -> None:
    pair = VendAndMeter()
    pair.rebuild(credit=Register(-5))
    assert _asked("06", _view(pair, daily_use=(1000,)))[0][1] == "0"


def test_the_last_token() -> None:
    tokens = (Keyed(amount="5.9 kWh"), Keyed(result=ResultCode.USED_ERROR))
    assert _asked("07", _view(tokens=tokens)) == (
        ("LAST          ACCEPT", "1234 5678 9012", "3456 7890", "5.9 kWh"),
    )
    assert _asked("07", _view(tokens=tokens[1:])) == (
        ("LAST       REJECT 10", "1234 5678 9012", "3456 7890", ""),
    )


def test_the_last_ten_tokens() -> None:
    tokens = tuple(Keyed(result=ResultCode(1 + number % 16)) for number in range(12))
    blocks = _asked("08", _view(tokens=tokens))
    assert [block[0].split()[0] for block in blocks] == [f"{n}/10" for n in range(1, 11)]
    assert [block[0].split(maxsplit=1)[1].strip() for block in blocks[:4]] == [
        "ACCEPT",
        "ACCEPT",
        "ACCEPT",
        "REJECT 4",
    ]


@pytest.mark.parametrize("code", ["07", "08"])
def test_before_the_first_token_there_is_none(code: str) -> None:
    assert _asked(code, _view()) == (("LAST TOKEN", "None yet."),)


def test_the_key_s_attributes() -> None:
    assert _asked("09", _view()) == (("SGC 201457", "KRN 1 KT 2", "TI 01 KEN 255", "BASE 2014"),)
    maker = VendAndMeter(key_type=KeyType.INITIALISATION)
    unknown = replace(maker.state.key_register, key_revision_number=None, base_date=None)
    maker.rebuild(key_register=unknown)
    assert _asked("09", _view(maker))[0] == (
        "SGC 201457",
        "KRN - KT 0",
        "TI 01 KEN 255",
        "BASE -",
    )


def test_the_number_on_the_label() -> None:
    assert _asked("10", _view()) == (("DRN", "0100200002010"),)


def test_the_power_limits() -> None:
    assert _asked("11", _view()) == (("POWER LIMIT", "no limit"),)
    pair = VendAndMeter(phases=3)
    pair.power_limit(5000)
    pair.unbalance_limit(800)
    assert _asked("11", _view(pair)) == (("POWER LIMIT", "5000 W", "UNBALANCE LIMIT", "800 W"),)


def test_the_relay_and_every_reason() -> None:
    pair = _sold()
    assert _asked("12", _view(pair)) == (("SUPPLY ON",),)
    pair.tamper()
    pair.rebuild(causes=pair.state.causes | {SupplyCause.REMOTE})
    assert _asked("12", _view(pair)) == (
        ("SUPPLY OFF", "Your supplier has switched off the supply."),
        ("SUPPLY OFF", "The meter has been tampered with. Ask your supplier."),
    )


def test_a_relay_that_waits_for_the_button_says_so() -> None:
    pair = VendAndMeter(reconnect=ReconnectPolicy.BUTTON)
    pair.credit(10)
    assert _asked("12", _view(pair)) == (("SUPPLY OFF", "Press the button."),)


def test_tamper() -> None:
    pair = _sold()
    assert _asked("13", _view(pair)) == (("TAMPER", "NO"),)
    pair.tamper()
    assert _asked("13", _view(pair)) == (("TAMPER", "YES"),)


def test_the_tariff_of_a_meter_in_units() -> None:
    assert _asked("14", _view()) == (("TARIFF INDEX 01",),)


@pytest.mark.parametrize(
    ("service", "unit"), [(Service.ELECTRICITY, "1 kWh"), (Service.TIME, "1000 s")]
)
def test_the_price_of_a_currency_meter(service: Service, unit: str) -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, service=service)
    assert _asked("14", _view(pair)) == (("TARIFF INDEX 01", f"PRICE OF {unit}", "3.42500 ZAR"),)


def test_emergency_credit() -> None:
    pair = VendAndMeter(profile=PROFILES["standard"])
    assert _asked("15", _view(pair, emergency_left=3500, owed=1500)) == (
        ("EMERGENCY LEFT", "3.500 kWh"),
        ("TO PAY OFF", "1.500 kWh"),
    )


# --- what is not shown ------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["90", "91"])
def test_codes_that_do_something_are_handed_back(code: str) -> None:
    answered = answer(_view(), DEFAULT_SHORT_CODES, code=code)
    assert isinstance(answered, ActionAsked)
    assert answered.function in ACTIONS


@pytest.mark.parametrize("code", ["16", "99", "1", "001", "", "xx"])
def test_an_unknown_code_has_a_coded_answer(code: str) -> None:
    answered = answer(_view(), DEFAULT_SHORT_CODES, code=code)
    assert answered == CodeRefused(code=code, fault=ShortCodeFault.UNKNOWN)


@pytest.mark.parametrize("code", ["04", "05", "11"])
def test_a_water_meter_has_no_power_to_show(code: str) -> None:
    pair = VendAndMeter(service=Service.WATER)
    answered = answer(_view(pair, phases=()), DEFAULT_SHORT_CODES, code=code)
    assert answered == CodeRefused(code=code, fault=ShortCodeFault.NOT_IN_METER)


def test_a_meter_without_emergency_credit_says_so() -> None:
    answered = answer(_view(), DEFAULT_SHORT_CODES, code="15")
    assert answered == CodeRefused(code="15", fault=ShortCodeFault.NOT_IN_METER)


def test_every_fault_has_words() -> None:
    assert set(SHORT_CODE_FAULTS) == set(ShortCodeFault)


# --- whatever the registers hold --------------------------------------------------------------

_units: Final = st.integers(min_value=-LARGEST_REGISTER, max_value=LARGEST_REGISTER)
_tokens: Final = st.lists(
    st.builds(
        Keyed,
        digits=st.text(alphabet="0123456789?x", max_size=40),
        result=st.sampled_from(ResultCode),
        amount=st.sampled_from(["", "5.9 kWh", "123456789012345678.90000 ZAR"]),
    ),
    max_size=12,
)
_phases: Final = st.sampled_from((1, 3)).flatmap(
    lambda count: st.lists(
        st.builds(PhaseReading, _units, st.integers(0, 1000), _units),
        min_size=count,
        max_size=count,
    )
)
_PAIRS: Final = (
    VendAndMeter(),
    VendAndMeter(credit_kind=CreditKind.CURRENCY),
    VendAndMeter(service=Service.TIME),
    VendAndMeter(service=Service.WATER),
    VendAndMeter(phases=3),
)


@given(
    st.sampled_from(_PAIRS),
    _units,
    _units,
    _tokens,
    _phases,
    st.lists(_units, max_size=8),
    st.sampled_from([row.code for row in DEFAULT_SHORT_CODES]),
)
def test_whatever_a_meter_holds_every_answer_fits_the_display(
    pair: VendAndMeter,
    credit: int,
    bought: int,
    tokens: Iterable[Keyed],
    phases: Iterable[PhaseReading],
    daily_use: Iterable[int],
    code: str,
) -> None:
    state = replace(
        pair.state, credit=Register(credit), consumed=Register(bought), credit_bought=bought
    )
    view = View(
        spec=pair.spec,
        state=state,
        phases=tuple(phases),
        tokens=tuple(tokens),
        daily_use=tuple(daily_use),
        emergency_left=abs(credit),
        owed=abs(bought),
    )
    answered = answer(view, DEFAULT_SHORT_CODES, code=code)
    if isinstance(answered, Shown):
        pages = paginate(answered.blocks, seconds=1)
        assert pages
        assert all(len(page.lines) <= LINES for page in pages)
        assert all(len(line) <= COLUMNS for page in pages for line in page.lines)
