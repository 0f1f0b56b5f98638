"""A finished job is checked by the scalar core alone, whatever format it has."""

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keys.bulk import fleet
from keys.bulk.errors import (
    BulkError,
    InputChangedError,
    InputFormatError,
    JobChangedError,
    MissingColumnError,
    NotVerifiedError,
    OutputChangedError,
)
from keys.bulk.job import Job, Operation
from keys.bulk.verify import Verified, verify
from keys.bulk.verify_rows import OtherwiseError, RowCheck
from sts import DecoderKey, KeyAttributes, KeyDerivation, batch
from tests.keys.bulk.conftest import METERS, SHARED, Depot
from tests.keys.bulk.tables import FORMATS, read_table, write_table
from tests.keys.bulk.test_rows import CHANGES, CREDITS

Rows = list[dict[str, str]]
_CIPHERS = ("07", "11", "07", "11")


def _verified(depot: Depot, job: Job, **options: Any) -> Verified:
    access = depot.opened().bulk_access()
    return verify(job.source, job.output, access, **{"tenant": job.tenant, **options})


def _refusal(depot: Depot, job: Job, **options: Any) -> BulkError:
    with pytest.raises(BulkError) as refusal:
        _verified(depot, job, **options)
    return refusal.value


def _side_file(job: Job) -> Path:
    return job.output.with_name(f"{job.output.name}.errors.csv")


def _manifest(job: Job) -> Path:
    return job.output.with_name(f"{job.output.name}.manifest")


def _forge(job: Job, **changes: Any) -> None:
    """Make the manifest agree with files that were changed after the job."""
    said = json.loads(_manifest(job).read_bytes())
    said["input"]["digest"] = sha256(job.source.read_bytes()).hexdigest()
    said["output"] |= {"digest": sha256(job.output.read_bytes()).hexdigest(), **changes}
    _manifest(job).write_text(json.dumps(said), encoding="ascii")


# --- what is right ----------------------------------------------------------------------------


def _fleet(depot: Depot, operation: Operation, kind: str) -> Path:
    """Write four meters that are right, one that is not, and one that stands there twice."""
    usual = {**SHARED, "krn": "2", "ken": "255", "tct": ""}
    wanted = [
        *zip(METERS, _CIPHERS, strict=True),
        ("01000000009", "07"),
        *[("01000000032", "07")] * 2,
    ]
    rows = [
        {"meter": meter, **usual, "ea": ea, "tenths": str(100 * number), "tid": "6400000"}
        for number, (meter, ea) in enumerate(wanted)
    ]  # fmt: skip
    if operation is Operation.DECODE:
        credit = depot.job(write_table(depot.folder / "c.csv", rows), "made.csv", Operation.CREDIT)
        depot.done(credit)
        tokens = {row["meter"]: row["token"] for row in read_table(credit.output)}
        rows = [{**row, "token": tokens.get(row["meter"], "1" * 19)} for row in rows]
    return write_table(depot.folder / f"fleet.{kind}", rows)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("operation", list(Operation))
def test_every_row_of_every_operation_is_verified_in_every_format(
    depot: Depot, operation: Operation, kind: str
) -> None:
    changes: dict[str, Any] = {}
    if operation is Operation.KEY_CHANGE:
        changes = {"given": {"to_ti": "07"}, "options": {"three": "yes"}}
    if operation is Operation.CREDIT:
        changes = {"options": {"service": "electricity"}}
    job = depot.job(_fleet(depot, operation, kind), f"out.{kind}", operation, **changes)
    depot.done(job)
    found = _verified(depot, job)
    assert (found.rows, found.right, found.checked) == (7, 4, 7)
    few = _verified(depot, job, sample=2)
    assert (few.rows, few.right, few.checked) == (7, 4, 2)


