"""The folder of a job, beside its output: what has been done, so that a killed job can go on.

=======================  =======================================================================
OUTPUT.job/manifest      the parameters, the input with its checksum, and its parts
OUTPUT.job/N.table       what part N makes
OUTPUT.job/N.errors      its refused rows
OUTPUT.job/N.meters      its meters, as numbers, to find duplicates by
OUTPUT.job/N.record      the checksums of these three; written last, so a part is whole or not
=======================  =======================================================================

Every file gets its name at one instant, when it is whole. A part counts as done if its record is
there and all three checksums are right: what a power cut has torn is made anew. The folder is
readable for its owner only, because it holds tokens.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from keys.bulk.errors import (
    InputChangedError,
    JobChangedError,
    JobFilesError,
    JobRunningError,
    unwritable,
)
from keys.bulk.job import Job
from keys.bulk.sources import Part, Plan
from keys.canonical_json import CanonicalJsonError, JsonValue, read_json, readable_bytes
from keys.json_fields import Fields

FORMAT: Final = "sts-vending bulk job"
VERSION: Final = 1
_OWNER_ONLY: Final = 0o700
_KINDS: Final = ("table", "errors", "meters")
NO_DUPLICATES: Final = "none"
_RECORD: Final = ("number", "right", "refused", "duplicates", "digests")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """What is known of a part that is done.

    Attributes:
        number: Which part.
        right: How many rows came out.
        refused: How many rows did not.
        duplicates: SHA-256 of the bits of the rows that were refused because they stand there
            twice, or ``none``.
        digests: SHA-256 of its three files.
    """

    number: int
    right: int
    refused: int
    duplicates: str
    digests: Mapping[str, str]


class Workspace:
    """The folder of one job.

    Attributes:
        output: The file that the job makes.
        folder: The folder.
    """

    def __init__(self, output: Path) -> None:
        """Name the folder; nothing is made yet."""
        self.output: Final = output
        self.folder: Final = output.with_name(f"{output.name}.job")

    @property
    def manifest(self) -> Path:
        """What the job is."""
        return self.folder / "manifest"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep every other process away from it.

        Raises:
            JobRunningError: Another process is at work.
            OutputError, DiskFullError: The folder cannot be made.
        """
        try:
            self.folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        try:
            self._lock(descriptor)
            try:
                yield
            finally:
                self._remove_unused()
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it before may have removed the file: then the lock keeps nobody away.
            if not os.path.samestat(os.fstat(descriptor), (self.folder / "lock").stat()):
                raise JobRunningError(self.output)
        except (BlockingIOError, FileNotFoundError):
            raise JobRunningError(self.output) from None

    def _remove_unused(self) -> None:
        """Remove the folder of a job that was refused before it had begun."""
        if self.folder.exists() and not self.manifest.exists():
            self.remove()

    def begun_at(self) -> datetime | None:
        """Return the time of a job that was begun, or None if there is none.

        Raises:
            JobFilesError: The manifest is none.
        """
        if not self.manifest.exists():
            return None
        fields = self._manifest()
        parameters = Fields(
            "parameters",
            fields.raw("parameters"),
            names=("operation", "tenant", "at", "given", "table", "options", "output_format"),
            refuse=self._refuse,
        )
        return parameters.time("at")

    def begin(self, job: Job, plan: Plan) -> None:
        """Write the manifest, or check that the job which was begun is this one.

        Raises:
            InputChangedError, JobChangedError: It is another one.
            JobFilesError, OutputError, DiskFullError: The manifest cannot be used.
        """
        body = manifest_body(job, plan)
        if not self.manifest.exists():
            self.put("manifest", readable_bytes(body))
            return
        fields = self._manifest()
        found = fields.raw("parameters")
        if isinstance(found, dict) and found != body["parameters"]:
            wanted = job.parameters()
            raise JobChangedError(
                tuple(sorted(name for name in wanted if found.get(name) != wanted[name]))
            )
        if fields.raw("input") != body["input"]:
            raise InputChangedError(job.source)

    def done(self, part: Part) -> PartRecord | None:
        """Return the record of a part if it is done and whole, else None."""
        try:
            content = self.path(part.number, "record").read_bytes()
            record = read_record(content)
        except (OSError, CanonicalJsonError, JobFilesError):
            return None
        whole = all(
            self.path(part.number, kind).exists()
            and digest_of(self.path(part.number, kind)) == record.digests[kind]
            for kind in _KINDS
        )
        return record if whole and record.number == part.number else None

    def finish(
        self,
        part: Part,
        files: Mapping[str, bytes],
        *,
        right: int,
        refused: int,
        duplicates: str,
    ) -> PartRecord:
        """Write the files of a part, and then its record.

        Raises:
            OutputError, DiskFullError: They cannot be written.
        """
        record_path = self.path(part.number, "record")
        record_path.unlink(missing_ok=True)
        for kind in _KINDS:
            self.put(f"{part.number:06}.{kind}", files[kind])
        record = PartRecord(
            number=part.number,
            right=right,
            refused=refused,
            duplicates=duplicates,
            digests={kind: digest_of(self.path(part.number, kind)) for kind in _KINDS},
        )
        self.put(record_path.name, json.dumps(asdict(record)).encode("ascii"))
        return record

    def content(self, record: PartRecord, kind: str) -> bytes:
        """Return a file of a part that is done.

        Raises:
            OSError: It cannot be read.
            JobFilesError: It is not what the record says.
        """
        path = self.path(record.number, kind)
        content = path.read_bytes()
        if sha256(content).hexdigest() != record.digests[kind]:
            raise JobFilesError(path, "it has changed since it was made; give the command again")
        return content

    def path(self, number: int, kind: str) -> Path:
        """Return where a file of a part lies."""
        return self.folder / f"{number:06}.{kind}"

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the folder; it has its name once it is whole.

        Raises:
            OutputError, DiskFullError: It cannot be written.
        """
        temporary = self.folder / f".{name}.{secrets.token_hex(8)}"
        try:
            try:
                temporary.write_bytes(content)
                temporary.replace(self.folder / name)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.folder / name, error) from error

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder)

    def _manifest(self) -> Fields:
        try:
            value = read_json(self.manifest.read_bytes())
        except (OSError, CanonicalJsonError) as error:
            raise self._refuse(str(error)) from None
        names = ("format", "version", "parameters", "input", "parts")
        fields = Fields("a manifest", value, names=names, refuse=self._refuse)
        if fields.text("format") != FORMAT or fields.number("version") != VERSION:
            raise self._refuse("not the manifest of a bulk job of this version")
        return fields

    def _refuse(self, what: str) -> JobFilesError:
        return JobFilesError(self.manifest, what)


def manifest_body(job: Job, plan: Plan) -> dict[str, JsonValue]:
    """Return what a manifest says, as plain JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "parameters": job.parameters(),
        "input": {"digest": plan.digest, "rows": plan.rows, "columns": list(plan.header)},
        "parts": [asdict(part) for part in plan.parts],
    }


def read_record(content: bytes) -> PartRecord:
    """Read the record of a part.

    Raises:
        CanonicalJsonError, JobFilesError: Not a record.
    """

    def refuse(what: str) -> JobFilesError:
        return JobFilesError(Path("record"), what)

    fields = Fields("a record", read_json(content), names=_RECORD, refuse=refuse)
    digests = Fields("digests", fields.raw("digests"), names=_KINDS, refuse=refuse)
    return PartRecord(
        number=fields.number("number"),
        right=fields.number("right"),
        refused=fields.number("refused"),
        duplicates=fields.text("duplicates"),
        digests={kind: digests.text(kind) for kind in _KINDS},
    )


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
