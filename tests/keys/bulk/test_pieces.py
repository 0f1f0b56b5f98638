"""What only other processes or empty columns reach, reached here."""

import os
import signal
import threading

import pyarrow as pa
import pytest

from keys.bulk import cluster, local, sources
from keys.bulk.cells import fixed_text
from keys.bulk.cluster import WorkerModule
from keys.bulk.errors import PartFailedError
from keys.bulk.generate import generate
from keys.bulk.job import Operation
from keys.bulk.part import PartFailure, PartTask, attempt_part, required
from keys.bulk.workspace import Workspace
from tests.keys.bulk.conftest import SHARED, Depot


def test_a_column_of_empty_cells_is_one_of_empty_text() -> None:
    assert fixed_text(pa.array([], pa.binary())).tolist() == []
    assert fixed_text(pa.array([b"", b""], pa.binary())).tolist() == [b"", b""]


def test_a_worker_opens_the_module_and_refuses_in_words(depot: Depot) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 5, seed=1, given={**SHARED, "to_krn": "2"})
    plan = sources.plan_source(source, "")
    job = depot.job(source)
    task = PartTask(job=job, job_id=job.id(plan.digest), part=plan.parts[0], header=plan.header)
    module = WorkerModule(name=depot.name, key_file=depot.key_file, tables=None, lab_mode=True)
    with Workspace(job.output).held():
        assert required(cluster._make(task, module)).right == 5
        source.write_text("meter\n", encoding="ascii")
        failure = attempt_part(task, depot.opened().bulk_access)
    assert isinstance(failure, PartFailure)
    with pytest.raises(PartFailedError) as refusal:
        required(failure)
    assert refusal.value.code == "INPUT_CHANGED"


def test_credit_without_a_column_of_identifiers_for_an_unknown_group(depot: Depot) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 3, seed=1, given={**SHARED, "sgc": "999999"}, credit=True)
    summary = depot.done(depot.job(source, operation=Operation.CREDIT))
    assert (summary.right, summary.refused) == (0, 3)


def test_a_forked_process_ends_when_the_first_one_is_gone(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 5, seed=1, given={**SHARED, "to_krn": "2"})
    plan = sources.plan_source(source, "")
    job = depot.job(source)
    task = PartTask(job=job, job_id=job.id(plan.digest), part=plan.parts[0], header=plan.header)
    ended = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda _status: ended.set())
    before = signal.getsignal(signal.SIGINT)
    ours, theirs = os.pipe()
    try:
        # As in a forked process: the other end is closed here, and is nowhere else.
        local._begin(depot.opened().bulk_access(), (ours, theirs))  # noqa: SLF001 - runs in another process
    finally:
        signal.signal(signal.SIGINT, before)
    with Workspace(job.output).held():
        assert required(local._make(task)).right == 5
    assert ended.wait(10)
    os.close(ours)
