"""A file of an older program is brought up to date when it is opened, wholly or not at all."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sts.meter.device import open_meter
from sts.meter.errors import MeterFileDamagedError
from sts.meter.results import ResultCode
from sts.meter.schema import MIGRATIONS, SCHEMA_VERSION
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file
from tests.sts.meter.version_1 import write_version_1


@pytest.fixture
def pair() -> VendAndMeter:
    return VendAndMeter()


@pytest.fixture
def old(tmp_path: Path, pair: VendAndMeter) -> Path:
    path = tmp_path / "old.meter"
    write_version_1(path, pair.state.key_register.decoder_key.expose().hex())
    return path


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _schema(path: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


def test_there_is_a_step_from_every_older_version() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_a_meter_of_the_first_version_goes_on(old: Path, pair: VendAndMeter) -> None:
    with open_meter(old) as meter:
        before = meter.snapshot(now=START)
        assert (before.credit, before.total, before.load_w) == (1000, 500, 1000)
        assert [token.amount for token in meter.history()] == ["1.5 kWh"]
        assert [event.credit for event in meter.events()] == [1500]
        entry = meter.enter(credit_digits(pair, 10), now=START + timedelta(hours=1))
        assert entry.code is ResultCode.ACCEPT
        assert entry.snapshot.credit == 1500
    assert _version(old) == SCHEMA_VERSION


def test_a_migrated_file_has_the_tables_of_a_new_one(
    old: Path, tmp_path: Path, pair: VendAndMeter
) -> None:
    open_meter(old).close()
    assert _schema(old) == _schema(meter_file(tmp_path, pair))


def test_a_damaged_old_file_is_refused_and_stays_old(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("DELETE FROM state WHERE name = 'decoder_key'")
        connection.commit()
    with pytest.raises(MeterFileDamagedError):
        open_meter(old)
    assert _version(old) == 1


def test_a_version_that_never_was_is_damage(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA user_version = 0")
    with pytest.raises(MeterFileDamagedError, match="no version 0"):
        open_meter(old)


def test_two_programs_that_open_an_old_file_both_find_a_new_one(old: Path) -> None:
    with open_meter(old) as one, open_meter(old) as other:
        assert one.snapshot(now=START) == other.snapshot(now=START)
