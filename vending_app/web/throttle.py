"""Slowing down who guesses passwords."""

from collections import deque
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from vending_app.domain.errors import TooManyLoginsError

FAILURES_ALLOWED: Final = 5
WINDOW: Final = timedelta(minutes=5)
_MOST_NAMES: Final = 10_000


class LoginThrottle:
    """Counts failed log-ins of a name from an address; it forgets after five minutes.

    The counts are this process's own.
    """

    def __init__(self) -> None:
        """Begin with no failures."""
        self._failures: dict[tuple[str, str], deque[datetime]] = {}
        self._lock = Lock()

    def require_allowed(self, login: str, address: str, *, now: datetime) -> None:
        """Refuse a log-in after too many failures.

        Raises:
            TooManyLoginsError: Five failures in the last five minutes.
        """
        with self._lock:
            failures = self._recent((login, address), now)
            if len(failures) >= FAILURES_ALLOWED:
                wait = failures[0] + WINDOW - now
                raise TooManyLoginsError(max(1, -(-wait // timedelta(seconds=1))))

    def failed(self, login: str, address: str, *, now: datetime) -> None:
        """Count a failed log-in."""
        with self._lock:
            if len(self._failures) >= _MOST_NAMES:
                # Somebody tries name after name: forget the oldest rather than fill the memory.
                self._failures.pop(next(iter(self._failures)))
            failures = self._recent((login, address), now)
            failures.append(now)
            self._failures[login, address] = failures

    def succeeded(self, login: str, address: str) -> None:
        """Forget the failures of a name from an address."""
        with self._lock:
            self._failures.pop((login, address), None)

    def _recent(self, key: tuple[str, str], now: datetime) -> deque[datetime]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] + WINDOW <= now:
            failures.popleft()
        return failures
