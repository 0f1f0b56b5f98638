"""Several key changes of one meter: what the real one takes, and what is handed out and kept."""

import json
from datetime import timedelta

import pytest

from keys import SecurityModule
from sts.meter.outcomes import Accepted, Outcome, Refused
from tests.vending_app.cases.words import (
    add_indexed,
    approved,
    free_issue,
    issue,
    key_name,
    set_index,
)
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    RealMeter,
    drn_of,
    findings,
    meter_of,
    rows,
    sell,
)
from vending_app.domain.cases import CaseState
from vending_app.domain.errors import OutcomeUnknownError, VendingError
from vending_app.domain.held_back import HeldBack
from vending_app.domain.network import Serving
from vending_app.domain.sales import BasisKind, Sale
from vending_app.services.cases import find_case
from vending_app.services.key_changes import confirm, give_up, let_present_key_serve
from vending_app.services.meters import history
from vending_app.services.receipts import find_sale
from vending_app.services.recovery import PATIENCE, recover
from vending_app.storage import parties, tokens
from vending_app.storage.engine import Store

MADE = drn_of(1)
CHANGE = 2
"""The tokens of a key change come first in a sale."""
LATER = NOW + PATIENCE


def _at(store: Store, module: SecurityModule, index: int, request_id: str) -> Sale:
    """Sell to the meter while its tariff has an index."""
    set_index(store, index)
    minutes = timedelta(minutes=int(request_id[2:]))
    return sell(store, module, drn=MADE, request_id=request_id, now=NOW + minutes).result


def _why(store: Store, sale: Sale) -> list[HeldBack | None]:
    """Return why each part of a sale is held back: its set, if it has one, and its credit."""
    shown = find_sale(store, THABANENG, sale_number=sale.number).tokens
    return [token.held_back for token in (*shown[:-1:CHANGE], shown[-1])]


def _record(store: Store) -> tuple[int, int | None, Serving]:
    meter = meter_of(store, MADE)
    new = None if meter.new_key is None else int(meter.new_key.tariff_index)
    return int(meter.present_key.tariff_index), new, meter.serving


def _taken(outcomes: list[Outcome]) -> bool:
    return not any(isinstance(outcome, Refused) for outcome in outcomes)


# --- what somebody has seen in the meter ----------------------------------------------------------


def test_whoever_gives_up_several_changes_says_which_key_was_seen(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 1)
    real = RealMeter.of(meter_of(store, MADE))
    sales = [_at(store, module, index, f"r-{n}") for n, index in enumerate((1, 7, 8))]
    before, record = history(store, THABANENG, drn=drn), meter_of(store, MADE)
    for step in (confirm, give_up, let_present_key_serve):
        with pytest.raises(VendingError) as refusal:
            step(store, staff.engineer, drn=drn, reason="Not wanted", now=NOW)
        assert refusal.value.code == "SEEN_KEY_MISSING"
        assert refusal.value.hint
        with pytest.raises(VendingError) as refusal:
            step(store, staff.engineer, drn=drn, reason="-", now=NOW, seen=key_name(9))
        assert refusal.value.code == "SEEN_KEY"
        assert refusal.value.hint
    assert (history(store, THABANENG, drn=drn), meter_of(store, MADE)) == (before, record)
    # Nothing was entered: the credit that this key takes is handed out, and no other.
    give_up(store, staff.engineer, drn=drn, reason="Not wanted", now=NOW, seen=key_name(1))
    assert _record(store) == (1, None, Serving.PRESENT)
    assert [_why(store, sale) for sale in sales] == [
        [None],
        [HeldBack.CHANGE_GIVEN_UP, HeldBack.OTHER_KEY],
        [HeldBack.CHANGE_GIVEN_UP, HeldBack.OTHER_KEY],
    ]
    assert _taken(real.enter_all(sales[0].tokens))
    assert _taken(real.enter_all(_at(store, module, 1, "r-3").tokens))
    assert findings(store) == []


