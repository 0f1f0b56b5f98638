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
from sts.meter.errors import MeterSpecError, MeterStateError
from sts.meter.keypad import EMPTY, Keypad
from sts.meter.lcd import Page
from sts.meter.lockout import NO_LOCKOUT, Lockout
from sts.meter.registers import Register
from sts.meter.results import ResultCode
from sts.meter.spec import MeterSpec
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


class SupplyCause(StrEnum):
    """Why the relay is open; ``supply.CAUSES`` has the words."""

    CREDIT_EXHAUSTED = "CREDIT_EXHAUSTED"
    TAMPER = "TAMPER"
    REMOTE = "REMOTE"


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
        consumed: All that ever flowed, in the service's units (Wh, litres, seconds).
        power_limit_w: The maximum power limit; None for none.
        unbalance_limit_w: The maximum phase power unbalance limit; None for none.
        tariff_rate: As SetTariffRate left it.
        water_factor: As SetWaterMeterFactor left it.
        control_value: Index 0 of the extended token set, a value for tests.
        flags: The flags of the extended token set that are set.
        tampered: Whether the tamper status is set.
        causes: What keeps the relay open.
        relay_closed: Whether supply flows.
        load_w: The present load in register units an hour; W for electricity.
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
    power_limit_w: int | None = None
    unbalance_limit_w: int | None = None
    tariff_rate: int | None = None
    water_factor: int | None = None
    control_value: int = 0
    flags: frozenset[int] = FACTORY_FLAGS
    tampered: bool = False
    causes: frozenset[SupplyCause] = frozenset({SupplyCause.CREDIT_EXHAUSTED})
    relay_closed: bool = False
    load_w: int = 0
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
        if self.load_w < 0:
            raise MeterStateError("load_w", "negative")
        if require_utc(self.advanced_to).utcoffset() != self.advanced_to.utcoffset():
            raise MeterStateError("advanced_to", "not in UTC")

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

    Raises:
        MeterSpecError: The key's length is not that of the meter's cipher.
        NaiveDatetimeError: ``now`` has no zone.
    """
    state = MeterState(
        key_register=key_register,
        tid_store=filled_store(spec.tid_of_manufacture, spec.tid_store_size),
        advanced_to=require_utc(now),
    )
    require_fitting(spec, state)
    return state


def require_fitting(spec: MeterSpec, state: MeterState) -> None:
    """Refuse a state that does not belong to a meter so built.

    Raises:
        MeterSpecError: Another key length, store size or load than the meter can have.
    """
    found = state.key_register.decoder_key.bits
    if found != spec.encryption_algorithm.key_bits:
        message = f"takes a key of {spec.encryption_algorithm.key_bits} bits, found {found}"
        raise MeterSpecError("encryption_algorithm", message)
    if len(state.tid_store) != spec.tid_store_size:
        raise MeterSpecError("tid_store_size", f"the store holds {len(state.tid_store)}")
    if state.load_w > spec.largest_load:
        raise MeterSpecError("maximum_current_a", "the load is beyond the meter's rating")
