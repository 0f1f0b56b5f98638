"""One file is one meter: durable, never overwritten, never mistaken, never half written."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from sts.meter import memory_file
from sts.meter.device import VirtualMeter, create_meter, open_meter
from sts.meter.errors import (
    MeterBusyError,
    MeterFileAccessError,
    MeterFileDamagedError,
    MeterFileError,
    MeterFileExistsError,
    MeterFileForeignError,
    MeterFileMissingError,
    MeterFileVersionError,
)
from sts.meter.events import Event, EventKind
from sts.meter.memory import KEPT_ROWS, Contents, MeterMemory, Update
from sts.meter.results import ResultCode
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

ENTER_IN_ANOTHER_PROCESS: Final = """
import sys
from datetime import datetime
from sts.meter.device import open_meter
from sts.meter.errors import MeterBusyError
path, start, *tokens = sys.argv[1:]
now = datetime.fromisoformat(start)

def patiently(do):
    # On a slow machine somebody may wait for more than two seconds, and is told so.
    while True:
        try:
            with open_meter(path) as meter:
                return do(meter)
        except MeterBusyError:
            continue

for digits in tokens:
    print(int(patiently(lambda meter: meter.enter(digits, now=now)).code))
    # Three refusals in a row, one of each process, are a lock-out; it is not the point here.
    patiently(lambda meter: meter.reset_lockout(now=now))
