"""Every rule that a sound meter keeps is found broken where it is broken."""

from dataclasses import replace
from typing import Any

import pytest

from sts.identifiers import EncryptionAlgorithm
from sts.meter.checks import failures
from sts.meter.profiles import PROFILES
from sts.meter.registers import Register
from sts.meter.spec import CreditKind
from sts.meter.state import PhaseEnergy, SupplyCause
from tests.pair import VendAndMeter


@pytest.mark.parametrize("credit_kind", list(CreditKind))
def test_a_new_meter_is_sound(credit_kind: CreditKind) -> None:
    pair = VendAndMeter(credit_kind=credit_kind)
    assert list(failures(pair.spec, pair.state)) == []


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"credit_bought": 1}, "ENERGY_BALANCE"),
        ({"tid_store": (0,) * 49}, "TID_STORE_SIZE"),
        ({"causes": frozenset({SupplyCause.TAMPER})}, "TAMPER_WITHOUT_STATUS"),
    ],
)
def test_what_is_broken_has_a_code(broken: dict[str, Any], code: str) -> None:
    pair = VendAndMeter()
    assert [found for found, _ in failures(pair.spec, replace(pair.state, **broken))] == [code]


def test_credit_below_the_lowest_is_found() -> None:
    pair = VendAndMeter(algorithm=EncryptionAlgorithm.MISTY1, credit_kind=CreditKind.CURRENCY)
    state = replace(pair.state, credit=Register(-1))
    assert [code for code, _ in failures(pair.spec, state)] == ["CREDIT_TOO_LOW"]


@pytest.mark.parametrize(
    ("profile", "floor", "lowest"),
    [
        ("plain", None, 0),
        ("plain", Register(-500), -500),
        ("friendly", None, -10_000),
        ("friendly", Register(-11_000), -11_000),
    ],
)
def test_how_low_credit_may_fall_is_what_the_meter_lends(
    profile: str, floor: Register | None, lowest: int
) -> None:
    pair = VendAndMeter(profile=PROFILES[profile])
    state = replace(
        pair.state,
        credit=Register(lowest),
        consumed=Register(-lowest),
        emergency_floor=floor,
    )
    assert list(failures(pair.spec, state)) == []
    below = replace(state, credit=Register(lowest - 1), consumed=Register(1 - lowest))
    assert [code for code, _ in failures(pair.spec, below)] == ["CREDIT_TOO_LOW"]


def test_phases_that_do_not_add_up_are_found() -> None:
    pair = VendAndMeter(phases=3)
    phases = (PhaseEnergy(Register(1), Register()), PhaseEnergy(), PhaseEnergy())
    state = replace(pair.state, phase_energy=phases)
    assert [code for code, _ in failures(pair.spec, state)] == ["PHASE_BALANCE"]
    level = replace(state, phase_energy=(PhaseEnergy(Register(1), Register(1)),) * 3)
    assert list(failures(pair.spec, level)) == []
