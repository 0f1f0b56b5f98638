"""Illegal meters cannot be built."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sts.errors import NaiveDatetimeError
from sts.identifiers import (
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.meter.errors import MeterLoadError, MeterSpecError, MeterStateError
from sts.meter.profiles import MeterProfile
from sts.meter.registers import FINE_PARTS, LARGEST_REGISTER, Register
from sts.meter.spec import CreditKind, MeterSpec, PricePeriod, require_bearable
from sts.meter.state import DecoderKeyRegister, new_state, require_fitting
from sts.tokens import CreditRegister, Service
from tests.pair import DITK, PRICES, START, VendAndMeter


def _spec(**changes: Any) -> MeterSpec:
    return MeterSpec(
        decoder_reference_number=DecoderReferenceNumber("0100200002010"),
        encryption_algorithm=EncryptionAlgorithm.MISTY1,
        **changes,
    )


def _register(**changes: Any) -> DecoderKeyRegister:
    fields = {
        "decoder_key": DITK[128],
        "key_type": KeyType.UNIQUE,
        "supply_group_code": SupplyGroupCode(1),
        "tariff_index": TariffIndex(1),
        "key_revision_number": KeyRevisionNumber(1),
        **changes,
    }
    return DecoderKeyRegister(**fields)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("phases", {"phases": 2}),
        ("phases", {"phases": 3, "service": Service.WATER}),
        ("nominal_voltage_v", {"nominal_voltage_v": 0}),
        ("nominal_voltage_v", {"nominal_voltage_v": 1001}),
        ("maximum_current_a", {"maximum_current_a": 0}),
        ("maximum_current_a", {"maximum_current_a": 10_001}),
        ("tid_of_manufacture", {"tid_of_manufacture": -1}),
        ("tid_of_manufacture", {"tid_of_manufacture": 1 << 24}),
        ("time_zone", {"time_zone": "Africa/Nowhere"}),
        ("time_zone", {"time_zone": "Africa"}),
        ("time_zone", {"time_zone": "../Johannesburg"}),
        ("min_credit", {"min_credit": 1}),
        ("min_credit", {"min_credit": -LARGEST_REGISTER - 1}),
        ("no_limit_code", {"no_limit_code": 0x10000}),
        ("stores_water_factor", {"stores_water_factor": True}),
        ("credit_kind", {"currency": "ZAR"}),
        ("credit_kind", {"prices": PRICES}),
        ("currency", {"credit_kind": CreditKind.CURRENCY, "prices": PRICES}),
        (
            "currency",
            {"credit_kind": CreditKind.CURRENCY, "prices": PRICES, "currency": "zar"},
        ),
        (
            "currency",
            {"credit_kind": CreditKind.CURRENCY, "prices": PRICES, "currency": "ZARS"},
        ),
        ("prices", {"credit_kind": CreditKind.CURRENCY, "currency": "ZAR"}),
        (
            "prices",
            {"credit_kind": CreditKind.CURRENCY, "currency": "ZAR", "prices": PRICES * 2},
        ),
    ],
)
def test_impossible_meters_are_refused_by_the_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(MeterSpecError) as caught:
        _spec(**changes)
    assert caught.value.code == "METER_SPEC"
    assert caught.value.field == field


@pytest.mark.parametrize("price", [0, -1, 10**12 + 1])
def test_a_price_is_positive_and_sensible(price: int) -> None:
    with pytest.raises(MeterSpecError):
        PricePeriod(starts_at=START, per_thousand=price)


def test_a_price_begins_at_a_moment_with_a_zone() -> None:
    with pytest.raises(MeterSpecError):
        PricePeriod(starts_at=START.replace(tzinfo=None), per_thousand=1)


@pytest.mark.parametrize("service", list(Service))
def test_a_meter_has_the_register_of_its_service_and_kind(service: Service) -> None:
    assert _spec(service=service).register is CreditRegister(service)
    currency = _spec(
        service=service, credit_kind=CreditKind.CURRENCY, currency="ZAR", prices=PRICES
    )
    assert currency.register is CreditRegister(service + 4)


def test_the_largest_load_follows_from_the_ratings() -> None:
    assert _spec(phases=3, maximum_current_a=100).largest_load == 69_000
    assert _spec(service=Service.GAS).largest_load == 1_000_000


def test_a_meter_bears_ten_times_its_current_for_a_moment() -> None:
    assert _spec(phases=3, maximum_current_a=100).bearable_load == 230_000
    assert _spec(service=Service.WATER).bearable_load == 1_000_000


@pytest.mark.parametrize(
    ("service", "watts", "volts", "message"),
    [
        (Service.ELECTRICITY, (138_001,), None, "at most 138000 W"),
        (Service.ELECTRICITY, (-138_001,), None, "at most 138000 W"),
        (Service.ELECTRICITY, (1, 1), None, "phases"),
        (Service.ELECTRICITY, (1,), (1001,), "at most 1000 V"),
        (Service.WATER, (-1,), None, "from 0 to 1000000"),
        (Service.GAS, (1_000_001,), None, "from 0 to 1000000"),
    ],
)
def test_a_load_that_cannot_be_is_refused(
    service: Service, watts: tuple[int, ...], volts: tuple[int, ...] | None, message: str
) -> None:
    with pytest.raises(MeterLoadError, match=message) as caught:
        require_bearable(_spec(service=service), watts, volts)
    assert caught.value.code == "METER_LOAD"


def test_a_common_key_cannot_be_in_a_keypad_meter() -> None:
    with pytest.raises(MeterStateError) as caught:
        _register(key_type=KeyType.COMMON)
    assert caught.value.code == "METER_STATE"
    assert caught.value.field == "key_type"


def test_only_an_initialisation_key_has_no_revision() -> None:
    with pytest.raises(MeterStateError):
        _register(key_revision_number=None)
    register = _register(key_revision_number=None, key_type=KeyType.INITIALISATION)
    assert register.key_revision_number is None


@pytest.mark.parametrize(
    "changes",
    [
        {"tid_store": ()},
        {"tid_store": (2, 1)},
        {"tid_store": (-1, 1)},
        {"tid_store": (1, 1 << 24)},
        {"relay_closed": True},
        {"low_credit_grade": 3},
        {"advanced_to": START.astimezone(timezone(timedelta(hours=2)))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_states_that_contradict_themselves_are_refused(changes: dict[str, Any]) -> None:
    state = VendAndMeter().state
    with pytest.raises(MeterStateError) as caught:
        replace(state, **changes)
    assert caught.value.field == next(iter(changes))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetimeError):
        new_state(_spec(), _register(), now=START.replace(tzinfo=None))


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(MeterSpecError):
        new_state(_spec(), _register(decoder_key=DITK[64]), now=START)


def test_a_store_of_another_size_does_not_fit() -> None:
    state = new_state(_spec(), _register(), now=START)
    with pytest.raises(MeterSpecError):
        require_fitting(_spec(profile=MeterProfile(tid_store_size=60)), state)


@pytest.mark.parametrize(
    ("field", "built", "changes"),
    [
        ("maximum_current_a", {"maximum_current_a": 5}, {"watts": (13_800,)}),
        ("maximum_current_a", {}, {"watts": (1, 2, 3)}),
        ("phases", {"phases": 3}, {}),
        ("phases", {}, {"unbalance_limit_w": 1000}),
        ("service", {"service": Service.GAS}, {"power_limit_w": 1000}),
        ("maximum_current_a", {}, {"volts": (1001,)}),
    ],
)
def test_a_state_of_another_meter_does_not_fit(
    field: str, built: dict[str, Any], changes: dict[str, Any]
) -> None:
    state = replace(new_state(_spec(), _register(), now=START), **changes)
    with pytest.raises(MeterSpecError) as caught:
        require_fitting(_spec(**built), state)
    assert caught.value.field == field


def test_a_state_that_says_nothing_of_a_load_fits_every_meter() -> None:
    state = replace(new_state(_spec(), _register(), now=START), watts=())
    require_fitting(_spec(maximum_current_a=1), state)


def test_a_new_meter_has_no_credit_and_no_supply() -> None:
    state = new_state(
        _spec(tid_of_manufacture=7), _register(), now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert state.tid_store == (7,) * 50
    assert state.credit == Register()
    assert not state.relay_closed
    assert state.last_result is None


@pytest.mark.parametrize(
    ("whole", "carry"),
    [(LARGEST_REGISTER + 1, 0), (-LARGEST_REGISTER - 1, 0), (0, -1), (0, FINE_PARTS)],
)
def test_registers_have_63_bits_and_a_carry_below_one(whole: int, carry: int) -> None:
    with pytest.raises(MeterStateError):
        Register(whole, carry)


def test_registers_count_down_through_zero_without_loss() -> None:
    register = Register(1).plus_fine(-FINE_PARTS - 1)
    assert register == Register(-1, FINE_PARTS - 1)
    assert register.plus(1).plus_fine(1) == Register(1)


def test_a_key_is_never_shown() -> None:
    state = VendAndMeter().state
    assert state.key_register.decoder_key.expose().hex() not in repr(state).lower()