def test_who_waits_is_told_how_far_it_is(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keys.bulk.verify._TELL_EVERY", 3)
    job = _done(depot, "csv")
    told: list[tuple[int, int]] = []
    _verified(depot, job, progress=lambda done, rows: told.append((done, rows)))
    assert told == [(3, 4)]


def test_a_quoted_header_with_a_byte_order_mark_and_lines_of_windows_are_read(
    depot: Depot,
) -> None:
    names = ",".join(f'"{name}"' for name in ("meter", *SHARED))
    lines = [names, *(f"{each},{','.join(SHARED.values())}" for each in METERS)]
    source = depot.folder / "fleet.csv"
    source.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, ""]).encode("ascii"))
    job = depot.job(source, given={"to_krn": "2"})
    depot.done(job)
    assert _verified(depot, job).right == 4


def test_empty_lines_and_lines_that_are_no_rows_are_verified(depot: Depot) -> None:
    lines = depot.table(f"meter\n{METERS[0]}\n\n", "one.csv")
    job = depot.job(lines, "1.csv", given={**SHARED, "to_krn": "2"})
    assert depot.done(job).refused == 1
    assert _verified(depot, job).checked == 2
    rows = depot.table(f"meter,note\n{METERS[0]},x\n\n{METERS[1]}\n1,2,3\n", "two.csv")
    job = depot.job(rows, "2.csv", given={**SHARED, "to_krn": "2"})
    assert depot.done(job).refused == 3
    assert _verified(depot, job).checked == 4


def test_credit_without_a_column_of_identifiers_is_verified(depot: Depot) -> None:
    rows = [
        {"meter": each, **SHARED, "krn": krn, "tenths": "5"}
        for each, krn in zip(METERS, "2229", strict=True)
    ]
    source = write_table(depot.folder / "fleet.csv", [*rows, rows[0]])  # fmt: skip
    job = depot.job(source, operation=Operation.CREDIT)
    assert depot.done(job).refused == 2
    assert _verified(depot, job).right == 3


def _number(serial: int) -> str:
    return str(batch.drns_from_serials("0100", np.array([serial])).digits[0], "ascii")


@pytest.mark.parametrize("operation", [Operation.KEY_CHANGE, Operation.CREDIT])
def test_rows_with_two_faults_are_refused_for_the_one_that_the_scalar_core_finds_first(
    depot: Depot, operation: Operation
) -> None:
    changes = CHANGES if operation is Operation.KEY_CHANGE else CREDITS
    usual = {**SHARED, "ken": "", "tct": "", "to_sgc": "", "to_krn": "2"}
    if operation is Operation.CREDIT:
        usual |= {"krn": "2", "tenths": "125", "tid": "6400000"}
    pairs = list(combinations([{}, *(change for change, _ in changes)], 2))
    rows = [
        {"meter": _number(place), **usual, **one, **two} for place, (one, two) in enumerate(pairs)
    ]
    job = depot.job(write_table(depot.folder / "fleet.parquet", rows), operation=operation)
    summary = depot.done(job)
    assert summary.refused > len(pairs) * 0.9
    assert _verified(depot, job).checked == len(pairs)


# --- what is not ------------------------------------------------------------------------------


def _done(depot: Depot, kind: str, *more: dict[str, str]) -> Job:
    usual = {**SHARED, "to_krn": "2"}
    rows = [*({"meter": meter, **usual} for meter in METERS), *({**usual, **row} for row in more)]
    job = depot.job(write_table(depot.folder / f"fleet.{kind}", rows), f"out.{kind}")
    depot.done(job)
    return job


def _rewritten(job: Job, change: Callable[[Rows], Rows]) -> None:
    """Change an output, and the manifest with it."""
    rows = change(read_table(job.output))
    write_table(job.output, rows, "tokens")
    _forge(job)


def _without_one(rows: Rows) -> Rows:
    return [rows[0], *rows[2:]]


def _with_one_twice(rows: Rows) -> Rows:
    return [*rows[:2], *rows[1:]]


def _with_the_last_twice(rows: Rows) -> Rows:
    return [*rows, rows[-1]]


def _of_another_meter(rows: Rows) -> Rows:
    return [{**rows[0], "meter": rows[1]["meter"]}, *rows[1:]]


