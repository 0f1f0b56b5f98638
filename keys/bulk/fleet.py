"""A whole job: planned, made part by part, put together, written down, published.

The audit log gets one use: an entry when the work begins, because from then on there are tokens on
the disk, and one with the number of rows and the SHA-256 of the output before the output has its
name. Both name the job; a resumed job begins once more.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from keys.audit_record import AuditEvent
from keys.audited_module import AuditedModule
from keys.bulk.duplicates import duplicates_of
from keys.bulk.errors import JobChangedError
from keys.bulk.job import Job, Operation
from keys.bulk.output import build, build_errors, error_file, manifest_file, publish
from keys.bulk.part import PartTask
from keys.bulk.sources import Plan, plan_source
from keys.bulk.workspace import PartRecord, Workspace, digest_of, manifest_body
from keys.canonical_json import read_json, readable_bytes
from keys.errors import FileExistsRefusedError


class Makers(Protocol):
    """Whoever makes parts, one after the other or many at once."""

    def make(self, tasks: Iterable[PartTask]) -> Iterator[PartRecord]:
        """Yield the record of each part as soon as it is done, in any order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of a job.

    Attributes:
        job_id: Its name in the audit log.
        rows: How many rows the input has.
        right: How many came out.
        refused: How many are in the side file.
        resumed: How many parts an earlier run had done.
        digest: SHA-256 of the output.
    """

    job_id: str
    rows: int
    right: int
    refused: int
    resumed: int
    digest: str


Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


def quiet(done: int, rows: int) -> None:
    """Tell nobody."""
    del done, rows


def time_of_job(output: Path, at: datetime | None, now: datetime) -> datetime:
    """Return the time of a job: that of its first run, if it goes on.

    Raises:
        JobChangedError: Another time is asked for.
        JobFilesError: The manifest is none.
    """
    begun = Workspace(output).begun_at()
    if begun is None:
        return (at or now).replace(microsecond=0)
    if at is not None and at.replace(microsecond=0) != begun:
        raise JobChangedError(("at",))
    return begun


def run(
    job: Job,
    module: AuditedModule,
    makers: Makers,
    *,
    now: datetime,
    purpose: str | None = None,
    progress: Progress = quiet,
) -> Summary:
    """Do a job, or what is left of it.

    Args:
        job: The job.
        module: The opened module, for its audit log.
        makers: Who makes the parts.
        now: The present time, for the audit log.
        purpose: What it is done for, in a person's words, for the audit log.
        progress: Is told how far it is.

    Raises:
        FileExistsRefusedError: The output exists.
        BulkError: The job cannot be done, or not go on.
        KeysError, StsError: The module refuses.
    """
    with module.audit.refusals_of(AuditEvent.BULK, now=now, note=_note(job.operation, purpose)):
        workspace = Workspace(job.output)
        if job.output.exists():
            _remove_leftovers(workspace)
            raise FileExistsRefusedError(job.output)
        with workspace.held():
            return _Run(job, module, workspace).run(
                makers, now=now, purpose=purpose, progress=progress
            )


class _Run:
    """One run of a job in its folder."""

    def __init__(self, job: Job, module: AuditedModule, workspace: Workspace) -> None:
        self.job, self.module, self.workspace = job, module, workspace

    def run(
        self, makers: Makers, *, now: datetime, purpose: str | None, progress: Progress
    ) -> Summary:
        job = self.job
        plan = self._planned()
        job_id = job.id(plan.digest)
        self.workspace.begin(job, plan)
        facts = {"message_id": job_id, "note": _note(job.operation, purpose)}
        self.module.audit.write(AuditEvent.BULK, now=now, **facts)
        tasks = {
            part.number: PartTask(job=job, job_id=job_id, part=part, header=plan.header)
            for part in plan.parts
        }
        records = self._found(plan)
        resumed = len(records)
        left = [task for number, task in tasks.items() if number not in records]
        self._make(left, records, makers, progress=progress, rows=plan.rows)
        twice = duplicates_of(self.workspace, plan.parts)
        tasks = {
            number: replace(task, duplicates=twice.get(number, b""))
            for number, task in tasks.items()
        }
        left = [
            task
            for number, task in tasks.items()
            if records[number].duplicates != task.duplicates_digest
        ]
        self._make(left, records, makers, progress=quiet, rows=plan.rows)
        summary = Summary(
            job_id=job_id,
            rows=plan.rows,
            right=sum(record.right for record in records.values()),
            refused=sum(record.refused for record in records.values()),
            resumed=resumed,
            digest="",
        )
        ordered = [records[part.number] for part in plan.parts]
        return self._publish(summary, plan, ordered, facts=facts, now=now)

    def _planned(self) -> Plan:
        plan = plan_source(self.job.source, self.job.table)
        self.job.columns(plan.header)
        return plan

    def _found(self, plan: Plan) -> dict[int, PartRecord]:
        found = (self.workspace.done(part) for part in plan.parts)
        return {record.number: record for record in found if record is not None}

    @staticmethod
    def _make(
        left: Sequence[PartTask],
        records: dict[int, PartRecord],
        makers: Makers,
        *,
        progress: Progress,
        rows: int,
    ) -> None:
        """Make parts, and tell how many rows are done with each."""
        size = {task.part.number: task.part.rows for task in left}
        done = rows - sum(size.values())
        progress(done, rows)
        for record in makers.make(left) if left else ():
            records[record.number] = record
            done += size[record.number]
            progress(done, rows)

    def _publish(
        self,
        summary: Summary,
        plan: Plan,
        records: Sequence[PartRecord],
        *,
        facts: dict[str, str],
        now: datetime,
    ) -> Summary:
        output, digest = build(self.workspace, self.job.operation, records)
        errors = build_errors(self.workspace, records)
        self.workspace.put(
            ".finished",
            readable_bytes(
                {
                    **manifest_body(self.job, plan),
                    "job": summary.job_id,
                    "output": {
                        "digest": digest,
                        "right": summary.right,
                        "refused": summary.refused,
                    },
                }
            ),
        )
        self.module.audit.write(
            AuditEvent.BULK, now=now, count=summary.right, digest=digest, **facts
        )
        # The output comes last: where it is, the rest is, too.
        publish(
            {
                errors: error_file(self.job.output),
                self.workspace.folder / ".finished": manifest_file(self.job.output),
                output: self.job.output,
            }
        )
        self.workspace.remove()
        return replace(summary, digest=digest)


def _remove_leftovers(workspace: Workspace) -> None:
    """Remove the folder of a job that was killed between its last two steps."""
    finished = manifest_file(workspace.output)
    if not (workspace.manifest.exists() and finished.exists()):
        return
    found = read_json(finished.read_bytes())
    output = found.get("output") if isinstance(found, dict) else None
    if isinstance(output, dict) and output.get("digest") == digest_of(workspace.output):
        workspace.remove()


def _note(operation: Operation, purpose: str | None) -> str:
    return str(operation) if purpose is None else f"{operation}: {purpose}"
