from datetime import timedelta
from pathlib import Path

import pytest

from sts import DecoderReferenceNumber
from tests.vending_app.helpers import NOW, PIETER
from vending_app.config import Config
from vending_app.domain.errors import LabMeterSpeedError, NoLabMeterError
from vending_app.lab_clock import LONGEST_FAST_RUN, LabClock, LabClocks
from vending_app.lab_meters import LabMeters

DRN = DecoderReferenceNumber(PIETER)


def test_a_clock_that_was_never_set_shows_our_time(tmp_path: Path) -> None:
    clock = LabClocks(tmp_path / "clocks.db").read(PIETER, now=NOW)
    assert clock.time_at(NOW) == NOW
    assert clock.speed_at(NOW) == 1
    assert not (tmp_path / "clocks.db").exists()


def test_a_fast_clock_runs_for_an_hour_and_then_like_ours(tmp_path: Path) -> None:
    clocks = LabClocks(tmp_path / "clocks.db")
    clocks.write(PIETER, LabClock(speed=60, set_at=NOW, meter_time=NOW))
    clock = clocks.read(PIETER, now=NOW)
    assert clock.time_at(NOW + timedelta(minutes=1)) == NOW + timedelta(hours=1)
    assert clock.speed_at(NOW + timedelta(minutes=1)) == 60
    later = NOW + LONGEST_FAST_RUN + timedelta(minutes=5)
    assert clock.time_at(later) == NOW + timedelta(hours=60, minutes=5)
    assert clock.speed_at(later) == 1
    assert clocks.read("00100001064", now=NOW).speed == 1


def test_a_clock_never_runs_backward() -> None:
    clock = LabClock(speed=60, set_at=NOW, meter_time=NOW)
    assert clock.time_at(NOW - timedelta(days=1)) == NOW


def test_changing_the_speed_goes_on_from_the_meters_own_time(config: Config) -> None:
    meters = LabMeters(config.meters_dir)
    meters.set_speed(DRN, 3600, now=NOW)
    meters.set_speed(DRN, 1, now=NOW + timedelta(seconds=2))
    reading = meters.read(DRN, now=NOW + timedelta(seconds=3))
    assert reading.snapshot.at == NOW + timedelta(hours=2, seconds=1)
    assert reading.speed == 1
    assert reading.sample_tables
    assert (reading.rated_load_w, reading.bearable_load_w) == (13_800, 138_000)


def test_only_known_speeds_and_known_meters(config: Config) -> None:
    meters = LabMeters(config.meters_dir)
    with pytest.raises(LabMeterSpeedError) as refusal:
        meters.set_speed(DRN, 7, now=NOW)
    assert refusal.value.code == "LAB_METER_SPEED"
    with pytest.raises(NoLabMeterError) as missing:
        meters.read(DecoderReferenceNumber("00100001064"), now=NOW)
    assert missing.value.code == "NO_LAB_METER"
