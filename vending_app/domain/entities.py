"""The things that selling is about, as values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)
from vending_app.domain.money import Currency, Money
from vending_app.domain.quotes import QuoteLine
from vending_app.domain.tariffs import FlatTariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A utility or landlord; everything else belongs to one.

    Attributes:
        code: Its short name, part of its operators' log-ins.
        name: As it stands on receipts.
        currency: What it sells in.
        time_zone: Its local calendar, an IANA name.
    """

    code: str
    name: str
    currency: Currency
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Someone who works here.

    Attributes:
        tenant: Where.
        login: Unique within the tenant.
        display_name: For people.
        role: ``cashier`` for one.
        password_hash: Salted scrypt; stays out of every repr.
        active: Whether log-in is allowed.
    """

    tenant: str
    login: str
    display_name: str
    role: str
    password_hash: str
    active: bool

    def __repr__(self) -> str:
        """Show who it is, not the hash."""
        return f"<Operator {self.login}@{self.tenant}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyGroup:
    """The policy of a supply group for its token identifiers.

    Attributes:
        tenant: Whose group.
        code: Its number.
        utc_offset: The fixed offset of its token identifiers.
        lead_cap_minutes: How far token identifiers may run ahead of the clock.
    """

    tenant: str
    code: SupplyGroupCode
    utc_offset: timedelta
    lead_cap_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter in service: where it hangs, what it costs, which key it holds.

    Attributes:
        tenant: Whose meter.
        drn: Its number.
        customer_number: Whose account pays for it.
        customer_name: For people.
        place: Where it hangs.
        phases: 1 or 3.
        tariff_code: Its tariff, a key of the tariff table.
        supply_group_code: Of the key in the meter.
        tariff_index: Of the key in the meter.
        key_revision_number: Of the key in the meter.
        key_type: Of the key in the meter.
        encryption_algorithm: The cipher in the meter.
        token_carrier_type: How tokens reach it.
    """

    tenant: str
    drn: DecoderReferenceNumber
    customer_number: str
    customer_name: str
    place: str
    phases: int
    tariff_code: str
    supply_group_code: SupplyGroupCode
    tariff_index: TariffIndex
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    encryption_algorithm: EncryptionAlgorithm
    token_carrier_type: TokenCarrierType


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A tariff and the code it is found by."""

    tenant: str
    code: str
    terms: FlatTariff


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldToken:
    """A token that was made for a sale, as it is kept.

    Attributes:
        digits: The 20 digits.
        tid_minutes: Its token identifier.
        base_date: What that counts from.
        energy_tenths_kwh: What it carries.
        supply_group_code: Of the key that it is made for.
        key_revision_number: Of that key.
        key_type: Of that key.
        tariff_index: Of that key.
        encryption_algorithm: The cipher that made it.
        key_expiry_number: Of the vending key at that time.
        sample_tables: Whether the SAMPLE tables made it: not for real meters.
    """

    digits: str
    tid_minutes: int
    base_date: BaseDate
    energy_tenths_kwh: int
    supply_group_code: SupplyGroupCode
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    tariff_index: TariffIndex
    encryption_algorithm: EncryptionAlgorithm
    key_expiry_number: int
    sample_tables: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A sale as it was made; nothing of it changes later.

    Attributes:
        tenant: Who sold.
        number: Counts the tenant's sales without a gap.
        request_id: The client's name for its request.
        request_hash: SHA-256 of what was asked for.
        drn: The meter.
        customer_name: At the time of sale.
        operator: The log-in of who sold.
        tariff_code: At the time of sale.
        tariff_name: At the time of sale.
        price_minor_per_kwh: At the time of sale.
        tendered: The money.
        lines: They add up to the money.
        token: What the customer got for it.
        sold_at: When.
        reprints: How often the receipt was printed again.
    """

    tenant: str
    number: int
    request_id: str
    request_hash: str
    drn: DecoderReferenceNumber
    customer_name: str
    operator: str
    tariff_code: str
    tariff_name: str
    price_minor_per_kwh: Fraction
    tendered: Money
    lines: tuple[QuoteLine, ...]
    token: SoldToken
    sold_at: datetime
    reprints: int = 0
