"""Every day the module's own log and journal are held against the books."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Executable, delete, select, update

from keys import CreditRequest
from keys.audit import AuditLog
from keys.audit_writing import AuditWriter
from keys.audited_module import AuditedModule
from keys.chain_errors import ChainError
from keys.chain_seal import HmacSealKey
from keys.issuing import JournalledModule
from keys.secret import Secret
from sts import KeyRevisionNumber, Service, TariffIndex, encode_amount
from tests.vending_app.cases.words import CLEAR_TAMPER, approved, issue, job_card
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    audit_codes,
    meter_of,
    rows,
    sell,
)
from vending_app import demo_story as story
from vending_app.domain.reconciliation import (
    BookedToken,
    Comparison,
    GapKind,
    JournalledRequest,
    LoggedToken,
    compare,
)
from vending_app.services.key_changes import KeyChangeRequest, change_key
from vending_app.services.plans import meter_configuration
from vending_app.services.reconciliation import Reconciliation, day_before, reconcile
from vending_app.storage import tables
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal

DAY = date(2026, 3, 2)
LATER = NOW + timedelta(hours=20)
KEY = HmacSealKey(Secret(bytes(32)))


@dataclass
class Audited:
    """A module whose log is at hand."""

    module: AuditedModule
    log: Path


@pytest.fixture
def audited(module: JournalledModule, tmp_path: Path) -> Audited:
    path = tmp_path / "module.audit"
    log = AuditLog.create(path, "module/1", key=KEY, actor="test", now=NOW)
    return Audited(AuditedModule(module, AuditWriter(log, "test")), path)


def _reconciled(store: Store, audited: Audited) -> Reconciliation:
    return reconcile(store, THABANENG, log=audited.log, day=DAY, now=LATER, key=KEY)


def _kinds(found: Reconciliation | Comparison) -> list[GapKind]:
    return sorted(gap.kind for gap in found.gaps)


def _a_day(store: Store, audited: Audited, staff: Staff) -> None:
    """Sell, change a key, do a job."""
    sell(store, audited.module)
    wanted = KeyChangeRequest(
        request_id="k-1",
        drn=meter_of(store).drn,
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=KeyRevisionNumber(1),
        tariff_index=TariffIndex(2),
        reason="Another index",
    )
    change_key(store, audited.module, staff.engineer, wanted=wanted, now=NOW)
    case = approved(store, staff, job_card(CLEAR_TAMPER))
    issue(store, audited.module, staff.engineer, case)


def _past_triggers(store: Store, *statements: Executable) -> None:
    """Change what the database refuses to change, as somebody with its password could."""
    with store.write() as connection:
        if store.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = 'replica'")
        else:
            names = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).scalars()
            for name in list(names):
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def test_a_day_on_which_all_went_well_agrees(store: Store, audited: Audited, staff: Staff) -> None:
    _a_day(store, audited, staff)
    found = _reconciled(store, audited)
    assert found.agrees, found.gaps
    counters = found.keys["201457/1"]
    set_size = 2
    assert counters.module_tokens == counters.book_tokens == 2 + set_size
    assert counters.module_requests == counters.book_requests == 3
    assert counters.book_tenths > 0
    assert audit_codes(store) == []
    assert rows(store, "reconciliations") == {"reconciliations": 1}


def test_the_same_day_again_is_the_next_attempt(store: Store, audited: Audited) -> None:
    sell(store, audited.module)
    assert [_reconciled(store, audited).attempt for _ in range(2)] == [1, 2]
    other = reconcile(
        store, THABANENG, log=audited.log, day=DAY - timedelta(days=1), now=LATER, key=KEY
    )
    assert (other.attempt, other.agrees, other.keys) == (1, True, {})


def test_a_token_that_was_made_and_rolled_back_is_an_incident(
    store: Store, audited: Audited
) -> None:
    def stop(name: str) -> None:
        if name == "sale.issued":
            raise KeyboardInterrupt

    going_on, store.fail_point = store.fail_point, stop
    with pytest.raises(KeyboardInterrupt):
        sell(store, audited.module)
    store.fail_point = going_on
    found = _reconciled(store, audited)
    assert _kinds(found) == [GapKind.NOT_BOOKED]
    assert str(found.gaps[0]) == "not_booked: thabaneng/r-1/1 under 201457/1"
    events = tables.audit_events.c
    with store.read() as connection:
        event = connection.execute(select(events.kind, events.code, events.message)).one()
        agrees = connection.execute(select(tables.reconciliations.c.agrees)).scalar_one()
    assert tuple(event) == (
        "incident",
        "MODULE_GAP",
        "1 gaps between security module and books on 2026-03-02.",
    )
    assert not agrees


def test_a_token_made_past_the_books_is_an_incident(store: Store, audited: Audited) -> None:
    wanted = CreditRequest(
        tid_minutes=6_000_000, service=Service.ELECTRICITY, amount=encode_amount(100)
    )
    with store.write() as connection:
        audited.module.issue(
            meter_configuration(meter_of(store)),
            wanted,
            message_id="somebody/knows",
            now=NOW,
            journal=DatabaseJournal(connection),
        )
    found = _reconciled(store, audited)
    assert _kinds(found) == [GapKind.JOURNAL_ONLY, GapKind.NOT_BOOKED]
    assert {gap.message_id for gap in found.gaps} == {"somebody/knows"}


def test_what_the_last_minutes_brought_is_not_judged_yet(store: Store, audited: Audited) -> None:
    def stop(name: str) -> None:
        if name == "sale.issued":
            raise KeyboardInterrupt

    store.fail_point = stop
    with pytest.raises(KeyboardInterrupt):
        sell(store, audited.module)
    soon = NOW + timedelta(seconds=30)
    assert reconcile(store, THABANENG, log=audited.log, day=DAY, now=soon, key=KEY).agrees


def test_a_request_without_an_outcome_is_a_gap_until_it_is_recovered(
    store: Store, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    path = tmp_path / "elsewhere.audit"
    log = AuditLog.create(path, "module/2", key=KEY, actor="test", now=NOW)
    module = AuditedModule(elsewhere, AuditWriter(log, "test"))

    going_on = store.fail_point

    def stop(name: str) -> None:
        if name == "remote.asked":
            raise KeyboardInterrupt

    store.fail_point = stop
    with pytest.raises(KeyboardInterrupt):
        sell(store, module)
    store.fail_point = going_on
    found = reconcile(store, THABANENG, log=path, day=DAY, now=LATER, shared_journal=False)
    assert _kinds(found) == [GapKind.UNDECIDED]
    sell(store, module)
    after = reconcile(store, THABANENG, log=path, day=DAY, now=LATER, shared_journal=False)
    assert after.agrees
    assert after.keys["201457/1"].module_requests == 0


def test_a_doctored_log_is_an_incident_and_refused(store: Store, audited: Audited) -> None:
    sell(store, audited.module)
    content = audited.log.read_bytes()
    audited.log.write_bytes(content.replace(b"thabaneng/r-1/1", b"thabaneng/r-9/1"))
    with pytest.raises(ChainError) as refusal:
        _reconciled(store, audited)
    assert audit_codes(store) == [refusal.value.code]
    assert rows(store, "reconciliations") == {"reconciliations": 0}


def test_a_log_of_another_key_is_refused(store: Store, audited: Audited) -> None:
    sell(store, audited.module)
    other = HmacSealKey(Secret(bytes([1]) * 32))
    with pytest.raises(ChainError):
        reconcile(store, THABANENG, log=audited.log, day=DAY, now=LATER, key=other)


def test_a_doctored_table_is_found(store: Store, audited: Audited) -> None:
    sell(store, audited.module)
    sell(store, audited.module, request_id="r-2")

    tokens, journal = tables.tokens, tables.issue_journal
    _past_triggers(
        store,
        update(tokens).where(tokens.c.basis_number == 1).values(digits="1" * 20),
        delete(journal).where(journal.c.message_id == "thabaneng/r-2/1"),
    )
    assert _kinds(_reconciled(store, audited)) == [GapKind.DIFFERENT, GapKind.NOT_IN_JOURNAL]


def test_days_are_those_of_the_utility(store: Store) -> None:
    assert day_before(store, THABANENG, now=NOW.replace(hour=23)) == DAY


# --- the comparison itself ------------------------------------------------------------------------


def _logged(name: str | None, digest: str, *, of_day: bool = True) -> LoggedToken:
    return LoggedToken(message_id=name, digest=digest, key="1/1", of_day=of_day)


def _booked(name: str, digest: str, *, of_day: bool = True, money: int = 0) -> BookedToken:
    return BookedToken(
        message_id=name, digest=digest, key="1/1", of_day=of_day, currency_units=money
    )


def _journalled(name: str, *, of_day: bool = True, money: int = 0) -> JournalledRequest:
    return JournalledRequest(message_id=name, key="1/1", of_day=of_day, currency_units=money)


@pytest.mark.parametrize(
    ("logged", "booked", "journal", "kinds"),
    [
        ([], [_booked("a", "1")], None, ["not_logged"]),
        ([_logged("a", "2")], [_booked("a", "1")], None, ["different"]),
        # Made, rolled back and made again: the first one is in nobody's hands, or somebody's.
        ([_logged("a", "2"), _logged("a", "1")], [_booked("a", "1")], None, ["not_booked"]),
        ([_logged(None, "2")], [], None, ["not_booked"]),
        ([_logged("a", "1"), _logged("a", "1")], [_booked("a", "1")], None, []),
        ([_logged("a", "1", of_day=False)], [], [], []),
        ([], [_booked("a", "1", of_day=False)], [_journalled("a", of_day=False)], []),
        ([_logged("a", "1")], [_booked("a", "1")], [_journalled("a")], []),
        ([_logged("a", "1")], [_booked("a", "1")], [], ["not_in_journal"]),
        ([], [], [_journalled("a")], ["journal_only"]),
        (
            [_logged("a", "1")],
            [_booked("a", "1", money=5)],
            [_journalled("a", money=6)],
            ["journal_credit"],
        ),
    ],
)
def test_whatever_one_side_lacks_is_a_gap(
    logged: list[LoggedToken],
    booked: list[BookedToken],
    journal: list[JournalledRequest] | None,
    kinds: list[str],
) -> None:
    found = compare(logged=logged, booked=booked, journal=journal, open_names=())
    assert _kinds(found) == kinds
    assert [str(gap).split(":")[0] for gap in found.gaps] == kinds
    for counters in found.keys.values():
        assert counters.body()["book_tokens"] == counters.book_tokens
