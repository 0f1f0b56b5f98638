"""STS prepayment tokens (IEC 62055-41): make them, read them, change keys, derive keys.

Everything here is values in, values out: time, random bits, keys and cipher tables are arguments,
and no clock, file or socket is touched. Start with ``encode`` and ``decode``; ``sts.meter`` is a
virtual prepaid meter that accepts the tokens.
"""

from sts.amount import (
    CurrencyAmount,
    PowerLimit,
    UnitAmount,
    encode_amount,
    encode_currency_amount,
    encode_power_limit,
    largest_amount_at_most,
    largest_currency_amount_at_most,
)
from sts.ciphers import SAMPLE_TABLES, StaTables, load_sta_tables, new_cipher
from sts.codec import Inspection, decode, encode, format_token, inspect
from sts.derivation import KeyAttributes, KeyDerivation, derive_decoder_key
from sts.errors import StsError
from sts.explain import Anatomy, explain
from sts.identifiers import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)
from sts.key_change import KeyChange, KeyState
from sts.key_change import build as build_key_change
from sts.key_change import check as check_key_change
from sts.key_change import join as join_key_change
from sts.key_material import DecoderKey, VendingKey
from sts.token_identifier import (
    datetime_from_tid,
    last_minute_of,
    next_token_identifier,
    special_reserved_token_identifier,
    tid_from_datetime,
)
from sts.tokens import (
    BlockCipher,
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
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

__version__ = "0.1.0"

__all__ = [
    "SAMPLE_TABLES",
    "Anatomy",
    "BaseDate",
    "BlockCipher",
    "ClearCredit",
    "ClearTamperCondition",
    "CreditRegister",
    "CurrencyAmount",
    "DecoderKey",
    "DecoderReferenceNumber",
    "EncryptionAlgorithm",
    "InitiateMeterTest",
    "Inspection",
    "KeyAttributes",
    "KeyChange",
    "KeyDerivation",
    "KeyExpiryNumber",
    "KeyGenerationAlgorithm",
    "KeyRevisionNumber",
    "KeyState",
    "KeyType",
    "MeterPan",
    "PowerLimit",
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
    "StaTables",
    "StsError",
    "SupplyGroupCode",
    "TariffIndex",
    "Token",
    "TokenCarrierType",
    "TransferCredit",
    "TransferCurrencyCredit",
    "UnitAmount",
    "VendingKey",
    "WriteExtended",
    "build_key_change",
    "check_key_change",
    "datetime_from_tid",
    "decode",
    "derive_decoder_key",
    "encode",
    "encode_amount",
    "encode_currency_amount",
    "encode_power_limit",
    "explain",
    "format_token",
    "inspect",
    "join_key_change",
    "largest_amount_at_most",
    "largest_currency_amount_at_most",
    "last_minute_of",
    "load_sta_tables",
    "new_cipher",
    "next_token_identifier",
    "special_reserved_token_identifier",
    "tid_from_datetime",
]