def test_a_change_in_the_middle_is_confirmed_and_the_one_after_it_stays(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    real = RealMeter.of(meter_of(store, MADE))
    first, second = (_at(store, module, index, f"r-{index}") for index in (7, 8))
    real.enter_all(first.tokens[:CHANGE])
    confirm(store, staff.engineer, drn=drn, reason="Seen", now=NOW, seen=key_name(7))
    assert _record(store) == (7, 8, Serving.NEW)
    assert _why(store, first) == [HeldBack.CHANGE_CONFIRMED, None]
    assert _why(store, second) == [None, None]
    assert _taken(real.enter_all((*first.tokens[CHANGE:], *second.tokens)))
    # Now there are two, and the short command says it all.
    confirm(store, staff.engineer, drn=drn, reason="Seen", now=NOW)
    assert _record(store) == (8, None, Serving.PRESENT)
    assert findings(store) == []


def test_of_several_lost_sets_the_next_sale_brings_one_for_the_key_that_was_seen(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    real = RealMeter.of(meter_of(store, MADE))
    first, second = (_at(store, module, index, f"r-{index}") for index in (7, 8))
    with pytest.raises(VendingError) as refusal:
        let_present_key_serve(
            store, staff.engineer, drn=drn, reason="Lost", now=NOW, seen=key_name(8)
        )
    assert refusal.value.code == "NO_KEY_CHANGE"
    let_present_key_serve(store, staff.engineer, drn=drn, reason="Lost", now=NOW, seen=key_name(1))
    third = _at(store, module, 8, "r-9")
    assert _taken(real.enter_all(third.tokens))
    # What was sold before is for the key that the meter has now, or stays where it was.
    assert _why(store, second) == [None, None]
    assert isinstance(real.enter(second.tokens[-1].digits), Accepted)
    assert _why(store, first) == [None, None]
    assert findings(store) == []


def test_a_set_for_another_key_does_not_take_the_place_of_the_first(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    real = RealMeter.of(meter_of(store, MADE))
    first = _at(store, module, 7, "r-1")
    let_present_key_serve(store, staff.engineer, drn=drn, reason="Slip lost", now=NOW)
    second = _at(store, module, 8, "r-2")
    assert _why(store, first) == [None, None]
    # The first slip is found again.
    assert _taken(real.enter_all(first.tokens))
    assert isinstance(real.enter(second.tokens[-1].digits), Refused)
    confirm(store, staff.engineer, drn=drn, reason="Seen", now=NOW, seen=key_name(7))
    assert _why(store, first) == [HeldBack.CHANGE_CONFIRMED, None]
    assert _why(store, second) == [HeldBack.CHANGE_GIVEN_UP, HeldBack.OTHER_KEY]
    third = _at(store, module, 8, "r-3")
    assert _taken(real.enter_all(third.tokens))
    # That set has made the credit of the second sale good.
    assert _why(store, second) == [HeldBack.CHANGE_GIVEN_UP, None]
    assert isinstance(real.enter(second.tokens[-1].digits), Accepted)
    assert findings(store) == []


def test_there_and_back_leaves_what_may_still_be_entered(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    there, back = _at(store, module, 7, "r-1"), _at(store, module, 1, "r-2")
    confirm(store, staff.engineer, drn=drn, reason="Seen", now=NOW)
    assert _record(store) == (1, None, Serving.PRESENT)
    assert _why(store, there) == [None, None]
    assert _why(store, back) == [HeldBack.CHANGE_CONFIRMED, None]
    give_up(store, staff.engineer, drn=drn, reason="Nothing of it is wanted", now=NOW)
    assert _why(store, there) == [HeldBack.CHANGE_GIVEN_UP, HeldBack.OTHER_KEY]
    with pytest.raises(VendingError) as refusal:
        give_up(store, staff.engineer, drn=drn, reason="Again", now=NOW)
    assert refusal.value.code == "NO_KEY_CHANGE"


# --- a module elsewhere that took its time --------------------------------------------------------


def _broken(_: str) -> None:
    message = "the line is dead"
    raise ConnectionError(message)


def _lost(store: Store, elsewhere: Elsewhere, index: int) -> None:
    """Let the answer to a sale get lost when all was made."""
    set_index(store, index)
    elsewhere.after = lambda name: _broken(name) if name == "issue" else None
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere, drn=MADE, request_id="r-1")
    elsewhere.after = lambda _: None


def _recovered(store: Store, elsewhere: Elsewhere, request_id: str = "r-1") -> Sale:
    found: Sale = recover(
        store, elsewhere, now=LATER, tenant=THABANENG, request_id=request_id
    ).result
    return found


@pytest.mark.parametrize("planned", [7, 1])
def test_after_another_key_was_seen_a_late_sale_comes_to_nothing(
    store: Store, elsewhere: Elsewhere, staff: Staff, planned: int
) -> None:
    """Whether it was to change the key, or was for the one that was there."""
    drn = add_indexed(store, planned)
    real = RealMeter.of(meter_of(store, MADE))
    _lost(store, elsewhere, planned)
    second = _at(store, elsewhere, 8, "r-2")
    assert _taken(real.enter_all(second.tokens))
    confirm(store, staff.engineer, drn=drn, reason="Seen", now=NOW)
    for _ in range(2):
        with pytest.raises(VendingError) as refusal:
            _recovered(store, elsewhere)
        assert refusal.value.code == "KEY_CHANGED"
        assert refusal.value.hint
    assert _record(store) == (8, None, Serving.PRESENT)
    assert _why(store, second) == [HeldBack.CHANGE_CONFIRMED, None]
    assert rows(store, "sales") == {"sales": 1}
    with store.read() as connection:
        (basis,) = tokens.bases_of_request(THABANENG, connection, request_id="r-1")
        number = second.account_number
        account = parties.find_account(THABANENG, connection, account_number=number)
    assert basis.kind is BasisKind.WITHHELD
    # The account has bought once.
    assert json.loads(account.counters or "")["month_purchases"] == 1
    third = _at(store, elsewhere, 8, "r-3")
    assert len(third.tokens) == 1
    assert _taken(real.enter_all(third.tokens))
    assert findings(store) == []


def test_after_its_own_key_was_seen_a_late_sale_is_credit_alone(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    real = RealMeter.of(meter_of(store, MADE))
    _lost(store, elsewhere, 7)
    second = _at(store, elsewhere, 7, "r-2")
    assert _taken(real.enter_all(second.tokens))
    confirm(store, staff.engineer, drn=drn, reason="Seen", now=NOW)
    found = _recovered(store, elsewhere)
    held_back = [token.held_back for token in found.tokens]
    assert held_back == [HeldBack.CHANGE_CONFIRMED, HeldBack.CHANGE_CONFIRMED, None]
    assert [bool(token.digits) for token in found.tokens] == [False, False, True]
    assert isinstance(real.enter(found.tokens[-1].digits), Accepted)
    assert _record(store) == (7, None, Serving.PRESENT)
    assert (_why(store, second), _why(store, found)) == ([HeldBack.CHANGE_CONFIRMED, None],) * 2
    # And a change that is on its way from there is left alone.
    third = _at(store, elsewhere, 8, "r-3")
    assert _taken(real.enter_all(third.tokens))
    assert sell(store, elsewhere, drn=MADE, request_id="r-1").result == found
    assert findings(store) == []


def test_tokens_of_a_case_that_came_too_late_leave_the_case_to_be_used_again(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    drn = add_indexed(store, 1)
    real = RealMeter.of(meter_of(store, MADE))
    case = approved(store, staff, free_issue(drn=MADE))
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        issue(store, elsewhere, staff.supervisor, case)
    elsewhere.after = lambda _: None
    real.enter_all(_at(store, elsewhere, 8, "r-2").tokens)
    confirm(store, staff.engineer, drn=drn, reason="Seen", now=NOW)
    with pytest.raises(VendingError) as refusal:
        _recovered(store, elsewhere, "c-1")
    assert refusal.value.code == "KEY_CHANGED"
    assert find_case(store, THABANENG, case_number=case.number).state is CaseState.APPROVED
    made = issue(store, elsewhere, staff.supervisor, case, request_id="c-2").result
    assert _taken(real.enter_all(made.tokens))
    assert findings(store) == []