def _with_an_edited_token(rows: Rows) -> Rows:
    token = rows[1]["token_2"]
    return [rows[0], {**rows[1], "token_2": token[:-1] + str(9 - int(token[-1]))}, *rows[2:]]


def _with_the_tokens_of_another(rows: Rows) -> Rows:
    return [{**rows[1], "line": rows[0]["line"], "meter": rows[0]["meter"]}, *rows[1:]]


def _with_a_token_twice(rows: Rows) -> Rows:
    return [{**rows[0], "token_2": rows[0]["token_1"]}, *rows[1:]]


def _with_a_token_too_many(rows: Rows) -> Rows:
    return [{**rows[0], "token_3": rows[0]["token_1"]}, *rows[1:]]


def _with_a_token_too_few(rows: Rows) -> Rows:
    return [{**rows[0], "token_2": ""}, *rows[1:]]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("change", "row", "said"),
    [
        (_without_one, 2, "neither in the output nor in the side file"),
        (_with_one_twice, 2, "there twice, or out of order"),
        (_with_the_last_twice, 4, "that the input does not have"),
        (_of_another_meter, 1, "another meter"),
        (_with_an_edited_token, 2, ""),
        (_with_the_tokens_of_another, 1, "CRC_MISMATCH"),
        (_with_a_token_twice, 1, ""),
        (_with_a_token_too_many, 1, "SAYS_OTHERWISE"),
        (_with_a_token_too_few, 1, ""),
    ],
)
def test_an_output_that_was_forged_is_not_verified(
    depot: Depot, kind: str, change: Callable[[Rows], Rows], row: int, said: str
) -> None:
    job = _done(depot, kind)
    _rewritten(job, change)
    refusal = _refusal(depot, job)
    assert isinstance(refusal, NotVerifiedError)
    assert refusal.code == "NOT_VERIFIED"
    line = row + (kind == "csv")  # The first line of CSV has the names of the columns.
    assert f"line {line} of the input: " in str(refusal)
    assert said in str(refusal)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_output_that_was_changed_alone_is_told_by_the_manifest(depot: Depot, kind: str) -> None:
    job = _done(depot, kind)
    write_table(job.output, _with_an_edited_token(read_table(job.output)), "tokens")
    refusal = _refusal(depot, job)
    assert isinstance(refusal, OutputChangedError)
    assert refusal.code == "OUTPUT_CHANGED"
    write_table(job.source, read_table(job.source, "meters")[1:])
    assert isinstance(_refusal(depot, job), InputChangedError)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_output_that_ends_too_early_is_not_verified(depot: Depot, kind: str) -> None:
    job = _done(depot, kind)
    job.output.write_bytes(job.output.read_bytes()[: -job.output.stat().st_size // 3])
    assert _refusal(depot, job).code == "OUTPUT_CHANGED"
    _forge(job)
    assert _refusal(depot, job).code in ("INPUT_FORMAT", "NOT_VERIFIED")


@pytest.mark.parametrize("kind", FORMATS)
def test_an_output_without_a_column_is_not_verified(depot: Depot, kind: str) -> None:
    job = _done(depot, kind)
    _rewritten(job, lambda rows: [{k: v for k, v in row.items() if k != "token_2"} for row in rows])
    refusal = _refusal(depot, job)
    assert isinstance(refusal, InputFormatError)
    assert "row 1" in str(refusal) or "row 2" in str(refusal)
    assert "token_2" in str(refusal)


def test_an_output_whose_lines_are_no_numbers_is_not_verified(depot: Depot) -> None:
    job = _done(depot, "csv")
    _rewritten(job, lambda rows: [{**row, "line": "first"} for row in rows])
    assert isinstance(_refusal(depot, job), InputFormatError)


def test_an_input_without_a_column_is_not_verified(depot: Depot) -> None:
    job = _done(depot, "csv")
    rows = read_table(job.source)
    write_table(job.source, [{k: v for k, v in row.items() if k != "sgc"} for row in rows])
    _forge(job)
    refusal = _refusal(depot, job)
    assert "MISSING_COLUMN" in str(refusal)
    with pytest.raises(MissingColumnError):
        RowCheck(
            job.parameters(), depot.opened().bulk_access()
        ).row({"meter": METERS[0]}, None)  # fmt: skip


@pytest.mark.parametrize("counts", [{"right": 5}, {"refused": 1}])
def test_a_manifest_that_counts_other_rows_is_not_verified(
    depot: Depot, counts: dict[str, int]
) -> None:
    job = _done(depot, "csv")
    _forge(job, **counts)
    assert "counts other rows" in str(_refusal(depot, job))


# --- the side file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("6,WRONG_CHECK_DIGIT,01000000009\n", "", "line 6 of the input: neither"),
        ("6,WRONG_CHECK_DIGIT,01000000009\n", "5,X,01000000032\n", "line 5 of the input: in the"),
        ("WRONG_CHECK_DIGIT", "UNKNOWN_IIN", "line 6 of the input: refused for UNKNOWN_IIN, but"),
        ("WRONG_CHECK_DIGIT", "ROW_FORMAT", "but it is WRONG_CHECK_DIGIT"),
        ("WRONG_CHECK_DIGIT", "DUPLICATE_METER", "line 6 of the input: DUPLICATE_METER, but it"),
        (",01000000009", ",01000000016", "line 6 of the input: another meter"),
        ("7,ROW_FORMAT", "7,WRONG_LENGTH", "line 7 of the input: refused for WRONG_LENGTH"),
        ("8,DUPLICATE_METER", "8,KEY_EXPIRED", "line 8 of the input: refused for KEY_EXPIRED"),
        ("6,", "six,", "row 2 has not the columns line, code, meter"),
        ("line,", "place,", "row 2 has not the columns line, code, meter"),
    ],
)
def test_a_side_file_that_was_forged_is_not_verified(
    depot: Depot, before: str, after: str, said: str
) -> None:
    source = _done(depot, "csv", {"meter": "01000000009"}).source
    rows = [f"{meter},{','.join(SHARED.values())},2\n" for meter in ["01000000032"] * 2]
    with source.open("a", encoding="ascii") as file:
        file.write("".join(["1,2\n", *rows]))
    job = depot.job(source, "forged.csv")
    assert depot.done(job).refused == 4
    assert _verified(depot, job).checked == 8
    text = _side_file(job).read_text(encoding="ascii")
    assert before in text
    _side_file(job).write_text(text.replace(before, after, 1), encoding="ascii")
    assert said in str(_refusal(depot, job))


