"""A finished job checked against the scalar core, row by row.

It shares no code with what made the output: no array engine, no NumPy, none of the readers, writers
and plans of a job. It reads the files one row at a time (``verify_tables``), derives the keys of
each meter alone, reads its tokens as a meter does, and compares them with what the input asks for
(``verify_rows``). A refused row must be refused by the scalar core for the same reason.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from keys.bulk.errors import (
    InputChangedError,
    InputFormatError,
    JobChangedError,
    NotVerifiedError,
    OutputChangedError,
)
from keys.bulk.verify_rows import RowCheck
from keys.bulk.verify_tables import (
    Cells,
    read_made,
    read_manifest,
    read_refused,
    read_rows,
    sha256_of,
)
from keys.bulk_access import BulkAccess
from keys.errors import KeysError
from sts import StsError

BAD_ROW: Final = "ROW_FORMAT"
DUPLICATES: Final = ("DUPLICATE_METER", "DUPLICATE_TID")
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "key-change": ("line", "meter", "token_1", "token_2", "token_3", "token_4"),
    "credit": ("line", "meter", "tid", "tenths", "token"),
    "decode": ("line", "meter", "kind", "tid", "tenths"),
    "derive": ("line", "meter", "check_value"),
}
_BUCKETS: Final = 256
_PRIME: Final = 4_294_967_291
_LONGEST_CELL: Final = 64
_TELL_EVERY: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found right.

    Attributes:
        rows: Rows of the input; each came out, or is in the side file.
        right: Rows that came out.
        checked: Rows that the scalar core has judged, refused ones included.
    """

    rows: int
    right: int
    checked: int


def verify(
    source: Path,
    output: Path,
    access: BulkAccess,
    *,
    tenant: str,
    sample: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _rows: None,
) -> Verified:
    """Check the output of a job.

    Args:
        source: Its input.
        output: Its output; manifest and side file lie beside it.
        access: The module.
        tenant: Whose meters they are.
        sample: How many rows to judge, evenly spread; None for all. Only of all of them duplicates
            are looked for.
        progress: Is told how many rows are done, and of how many.

    Raises:
        NotVerifiedError: A row is missing, or there twice, or says something else.
        InputChangedError, OutputChangedError: Input or output are not those of the manifest.
        JobChangedError: The job was another tenant's.
        InputFormatError: A file cannot be read.
    """
    job = _FinishedJob(output)
    if tenant != job.parameters["tenant"]:
        raise JobChangedError(("tenant",))
    if sha256_of(source) != job.input_digest:
        raise InputChangedError(source)
    if sha256_of(output) != job.output_digest:
        raise OutputChangedError(output)
    return _Walk(job, RowCheck(job.parameters, access)).walk(source, sample, progress)


class _FinishedJob:
    """What the manifest of a job says."""

    def __init__(self, output: Path) -> None:
        self.output = output
        path = output.with_name(f"{output.name}.manifest")
        found: Any = read_manifest(path)
        try:
            self.parameters: Mapping[str, Any] = found["parameters"]
            self.columns = _COLUMNS[self.parameters["operation"]]
            self.table: str = self.parameters["table"]
            self.input_digest: str = found["input"]["digest"]
            self.rows: int = found["input"]["rows"]
            self.output_digest: str = found["output"]["digest"]
            self.counts: tuple[int, int] = found["output"]["right"], found["output"]["refused"]
        except (KeyError, TypeError):
            raise InputFormatError(path, "no manifest of a finished job") from None


class _Row(NamedTuple):
    """One row of the input, and what became of it."""

    line: int
    asked: Cells | None
    made: Cells | None
    refusal: Cells | None


