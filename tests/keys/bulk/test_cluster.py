"""A job on a real Dask cluster: its workers are processes of their own, and one is killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

from keys.bulk import cluster as cluster_module
from keys.bulk import fleet, sources
from keys.bulk.cluster import DaskWorkers, WorkerModule
from keys.bulk.errors import BulkError, ClusterError
from keys.bulk.generate import generate
from tests.keys.bulk.conftest import NOW, Depot
from tests.keys.bulk.test_jobs import GIVEN

pytestmark = [
    pytest.mark.slow,
    # What Dask leaves to the garbage collector when a scheduler goes away.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Start a scheduler and two workers on this machine."""
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
    for _ in range(2):
        start(
            "distributed.cli.dask_worker", address,
            "--no-nanny", "--nthreads=1", "--no-dashboard", "--host=127.0.0.1",
        )  # fmt: skip
    try:
        with Client(address, timeout="60s", set_as_default=False) as client:  # type: ignore[no-untyped-call]  # Dask has no types here
            client.wait_for_workers(2, timeout=60)
        yield address, started
    finally:
        for each in started:
            each.kill()
            each.wait()


def _workers(depot: Depot, address: str) -> DaskWorkers:
    return DaskWorkers(
        address,
        WorkerModule(name=depot.name, key_file=depot.key_file, tables=None, lab_mode=True),
    )


def test_what_a_worker_refuses_arrives_with_its_code(
    depot: Depot,
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
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
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
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


def test_a_cluster_that_is_not_there_is_refused(
    depot: Depot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    source = tmp_path / "fleet.csv"
    generate(source, 10, seed=1, given={})
    workers = DaskWorkers(
        "tcp://127.0.0.1:1",
        WorkerModule(name=depot.name, key_file=depot.key_file, tables=None, lab_mode=True),
    )
    with pytest.raises(ClusterError) as refusal:
        fleet.run(depot.job(source, given=GIVEN), depot.opened(), workers, now=NOW)
    assert refusal.value.code == "CLUSTER"
