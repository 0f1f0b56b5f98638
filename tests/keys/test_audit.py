import csv
import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import audit_file
from keys.audit import AuditLog
from keys.audit_export import COLUMNS, export_csv, export_json
from keys.audit_file import AuditLogFormatError
from keys.audit_line import LONGEST_LINE, AuditLine, AuditLineError, format_line, parse_line
from keys.audit_read import read_log, verify_log
from keys.audit_record import (
    AuditEvent,
    AuditRecord,
    AuditTextError,
    TokenTrace,
    audit_body,
)
from keys.canonical_json import canonical_bytes
from keys.chain_errors import (
    ChainEntryAlteredError,
    ChainEntryMovedError,
    ChainEntryRemovedError,
    ChainEntryReplacedError,
    ChainError,
    ChainRewrittenError,
    ChainTruncatedError,
    SealMismatchError,
)
from keys.chain_seal import (
    Ed25519SealKey,
    Ed25519SealVerifier,
    HmacSealKey,
    format_checkpoint,
    parse_checkpoint,
    require_seal,
    seal_entry,
)
from keys.errors import FileExistsRefusedError, FileUnreadableError, KeysError, UnsafeFileModeError
from keys.file_lock import FileLockedError, locked
from keys.hash_chain import Entry, Head, link
from keys.secret import Secret
from sts import MeterPan
from sts.errors import NaiveDatetimeError
from tests.keys.custody import NOW, registered

KEY: Final = HmacSealKey(Secret(bytes(range(32))))
SIGNING: Final = Ed25519SealKey(Secret(bytes(range(32))))
CHAIN: Final = "audit of a test"
METER: Final = MeterPan.from_drn("0100200002010")
TOKEN: Final = "01234567890123456789"


def _record(number: int = 0, **changes: Any) -> AuditRecord:
    fields: dict[str, Any] = {
        "at": NOW + timedelta(minutes=number),
        "event": AuditEvent.ISSUE,
        "actor": "till 3",
        "key": registered().name,
        "check_value": "229A7E",
        "meter_pan": METER,
        "message_id": f"sale {number}",
        "tid_minutes": number,
        "tokens": (TokenTrace.of(TOKEN, METER),),
    }
    return AuditRecord(**{**fields, **changes})


def _changed(field: str, value: object) -> AuditRecord:
    return _record(0, **{field: value})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def log(path: Path) -> AuditLog:
    return AuditLog.create(path, CHAIN, key=KEY, actor="Ada Ohm", now=NOW)


@pytest.fixture
def filled(log: AuditLog) -> AuditLog:
    """A log of ten entries."""
    log.append(*map(_record, range(1, 10)))
    return log


def _messages(path: Path) -> list[Any]:
    return [entry.record.get("message_id") for entry in read_log(path, key=KEY)]


# --- appending and reading --------------------------------------------------------------------


def test_what_is_appended_is_read_in_its_order(log: AuditLog, path: Path) -> None:
    first = log.append(_record(1))
    others = log.append(_record(2), _record(3))
    entries = list(read_log(path, key=KEY))
    assert entries[1:] == [*first, *others]
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4]
    assert [entry.record for entry in entries[1:]] == [
        audit_body(_record(number)) for number in (1, 2, 3)
    ]
    assert entries[0].record == {
        "at": "2026-03-02T08:15:00Z",
        "event": "created",
        "actor": "Ada Ohm",
        "chain": CHAIN,
    }
    summary = verify_log(path)
    assert (summary.chain, summary.head, summary.torn_bytes) == (CHAIN, entries[-1].head, 0)


def test_a_log_is_opened_and_goes_on(filled: AuditLog, path: Path) -> None:
    assert filled.chain == CHAIN
    again = AuditLog.open(path, key=KEY)
    again.append(_record(10))
    filled.append(_record(11))
    assert verify_log(path, key=KEY).head.length == 12


def test_to_append_nothing_touches_nothing(log: AuditLog, path: Path) -> None:
    before = path.read_bytes()
    assert log.append() == ()
    assert path.read_bytes() == before


