"""Habits of makes: what the standard leaves to whoever builds a meter, as named profiles.

Meters differ in what they do with energy that flows backward, how long they bear an overload, how
often they try again, when they warn, and what they lend. A profile is all of that under one name;
no other module asks which make a meter is. Nobody's product is imitated: a profile has habits that
public texts describe, and each row of ``PROFILES`` says where they are described.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import time
from enum import StrEnum
from typing import Final

from sts.meter.calendars import NO_FRIENDLY_HOURS, FriendlyHours, FriendlyWindow, Holiday
from sts.meter.errors import MeterSpecError
from sts.meter.short_codes import STANDARD_SHORT_CODES, short_code_table
from sts.token_identifier import TID_STORE_SIZE

LARGEST_STORE: Final = 1000
LONGEST_DELAY_S: Final = 7 * 86_400
MOST_RETRIES: Final = 100
LARGEST_LEVEL: Final = 10**15
"""Of a warning or of credit that is lent, in register units."""
STANDARD_PROFILE: Final = "standard"


def _require(record: object, field: str, *, low: int, high: int) -> None:
    value = getattr(record, field)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise MeterSpecError(field, f"must be a whole number from {low} to {high}, found {value}")


class ReverseEnergy(StrEnum):
    """What a meter makes of energy that flows from the customer into the network.

    On three phases it also says what the total is: see ``flow``.
    """

    IGNORE = "ignore"
    """Nothing: it only counts forward, each phase by itself."""
    CHARGE = "charge"
    """It counts as consumption, each phase by its magnitude."""
    REGISTER = "register"
    """It has a register of its own; the phases are added with their signs."""
    TAMPER = "tamper"
    """It counts as consumption and, if it lasts, as tampering."""


class ReconnectPolicy(StrEnum):
    """What a meter does when nothing keeps its relay open any longer."""

    AUTOMATIC = "automatic"
    """It closes the relay by itself."""
    BUTTON = "button"
    """It waits until somebody presses the button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitHabit:
    """How a meter deals with a load beyond a limit.

    It bears the load for ``trip_delay_s``, opens the relay, waits for ``retry_wait_s`` and tries
    again. After ``retries`` such trials it stays open for ``lock_s`` and begins anew. A trip that
    comes later than ``within_s`` after the one before counts as the first.

    Attributes:
        trip_delay_s: How long the load may be beyond the limit without a pause.
        retries: How often it tries again.
        retry_wait_s: How long the relay is open between two trials.
        lock_s: How long it is open after the last one.
        within_s: How far apart trips may be to be counted together.

    Raises:
        MeterSpecError: A time is negative, nothing, or longer than a week.
    """

    trip_delay_s: int = 30
    retries: int = 3
    retry_wait_s: int = 120
    lock_s: int = 1800
    within_s: int = 1800

    def __post_init__(self) -> None:
        """Check all five."""
        _require(self, "trip_delay_s", low=0, high=LONGEST_DELAY_S)
        _require(self, "retries", low=0, high=MOST_RETRIES)
        # A relay that waits for no time at all would never come to rest.
        _require(self, "retry_wait_s", low=1, high=LONGEST_DELAY_S)
        _require(self, "lock_s", low=1, high=LONGEST_DELAY_S)
        _require(self, "within_s", low=0, high=LONGEST_DELAY_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLevels:
    """Amounts of credit at which something happens, in units of the credit register.

    Attributes:
        low: At or below, the first warning; None for no warning.
        very_low: At or below, the second one.
        emergency: How much the customer may borrow; 0 for nothing.
        emergency_from: At or below, they may ask for it.
        friendly: How far credit may fall below zero in friendly hours.

    Raises:
        MeterSpecError: An amount is negative or too large, or the warnings are in the wrong order.
    """

    low: int | None
    very_low: int | None
    emergency: int
    emergency_from: int
    friendly: int

    def __post_init__(self) -> None:
        """Check all five."""
        for field in fields(self):
            if getattr(self, field.name) is not None:
                _require(self, field.name, low=0, high=LARGEST_LEVEL)
        if self.very_low is not None and (self.low is None or self.very_low >= self.low):
            raise MeterSpecError("very_low", "the second warning comes below the first")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterProfile:
    """All habits of a make.

    Attributes:
        name: How the profile is called.
        reverse_energy: What becomes of energy that flows backward.
        reverse_tamper_s: How long it flows until it is tampering, if it ever is.
        reconnect: Whether the relay closes by itself.
        power_limit: What happens above the maximum power limit.
        phase_unbalance: What happens above the limit of unbalance between phases.
        over_current: What happens above the meter's own maximum current.
        unit_levels: Warnings and loans of a meter whose credit is in units.
        currency_levels: The same of a meter whose credit is in currency.
        cut_alarm_s: How long before the cut the alarm begins; 0 for no alarm.
        friendly: When credit that is exhausted does not open the relay.
        load_switch_test_s: How long the load switch test keeps the relay open.
        tid_store_size: How many token identifiers the meter remembers (7.3.8).
        short_codes: Which set of short codes the keypad knows.

    Raises:
        MeterSpecError: A value that no meter can have; the error names the field.
    """

    name: str = STANDARD_PROFILE
    reverse_energy: ReverseEnergy = ReverseEnergy.REGISTER
    reverse_tamper_s: int = 60
    reconnect: ReconnectPolicy = ReconnectPolicy.AUTOMATIC
    power_limit: LimitHabit = LimitHabit()
    phase_unbalance: LimitHabit = LimitHabit()
    over_current: LimitHabit = LimitHabit(trip_delay_s=10)
    unit_levels: CreditLevels = CreditLevels(
        low=20_000, very_low=5_000, emergency=5_000, emergency_from=5_000, friendly=10_000
    )
    currency_levels: CreditLevels = CreditLevels(
        low=5_000_000,
        very_low=1_000_000,
        emergency=1_000_000,
        emergency_from=1_000_000,
        friendly=2_000_000,
    )
    cut_alarm_s: int = 30
    friendly: FriendlyHours = NO_FRIENDLY_HOURS
    load_switch_test_s: int = 5
    tid_store_size: int = TID_STORE_SIZE
    short_codes: str = STANDARD_SHORT_CODES

    def __post_init__(self) -> None:
        """Check what is not checked by its own type."""
        if not self.name.isprintable() or not self.name.strip():
            raise MeterSpecError("profile", "a profile has a name")
        _require(self, "reverse_tamper_s", low=1, high=LONGEST_DELAY_S)
        _require(self, "cut_alarm_s", low=0, high=LONGEST_DELAY_S)
        _require(self, "load_switch_test_s", low=1, high=LONGEST_DELAY_S)
        short_code_table(self.short_codes)
        _require(self, "tid_store_size", low=TID_STORE_SIZE, high=LARGEST_STORE)


_OVERNIGHT: Final = FriendlyHours(
    windows=(
        FriendlyWindow(weekdays=frozenset({0, 1, 2, 3, 4}), starts=time(16), ends=time(8)),
        FriendlyWindow(weekdays=frozenset({5, 6}), starts=time(0), ends=time(0)),
        FriendlyWindow(weekdays=frozenset({0}), starts=time(0), ends=time(8)),
    ),
    holidays=(
        Holiday(month=1, day=1),
        Holiday(month=12, day=24),
        Holiday(month=12, day=25),
        Holiday(month=12, day=26),
        Holiday(month=12, day=31),
    ),
)

PROFILES: Final[Mapping[str, MeterProfile]] = {
    profile.name: profile
    for profile in (
        # 30 s, two minutes and four trips within half an hour: CLOU's article "Load Limiting for
        # Energy Meters" on STS meters. The same five numbers are the settings A to E of load
        # control in Hexing's manual of the HXE110. Levels, loans and the half hour of the lock
        # are ours.
        MeterProfile(),
        # After an overload the meter shows that it is ready and waits for a press: technical
        # reference of Secure's Liberty 100, 5.12.1. Echelon's prepaid meters want a press after
        # credit too.
        MeterProfile(name="push-button", reconnect=ReconnectPolicy.BUTTON),
        # "Absolute magnitude summation" against crossed wires: Landis+Gyr's manual of the E450.
        # Echelon's user manual has the choice to deduct reverse energy like forward energy.
        MeterProfile(name="absolute", reverse_energy=ReverseEnergy.CHARGE),
        # The other side of the same choice, as meters with a backstop have always had it.
        MeterProfile(name="one-way", reverse_energy=ReverseEnergy.IGNORE),
        # The last of the four choices; that it is charged meanwhile, and the minute, are ours.
        MeterProfile(name="guarded", reverse_energy=ReverseEnergy.TAMPER),
        # No cut from four in the afternoon to eight, at weekends and on some holidays: Electric
        # Ireland's "Smarter Pay As You Go". What is used then is repaid from the next purchase,
        # as EDF says of its "friendly non-disconnect".
        MeterProfile(name="friendly", friendly=_OVERNIGHT),
        # No loans and no second trials: a meter that only does what the standard asks for.
        MeterProfile(
            name="plain",
            power_limit=LimitHabit(retries=0),
            phase_unbalance=LimitHabit(retries=0),
            over_current=LimitHabit(trip_delay_s=10, retries=0),
            unit_levels=CreditLevels(
                low=None, very_low=None, emergency=0, emergency_from=0, friendly=0
            ),
            currency_levels=CreditLevels(
                low=None, very_low=None, emergency=0, emergency_from=0, friendly=0
            ),
            cut_alarm_s=0,
        ),
    )
}
"""Name to profile."""


def profile_named(name: str) -> MeterProfile:
    """Return a profile by its name.

    Raises:
        MeterSpecError: There is no such profile.
    """
    if name not in PROFILES:
        raise MeterSpecError("profile", f"there are {', '.join(PROFILES)}")
    return PROFILES[name]
