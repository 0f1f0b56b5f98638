"""Key changes that somebody asks for, and what becomes of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from keys import SecurityModule
from keys.issuing import JournalledModule
from sts import DecoderReferenceNumber, KeyRevisionNumber, SupplyGroupCode, TariffIndex
from sts.meter.outcomes import Accepted, Refused
from tests.vending_app.helpers import NEEMA, NOW, PIETER
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    RealMeter,
    audit_codes,
    findings,
    meter_of,
    rows,
    sell,
)
from vending_app import demo_story as story
from vending_app.domain.errors import OutcomeUnknownError, VendingError
from vending_app.domain.network import Meter, Serving
from vending_app.domain.parties import Operator
from vending_app.services.issue_case import Issued
from vending_app.services.key_changes import (
    KeyChangeRequest,
    change_key,
    confirm,
    give_up,
    let_present_key_serve,
)
from vending_app.services.meters import history
from vending_app.services.recovery import PATIENCE, recover
from vending_app.services.use_case import Answer
from vending_app.storage.engine import Store

DRN = DecoderReferenceNumber(PIETER)


def _change(
    store: Store, module: SecurityModule, operator: Operator, **changes: Any
) -> Answer[Issued]:
    wanted = KeyChangeRequest(
        request_id="k-1",
        drn=DRN,
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=KeyRevisionNumber(1),
        tariff_index=TariffIndex(2),
        reason="The tariff index of the street",
    )
    now = changes.pop("now", NOW)
    return change_key(store, module, operator, wanted=replace(wanted, **changes), now=now)


def test_the_set_brings_the_meter_to_the_key_that_later_tokens_are_for(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    before = meter_of(store)
    answer = _change(store, module, staff.engineer)
    assert answer.result.basis.kind.value == "key_change"
    record = meter_of(store)
    assert record.serving is Serving.NEW
    assert record.present_key == before.present_key
    assert record.key.tariff_index == TariffIndex(2)
    sale = sell(store, module, accept_key_change=True).result
    meter = RealMeter.of(before)
    assert isinstance(meter.enter(sale.tokens[0].digits), Refused)
    outcomes = meter.enter_all((*answer.result.tokens, *sale.tokens))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Refused)], outcomes
    assert findings(store) == []


def test_the_same_request_is_answered_with_the_same_set(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    first = _change(store, module, staff.engineer)
    again = _change(store, module, staff.engineer)
    assert again.replay
    assert again.result == first.result
    with pytest.raises(VendingError) as refusal:
        _change(store, module, staff.engineer, tariff_index=TariffIndex(3))
    assert refusal.value.code == "REQUEST_ID_REUSED"


def test_a_confirmed_change_is_history(store: Store, module: SecurityModule, staff: Staff) -> None:
    _change(store, module, staff.engineer)
    found = confirm(store, staff.engineer, drn=DRN, reason="Seen at the meter", now=NOW)
    assert (found.new_key, found.serving) == (None, Serving.PRESENT)
    assert found.present_key.tariff_index == TariffIndex(2)
    assert meter_of(store) == found
    kinds = [event.kind for event in history(store, THABANENG, drn=DRN)]
    assert kinds[-2:] == ["key change issued", "key change confirmed"]


def test_a_change_that_is_given_up_leaves_the_key_that_was(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    before = meter_of(store)
    _change(store, module, staff.engineer)
    assert give_up(store, staff.engineer, drn=DRN, reason="Not wanted", now=NOW) == before
    sale = sell(store, module).result
    assert isinstance(RealMeter.of(before).enter(sale.tokens[0].digits), Accepted)


def test_a_lost_set_is_made_again_before_the_next_credit(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    before = meter_of(store)
    _change(store, module, staff.engineer)
    found = let_present_key_serve(store, staff.engineer, drn=DRN, reason="Slip lost", now=NOW)
    assert (found.serving, found.key) == (Serving.PRESENT, before.key)
    with pytest.raises(VendingError) as refusal:
        sell(store, module)
    assert refusal.value.code == "KEY_CHANGE_OFFERED"
    sale = sell(store, module, accept_key_change=True).result
    outcomes = RealMeter.of(before).enter_all(sale.tokens)
    assert len(outcomes) > 1
    assert not [outcome for outcome in outcomes if isinstance(outcome, Refused)], outcomes
    assert meter_of(store).serving is Serving.NEW
    assert findings(store) == []


@pytest.mark.parametrize("index", [2, 3])
def test_a_second_change_waits_for_the_end_of_the_first(
    store: Store, module: SecurityModule, staff: Staff, index: int
) -> None:
    _change(store, module, staff.engineer)
    before, meter = rows(store), meter_of(store)
    again = {"request_id": "k-2", "tariff_index": TariffIndex(index)}
    with pytest.raises(VendingError) as refusal:
        _change(store, module, staff.engineer, **again)
    assert refusal.value.code == "KEY_CHANGE_PENDING"
    assert "give it up" in refusal.value.hint
    assert (rows(store), meter_of(store)) == (before, meter)
    assert audit_codes(store) == ["KEY_CHANGE_PENDING"]


@pytest.mark.parametrize("end", [confirm, give_up])
def test_after_the_end_of_the_first_change_there_may_be_another(
    store: Store, module: SecurityModule, staff: Staff, end: "_Step"
) -> None:
    _change(store, module, staff.engineer)
    held = end(store, staff.engineer, drn=DRN, reason="Seen", now=NOW).present_key
    _change(store, module, staff.engineer, request_id="k-2", tariff_index=TariffIndex(3))
    record = meter_of(store)
    assert (record.present_key, record.key.tariff_index) == (held, TariffIndex(3))
    assert findings(store) == []


def test_a_lost_set_is_made_again_for_the_same_key_and_no_other(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    before = meter_of(store)
    _change(store, module, staff.engineer)
    let_present_key_serve(store, staff.engineer, drn=DRN, reason="Slip lost", now=NOW)
    with pytest.raises(VendingError) as refusal:
        _change(store, module, staff.engineer, request_id="k-2", tariff_index=TariffIndex(3))
    assert refusal.value.code == "KEY_CHANGE_PENDING"
    second = _change(store, module, staff.engineer, request_id="k-3").result
    record = meter_of(store)
    assert (record.present_key, record.serving) == (before.present_key, Serving.NEW)
    assert isinstance(RealMeter.of(before).enter_all(second.tokens)[-1], Accepted)


def test_a_change_that_a_module_elsewhere_may_be_making_is_on_its_way(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        _change(store, elsewhere, staff.engineer)
    elsewhere.after = lambda _: None
    with pytest.raises(VendingError) as refusal:
        _change(store, elsewhere, staff.engineer, request_id="k-2")
    # Nobody could confirm it or give it up: it is not on record yet.
    assert refusal.value.code == "KEY_CHANGE_UNKNOWN"
    assert "recover it" in refusal.value.hint
    # The first one itself goes on.
    assert _change(store, elsewhere, staff.engineer).result.tokens


def _broken(_: str) -> None:
    message = "the line is dead"
    raise ConnectionError(message)


_Step = Callable[..., Meter]


@pytest.mark.parametrize("step", [confirm, give_up, let_present_key_serve])
def test_who_ends_a_change_may_and_says_why(store: Store, staff: Staff, step: _Step) -> None:
    def code(operator: Operator, drn: str = PIETER, reason: str = "Seen") -> str:
        with pytest.raises(VendingError) as refusal:
            step(store, operator, drn=DecoderReferenceNumber(drn), reason=reason, now=NOW)
        return refusal.value.code

    assert code(staff.engineer) == "NO_KEY_CHANGE"
    assert code(staff.cashier) == "NOT_PERMITTED"
    assert code(staff.engineer, reason=" ") == "REASON_MISSING"
    assert code(staff.engineer, reason="x" * 501) == "CODE_FORM"
    assert code(staff.engineer, drn=NEEMA) == "UNKNOWN_METER"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"drn": DecoderReferenceNumber(NEEMA)}, "UNKNOWN_METER"),
        ({"supply_group_code": SupplyGroupCode(999999)}, "UNKNOWN_SUPPLY_GROUP"),
        ({"key_revision_number": KeyRevisionNumber(5)}, "UNKNOWN_VENDING_KEY"),
        ({"tariff_index": TariffIndex(1)}, "KEY_CHANGE_SAME"),
        ({"reason": " "}, "REASON_MISSING"),
        ({"request_id": "not a name"}, "REQUEST_ID"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_leaves_an_audit_event(
    store: Store, module: SecurityModule, staff: Staff, changes: dict[str, Any], code: str
) -> None:
    before = rows(store)
    with pytest.raises(VendingError) as refusal:
        _change(store, module, staff.engineer, **changes)
    assert refusal.value.code == code
    assert rows(store) == before
    assert audit_codes(store) == [code]


def test_a_cashier_changes_no_key(store: Store, module: SecurityModule, staff: Staff) -> None:
    with pytest.raises(VendingError) as refusal:
        _change(store, module, staff.cashier)
    assert refusal.value.code == "NOT_PERMITTED"


def test_a_lost_key_change_is_recovered(store: Store, elsewhere: Elsewhere, staff: Staff) -> None:
    before = meter_of(store)
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        _change(store, elsewhere, staff.engineer)
    assert meter_of(store) == before
    elsewhere.after = lambda _: None
    later: datetime = NOW + PATIENCE
    found = recover(store, elsewhere, now=later, tenant=THABANENG, request_id="k-1").result
    assert meter_of(store).serving is Serving.NEW
    outcomes = RealMeter.of(before).enter_all(found.tokens)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Refused)], outcomes
    assert _change(store, elsewhere, staff.engineer).replay
    assert findings(store) == []


def test_a_clock_far_behind_has_no_key_change_made(
    store: Store, module: JournalledModule, staff: Staff
) -> None:
    watched = Elsewhere(module, shares_journal=True)
    with pytest.raises(VendingError) as refusal:
        _change(store, watched, staff.engineer, now=NOW - timedelta(minutes=6))
    assert refusal.value.code == "CLOCK_BEHIND"
    assert watched.asked == []
    assert meter_of(store).new_key is None
