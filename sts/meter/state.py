"""What a meter remembers: registers that survive power loss, and pending parts that do not."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from sts.derivation import KeyAttributes
from sts.identifiers import (
    BaseDate,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.meter.buzzer import Mute
from sts.meter.errors import MeterLoadError, MeterSpecError, MeterStateError
from sts.meter.keypad import EMPTY, Keypad
from sts.meter.lcd import Page
from sts.meter.lockout import NO_LOCKOUT, Lockout
from sts.meter.registers import Register
from sts.meter.results import ResultCode
from sts.meter.spec import MeterSpec, require_bearable
from sts.meter.tid_store import filled_store
from sts.token_identifier import LAST_TID_MINUTES, require_utc
from sts.tokens import KeyChangeToken

NO_EXPIRY: Final = KeyExpiryNumber(255)
UNKNOWN_SUPPLY_GROUP: Final = SupplyGroupCode(0)
"""What a meter shows after a set of two tokens, which does not bring the code."""
DETECT_TAMPER_FLAG: Final = 1
DISCONNECT_SERVICE_FLAG: Final = 2
DISCONNECT_ON_TAMPER_FLAG: Final = 3
FACTORY_FLAGS: Final = frozenset({DETECT_TAMPER_FLAG, DISCONNECT_ON_TAMPER_FLAG})
"""Flags of the extended token set that are set when the meter leaves the factory."""
LARGEST_GRADE: Final = 2
"""Of the warnings of low credit."""


class SupplyCause(StrEnum):
    """Why the relay is open; ``supply.CAUSES`` has the words."""

    CREDIT_EXHAUSTED = "CREDIT_EXHAUSTED"
    POWER_LIMIT = "POWER_LIMIT"
    PHASE_UNBALANCE = "PHASE_UNBALANCE"
    OVER_CURRENT = "OVER_CURRENT"
    TAMPER = "TAMPER"
    LOAD_SWITCH_TEST = "LOAD_SWITCH_TEST"
    REMOTE = "REMOTE"
    SUPERVISOR = "SUPERVISOR"


class TamperKind(StrEnum):
    """What somebody did to the meter."""

    COVER = "COVER"
    MAGNETIC = "MAGNETIC"
    REVERSE = "REVERSE"


@dataclass(frozen=True, slots=True)
class PhaseEnergy:
    """The registers of one of several phases."""

    imported: Register = Register()
    exported: Register = Register()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The registers in whole units at a moment, where a half hour or a day began."""

    at: datetime
    imported: int
    exported: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """How a limit of the load stands.

    Attributes:
        over_since: Since when the load has been beyond it without a pause; None if it is not.
        trips: How many trips close together there were.
        tripped_at: When the last of them was.
        open_until: Until when it keeps the relay open; None if it does not.

    Raises:
        MeterStateError: Fewer than no trips.
    """

    over_since: datetime | None = None
    trips: int = 0
    tripped_at: datetime | None = None
    open_until: datetime | None = None

    def __post_init__(self) -> None:
        """Check the count."""
        if self.trips < 0:
            raise MeterStateError("trips", "negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderKeyRegister:
    """The key that opens the meter's tokens, and its attributes (IEC 62055-41, 7.1 and 6.5.2).

    Attributes:
        decoder_key: The key; never shown.
        key_type: What it is for.
        supply_group_code: 000000 if unknown.
        tariff_index: The meter's entry in the tariff table.
        key_revision_number: Of the vending key it stems from; None for a DITK, which has none.
        key_expiry_number: Until when it may be used.
        base_date: The zero point of its token identifiers; None if the meter was not told. Only
            the display speaks of it.

    Raises:
        MeterStateError: A common key, or a revision number missing.
    """

    decoder_key: DecoderKey
    key_type: KeyType
    supply_group_code: SupplyGroupCode
    tariff_index: TariffIndex
    key_revision_number: KeyRevisionNumber | None
    key_expiry_number: KeyExpiryNumber = NO_EXPIRY
    base_date: BaseDate | None = None

    def __post_init__(self) -> None:
        """Check that a keypad meter can hold such a key."""
        if self.key_type is KeyType.COMMON:
            raise MeterStateError("key_type", "common keys are for magnetic-card meters")
        if self.key_revision_number is None and self.key_type is not KeyType.INITIALISATION:
            raise MeterStateError("key_revision_number", "only an initialisation key has none")

    @classmethod
    def from_attributes(
        cls,
        decoder_key: DecoderKey,
        attributes: KeyAttributes,
        *,
        key_expiry_number: KeyExpiryNumber = NO_EXPIRY,
    ) -> Self:
        """Make the register of a key whose derivation is known."""
        return cls(
            decoder_key=decoder_key,
            key_type=attributes.key_type,
            supply_group_code=attributes.supply_group_code,
            tariff_index=attributes.tariff_index,
            key_revision_number=attributes.key_revision_number,
            key_expiry_number=key_expiry_number,
            base_date=attributes.base_date,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterState:
    """What survives power loss; every transition returns a new one.

    Attributes:
        key_register: The decoder key and its attributes.
        tid_store: Accepted token identifiers, ascending, always full.
        credit: What is left, in the units of ``spec.register``.
        credit_bought: All credit ever accepted.
        credit_cleared: All credit ever taken away by ClearCredit tokens.
        consumed: All that ever flowed in, in the service's units (Wh, litres, seconds).
        exported: All that ever flowed back.
        phase_energy: The same for each of several phases; none of a single one.
        emergency_floor: How far credit may fall since emergency credit was taken; None when it is
            repaid, or was not taken.
        low_credit_grade: How many of the two warnings of low credit are on.
        cut_alarm: Whether the relay will open within seconds because credit ends.
        power_limit_w: The maximum power limit; None for none.
        unbalance_limit_w: The maximum phase power unbalance limit; None for none.
        power_limit: How the former stands.
        phase_unbalance: How the latter stands.
        over_current: How the meter's own maximum current stands.
        tariff_rate: As SetTariffRate left it.
        water_factor: As SetWaterMeterFactor left it.
        control_value: Index 0 of the extended token set, a value for tests.
        flags: The flags of the extended token set that are set.
        tamper_kinds: What the tamper status stands for; nothing if it is not set.
        tampering: What is going on now: an open cover, a magnet.
        reverse_since: Since when energy has been flowing backward where that is tampering.
        causes: What keeps the relay open.
        last_cause: What came last to keep it open; None if nothing ever has.
        test_until: When the load switch test ends; None if there is none.
        relay_closed: Whether supply flows.
        watts: The present load of each phase: W, negative if it feeds back; litres an hour for
            water and gas. Nothing stands for no load.
        volts: The present voltage of each phase; None is nominal.
        interval_start: The registers when the present half hour began.
        day_start: The registers when the present local day began.
        advanced_to: Up to when time has passed in this state, UTC.
        last_result: The answer to the last token.
        lockout: How many tokens were refused in a row, and what followed from it.
        powered: Whether the network feeds the meter; without power nothing flows.

    Raises:
        MeterStateError: The registers contradict each other.
        NaiveDatetimeError: ``advanced_to`` has no zone.
    """

    key_register: DecoderKeyRegister
    tid_store: tuple[int, ...]
    credit: Register = Register()
    credit_bought: int = 0
    credit_cleared: Register = Register()
    consumed: Register = Register()
    exported: Register = Register()
    phase_energy: tuple[PhaseEnergy, ...] = ()
    emergency_floor: Register | None = None
    low_credit_grade: int = 0
    cut_alarm: bool = False
    power_limit_w: int | None = None
    unbalance_limit_w: int | None = None
    power_limit: LimitState = LimitState()
    phase_unbalance: LimitState = LimitState()
    over_current: LimitState = LimitState()
    tariff_rate: int | None = None
    water_factor: int | None = None
    control_value: int = 0
    flags: frozenset[int] = FACTORY_FLAGS
    tamper_kinds: frozenset[TamperKind] = frozenset()
    tampering: frozenset[TamperKind] = frozenset()
    reverse_since: datetime | None = None
    causes: frozenset[SupplyCause] = frozenset({SupplyCause.CREDIT_EXHAUSTED})
    last_cause: SupplyCause | None = SupplyCause.CREDIT_EXHAUSTED
    test_until: datetime | None = None
    relay_closed: bool = False
    watts: tuple[int, ...] = ()
    volts: tuple[int, ...] | None = None
    interval_start: Reading | None = None
    day_start: Reading | None = None
    advanced_to: datetime
    last_result: ResultCode | None = None
    lockout: Lockout = NO_LOCKOUT
    powered: bool = True

    def __post_init__(self) -> None:
        """Check what can contradict itself."""
        if list(self.tid_store) != sorted(self.tid_store):
            raise MeterStateError("tid_store", "not in ascending order")
        if (
            not self.tid_store
            or not 0 <= self.tid_store[0] <= self.tid_store[-1] <= LAST_TID_MINUTES
        ):
            raise MeterStateError("tid_store", "empty, or not token identifiers")
        if self.relay_closed and self.causes:
            raise MeterStateError("relay_closed", "closed although something keeps it open")
        if self.low_credit_grade not in range(LARGEST_GRADE + 1):
            raise MeterStateError("low_credit_grade", f"from 0 to {LARGEST_GRADE}")
        if require_utc(self.advanced_to).utcoffset() != self.advanced_to.utcoffset():
            raise MeterStateError("advanced_to", "not in UTC")

    @property
    def load_w(self) -> int:
        """The present load of all phases together, W or litres an hour."""
        return sum(self.watts)

    @property
    def tampered(self) -> bool:
        """Whether the tamper status is set."""
        return bool(self.tamper_kinds)

    @property
    def key_type(self) -> KeyType:
        """The type of the key, for validation."""
        return self.key_register.key_type

    @property
    def key_expiry_number(self) -> KeyExpiryNumber:
        """The expiry of the key, for validation."""
        return self.key_register.key_expiry_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Volatile:
    """What a power loss takes away.

    Attributes:
        pending: Parts of a key change set, waiting for the rest.
        last_part_at: When the last of them was entered; None if there are none.
        keypad: What has been keyed of a token or a short code.
        shown: Pages that stand on the display before it goes back to rest.
        shown_at: When the first of them appeared; None if nobody has touched the meter.
        mute: An alarm that somebody has silenced.
    """

    pending: tuple[KeyChangeToken, ...] = ()
    last_part_at: datetime | None = None
    keypad: Keypad = EMPTY
    shown: tuple[Page, ...] = ()
    shown_at: datetime | None = None
    mute: Mute | None = None


def new_state(spec: MeterSpec, key_register: DecoderKeyRegister, *, now: datetime) -> MeterState:
    """Return the state of a meter that leaves the factory: no credit, relay open.

    It does not warn of credit that it never had.

    Raises:
        MeterSpecError: The key's length is not that of the meter's cipher.
        NaiveDatetimeError: ``now`` has no zone.
    """
    nothing = Reading(at=require_utc(now), imported=0, exported=0)
    state = MeterState(
        key_register=key_register,
        tid_store=filled_store(spec.tid_of_manufacture, spec.tid_store_size),
        phase_energy=(PhaseEnergy(),) * spec.phases if spec.is_polyphase else (),
        low_credit_grade=sum(
            level is not None for level in (spec.levels.low, spec.levels.very_low)
        ),
        watts=(0,) * spec.phases,
        interval_start=nothing,
        day_start=nothing,
        advanced_to=nothing.at,
    )
    require_fitting(spec, state)
    return state


def require_fitting(spec: MeterSpec, state: MeterState) -> None:
    """Refuse a state that does not belong to a meter so built.

    Raises:
        MeterSpecError: Another key length, store size, number of phases or load than the meter can
            have, or a limit of something that it does not measure.
    """
    found = state.key_register.decoder_key.bits
    if found != spec.encryption_algorithm.key_bits:
        message = f"takes a key of {spec.encryption_algorithm.key_bits} bits, found {found}"
        raise MeterSpecError("encryption_algorithm", message)
    if len(state.tid_store) != spec.tid_store_size:
        raise MeterSpecError("tid_store_size", f"the store holds {len(state.tid_store)}")
    if len(state.phase_energy) != (spec.phases if spec.is_polyphase else 0):
        raise MeterSpecError("phases", "the registers are those of another number of phases")
    if state.unbalance_limit_w is not None and not spec.is_polyphase:
        raise MeterSpecError("phases", "a single phase has no limit of unbalance")
    if state.power_limit_w is not None and not spec.measures_power:
        raise MeterSpecError("service", "a limit of power is for electricity")
    if state.watts:
        try:
            require_bearable(spec, state.watts, state.volts)
        except MeterLoadError as error:
            raise MeterSpecError("maximum_current_a", str(error)) from None
