"""What is refused as a whole, what goes on after a stop, and what is written down."""

import fcntl
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from keys.audit_record import AuditEvent
from keys.bulk import duplicates, fleet, output, sources
from keys.bulk import workspace as workspace_module
from keys.bulk.errors import (
    BulkError,
    ColumnTwiceError,
    DiskFullError,
    InputChangedError,
    InputFormatError,
    InputTruncatedError,
    JobChangedError,
    JobFilesError,
    JobRunningError,
    MissingColumnError,
    OutputError,
    WorkerLostError,
    unwritable,
)
from keys.bulk.generate import FleetSizeError, generate
from keys.bulk.job import Job, Operation
from keys.bulk.local import ForkedProcesses, ThisProcess, cores
from keys.bulk.part import PartTask, make_part
from keys.bulk.sources import read_part
from keys.bulk.verify import verify
from keys.bulk.workspace import PartRecord, Workspace
from keys.bulk_access import BulkAccess, NoBulkError
from keys.errors import FileExistsRefusedError, TokenMismatchError
from sts import SAMPLE_TABLES, batch
from tests.keys.bulk.conftest import METERS, NOW, SHARED, Depot
from tests.keys.bulk.tables import FORMATS, write_table

Text = Callable[..., str]
GIVEN = {**SHARED, "to_krn": "2"}