def test_a_log_is_for_its_owner_only_and_never_overwritten(log: AuditLog, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsRefusedError):
        AuditLog.create(path, CHAIN, key=KEY, actor="x", now=NOW)
    path.chmod(0o640)
    for attempt in (
        lambda: log.append(_record()),
        lambda: AuditLog.open(path, key=KEY),
        lambda: verify_log(path),
    ):
        with pytest.raises(UnsafeFileModeError):
            attempt()


def test_a_log_that_is_not_there_is_not_made_by_the_way(log: AuditLog, path: Path) -> None:
    path.unlink()
    for attempt in (
        lambda: log.append(_record()),
        lambda: AuditLog.open(path, key=KEY),
        lambda: verify_log(path),
    ):
        with pytest.raises(FileUnreadableError):
            attempt()
    assert not path.exists()


def test_a_log_may_continue_another(filled: AuditLog, path: Path) -> None:
    last = filled.checkpoint(SIGNING, now=NOW)
    following = path.with_name("next.log")
    AuditLog.create(following, "next", key=KEY, actor="Ada Ohm", now=NOW, follows=last)
    assert next(read_log(following)).record["checkpoint"] == {
        "chain": CHAIN,
        "length": 10,
        "head": last.head.hash.hex(),
        "sealed_at": "2026-03-02T08:15:00Z",
    }


def test_the_log_of_another_key_is_not_opened(log: AuditLog, path: Path) -> None:
    assert log.chain == CHAIN
    with pytest.raises(SealMismatchError):
        AuditLog.open(path, key=HmacSealKey(Secret(bytes(32))))


# --- what is in it, and what is not -----------------------------------------------------------


def test_a_token_leaves_a_trace_and_not_itself(filled: AuditLog, path: Path) -> None:
    assert filled.chain
    content = path.read_text()
    assert TOKEN not in content
    assert TOKEN[:16] not in content
    message = f'{{"meter_pan":"{METER.digits}","token":"{TOKEN}"}}'
    trace = {"digest": sha256(message.encode()).hexdigest(), "last_digits": "6789"}
    assert [entry.record for entry in read_log(path)][1]["tokens"] == [trace]


@pytest.mark.parametrize("meter", [METER, None])
def test_a_trace_is_over_the_canonical_form_of_meter_and_token(meter: MeterPan | None) -> None:
    pan = None if meter is None else meter.digits
    message = canonical_bytes({"meter_pan": pan, "token": TOKEN})
    assert TokenTrace.of(TOKEN, meter).digest == sha256(message).hexdigest()


def test_the_trace_of_a_token_for_all_meters_has_no_meter() -> None:
    assert TokenTrace.of(TOKEN, None) != TokenTrace.of(TOKEN, METER)
    assert TokenTrace.of(TOKEN, None) == TokenTrace.of(TOKEN, None)


@pytest.mark.parametrize("digits", ["", TOKEN[:-1], TOKEN + "0", "x" * 20, "\u0660" * 20])
def test_what_is_no_token_leaves_no_trace(digits: str) -> None:
    with pytest.raises(AuditTextError) as refused:
        TokenTrace.of(digits, METER)
    assert not digits or digits not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        "token 0123 4567 8901 2345 6789 for the customer",
        "0123-4567-8901-2345-6789",
        "ABABABABABABABAB",
        "key abab abab abab abab",
        "AB:AB:AB:AB:AB:AB:AB:AB",
        "abababababababab949494949494949401234567",
    ],
)
@pytest.mark.parametrize("field", ["note", "actor", "custodians"])
def test_a_text_like_a_key_or_a_token_is_not_kept(field: str, text: str) -> None:
    with pytest.raises(AuditTextError, match="looks like a key or a token") as refused:
        _changed(field, (text,) if field == "custodians" else text)
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["Ada Ohm", "moved to supply group 201457, KRN 2", "case 2026-03-02/17", "a bad deed"]
)
def test_other_texts_are_kept(text: str) -> None:
    assert audit_body(_record(note=text))["note"] == text


@pytest.mark.parametrize("text", ["", "a\nb", " ", "x" * 201])
def test_texts_can_be_printed(text: str) -> None:
    for field in ("actor", "note", "message_id", "refusal_code", "party_id", "chain"):
        with pytest.raises(AuditTextError, match=field):
            _changed(field, text)


