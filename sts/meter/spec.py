"""What a meter was built as: the facts that no token changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from sts.ciphers import SAMPLE_TABLES
from sts.identifiers import DecoderReferenceNumber, EncryptionAlgorithm
from sts.meter.calendars import UTC_NAME, time_zone
from sts.meter.errors import MeterLoadError, MeterSpecError
from sts.meter.profiles import (
    PROFILES,
    STANDARD_PROFILE,
    CreditLevels,
    MeterProfile,
    ReconnectPolicy,
)
from sts.meter.registers import LARGEST_REGISTER
from sts.token_identifier import LAST_TID_MINUTES
from sts.tokens import CreditRegister, Service

NO_LIMIT_CODE: Final = 0xFFFF
"""The code of a power limit that many makes take for "no limit"; the standard is silent."""
LARGEST_VOLTAGE: Final = 1000
LARGEST_CURRENT: Final = 10_000
LARGEST_PRICE: Final = 10**12
"""Of a thousand units: far from any tariff, and below one unit for the smallest quantity."""
LARGEST_FLOW: Final = 1_000_000
"""Of water or gas, in litres an hour: more than any meter for one customer passes."""
BEARABLE: Final = 10
"""How many times its maximum current a meter bears for a moment; then the main fuse has blown."""

_CURRENCY_LETTERS: Final = 3


class CreditKind(StrEnum):
    """What a meter counts down."""

    UNIT = "unit"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePeriod:
    """One row of a currency meter's price table.

    Attributes:
        starts_at: From when on the price holds, aware.
        per_thousand: Price of a thousand register units (a kWh, a m³, 1000 s), in 0.00001 of
            the currency.

    Raises:
        MeterSpecError: A price that is not positive, or a time without a zone.
    """

    starts_at: datetime
    per_thousand: int

    def __post_init__(self) -> None:
        """Check the price and the zone."""
        if not 0 < self.per_thousand <= LARGEST_PRICE:
            raise MeterSpecError("prices", f"a price is from 1 to {LARGEST_PRICE}")
        if self.starts_at.utcoffset() is None:
            raise MeterSpecError("prices", "a time has no time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSpec:
    """What was built.

    Attributes:
        decoder_reference_number: The number on the label; its maker's code answers class 1.
        encryption_algorithm: The cipher in the meter.
        service: What it meters.
        credit_kind: Whether credit is in units or in currency.
        currency: Three letters, of a currency meter.
        prices: The price table of a currency meter, earliest first. Before the first row its
            price holds too.
        phases: 1, or 3 for polyphase electricity.
        nominal_voltage_v: Of one phase.
        maximum_current_a: Of one phase; with the voltage it bounds the load.
        supports_key_expiry: Whether the meter keeps and checks a key expiry number.
        supports_three_token_set: Whether a 64-bit decoder knows sets of three tokens; decoders
            with 128 bits always take four.
        stores_tariff_rate: Whether SetTariffRate is implemented (reserved by the standard).
        stores_water_factor: Whether SetWaterMeterFactor is implemented (reserved).
        tid_of_manufacture: What the token identifier store is filled with at the factory.
        min_credit: How far credit may go below zero, in register units; 0 or negative.
        no_limit_code: The code of a limit that means none; None if every code is a limit.
        time_zone: Where its local days begin and its friendly hours lie: a name of the tz
            database.
        profile: The habits of its make.
        lockout_survives_power_cycle: Whether switching the power off and on leaves the lock-out
            for wrong tokens as it is; otherwise it begins anew.
        sta_tables_fingerprint: The STA tables in the meter; only EA07 uses them.

    Raises:
        MeterSpecError: No such meter can be built; the error names the field.
    """

    decoder_reference_number: DecoderReferenceNumber
    encryption_algorithm: EncryptionAlgorithm
    service: Service = Service.ELECTRICITY
    credit_kind: CreditKind = CreditKind.UNIT
    currency: str = ""
    prices: tuple[PricePeriod, ...] = ()
    phases: Literal[1, 3] = 1
    nominal_voltage_v: int = 230
    maximum_current_a: int = 60
    supports_key_expiry: bool = True
    supports_three_token_set: bool = True
    stores_tariff_rate: bool = False
    stores_water_factor: bool = False
    tid_of_manufacture: int = 0
    min_credit: int = 0
    no_limit_code: int | None = NO_LIMIT_CODE
    time_zone: str = UTC_NAME
    profile: MeterProfile = PROFILES[STANDARD_PROFILE]
    lockout_survives_power_cycle: bool = False
    sta_tables_fingerprint: str = SAMPLE_TABLES.fingerprint

    def __post_init__(self) -> None:
        """Check what can contradict itself."""
        self._check_ratings()
        self._check_prices()
        _require("tid_of_manufacture", self.tid_of_manufacture, low=0, high=LAST_TID_MINUTES)
        _require("min_credit", self.min_credit, low=-LARGEST_REGISTER, high=0)
        if self.no_limit_code is not None:
            _require("no_limit_code", self.no_limit_code, low=0, high=0xFFFF)
        time_zone(self.time_zone)
        if self.stores_water_factor and self.service is not Service.WATER:
            raise MeterSpecError("stores_water_factor", "only a water meter has one")

    def _check_ratings(self) -> None:
        if self.phases not in (1, 3):
            raise MeterSpecError("phases", "must be 1 or 3")
        if self.is_polyphase and not self.measures_power:
            raise MeterSpecError("phases", "only electricity has three")
        _require("nominal_voltage_v", self.nominal_voltage_v, low=1, high=LARGEST_VOLTAGE)
        _require("maximum_current_a", self.maximum_current_a, low=1, high=LARGEST_CURRENT)

    def _check_prices(self) -> None:
        if self.credit_kind is CreditKind.UNIT:
            if self.prices or self.currency:
                raise MeterSpecError(
                    "credit_kind", "a meter in units has neither price nor currency"
                )
            return
        letters = self.currency.isascii() and self.currency.isalpha() and self.currency.isupper()
        if len(self.currency) != _CURRENCY_LETTERS or not letters:
            raise MeterSpecError("currency", "must be three capital letters")
        starts = [period.starts_at for period in self.prices]
        if not starts or starts != sorted(set(starts)):
            raise MeterSpecError("prices", "a currency meter has at least one, earliest first")

    @property
    def register(self) -> CreditRegister:
        """The one credit register that the meter has."""
        above = 4 if self.credit_kind is CreditKind.CURRENCY else 0
        return CreditRegister(int(self.service) + above)

    @property
    def measures_power(self) -> bool:
        """Whether the load is a power in watts, so that it can be limited."""
        return self.service is Service.ELECTRICITY

    @property
    def is_polyphase(self) -> bool:
        """Whether there are phases that can be unbalanced."""
        return self.phases != 1

    @property
    def largest_load(self) -> int:
        """What it is built for, in register units an hour; W for electricity."""
        if self.measures_power:
            return self.nominal_voltage_v * self.maximum_current_a * self.phases
        return LARGEST_FLOW

    @property
    def bearable_load(self) -> int:
        """What it bears for a moment, in register units an hour; W of one phase for electricity.

        A load between the maximum current and this is for the meter to deal with: it opens the
        relay. Beyond it there is no such load, for the main fuse has blown.
        """
        if self.measures_power:
            return self.nominal_voltage_v * self.maximum_current_a * BEARABLE
        return LARGEST_FLOW

    @property
    def levels(self) -> CreditLevels:
        """Warnings and loans, in units of the credit register."""
        if self.credit_kind is CreditKind.CURRENCY:
            return self.profile.currency_levels
        return self.profile.unit_levels

    @property
    def reconnect(self) -> ReconnectPolicy:
        """Whether the relay closes by itself."""
        return self.profile.reconnect

    @property
    def tid_store_size(self) -> int:
        """How many token identifiers the meter remembers."""
        return self.profile.tid_store_size


def require_bearable(
    spec: MeterSpec, watts: tuple[int, ...], volts: tuple[int, ...] | None = None
) -> None:
    """Refuse a load that a meter so built cannot have, not even for a moment.

    Electricity may flow backward, and up to ten times the maximum current; water and gas flow one
    way. A load beyond the maximum current is for the meter itself to deal with.

    Raises:
        MeterLoadError: Another number of phases, or too much.
    """
    if len(watts) != spec.phases:
        raise MeterLoadError(f"a load of {len(watts)} for a meter of {spec.phases}: phases")
    largest = spec.bearable_load
    if not spec.measures_power:
        if min(watts) < 0 or max(watts) > largest:
            raise MeterLoadError(f"a flow is a whole number from 0 to {largest}")
        return
    if min(watts) < -largest or max(watts) > largest:
        raise MeterLoadError(f"a load is at most {largest} W a phase, in or out")
    if volts is not None and not all(0 <= voltage <= LARGEST_VOLTAGE for voltage in volts):
        raise MeterLoadError(f"a voltage is at most {LARGEST_VOLTAGE} V")


def _require(field: str, value: int, *, low: int, high: int) -> None:
    if not low <= value <= high:
        raise MeterSpecError(field, f"must be from {low} to {high}, found {value}")
