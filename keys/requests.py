"""What a security module can be asked for: a meter, and what to say to it.

A request is a token without its random bits: those are the module's own. Every request is checked
on construction by making the token that it asks for, so one that exists can be issued.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Final, Protocol

from keys.errors import ReservedMinuteError
from keys.registered_key import KeyName
from sts import (
    BaseDate,
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    CurrencyAmount,
    EncryptionAlgorithm,
    KeyAttributes,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    PowerLimit,
    Service,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    SupplyGroupCode,
    TariffIndex,
    Token,
    TokenCarrierType,
    TransferCredit,
    TransferCurrencyCredit,
    UnitAmount,
    WriteExtended,
)
from sts.errors import FieldRangeError
from sts.token_identifier import LAST_TID_MINUTES, is_reserved_minute

RANDOM_VALUES: Final = 16
"""Random bits of a token: 4 (IEC 62055-41, 6.3.4), so all values from 0 to 15."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfiguration:
    """A meter and the key that it holds, as the vending side knows them (IEC 62055-41, 6.1).

    Attributes:
        tenant: Whose meter it is.
        meter_pan: The meter.
        supply_group_code: Of the key in the meter.
        tariff_index: Of the key in the meter.
        key_revision_number: Of the key in the meter.
        key_type: Of the key in the meter; with 0 only the meter and its cipher count.
        encryption_algorithm: The cipher in the meter.
        token_carrier_type: How tokens reach it.
        key_expiry_number: As the meter was told it; None for that of the vending key today.
    """

    tenant: str
    meter_pan: MeterPan
    supply_group_code: SupplyGroupCode
    tariff_index: TariffIndex
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    encryption_algorithm: EncryptionAlgorithm
    token_carrier_type: TokenCarrierType = TokenCarrierType.NUMERIC
    key_expiry_number: KeyExpiryNumber | None = None

    @property
    def key_name(self) -> KeyName:
        """What names the vending key that made the key in the meter."""
        return KeyName(
            tenant=self.tenant,
            supply_group_code=self.supply_group_code,
            key_revision_number=self.key_revision_number,
        )

    def key_attributes(self, base_date: BaseDate) -> KeyAttributes:
        """Return what decides the key in the meter, given its base date."""
        return KeyAttributes(
            meter_pan=self.meter_pan,
            supply_group_code=self.supply_group_code,
            tariff_index=self.tariff_index,
            key_revision_number=self.key_revision_number,
            key_type=self.key_type,
            base_date=base_date,
            encryption_algorithm=self.encryption_algorithm,
        )


class TokenRequest(Protocol):
    """Everything that ``issue`` can be asked for.

    Attributes:
        tid_minutes: The token identifier.
        special_reserved: Whether it is the reserved minute of a day, 00:01.
        unrandomised: The token that is asked for, with zero for its random bits: the same as
            ``token(0)``, made once. What is asked for is recognised by it.
    """

    @property
    def tid_minutes(self) -> int: ...  # noqa: D102 - see the class

    @property
    def special_reserved(self) -> bool: ...  # noqa: D102 - see the class

    @property
    def unrandomised(self) -> Token: ...  # noqa: D102 - see the class

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for, with these random bits if its kind has any."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request(ABC):
    """What all requests have in common.

    Attributes:
        tid_minutes: The token identifier, 1 to 16777215; the caller chooses one that is free.
        special_reserved: Whether it is the reserved minute 00:01 of a day, for a special token
            agreed with the utility (IEC 62055-41, 6.3.5.2).
        unrandomised: The token that is asked for, with zero for its random bits.

    Raises:
        FieldRangeError: A value that no token can carry.
        ReservedMinuteError: ``special_reserved`` and the token identifier do not go together.
    """

    tid_minutes: int
    special_reserved: bool = False
    unrandomised: Token = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check all fields by way of the token that they make, and keep it."""
        object.__setattr__(self, "unrandomised", self.token(0))
        # 0 is what a meter's store is filled with after a rollover.
        if self.tid_minutes == 0:
            raise FieldRangeError("tid_minutes", low=1, high=LAST_TID_MINUTES, found=0)
        if is_reserved_minute(self.tid_minutes) is not self.special_reserved:
            raise ReservedMinuteError(self.tid_minutes)

    @abstractmethod
    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRequest(_Request):
    """Ask for a TransferCredit token: ``amount`` tenths of a unit of the service."""

    service: Service
    amount: UnitAmount

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return TransferCredit(
            service=self.service, rnd=random_bits, tid=self.tid_minutes, amount=self.amount
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyCreditRequest(_Request):
    """Ask for a TransferCurrencyCredit token, whose amount may be negative."""

    service: Service
    amount: CurrencyAmount

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for; this kind has no random bits."""
        del random_bits
        return TransferCurrencyCredit(
            service=self.service, tid=self.tid_minutes, amount=self.amount
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximumPowerLimitRequest(_Request):
    """Ask for a SetMaximumPowerLimit token."""

    limit: PowerLimit

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return SetMaximumPowerLimit(rnd=random_bits, tid=self.tid_minutes, limit=self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePowerUnbalanceLimitRequest(_Request):
    """Ask for a SetMaximumPhasePowerUnbalanceLimit token."""

    limit: PowerLimit

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return SetMaximumPhasePowerUnbalanceLimit(
            rnd=random_bits, tid=self.tid_minutes, limit=self.limit
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCreditRequest(_Request):
    """Ask for a ClearCredit token."""

    register: CreditRegister

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return ClearCredit(rnd=random_bits, tid=self.tid_minutes, register=self.register)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTamperRequest(_Request):
    """Ask for a ClearTamperCondition token."""

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return ClearTamperCondition(rnd=random_bits, tid=self.tid_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffRateRequest(_Request):
    """Ask for a SetTariffRate token; the standard gives its 16 bits no meaning yet."""

    rate: int

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return SetTariffRate(rnd=random_bits, tid=self.tid_minutes, rate=self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterMeterFactorRequest(_Request):
    """Ask for a SetWaterMeterFactor token; the standard gives its 16 bits no meaning yet."""

    factor: int

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return SetWaterMeterFactor(rnd=random_bits, tid=self.tid_minutes, factor=self.factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteExtendedRequest(_Request):
    """Ask for a token of the extended set that writes a register or a flag (STS 202-5)."""

    index: int
    data: int

    def token(self, random_bits: int) -> Token:
        """Return the token that is asked for."""
        return WriteExtended(
            rnd=random_bits, tid=self.tid_minutes, index=self.index, data=self.data
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """Which key a meter is to have; the vending key named here decides the rest.

    Attributes:
        supply_group_code: Of the new key.
        key_revision_number: Of the new key.
        tariff_index: Of the new key.
        with_supply_group_code: Whether a set for a 64-bit key brings the supply group code in a
            third token; meters of the first edition do not know it. A 128-bit key always has it.
        allow_algorithm_change: Whether the supply group lets a meter go from DKGA02 to DKGA04.
    """

    supply_group_code: SupplyGroupCode
    key_revision_number: KeyRevisionNumber
    tariff_index: TariffIndex
    with_supply_group_code: bool = False
    allow_algorithm_change: bool = True