def test_an_entry_has_only_so_many_tokens_and_custodians() -> None:
    trace = TokenTrace.of(TOKEN, METER)
    with pytest.raises(AuditTextError):
        _record(tokens=(trace,) * 101)
    with pytest.raises(AuditTextError):
        _record(custodians=tuple(f"custodian {number}" for number in range(11)))


def test_a_record_has_a_time_with_a_zone() -> None:
    with pytest.raises(NaiveDatetimeError):
        _record(at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_what_does_not_apply_is_left_out() -> None:
    record = AuditRecord(
        at=NOW,
        event=AuditEvent.REFUSAL,
        actor="till 3",
        refused=AuditEvent.ISSUE,
        refusal_code="UNKNOWN_VENDING_KEY",
    )
    assert audit_body(record) == {
        "at": "2026-03-02T08:15:00Z",
        "event": "refusal",
        "actor": "till 3",
        "refused": "issue",
        "refusal_code": "UNKNOWN_VENDING_KEY",
    }


def test_the_longest_record_that_there_can_be_fits(log: AuditLog) -> None:
    text = "\U00010348" * 200
    record = AuditRecord(
        at=NOW,
        event=AuditEvent.CEREMONY,
        actor=text,
        refused=AuditEvent.ISSUE,
        refusal_code=text,
        key=registered(tenant=text).name,
        check_value="229A7E",
        meter_pan=METER,
        message_id=text,
        tid_minutes=2**24,
        tokens=(TokenTrace.of(TOKEN, METER),) * 100,
        count=2**53 - 1,
        custodians=(text,) * 10,
        party_id=text,
        serial_number=2**53 - 1,
        chain=text,
        checkpoint=log.checkpoint(SIGNING, now=NOW),
        torn_bytes=2**53 - 1,
        note=text,
    )
    assert log.append(record)


def test_a_line_has_its_limit() -> None:
    entry = link(Head.start(CHAIN), {"text": "x" * LONGEST_LINE})
    with pytest.raises(AuditLineError):
        format_line(AuditLine(entry=entry, seal=b""))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0",
        b"{}",
        b'{"hash":"","previous":"","record":{},"seal":"","sequence":1}',
    ],
)
def test_anything_else_is_no_line(content: bytes) -> None:
    with pytest.raises(AuditLineError):
        parse_line(content)


def test_a_record_in_a_line_is_an_object() -> None:
    line = format_line(AuditLine(entry=link(Head.start(CHAIN), {}), seal=b""))
    assert parse_line(line[:-1]).entry.record == {}
    with pytest.raises(AuditLineError):
        parse_line(line[:-1].replace(b"{}", b"[]"))


# --- tampering --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A log of six entries, made once, and its content."""
    path = tmp_path_factory.mktemp("audit") / "audit.log"
    log = AuditLog.create(path, CHAIN, key=KEY, actor="Ada Ohm", now=NOW)
    log.append(*map(_record, range(1, 6)))
    return path, path.read_bytes()


