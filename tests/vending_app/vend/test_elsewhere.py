"""A security module elsewhere: decided, asked, written down; and what lies between is found out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import select

from keys.errors import UnknownKeyError
from keys.issuing import JournalledModule
from sts import EncryptionAlgorithm, Service, TariffIndex
from sts.meter.outcomes import Accepted
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff, staff
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    RealMeter,
    add_place,
    add_supply,
    add_tariff,
    change,
    change_meter,
    drn_of,
    findings,
    meter_of,
    rows,
    sell,
    tariff,
)
from vending_app import demo_story as story
from vending_app.domain.errors import (
    OutcomeUnknownError,
    RequestInProgressError,
    StoreBusyError,
    VendingError,
)
from vending_app.domain.ledger import Posting
from vending_app.domain.ledger_errors import LedgerLimitError
from vending_app.domain.network import CreditKind, Life
from vending_app.domain.requests import RequestState
from vending_app.domain.tariff import Rounding
from vending_app.services import recovery
from vending_app.services.ledger import Correction, correct
from vending_app.services.recovery import PATIENCE, open_requests, recover, recover_all
from vending_app.storage import parties, tables
from vending_app.storage import requests as request_statements
from vending_app.storage.engine import Store
from vending_app.storage.ledger import PostedEntry

__all__ = ["staff"]

STOCK = story.STOCK_METER.drn
LATER = NOW + PATIENCE


def _broken(name: str, at: str = "issue") -> None:
    if name == at:
        message = "the line is dead"
        raise ConnectionError(message)


def _refusing(name: str) -> None:
    if name == "issue":
        raise UnknownKeyError("201457", "1")


def _fine(_: str) -> None:
    pass


def _lose_the_answer(store: Store, elsewhere: Elsewhere, **asked: Any) -> None:
    """Sell what the module makes; its answer does not come back."""
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere, **asked)
    elsewhere.after = _fine


def _state(store: Store, request_id: str = "r-1") -> RequestState:
    with store.read() as connection:
        return request_statements.find(THABANENG, connection, request_id=request_id).state


def _counters(store: Store) -> str | None:
    with store.read() as connection:
        return parties.find_account(THABANENG, connection, account_number="C00102").counters


def test_a_sale_is_made_elsewhere_as_well(store: Store, elsewhere: Elsewhere) -> None:
    sale = sell(store, elsewhere).result
    assert isinstance(RealMeter.of(meter_of(store)).enter(sale.tokens[0].digits), Accepted)
    assert rows(store, "issue_journal") == {"issue_journal": 0}
    again = sell(store, elsewhere)
    assert again.replay
    assert again.result == sale
    assert elsewhere.asked == ["issue"]
    assert findings(store) == []


def test_currency_and_several_tokens_are_planned_and_read_back(
    store: Store, elsewhere: Elsewhere
) -> None:
    add_tariff(store, tariff("plain"))
    add_tariff(store, tariff("money", currency_credit=True, service=Service.WATER))
    add_supply(store, drn_of(1), tariff_code="plain")
    add_supply(
        store,
        drn_of(2),
        tariff_code="money",
        credit_kind=CreditKind.CURRENCY,
        service=Service.WATER,
    )
    many = sell(store, elsewhere, drn=drn_of(1), minor=4_000_00).result
    assert len(many.tokens) == 3
    money = sell(store, elsewhere, drn=drn_of(2), request_id="r-2").result
    assert money.tokens[0].currency_units is not None
    assert findings(store) == []


def test_a_lost_answer_is_an_unknown_outcome(store: Store, elsewhere: Elsewhere) -> None:
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError) as refusal:
        sell(store, elsewhere)
    assert refusal.value.code == "OUTCOME_UNKNOWN"
    assert _state(store) is RequestState.UNKNOWN
    assert rows(store, "sales") == {"sales": 0}
    assert [each.request_id for each in open_requests(store, THABANENG, limit=9)] == ["r-1"]


@pytest.mark.parametrize("again", ["the same request", "recover"])
def test_what_was_made_and_got_lost_is_the_sale(
    store: Store, elsewhere: Elsewhere, again: str
) -> None:
    _lose_the_answer(store, elsewhere)
    if again == "recover":
        answer = recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1")
    else:
        answer = sell(store, elsewhere, now=LATER)
    assert answer.result.number == 1
    assert isinstance(RealMeter.of(meter_of(store)).enter(answer.result.tokens[0].digits), Accepted)
    assert sell(store, elsewhere).result == answer.result
    assert _state(store) is RequestState.DONE
    assert findings(store) == []


def test_two_sets_for_the_same_key_leave_that_key_on_record(
    store: Store, elsewhere: Elsewhere
) -> None:
    add_tariff(store, tariff("indexed"), tariff_index=7)
    made = add_supply(store, drn_of(1), tariff_code="indexed")
    change(store, tables.supply_groups, ti_follows_tariff=True, key_policy="always")
    elsewhere.after = lambda name: _broken(name, "change_key")
    for number in ("r-1", "r-2"):
        with pytest.raises(OutcomeUnknownError):
            sell(store, elsewhere, drn=drn_of(1), request_id=number)
    elsewhere.after = _fine
    for number in ("r-1", "r-2"):
        sale = sell(store, elsewhere, drn=drn_of(1), request_id=number).result
        assert len(sale.tokens) == 3
    record = meter_of(store, drn_of(1))
    assert record.new_key is not None
    assert record.present_key == made.present_key
    assert record.new_key.tariff_index == TariffIndex(7)
    assert findings(store) == []


def test_what_was_never_made_is_no_sale(store: Store, elsewhere: Elsewhere) -> None:
    before = _counters(store)
    elsewhere.before = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    assert _counters(store) != before
    elsewhere.before = _fine
    with pytest.raises(VendingError) as refusal:
        recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1")
    assert refusal.value.code == "TOKEN_NOT_MADE"
    assert _state(store) is RequestState.FAILED
    assert _counters(store) == before
    assert rows(store, "sales", "tokens", "bases") == {"sales": 0, "tokens": 0, "bases": 0}
    # It has failed for good, for whoever asks again.
    for _ in range(2):
        with pytest.raises(VendingError) as again:
            sell(store, elsewhere)
        assert again.value.code == "TOKEN_NOT_MADE"
    with pytest.raises(VendingError) as recovered:
        recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1")
    assert recovered.value.code == "TOKEN_NOT_MADE"


def test_a_module_that_is_still_dead_tells_nothing(store: Store, elsewhere: Elsewhere) -> None:
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    elsewhere.before = lambda name: _broken(name, at="fetch")
    with pytest.raises(OutcomeUnknownError):
        recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1")
    assert _state(store) is RequestState.UNKNOWN


def test_what_the_module_refuses_has_failed(store: Store, elsewhere: Elsewhere) -> None:
    before = _counters(store)
    elsewhere.before = _refusing
    with pytest.raises(VendingError) as refusal:
        sell(store, elsewhere)
    assert refusal.value.code == "UNKNOWN_VENDING_KEY"
    assert _state(store) is RequestState.FAILED
    assert _counters(store) == before
    assert rows(store, "tokens") == {"tokens": 0}


def test_of_several_tokens_those_made_before_a_refusal_are_withheld(
    store: Store, elsewhere: Elsewhere
) -> None:
    add_tariff(store, tariff("plain"))
    add_supply(store, drn_of(1), tariff_code="plain")
    elsewhere.before = lambda name: _refusing(name) if elsewhere.asked.count("issue") > 1 else None
    with pytest.raises(VendingError) as refusal:
        sell(store, elsewhere, drn=drn_of(1), minor=4_000_00)
    assert refusal.value.code == "UNKNOWN_VENDING_KEY"
    assert rows(store, "sales", "tokens", "token_marks") == {
        "sales": 0,
        "tokens": 1,
        "token_marks": 1,
    }
    assert findings(store) == []


def test_others_sell_to_the_meter_meanwhile(store: Store, elsewhere: Elsewhere) -> None:
    """Their identifiers differ, also when the first request came to nothing."""
    _lose_the_answer(store, elsewhere)
    second = sell(store, elsewhere, request_id="r-2", minor=10_00).result
    first = recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1").result
    meter = RealMeter.of(meter_of(store))
    for sale in (second, first):
        assert isinstance(meter.enter(sale.tokens[0].digits), Accepted)
    assert findings(store) == []


def test_identifiers_of_a_request_that_failed_stay_used(store: Store, elsewhere: Elsewhere) -> None:
    elsewhere.before = _refusing
    with pytest.raises(VendingError):
        sell(store, elsewhere)
    elsewhere.before = _fine
    sale = sell(store, elsewhere, request_id="r-2").result
    with store.read() as connection:
        plan = connection.execute(
            select(tables.requests.c.plan).where(tables.requests.c.request_id == "r-1")
        ).scalar_one()
    assert plan is not None
    assert f'"tid_minutes":{sale.tokens[0].tid_minutes}' not in plan


def test_blocks_bought_meanwhile_are_kept_when_a_request_fails(
    store: Store, elsewhere: Elsewhere
) -> None:
    change(store, tables.accounts, counters=None)
    elsewhere.before = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    elsewhere.before = _fine
    second = sell(store, elsewhere, request_id="r-2", minor=10_00).result
    with pytest.raises(VendingError):
        recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1")
    kept = _counters(store)
    assert kept is not None
    assert f'"month_tenths":{second.sold_tenths}' in kept
    assert '"month_purchases":1' in kept
    # The basic charge that the failed request would have paid is due again.
    assert '"paid_to":{}' in kept


def test_who_is_just_asking_is_left_alone(store: Store, elsewhere: Elsewhere) -> None:
    """A recovery that comes while the module is at it waits, and a late one finds the sale."""
    found: list[str] = []

    def ask_meanwhile(name: str) -> None:
        if name == "issue":
            with pytest.raises(RequestInProgressError) as refusal:
                recover(store, elsewhere, now=NOW, tenant=THABANENG, request_id="r-1")
            found.append(refusal.value.code)

    elsewhere.after = ask_meanwhile
    sale = sell(store, elsewhere).result
    assert found == ["REQUEST_IN_PROGRESS"]
    late = recover(store, elsewhere, now=NOW, tenant=THABANENG, request_id="r-1")
    assert late.replay
    assert late.result == sale


def _give_up(store: Store, elsewhere: Elsewhere) -> Callable[[str], None]:
    """Let somebody give the request up after the patience, while the module is at it."""

    def giving_up(name: str) -> None:
        if name == "issue":
            with pytest.raises(VendingError):
                recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1")

    return giving_up


def test_tokens_of_a_request_that_was_given_up_are_withheld(
    store: Store, elsewhere: Elsewhere
) -> None:
    elsewhere.before = _give_up(store, elsewhere)
    with pytest.raises(VendingError) as refusal:
        sell(store, elsewhere)
    assert refusal.value.code == "TOKEN_NOT_MADE"
    assert rows(store, "sales", "tokens", "token_marks") == {
        "sales": 0,
        "tokens": 1,
        "token_marks": 1,
    }
    assert findings(store) == []


def test_two_who_go_on_with_a_request_make_one_sale(store: Store, elsewhere: Elsewhere) -> None:
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)

    def overtaken(name: str) -> None:
        if name == "issue":
            elsewhere.after = _fine
            assert not sell(store, elsewhere).replay

    elsewhere.after = overtaken
    assert sell(store, elsewhere).replay
    assert rows(store, "sales", "tokens") == {"sales": 1, "tokens": 1}


def test_a_key_change_is_made_elsewhere_and_recovered(store: Store, elsewhere: Elsewhere) -> None:
    default = replace(
        meter_of(store).present_key,
        supply_group_code=meter_of(store, str(STOCK)).present_key.supply_group_code,
        key_type=meter_of(store, str(STOCK)).present_key.key_type,
    )
    made = add_supply(
        store,
        drn_of(1),
        tariff_code="home",
        present_key=default,
        encryption_algorithm=EncryptionAlgorithm.MISTY1,
    )
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere, drn=str(made.drn), accept_key_change=True)
    elsewhere.after = _fine
    sale = recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1").result
    assert len(sale.tokens) == 5
    meter = RealMeter.of(made)
    assert isinstance(meter.enter_all(sale.tokens)[-1], Accepted)
    assert findings(store) == []


def test_a_float_is_not_spent_twice_while_an_outcome_is_unknown(
    store: Store, elsewhere: Elsewhere, module: JournalledModule
) -> None:
    _lose_the_answer(store, elsewhere, login="tshepo", minor=200_00)
    for another in (elsewhere, module):
        with pytest.raises(VendingError) as refusal:
            sell(store, another, login="tshepo", minor=100_00, request_id="r-2")
        assert refusal.value.code == "VENDOR_LIMIT"
        assert "50.00" in str(refusal.value)
    assert recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1").result


def test_credit_of_the_account_is_left_alone(store: Store, elsewhere: Elsewhere) -> None:
    """While the module is asked, another sale might use the same credit."""
    add_tariff(store, tariff("carry", rate=Fraction(333), rounding=Rounding.CARRY))
    made = add_supply(store, drn_of(1), tariff_code="carry")
    sell(store, elsewhere, drn=str(made.drn), minor=10_00)
    second = sell(store, elsewhere, drn=str(made.drn), minor=9_98, request_id="r-2").result
    assert second.sold_tenths == 29
    assert findings(store) == []


def test_all_open_requests_are_recovered_together(store: Store, elsewhere: Elsewhere) -> None:
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    elsewhere.before, elsewhere.after = _broken, _fine
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere, request_id="r-2")
    elsewhere.before = _fine
    found = recover_all(store, elsewhere, now=LATER, tenant=THABANENG)
    made, not_made = found["r-1"], found["r-2"]
    assert not isinstance(made, Exception)
    assert isinstance(not_made, VendingError)
    assert not_made.code == "TOKEN_NOT_MADE"
    assert open_requests(store, THABANENG, limit=9) == ()


def test_what_goes_wrong_with_one_request_keeps_no_other_from_its_outcome(
    store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    for request_id in ("r-1", "r-2"):
        _lose_the_answer(store, elsewhere, request_id=request_id)
    recovered = recovery.recover

    def failing(*given: Any, request_id: str, **named: Any) -> object:
        if request_id == "r-1":
            raise ZeroDivisionError
        return recovered(*given, request_id=request_id, **named)

    monkeypatch.setattr(recovery, "recover", failing)
    found = recover_all(store, elsewhere, now=LATER, tenant=THABANENG)
    assert isinstance(found["r-1"], ZeroDivisionError)
    assert not isinstance(found["r-2"], Exception)
    assert [request.request_id for request in open_requests(store, THABANENG, limit=9)] == ["r-1"]


def test_a_sale_is_finished_whose_meter_was_taken_down_meanwhile(
    store: Store, elsewhere: Elsewhere
) -> None:
    _lose_the_answer(store, elsewhere)
    change_meter(store, life=Life.REMOVED, service_point_code=None)
    sale = recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1").result
    assert [token.digits for token in sale.tokens] != [""]
    assert meter_of(store).life is Life.REMOVED
    assert findings(store) == []


def test_a_key_change_brings_no_meter_back_that_was_taken_down_meanwhile(
    store: Store, elsewhere: Elsewhere
) -> None:
    add_tariff(store, tariff("plain"))
    stock = meter_of(store, str(STOCK))
    made = add_supply(store, drn_of(1), tariff_code="plain", present_key=stock.present_key)
    _lose_the_answer(store, elsewhere, drn=str(made.drn), accept_key_change=True)
    change_meter(store, str(made.drn), life=Life.REMOVED, service_point_code=None)
    sale = recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1").result
    assert len(sale.tokens) > 1
    assert meter_of(store, str(made.drn)).life is Life.REMOVED
    assert findings(store) == []


def test_a_sale_does_not_begin_the_life_of_a_meter_with_another_customer(
    store: Store, elsewhere: Elsewhere
) -> None:
    add_tariff(store, tariff("plain"))
    made = add_supply(store, drn_of(1), tariff_code="plain", life=Life.INSTALLED)
    _lose_the_answer(store, elsewhere, drn=str(made.drn))
    with store.write() as connection:
        add_place(connection, "next-door", account_number="C00102")
    change_meter(store, str(made.drn), service_point_code="next-door")
    assert recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1").result
    assert meter_of(store, str(made.drn)).life is Life.INSTALLED
    assert findings(store) == []


def test_a_correction_leaves_what_a_sale_needs_whose_outcome_is_not_known(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    _lose_the_answer(store, elsewhere, login="tshepo", minor=200_00)

    def taken(minor: int) -> PostedEntry:
        correction = Correction(
            correction_code=str(minor),
            reason="Paid in twice",
            postings=(
                Posting(account="vendor-float:tshepo", amount_minor=minor, currency="ZAR"),
                Posting(account="suspense", amount_minor=-minor, currency="ZAR"),
            ),
        )
        return correct(
            store, correction, operator=staff.supervisor, approver=staff.administrator, now=NOW
        )

    with pytest.raises(LedgerLimitError):
        taken(50_01)
    assert taken(50_00).kind == "correction"
    # A float that is too small already may be made less so.
    change(store, tables.vendors, float_minor=199_98)
    assert taken(-1).kind == "correction"
    change(store, tables.vendors, float_minor=200_01)
    assert recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="r-1").result
    assert findings(store) == []


def test_whoever_finds_the_database_busy_afterwards_is_not_told_that_nothing_was_done(
    store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(step: str) -> None:
        if step == "sale.sale":
            raise StoreBusyError

    monkeypatch.setattr(store, "fail_point", busy)
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    assert _state(store) is RequestState.PENDING
    monkeypatch.undo()
    sale = sell(store, elsewhere).result
    assert isinstance(RealMeter.of(meter_of(store)).enter(sale.tokens[0].digits), Accepted)
    assert findings(store) == []


def test_an_outcome_is_unknown_even_if_nobody_can_write_that_down(
    store: Store, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise StoreBusyError

    monkeypatch.setattr(request_statements, "set_unknown", busy)
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    assert _state(store) is RequestState.PENDING


def test_a_request_that_nobody_made_is_not_recovered(store: Store, elsewhere: Elsewhere) -> None:
    with pytest.raises(VendingError) as refusal:
        recover(store, elsewhere, now=LATER, tenant=THABANENG, request_id="never")
    assert refusal.value.code == "UNKNOWN_REQUEST"


def test_a_sale_long_after_is_kept_at_the_time_of_payment(
    store: Store, elsewhere: Elsewhere
) -> None:
    _lose_the_answer(store, elsewhere)
    for number in range(60):
        sell(store, elsewhere, request_id=f"m-{number}", minor=5_00, now=NOW + timedelta(hours=1))
    with pytest.raises(VendingError) as refusal:
        recover(store, elsewhere, now=NOW + timedelta(days=1), tenant=THABANENG, request_id="r-1")
    # Fifty later tokens have been issued: if the customer has entered them, this one is too old.
    assert refusal.value.code == "TWIN_OLD_ERROR"
    assert findings(store) == []


def test_a_sale_recovered_on_another_day_has_the_day_of_payment(
    store: Store, elsewhere: Elsewhere
) -> None:
    _lose_the_answer(store, elsewhere)
    later = NOW + timedelta(days=40)
    sale = recover(store, elsewhere, now=later, tenant=THABANENG, request_id="r-1").result
    assert sale.sold_at == NOW
    assert sale.tokens[0].made_at == later
    assert findings(store) == []


def test_requests_are_of_one_tenant(store: Store, elsewhere: Elsewhere) -> None:
    sell(store, elsewhere)
    with pytest.raises(VendingError) as refusal:
        recover(store, elsewhere, now=LATER, tenant="mwanga", request_id="r-1")
    assert refusal.value.code == "UNKNOWN_REQUEST"


def test_another_module_does_not_guess_what_the_first_one_did(
    store: Store, elsewhere: Elsewhere, module: JournalledModule
) -> None:
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        sell(store, elsewhere)
    with pytest.raises(OutcomeUnknownError):
        sell(store, module)
    assert _state(store) is RequestState.UNKNOWN
