"""The books in databases of both kinds: what is booked, and what the database itself refuses."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError

from keys.hash_chain import Head, verify
from tests.vending_app.ledger.world import AUDITOR, SUPERVISOR, TENANT, World
from vending_app.domain.errors import (
    NotPermittedError,
    ReasonMissingError,
    SecondPersonError,
    UnknownTenantError,
)
from vending_app.domain.ledger import EntryKind, LedgerEntry, Posting, chain_name
from vending_app.domain.ledger_errors import (
    LedgerAccountError,
    LedgerClockBehindError,
    LedgerLimitError,
    LedgerReferenceReusedError,
    UnknownLedgerEntryError,
)
from vending_app.services.ledger import Correction, balances, correct, journal_csv
from vending_app.storage import ledger, ledger_reading, tables
from vending_app.storage.ledger import PostedEntry


def _postings(amount: int = 500, account: str = "suspense") -> tuple[Posting, ...]:
    return (
        Posting(account="cash", amount_minor=amount, currency="ZAR"),
        Posting(account=account, amount_minor=-amount, currency="ZAR"),
    )


def _entry(reference: str = "correction 1", **changed: Any) -> LedgerEntry:
    entry = LedgerEntry(
        kind=EntryKind.CORRECTION,
        reference=reference,
        period="2026-02",
        login="botha",
        postings=_postings(),
    )
    return replace(entry, **changed)


def _post(world: World, entry: LedgerEntry | None = None) -> PostedEntry:
    with world.store.write() as connection:
        return ledger.post(TENANT, connection, entry=entry or _entry(), now=world.tick())


def _line(entry_number: int, line_number: int, amount: int, **changed: Any) -> dict[str, Any]:
    line = {
        "tenant": TENANT,
        "entry_number": entry_number,
        "line_number": line_number,
        "account": "cash",
        "amount_minor": amount,
        "currency": "ZAR",
    }
    return line | changed


def test_entries_are_numbered_and_chained(world: World) -> None:
    posted = [_post(world, _entry(f"correction {number}")) for number in range(1, 4)]
    assert [entry.entry_number for entry in posted] == [1, 2, 3]
    with world.store.read() as connection:
        links = ledger_reading.chain_entries(TENANT, connection)
        head = verify(links, chain_name(TENANT))
        assert ledger.lock_books(TENANT, connection).head == head
    assert head == Head(length=3, hash=bytes.fromhex(posted[-1].hash))


def test_what_was_booked_is_read_as_it_was_booked(world: World) -> None:
    first, second = _post(world), _post(world, _entry("correction 2"))
    with world.store.read() as connection:
        assert list(ledger_reading.entries(TENANT, connection)) == [first, second]
        assert list(ledger_reading.entries(TENANT, connection, after=1)) == [second]
        assert ledger_reading.find_entry(TENANT, connection, entry_number=1) == first
        kind = EntryKind.CORRECTION
        found = ledger_reading.find_entry_by_reference(
            TENANT, connection, kind=kind, reference="correction 2"
        )
        assert found == second
        with pytest.raises(UnknownLedgerEntryError) as refusal:
            ledger_reading.find_entry(TENANT, connection, entry_number=3)
    assert refusal.value.code == "UNKNOWN_LEDGER_ENTRY"


def test_books_are_read_a_page_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = [_post(world, _entry(f"correction {number}")) for number in range(1, 6)]
    monkeypatch.setattr(ledger_reading, "_AT_ONCE", 2)
    with world.store.read() as connection:
        assert list(ledger_reading.entries(TENANT, connection)) == posted
        links = ledger_reading.chain_entries(TENANT, connection)
        assert verify(links, chain_name(TENANT)).length == 5


def test_a_transaction_that_fails_leaves_no_entry_and_no_gap(world: World) -> None:
    def book_and_fail(connection: Connection) -> None:
        ledger.post(TENANT, connection, entry=_entry(), now=world.now)
        message = "power cut"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="power cut"), world.store.write() as connection:
        book_and_fail(connection)
    assert _post(world).entry_number == 1


def test_one_reference_is_one_entry(world: World) -> None:
    _post(world)
    with pytest.raises(DatabaseError):
        _post(world)
    assert _post(world, _entry("correction 2")).entry_number == 2


def test_a_clock_a_little_behind_is_taken_for_the_last_entrys(world: World) -> None:
    first = _post(world)
    with world.store.write() as connection:
        early = first.posted_at - timedelta(minutes=5)
        second = ledger.post(TENANT, connection, entry=_entry("correction 2"), now=early)
    assert second.posted_at == first.posted_at


def test_a_clock_far_behind_is_refused(world: World) -> None:
    first = _post(world)
    early = first.posted_at - timedelta(minutes=5, microseconds=1)
    with pytest.raises(LedgerClockBehindError) as refusal, world.store.write() as connection:
        ledger.post(TENANT, connection, entry=_entry("correction 2"), now=early)
    assert refusal.value.code == "CLOCK_BEHIND"


def test_a_float_moves_with_its_account(world: World) -> None:
    world.deposit(50_000, code="1")
    world.sell(vendor_code="SPAZA", commission_minor=150)
    with world.store.read() as connection:
        left = connection.execute(select(tables.vendors.c.float_minor)).scalar_one()
    by_account = {balance.account: balance for balance in balances(world.store, TENANT)}
    assert left == 50_000 - 10_000 + 150
    assert by_account["vendor-float:SPAZA"].balance_minor == -left
    assert by_account["vendor-float:SPAZA"].debit_minor == 10_000
    assert by_account["vendor-float:SPAZA"].credit_minor == 50_150


def test_a_float_does_not_go_beyond_its_limit(world: World) -> None:
    with pytest.raises(LedgerLimitError, match="vendor-float:SPAZA") as refusal:
        world.sell(vendor_code="SPAZA")
    assert refusal.value.code == "LEDGER_LIMIT"
    assert balances(world.store, TENANT) == ()


def test_a_credit_moves_with_its_account_and_never_below_nothing(world: World) -> None:
    world.sell(lines=(("energy", "sales:energy", 963), ("rest", "account-credit", 37)))
    world.sell(lines=(("energy", "sales:energy", 1030), ("rest", "account-credit", -30)))
    with world.store.read() as connection:
        credit = connection.execute(select(tables.accounts.c.credit_minor)).scalars().all()
    assert sorted(credit) == [0, 7]
    with pytest.raises(LedgerLimitError):
        world.sell(lines=(("energy", "sales:energy", 1030), ("rest", "account-credit", -8)))


@pytest.mark.parametrize("account", ["vendor-float:NOBODY", "account-credit:A9"])
def test_what_nobody_owns_is_not_booked_on(world: World, account: str) -> None:
    with pytest.raises(LedgerAccountError):
        _post(world, _entry(postings=_postings(account=account)))


def test_the_books_of_tenants_are_apart(world: World) -> None:
    _post(world)
    with world.store.write() as connection:
        row = dict(connection.execute(select(tables.tenants)).mappings().one())
        connection.execute(insert(tables.tenants).values(row | {"tenant": "mwanga"}))
        posted = ledger.post("mwanga", connection, entry=_entry(), now=world.now)
    assert posted.entry_number == 1
    with world.store.read() as connection:
        links = list(ledger_reading.chain_entries("mwanga", connection))
    assert verify(links, "ledger/mwanga").length == 1
    assert links[0].previous == Head.start("ledger/mwanga").hash


def test_many_who_book_at_once_leave_one_chain(world: World) -> None:
    def book(thread: int) -> None:
        for number in range(5):
            _post_at(world, f"correction {thread}-{number}")

    threads = [threading.Thread(target=book, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.store.read() as connection:
        links = ledger_reading.chain_entries(TENANT, connection)
        assert verify(links, chain_name(TENANT)).length == 20


def _post_at(world: World, reference: str) -> None:
    with world.store.write() as connection:
        ledger.post(TENANT, connection, entry=_entry(reference), now=world.now)


# --- what the database refuses, whoever asks ----------------------------------------------------


@pytest.mark.parametrize(
    "table", ["ledger_checkpoints", "ledger_entries", "ledger_lines", "ledger_periods"]
)
def test_what_is_booked_is_neither_changed_nor_removed(full_world: World, table: str) -> None:
    guarded = tables.metadata.tables[table]
    for statement in (update(guarded).values(tenant="mwanga"), delete(guarded)):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            full_world.store.write() as connection,
        ):
            connection.execute(statement)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "at least two lines"),
        ([_line(2, 1, 5)], "at least two lines"),
        ([_line(2, 1, 5), _line(2, 2, -4)], "do not balance"),
        ([_line(2, 1, 5), _line(2, 2, -5, currency="TZS")], "do not balance"),
    ],
    ids=["none", "one", "a cent", "currencies"],
)
def test_the_database_takes_no_entry_that_does_not_balance(
    world: World, lines: list[dict[str, Any]], said: str
) -> None:
    _post(world)
    with world.store.read() as connection:
        row = dict(connection.execute(select(tables.ledger_entries)).mappings().one())
    second = row | {"entry_number": 2, "reference": "correction 2"}

    def book(connection: Connection) -> None:
        if lines:
            connection.execute(insert(tables.ledger_lines), lines)
        connection.execute(insert(tables.ledger_entries).values(second))

    with pytest.raises(DatabaseError, match=said), world.store.write() as connection:
        book(connection)


def test_the_database_adds_no_line_to_an_entry(world: World) -> None:
    _post(world)
    with pytest.raises(DatabaseError, match="closed"), world.store.write() as connection:
        connection.execute(insert(tables.ledger_lines), [_line(1, 3, 5), _line(1, 4, -5)])


def test_the_database_keeps_no_line_without_an_entry(world: World) -> None:
    _post(world)
    with pytest.raises(IntegrityError), world.store.write() as connection:
        connection.execute(insert(tables.ledger_lines), [_line(2, 1, 5), _line(2, 2, -5)])
    with world.store.read() as connection:
        assert len(connection.execute(select(tables.ledger_lines)).all()) == 2


def test_sqlite_replaces_nothing(full_world: World) -> None:
    if full_world.store.engine.dialect.name != "sqlite":
        return  # Only SQLite has such a statement.
    for table in ("ledger_checkpoints", "ledger_entries", "ledger_lines", "ledger_periods"):
        statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"  # noqa: S608 - names of ours
        with (
            pytest.raises(DatabaseError, match=r"append-only|closed"),
            full_world.store.write() as connection,
        ):
            connection.execute(text(statement))


# --- corrections and reading --------------------------------------------------------------------


def _correction(**changed: Any) -> Correction:
    return replace(
        Correction(correction_code="7", reason="Counted twice.", postings=_postings()), **changed
    )


def test_a_correction_sent_twice_is_booked_once(world: World) -> None:
    first, second = (
        correct(
            world.store,
            _correction(original_period="2026-01"),
            operator=SUPERVISOR,
            approver=AUDITOR,
            now=world.tick(),
        )
        for _ in range(2)
    )
    assert first == second
    assert (first.entry_number, first.reference) == (1, "correction 7")
    with world.store.read() as connection:
        (link,) = ledger_reading.chain_entries(TENANT, connection)
    assert link.record["original_period"] == "2026-01"
    assert link.record["document"] == {
        "approved_login": "okafor",
        "reason": "Counted twice.",
        "rows": {},
    }


def test_a_correction_sent_by_many_at_once_is_booked_once(world: World) -> None:
    numbers: list[int] = []

    def send() -> None:
        now = world.now
        people = {"operator": SUPERVISOR, "approver": AUDITOR}
        numbers.append(correct(world.store, _correction(), **people, now=now).entry_number)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [1] * 6


@pytest.mark.parametrize(
    ("changed", "people", "refused"),
    [
        ({"reason": " "}, (SUPERVISOR, AUDITOR), ReasonMissingError),
        ({}, (AUDITOR, SUPERVISOR), NotPermittedError),
        ({}, (SUPERVISOR, SUPERVISOR), SecondPersonError),
        ({"postings": _postings(501)}, (SUPERVISOR, AUDITOR), LedgerReferenceReusedError),
        (
            {"correction_code": "8", "postings": _postings(account="account-credit:A9")},
            (SUPERVISOR, AUDITOR),
            LedgerAccountError,
        ),
    ],
)
def test_a_correction_needs_a_reason_two_people_and_a_code_of_its_own(
    world: World, changed: dict[str, Any], people: tuple[Any, Any], refused: type[Exception]
) -> None:
    operator, approver = SUPERVISOR, AUDITOR
    correct(world.store, _correction(), operator=operator, approver=approver, now=world.now)
    operator, approver = people
    with pytest.raises(refused):
        correct(
            world.store,
            _correction(**changed),
            operator=operator,
            approver=approver,
            now=world.now,
        )
    with world.store.read() as connection:
        assert ledger.lock_books(TENANT, connection).head.length == 1


@pytest.mark.parametrize(
    "postings",
    [
        _postings(account="clock"),
        _postings(account="clock:set-back"),
        tuple(replace(posting, currency="CLK") for posting in _postings()),
    ],
)
def test_how_often_the_clock_was_set_back_is_not_corrected_by_hand(
    world: World, postings: tuple[Posting, ...]
) -> None:
    wanted, people = _correction(postings=postings), {"operator": SUPERVISOR, "approver": AUDITOR}
    with pytest.raises(LedgerAccountError) as refusal:
        correct(world.store, wanted, **people, now=world.now)
    assert refusal.value.code == "LEDGER_ACCOUNT"
    with world.store.read() as connection:
        assert ledger.lock_books(TENANT, connection).head.length == 0


def test_balances_are_those_of_all_months_or_of_one(full_world: World) -> None:
    def cash(period: str | None) -> int:
        found = balances(full_world.store, TENANT, period=period)
        return sum(balance.balance_minor for balance in found if balance.account == "cash")

    assert (cash("2026-02"), cash("2026-03"), cash(None)) == (20_000, -1_270, 18_730)
    assert sum(balance.balance_minor for balance in balances(full_world.store, TENANT)) == 0


def test_the_journal_is_a_table_with_a_row_for_each_line(full_world: World) -> None:
    rows = list(journal_csv(full_world.store, TENANT))
    assert rows[0].startswith("entry_number,posted_at,period,kind,reference,account,amount_minor")
    assert rows[1].startswith(
        "1,2026-02-27T08:15:30.123456+00:00,2026-02,sale,sale 1,cash,10000,ZAR,"
    )
    assert len(rows) == 1 + 28


def test_what_a_spreadsheet_would_take_for_a_formula_is_disarmed(world: World) -> None:
    _post(world, _entry("=1+1"))
    assert ",'=1+1,cash,500," in list(journal_csv(world.store, TENANT))[1]


def test_there_are_no_books_of_nobody(world: World) -> None:
    with pytest.raises(UnknownTenantError):
        balances(world.store, "nobody")
    with pytest.raises(UnknownTenantError):
        list(journal_csv(world.store, "nobody"))
