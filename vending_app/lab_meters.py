"""Virtual meters of a lab: one file of memory each, and a clock that can be made to run.

A page that shows a meter holds nothing of it: every request opens the file, lets time pass up to
now, does its one thing and closes the file again. So a meter may be watched on a page and operated
by `sts-meter` at the same time.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sts import (
    SAMPLE_TABLES,
    DecoderKey,
    DecoderReferenceNumber,
    KeyAttributes,
    StaTables,
)
from sts.meter import DecoderKeyRegister, MeterSpec, new_state
from sts.meter.device import VirtualMeter, create_meter, open_meter
from sts.meter.errors import MeterFileExistsError
from sts.meter.events import Event
from sts.meter.log_rows import HistoryEntry
from sts.meter.snapshot import Snapshot
from vending_app.domain.errors import LabMeterSpeedError, NoLabMeterError
from vending_app.domain.network import Meter
from vending_app.lab_clock import SPEEDS, LabClock, LabClocks

_CLOCK_FILE: Final = "clocks.db"
_ROWS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LabReading:
    """What a page shows of a virtual meter.

    Attributes:
        snapshot: The meter at this moment.
        history: The latest tokens that were keyed, newest first.
        events: The latest events, newest first.
        rated_load_w: What the meter is built for.
        bearable_load_w: What it bears until it opens the relay; a larger load there is not.
        sample_tables: Whether its tokens are those of the SAMPLE tables.
        speed: How fast its clock runs.
    """

    snapshot: Snapshot
    history: tuple[HistoryEntry, ...]
    events: tuple[Event, ...]
    rated_load_w: int
    bearable_load_w: int
    sample_tables: bool
    speed: int


class LabMeters:
    """The virtual meters in a folder."""

    def __init__(self, folder: Path, *, sta_tables: StaTables = SAMPLE_TABLES) -> None:
        """Use the meters in ``folder``; those of EA07 were built with ``sta_tables``."""
        self._folder = folder
        self._sta_tables = sta_tables
        self._clocks = LabClocks(folder / _CLOCK_FILE)

    def build_missing(
        self, meter: Meter, key: DecoderKey, *, attributes: KeyAttributes, now: datetime
    ) -> None:
        """Build the virtual twin of a meter, with its first key, unless there is one.

        Raises:
            StsError: The meter cannot be built like that, or the folder cannot be written to.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        spec = MeterSpec(
            decoder_reference_number=meter.drn,
            encryption_algorithm=meter.encryption_algorithm,
            phases=3 if meter.phases == 3 else 1,  # noqa: PLR2004 - three phases are three
            sta_tables_fingerprint=self._sta_tables.fingerprint,
        )
        register = DecoderKeyRegister.from_attributes(key, attributes)
        # The file may be there, or another process may be just making it.
        with suppress(MeterFileExistsError):
            create_meter(self._path(meter.drn), spec, new_state(spec, register, now=now), now=now)

    def read(self, drn: DecoderReferenceNumber, *, now: datetime) -> LabReading:
        """Let time pass up to now and return what the meter shows.

        Raises:
            NoLabMeterError: The meter has no virtual twin.
            MeterError: Its memory cannot be used.
        """
        clock = self._clocks.read(str(drn), now=now)
        with self._open(drn) as device:
            snapshot = device.advance(now=clock.time_at(now))
            return LabReading(
                snapshot=snapshot,
                history=device.history(_ROWS_SHOWN),
                events=device.events(_ROWS_SHOWN),
                rated_load_w=device.spec.largest_load,
                bearable_load_w=device.spec.bearable_load * device.spec.phases,
                sample_tables=device.uses_sample_tables,
                speed=clock.speed_at(now),
            )

    def enter(self, drn: DecoderReferenceNumber, digits: str, *, now: datetime) -> None:
        """Key in a token; what the meter answers is the first line of its history.

        Raises:
            NoLabMeterError, MeterError: As for ``read``.
        """
        with self._open(drn) as device:
            device.enter(digits, now=self._time(drn, now))

    def set_load(self, drn: DecoderReferenceNumber, load_w: int, *, now: datetime) -> None:
        """Switch appliances on or off.

        Raises:
            MeterLoadError: More than the meter bears, not even until it opens the relay.
            NoLabMeterError, MeterError: As for ``read``.
        """
        with self._open(drn) as device:
            device.set_load(load_w, now=self._time(drn, now))

    def set_speed(self, drn: DecoderReferenceNumber, speed: int, *, now: datetime) -> None:
        """Make the meter's clock run at another speed from now on.

        Raises:
            LabMeterSpeedError: Not one of ``SPEEDS``.
            NoLabMeterError, MeterError: As for ``read``.
        """
        if speed not in SPEEDS:
            raise LabMeterSpeedError(SPEEDS)
        with self._open(drn) as device:
            at = device.advance(now=self._time(drn, now)).at
        self._clocks.write(str(drn), LabClock(speed=speed, set_at=now, meter_time=at))

    def _time(self, drn: DecoderReferenceNumber, now: datetime) -> datetime:
        return self._clocks.read(str(drn), now=now).time_at(now)

    def _open(self, drn: DecoderReferenceNumber) -> VirtualMeter:
        path = self._path(drn)
        if not path.exists():
            raise NoLabMeterError(str(drn))
        return open_meter(path, sta_tables=self._sta_tables)

    def _path(self, drn: DecoderReferenceNumber) -> Path:
        return self._folder / f"{drn}.db"