@given(data=st.data())
def test_any_altered_byte_is_found_and_its_entry_named(
    whole: tuple[Path, bytes], data: st.DataObject
) -> None:
    path, content = whole
    place = data.draw(st.integers(min_value=0, max_value=len(content) - 1))
    altered = bytearray(content)
    altered[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    path.write_bytes(altered)
    number = content[:place].count(b"\n") + 1
    if number == 1:
        with pytest.raises((AuditLogFormatError, ChainError)):
            verify_log(path, key=KEY)
        return
    if altered.endswith(b"\0"):
        # As a crash may leave it: the entry is whole, and stays.
        assert verify_log(path, key=KEY).head.length == 6
        return
    with pytest.raises((ChainEntryAlteredError, SealMismatchError)) as refused:
        verify_log(path, key=KEY)
    assert f"entry {number}" in str(refused.value)


Edit = Callable[[list[bytes]], object]


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (lambda lines: lines.pop(4), ChainEntryRemovedError, "entry 5 is missing"),
        (lambda lines: lines.insert(4, lines.pop(5)), ChainEntryMovedError, "stands in the place"),
        (lambda lines: lines.insert(4, lines[4]), ChainEntryMovedError, "entry 5 stands"),
        (lambda lines: lines.insert(4, b"\n"), ChainEntryAlteredError, "entry 5"),
        (lambda lines: lines.insert(4, b"x" * LONGEST_LINE * 3), ChainEntryAlteredError, "5"),
        (lambda lines: lines.insert(4, b"x" * LONGEST_LINE + b"\n"), ChainEntryAlteredError, "5"),
        (lambda lines: lines.__setitem__(4, lines[4][:-1] + b" \n"), ChainEntryAlteredError, "5"),
        (lambda lines: lines.pop(0), AuditLogFormatError, "beginning"),
        (lambda lines: lines.__setitem__(0, b"\n"), AuditLogFormatError, "beginning"),
        (lambda lines: lines.clear(), AuditLogFormatError, "beginning"),
    ],
)
def test_what_was_done_to_a_log_is_named(
    filled: AuditLog, path: Path, edit: Edit, error: type[KeysError], message: str
) -> None:
    assert filled.chain
    lines = path.read_bytes().splitlines(keepends=True)
    edit(lines)
    path.write_bytes(b"".join(lines))
    with pytest.raises(error, match=message):
        verify_log(path)


def test_of_two_faults_the_first_is_named(filled: AuditLog, path: Path) -> None:
    assert filled.chain
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], *lines[3:7], b"altered\n", *lines[8:]]))
    with pytest.raises(ChainEntryRemovedError, match="entry 3 is missing"):
        verify_log(path)


def test_a_log_without_an_end_of_its_first_line_is_none(log: AuditLog, path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    for attempt in (lambda: log.append(_record()), lambda: AuditLog.open(path, key=KEY)):
        with pytest.raises(AuditLogFormatError):
            attempt()
    assert path.read_bytes() == content[:-10]


def _forged(head: Head, key: HmacSealKey, **record: Any) -> bytes:
    entry = link(head, record)
    return format_line(AuditLine(entry=entry, seal=seal_entry(entry.head, CHAIN, key=key)))


def test_an_entry_by_anybody_else_than_the_module_is_found(filled: AuditLog, path: Path) -> None:
    forged = _forged(verify_log(path).head, HmacSealKey(Secret(bytes(32))), event="issue")
    path.write_bytes(path.read_bytes() + forged)
    assert verify_log(path).head.length == 11
    with pytest.raises(SealMismatchError, match="entry 11"):
        verify_log(path, key=KEY)
    with pytest.raises(SealMismatchError):
        filled.append(_record())
    with pytest.raises(SealMismatchError):
        AuditLog.open(path, key=KEY)


def test_a_log_that_was_written_anew_without_the_key_is_found(filled: AuditLog, path: Path) -> None:
    since = [filled.checkpoint(SIGNING, now=NOW)]
    path.unlink()
    other = AuditLog.create(
        path, CHAIN, key=HmacSealKey(Secret(bytes(32))), actor="Ada Ohm", now=NOW
    )
    other.append(*(_record(number, tid_minutes=0) for number in range(1, 10)))
    assert verify_log(path).head.length == 10
    with pytest.raises(SealMismatchError, match="entry 1"):
        verify_log(path, key=KEY)
    with pytest.raises(ChainRewrittenError):
        verify_log(path, since=since)


@pytest.mark.parametrize("name", ["no name", None])
def test_a_first_entry_names_its_chain(path: Path, name: str | None) -> None:
    record = {} if name is None else {"chain": name}
    path.write_bytes(_forged(Head.start(CHAIN), KEY, **record))
    path.chmod(0o600)
    with pytest.raises((AuditLogFormatError, ChainEntryReplacedError)):
        verify_log(path)


# --- checkpoints ------------------------------------------------------------------------------


def test_a_checkpoint_goes_out_and_comes_back(filled: AuditLog, path: Path) -> None:
    checkpoint = filled.checkpoint(SIGNING, now=NOW)
    again = parse_checkpoint(format_checkpoint(checkpoint))
    require_seal(again, [Ed25519SealVerifier(SIGNING.public_key)])
    filled.append(_record(10))
    assert verify_log(path, key=KEY, since=[again]).head.length == 11
    assert filled.checkpoint(SIGNING, now=NOW, since=[again]).head.length == 11


@pytest.mark.parametrize("kept", range(1, 10))
def test_a_log_that_was_cut_off_is_found_by_a_checkpoint(
    filled: AuditLog, path: Path, kept: int
) -> None:
    since = [filled.checkpoint(SIGNING, now=NOW)]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]))
    assert verify_log(path, key=KEY).head.length == kept
    with pytest.raises(ChainTruncatedError, match="an old copy"):
        verify_log(path, key=KEY, since=since)


