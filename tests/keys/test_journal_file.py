"""The journal of a module's own: durable, in one piece, and closed to everybody else."""

import multiprocessing
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from keys import (
    CreditRequest,
    FileJournal,
    IssueAnswer,
    JournalEntry,
    JournalTransaction,
    KeyName,
    KeysError,
    KeyUsage,
    LookedUp,
    SoftwareModule,
    Vault,
    journal_sqlite,
)
from keys import journal_file as journal_file_module
from keys.journal import JournalSeal, MadeTokens
from keys.journal_errors import JournalBusyError, JournalDamagedError, JournalTamperedError
from keys.secret import Secret
from sts import (
    BaseDate,
    KeyRevisionNumber,
    MeterPan,
    Service,
    SupplyGroupCode,
    encode_amount,
    tid_from_datetime,
)
from tests.house.project import ROOT
from tests.journals import open_journal
from tests.keys.conftest import NOW, VAULT_KEY, sample_meter

KEY = KeyName(
    tenant="thabaneng",
    supply_group_code=SupplyGroupCode(201457),
    key_revision_number=KeyRevisionNumber(1),
)
TID = tid_from_datetime(NOW, BaseDate.Y2014)


def _entry(message_id: str = "m", *, tid: int | None = TID, credit_units: int = 0) -> JournalEntry:
    return JournalEntry(
        message_id=message_id,
        request_hash="00" * 32,
        meter_pan=MeterPan.from_drn("0100200002010"),
        key=KEY,
        base_date=BaseDate.Y2014,
        tid_minutes=tid,
        credit_units=credit_units,
        sealed=b"sealed",
        made_at=NOW,
    )


def _issue(module: SoftwareModule, message_id: str = "m", later: int = 0) -> IssueAnswer:
    request = CreditRequest(
        service=Service.ELECTRICITY, tid_minutes=TID + later, amount=encode_amount(59)
    )
    return module.issue(sample_meter(), request, message_id=message_id, now=NOW)


def test_an_entry_comes_back_as_it_was_written(journal: FileJournal) -> None:
    local = NOW.astimezone(timezone(timedelta(hours=2)))
    written = _entry(credit_units=10**30)
    with journal.transaction() as transaction:
        transaction.add(written._replace(made_at=local))
    journal.close()
    again = open_journal(journal.path)
    with again.transaction() as transaction:
        assert transaction.find("thabaneng", "m") == written
        assert transaction.find("mwanga", "m") is None
        assert transaction.usage(KEY) == KeyUsage(tokens=1, credit_units=10**30)
        with transaction.transaction() as inner:
            assert inner is transaction
    again.close()


def _look_up(
    transaction: JournalTransaction,
    message_id: str = "m",
    *,
    tenant: str = "thabaneng",
    drn: str = "0100200002010",
    base_date: BaseDate = BaseDate.Y2014,
    tid: int = TID,
) -> LookedUp:
    meter_pan = MeterPan.from_drn(drn)
    return transaction.look_up(
        tenant, message_id, meter_pan=meter_pan, base_date=base_date, tid=tid
    )


@pytest.mark.parametrize("later", [False, True])
def test_looking_up_tells_the_entry_from_the_token_identifier(
    journal: FileJournal, *, later: bool
) -> None:
    """In the transaction that adds the entry, and in the next one."""
    nothing = LookedUp(entry=None, tid_is_used=False)
    with ExitStack() as open_transactions:
        transaction = open_transactions.enter_context(journal.transaction())
        assert _look_up(transaction) == nothing
        transaction.add(_entry())
        transaction.add(_entry("n", tid=TID + 1))
        if later:
            open_transactions.close()
            transaction = open_transactions.enter_context(journal.transaction())
        assert _look_up(transaction) == LookedUp(entry=_entry(), tid_is_used=True)
        assert _look_up(transaction, "o") == LookedUp(entry=None, tid_is_used=True)
        assert _look_up(transaction, tenant="mwanga") == nothing
        only_entry = LookedUp(entry=_entry(), tid_is_used=False)
        assert _look_up(transaction, tid=TID + 2) == only_entry
        assert _look_up(transaction, drn="01777000017") == only_entry
        assert _look_up(transaction, base_date=BaseDate.Y1993) == only_entry
        of_two = LookedUp(entry=_entry("n", tid=TID + 1), tid_is_used=True)
        assert _look_up(transaction, "n") == of_two