def test_a_side_file_that_is_not_there_is_refused(depot: Depot) -> None:
    job = _done(depot, "csv")
    _side_file(job).unlink()
    refusal = _refusal(depot, job)
    assert isinstance(refusal, InputFormatError)
    assert "No such file" in str(refusal)


@pytest.mark.parametrize("operation", list(Operation))
def test_a_row_that_was_refused_though_it_is_right_is_not_verified(
    depot: Depot, operation: Operation
) -> None:
    given = {"to_ti": "07"} if operation is Operation.KEY_CHANGE else {}
    job = depot.job(_fleet(depot, operation, "csv"), operation=operation, given=given)
    depot.done(job)
    rows = read_table(job.output)
    write_table(job.output, rows[1:])
    head, rest = _side_file(job).read_text(encoding="ascii").split("\n", 1)
    lie = f"2,KEY_EXPIRED,{rows[0]['meter']}\n"
    _side_file(job).write_text(f"{head}\n{lie}{rest}", encoding="ascii")
    _forge(job, right=3, refused=4)
    said = "line 2 of the input: refused for KEY_EXPIRED, but it is right"
    assert said in str(_refusal(depot, job))


def test_a_meter_that_stands_there_once_is_no_duplicate(depot: Depot) -> None:
    job = _done(depot, "csv", {"meter": "01000000009"})
    rows = read_table(job.output)
    write_table(job.output, rows[1:])
    head, rest = _side_file(job).read_text(encoding="ascii").split("\n", 1)
    lie = f"2,DUPLICATE_METER,{rows[0]['meter']}\n"
    _side_file(job).write_text(f"{head}\n{lie}{rest}", encoding="ascii")
    _forge(job, right=3, refused=2)
    assert "line 2 of the input: DUPLICATE_METER is wrong, or missing" in str(_refusal(depot, job))


