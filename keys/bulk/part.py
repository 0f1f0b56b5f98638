"""One part of a fleet: from its rows in the input to its files in the folder of the job."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from keys.bulk.cells import Text, arrow_text, fixed_text, groups_of, numbers_of
from keys.bulk.errors import PartFailedError
from keys.bulk.job import METER, OUTPUT, VALUES, Job, Operation, TableFormat, format_of
from keys.bulk.operations import GroupRows, Resolved, make, resolve
from keys.bulk.rows import RowCodes, set_bits
from keys.bulk.sources import BAD_ROW, Part, Rows, read_part
from keys.bulk.workspace import NO_DUPLICATES, PartRecord, Workspace
from keys.bulk_access import BulkAccess
from keys.errors import KeysError
from sts import StsError, batch

NO_METER: Final = np.uint64(2**64 - 1)
"""Stands for a row whose meter is not known, so that it is no duplicate of anything."""
_SERIALS: Final = 10**8
_LONG_MAKERS: Final = 10**4
_TID_BITS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTask:
    """What a process has to know to make a part; no key is in it.

    Attributes:
        job: The job.
        job_id: Its name.
        part: Which part.
        header: The names of all columns of the input.
        duplicates: Rows to refuse because they stand there twice, a bit for each.
    """

    job: Job
    job_id: str
    part: Part
    header: tuple[str, ...]
    duplicates: bytes = b""

    @property
    def duplicates_digest(self) -> str:
        """What the record of the part says about them."""
        return sha256(self.duplicates).hexdigest() if self.duplicates else NO_DUPLICATES


def make_part(task: PartTask, access: BulkAccess) -> PartRecord:
    """Make a part and write it into the folder of the job.

    Raises:
        BulkError: The input cannot be read, or the files not be written.
        TokenMismatchError: A token says something else when it is read again.
    """
    job = task.job
    columns = job.columns(task.header)
    rows = read_part(job.source, task.part, header=task.header, columns=columns, table=job.table)
    work = _Work(task, rows)
    work.make(access)
    return Workspace(job.output).finish(
        task.part,
        {"table": work.table(), "errors": work.errors(), "meters": work.meters()},
        right=int(work.codes.right.sum()),
        refused=int((~work.codes.right).sum()) + len(rows.bad_lines),
        duplicates=task.duplicates_digest,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFailure:
    """Why a part was refused, in words that can be sent to another process.

    Attributes:
        code: The code of the error.
        message: The error in words.
        hint: What can be done about it.
    """

    code: str
    message: str
    hint: str


def attempt_part(task: PartTask, opened: Callable[[], BulkAccess]) -> PartRecord | PartFailure:
    """Open the module and make a part for another process: errors do not travel, words do."""
    try:
        return make_part(task, opened())
    except (KeysError, StsError) as error:
        return PartFailure(code=error.code, message=str(error), hint=getattr(error, "hint", ""))


def required(outcome: PartRecord | PartFailure) -> PartRecord:
    """Return the record of a part that another process made.

    Raises:
        PartFailedError: It has refused it.
    """
    if isinstance(outcome, PartFailure):
        raise PartFailedError(outcome.message, code=outcome.code, hint=outcome.hint)
    return outcome


class _Work:
    """The rows of a part, and what has become of them so far."""

    def __init__(self, task: PartTask, rows: Rows) -> None:
        """Read meters and numbers, and mark what is none."""
        self.task, self.rows, self.count = task, rows, len(rows.lines)
        self.codes = RowCodes(self.count)
        self.meter: Text = self._text(METER)
        self.pans = batch.parse_meter_numbers(self.meter)
        self.codes.take(self.pans.status)
        self.codes.mark_rows(_duplicate_code(task.job), set_bits(task.duplicates, self.count))
        self.numbers: dict[str, NDArray[np.int64]] = {}
        self.made: dict[str, Text] = {}
        self.base = np.zeros(self.count, np.uint8)

    def make(self, access: BulkAccess) -> None:
        """Work on one group of rows after the other."""
        job = self.task.job
        values = VALUES[job.operation]
        for name in ("tenths", "tid"):
            if name in values and (name in self.rows.columns or name in job.given):
                found = numbers_of(self._text(name))
                self.codes.mark("NOT_DIGITS", found.wrong)
                self.numbers[name] = found.values
        shared = {
            name: column
            for name, column in self.rows.columns.items()
            if name != METER and name not in values
        }
        groups = groups_of(shared, job.given, self.count)
        for number, attributes in enumerate(groups.values):
            where = groups.of_row == number
            try:
                resolved = resolve(job, attributes, access)
            except (KeysError, StsError) as error:
                self.codes.mark(error.code, where)
                continue
            self._make_group(resolved, np.nonzero(where)[0], access)

    def _make_group(self, resolved: Resolved, rows: NDArray[np.int64], access: BulkAccess) -> None:
        job = self.task.job
        whole = len(rows) == self.count
        some = GroupRows(
            pans=self.pans if whole else batch.parse_meter_numbers(self.meter[rows]),
            lines=self.rows.lines[rows],
            numbers={name: column[rows] for name, column in self.numbers.items()},
            tokens=self._text("token")[rows] if job.operation is Operation.DECODE else None,
        )
        made = make(job, resolved, some, access=access, job_id=self.task.job_id)
        for number in np.unique(made.codes.numbers[~made.codes.right]):
            of_code = made.codes.numbers == number
            code = made.codes.code(int(np.argmax(of_code)))
            self.codes.mark_rows(code, rows[of_code])
        self.base[rows] = int(resolved.key.record.base_date.value)
        for name, column in made.columns.items():
            self._place(name, column, rows, whole=whole)

    def _place(self, name: str, column: Text, rows: NDArray[np.int64], *, whole: bool) -> None:
        if whole:
            self.made[name] = column
            return
        before = self.made.get(name)
        width = max(column.dtype.itemsize, 1 if before is None else before.dtype.itemsize)
        wide = np.zeros(self.count, f"S{width}") if before is None else before.astype(f"S{width}")
        wide[rows] = column
        self.made[name] = wide

    def table(self) -> bytes:
        """Return the rows that are right as the part of a file."""
        job = self.task.job
        right = self.codes.right
        table = pa.table({name: self._column(name, right) for name in OUTPUT[job.operation]})
        sink = pa.BufferOutputStream()
        if format_of(job.output) is TableFormat.CSV:
            options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
            pa_csv.write_csv(table, sink, options)
        else:
            with pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        return bytes(sink.getvalue())

    def _column(self, name: str, right: NDArray[np.bool_]) -> pa.Array:
        if name == "line":
            return pa.array(self.rows.lines[right])
        if name == METER:
            return arrow_text(self.meter[right])
        made = self.made.get(name)
        return arrow_text(np.zeros(int(right.sum()), "S1") if made is None else made[right])

    def errors(self) -> bytes:
        """Return the refused rows as lines of the side file, in the order of the input."""
        found = [(line, BAD_ROW, "") for line in self.rows.bad_lines]
        for row in np.nonzero(~self.codes.right)[0]:
            # Only digits are repeated: what else stands in a file is no business of ours.
            meter = self.meter[row].decode("ascii", "replace")
            shown = meter if meter.isascii() and meter.isdigit() else ""
            found.append((int(self.rows.lines[row]), self.codes.code(int(row)), shown))
        text = io.StringIO()
        for line, code, meter in sorted(found):
            text.write(f"{line},{code},{meter}\n")
        return text.getvalue().encode("ascii")

    def meters(self) -> bytes:
        """Return by what duplicates are found: 8 bytes a row, and the base date of each row."""
        if self.task.job.operation is Operation.DECODE:
            return b""
        identity = _identities(self.pans)
        if self.task.job.operation is Operation.CREDIT:
            tids = self._tids()
            known = (tids > 0) & (tids < 1 << _TID_BITS) & (identity != NO_METER)
            mixed = identity << np.uint64(_TID_BITS) | tids.astype(np.uint64)
            return np.where(known, mixed, NO_METER).tobytes() + self.base.tobytes()
        return identity.tobytes() + np.zeros(self.count, np.uint8).tobytes()

    def _tids(self) -> NDArray[np.int64]:
        if "tid" in self.numbers:
            return self.numbers["tid"]
        made = self.made.get("tid")
        if made is None:
            return np.zeros(self.count, np.int64)
        return numbers_of(made).values

    def _text(self, name: str) -> Text:
        column = self.rows.columns.get(name)
        if column is None:
            given = self.task.job.given[name].encode("utf-8")
            return np.full(self.count, given, f"S{max(len(given), 1)}")
        return fixed_text(column)


def _duplicate_code(job: Job) -> str:
    return "DUPLICATE_TID" if job.operation is Operation.CREDIT else "DUPLICATE_METER"


def _identities(pans: batch.MeterPans) -> NDArray[np.uint64]:
    """Return a number below 2^40 for each meter, no two the same: maker and serial number."""
    parts = batch.split_drns(pans)
    serial = numbers_of(parts.serial_numbers).values
    makers = numbers_of(parts.manufacturer_codes).values
    long = np.char.str_len(parts.manufacturer_codes) == 4  # noqa: PLR2004 - digits of a long code
    number = np.where(long, makers, makers + _LONG_MAKERS) * _SERIALS + serial
    known = pans.status == batch.Status.OK
    return np.where(known, number.astype(np.uint64), NO_METER)