def _add_all(journal: FileJournal, entries: list[JournalEntry]) -> None:
    with journal.transaction() as transaction:
        for entry in entries:
            transaction.add(entry)


def test_a_transaction_of_any_length_is_one(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file_module, "_MOST_WAITING", 2)
    names = [f"m-{number}" for number in range(5)]
    with journal.transaction() as transaction:
        for number, name in enumerate(names):
            transaction.add(_entry(name, tid=TID + number))
        assert all(transaction.find("thabaneng", name) for name in names)
        assert _look_up(transaction, "o", tid=TID).tid_is_used
        assert transaction.usage(KEY).tokens == len(names)
    clashing = [_entry(f"n-{number}", tid=TID + 7 - number) for number in range(5)]
    with pytest.raises(sqlite3.IntegrityError):
        _add_all(journal, clashing)
    with journal.transaction() as transaction:
        assert all(transaction.find("thabaneng", name) for name in names)
        assert transaction.find("thabaneng", "n-0") is None
        assert transaction.usage(KEY).tokens == len(names)


def test_the_same_name_twice_in_one_transaction_undoes_all_of_it(journal: FileJournal) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        _add_all(journal, [_entry(), _entry(tid=TID + 1)])
    with journal.transaction() as transaction:
        assert transaction.find("thabaneng", "m") is None


def test_key_changes_have_no_token_identifier_to_clash(journal: FileJournal) -> None:
    with journal.transaction() as transaction:
        transaction.add(_entry("1", tid=None))
        transaction.add(_entry("2", tid=None))
        assert transaction.usage(KEY).tokens == 2


@pytest.mark.parametrize("again", [_entry("m", tid=TID + 1), _entry("other")])
def test_what_must_be_unique_is_refused_by_the_database(
    journal: FileJournal, again: JournalEntry
) -> None:
    with journal.transaction() as transaction:
        transaction.add(_entry())
    with pytest.raises(sqlite3.IntegrityError), journal.transaction() as transaction:
        transaction.add(again)
    with journal.transaction() as transaction:
        assert transaction.usage(KEY).tokens == 1


@pytest.mark.parametrize("statement", ["UPDATE entries SET sealed = x'00'", "DELETE FROM entries"])
def test_entries_are_neither_changed_nor_removed(journal: FileJournal, statement: str) -> None:
    with journal.transaction() as transaction:
        transaction.add(_entry())
    with sqlite3.connect(journal.path) as other, pytest.raises(sqlite3.Error, match="append-only"):
        other.execute(statement)
    other.close()


def test_the_file_is_for_its_owner_and_never_overwritten(journal: FileJournal) -> None:
    with journal.transaction() as transaction:
        transaction.add(_entry())
        for file in journal.path.parent.glob(f"{journal.path.name}*"):
            assert file.stat().st_mode & 0o077 == 0, file
    with pytest.raises(KeysError) as refusal:
        FileJournal.create(journal.path)
    assert refusal.value.code == "FILE_EXISTS"


def _text(path: Path) -> None:
    path.write_text("not a database, but long enough to be looked at" * 99)
    path.chmod(0o600)


def _other_database(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch(mode=0o600)
    path.chmod(0o600)


def _open_to_all(path: Path) -> None:
    FileJournal.create(path).close()
    path.chmod(0o644)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda _: None, "FILE_UNREADABLE"),
        (_text, "JOURNAL_FORMAT"),
        (_other_database, "JOURNAL_FORMAT"),
        (_open_to_all, "UNSAFE_FILE_MODE"),
    ],
)
def test_what_is_no_journal_is_not_opened(
    tmp_path: Path, make: Callable[[Path], None], code: str
) -> None:
    make(tmp_path / "j")
    with pytest.raises(KeysError) as refusal:
        FileJournal.open(tmp_path / "j")
    assert refusal.value.code == code


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysError) as refusal:
        FileJournal.create(tmp_path / "missing" / "j")
    assert refusal.value.code == "FILE_UNREADABLE"