def test_an_old_copy_is_found_by_a_checkpoint_even_when_it_went_on(
    filled: AuditLog, path: Path
) -> None:
    old = path.read_bytes()
    filled.append(_record(10))
    since = [filled.checkpoint(SIGNING, now=NOW)]
    path.write_bytes(old)
    AuditLog.open(path, key=KEY).append(_record(11), _record(12))
    assert verify_log(path, key=KEY).head.length == 12
    with pytest.raises(ChainRewrittenError, match="entry 11"):
        verify_log(path, key=KEY, since=since)


def test_a_running_module_notices_an_old_copy_by_itself(filled: AuditLog, path: Path) -> None:
    old = path.read_bytes()
    filled.append(_record(10))
    path.write_bytes(old)
    with pytest.raises(ChainTruncatedError):
        filled.append(_record(11))
    AuditLog.open(path, key=KEY).append(_record(12))
    with pytest.raises(ChainRewrittenError):
        filled.append(_record(11))


def test_no_checkpoint_is_made_of_a_log_that_is_not_right(filled: AuditLog, path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(ChainEntryRemovedError):
        filled.checkpoint(SIGNING, now=NOW)


def test_a_checkpoint_of_the_ledger_is_kept_as_a_witness(log: AuditLog, path: Path) -> None:
    ledger = replace(log.checkpoint(SIGNING, now=NOW), chain="ledger")
    log.append(_record(event=AuditEvent.WITNESS, checkpoint=ledger))
    kept = list(read_log(path))[-1].record["checkpoint"]
    assert isinstance(kept, dict)
    assert kept["chain"] == "ledger"


# --- crashes ----------------------------------------------------------------------------------


def test_no_whole_entry_is_lost_wherever_a_write_was_torn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut the file at every byte of its last two entries, and go on from there."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    path = tmp_path / "audit.log"
    log = AuditLog.create(path, CHAIN, key=KEY, actor="a", now=NOW)
    short = AuditRecord(at=NOW, event=AuditEvent.ISSUE, actor="a")
    log.append(short)
    acknowledged = path.read_bytes()
    log.append(short, short)
    content = path.read_bytes()
    ends = [end for end in range(len(content)) if content[end : end + 1] == b"\n"]
    for cut in range(len(acknowledged), len(content) + 1):
        path.write_bytes(content[:cut])
        whole = sum(end <= cut for end in ends)
        torn = cut - max((end for end in ends if end <= cut), default=0)
        torn = 0 if torn <= 1 else torn - 1
        summary = verify_log(path, key=KEY)
        assert (summary.head.length, summary.torn_bytes) == (whole, torn), cut

        appended = AuditLog.open(path, key=KEY).append(short)
        events = [entry.record["event"] for entry in read_log(path, key=KEY)]
        assert events == ["created", *["issue"] * (whole - 1), *["recovered"] * bool(torn), "issue"]
        assert verify_log(path, key=KEY).torn_bytes == 0
        assert appended[0].sequence == whole + bool(torn) + 1
        assert path.read_bytes().startswith(acknowledged)


def test_what_a_killed_process_was_told_is_there(log: AuditLog, path: Path) -> None:
    program = """
import sys
from pathlib import Path
from keys.audit import AuditLog
from tests.keys.test_audit import KEY, _record
log = AuditLog.open(Path(sys.argv[1]), key=KEY)
for number in range(100_000):
    print(log.append(_record(number))[0].sequence, flush=True)
"""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(30)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().split()]
    assert told == list(range(2, len(told) + 2))
    assert verify_log(path, key=KEY).head.length >= told[-1]
    log.append(_record())
    assert verify_log(path, key=KEY).torn_bytes == 0


