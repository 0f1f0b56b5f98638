"""Whose token is this, and what became of it; and tokens that every meter takes."""

from dataclasses import replace
from typing import Literal

import pytest

from keys import SecurityModule
from keys.answers import AcceptableToken, UnacceptableToken
from sts import DecoderReferenceNumber, KeyRevisionNumber, TariffIndex
from sts.meter.outcomes import Refused
from tests.vending_app.cases.words import (
    AISHA,
    CLEAR_TAMPER,
    CREDIT,
    add_indexed,
    approved,
    free_issue,
    issue,
    job_card,
    set_index,
)
from tests.vending_app.cases.words import taking_back as taking
from tests.vending_app.helpers import NEEMA, NOW, PIETER
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import RealMeter, audit_codes, change_meter, meter_of, rows, sell
from vending_app import demo_story as story
from vending_app.domain.cases import CaseToken, CaseTokenKind
from vending_app.domain.errors import VendingError
from vending_app.domain.held_back import HeldBack
from vending_app.domain.parties import Operator
from vending_app.services.issue_case import Issued
from vending_app.services.key_changes import (
    KeyChangeRequest,
    change_key,
    give_up,
    let_present_key_serve,
)
from vending_app.services.meter_tests import meter_test_token
from vending_app.services.receipts import recent_sales, reprint, reprint_issued
from vending_app.services.reversal import reverse
from vending_app.services.stories import TokenStory, tell_story
from vending_app.storage import tokens
from vending_app.storage.engine import Store


def _story(
    store: Store, module: SecurityModule, staff: Staff, digits: str, drn: str = PIETER
) -> TokenStory:
    number = DecoderReferenceNumber(drn)
    return tell_story(store, module, staff.cashier, drn=number, digits=digits, now=NOW)


