"""The numbers that name a meter, a supply group and a key (IEC 62055-41, 6.1).

Every class validates on construction and is frozen, so a value that exists is a value that is
right. ``parse`` takes what people type; ``str`` gives the standard's decimal form back.
"""

from sts.identifiers.codes import (
    BaseDate,
    EncryptionAlgorithm,
    KeyGenerationAlgorithm,
    TokenCarrierType,
)
from sts.identifiers.key_attributes import (
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.identifiers.meter_number import (
    IIN_FOUR_DIGIT_MANUFACTURER,
    IIN_TWO_DIGIT_MANUFACTURER,
    DecoderReferenceNumber,
    MeterPan,
)

__all__ = [
    "IIN_FOUR_DIGIT_MANUFACTURER",
    "IIN_TWO_DIGIT_MANUFACTURER",
    "BaseDate",
    "DecoderReferenceNumber",
    "EncryptionAlgorithm",
    "KeyExpiryNumber",
    "KeyGenerationAlgorithm",
    "KeyRevisionNumber",
    "KeyType",
    "MeterPan",
    "SupplyGroupCode",
    "TariffIndex",
    "TokenCarrierType",
]