@pytest.mark.parametrize("operation", [Operation.KEY_CHANGE, Operation.CREDIT])
def test_duplicates_that_a_job_has_missed_are_found(
    depot: Depot, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"meter": meter, **SHARED, "krn": krn, "to_krn": "8", "tenths": "1", "tid": "6400000"}
        for meter in (METERS[1], METERS[0], METERS[1])
        for krn in "2"
    ]
    source = write_table(depot.folder / "fleet.csv", rows)
    source.write_text(source.read_text(encoding="ascii") + "1,2\n", encoding="ascii")
    monkeypatch.setattr(fleet, "duplicates_of", lambda *_: {})
    job = depot.job(source, operation=operation, given={})
    depot.done(job)
    refusal = _refusal(depot, job)
    code = "DUPLICATE_TID" if operation is Operation.CREDIT else "DUPLICATE_METER"
    assert f"line 2 of the input: {code} is wrong, or missing" in str(refusal)
    assert _verified(depot, job, sample=4).checked == 4


# --- manifests and keys -----------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"parameters": 5}'])
def test_a_manifest_that_is_none_is_refused(depot: Depot, content: bytes) -> None:
    job = _done(depot, "csv")
    _manifest(job).write_bytes(content)
    refusal = _refusal(depot, job)
    assert isinstance(refusal, InputFormatError)
    assert "no manifest of a finished job" in str(refusal)


def test_a_job_that_is_not_there_is_refused(depot: Depot) -> None:
    job = depot.job(depot.folder / "fleet.csv")
    assert _refusal(depot, job).code == "INPUT_FORMAT"
    job = _done(depot, "csv")
    job.source.unlink()
    assert "No such file" in str(_refusal(depot, job))


def test_files_of_no_known_format_are_refused(depot: Depot) -> None:
    job = _done(depot, "csv")
    source = job.source.rename(depot.folder / "fleet.txt")
    with pytest.raises(InputFormatError, match="neither CSV nor Parquet nor SQLite"):
        verify(source, job.output, depot.opened().bulk_access(), tenant=job.tenant)


def test_a_job_of_another_tenant_is_not_verified_for_this_one(depot: Depot) -> None:
    job = _done(depot, "csv")
    refusal = _refusal(depot, job, tenant="mokhotlong")
    assert isinstance(refusal, JobChangedError)


def test_tokens_under_another_key_are_not_verified(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _done(depot, "csv")
    derive = KeyDerivation.derive

    def spoil(self: KeyDerivation, attributes: KeyAttributes) -> DecoderKey:
        key = derive(self, attributes).expose()
        return DecoderKey(bytes([key[0] ^ 2, *key[1:]]))

    monkeypatch.setattr(KeyDerivation, "derive", spoil)
    assert _refusal(depot, job).code == "NOT_VERIFIED"


@pytest.mark.parametrize(
    ("operation", "column", "cell"),
    [
        (Operation.CREDIT, "tid", "6400001"),
        (Operation.CREDIT, "tenths", "17"),
        (Operation.DECODE, "kind", "WaterTransferCredit"),
        (Operation.DECODE, "tid", "5"),
        (Operation.DECODE, "tenths", "5"),
        (Operation.DERIVE, "check_value", "ABCDEF"),
    ],
)
def test_a_cell_that_says_otherwise_is_not_verified(
    depot: Depot, operation: Operation, column: str, cell: str
) -> None:
    options = {"service": "electricity"} if operation is Operation.CREDIT else {}
    job = depot.job(_fleet(depot, operation, "csv"), "o.csv", operation, options=options)
    depot.done(job)
    _rewritten(job, lambda rows: [{**rows[0], column: cell}, *rows[1:]])
    refusal = _refusal(depot, job)
    assert "line 2 of the input: SAYS_OTHERWISE" in str(refusal)
    assert OtherwiseError.code == "SAYS_OTHERWISE"