def test_a_token_of_ours_has_its_sale_and_its_reprints(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    reprint(store, staff.cashier, sale_number=sale.number, now=NOW)
    digits = sale.tokens[0].digits
    spaced = " ".join(digits[at : at + 4] for at in range(0, 20, 4))
    found = _story(store, module, staff, spaced)
    assert found.digits == digits
    assert isinstance(found.best.verification, AcceptableToken)
    assert found.best.serves
    assert found.origin is not None
    assert found.origin.sale is not None
    assert (found.origin.sale.number, found.origin.reprints) == (sale.number, 1)
    assert found.origin.case is None
    assert not found.origin.token.void


def test_a_token_of_a_case_has_its_case(store: Store, module: SecurityModule, staff: Staff) -> None:
    case = approved(store, staff, free_issue(tokens=(CREDIT,)))
    (token,) = issue(store, module, staff.supervisor, case).result.tokens
    origin = _story(store, module, staff, token.digits).origin
    assert origin is not None
    assert origin.sale is None
    assert origin.case is not None
    assert origin.case.number == case.number


def test_a_token_of_another_meter_is_none_of_this_one(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    digits = sell(store, module).result.tokens[0].digits
    found = _story(store, module, staff, digits, AISHA)
    assert found.origin is None
    assert isinstance(found.best.verification, UnacceptableToken)


def test_a_void_token_says_so(store: Store, module: SecurityModule, staff: Staff) -> None:
    sale = sell(store, module).result
    case = approved(store, staff, taking(sale.number))
    reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    origin = _story(store, module, staff, sale.tokens[0].digits).origin
    assert origin is not None
    assert origin.token.void
    assert origin.sale is not None
    assert origin.sale.reversed_by == 1


def test_a_withheld_token_says_so(store: Store, module: SecurityModule, staff: Staff) -> None:
    token = CaseToken(kind=CaseTokenKind.PHASE_UNBALANCE_LIMIT, value=500)
    case = approved(store, staff, job_card(token))
    with pytest.raises(VendingError):
        issue(store, module, staff.engineer, case)
    with store.read() as connection:
        (withheld,) = tokens.tokens_of_bases("thabaneng", connection, basis_numbers=[1])[1]
    origin = _story(store, module, staff, withheld.digits).origin
    assert origin is not None
    assert origin.token.withheld
    assert not origin.token.void
    assert origin.basis.kind.value == "withheld"


def test_while_a_key_is_on_its_way_both_are_tried(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    old = sell(store, module).result.tokens[0].digits
    wanted = KeyChangeRequest(
        request_id="k-1",
        drn=DecoderReferenceNumber(PIETER),
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=KeyRevisionNumber(1),
        tariff_index=TariffIndex(2),
        reason="Another index",
    )
    change_key(store, module, staff.engineer, wanted=wanted, now=NOW)
    new = sell(store, module, request_id="r-2").result.tokens[0].digits
    for digits, serves in ((old, False), (new, True)):
        found = _story(store, module, staff, digits)
        assert len(found.readings) == 2
        assert isinstance(found.best.verification, AcceptableToken)
        assert found.best.serves is serves


def test_while_several_keys_are_on_their_way_all_are_tried(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = str(add_indexed(store, 1))
    digits = sell(store, module, drn=drn).result.tokens[-1].digits
    for index in (7, 8):
        set_index(store, index)
        sell(store, module, drn=drn, request_id=f"r-{index}")
    found = _story(store, module, staff, digits, drn)
    assert len(found.readings) == 3
    assert isinstance(found.best.verification, AcceptableToken)
    assert not found.best.serves


def test_a_story_and_the_list_of_sales_give_no_digits_that_are_held_back(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    sale = sell(store, module, drn=str(drn)).result
    give_up(store, staff.engineer, drn=drn, reason="Not wanted", now=NOW)
    origin = _story(store, module, staff, sale.tokens[-1].digits, str(drn)).origin
    assert origin is not None
    assert origin.sale is not None
    assert (origin.token.digits, origin.token.held_back) == ("", HeldBack.OTHER_KEY)
    assert {token.digits for token in origin.sale.tokens} == {""}
    (listed,) = recent_sales(store, "thabaneng", limit=9)
    assert listed == replace(sale, tokens=())


def test_digits_that_are_no_token_are_refused(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    codes = []
    for digits in ("1234", "12345678901234567x90", "99999999999999999999"):
        with pytest.raises(VendingError) as refusal:
            _story(store, module, staff, digits)
        codes.append(refusal.value.code)
    assert codes == ["NOT_TWENTY_DIGITS", "NOT_TWENTY_DIGITS", "EXCEEDS_66_BITS"]
    nobodys = _story(store, module, staff, "12345678901234567890")
    assert nobodys.origin is None
    assert isinstance(nobodys.best.verification, UnacceptableToken)
    assert nobodys.best == nobodys.readings[0]


def test_stories_are_told_of_ones_own_meters_by_whom_may(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    with pytest.raises(VendingError) as refusal:
        _story(store, module, staff, "12345678901234567890", NEEMA)
    assert refusal.value.code == "UNKNOWN_METER"
    gone = replace(staff.cashier, active=False)
    number = DecoderReferenceNumber(PIETER)
    with pytest.raises(VendingError) as refusal:
        tell_story(store, module, gone, drn=number, digits="1" * 20, now=NOW)
    assert refusal.value.code == "NOT_PERMITTED"


def test_a_key_that_the_module_lacks_is_said(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    held = replace(meter_of(store).present_key, key_revision_number=KeyRevisionNumber(7))
    change_meter(store, present_key=held)
    with pytest.raises(VendingError) as refusal:
        _story(store, module, staff, "12345678901234567890")
    assert refusal.value.code == "UNKNOWN_VENDING_KEY"


# --- tokens of class 1 ---------------------------------------------------------------------------


@pytest.mark.parametrize("manufacturer", [2, 4])
def test_a_test_token_is_taken_by_every_meter_and_written_down(
    store: Store, staff: Staff, manufacturer: Literal[2, 4]
) -> None:
    made = meter_test_token(
        store, staff.engineer, tests=[0], manufacturer_digits=manufacturer, now=NOW
    )
    for drn in (PIETER, AISHA):
        outcome = RealMeter.of(meter_of(store, drn)).enter(made.digits)
        assert manufacturer == 4 or not isinstance(outcome, Refused), outcome
    assert audit_codes(store) == ["METER_TEST"]
    assert rows(store, "bases", "tokens") == {"bases": 0, "tokens": 0}


def test_a_test_that_does_not_exist_is_refused(store: Store, staff: Staff) -> None:
    with pytest.raises(VendingError) as refusal:
        meter_test_token(store, staff.engineer, tests=[99], now=NOW)
    assert refusal.value.code == "FIELD_RANGE"
    gone = replace(staff.engineer, active=False)
    with pytest.raises(VendingError) as refusal:
        meter_test_token(store, gone, tests=[0], now=NOW)
    assert refusal.value.code == "NOT_PERMITTED"
    assert audit_codes(store) == []


def _reprint_refused(store: Store, operator: Operator, basis_number: int) -> str:
    with pytest.raises(VendingError) as refusal:
        reprint_issued(store, operator, basis_number=basis_number, now=NOW)
    return refusal.value.code


def test_tokens_without_a_sale_are_printed_again_the_same_and_counted(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    case = approved(store, staff, free_issue(tokens=(CREDIT,)))
    made = issue(store, module, staff.supervisor, case).result
    number = made.basis.number
    for count in (1, 2):
        again = reprint_issued(store, staff.cashier, basis_number=number, now=NOW)
        assert again == replace(made, reprints=count)
    assert issue(store, module, staff.supervisor, case).result.reprints == 2
    assert _reprint_refused(store, staff.engineer, number) == "NOT_PERMITTED"


def test_a_job_card_is_printed_again_by_an_engineer_only(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    case = approved(store, staff, job_card(CLEAR_TAMPER))
    made = issue(store, module, staff.engineer, case).result
    number = made.basis.number
    assert reprint_issued(store, staff.engineer, basis_number=number, now=NOW).reprints == 1
    assert _reprint_refused(store, staff.cashier, number) == "NOT_PERMITTED"


def test_a_key_change_is_printed_again_only_while_it_is_on_its_way(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    first = _change_key(store, module, staff, "k-1")
    let_present_key_serve(store, staff.engineer, drn=first.basis.drn, reason="Slip lost", now=NOW)
    last = _change_key(store, module, staff, "k-2")
    again = reprint_issued(store, staff.cashier, basis_number=last.basis.number, now=NOW)
    assert again.tokens == last.tokens
    assert _reprint_refused(store, staff.cashier, first.basis.number) == "NO_KEY_CHANGE"
    give_up(store, staff.engineer, drn=last.basis.drn, reason="Not wanted", now=NOW)
    assert _reprint_refused(store, staff.cashier, last.basis.number) == "NO_KEY_CHANGE"
    # Asked for by its first request, it comes without its digits as well.
    told = _change_key(store, module, staff, "k-2").tokens
    assert {(token.digits, token.held_back) for token in told} == {("", HeldBack.CHANGE_GIVEN_UP)}


def _change_key(
    store: Store, module: SecurityModule, staff: Staff, request_id: str, *, index: int = 2
) -> Issued:
    wanted = KeyChangeRequest(
        request_id=request_id,
        drn=DecoderReferenceNumber(PIETER),
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=KeyRevisionNumber(1),
        tariff_index=TariffIndex(index),
        reason="Another index",
    )
    return change_key(store, module, staff.engineer, wanted=wanted, now=NOW).result


def test_tokens_for_a_key_that_was_given_up_are_not_printed_again(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    change = _change_key(store, module, staff, "k-1")
    made = issue(store, module, staff.supervisor, approved(store, staff, free_issue())).result
    number, drn = made.basis.number, change.basis.drn
    assert reprint_issued(store, staff.cashier, basis_number=number, now=NOW).tokens == made.tokens
    give_up(store, staff.engineer, drn=drn, reason="Not wanted", now=NOW)
    assert _reprint_refused(store, staff.cashier, number) == "TOKEN_KEY_GONE"
    told = {
        token.kind: _story(store, module, staff, token.digits).origin
        for token in (*change.tokens, *made.tokens)
    }
    assert {None if origin is None else origin.token.held_back for origin in told.values()} == {
        HeldBack.CHANGE_GIVEN_UP,
        HeldBack.OTHER_KEY,
    }
    # Once that key is on its way again, what was made for it may be entered after its set.
    _change_key(store, module, staff, "k-2")
    assert reprint_issued(store, staff.cashier, basis_number=number, now=NOW).tokens == made.tokens
    assert rows(store, "reprints") == {"reprints": 2}


def test_neither_a_sale_nor_what_is_withheld_is_printed_as_tokens_without_one(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    token = CaseToken(kind=CaseTokenKind.PHASE_UNBALANCE_LIMIT, value=500)
    case = approved(store, staff, job_card(token))
    with pytest.raises(VendingError):
        issue(store, module, staff.engineer, case)
    for number in (sale.basis_number, sale.basis_number + 1, 99):
        assert _reprint_refused(store, staff.cashier, number) == "UNKNOWN_BASIS"
    assert rows(store, "reprints") == {"reprints": 0}
