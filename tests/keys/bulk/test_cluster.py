"""A job on a real Dask cluster: its workers are processes of their own, and one is killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from distributed import Client

from keys.bulk import cluster as cluster_module
from keys.bulk import fleet, sources
from keys.bulk.cluster import DaskWorkers, WorkerModule
from keys.bulk.errors import BulkError, ClusterError
from keys.bulk.generate import generate
from keys.cli import main
from tests.keys.bulk.conftest import NOW, Depot
from tests.keys.bulk.test_jobs import GIVEN

pytestmark = [
    pytest.mark.slow,
    # What Dask leaves to the garbage collector when a scheduler goes away.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


Started = tuple[str, list[subprocess.Popen[bytes]]]


@contextmanager
def _cluster(workers: int) -> Iterator[Started]:
    """Start a scheduler and so many workers on this machine; the scheduler is the first process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, *words: str) -> None:
        command = [sys.executable, "-m", module, *words]
        started.append(
            subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": str(Path.cwd())},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    start(
        "distributed.cli.dask_scheduler",
        "--host=127.0.0.1", f"--port={port}", "--no-dashboard", "--dashboard-address=127.0.0.1:0",
    )  # fmt: skip
    for _ in range(workers):
        start(
            "distributed.cli.dask_worker", address,
            "--no-nanny", "--nthreads=1", "--no-dashboard", "--host=127.0.0.1",
        )  # fmt: skip
    try:
        with Client(address, timeout="60s", set_as_default=False) as client:  # type: ignore[no-untyped-call]  # Dask has no types here
            if workers:
                client.wait_for_workers(workers, timeout=60)
        yield address, started
    finally:
        for each in started:
            each.kill()
            each.wait()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Started]:
    """Start a cluster for tests that leave a worker alive."""
    with _cluster(2) as started:
        yield started


def _workers(depot: Depot, address: str) -> DaskWorkers:
    return DaskWorkers(
        address,
        WorkerModule(name=depot.name, key_file=depot.key_file, tables=None, lab_mode=True),
    )


def test_what_a_worker_refuses_arrives_with_its_code(
    depot: Depot,
    cluster: Started,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 100, seed=1, given={})
    plan = sources.plan_source(source, "")
    monkeypatch.setattr(fleet, "plan_source", lambda *_: plan)
    source.write_text("meter\n", encoding="ascii")
    with pytest.raises(BulkError) as refusal:
        fleet.run(
            depot.job(source, given=GIVEN), depot.opened(), _workers(depot, cluster[0]), now=NOW
        )
    assert refusal.value.code == "INPUT_CHANGED"


