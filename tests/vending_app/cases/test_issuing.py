"""Tokens of a case: approved by a second person, made once, and accepted by the meter."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from keys import SecurityModule
from keys.issuing import JournalledModule
from sts import CreditRegister, Service, datetime_from_tid
from sts.meter import new_state
from sts.meter.outcomes import Accepted
from tests.vending_app.cases.words import (
    AISHA,
    CLEAR_TAMPER,
    CREDIT,
    approved,
    free_issue,
    issue,
    job_card,
    taking_back,
)
from tests.vending_app.helpers import NEEMA, NOW, PIETER
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import (
    Elsewhere,
    RealMeter,
    add_supply,
    add_tariff,
    audit_codes,
    change_meter,
    drn_of,
    findings,
    meter_of,
    rows,
    sell,
    tariff,
)
from vending_app import demo_story as story
from vending_app.domain.cases import CaseContent, CaseKind, CaseState, CaseToken, CaseTokenKind
from vending_app.domain.errors import OutcomeUnknownError, VendingError
from vending_app.domain.network import CreditKind, Life
from vending_app.services.case_tokens import CaseTokens, issue_case_tokens
from vending_app.services.cases import (
    approve_case,
    find_case,
    list_cases,
    open_case,
    refuse_case,
)
from vending_app.services.recovery import PATIENCE, recover
from vending_app.storage import tables
from vending_app.storage.engine import Store


def _code(store: Store, content: CaseContent, staff: Staff) -> str:
    with pytest.raises(VendingError) as refusal:
        open_case(store, staff.engineer, content=content, now=NOW)
    return refusal.value.code


def test_a_free_issue_is_credit_that_nobody_paid_for(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    case = approved(store, staff, free_issue())
    answer = issue(store, module, staff.supervisor, case)
    (token,) = answer.result.tokens
    assert not answer.replay
    assert answer.result.basis.case_number == case.number
    assert isinstance(RealMeter.of(meter_of(store)).enter(token.digits), Accepted)
    assert token.description == "Credit 5.0 kWh"
    done = find_case(store, "thabaneng", case_number=case.number)
    assert (done.state, done.ended_at) == (CaseState.DONE, NOW)
    assert rows(store, "sales") == {"sales": 0}
    assert findings(store) == []


def test_the_same_request_gets_the_same_tokens_and_another_none(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    case = approved(store, staff, free_issue())
    first = issue(store, module, staff.supervisor, case)
    again = issue(store, module, staff.supervisor, case)
    assert again.replay
    assert again.result == first.result
    with pytest.raises(VendingError) as refusal:
        issue(store, module, staff.supervisor, case, request_id="c-2")
    assert refusal.value.code == "CASE_STATE"
    assert rows(store, "tokens") == {"tokens": 1}
    assert audit_codes(store) == ["CASE_STATE"]


def test_parallel_requests_use_a_case_once(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    case = approved(store, staff, free_issue())

    def attempt(number: int) -> str:
        try:
            issue(store, module, staff.supervisor, case, request_id=f"c-{number % 4}")
        except VendingError as error:
            return error.code
        return "made"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    # Whoever has the name of the request that was faster gets its tokens as well.
    assert sorted(outcomes) == ["CASE_STATE"] * 6 + ["made"] * 2
    assert rows(store, "tokens", "bases") == {"tokens": 1, "bases": 1}
    assert findings(store) == []


def test_a_request_id_of_something_else_is_refused(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sell(store, module, request_id="c-1")
    case = approved(store, staff, free_issue())
    with pytest.raises(VendingError) as refusal:
        issue(store, module, staff.supervisor, case)
    assert refusal.value.code == "REQUEST_ID_REUSED"


def test_an_exchange_puts_what_was_left_into_the_new_meter(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    case = approved(store, staff, free_issue(kind=CaseKind.EXCHANGE, right_drn=AISHA))
    answer = issue(store, module, staff.supervisor, case)
    assert answer.result.basis.kind.value == "exchange"
    assert find_case(store, "thabaneng", case_number=case.number).content == case.content
    assert findings(store) == []


def test_a_job_card_can_have_every_kind_of_token(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    add_tariff(store, tariff("plain"))
    made = add_supply(store, drn_of(1), tariff_code="plain", phases=3)
    wanted = (
        CaseToken(kind=CaseTokenKind.CLEAR_CREDIT, value=CreditRegister.ALL.value),
        CLEAR_TAMPER,
        CaseToken(kind=CaseTokenKind.POWER_LIMIT, value=6_000),
        CaseToken(kind=CaseTokenKind.PHASE_UNBALANCE_LIMIT, value=500),
        CaseToken(kind=CaseTokenKind.TARIFF_RATE, value=3),
    )
    case = approved(store, staff, job_card(*wanted, drn=str(made.drn)))
    tokens = issue(store, module, staff.engineer, case).result.tokens
    assert [token.description for token in tokens] == [
        "Clear credit",
        "Clear tamper condition",
        "Set maximum power limit",
        "Set maximum phase power unbalance limit",
        "Set tariff rate",
    ]
    meter = RealMeter.of(made)
    meter.spec = replace(meter.spec, phases=3, stores_tariff_rate=True)
    meter.state = new_state(meter.spec, meter.state.key_register, now=NOW)
    outcomes = meter.enter_all(tokens)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
    assert findings(store) == []


def test_a_water_meter_gets_its_factor(store: Store, module: SecurityModule, staff: Staff) -> None:
    add_tariff(store, tariff("water", service=Service.WATER))
    made = add_supply(store, drn_of(1), tariff_code="water", service=Service.WATER)
    token = CaseToken(kind=CaseTokenKind.WATER_FACTOR, value=2)
    case = approved(store, staff, job_card(token, drn=str(made.drn)))
    (factor,) = issue(store, module, staff.engineer, case).result.tokens
    meter = RealMeter.of(made)
    meter.spec = replace(meter.spec, stores_water_factor=True)
    assert isinstance(meter.enter(factor.digits), Accepted)


def test_a_currency_meter_gets_money(store: Store, module: SecurityModule, staff: Staff) -> None:
    add_tariff(store, tariff("money", currency_credit=True))
    made = add_supply(store, drn_of(1), tariff_code="money", credit_kind=CreditKind.CURRENCY)
    token = CaseToken(kind=CaseTokenKind.CURRENCY_CREDIT, value=10_00000)
    case = approved(store, staff, free_issue(drn=str(made.drn), tokens=(token,)))
    (credit,) = issue(store, module, staff.supervisor, case).result.tokens
    # What a token cannot carry exactly goes up.
    assert credit.description == "Credit 10.00024"
    assert isinstance(RealMeter.of(made).enter(credit.digits), Accepted)
    assert findings(store) == []


def test_the_special_identifier_of_a_day_is_given_once(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    first = approved(store, staff, free_issue(special_reserved=True))
    (token,) = issue(store, module, staff.supervisor, first).result.tokens
    assert token.tid_minutes is not None
    at = datetime_from_tid(token.tid_minutes, token.base_date)
    assert (at.date(), at.hour, at.minute) == (NOW.date(), 0, 1)
    second = approved(store, staff, free_issue(special_reserved=True))
    with pytest.raises(VendingError) as refusal:
        issue(store, module, staff.supervisor, second, request_id="c-2")
    assert refusal.value.code == "TID_ALREADY_USED"
    assert find_case(store, "thabaneng", case_number=second.number).state is CaseState.APPROVED


def test_what_the_meter_would_refuse_is_withheld_and_the_case_goes_on(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    """A meter of one phase knows no unbalance."""
    token = CaseToken(kind=CaseTokenKind.PHASE_UNBALANCE_LIMIT, value=500)
    case = approved(store, staff, job_card(token))
    with pytest.raises(VendingError) as refusal:
        issue(store, module, staff.engineer, case)
    assert refusal.value.code.startswith("TWIN_")
    assert rows(store, "tokens", "token_marks") == {"tokens": 1, "token_marks": 1}
    found = find_case(store, "thabaneng", case_number=case.number)
    assert (found.state, found.ended_at) == (CaseState.APPROVED, None)
    assert findings(store) == []


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (CaseToken(kind=CaseTokenKind.CURRENCY_CREDIT, value=1), "CASE_CONTENT"),
        (CaseToken(kind=CaseTokenKind.CREDIT, value=10**12), "AMOUNT_TOO_LARGE"),
        (CaseToken(kind=CaseTokenKind.CLEAR_CREDIT, value=9_999), "CASE_CONTENT"),
        (CaseToken(kind=CaseTokenKind.WRITE_EXTENDED, value=1 << 80), "FIELD_RANGE"),
    ],
)
def test_values_without_a_code_are_refused_before_anything_is_used(
    store: Store, module: SecurityModule, staff: Staff, token: CaseToken, code: str
) -> None:
    credit = token.kind in {CaseTokenKind.CREDIT, CaseTokenKind.CURRENCY_CREDIT}
    content = free_issue(tokens=(token,)) if credit else job_card(token)
    case = approved(store, staff, content)
    operator = staff.supervisor if credit else staff.engineer
    with pytest.raises(VendingError) as refusal:
        issue(store, module, operator, case)
    assert refusal.value.code == code
    assert rows(store, "tokens", "requests") == {"tokens": 0, "requests": 0}
    assert find_case(store, "thabaneng", case_number=case.number).state is CaseState.APPROVED


def test_the_extended_set_is_withheld_for_no_meter_here_knows_it(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    token = CaseToken(kind=CaseTokenKind.WRITE_EXTENDED, value=1, index=1)
    case = approved(store, staff, job_card(token))
    with pytest.raises(VendingError) as refusal:
        issue(store, module, staff.engineer, case)
    assert refusal.value.code == "TWIN_FUNCTION_ERROR"
    assert rows(store, "token_marks") == {"token_marks": 1}


def test_nobody_approves_their_own_case(store: Store, staff: Staff) -> None:
    case = open_case(store, staff.supervisor, content=free_issue(), now=NOW)
    for decide in (approve_case, refuse_case):
        with pytest.raises(VendingError) as refusal:
            decide(store, staff.supervisor, case_number=case.number, now=NOW)
        assert refusal.value.code == "SECOND_PERSON"


def test_a_case_is_decided_once_and_by_whom_may(store: Store, staff: Staff) -> None:
    case = open_case(store, staff.engineer, content=free_issue(), now=NOW)
    with pytest.raises(VendingError) as refusal:
        approve_case(store, staff.administrator, case_number=case.number, now=NOW)
    assert refusal.value.code == "NOT_PERMITTED"
    refused = refuse_case(store, staff.supervisor, case_number=case.number, now=NOW)
    assert (refused.state, refused.approved_login) == (CaseState.REFUSED, "botha")
    with pytest.raises(VendingError) as refusal:
        approve_case(store, staff.supervisor, case_number=case.number, now=NOW)
    assert refusal.value.code == "CASE_STATE"


def test_only_an_approved_case_makes_tokens(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    waiting = open_case(store, staff.engineer, content=free_issue(), now=NOW)
    refused = open_case(store, staff.engineer, content=free_issue(), now=NOW)
    refuse_case(store, staff.supervisor, case_number=refused.number, now=NOW)
    for case in (waiting, refused):
        with pytest.raises(VendingError) as refusal:
            issue(store, module, staff.supervisor, case)
        assert refusal.value.code == "CASE_STATE"
    assert rows(store, "tokens", "requests") == {"tokens": 0, "requests": 0}
    assert list_cases(store, "thabaneng", states=[CaseState.OPEN], limit=9) == (waiting,)


def test_who_may_have_tokens_made_depends_on_the_case(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    free = approved(store, staff, free_issue())
    job = approved(store, staff, job_card(CLEAR_TAMPER))
    for operator, case in ((staff.engineer, free), (staff.supervisor, job)):
        with pytest.raises(VendingError) as refusal:
            issue(store, module, operator, case)
        assert refusal.value.code == "NOT_PERMITTED"


def test_a_case_is_about_what_is_there(store: Store, staff: Staff) -> None:
    assert _code(store, free_issue(drn=NEEMA), staff) == "UNKNOWN_METER"
    other = free_issue(kind=CaseKind.EXCHANGE, right_drn=NEEMA)
    assert _code(store, other, staff) == "UNKNOWN_METER"
    assert _code(store, taking_back(1), staff) == "UNKNOWN_SALE"
    with pytest.raises(VendingError) as refusal:
        open_case(store, staff.cashier, content=free_issue(), now=NOW)
    assert refusal.value.code == "NOT_PERMITTED"
    with pytest.raises(VendingError) as refusal:
        open_case(store, staff.supervisor, content=job_card(CLEAR_TAMPER), now=NOW)
    assert refusal.value.code == "NOT_PERMITTED"


def test_cases_of_no_number_or_another_kind_make_nothing(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    wanted = CaseTokens(request_id="c-1", case_number=9)
    with pytest.raises(VendingError) as refusal:
        issue_case_tokens(store, module, staff.supervisor, wanted=wanted, now=NOW)
    assert refusal.value.code == "UNKNOWN_CASE"
    sale = sell(store, module).result
    case = approved(store, staff, taking_back(sale.number))
    with pytest.raises(VendingError) as refusal:
        issue(store, module, staff.supervisor, case)
    assert refusal.value.code == "CASE_CONTENT"


@pytest.mark.parametrize("life", [Life.STOCK, Life.SCRAPPED])
def test_a_meter_that_serves_nobody_gets_no_tokens(
    store: Store, module: SecurityModule, staff: Staff, life: Life
) -> None:
    case = approved(store, staff, job_card(CLEAR_TAMPER))
    change_meter(store, life=life, service_point_code=None)
    with pytest.raises(VendingError) as refusal:
        issue(store, module, staff.engineer, case)
    assert refusal.value.code == "CASE_CONTENT"


def _broken(name: str) -> None:
    if name == "issue":
        message = "the line is dead"
        raise ConnectionError(message)


def test_tokens_of_a_case_that_got_lost_are_recovered(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    token = CaseToken(kind=CaseTokenKind.POWER_LIMIT, value=6_000)
    case = approved(store, staff, job_card(CLEAR_TAMPER, token))
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        issue(store, elsewhere, staff.engineer, case)
    elsewhere.after = lambda _: None
    later = NOW + PATIENCE
    with pytest.raises(VendingError) as refusal:
        # The first token is there and the second is not; nothing is guessed.
        recover(store, elsewhere, now=later, tenant="thabaneng", request_id="c-1")
    assert refusal.value.code == "TOKEN_NOT_MADE"
    assert find_case(store, "thabaneng", case_number=case.number).state is CaseState.APPROVED
    assert rows(store, "tokens", "token_marks") == {"tokens": 1, "token_marks": 1}
    made = issue(store, elsewhere, staff.engineer, case, request_id="c-2").result
    assert len(made.tokens) == 2
    assert findings(store) == []


def test_one_lost_token_of_a_case_is_found_again(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    case = approved(store, staff, free_issue(tokens=(CREDIT,)))
    elsewhere.after = _broken
    with pytest.raises(OutcomeUnknownError):
        issue(store, elsewhere, staff.supervisor, case)
    elsewhere.after = lambda _: None
    found = recover(
        store, elsewhere, now=NOW + PATIENCE, tenant="thabaneng", request_id="c-1"
    ).result
    assert isinstance(RealMeter.of(meter_of(store)).enter(found.tokens[0].digits), Accepted)
    again = issue(store, elsewhere, staff.supervisor, case)
    assert again.replay
    assert again.result == found
    assert findings(store) == []


def test_a_case_belongs_to_one_utility(store: Store, module: SecurityModule, staff: Staff) -> None:
    case = approved(store, staff, free_issue())
    with store.write() as connection:
        logins = connection.execute(
            select(tables.operators.c.login).where(tables.operators.c.tenant == story.MWANGA)
        ).scalars()
        assert "mshana" in set(logins)
    stranger = replace(staff.supervisor, tenant=story.MWANGA, login="mshana")
    with pytest.raises(VendingError) as refusal:
        issue(store, module, stranger, case)
    assert refusal.value.code == "UNKNOWN_CASE"
    assert rows(store, "tokens") == {"tokens": 0}
    assert meter_of(store, PIETER).drn == case.content.drn


def test_a_clock_far_behind_has_no_token_of_a_case_made(
    store: Store, module: JournalledModule, staff: Staff
) -> None:
    case = approved(store, staff, free_issue())
    watched = Elsewhere(module, shares_journal=True)
    wanted = CaseTokens(request_id="c-1", case_number=case.number)
    late = NOW - timedelta(minutes=6)
    with pytest.raises(VendingError) as refusal:
        issue_case_tokens(store, watched, staff.supervisor, wanted=wanted, now=late)
    assert refusal.value.code == "CLOCK_BEHIND"
    assert watched.asked == []
    assert find_case(store, "thabaneng", case_number=case.number).state is CaseState.APPROVED
    assert audit_codes(store) == ["CLOCK_BEHIND"]
