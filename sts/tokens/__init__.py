"""The vocabulary of tokens: one frozen dataclass a kind (IEC 62055-41, 6.2).

A value that exists is a token that may exist: every field is checked on construction. The bits
that it becomes are the business of ``sts.layouts`` and ``sts.codec``; here stands only what a
token says. ``Token`` is the union of all kinds, made for ``match`` with ``assert_never``.
"""

from typing import Final, TypeAlias

from sts.tokens.credit import TransferCredit, TransferCurrencyCredit
from sts.tokens.key_change import (
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
)
from sts.tokens.management import (
    ClearCredit,
    ClearTamperCondition,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    WriteExtended,
)
from sts.tokens.meter_test import (
    CONTROL_BITS,
    EXTENDED_FLAG_INDEX,
    InitiateMeterTest,
    ReadExtended,
)
from sts.tokens.undefined import ProprietaryManagement, ProprietaryTest, ReservedToken
from sts.tokens.vocabulary import BlockCipher, CreditRegister, Service

__all__ = [
    "CONTROL_BITS",
    "EXTENDED_FLAG_INDEX",
    "KEY_CHANGE_TOKEN_TYPES",
    "BlockCipher",
    "ClearCredit",
    "ClearTamperCondition",
    "CreditRegister",
    "CreditToken",
    "InitiateMeterTest",
    "KeyChangeToken",
    "ManagementToken",
    "ProprietaryManagement",
    "ProprietaryTest",
    "ReadExtended",
    "ReservedToken",
    "Service",
    "Set1stSectionDecoderKey",
    "Set2ndSectionDecoderKey",
    "Set3rdSectionDecoderKey",
    "Set3rdSectionSupplyGroup",
    "Set4thSectionDecoderKey",
    "SetMaximumPhasePowerUnbalanceLimit",
    "SetMaximumPowerLimit",
    "SetTariffRate",
    "SetWaterMeterFactor",
    "TestToken",
    "Token",
    "TransferCredit",
    "TransferCurrencyCredit",
    "WriteExtended",
]

CreditToken: TypeAlias = TransferCredit | TransferCurrencyCredit
TestToken: TypeAlias = InitiateMeterTest | ReadExtended | ProprietaryTest
ManagementToken: TypeAlias = (
    SetMaximumPowerLimit
    | ClearCredit
    | SetTariffRate
    | ClearTamperCondition
    | SetMaximumPhasePowerUnbalanceLimit
    | SetWaterMeterFactor
    | WriteExtended
)
KeyChangeToken: TypeAlias = (
    Set1stSectionDecoderKey
    | Set2ndSectionDecoderKey
    | Set3rdSectionSupplyGroup
    | Set3rdSectionDecoderKey
    | Set4thSectionDecoderKey
)
KEY_CHANGE_TOKEN_TYPES: Final = (
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set3rdSectionDecoderKey,
    Set4thSectionDecoderKey,
)
"""The kinds of ``KeyChangeToken``, for ``isinstance``."""

Token: TypeAlias = (
    CreditToken
    | TestToken
    | ManagementToken
    | KeyChangeToken
    | ProprietaryManagement
    | ReservedToken
)
