"""Tests and displays of class 1 (IEC 62055-41, 8.3)."""

from dataclasses import replace
from typing import Final

import pytest

from sts.identifiers import EncryptionAlgorithm, KeyType
from sts.meanings import TEST_NAMES
from sts.meter.meter_tests import TESTS
from sts.meter.outcomes import Accepted, Displayed, Outcome
from sts.meter.results import ResultCode
from sts.tokens import InitiateMeterTest, Service
from tests.pair import VendAndMeter

LINES: Final = {
    1: "LOAD SWITCH OPEN-CLOSE OK",
    2: "8888888888",
    3: "TOTAL 0.000 kWh",
    4: "KRN 1 KT 2",
    5: "TI 01",
    6: "KEYPAD OK",
    7: "POWER LIMIT 5000 W",
    8: "TAMPER NO",
    9: "POWER 2300 W",
    10: "VERSION 1.0",
    11: "UNBALANCE LIMIT no limit",
    13: "TARIFF RATE 9",
    14: "EA 11",
    15: "KCT 4",
    16: "SGC 201457",
    17: "KEN 255",
    18: "DRN 0100200002010",
}


def _pair() -> VendAndMeter:
    pair = VendAndMeter(phases=3, stores_tariff_rate=True)
    pair.credit(10)
    pair.power_limit(5000)
    pair.tariff_rate(9)
    pair.set_load(2300)
    return pair


def _lines(outcome: Outcome) -> tuple[str, ...]:
    assert isinstance(outcome, Accepted)
    (effect,) = outcome.effects
    assert isinstance(effect, Displayed)
    return effect.lines


@pytest.mark.parametrize("number", list(LINES))
@pytest.mark.parametrize("digits", [2, 4])
def test_each_test_shows_its_line(number: int, digits: int) -> None:
    outcome = _pair().test(number, manufacturer_digits=4 if digits == 4 else 2)
    assert _lines(outcome) == (LINES[number],)


def test_test_0_performs_all_that_the_meter_has_but_the_load_switch() -> None:
    expected = tuple(line for number, line in LINES.items() if number != 1)
    assert _lines(_pair().test(0)) == expected


def test_several_tests_are_performed_in_ascending_order() -> None:
    assert _lines(_pair().test(18, 3, 5)) == (LINES[3], LINES[5], LINES[18])


def test_every_test_of_the_standard_has_a_row() -> None:
    assert {0, *TESTS} == set(TEST_NAMES)


@pytest.mark.parametrize("number", [19, 28])
def test_reserved_tests_are_refused(number: int) -> None:
    assert VendAndMeter().test(number).code is ResultCode.FUNCTION_ERROR


def test_a_test_that_the_meter_lacks_spoils_the_others_with_it() -> None:
    assert VendAndMeter().test(3, 11).code is ResultCode.FUNCTION_ERROR


def test_a_token_that_asks_for_nothing_is_refused() -> None:
    assert VendAndMeter().vend(InitiateMeterTest(control=0)).code is ResultCode.FUNCTION_ERROR


@pytest.mark.parametrize("number", [11, 12, 13])
def test_tests_of_what_is_not_built_in_are_refused(number: int) -> None:
    assert VendAndMeter().test(number).code is ResultCode.FUNCTION_ERROR


def test_a_water_meter_shows_water() -> None:
    pair = VendAndMeter(service=Service.WATER, stores_water_factor=True)
    assert _lines(pair.test(12)) == ("WATER FACTOR 0",)
    assert _lines(pair.test(3)) == ("TOTAL 0.000 m³",)
    assert pair.test(9).code is ResultCode.FUNCTION_ERROR


def test_a_meter_without_supply_draws_nothing() -> None:
    pair = VendAndMeter()
    pair.set_load(100)
    assert _lines(pair.test(1, 9)) == ("LOAD SWITCH OPEN", "POWER 0 W")


def test_a_meter_without_expiry_numbers_does_not_show_one() -> None:
    pair = VendAndMeter(supports_key_expiry=False)
    assert pair.test(17).code is ResultCode.FUNCTION_ERROR


@pytest.mark.parametrize(("supported", "line"), [(True, "KCT 3"), (False, "KCT 2")])
def test_a_64_bit_meter_shows_how_many_parts_it_takes(*, supported: bool, line: str) -> None:
    pair = VendAndMeter("00100001023", EncryptionAlgorithm.STA, supports_three_token_set=supported)
    assert _lines(pair.test(15)) == (line,)


def test_an_initialisation_key_has_no_revision() -> None:
    pair = VendAndMeter(key_type=KeyType.INITIALISATION)
    register = pair.state.key_register
    assert _lines(pair.test(4)) == ("KRN 1 KT 0",)
    pair.rebuild(key_register=replace(register, key_revision_number=None))
    assert _lines(pair.test(4)) == ("KRN - KT 0",)


def test_tamper_is_shown() -> None:
    pair = VendAndMeter()
    pair.tamper()
    assert _lines(pair.test(8)) == ("TAMPER YES",)


def test_the_extended_values_are_shown() -> None:
    pair = VendAndMeter()
    pair.write_control_value(123)
    assert _lines(pair.read_control_value()) == ("CONTROL VALUE 123",)
    assert _lines(pair.read_flag(0)) == ("FLAG 0 = 0",)
    assert _lines(pair.read_flag(1)) == ("FLAG 1 = 1",)