class _Walk:
    """Input, output and side file, read side by side: each is in the order of the input."""

    def __init__(self, job: _FinishedJob, check: RowCheck) -> None:
        self._job, self._check = job, check
        self._duplicate = DUPLICATES[check.operation == "credit"]
        self._alone, self._twice = _Identities(), _Identities()

    def walk(
        self, source: Path, sample: int | None, progress: Callable[[int, int], None]
    ) -> Verified:
        job = self._job
        made = _Side(read_made(job.output, job.columns))
        refused = _Side(read_refused(job.output.with_name(f"{job.output.name}.errors.csv")))
        every = 1 if sample is None else max(1, job.rows // sample)
        rows = checked = 0
        for line, asked in read_rows(source, job.table):
            row = _Row(line, asked, made.take(line), refused.take(line))
            self._require_one(row)
            if rows % every == 0 and (sample is None or checked < sample):
                self._judge(row)
                checked += 1
            if sample is None:
                self._note_identity(row)
            rows += 1
            if rows % _TELL_EVERY == 0:
                progress(rows, job.rows)
        made.require_done()
        refused.require_done()
        if (rows, made.taken, refused.taken) != (job.rows, *job.counts):
            raise NotVerifiedError(0, "the manifest counts other rows")
        self._require_duplicates(source)
        return Verified(rows=rows, right=made.taken, checked=checked)

    @staticmethod
    def _require_one(row: _Row) -> None:
        """Require a row in the output or in the side file, of the same meter."""
        if (row.made is None) is (row.refusal is None):
            either = "neither in the output nor" if row.made is None else "in the output and"
            raise NotVerifiedError(row.line, f"{either} in the side file")

    def _judge(self, row: _Row) -> None:
        """Require what the scalar core says of this row alone."""
        code = "" if row.refusal is None else row.refusal["code"]
        if row.asked is None:
            _require_code(row.line, code, BAD_ROW)
            return
        asked = {**self._check.given, **row.asked}
        meter = asked.get("meter", "")
        shown = meter if row.made is not None else _shown(meter)
        if (row.made or row.refusal or {})["meter"] != shown:
            raise NotVerifiedError(row.line, "another meter")
        if code != self._duplicate:
            try:
                self._check.row(asked, row.made)
            except (KeysError, StsError) as error:
                _require_code(row.line, code, error.code)
            else:
                _require_code(row.line, code, "")

    def _note_identity(self, row: _Row) -> None:
        if row.asked is None:
            return
        found = self._check.identity({**self._check.given, **row.asked})
        is_twice = row.refusal is not None and row.refusal["code"] == self._duplicate
        if found is not None:
            (self._twice if is_twice else self._alone).add(found)
        elif is_twice:
            raise NotVerifiedError(row.line, f"{self._duplicate}, but it has no number")

    def _require_duplicates(self, source: Path) -> None:
        """Require that duplicates, and nothing else, were refused as such."""
        wrong = next(_wrong_identities(self._alone, self._twice), None)
        if wrong is not None:
            line = next(
                line
                for line, asked in read_rows(source, self._job.table)
                if asked is not None
                and self._check.identity({**self._check.given, **asked}) == wrong
            )
            raise NotVerifiedError(line, f"{self._duplicate} is wrong, or missing")


class _Side:
    """Rows of the output or of the side file, taken when the input comes to their line."""

    def __init__(self, rows: Iterator[tuple[int, Cells]]) -> None:
        self.taken = 0
        self._rows = rows
        self._next = next(rows, None)

    def take(self, line: int) -> Cells | None:
        """Return the row of this line if there is one."""
        if self._next is None or self._next[0] > line:
            return None
        if self._next[0] < line:
            raise NotVerifiedError(self._next[0], "a row that is there twice, or out of order")
        cells = self._next[1]
        self._next = next(self._rows, None)
        self.taken += 1
        return cells

    def require_done(self) -> None:
        """Require that the input had a line for every row."""
        if self._next is not None:
            raise NotVerifiedError(self._next[0], "a row that the input does not have")


class _Identities:
    """Numbers of rows by their base date, 8 bytes each, in buckets that are looked at alone."""

    def __init__(self) -> None:
        self._buckets: dict[int, list[array[int]]] = {}

    def add(self, identity: tuple[int, int]) -> None:
        base, number = identity
        if base not in self._buckets:
            self._buckets[base] = [array("Q") for _ in range(_BUCKETS)]
        # Of credit, the low bits are the minute, which may be the same for all.
        self._buckets[base][number % _PRIME % _BUCKETS].append(number)

    def bases(self) -> set[int]:
        return set(self._buckets)

    def bucket(self, base: int, place: int) -> Counter[int]:
        return Counter(self._buckets[base][place] if base in self._buckets else ())


def _wrong_identities(alone: _Identities, twice: _Identities) -> Iterator[tuple[int, int]]:
    for base in sorted(alone.bases() | twice.bases()):
        for place in range(_BUCKETS):
            singles, doubles = alone.bucket(base, place), twice.bucket(base, place)
            for number, times in (singles + doubles).items():
                if (times > 1) is not (number not in singles):
                    yield base, number


def _require_code(line: int, found: str, wanted: str) -> None:
    if found == wanted:
        return
    if not found:
        raise NotVerifiedError(line, wanted)
    raise NotVerifiedError(line, f"refused for {found}, but it is {wanted or 'right'}")


def _shown(meter: str) -> str:
    """Return what a side file repeats of a meter number: digits, and no more than 64."""
    cut = meter[:_LONGEST_CELL]
    return cut if cut.isascii() and cut.isdigit() else ""
