"""Tests and displays that a class 1 token asks for: one row a test (IEC 62055-41, 8.3).

Test 0 performs all that the meter supports, several control bits are performed in ascending order,
and a test that the meter does not have makes it refuse the token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sts.identifiers import EncryptionAlgorithm
from sts.meter.display import quantity_text, watts_text
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState
from sts.tokens import InitiateMeterTest

SOFTWARE_VERSION: Final = "1.0"
LOAD_SWITCH_TEST: Final = 1
ALL_TESTS: Final = 0


@dataclass(frozen=True, slots=True)
class MeterTest:
    """One row: what the display shows, and which meters can do it.

    Attributes:
        line: The display line.
        supported: Whether a meter so built has the test.
    """

    line: Callable[[MeterSpec, MeterState], str]
    supported: Callable[[MeterSpec], bool] = lambda _spec: True


def _load_switch(_spec: MeterSpec, state: MeterState) -> str:
    return "LOAD SWITCH OPEN-CLOSE OK" if state.relay_closed else "LOAD SWITCH OPEN"


def _key(_spec: MeterSpec, state: MeterState) -> str:
    register = state.key_register
    return f"KRN {register.key_revision_number or '-'} KT {register.key_type:d}"


def _sections(spec: MeterSpec, _state: MeterState) -> str:
    if spec.encryption_algorithm is EncryptionAlgorithm.MISTY1:
        return "KCT 4"
    return f"KCT {3 if spec.supports_three_token_set else 2}"


TESTS: Final[Mapping[int, MeterTest]] = {
    1: MeterTest(_load_switch),
    2: MeterTest(lambda _spec, _state: "8888888888"),
    3: MeterTest(lambda spec, state: f"TOTAL {quantity_text(spec.service, state.consumed.whole)}"),
    4: MeterTest(_key),
    5: MeterTest(lambda _spec, state: f"TI {state.key_register.tariff_index}"),
    6: MeterTest(lambda _spec, _state: "KEYPAD OK"),
    7: MeterTest(
        lambda _spec, state: f"POWER LIMIT {watts_text(state.power_limit_w)}",
        lambda spec: spec.measures_power,
    ),
    8: MeterTest(lambda _spec, state: f"TAMPER {'YES' if state.tampered else 'NO'}"),
    9: MeterTest(
        lambda _spec, state: f"POWER {state.load_w if state.relay_closed else 0} W",
        lambda spec: spec.measures_power,
    ),
    10: MeterTest(lambda _spec, _state: f"VERSION {SOFTWARE_VERSION}"),
    11: MeterTest(
        lambda _spec, state: f"UNBALANCE LIMIT {watts_text(state.unbalance_limit_w)}",
        lambda spec: spec.is_polyphase,
    ),
    12: MeterTest(
        lambda _spec, state: f"WATER FACTOR {state.water_factor or 0}",
        lambda spec: spec.stores_water_factor,
    ),
    13: MeterTest(
        lambda _spec, state: f"TARIFF RATE {state.tariff_rate or 0}",
        lambda spec: spec.stores_tariff_rate,
    ),
    14: MeterTest(lambda spec, _state: f"EA {spec.encryption_algorithm}"),
    15: MeterTest(_sections),
    16: MeterTest(lambda _spec, state: f"SGC {state.key_register.supply_group_code}"),
    17: MeterTest(
        lambda _spec, state: f"KEN {state.key_expiry_number}",
        lambda spec: spec.supports_key_expiry,
    ),
    18: MeterTest(lambda spec, _state: f"DRN {spec.decoder_reference_number}"),
}
"""Test number to what the meter does; control bits beyond are reserved."""


def supports_tests(spec: MeterSpec, token: InitiateMeterTest) -> bool:
    """Tell whether the meter has every test that the token asks for, and it asks for one."""
    tests = token.tests
    return bool(tests) and all(
        number == ALL_TESTS or (number in TESTS and TESTS[number].supported(spec))
        for number in tests
    )


def lines_of_tests(spec: MeterSpec, state: MeterState, token: InitiateMeterTest) -> tuple[str, ...]:
    """Return the display lines of the tests, ascending.

    Test 0 leaves the load switch alone: somebody reading the meter does not mean to switch.
    """
    numbers = token.tests
    if numbers == (ALL_TESTS,):
        numbers = tuple(
            number
            for number, test in TESTS.items()
            if number != LOAD_SWITCH_TEST and test.supported(spec)
        )
    return tuple(TESTS[number].line(spec, state) for number in numbers)
