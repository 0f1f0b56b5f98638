"""The credit register: kinds, services, overflow, clearing (IEC 62055-41, 8.2 and 8.5)."""

import pytest

from sts.identifiers import EncryptionAlgorithm
from sts.meter.outcomes import Accepted, CreditAdded, CreditCleared, Refused
from sts.meter.registers import LARGEST_REGISTER, Register
from sts.meter.results import ResultCode
from sts.meter.spec import CreditKind
from sts.tokens import CreditRegister, Service
from tests.pair import VendAndMeter


@pytest.mark.parametrize(
    ("service", "units"),
    [
        (Service.ELECTRICITY, 1_200),
        (Service.WATER, 1_200),
        (Service.GAS, 1_200),
        (Service.TIME, 72),
    ],
)
def test_a_meter_adds_units_of_its_own_service(service: Service, units: int) -> None:
    pair = VendAndMeter(service=service)
    outcome = pair.credit(12)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (CreditAdded(register=CreditRegister(service), units=units),)
    assert pair.state.credit == Register(units)
    assert pair.state.credit_bought == units


@pytest.mark.parametrize("service", list(Service))
def test_a_currency_meter_adds_currency(service: Service) -> None:
    pair = VendAndMeter(service=service, credit_kind=CreditKind.CURRENCY)
    assert pair.currency_credit(10_000_000).code is ResultCode.ACCEPT
    assert pair.state.credit.whole >= 10_000_000
    assert pair.credit(1).code is ResultCode.FUNCTION_ERROR


def test_a_credit_of_nothing_is_accepted_once() -> None:
    pair = VendAndMeter()
    assert pair.credit(0).code is ResultCode.ACCEPT
    assert pair.enter(pair.digits).code is ResultCode.USED_ERROR


def test_the_register_can_be_filled_to_its_last_unit() -> None:
    pair = VendAndMeter()
    pair.rebuild(credit=Register(LARGEST_REGISTER - 100))
    assert pair.credit(1).code is ResultCode.ACCEPT
    assert pair.state.credit.whole == LARGEST_REGISTER


def test_the_total_of_credit_overflows_too() -> None:
    pair = VendAndMeter()
    pair.rebuild(credit_bought=LARGEST_REGISTER)
    assert pair.credit(1).code is ResultCode.OVERFLOW_ERROR


def test_an_enormous_currency_amount_is_an_overflow() -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY)
    assert pair.currency_credit(10**30).code is ResultCode.OVERFLOW_ERROR


def test_negative_currency_takes_credit_away() -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY)
    pair.currency_credit(16_000)
    assert pair.currency_credit(-6_000).code is ResultCode.ACCEPT
    assert pair.state.credit == Register(10_000)
    assert pair.state.credit_bought == 10_000


def test_credit_does_not_fall_below_the_smallest_allowed() -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY, min_credit=-500)
    assert pair.currency_credit(-500).code is ResultCode.ACCEPT
    outcome = pair.currency_credit(-1)
    assert isinstance(outcome, Refused)
    assert outcome.code is ResultCode.OVERFLOW_ERROR
    assert "-500" in outcome.reason


@pytest.mark.parametrize("register", [CreditRegister.ELECTRICITY, CreditRegister.ALL])
def test_clearing_the_own_register_takes_all_credit_away(register: CreditRegister) -> None:
    pair = VendAndMeter()
    pair.credit(100)
    outcome = pair.clear_credit(register)
    assert isinstance(outcome, Accepted)
    assert outcome.effects == (CreditCleared(register=CreditRegister.ELECTRICITY, units=10_000),)
    assert pair.state.credit == Register()
    assert pair.state.credit_cleared == Register(10_000)
    assert not pair.state.relay_closed


@pytest.mark.parametrize(
    "register", [r for r in CreditRegister if r not in (0, CreditRegister.ALL)]
)
def test_clearing_another_register_is_a_function_that_the_meter_lacks(
    register: CreditRegister,
) -> None:
    pair = VendAndMeter("00100001023", EncryptionAlgorithm.STA)
    pair.credit(100)
    assert pair.clear_credit(register).code is ResultCode.FUNCTION_ERROR
    assert pair.state.credit == Register(10_000)