def test_what_was_cut_off_is_told(filled: AuditLog, path: Path) -> None:
    path.write_bytes(path.read_bytes() + b'{"hash":"00')
    filled.append(_record(10))
    *_, recovered, _ = read_log(path, key=KEY)
    assert recovered.record == {
        "at": "2026-03-02T08:25:00Z",
        "event": "recovered",
        "actor": "till 3",
        "torn_bytes": 11,
    }


@pytest.mark.parametrize("behind", [b"x", b" ", b"\r", b"{}", b"\0x"])
def test_a_whole_entry_with_more_behind_it_is_not_what_a_crash_leaves(
    filled: AuditLog, path: Path, behind: bytes
) -> None:
    content = path.read_bytes()[:-1] + behind
    path.write_bytes(content)
    with pytest.raises(ChainEntryAlteredError, match="entry 10"):
        verify_log(path)
    with pytest.raises(ChainEntryAlteredError, match="entry 10"):
        filled.append(_record(10))
    assert path.read_bytes() == content


def test_a_whole_entry_with_zeros_behind_it_stays(filled: AuditLog, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + bytes(100))
    summary = verify_log(path, key=KEY)
    assert (summary.head.length, summary.torn_bytes) == (10, 100)
    filled.append(_record(10))
    assert _messages(path)[-3:] == ["sale 9", None, "sale 10"]


@pytest.mark.parametrize("size", [1, 4096, LONGEST_LINE, 3 * LONGEST_LINE + 5])
def test_a_tail_of_zeros_as_some_disks_leave_it_is_torn(
    filled: AuditLog, path: Path, size: int
) -> None:
    path.write_bytes(path.read_bytes() + bytes(size))
    assert verify_log(path, key=KEY).torn_bytes == size
    filled.append(_record(10))
    assert verify_log(path, key=KEY).head.length == 12


def test_an_entry_that_is_right_but_continues_nothing_is_not_cut_off(
    filled: AuditLog, path: Path
) -> None:
    foreign = _forged(Head(length=10, hash=bytes(32)), KEY, event="issue")
    content = path.read_bytes() + foreign[:-1]
    path.write_bytes(content)
    with pytest.raises(ChainEntryReplacedError):
        filled.append(_record(10))
    assert path.read_bytes() == content


def test_nothing_is_appended_behind_an_altered_entry(filled: AuditLog, path: Path) -> None:
    content = path.read_bytes()
    for altered in (
        content.replace(b'"sale 9"', b'"sale 8"'),
        content.replace(b'"sale 9"', b'"sale 8"')[:-1],
    ):
        path.write_bytes(altered)
        with pytest.raises(ChainEntryAlteredError, match="entry 10"):
            filled.append(_record(10))
        assert path.read_bytes() == altered
    path.write_bytes(content[:-3] + b"}}\n")
    with pytest.raises(AuditLogFormatError):
        filled.append(_record(10))


def test_a_full_disk_leaves_the_log_as_it_was(
    filled: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = path.read_bytes(), os.write

    def half(descriptor: int, content: bytes) -> int:
        """Write a little, and then no more."""
        if len(content) < 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[:500])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(FileUnreadableError, match="No space left"):
        filled.append(_record(10), _record(11))
    monkeypatch.undo()
    assert path.read_bytes() == before
    filled.append(_record(12))
    assert _messages(path)[-2:] == ["sale 9", "sale 12"]


