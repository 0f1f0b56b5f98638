"""The clocks of virtual meters: they run with ours, or faster, so that credit can be seen to go."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlite_utils

SPEEDS: Final = (1, 60, 600, 3600)
"""Seconds of the meter's time in one of ours."""
LONGEST_FAST_RUN: Final = timedelta(hours=1)
"""After that a clock runs as clocks do, lest a forgotten meter reach the next century."""

_TABLE: Final = "clocks"
_NO_TIME: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabClock:
    """How a meter's time follows ours since somebody set its speed.

    Attributes:
        speed: Seconds of the meter's time in one of ours.
        set_at: When the speed was set.
        meter_time: What the meter's clock said then.
    """

    speed: int
    set_at: datetime
    meter_time: datetime

    def time_at(self, now: datetime) -> datetime:
        """Return the meter's time at ``now``."""
        passed = max(now - self.set_at, _NO_TIME)
        fast = min(passed, LONGEST_FAST_RUN)
        return self.meter_time + fast * self.speed + (passed - fast)

    def speed_at(self, now: datetime) -> int:
        """Return how fast the clock runs at ``now``."""
        return self.speed if now - self.set_at < LONGEST_FAST_RUN else 1


class LabClocks:
    """The clocks of all meters of a lab, in one small file."""

    def __init__(self, path: Path) -> None:
        """Use the file ``path``; it is made when a clock is set for the first time."""
        self._path = path

    def read(self, drn: str, *, now: datetime) -> LabClock:
        """Return a meter's clock; one that was never set shows our time."""
        if self._path.exists():
            with self._open() as database:
                rows = list(database.table(_TABLE).rows_where("drn = ?", [drn]))
            if rows:
                return LabClock(
                    speed=rows[0]["speed"],
                    set_at=datetime.fromisoformat(rows[0]["set_at"]),
                    meter_time=datetime.fromisoformat(rows[0]["meter_time"]),
                )
        return LabClock(speed=1, set_at=now, meter_time=now)

    def write(self, drn: str, clock: LabClock) -> None:
        """Set a meter's clock."""
        row = {
            "drn": drn,
            "speed": clock.speed,
            "set_at": clock.set_at.isoformat(),
            "meter_time": clock.meter_time.isoformat(),
        }
        with self._open() as database:
            database.table(_TABLE).upsert(row, pk="drn")

    @contextmanager
    def _open(self) -> Iterator[sqlite_utils.Database]:
        database = sqlite_utils.Database(self._path)
        try:
            database.table(_TABLE).create(
                {"drn": str, "speed": int, "set_at": str, "meter_time": str},
                pk="drn",
                not_null={"speed", "set_at", "meter_time"},
                if_not_exists=True,
            )
            yield database
        finally:
            database.close()
