"""The meter's time on a screen: the pace of a clock, many times faster, never backward.

Whoever keys a token needs the seconds of the wall: at sixty times their pace the keypad would
forget every digit before the next. So for a while after a key, time goes at the clock's own pace.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

SPEEDS: Final = (1, 60, 600, 3600)
"""The speeds that can be chosen on the screen."""

_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)


class MeterTime:
    """What time it is for a meter, as a clock and a speed have it."""

    def __init__(self, clock: Callable[[], datetime], *, speed: int = 1) -> None:
        """Begin at the clock's time.

        Args:
            clock: Tells the time, aware.
            speed: How many seconds pass in one of the clock's.
        """
        self._clock = clock
        self._speed = speed
        self._since = self._began = clock()
        self._held_until = self._since

    @property
    def speed(self) -> int:
        """The speed that was chosen."""
        return self._speed

    @property
    def is_held(self) -> bool:
        """Whether time goes at the clock's pace now, whatever was chosen."""
        return self._clock() < self._held_until

    def now(self) -> datetime:
        """Return the time for the meter."""
        passed = max(self._clock() - self._since, timedelta())
        slow = min(max(self._held_until - self._since, timedelta()), passed)
        left = _LAST_MOMENT - self._began
        # Divided, not multiplied: the product might be longer than any time can be.
        if passed > left / self._speed:
            return _LAST_MOMENT
        return self._began + min(slow + (passed - slow) * self._speed, left)

    def set_speed(self, speed: int) -> None:
        """Go on at another speed."""
        self._begin_at(self.now())
        self._speed = speed

    def hold(self, length: timedelta) -> None:
        """Go at the clock's pace for ``length`` from now on; nothing ends a hold at once."""
        self._begin_at(self.now())
        self._held_until = self._since + length

    def catch_up(self, moment: datetime) -> None:
        """Go on from ``moment`` if the meter is there already."""
        if moment > self.now():
            self._begin_at(moment)

    def _begin_at(self, moment: datetime) -> None:
        self._began, self._since = moment, self._clock()
