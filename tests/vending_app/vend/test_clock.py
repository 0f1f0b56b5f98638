"""The clock and the books: a clock years ahead is not believed, and what it did can be mended."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from keys import SecurityModule
from keys.issuing import JournalledModule
from sts import DecoderReferenceNumber, TariffIndex
from tests.vending_app.cases.words import AISHA, approved, free_issue, issue, taking_back
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.network.conftest import Staff, staff
from tests.vending_app.vend.shop import THABANENG, Elsewhere, audit_codes, findings, rows, sell
from vending_app import demo_story as story
from vending_app.domain.errors import OutcomeUnknownError, VendingError
from vending_app.domain.ledger import Posting
from vending_app.domain.parties import Operator
from vending_app.domain.periods import ACCEPTED_FOR, CLOCK_TOLERANCE, ClockTerms
from vending_app.domain.requests import RequestState
from vending_app.services.case_tokens import CaseTokens, issue_case_tokens
from vending_app.services.clock import accept, set_back, set_limit
from vending_app.services.key_changes import KeyChangeRequest, change_key
from vending_app.services.ledger import Correction, correct
from vending_app.services.periods import close_period
from vending_app.services.recovery import recover
from vending_app.services.reversal import reverse
from vending_app.services.vendors import Deposit, deposit
from vending_app.storage import clock, tables
from vending_app.storage import requests as request_statements
from vending_app.storage.engine import Store
from vending_app.storage.ledger import PostedEntry

__all__ = ["staff"]

FAR = NOW + timedelta(days=60, seconds=1)
WRONG = datetime(2050, 1, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def usual(store: Store) -> None:
    """What a utility believes that has set nothing; the demo believes more."""
    with store.write() as connection:
        clock.set_terms(THABANENG, connection, terms=ClockTerms())


def _code(call: Callable[..., object], *told: object, **named: object) -> str:
    with pytest.raises(VendingError) as refusal:
        call(*told, **named)
    return refusal.value.code


def _accept(store: Store, operator: Operator, *, now: datetime, **changes: Any) -> ClockTerms:
    said: dict[str, Any] = {"today": now.date(), "reason": "Closed over the winter"}
    return accept(store, operator, now=now, **said | changes)


def _set_back(store: Store, operator: Operator, *, now: datetime, **changes: Any) -> PostedEntry:
    local = now.astimezone(ZoneInfo("Africa/Johannesburg"))
    said: dict[str, Any] = {
        "today": local.date(),
        "time_of_day": local.time().replace(second=0, microsecond=0),
        "reason": "The battery was empty",
    }
    return set_back(store, operator, now=now, **said | changes)


def _sold_by_a_wrong_clock(store: Store, module: SecurityModule, staff: Staff) -> int:
    set_limit(store, staff.supervisor, days=36_500, reason="Nobody thought of it", now=NOW)
    return sell(store, module, now=WRONG).result.number


def test_a_sale_by_a_clock_far_ahead_is_refused_before_a_token_is_made(
    store: Store, module: JournalledModule
) -> None:
    watched, before = Elsewhere(module, shares_journal=True), rows(store)
    with pytest.raises(VendingError) as refusal:
        sell(store, watched, now=FAR)
    assert refusal.value.code == "CLOCK_FAR_AHEAD"
    assert "2026-05-01 08:15" in str(refusal.value)
    assert "sts-vend clock accept" in refusal.value.hint
    assert (rows(store), watched.asked) == (before, [])
    assert audit_codes(store) == ["CLOCK_FAR_AHEAD"]
    sell(store, watched, now=FAR - timedelta(seconds=1))
    assert findings(store) == []


def test_nothing_else_is_booked_by_it_either(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    boss = staff.supervisor
    back = approved(store, staff, taking_back(sale.number))
    free = approved(store, staff, free_issue())
    change = KeyChangeRequest(
        request_id="k-1",
        drn=DecoderReferenceNumber(PIETER),
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=story.KEY_REVISION_NUMBER,
        tariff_index=TariffIndex(2),
        reason="Another index",
    )
    paid = Deposit(vendor_code="tshepo", bank_reference="8841", amount_minor=100_00)
    correction = Correction(
        correction_code="1",
        reason="A slip",
        postings=(
            Posting(account="cash", amount_minor=1, currency="ZAR"),
            Posting(account="suspense", amount_minor=-1, currency="ZAR"),
        ),
    )
    before = rows(store)
    for call in (
        lambda: reverse(store, module, boss, case_number=back.number, now=FAR),
        lambda: issue_case_tokens(
            store,
            module,
            boss,
            wanted=CaseTokens(request_id="c-1", case_number=free.number),
            now=FAR,
        ),
        lambda: change_key(store, module, staff.engineer, wanted=change, now=FAR),
        lambda: deposit(store, boss, paid=paid, now=FAR),
        lambda: correct(store, correction, operator=boss, approver=staff.administrator, now=FAR),
        lambda: close_period(store, "2026-03", operator=boss, now=FAR),
    ):
        assert _code(call) == "CLOCK_FAR_AHEAD"
    assert rows(store) == before
    _accept(store, boss, now=FAR)
    assert issue(store, module, boss, free).result.tokens
    assert deposit(store, boss, paid=paid, now=FAR).float_minor


def test_what_a_module_elsewhere_made_is_not_booked_by_it(
    store: Store, elsewhere: Elsewhere
) -> None:
    def broken(_: str) -> None:
        message = "the line is dead"
        raise ConnectionError(message)

    elsewhere.after = broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    elsewhere.after = lambda _: None

    def found(now: datetime) -> object:
        return recover(store, elsewhere, now=now, tenant=THABANENG, request_id="r-1").result

    assert _code(lambda: found(FAR)) == "CLOCK_FAR_AHEAD"
    with store.read() as connection:
        request = request_statements.find(THABANENG, connection, request_id="r-1")
    assert request.state is RequestState.UNKNOWN
    assert found(NOW + timedelta(hours=1))
    assert findings(store) == []


def test_a_utility_that_opens_again_says_that_its_clock_is_right(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    now = NOW + timedelta(days=200)
    assert _code(lambda: sell(store, module, now=now)) == "CLOCK_FAR_AHEAD"
    terms = _accept(store, staff.supervisor, now=now)
    assert terms == ClockTerms(accepted_until=now + ACCEPTED_FOR)
    late = now + ACCEPTED_FOR + timedelta(seconds=1)
    assert _code(lambda: sell(store, module, now=late)) == "CLOCK_FAR_AHEAD"
    assert _code(lambda: sell(store, module, now=WRONG)) == "CLOCK_FAR_AHEAD"
    sell(store, module, now=now)
    # From here on the books themselves are near enough.
    sell(store, module, request_id="r-2", now=late)
    events = tables.audit_events.c
    with store.read() as connection:
        said = connection.execute(
            select(events.login, events.message).where(events.code == "CLOCK_ACCEPTED")
        ).one()
    assert tuple(said) == (staff.supervisor.login, "Closed over the winter")
    assert findings(store) == []


def test_a_clock_is_not_believed_because_a_later_one_was_accepted(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    accepted = _accept(store, staff.supervisor, now=WRONG)
    early = WRONG - CLOCK_TOLERANCE - timedelta(microseconds=1)
    for now in (NOW + timedelta(days=3652), early):
        assert _code(lambda now=now: sell(store, module, now=now)) == "CLOCK_FAR_AHEAD"
    assert clock_terms(store) == accepted
    assert sell(store, module, now=WRONG - CLOCK_TOLERANCE).result.number == 1
    assert findings(store) == []


def test_who_says_that_the_clock_is_right_may_and_has_looked_at_another(
    store: Store, staff: Staff
) -> None:
    boss = staff.supervisor
    for operator, changes, code in (
        (staff.cashier, {}, "NOT_PERMITTED"),
        (boss, {"reason": " "}, "REASON_MISSING"),
        (boss, {"today": date(2026, 3, 2)}, "CLOCK_OTHER_DAY"),
    ):
        for say in (_accept, _set_back):
            assert _code(say, store, operator, now=WRONG, **changes) == code
    assert audit_codes(store) == [
        code for code in ("NOT_PERMITTED", "REASON_MISSING", "CLOCK_OTHER_DAY") for _ in range(2)
    ]
    assert clock_terms(store) == ClockTerms()


def test_the_day_is_that_of_the_utility(store: Store, staff: Staff) -> None:
    """In Johannesburg the second of March ends two hours before it does in UTC."""
    evening = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    _accept(store, staff.supervisor, now=evening, today=date(2026, 3, 3))


def clock_terms(store: Store) -> ClockTerms:
    with store.read() as connection:
        return clock.find_terms(THABANENG, connection)


def test_a_utility_sets_how_far_it_believes_its_clock(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    boss, reason = staff.supervisor, "Few customers"

    def limit(days: int, operator: Operator = boss, reason: str = reason) -> ClockTerms:
        return set_limit(store, operator, days=days, reason=reason, now=NOW)

    accepted = _accept(store, boss, now=NOW).accepted_until
    assert limit(7) == ClockTerms(days_ahead=7, accepted_until=accepted)
    now = NOW + timedelta(days=8)
    assert _code(lambda: sell(store, module, now=now)) == "CLOCK_FAR_AHEAD"
    limit(8)
    sell(store, module, now=now)
    for days in (0, 36_501, -(2**70)):
        assert _code(limit, days) == "CLOCK_LIMIT"
    assert _code(lambda: limit(1, staff.cashier)) == "NOT_PERMITTED"
    assert _code(lambda: limit(1, reason="")) == "REASON_MISSING"
    assert clock_terms(store).days_ahead == 8
    assert audit_codes(store) == [
        "CLOCK_ACCEPTED",
        "CLOCK_LIMIT_SET",
        "CLOCK_FAR_AHEAD",
        "CLOCK_LIMIT_SET",
        *("CLOCK_LIMIT", "CLOCK_LIMIT", "CLOCK_LIMIT"),
        *("NOT_PERMITTED", "REASON_MISSING"),
    ]


def test_before_the_first_entry_every_clock_is_believed(store: Store) -> None:
    with store.write() as connection:
        clock.require_clock("nobody", connection, now=WRONG)


def _dead_line(_: str) -> None:
    message = "the line is dead"
    raise ConnectionError(message)


def _fine(_: str) -> None:
    pass


def _state(store: Store) -> RequestState:
    with store.read() as connection:
        return request_statements.find(THABANENG, connection, request_id="r-1").state


def test_an_open_request_makes_nothing_by_a_clock_that_is_refused(
    store: Store, elsewhere: Elsewhere
) -> None:
    elsewhere.before = _dead_line
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    elsewhere.before = _fine
    elsewhere.asked.clear()
    for now, code in ((FAR, "CLOCK_FAR_AHEAD"), (NOW - timedelta(hours=1), "CLOCK_BEHIND")):
        assert _code(lambda now=now: sell(store, elsewhere, now=now)) == code
        assert (elsewhere.asked, _state(store)) == ([], RequestState.UNKNOWN)
    assert audit_codes(store)[-2:] == ["CLOCK_FAR_AHEAD", "CLOCK_BEHIND"]
    assert sell(store, elsewhere, now=NOW + timedelta(hours=1)).result.tokens
    assert findings(store) == []


# --- books that are ahead -----------------------------------------------------------------------


def test_the_books_are_set_back_after_a_sale_by_a_wrong_clock(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    number, now = _sold_by_a_wrong_clock(store, module, staff), NOW + timedelta(hours=1)
    with pytest.raises(VendingError) as refusal:
        sell(store, module, request_id="r-2", now=now)
    assert refusal.value.code == "CLOCK_BEHIND"
    assert "sts-vend clock set-back" in refusal.value.hint
    boss, reason = staff.supervisor, "The battery of the machine was empty"
    entry = _set_back(store, boss, reason=reason, now=now)
    assert (entry.posted_at, entry.period) == (now, "2026-03")
    assert findings(store) == []
    other = sell(store, module, drn=AISHA, request_id="r-2", now=now).result
    assert other.ledger_entry == entry.entry_number + 1
    # Whoever bought by the wrong clock buys again when that sale is taken back, like any other.
    later = now + timedelta(minutes=1)
    assert _code(lambda: sell(store, module, request_id="r-3", now=later)) == "COUNTERS_AHEAD"
    case = approved(store, staff, taking_back(number))
    reverse(store, module, boss, case_number=case.number, now=later)
    assert sell(store, module, request_id="r-3", now=later).result.tokens
    assert close_period(store, "2026-03", operator=boss, now=NOW + timedelta(days=31)).length
    assert findings(store) == []


def test_setting_the_books_back_ends_what_was_said_of_the_wrong_clock(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    boss, now = staff.supervisor, NOW + timedelta(hours=1)
    set_limit(store, boss, days=90, reason="Few customers", now=NOW)
    _accept(store, boss, now=WRONG)
    sell(store, module, now=WRONG)
    _set_back(store, boss, now=now)
    assert clock_terms(store) == ClockTerms(days_ahead=90)
    # It is as wrong as it was, and nobody has accepted it again.
    code = _code(lambda: sell(store, module, drn=AISHA, request_id="r-2", now=WRONG))
    assert code == "CLOCK_FAR_AHEAD"
    assert findings(store) == []


def _left_open_by_a_wrong_clock(store: Store, elsewhere: Elsewhere, staff: Staff) -> datetime:
    """Ask by a wrong clock, die, sell to others by it, and set the books back; return the time."""

    def dying(_: str) -> None:
        raise KeyboardInterrupt

    wrong = NOW + timedelta(days=50)
    elsewhere.before = dying
    with pytest.raises(KeyboardInterrupt):
        sell(store, elsewhere, now=wrong)
    elsewhere.before = _fine
    sell(store, elsewhere, drn=AISHA, request_id="r-2", now=wrong)
    now = NOW + timedelta(hours=1)
    _set_back(store, staff.supervisor, now=now)
    elsewhere.asked.clear()
    return now


@pytest.mark.parametrize("again", [True, False])
def test_a_request_that_a_wrong_clock_left_open_comes_to_its_end(
    store: Store, elsewhere: Elsewhere, staff: Staff, *, again: bool
) -> None:
    """The same request again makes nothing either: its identifier is that of the wrong time."""
    now = _left_open_by_a_wrong_clock(store, elsewhere, staff)
    assert _state(store) is RequestState.PENDING

    def decide() -> object:
        if again:
            return sell(store, elsewhere, now=now)
        return recover(store, elsewhere, now=now, tenant=THABANENG, request_id="r-1")

    assert _code(decide) == "TOKEN_NOT_MADE"
    assert (elsewhere.asked, _state(store)) == (["fetch"], RequestState.FAILED)
    assert sell(store, elsewhere, request_id="r-3", now=now).result.tokens
    assert findings(store) == []


def test_what_a_wrong_clock_has_made_for_an_open_request_is_booked(
    store: Store, elsewhere: Elsewhere
) -> None:
    elsewhere.after = _dead_line
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere, now=NOW + timedelta(days=50))
    elsewhere.after = _fine
    sale = sell(store, elsewhere, now=NOW).result
    assert (elsewhere.asked, len(sale.tokens)) == (["issue", "fetch"], 1)
    assert findings(store) == []


def test_books_that_are_not_ahead_are_not_set_back(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sell(store, module)
    for now in (NOW + timedelta(hours=1), NOW, NOW - timedelta(minutes=5)):
        assert _code(_set_back, store, staff.supervisor, now=now) == "CLOCK_NOT_BEHIND"
    assert findings(store) == []


def test_right_books_are_not_set_back_to_a_machine_that_is_hours_behind(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    """It shows the same day, so whoever stands before it says what their own watch says."""
    sell(store, module)
    boss, behind, before = staff.supervisor, NOW - timedelta(hours=5), rows(store)
    with pytest.raises(VendingError) as refusal:
        _set_back(store, boss, now=behind, time_of_day=time(10, 15))
    assert refusal.value.code == "CLOCK_OTHER_TIME"
    assert str(refusal.value) == "The clock says that it is 05:15, and you say 10:15."
    assert (rows(store), audit_codes(store)) == (before, ["CLOCK_OTHER_TIME"])


def test_the_time_that_is_said_may_be_five_minutes_off(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sell(store, module)
    for said, code in (
        (time(10, 10, 29), "CLOCK_OTHER_TIME"),
        (time(10, 10, 30), "CLOCK_NOT_BEHIND"),
        (time(10, 20, 30), "CLOCK_NOT_BEHIND"),
        (time(10, 20, 31), "CLOCK_OTHER_TIME"),
    ):
        assert _code(_set_back, store, staff.supervisor, now=NOW, time_of_day=said) == code


def test_books_without_an_entry_are_not_set_back(store: Store, staff: Staff) -> None:
    empty = tables.ledger_heads
    with store.write() as connection:
        connection.execute(empty.update().values(posted_at=None))
    assert _code(_set_back, store, staff.supervisor, now=NOW) == "CLOCK_NOT_BEHIND"
