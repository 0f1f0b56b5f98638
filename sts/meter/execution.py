"""What the meter does with a token that is valid (IEC 62055-41, 8): one row a token kind.

``FUNCTIONS`` is the whole of it. A row says whether a meter so built has the function at all, and
how it is executed. Adding a token kind is adding a row; a test checks that none is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from sts.meter.credit import clear_credit, transfer_credit, transfer_currency_credit
from sts.meter.display import read_extended, run_tests, unsupported_tests
from sts.meter.key_change import enter_section
from sts.meter.outcomes import (
    Accepted,
    Displayed,
    Effect,
    LimitSet,
    PartStored,
    Refused,
    TamperCleared,
    ValueStored,
)
from sts.meter.results import ResultCode
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import (
    DISCONNECT_SERVICE_FLAG,
    MeterState,
    SupplyCause,
    Volatile,
)
from sts.tokens import (
    EXTENDED_FLAG_INDEX,
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
    ReservedToken,
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)
