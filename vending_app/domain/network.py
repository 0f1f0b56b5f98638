"""Where: supply groups, areas and feeders, service points, and the meters there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias

from keys.canonical_json import JsonObject
from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    Service,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)


class KeyPolicy(StrEnum):
    """What a sale does about a meter whose key should change."""

    NEVER = "never"
    OFFER = "offer"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyGroup:
    """The policy of a supply group for its token identifiers and keys.

    Attributes:
        tenant: Whose group.
        code: Its number.
        utc_offset: The fixed offset of its token identifiers.
        lead_cap_minutes: How far token identifiers may run ahead of the clock.
        key_policy: What a sale does about a key change that is due.
        ti_follows_tariff: Whether another tariff means another tariff index, and so a new key.
        allow_dkga_change: Whether a meter may go from DKGA02 to DKGA04.
    """

    tenant: str
    code: SupplyGroupCode
    utc_offset: timedelta
    lead_cap_minutes: int
    key_policy: KeyPolicy = KeyPolicy.OFFER
    ti_follows_tariff: bool = False
    allow_dkga_change: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of the network that people know by name."""

    tenant: str
    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeder:
    """A line or pipe that supplies service points of an area."""

    tenant: str
    code: str
    name: str
    area_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePoint:
    """Where one service reaches one account.

    Attributes:
        tenant: Whose network.
        code: Names the place.
        account_number: Who pays for what is used there.
        place: For people.
        service: What is supplied.
        feeder_code: What supplies it, if that is known.
    """

    tenant: str
    code: str
    account_number: str
    place: str
    service: Service
    feeder_code: str | None = None


class Life(StrEnum):
    """Where a meter is in its life."""

    STOCK = "stock"
    INSTALLED = "installed"
    COMMISSIONED = "commissioned"
    ACTIVE = "active"
    REMOVED = "removed"
    REPAIRED = "repaired"
    SCRAPPED = "scrapped"


NEXT_LIVES: Final[Mapping[Life, frozenset[Life]]] = {
    Life.STOCK: frozenset({Life.INSTALLED, Life.SCRAPPED}),
    Life.INSTALLED: frozenset({Life.COMMISSIONED, Life.ACTIVE, Life.REMOVED}),
    Life.COMMISSIONED: frozenset({Life.ACTIVE, Life.REMOVED}),
    Life.ACTIVE: frozenset({Life.REMOVED}),
    Life.REMOVED: frozenset({Life.REPAIRED, Life.SCRAPPED}),
    Life.REPAIRED: frozenset({Life.STOCK, Life.INSTALLED, Life.SCRAPPED}),
    Life.SCRAPPED: frozenset(),
}
"""Which steps a meter's life can take."""

SELLABLE: Final = frozenset({Life.INSTALLED, Life.COMMISSIONED, Life.ACTIVE})
"""A meter takes credit once it hangs somewhere; its first sale makes it active."""


class CreditKind(StrEnum):
    """What a meter counts down."""

    UNIT = "unit"
    CURRENCY = "currency"


KeyName: TypeAlias = tuple[SupplyGroupCode, KeyRevisionNumber, TariffIndex]
"""What people call the key of a meter by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKey:
    """Which key is in a meter.

    Attributes:
        supply_group_code: Of the vending key that it comes from.
        tariff_index: Which of the keys for this meter it is.
        key_revision_number: Of the vending key.
        key_type: 0 the maker's, 1 default, 2 unique.
        base_date: What token identifiers count from.
        key_expiry_number: As the meter was told it.
    """

    supply_group_code: SupplyGroupCode
    tariff_index: TariffIndex
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    base_date: BaseDate
    key_expiry_number: KeyExpiryNumber

    @property
    def called(self) -> KeyName:
        """What people call it by; in one meter, keys that are called the same are the same."""
        return self.supply_group_code, self.key_revision_number, self.tariff_index

    def body(self) -> JsonObject:
        """Return it as plain JSON values."""
        return {
            "supply_group_code": str(self.supply_group_code),
            "tariff_index": int(self.tariff_index),
            "key_revision_number": int(self.key_revision_number),
            "key_type": int(self.key_type),
            "base_date": str(self.base_date),
            "key_expiry_number": int(self.key_expiry_number),
        }

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "MeterKey":
        """Return what ``body`` returned."""
        return cls(
            supply_group_code=SupplyGroupCode.parse(body["supply_group_code"]),
            tariff_index=TariffIndex(body["tariff_index"]),
            key_revision_number=KeyRevisionNumber(body["key_revision_number"]),
            key_type=KeyType.parse(body["key_type"]),
            base_date=BaseDate.parse(body["base_date"]),
            key_expiry_number=KeyExpiryNumber(body["key_expiry_number"]),
        )


class Serving(StrEnum):
    """Which of a meter's keys the next tokens are made for."""

    PRESENT = "present"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter as vending knows it.

    Attributes:
        tenant: Whose meter.
        drn: Its number.
        life: Where it is in its life.
        service_point_code: Where it hangs; None in stock.
        service: What it measures.
        credit_kind: What it counts down.
        phases: 1 or 3.
        model: As its maker calls it.
        maximum_tenths: The most that it takes in one token, in tenths of its unit; None: what the
            code holds.
        takes_supply_group: Whether it knows the third token of a key change for a 64-bit key.
        encryption_algorithm: The cipher in it.
        token_carrier_type: How tokens reach it.
        present_key: The key that it holds if nothing of the change on its way was entered; with
            several changes on their way, of the last one.
        new_key: The key that a change on its way brings; None if there is none.
        serving: Which of the two the next tokens are made for.
        blocked: Whether sales to it are stopped.
        block_reason: Why, for the cashier.
    """

    tenant: str
    drn: DecoderReferenceNumber
    life: Life
    service_point_code: str | None
    service: Service
    credit_kind: CreditKind
    phases: int
    encryption_algorithm: EncryptionAlgorithm
    token_carrier_type: TokenCarrierType
    present_key: MeterKey
    new_key: MeterKey | None = None
    serving: Serving = Serving.PRESENT
    model: str = ""
    maximum_tenths: int | None = None
    takes_supply_group: bool = False
    blocked: bool = False
    block_reason: str = ""

    @property
    def key(self) -> MeterKey:
        """The key that the next tokens are made for."""
        if self.serving is Serving.NEW:
            assert self.new_key is not None
            return self.new_key
        return self.present_key
