"""Where credit warns, alarms and ends.

    level          what happens when credit falls to it
    -------------  ---------------------------------------------------------------
    low            the first warning
    very low       the second warning
    floor          the relay opens: zero, or ``min_credit``; lower after emergency
                   credit was taken, and lower still in friendly hours

The alarm belongs to a moment, not to a level: it begins a set time before the relay will open if
the present load goes on. At the end of friendly hours that is the end of the hours.
"""

from typing import Final

from sts.meter.moments import NEVER, SECOND
from sts.meter.registers import FINE_PARTS
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState

NO_END: Final = 1 << 200
"""More than any quantity."""


class CreditWatch:
    """The levels of one meter; credit is in fine parts, quantities are rates times microseconds.

    Attributes:
        grade: How many of the two warnings credit is at or below, when last looked at.
        alarm: Whether the relay is about to open.
        emergency: How far credit may fall because emergency credit was taken; None if not.
        friendly: Whether it is a friendly hour.
        friendly_until: When that changes, in microseconds.
    """

    __slots__ = (
        "_alarm_us",
        "_floor",
        "_friendly_floor",
        "_levels",
        "_nearest",
        "alarm",
        "emergency",
        "friendly",
        "friendly_until",
        "grade",
    )

    def __init__(self, spec: MeterSpec, state: MeterState) -> None:
        """Take over where a state left the warnings."""
        levels = spec.levels
        self.grade = state.low_credit_grade
        self.alarm = state.cut_alarm
        self.emergency = None if state.emergency_floor is None else state.emergency_floor.fine
        self.friendly = False
        self.friendly_until = NEVER
        self._floor = spec.min_credit * FINE_PARTS
        self._friendly_floor = -levels.friendly * FINE_PARTS
        self._levels = [
            level * FINE_PARTS for level in (levels.low, levels.very_low) if level is not None
        ]
        self._alarm_us = spec.profile.cut_alarm_s * SECOND
        self._nearest = NO_END

    # --- where credit ends ------------------------------------------------------------------------

    @property
    def own_floor(self) -> int:
        """How far credit may fall at any hour."""
        return self._floor if self.emergency is None else min(self._floor, self.emergency)

    @property
    def floor(self) -> int:
        """How far credit may fall now."""
        return min(self.own_floor, self._friendly_floor) if self.friendly else self.own_floor

    def payable(self, credit: int, price: int) -> int:
        """Return the largest quantity that may flow now; 0 means that credit is exhausted."""
        return max(credit - self.floor, 0) // price

    def payable_at_any_hour(self, credit: int, price: int) -> int:
        """Return the largest quantity that may flow without friendly hours."""
        return max(credit - self.own_floor, 0) // price

    def lend(self, credit: int, amount: int) -> None:
        """Let credit fall by ``amount`` below where it would have ended."""
        self.emergency = min(credit, self._floor) - amount

    # --- what is ahead ----------------------------------------------------------------------------

    def settle(self, credit: int) -> int:
        """Take note of a credit; return the warning that it has fallen to, 0 for none."""
        before = self.grade
        self.grade = sum(credit <= level for level in self._levels)
        if credit <= self.own_floor:
            # In debt: whatever comes, comes of the friendly hours.
            self._nearest = NO_END
        else:
            below = (level for level in (*self._levels, self.own_floor) if level < credit)
            self._nearest = max(below)
        return self.grade if self.grade > before else 0

    def nothing_within(self, microseconds: int, *, credit: int, cost: int) -> bool:
        """Tell, quickly, that neither warning nor alarm nor cut comes in so much time.

        Args:
            microseconds: How long.
            credit: In fine parts.
            cost: Fine parts that a microsecond costs.
        """
        return credit - self._nearest > cost * (microseconds + self._alarm_us)

    def next_warning(self, now: int, *, credit: int, cost: int) -> int:
        """Return the first microsecond at which credit has fallen to the next level."""
        below = [level for level in self._levels if level < credit]
        return now + -((max(below) - credit) // cost) if below and cost else NEVER

    def exhausted_at(self, now: int, *, credit: int, rate: int, price: int) -> int:
        """Return the first microsecond at which all that may flow has flowed."""
        return _after(now, self.payable(credit, price), rate)

    def look_for_cut(self, now: int, *, credit: int, rate: int, price: int) -> tuple[bool, int]:
        """Sound the alarm or still it.

        Returns:
            Whether it begins now, and when it will begin.
        """
        was_on = self.alarm
        begins = self._cut_at(now, credit=credit, rate=rate, price=price) - self._alarm_us
        self.alarm = self._alarm_us > 0 and begins <= now
        return self.alarm and not was_on, NEVER if self.alarm or not self._alarm_us else begins

    def _cut_at(self, now: int, *, credit: int, rate: int, price: int) -> int:
        """Return when the relay will open if the present load goes on."""
        own = _after(now, self.payable_at_any_hour(credit, price), rate)
        if self.friendly:
            at_floor = _after(now, self.payable(credit, price), rate)
            return min(at_floor, max(own, self.friendly_until))
        return own if own < self.friendly_until else NEVER


def _after(now: int, quantity: int, rate: int) -> int:
    """Return the first microsecond at which a quantity has flowed."""
    if not quantity:
        return now
    return now + -(-quantity // rate) if rate else NEVER