"""


def _sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _many_events(contents: Contents) -> Update:
    event = Event(at=START, kind=EventKind.RELAY_OPENED, cause=None, credit=0, consumed=0)
    events = tuple(replace(event, consumed=number) for number in range(KEPT_ROWS + 5))
    return Update(contents=contents, events=events)


def test_a_new_file_is_whole_private_and_alone(tmp_path: Path) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_meter_is_the_same_after_it_was_closed_and_opened(tmp_path: Path) -> None:
    pair = VendAndMeter(phases=3, maximum_current_a=100)
    path = meter_file(tmp_path, pair)
    token = credit_digits(pair, 100)
    with open_meter(path) as meter:
        entered = meter.enter(token, now=START)
        loaded = meter.set_load(2300, now=START)
    with open_meter(path) as meter:
        assert meter.spec == pair.spec
        again = meter.snapshot(now=START)
        assert again == loaded
        assert again.credit == entered.snapshot.credit == 10_000
        assert meter.enter(token, now=START).code is ResultCode.USED_ERROR


@pytest.mark.parametrize("content", [b"", b"already here"])
def test_an_existing_file_is_never_overwritten(tmp_path: Path, content: bytes) -> None:
    pair, path = VendAndMeter(), tmp_path / "house.meter"
    path.write_bytes(content)
    with pytest.raises(MeterFileExistsError) as caught:
        create_meter(path, pair.spec, pair.state, now=START)
    assert caught.value.code == "METER_FILE_EXISTS"
    assert path.read_bytes() == content


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    pair, path = VendAndMeter(), tmp_path / "house.meter"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MeterFileExistsError):
        create_meter(path, pair.spec, pair.state, now=START)


def test_the_remains_of_a_deleted_meter_are_in_the_way(tmp_path: Path) -> None:
    pair, remains = VendAndMeter(), tmp_path / "house.meter-wal"
    remains.write_bytes(b"remains")
    with pytest.raises(MeterFileExistsError) as caught:
        create_meter(tmp_path / "house.meter", pair.spec, pair.state, now=START)
    assert caught.value.path == remains


def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, path = VendAndMeter(), tmp_path / "house.meter"
    link = os.link

    def late(source: Path, target: Path) -> None:
        target.write_bytes(b"late")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(MeterFileExistsError):
        create_meter(path, pair.spec, pair.state, now=START)
    assert path.read_bytes() == b"late"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with pytest.raises(MeterFileAccessError):
        create_meter(tmp_path / "nowhere" / "house.meter", pair.spec, pair.state, now=START)


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "house.meter"
    with pytest.raises(MeterFileMissingError) as caught:
        open_meter(path)
    assert caught.value.code == "METER_FILE_MISSING"
    assert not path.exists()


def test_a_folder_is_not_a_meter(tmp_path: Path) -> None:
    with pytest.raises(MeterFileAccessError) as caught:
        open_meter(tmp_path)
    assert caught.value.code == "METER_FILE_ACCESS"


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"dear diary " * 50])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "house.meter"
    path.write_bytes(content)
    with pytest.raises(MeterFileForeignError) as caught:
        open_meter(path)
    assert caught.value.code == "METER_FILE_FOREIGN"
    assert path.read_bytes() == content


def test_another_database_is_foreign_too(tmp_path: Path) -> None:
    path = tmp_path / "house.meter"
    _sql(path, "CREATE TABLE diary (day TEXT)")
    before = path.read_bytes()
    with pytest.raises(MeterFileForeignError):
        open_meter(path)
    assert path.read_bytes() == before


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    _sql(path, "PRAGMA user_version = 99")
    with pytest.raises(MeterFileVersionError) as caught:
        open_meter(path)
    assert caught.value.code == "METER_FILE_VERSION"


def _zero_pages(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _drop_table(path: Path) -> None:
    _sql(path, "DROP TABLE state")


def _lose_key(path: Path) -> None:
    _sql(path, "DELETE FROM state WHERE name = 'decoder_key'")


def _lose_slots(path: Path) -> None:
    _sql(path, "DELETE FROM token_identifiers WHERE slot > 10")


def _nonsense(path: Path) -> None:
    _sql(path, "UPDATE state SET value = 'much' WHERE name = 'watts'")


@pytest.mark.parametrize(
    "damage", [_zero_pages, _cut_short, _drop_table, _lose_key, _lose_slots, _nonsense]
)
def test_a_damaged_file_is_refused_and_left_alone(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    damage(path)
    before = path.read_bytes()
    with pytest.raises(MeterFileDamagedError) as caught:
        open_meter(path)
    assert caught.value.code == "METER_FILE_DAMAGED"
    assert path.read_bytes() == before


def test_a_damaged_page_that_nobody_reads_is_found_before_anything_is_written(
    tmp_path: Path,
) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    memory = MeterMemory(path)
    with closing(memory):
        memory.change(_many_events)
    content = path.read_bytes()
    path.write_bytes(content[:-4096] + b"\xff" * 4096)
    with pytest.raises(MeterFileDamagedError, match="pages"):
        open_meter(path)


@pytest.mark.parametrize(
    ("table", "column", "read"),
    [
        ("events", "at", VirtualMeter.events),
        ("token_history", "at", VirtualMeter.history),
        ("load_profile", "starts_at", VirtualMeter.load_profile),
        ("daily_totals", "day", VirtualMeter.daily_totals),
    ],
)
def test_a_damaged_log_is_told_when_it_is_read(
    tmp_path: Path, table: str, column: str, read: Callable[[VirtualMeter], object]
) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    with open_meter(path) as meter:
        meter.enter(credit_digits(pair, 1), now=START)
        meter.advance(now=START + timedelta(days=1))
        read(meter)
        _sql(path, f"UPDATE {table} SET {column} = 'yesterday'")  # noqa: S608 - names of ours
        with pytest.raises(MeterFileDamagedError):
            read(meter)


# --- one writer at a time ---------------------------------------------------------------------


def test_whoever_finds_the_meter_busy_waits_and_then_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_file, "BUSY_SECONDS", 0.05)
    path = meter_file(tmp_path, VendAndMeter())
    with open_meter(path) as meter, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MeterBusyError) as caught:
            meter.advance(now=START)
        assert caught.value.code == "METER_BUSY"
        assert meter.snapshot(now=START).credit == 0
        other.execute("ROLLBACK")
        meter.advance(now=START)


def test_a_token_entered_by_several_processes_counts_once(tmp_path: Path) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    shared = credit_digits(pair, 10)
    rounds = 6
    command = [sys.executable, "-c", ENTER_IN_ANOTHER_PROCESS, str(path), START.isoformat()]
    running = []
    for _ in range(3):
        own = [credit_digits(pair, 1) for _ in range(rounds)]
        tokens = [digits for token in own for digits in (shared, token)]
        running.append(subprocess.Popen([*command, *tokens], stdout=subprocess.PIPE, text=True))
    codes = [line for process in running for line in process.communicate()[0].split()]
    assert all(process.returncode == 0 for process in running)
    assert codes.count("1") == 1 + 3 * rounds
    assert codes.count("10") == 3 * rounds - 1
    with open_meter(path) as meter:
        assert meter.snapshot(now=START).credit == 1000 + 3 * rounds * 100
        assert len(meter.history()) == 2 * 3 * rounds


# --- all or nothing ---------------------------------------------------------------------------


def _broken(contents: Contents) -> Update:
    del contents
    raise RuntimeError


def test_an_operation_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    memory = MeterMemory(path)
    with closing(memory):
        before = memory.read()
        with pytest.raises(RuntimeError):
            memory.change(_broken)
        assert memory.read() == before


def test_a_failure_while_writing_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    token = credit_digits(pair, 10)

    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with open_meter(path) as meter:
        with monkeypatch.context() as patch:
            patch.setattr(MeterMemory, "_append", fail)
            with pytest.raises(MeterFileError):
                meter.enter(token, now=START)
        assert meter.snapshot(now=START).credit == 0
        assert meter.enter(token, now=START).code is ResultCode.ACCEPT


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, MeterFileAccessError),
        (sqlite3.SQLITE_IOERR, MeterFileAccessError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, MeterBusyError),
        (sqlite3.SQLITE_CORRUPT, MeterFileDamagedError),
    ],
)
def test_what_the_database_reports_gets_the_code_of_its_kind(
    tmp_path: Path, code: int, expected: type[MeterFileError]
) -> None:
    error = sqlite3.OperationalError("reported")
    error.sqlite_errorcode = code
    path = meter_file(tmp_path, VendAndMeter())

    def fail(contents: Contents) -> Update:
        del contents
        raise error

    memory = MeterMemory(path)
    with closing(memory), pytest.raises(expected):
        memory.change(fail)


def test_only_the_latest_events_are_kept(tmp_path: Path) -> None:
    memory = MeterMemory(meter_file(tmp_path, VendAndMeter()))
    with closing(memory):
        memory.change(_many_events)
        kept = memory.events(2 * KEPT_ROWS)
    assert [event.consumed for event in kept] == list(range(KEPT_ROWS + 4, 4, -1))


def test_time_that_passes_is_written_down(tmp_path: Path) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    with open_meter(path) as meter:
        meter.enter(credit_digits(pair, 10), now=START)
        meter.set_load(1000, now=START)
        meter.advance(now=START + timedelta(minutes=30))
    with open_meter(path) as meter:
        assert meter.snapshot(now=START).credit == 500
        assert meter.snapshot(now=START + timedelta(hours=2)).relay_closed is False
        assert len(meter.events()) == 1