def test_a_disk_that_cannot_keep_its_promise_is_reported(
    filled: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(FileUnreadableError, match="Input/output"):
        filled.append(_record(10))
    assert verify_log(path, key=KEY).head.length == 10
    # If it cannot even be taken back, it is there, whole, and the chain goes on behind it.
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(FileUnreadableError):
        filled.append(_record(10))
    monkeypatch.undo()
    filled.append(_record(11))
    assert verify_log(path, key=KEY).head.length == 12


# --- many at once -----------------------------------------------------------------------------


def test_threads_append_one_after_the_other(log: AuditLog, path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.append(_record(number), _record(number)), range(40)))
    assert verify_log(path, key=KEY).head.length == 81
    found = _messages(path)[1:]
    assert found[::2] == found[1::2]
    assert sorted(found[::2]) == sorted(f"sale {number}" for number in range(40))


def test_processes_append_one_after_the_other(log: AuditLog, path: Path) -> None:
    program = """
import sys
from pathlib import Path
from keys.audit import AuditLog
from tests.keys.test_audit import KEY, _record
log = AuditLog.open(Path(sys.argv[1]), key=KEY)
for number in range(50):
    log.append(_record(number, actor=sys.argv[2]))
"""
    command = [sys.executable, "-c", program, str(path)]
    writers = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    log.append(*(_record(number, actor="three") for number in range(50)))
    assert [writer.wait(60) for writer in writers] == [0, 0]
    entries = list(read_log(path, key=KEY))
    for name in ("one", "two", "three"):
        own = [entry.record["tid_minutes"] for entry in entries if entry.record["actor"] == name]
        assert own == list(range(50))
    assert len(entries) == 151


def test_who_waits_in_vain_for_the_file_is_told(log: AuditLog, path: Path) -> None:
    log.lock_attempts = 2
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with locked(descriptor, path), pytest.raises(FileLockedError):
            log.append(_record())
    finally:
        os.close(descriptor)
    assert log.append(_record())


def test_a_reader_sees_the_log_as_it_was_when_he_began(filled: AuditLog, path: Path) -> None:
    reading = read_log(path, key=KEY)
    next(reading)
    filled.append(_record(10))
    assert len(list(reading)) == 9


def test_a_reader_of_a_log_that_is_cut_meanwhile_gets_what_there_is(
    filled: AuditLog, path: Path
) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        path.write_bytes(path.read_bytes()[:100])
        assert list(audit_file.lines_of(descriptor, size=size)) == [path.read_bytes()]
    finally:
        os.close(descriptor)
    assert filled.chain


# --- for auditors -----------------------------------------------------------------------------


def test_the_export_as_json_is_exact(filled: AuditLog, path: Path) -> None:
    entries = list(read_log(path))
    exported = json.loads("".join(export_json(entries)))
    assert exported == [
        {
            "sequence": entry.sequence,
            "previous": entry.previous.hex(),
            "record": entry.record,
            "hash": entry.hash.hex(),
        }
        for entry in entries
    ]
    assert json.loads("".join(export_json([]))) == []
    assert filled.chain


def test_the_export_as_a_table_has_a_row_for_each_entry(log: AuditLog, path: Path) -> None:
    log.append(
        _record(1, actor="=cmd()", note='"quoted", with comma'),
        _record(
            2,
            event=AuditEvent.CEREMONY,
            tokens=(),
            custodians=("Ada Ohm", "Ben Volt"),
            checkpoint=log.checkpoint(SIGNING, now=NOW),
        ),
    )
    table = io.StringIO("".join(export_csv(read_log(path))))
    rows = list(csv.DictReader(table))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["sequence"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["chain"] == CHAIN
    assert rows[1]["actor"] == "'=cmd()"
    assert rows[1]["note"] == '"quoted", with comma'
    assert rows[1]["tokens"] == f"{TokenTrace.of(TOKEN, METER).digest} 6789"
    assert rows[2]["custodians"] == "Ada Ohm; Ben Volt"
    assert rows[2]["checkpoint"].startswith(f"{CHAIN} ")
    assert rows[2]["tokens"] == ""


def test_every_field_of_a_record_has_a_column() -> None:
    """Whatever a record can say is in the table; key and time are there in their parts."""
    names = set(AuditRecord.__dataclass_fields__) - {"key"}
    assert names <= set(COLUMNS)
    entry = Entry(sequence=1, previous=b"", record=audit_body(_record()), hash=b"")
    assert set(entry.record) <= set(COLUMNS)