def test_a_worker_that_is_killed_changes_nothing(
    depot: Depot,
    cluster: Started,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, started = cluster
    monkeypatch.setattr(sources, "CSV_PART_BYTES", 1 << 17)
    source = depot.folder / "fleet.csv"
    generate(source, 150_000, seed=5, given={})
    local = depot.job(source, "local.csv", given=GIVEN)
    depot.done(local)
    killed: list[int] = []

    def kill_one(done: int, rows: int) -> None:
        if 0 < done < rows // 2 and not killed:
            started[-1].send_signal(signal.SIGKILL)
            killed.append(done)

    job = depot.job(source, "cluster.csv", given=GIVEN)
    summary = fleet.run(job, depot.opened(), _workers(depot, address), now=NOW, progress=kill_one)
    assert killed
    assert started[-1].wait() == -signal.SIGKILL
    assert summary.right == 150_000
    assert job.output.read_bytes() == local.output.read_bytes()


def test_the_command_has_a_cluster_do_the_work(
    depot: Depot, cluster: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 1_000, seed=5, given=GIVEN)
    outcome = _command(depot, source, cluster[0], monkeypatch)
    assert outcome.exit_code == 0
    assert "1000 of 1000 rows" in outcome.output
    local = depot.job(source, "local.csv")
    depot.done(local)
    assert (depot.folder / "out.csv").read_bytes() == local.output.read_bytes()


def _command(depot: Depot, source: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(depot.folder)
    words = [
        "batch", "key-change", str(source), "-o", "out.csv", "--module", depot.name,
        "--tenant", "thabaneng", "--key-file", str(depot.key_file), "--at", NOW.isoformat(),
        "--dask", address,
    ]  # fmt: skip
    return CliRunner().invoke(main, words)


def test_a_worker_that_cannot_open_the_module_refuses_with_its_code(
    depot: Depot, cluster: Started
) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 10, seed=1, given=GIVEN)
    workers = _workers(depot, cluster[0])
    workers._module = replace(workers._module, key_file=depot.folder / "none.key")  # noqa: SLF001 - a path that is wrong there
    with pytest.raises(BulkError) as refusal:
        fleet.run(depot.job(source), depot.opened(), workers, now=NOW)
    assert refusal.value.code == "FILE_UNREADABLE"


def _broken(*_: object) -> None:
    message = "a library is missing here"
    raise ModuleNotFoundError(message)


def test_what_else_goes_wrong_in_a_worker_is_told(
    depot: Depot, cluster: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 10, seed=1, given=GIVEN)
    monkeypatch.setattr(cluster_module, "_make", _broken)
    with pytest.raises(ClusterError, match="a library is missing here"):
        fleet.run(depot.job(source), depot.opened(), _workers(depot, cluster[0]), now=NOW)


@pytest.mark.parametrize("lost", ["scheduler", "workers"])
def test_a_cluster_that_goes_away_is_not_waited_for_for_ever(
    depot: Depot, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(cluster_module, "ALONE_SECONDS", 2)
    monkeypatch.setattr(sources, "CSV_PART_BYTES", 1 << 16)
    source = depot.folder / "fleet.csv"
    generate(source, 60_000, seed=5, given={})
    job = depot.job(source, given=GIVEN)
    begun = time.monotonic()
    with _cluster(1) as (address, started):

        def kill(done: int, _rows: int) -> None:
            if done:
                started[lost == "workers"].kill()

        with pytest.raises(ClusterError) as refusal:
            fleet.run(job, depot.opened(), _workers(depot, address), now=NOW, progress=kill)
    assert refusal.value.code == "CLUSTER"
    assert time.monotonic() - begun < 60
    assert not job.output.exists()
    summary = depot.done(job)
    assert summary.resumed > 0
    assert summary.right == 60_000


def test_a_cluster_without_workers_is_refused(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 2)
    source = depot.folder / "fleet.csv"
    generate(source, 10, seed=1, given=GIVEN)
    with _cluster(0) as (address, _), pytest.raises(ClusterError, match="failed"):
        fleet.run(depot.job(source), depot.opened(), _workers(depot, address), now=NOW)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "carrier-pigeon://loft:1"])
def test_a_cluster_that_is_not_there_is_refused(
    depot: Depot, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    source = depot.folder / "fleet.csv"
    generate(source, 10, seed=1, given=GIVEN)
    outcome = _command(depot, source, address, monkeypatch)
    assert outcome.exit_code == 1
    assert f"error CLUSTER: there is no scheduler at {address}" in outcome.output
    assert not (depot.folder / "out.csv").exists()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.0 400 Bad Request\r\n\r\n"])
def test_what_is_no_scheduler_is_refused(
    depot: Depot, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    source = depot.folder / "fleet.csv"
    generate(source, 10, seed=1, given=GIVEN)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                connection.sendall(said)
                answered.append(connection)

        answered: list[socket.socket] = []
        thread = threading.Thread(target=answer)
        thread.start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        workers = _workers(depot, address)
        with pytest.raises(ClusterError, match="there is no scheduler"):
            fleet.run(depot.job(source), depot.opened(), workers, now=NOW)
        thread.join()
        for each in answered:
            each.close()


def test_without_dask_it_is_said_what_to_install(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"sts-vending\[cluster\]"):
        next(_workers(depot, "tcp://127.0.0.1:1").make([]))
