"""The lock-out: wrong tokens make the meter deaf for a time, so that none can be guessed.

After the third refused token in a row that was made for one meter (class 0 or 2) the meter takes no
such token for 10 seconds, after each further one for twice as long, at most 1280 s. Tokens for any
meter (class 1) and short codes work as ever. A good token resets the count. The standard only names
the result (TokenLockout); the numbers are a make's practice.

A refusal counts whatever its reason is. Most guesses end in a wrong checksum, but one that passes
it by chance must not be told by the meter's patience from one that does not. Digits that are no
token at all do not count, and neither does a token that the lock-out itself turned away.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sts.meter.errors import MeterStateError
from sts.token_identifier import require_utc

FREE_REFUSALS: Final = 2
"""How many tokens in a row are refused without consequence."""
FIRST_TIME: Final = timedelta(seconds=10)
LONGEST_TIME: Final = timedelta(seconds=1280)
MOST_REFUSALS: Final = 10
"""Counted no further: the lock-out has its longest time then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout:
    """How many tokens were refused in a row, and until when none is taken.

    Attributes:
        refusals: 0 to 10, which stands for any more.
        until: The end of the latest lock-out, UTC; None if there was none.

    Raises:
        MeterStateError: A count that cannot be, or a lock-out without refusals.
    """

    refusals: int = 0
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Check that these refusals can have led here."""
        if not 0 <= self.refusals <= MOST_REFUSALS:
            raise MeterStateError("lockout", f"the count is from 0 to {MOST_REFUSALS}")
        if (self.refusals > FREE_REFUSALS) != (self.until is not None):
            raise MeterStateError("lockout", "count and time contradict each other")
        if self.until is not None:
            require_utc(self.until)

    def remaining(self, now: datetime) -> timedelta:
        """Return for how much longer no token is taken; zero if one is."""
        return max((self.until or now) - now, timedelta())

    def is_active(self, now: datetime) -> bool:
        """Tell whether tokens for one meter are turned away."""
        return bool(self.remaining(now))


NO_LOCKOUT: Final = Lockout()
"""After a good token, and in a new meter."""


def after_refusal(lockout: Lockout, now: datetime) -> Lockout:
    """Return the lock-out after one more token has been refused."""
    refusals = min(lockout.refusals + 1, MOST_REFUSALS)
    if refusals <= FREE_REFUSALS:
        return replace(lockout, refusals=refusals)
    latest = datetime.max.replace(tzinfo=UTC)
    return Lockout(refusals=refusals, until=now + min(time_after(refusals), latest - now))


def time_after(refusals: int) -> timedelta:
    """Return how long a meter is locked out after so many refusals in a row."""
    if refusals <= FREE_REFUSALS:
        return timedelta()
    doublings = min(refusals, MOST_REFUSALS) - FREE_REFUSALS - 1
    return min(FIRST_TIME * (1 << doublings), LONGEST_TIME)