@pytest.fixture
def fleet_file(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write 600 meters, which are some eight parts here."""
    monkeypatch.setattr(sources, "CSV_PART_BYTES", 1024)
    path = depot.folder / "fleet.csv"
    generate(path, 600, seed=7, given={})
    return path


class Stopping:
    """Makes some parts, and then comes to a sudden end."""

    def __init__(self, access: BulkAccess, parts: int) -> None:
        """Make so many."""
        self._access, self._left = access, parts
        self.made: list[int] = []

    def make(self, tasks: Iterable[PartTask]) -> Iterator[PartRecord]:
        for task in tasks:
            if not self._left:
                raise KeyboardInterrupt
            self._left -= 1
            self.made.append(task.part.number)
            yield make_part(task, self._access)


@pytest.mark.parametrize("parts", [0, 1, 5])
def test_a_stopped_job_goes_on_and_ends_as_if_it_had_not_stopped(
    depot: Depot, fleet_file: Path, parts: int
) -> None:
    whole = depot.job(fleet_file, "whole.csv", given=GIVEN)
    depot.done(whole)
    job = depot.job(fleet_file, "stopped.csv", given=GIVEN)
    module = depot.opened()
    stopping = Stopping(module.bulk_access(), parts)
    with pytest.raises(KeyboardInterrupt):
        fleet.run(job, module, stopping, now=NOW)
    assert not job.output.exists()
    going_on = Stopping(module.bulk_access(), 1000)
    summary = fleet.run(job, module, going_on, now=NOW)
    assert summary.resumed == parts
    assert not set(stopping.made) & set(going_on.made)
    for suffix in ("", ".errors.csv"):
        assert (
            job.output.with_name(f"stopped.csv{suffix}").read_bytes()
            == whole.output.with_name(f"whole.csv{suffix}").read_bytes()
        )
    assert not Workspace(job.output).folder.exists()


def _stopped(depot: Depot, source: Path) -> Job:
    job = depot.job(source, given=GIVEN)
    module = depot.opened()
    with pytest.raises(KeyboardInterrupt):
        fleet.run(job, module, Stopping(module.bulk_access(), 3), now=NOW)
    return job


def test_what_a_power_cut_has_torn_is_made_anew(depot: Depot, fleet_file: Path) -> None:
    job = _stopped(depot, fleet_file)
    folder = Workspace(job.output).folder
    (folder / "000001.table").write_bytes(b"half")
    (folder / "000002.record").write_bytes(b"{")
    (folder / "000003.errors").unlink()
    assert depot.done(job).resumed == 0


def test_an_input_that_has_changed_is_not_gone_on_with(depot: Depot, fleet_file: Path) -> None:
    job = _stopped(depot, fleet_file)
    content = fleet_file.read_bytes()
    fleet_file.write_bytes(content + content.splitlines(keepends=True)[1])
    with pytest.raises(InputChangedError) as refusal:
        depot.done(job)
    assert refusal.value.code == "INPUT_CHANGED"
    assert not job.output.exists()


def test_an_input_that_changes_while_it_is_read_is_refused(fleet_file: Path) -> None:
    plan = sources.plan_source(fleet_file, "")
    content = bytearray(fleet_file.read_bytes())
    content[-3] ^= 1
    fleet_file.write_bytes(content)
    with pytest.raises(InputChangedError):
        read_part(fleet_file, plan.parts[-1], header=plan.header, columns=["meter"], table="")


def test_another_job_does_not_go_on_in_the_folder_of_the_first(
    depot: Depot, fleet_file: Path
) -> None:
    job = _stopped(depot, fleet_file)
    with pytest.raises(JobChangedError, match="given, tenant") as refusal:
        depot.done(replace(job, tenant="mokhotlong", given={**GIVEN, "to_krn": "3"}))
    assert refusal.value.code == "JOB_CHANGED"


def test_the_time_of_a_job_is_that_of_its_first_run(depot: Depot, fleet_file: Path) -> None:
    later = NOW.replace(hour=20)
    assert fleet.time_of_job(depot.folder / "new.csv", None, later) == later
    job = _stopped(depot, fleet_file)
    assert fleet.time_of_job(job.output, None, later) == NOW
    assert fleet.time_of_job(job.output, NOW, later) == NOW
    with pytest.raises(JobChangedError, match="at"):
        fleet.time_of_job(job.output, later, later)


@pytest.mark.parametrize("content", [b"no JSON", b"{}", b'{"format": "other"}'])
def test_a_manifest_that_is_none_is_refused(depot: Depot, fleet_file: Path, content: bytes) -> None:
    job = _stopped(depot, fleet_file)
    Workspace(job.output).manifest.write_bytes(content)
    with pytest.raises(JobFilesError) as refusal:
        depot.done(job)
    assert refusal.value.code == "JOB_FILES"


def test_a_manifest_of_another_version_is_refused(depot: Depot, fleet_file: Path) -> None:
    job = _stopped(depot, fleet_file)
    manifest = Workspace(job.output).manifest
    manifest.write_bytes(manifest.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(JobFilesError, match="version"):
        depot.done(job)


def test_a_part_that_changes_before_it_goes_in_is_noticed(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = depot.job(fleet_file, given=GIVEN)

    def spoil(workspace: Workspace, _parts: object) -> dict[int, bytes]:
        path = workspace.path(2, "table")
        path.write_bytes(path.read_bytes().replace(b"0", b"1"))
        return {}

    with monkeypatch.context() as patch:
        patch.setattr(fleet, "duplicates_of", spoil)
        with pytest.raises(JobFilesError, match=r"000002\.table: it has changed"):
            depot.done(job)
    assert not job.output.exists()
    assert depot.done(job).resumed == len(sources.plan_source(fleet_file, "").parts) - 1


def test_a_folder_that_another_process_has_just_removed_is_no_folder_to_work_in(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = depot.job(fleet_file, given=GIVEN)

    def too_late(descriptor: int, how: int) -> None:
        fcntl.flock(descriptor, how)
        left.pop()(Workspace(job.output).folder / "lock")

    def removed(path: Path) -> None:
        path.unlink()

    def made_anew(path: Path) -> None:
        path.unlink()
        path.touch()

    left = [made_anew, removed]
    names = {"flock": too_late, "LOCK_EX": fcntl.LOCK_EX, "LOCK_NB": fcntl.LOCK_NB}
    monkeypatch.setattr(workspace_module, "fcntl", SimpleNamespace(**names))
    for _ in range(2):
        with pytest.raises(JobRunningError):
            depot.done(job)


def test_two_processes_do_not_work_on_one_output(depot: Depot, fleet_file: Path) -> None:
    job = depot.job(fleet_file, given=GIVEN)
    with Workspace(job.output).held(), pytest.raises(JobRunningError) as refusal:
        depot.done(job)
    assert refusal.value.code == "JOB_RUNNING"


def test_an_output_is_never_overwritten(depot: Depot, fleet_file: Path) -> None:
    job = depot.job(fleet_file, given=GIVEN)
    job.output.write_text("mine", encoding="ascii")
    with pytest.raises(FileExistsRefusedError):
        depot.done(job)
    assert job.output.read_text(encoding="ascii") == "mine"


def test_a_job_that_was_killed_at_its_very_last_step_is_cleaned_up(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = depot.job(fleet_file, given=GIVEN)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "remove", lambda _self: None)
        depot.done(job)
    for content in (b"[]", b'{"output": 5}'):
        manifest = job.output.with_name("out.csv.manifest")
        right = manifest.read_bytes()
        manifest.write_bytes(content)
        with pytest.raises(FileExistsRefusedError):
            depot.done(job)
        assert Workspace(job.output).folder.exists()
        manifest.write_bytes(right)
    with pytest.raises(FileExistsRefusedError):
        depot.done(job)
    assert not Workspace(job.output).folder.exists()


# --- inputs -----------------------------------------------------------------------------------


def _code_of(depot: Depot, source: Path, **changes: Any) -> str:
    job = depot.job(source, f"{source.name}.out.csv", **{"given": GIVEN, **changes})
    with pytest.raises(BulkError) as refusal:
        depot.done(job)
    assert not job.output.exists()
    return refusal.value.code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", InputTruncatedError.code),
        ("meter", InputTruncatedError.code),
        ("meter\n01000000008\n0100", InputTruncatedError.code),
        ("number\n01000000008\n", MissingColumnError.code),
        ("meter,meter\n1,2\n", ColumnTwiceError.code),
        ("meter,sgc\n1,2\n", ColumnTwiceError.code),
        ('meter\n"0100\n0000008"\n', InputFormatError.code),
        ("meter\n0100000\x008\n", InputFormatError.code),
    ],
)
def test_a_file_that_is_no_whole_table_is_refused(depot: Depot, text: str, code: str) -> None:
    assert _code_of(depot, depot.table(text)) == code


def test_a_header_in_another_coding_is_refused(depot: Depot) -> None:
    path = depot.folder / "latin.csv"
    path.write_bytes(b"z\xe4hler\n1\n")
    assert _code_of(depot, path) == "INPUT_FORMAT"


def test_a_missing_file_and_an_unknown_format_are_refused(depot: Depot) -> None:
    assert _code_of(depot, depot.folder / "none.csv") == "INPUT_FORMAT"
    assert _code_of(depot, depot.folder / "fleet.xlsx") == "INPUT_FORMAT"
    (depot.folder / "not.parquet").write_bytes(b"no table at all")
    assert _code_of(depot, depot.folder / "not.parquet") == "INPUT_FORMAT"
    (depot.folder / "not.db").write_bytes(b"no table at all" * 100)
    assert _code_of(depot, depot.folder / "not.db") == "INPUT_FORMAT"


def _sqlite(path: Path, meters: Iterable[object]) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE meters (meter, krn)")
        connection.executemany("INSERT INTO meters VALUES (?, 1)", [(each,) for each in meters])
    return path


def test_all_formats_give_the_same_tokens(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "SQLITE_PART_ROWS", 2)
    given = {name: value for name, value in GIVEN.items() if name != "krn"}
    csv_file = depot.table("meter,krn\n" + "".join(f"{each},1\n" for each in METERS))
    parquet = depot.folder / "fleet.parquet"
    table = pa.table({"meter": pa.array([*METERS]).dictionary_encode(), "krn": [1] * len(METERS)})
    pq.write_table(table, parquet, row_group_size=3)
    database = _sqlite(depot.folder / "fleet.db", METERS)
    made = []
    for source, name in ((csv_file, "1.csv"), (parquet, "2.parquet"), (database, "3.db")):
        depot.done(depot.job(source, name, given=given))
    made.append([line.split(",")[1:] for line in (depot.folder / "1.csv").read_text().split()[1:]])
    columns = pq.read_table(depot.folder / "2.parquet").to_pylist()
    made.append([list(row.values())[1:] for row in columns])
    with closing(sqlite3.connect(depot.folder / "3.db")) as connection:
        made.append([list(row[1:]) for row in connection.execute("SELECT * FROM tokens")])
    assert made[0] == made[1] == made[2]
    assert len(made[0]) == len(METERS)


def test_a_row_group_of_any_size_is_cut_into_parts(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meters = fleet_file.read_text(encoding="ascii").split()[1:]
    parquet = depot.folder / "fleet.parquet"
    pq.write_table(pa.table({"meter": meters}), parquet, row_group_size=350)
    monkeypatch.setattr(sources, "PARQUET_PART_ROWS", 100)
    parts = sources.plan_source(parquet, "").parts
    assert [part.rows for part in parts] == [100, 100, 100, 50, 100, 100, 50]
    assert [part.first_line for part in parts] == [1, 101, 201, 301, 351, 451, 551]
    # Batches need not be of the size of parts.
    batches = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile, "iter_batches", lambda file, _size, **how: batches(file, 70, **how)
    )
    depot.done(depot.job(parquet, "parquet.csv", given=GIVEN))
    depot.done(depot.job(fleet_file, "csv.csv", given=GIVEN))
    made, wanted = (
        [row.split(",")[1:] for row in (depot.folder / name).read_text(encoding="ascii").split()]
        for name in ("parquet.csv", "csv.csv")
    )
    assert made == wanted


def test_a_row_group_that_has_become_shorter_is_noticed(depot: Depot) -> None:
    parquet = depot.folder / "fleet.parquet"
    pq.write_table(pa.table({"meter": [*METERS]}), parquet)
    plan = sources.plan_source(parquet, "")
    for rows in (0, 2):
        pq.write_table(pa.table({"meter": pa.array([*METERS][:rows], pa.string())}), parquet)
        with pytest.raises((InputChangedError, InputFormatError)):
            read_part(parquet, plan.parts[0], header=plan.header, columns=["meter"], table="")


def test_the_line_of_a_zero_byte_is_told(depot: Depot) -> None:
    job = depot.job(depot.table("meter\n1\n2\n0100\0\n"), given=GIVEN)
    with pytest.raises(InputFormatError, match="line 4: a zero byte"):
        depot.done(job)


@pytest.mark.parametrize("cell", [1.5, b"\x01"])
def test_cells_that_are_neither_text_nor_whole_numbers_are_refused(
    depot: Depot, cell: object
) -> None:
    given = {name: value for name, value in GIVEN.items() if name != "krn"}
    database = _sqlite(depot.folder / "fleet.db", [*METERS, cell])
    assert _code_of(depot, database, given=given) == "INPUT_FORMAT"
    parquet = depot.folder / "fleet.parquet"
    pq.write_table(pa.table({"meter": pa.array([cell])}), parquet)
    assert _code_of(depot, parquet) == "INPUT_FORMAT"


def test_zero_bytes_and_missing_cells_in_other_formats(depot: Depot) -> None:
    parquet = depot.folder / "fleet.parquet"
    pq.write_table(pa.table({"meter": ["0100\x00"]}), parquet)
    assert _code_of(depot, parquet) == "INPUT_FORMAT"
    pq.write_table(pa.table({"meter": pa.array([None, METERS[0]])}), parquet)
    assert depot.done(depot.job(parquet, "x.csv", given=GIVEN)).refused == 1


def test_a_table_that_is_not_there_and_one_still_being_written_are_refused(depot: Depot) -> None:
    database = _sqlite(depot.folder / "fleet.db", METERS)
    assert _code_of(depot, database, table="gauges") == "INPUT_FORMAT"
    (depot.folder / "fleet.db-wal").write_bytes(b"pages")
    assert _code_of(depot, database) == "INPUT_FORMAT"


@pytest.mark.parametrize("kind", ["parquet", "db"])
def test_a_file_that_was_cut_off_is_refused_as_such(depot: Depot, kind: str) -> None:
    rows = [{"meter": METERS[0], "note": "x" * 40} for _ in range(500)]
    source = write_table(depot.folder / f"fleet.{kind}", rows)
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) * 2 // 3])
    assert _code_of(depot, source) == InputTruncatedError.code
    assert not Workspace(depot.folder / f"{source.name}.out.csv").folder.exists()
    for content in (b"", b"PAR0" * 100, b"SQLite format 3\0"):
        source.write_bytes(content)
        assert _code_of(depot, source) == InputFormatError.code


def test_a_database_with_pages_of_the_largest_size_is_read(depot: Depot) -> None:
    source = depot.folder / "fleet.db"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("PRAGMA page_size = 65536")
        connection.execute("CREATE TABLE meters (meter)")
        connection.executemany("INSERT INTO meters VALUES (?)", [(meter,) for meter in METERS])
    assert depot.done(depot.job(source, given=GIVEN)).right == len(METERS)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_input_of_any_format_that_has_changed_is_not_gone_on_with(
    depot: Depot, kind: str
) -> None:
    rows = [{"meter": meter, **GIVEN} for meter in METERS]
    job = depot.job(write_table(depot.folder / f"fleet.{kind}", rows), f"out.{kind}")
    module = depot.opened()
    with pytest.raises(KeyboardInterrupt):
        fleet.run(job, module, Stopping(module.bulk_access(), 0), now=NOW)
    write_table(job.source, [{**row, "to_krn": "3"} for row in rows])
    with pytest.raises(InputChangedError) as refusal:
        depot.done(job)
    assert refusal.value.code == "INPUT_CHANGED"
    assert not job.output.exists()
    write_table(job.source, rows)
    assert depot.done(job).right == len(METERS)


def test_rows_that_vanish_from_a_database_are_noticed(depot: Depot) -> None:
    database = _sqlite(depot.folder / "fleet.db", METERS)
    plan = sources.plan_source(database, "meters")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM meters WHERE rowid = 1")
    with pytest.raises(InputChangedError):
        read_part(database, plan.parts[0], header=plan.header, columns=["meter"], table="meters")


@pytest.mark.parametrize("name", ["e.csv", "e.parquet", "e.db"])
def test_a_table_without_rows_gives_one_without_rows(depot: Depot, name: str) -> None:
    summary = depot.done(depot.job(depot.table("meter\n"), name, given=GIVEN))
    assert (summary.rows, summary.right) == (0, 0)
    assert (depot.folder / name).exists()


# --- duplicates -------------------------------------------------------------------------------


def test_duplicates_are_found_across_parts_and_passes(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MOST_AT_ONCE", 100)
    lines = fleet_file.read_text(encoding="ascii").splitlines()
    twice = [*lines, lines[5], lines[300]]
    fleet_file.write_text("\n".join(twice) + "\n", encoding="ascii")
    job = depot.job(fleet_file, given=GIVEN)
    summary = depot.done(job)
    assert summary.refused == 4
    listed = job.output.with_name("out.csv.errors.csv").read_text(encoding="ascii").splitlines()
    numbers = [int(line.split(",")[0]) for line in listed[1:]]
    assert numbers == [6, 301, 602, 603]


def test_identifiers_of_one_minute_are_spread_over_all_passes(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all the same low bits, no pass may get more than it can hold."""
    monkeypatch.setattr(sources, "CSV_PART_BYTES", 4096)
    monkeypatch.setattr(duplicates, "MOST_AT_ONCE", 500)
    source = depot.folder / "fleet.csv"
    generate(source, 4_000, seed=3, given={**SHARED, "krn": "2", "tid": "6400000"}, credit=True)
    lines = source.read_text(encoding="ascii").splitlines()
    source.write_text("\n".join([*lines, lines[7]]) + "\n", encoding="ascii")
    sizes: list[int] = []
    twice = duplicates._twice  # noqa: SLF001 - to see what a pass holds

    def seen(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        sizes.append(len(numbers))
        return twice(numbers)

    monkeypatch.setattr(duplicates, "_twice", seen)
    job = depot.job(source, operation=Operation.CREDIT)
    assert depot.done(job).refused == 2
    assert len(sizes) == 16
    assert sum(sizes) == 4_001
    assert max(sizes) < 500


def test_a_fleet_in_which_all_stand_twice_is_refused_row_by_row(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MOST_AT_ONCE", 100)
    head, *lines = fleet_file.read_text(encoding="ascii").splitlines()
    fleet_file.write_text("\n".join([head, *lines, *lines]) + "\n", encoding="ascii")
    job = depot.job(fleet_file, given=GIVEN)
    summary = depot.done(job)
    assert (summary.right, summary.refused) == (0, 1200)
    assert (
        verify(fleet_file, job.output, depot.opened().bulk_access(), tenant=job.tenant).rows == 1200
    )


# --- processes --------------------------------------------------------------------------------


def test_forked_processes_make_the_same(depot: Depot, fleet_file: Path) -> None:
    depot.done(depot.job(fleet_file, "one.csv", given=GIVEN))
    module = depot.opened()
    told: list[int] = []
    with ForkedProcesses(module.bulk_access(), 2) as makers:
        job = depot.job(fleet_file, "two.csv", given=GIVEN)
        fleet.run(job, module, makers, now=NOW, progress=lambda done, _rows: told.append(done))
    assert (depot.folder / "one.csv").read_bytes() == (depot.folder / "two.csv").read_bytes()
    assert told == sorted(told)
    assert max(told) == 600
    assert cores() >= 1


def test_what_a_process_refuses_arrives_with_its_code(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = depot.opened()
    with ForkedProcesses(module.bulk_access(), 1) as makers:
        job = depot.job(fleet_file, given=GIVEN)
        # The plan is made of what is gone when the parts are read.
        plan = sources.plan_source(fleet_file, "")
        monkeypatch.setattr(fleet, "plan_source", lambda *_: plan)
        fleet_file.write_text("meter\n", encoding="ascii")
        with pytest.raises(BulkError) as refusal:
            fleet.run(job, module, makers, now=NOW)
    assert refusal.value.code == "INPUT_CHANGED"


def test_a_killed_process_ends_the_run_but_not_the_job(depot: Depot, fleet_file: Path) -> None:
    module = depot.opened()
    job = depot.job(fleet_file, given=GIVEN)

    def kill_one(done: int, _rows: int) -> None:
        if done:
            for child in list(makers._pool._processes.values()):  # noqa: SLF001 - to kill it
                os.kill(child.pid or 0, signal.SIGKILL)

    with ForkedProcesses(module.bulk_access(), 2) as makers, pytest.raises(WorkerLostError):
        fleet.run(job, module, makers, now=NOW, progress=kill_one)
    assert not job.output.exists()
    assert depot.done(job).right == 600


def test_a_command_killed_at_any_time_goes_on_to_the_same_result(depot: Depot) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 190_000, seed=3, given=GIVEN)
    program = str(Path(sys.executable).with_name("sts-keys"))

    def command(output: str) -> list[str]:
        return [
            program, "batch", "key-change", str(source), "-o", str(depot.folder / output),
            "--module", depot.name, "--tenant", "thabaneng", "--at", NOW.isoformat(),
            "--key-file", str(depot.key_file),
        ]  # fmt: skip

    subprocess.run(command("whole.csv"), check=True, capture_output=True)
    kills = 0
    for wanted in (0, 1, 2):
        running = subprocess.Popen(
            command("killed.csv"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        folder = depot.folder / "killed.csv.job"
        while running.poll() is None and len(list(folder.glob("*.record"))) < wanted:
            time.sleep(0.005)
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            kills += 1
        running.wait()
        assert not (depot.folder / "killed.csv").exists()
    assert kills == 3
    subprocess.run(command("killed.csv"), check=True, capture_output=True)
    assert (depot.folder / "killed.csv").read_bytes() == (depot.folder / "whole.csv").read_bytes()


# --- the disk ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["full.csv", "full.db", "full.parquet"])
def test_a_full_disk_leaves_nothing_under_the_final_name(
    depot: Depot, fleet_file: Path, name: str
) -> None:
    """A limit on the size of files is refused by the system as a full disk is."""
    job = depot.job(fleet_file, name, given=GIVEN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    module = depot.opened()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, before[1]))
        with pytest.raises((DiskFullError, OutputError)):
            fleet.run(job, module, ThisProcess(module.bulk_access()), now=NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not job.output.exists()
    assert depot.done(job).right == 600


def test_a_database_that_finds_no_room_is_refused_as_a_full_disk_is(depot: Depot) -> None:
    with closing(sqlite3.connect(depot.folder / "small.db")) as connection:
        connection.execute("PRAGMA max_page_count = 2")
        connection.execute("CREATE TABLE t (c)")
        with pytest.raises(sqlite3.OperationalError) as full:
            connection.executemany("INSERT INTO t VALUES (?)", [("x" * 900,)] * 99)
    failure = output._failure(full.value)  # noqa: SLF001 - SQLite says it only on a full disk
    assert unwritable(depot.folder, failure).code == "DISK_FULL"


def test_a_fleet_that_finds_no_room_leaves_nothing(depot: Depot) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    there = sorted(depot.folder.iterdir())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, before[1]))
        with pytest.raises(DiskFullError):
            generate(depot.folder / "fleet.csv", 10_000, seed=1, given={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert sorted(depot.folder.iterdir()) == there


def test_a_folder_that_cannot_be_written_to_is_refused(depot: Depot, fleet_file: Path) -> None:
    job = depot.job(fleet_file, "no-folder/out.csv", given=GIVEN)
    with pytest.raises(OutputError) as refusal:
        depot.done(job)
    assert refusal.value.code == "OUTPUT_UNWRITABLE"


# --- keys -------------------------------------------------------------------------------------


def test_the_use_is_written_down_once_with_count_and_digest(depot: Depot, fleet_file: Path) -> None:
    summary = depot.done(depot.job(fleet_file, given=GIVEN))
    entries = [entry.record for entry in depot.opened().audit.log.entries()]
    uses = [entry for entry in entries if entry["event"] == AuditEvent.BULK]
    assert [use["message_id"] for use in uses] == [summary.job_id] * 2
    assert [use["note"] for use in uses] == ["key-change: a test"] * 2
    assert [use.get("count") for use in uses] == [None, 600]
    assert uses[1]["digest"] == summary.digest


def test_a_refused_job_is_written_down(depot: Depot) -> None:
    assert _code_of(depot, depot.table("number\n1\n")) == "MISSING_COLUMN"
    entries = [entry.record for entry in depot.opened().audit.log.entries()]
    assert entries[-2]["event"] == AuditEvent.REFUSAL
    assert entries[-2]["refusal_code"] == "MISSING_COLUMN"


def test_no_key_is_in_the_files_of_a_job(depot: Depot, fleet_file: Path) -> None:
    job = _stopped(depot, fleet_file)
    content = b"".join(path.read_bytes() for path in Workspace(job.output).folder.iterdir())
    assert b"ABABABAB" not in content.upper()
    assert b"\xab\xab\xab\xab" not in content
    assert Workspace(job.output).folder.stat().st_mode & 0o077 == 0


def test_the_module_says_that_it_has_bulk_operations(depot: Depot) -> None:
    module = depot.opened()
    assert module.status().capabilities.bulk
    access = module.bulk_access()
    assert repr(access) == "<BulkAccess>"
    with pytest.raises(TypeError, match="pickled"):
        access.__reduce__()


def test_a_module_over_decoder_keys_has_none(depot: Depot) -> None:
    from keys.decoder_keys import DecoderKeysModule  # noqa: PLC0415 - for one test
    from keys.files import read_key_file  # noqa: PLC0415 - as above
    from keys.vault import Vault  # noqa: PLC0415 - as above

    vault = Vault.open(depot.folder / "keys.vault", read_key_file(depot.key_file))
    module = DecoderKeysModule(vault, lab_mode=True)
    assert not module.status().capabilities.bulk
    with pytest.raises(NoBulkError) as refusal:
        module.bulk_access()
    assert refusal.value.code == "NO_BULK"


def test_sample_tables_are_refused_outside_a_laboratory(depot: Depot, csv_text: Text) -> None:
    access = replace(depot.opened().bulk_access(), lab_mode=False)
    module = depot.opened()
    job = depot.job(depot.table(csv_text({"meter": METERS[0], "to_krn": "2"})))
    fleet.run(job, module, ThisProcess(access), now=NOW)
    errors = job.output.with_name("out.csv.errors.csv").read_text(encoding="ascii")
    assert "2,SAMPLE_TABLES_IN_PRODUCTION," in errors
    assert SAMPLE_TABLES.is_sample


def test_a_token_that_reads_otherwise_never_leaves(
    depot: Depot, fleet_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of memory or of the processor is played by a decoder that is wrong in one row."""
    decode = batch.decode

    def wrong(digits: object, cipher: object) -> batch.Contents:
        said = decode(digits, cipher)  # type: ignore[arg-type]  # passed on
        said.content[-1] ^= 1
        return said

    monkeypatch.setattr(batch, "decode", wrong)
    job = depot.job(fleet_file, given=GIVEN)
    with pytest.raises(TokenMismatchError):
        depot.done(job)
    assert not job.output.exists()


@pytest.mark.parametrize("meters", [0, 100_000_001])
def test_a_made_up_fleet_has_a_size(tmp_path: Path, meters: int) -> None:
    with pytest.raises(FleetSizeError) as refusal:
        generate(tmp_path / "x.csv", meters, seed=1, given={})
    assert refusal.value.code == "FLEET_SIZE"


def test_a_made_up_fleet_is_the_same_each_time_and_never_overwrites(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        generate(tmp_path / name, 50, seed=9, given=SHARED, credit=True)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    with pytest.raises(FileExistsRefusedError):
        generate(tmp_path / "a.csv", 5, seed=1, given={})
    with pytest.raises(OutputError):
        generate(tmp_path / "no" / "a.csv", 5, seed=1, given={})


def test_the_manifest_beside_the_output_tells_what_it_is(depot: Depot, fleet_file: Path) -> None:
    summary = depot.done(depot.job(fleet_file, given=GIVEN))
    manifest = json.loads((depot.folder / "out.csv.manifest").read_text(encoding="ascii"))
    assert manifest["output"] == {"digest": summary.digest, "right": 600, "refused": 0}
    assert manifest["job"] == summary.job_id
    assert manifest["parameters"]["operation"] == "key-change"
