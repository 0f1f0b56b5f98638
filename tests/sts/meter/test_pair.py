"""Every kind of token that the library makes is taken by the meter, under either cipher."""

import subprocess
import sys
from collections.abc import Callable
from typing import Final, get_args

import pytest

from sts.identifiers import EncryptionAlgorithm, SupplyGroupCode
from sts.meter.outcomes import Outcome, Refused
from sts.meter.results import ResultCode
from sts.meter.spec import CreditKind
from sts.tokens import (
    ClearCredit,
    ClearTamperCondition,
    InitiateMeterTest,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
    ReservedToken,
    Service,
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)
from tests.pair import VendAndMeter

STA: Final = ("00100001023", EncryptionAlgorithm.STA)
MISTY1: Final = ("0100200002010", EncryptionAlgorithm.MISTY1)
NEW: Final = {"supply_group_code": SupplyGroupCode(203557)}

Meter = tuple[str, EncryptionAlgorithm]


def _part(number: int) -> Callable[[Meter], Outcome]:
    def enter(meter: Meter) -> Outcome:
        pair = VendAndMeter(*meter)
        return pair.change_key(NEW, set_size=3 if meter == STA else 4, order=(number,))[0]

    return enter


VEND: Final[dict[type, Callable[[Meter], Outcome]]] = {
    TransferCredit: lambda meter: VendAndMeter(*meter).credit(1),
    TransferCurrencyCredit: lambda meter: VendAndMeter(
        *meter, credit_kind=CreditKind.CURRENCY
    ).currency_credit(1),
    InitiateMeterTest: lambda meter: VendAndMeter(*meter).test(0),
    ReadExtended: lambda meter: VendAndMeter(*meter).read_flag(0),
    SetMaximumPowerLimit: lambda meter: VendAndMeter(*meter).power_limit(1),
    ClearCredit: lambda meter: VendAndMeter(*meter).clear_credit(),
    SetTariffRate: lambda meter: VendAndMeter(*meter, stores_tariff_rate=True).tariff_rate(1),
    Set1stSectionDecoderKey: _part(1),
    Set2ndSectionDecoderKey: _part(2),
    Set3rdSectionSupplyGroup: lambda _meter: _part(3)(STA),
    Set3rdSectionDecoderKey: lambda _meter: _part(3)(MISTY1),
    Set4thSectionDecoderKey: lambda _meter: _part(4)(MISTY1),
    ClearTamperCondition: lambda meter: VendAndMeter(*meter).clear_tamper(),
    SetMaximumPhasePowerUnbalanceLimit: lambda meter: VendAndMeter(
        *meter, phases=3
    ).unbalance_limit(1),
    SetWaterMeterFactor: lambda meter: VendAndMeter(
        *meter, service=Service.WATER, stores_water_factor=True
    ).water_factor(1),
    WriteExtended: lambda meter: VendAndMeter(*meter).write_control_value(1),
    ProprietaryTest: lambda meter: VendAndMeter(*meter).proprietary_test(11, 0),
    ProprietaryManagement: lambda meter: VendAndMeter(*meter).proprietary_management(11),
    ReservedToken: lambda meter: VendAndMeter(*meter).reserved(0, 8),
}
REFUSED: Final = {ProprietaryTest, ProprietaryManagement, ReservedToken}


@pytest.mark.parametrize("kind", list(VEND), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("meter", [STA, MISTY1], ids=["EA07", "EA11"])
def test_what_is_vended_is_entered(kind: type, meter: Meter) -> None:
    outcome = VEND[kind](meter)
    assert type(outcome.token) is kind
    assert isinstance(outcome, Refused) == (kind in REFUSED)
    assert not isinstance(outcome, Refused) or outcome.code is ResultCode.FUNCTION_ERROR


def test_no_kind_is_left_out() -> None:
    assert set(VEND) == set(get_args(Token))


def test_the_pure_meter_needs_no_database_and_no_terminal() -> None:
    # Coverage may have loaded some of them before: what counts is what our import adds.
    program = (
        "import sys; before = set(sys.modules); import sts.meter; "
        "print(*{'sqlite3', 'sqlite_utils', 'click', 'rich'} & set(sys.modules) - before)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