def test_a_journal_that_another_process_keeps_is_busy(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_sqlite, "BUSY_SECONDS", 0)
    other = open_journal(journal.path)
    with journal.transaction(), pytest.raises(JournalBusyError) as refusal, other.transaction():
        pass  # pragma: no cover - it does not open
    assert refusal.value.code == "JOURNAL_BUSY"
    other.close()


def test_threads_take_turns_and_one_request_is_answered_once(module: SoftwareModule) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        same = {each.digits for each in threads.map(lambda _: _issue(module), range(30))}
        others = list(
            threads.map(lambda number: _issue(module, f"m{number}", number), range(1, 30))
        )
    assert len(same) == 1
    assert len({each.digits for each in others}) == 29


def _issue_in_child(module: SoftwareModule, answers: "multiprocessing.Queue[str]") -> None:
    answers.put(_issue(module).digits)


def test_a_forked_process_opens_the_journal_for_itself(module: SoftwareModule) -> None:
    first = _issue(module).digits
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    child = context.Process(target=_issue_in_child, args=(module, answers))
    child.start()
    assert answers.get(timeout=30) == first
    child.join()
    assert _issue(module).digits == first


def test_a_connection_of_another_process_is_not_used(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = journal._connection  # noqa: SLF001 - whether it is another one is the point
    monkeypatch.setattr(journal, "_process", -1)
    with journal.transaction() as transaction:
        transaction.add(_entry())
    assert journal._connection is not before  # noqa: SLF001 - as above
    before.close()


def test_the_journal_shows_no_token_and_no_amount(
    module: SoftwareModule, journal: FileJournal
) -> None:
    digits = _issue(module).digits
    journal.close()
    content = journal.path.read_bytes()
    assert digits.encode() not in content
    assert int(digits).to_bytes(9, "big") not in content


def test_an_entry_of_another_key_or_for_another_request_does_not_open() -> None:
    seal = JournalSeal(Secret(bytes(32)))
    made = MadeTokens(random_bits=5, digits=("1" * 20, "2" * 20))
    sealed = seal.sealed(made, b"context")
    assert seal.unsealed(sealed, b"context") == made
    for other, context in ((seal, b"other"), (JournalSeal(Secret(bytes([1] * 32))), b"context")):
        with pytest.raises(JournalTamperedError) as refusal:
            other.unsealed(sealed, context)
        assert refusal.value.code == "JOURNAL_TAMPERED"


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        ("begin", False),
        ("look_up", False),
        ("usage", False),
        ("insert", False),
        ("add", False),
        ("committed", True),
        ("answered", True),
    ],
)
def test_a_process_that_is_killed_at_any_step_leaves_all_or_nothing(
    vault: Vault, journal: FileJournal, step: str, *, kept: bool
) -> None:
    """The same request then gets the same token, and a token handed out was written before."""
    journal.close()
    files = [str(vault.path), str(journal.path)]
    command = [sys.executable, "-m", "tests.keys.issue_and_die", *files, step]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert bool(killed.stdout) is (step == "answered")
    again = open_journal(journal.path)
    with again.transaction() as transaction:
        assert (transaction.find("thabaneng", "m") is not None) is kept
        assert transaction.usage(KEY).tokens == kept
    module = SoftwareModule(Vault.open(vault.path, VAULT_KEY), lab_mode=True, journal=again)
    answer = _issue(module)
    assert killed.stdout.strip() in {"", answer.digits}
    assert _issue(module) == answer
    with again.transaction() as transaction:
        assert transaction.usage(KEY).tokens == 1
    again.close()


