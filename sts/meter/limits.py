"""Loads beyond a limit: how long a meter bears them, and how often it tries again.

A trip opens the relay. The meter waits, tries again, and after too many trips close together it
stays open for a longer time; then it begins anew. How long all that is, its profile says.
"""

from sts.meter.moments import NEVER, SECOND, microseconds_or_none, moment_or_none
from sts.meter.profiles import LimitHabit
from sts.meter.state import LimitState, SupplyCause


class Watch:
    """Something that may not last: it counts from when it began.

    Attributes:
        over: Whether it is so under the present load.
        since: Since when, in microseconds; None while it is not so, or nothing flows.
    """

    __slots__ = ("_delay", "over", "since")

    def __init__(self, delay_s: int, since: int | None) -> None:
        """Watch for something that is borne for ``delay_s``."""
        self._delay = delay_s * SECOND
        self.over = since is not None
        self.since = since

    def look(self, now: int) -> int:
        """Begin to count if it is so, cease if it is not; return when it will have lasted."""
        if not self.over:
            self.since = None
            return NEVER
        if self.since is None:
            self.since = now
        return self.since + self._delay

    def is_due(self, now: int) -> bool:
        """Tell whether it has lasted too long."""
        return self.since is not None and now >= self.since + self._delay


class LimitWatch(Watch):
    """One limit of the load.

    Attributes:
        cause: Why the relay opens.
        open_until: Until when it stays open, in microseconds; None if it is not open for this.
    """

    __slots__ = ("_habit", "_tripped_at", "_trips", "cause", "open_until")

    def __init__(self, cause: SupplyCause, habit: LimitHabit, state: LimitState) -> None:
        """Take over where a state left the limit."""
        super().__init__(habit.trip_delay_s, microseconds_or_none(state.over_since))
        self.cause = cause
        self.open_until = microseconds_or_none(state.open_until)
        self._habit = habit
        self._trips = state.trips
        self._tripped_at = microseconds_or_none(state.tripped_at)

    def trip(self, now: int) -> bool:
        """Count a trip and set the time that the relay stays open; return whether it is locked."""
        habit = self._habit
        before = self._tripped_at
        recent = before is not None and now - before <= habit.within_s * SECOND
        self._trips = self._trips + 1 if recent else 1
        self._tripped_at = now
        self.since = None
        locked = self._trips > habit.retries
        self.open_until = now + (habit.lock_s if locked else habit.retry_wait_s) * SECOND
        if locked:
            self._trips, self._tripped_at = 0, None
        return locked

    def forget(self) -> None:
        """Begin anew, as after the limit itself was changed."""
        self.since = self.open_until = self._tripped_at = None
        self._trips = 0

    def state(self) -> LimitState:
        """Return what survives power loss."""
        return LimitState(
            over_since=moment_or_none(self.since),
            trips=self._trips,
            tripped_at=moment_or_none(self._tripped_at),
            open_until=moment_or_none(self.open_until),
        )
