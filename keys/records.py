"""What is known of a vending key besides its bytes."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keys.errors import RecordError
from sts import (
    BaseDate,
    DecoderKey,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    VendingKey,
)

CHECK_VALUE_LENGTH: Final = 6
_CHECK_VALUE_LABEL: Final = b"vending key check value"
_HEX_DIGITS: Final = frozenset("0123456789ABCDEF")


@dataclass(frozen=True, slots=True, kw_only=True)
class VendingKeyRecord:
    """Metadata of one vending key; never its bytes.

    Attributes:
        tenant: Who may use the key.
        supply_group_code: The group that the key serves.
        key_revision_number: Which of the group's keys it is.
        key_type: The type of decoder key it makes: 1 of a VDDK, 2 of a VUDK, 3 of a VCDK.
        key_generation_algorithm: How decoder keys are derived from it.
        base_date: The zero point of its token identifiers.
        key_expiry_number: Until when it may be used.
        check_value: Six hexadecimal digits by which two people compare keys without showing them.

    Raises:
        RecordError: An empty tenant, key type 0, or a check value of another form.
    """

    tenant: str
    supply_group_code: SupplyGroupCode
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    key_generation_algorithm: KeyGenerationAlgorithm
    base_date: BaseDate
    key_expiry_number: KeyExpiryNumber
    check_value: str

    def __post_init__(self) -> None:
        """Check what the types of the fields leave open."""
        if not self.tenant:
            raise RecordError("a vending key belongs to a tenant")
        if self.key_type is KeyType.INITIALISATION:
            raise RecordError("no vending key makes decoder keys of type 0")
        if len(self.check_value) != CHECK_VALUE_LENGTH or not _HEX_DIGITS.issuperset(
            self.check_value
        ):
            raise RecordError("a check value is six upper-case hexadecimal digits")


def check_value_of(key: VendingKey | DecoderKey) -> str:
    """Return the check value of a key.

    The first three bytes of an HMAC-SHA-256 under the key, for keys of every length.
    """
    return check_value_with_mac(lambda m: hmac.digest(key.expose(), m, hashlib.sha256))


def check_value_with_mac(mac: Callable[[bytes], bytes]) -> str:
    """Return the check value of a key that stays where it is.

    Args:
        mac: Returns HMAC-SHA-256 of a message under the key.
    """
    return mac(_CHECK_VALUE_LABEL)[: CHECK_VALUE_LENGTH // 2].hex().upper()