def test_the_time_of_an_entry_is_utc(journal: FileJournal) -> None:
    with journal.transaction() as transaction:
        transaction.add(_entry())
        found = transaction.find("thabaneng", "m")
    assert found is not None
    assert found.made_at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)


# --- looking it through -------------------------------------------------------------------------


def _change(path: Path, statement: str) -> None:
    """Alter a journal behind its back; the triggers are no obstacle to who has the file."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER IF EXISTS entries_stay")
    connection.execute("DROP TRIGGER IF EXISTS entries_are_kept")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_journal_that_nobody_touched_is_right(
    module: SoftwareModule, journal: FileJournal, vault: Vault
) -> None:
    assert journal.check(JournalSeal(vault.journal_key())) == 0
    for number in range(3):
        _issue(module, f"m{number}", number)
    assert journal.check(JournalSeal(vault.journal_key())) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET tid_minutes = tid_minutes + 1",
        "UPDATE entries SET tid_minutes = NULL",
        "UPDATE entries SET credit_units = '5'",
        "UPDATE entries SET tenant = 'mwanga'",
        "UPDATE entries SET message_id = 'n'",
        "UPDATE entries SET request_hash = 'x'",
        "UPDATE entries SET meter_pan = '000001002000020110'",
        "UPDATE entries SET meter_pan = 'x'",
        "UPDATE entries SET supply_group_code = 'x'",
        "UPDATE entries SET key_revision_number = 12",
        "UPDATE entries SET base_date = '1993'",
        "UPDATE entries SET credit_units = 'x'",
        "UPDATE entries SET sealed = zeroblob(40)",
        "UPDATE entries SET made_at = 'x'",
        "UPDATE usage SET tokens = 0",
        "UPDATE usage SET credit_units = '7'",
        "UPDATE usage SET credit_units = 'x'",
        "UPDATE usage SET tenant = 'mwanga'",
        "DELETE FROM usage",
        "DELETE FROM entries",
    ],
)
def test_whatever_was_altered_is_found(
    module: SoftwareModule, journal: FileJournal, vault: Vault, statement: str
) -> None:
    _issue(module)
    _change(journal.path, statement)
    with pytest.raises(JournalTamperedError):
        journal.check(JournalSeal(vault.journal_key()))


def test_an_answer_is_not_given_from_an_entry_that_was_altered(
    module: SoftwareModule, journal: FileJournal
) -> None:
    _issue(module)
    _change(journal.path, "UPDATE entries SET tid_minutes = tid_minutes + 1")
    with pytest.raises(JournalTamperedError):
        _issue(module)


def test_a_file_that_is_damaged_in_the_middle_is_said_to_be(
    module: SoftwareModule, journal: FileJournal, vault: Vault
) -> None:
    _issue(module)
    journal.close()
    content = bytearray(journal.path.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    content[page : 2 * page] = b"\xff" * page
    journal.path.write_bytes(content)
    again = open_journal(journal.path)
    opened = SoftwareModule(vault, lab_mode=True, journal=again)
    with pytest.raises(JournalDamagedError) as refusal:
        _issue(opened)
    assert refusal.value.code == "JOURNAL_DAMAGED"
    again.close()


def test_the_identifiers_that_a_meter_may_still_remember_are_those_of_its_last_fifty(
    journal: FileJournal,
) -> None:
    pan = sample_meter().meter_pan
    assert journal.latest_tids("thabaneng", pan, base=BaseDate.Y2014) == ()
    with journal.transaction() as transaction:
        for number in range(60):
            transaction.add(_entry(f"m{number}", tid=TID + number))
        transaction.add(_entry("a key change", tid=None))
    found = journal.latest_tids("thabaneng", pan, base=BaseDate.Y2014)
    assert found == tuple(range(TID + 59, TID + 9, -1))
    assert journal.latest_tids("mwanga", pan, base=BaseDate.Y2014) == ()
    assert journal.latest_tids("thabaneng", pan, base=BaseDate.Y2035) == ()
