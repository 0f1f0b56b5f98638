"""Sales taken back: the proof, the books, the account, the tokens, and the right meter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import func, select, update

from keys import SecurityModule
from sts import DecoderReferenceNumber, KeyRevisionNumber, Service, TariffIndex
from sts.meter.outcomes import Accepted, Refused
from tests.vending_app.cases.words import (
    AISHA,
    account_of_pieter,
    add_indexed,
    approved,
    free_issue,
    set_index,
    taking_back,
)
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.conftest import ModuleMaker
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    RealMeter,
    add_supply,
    add_tariff,
    audit_codes,
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
from vending_app.domain.cases import CaseContent, CaseKind, CaseState, EvidenceKind
from vending_app.domain.errors import VendingError
from vending_app.domain.network import CreditKind, Serving
from vending_app.domain.purchases import parse_counters
from vending_app.domain.tariff import Rounding
from vending_app.services.cases import find_case, open_case
from vending_app.services.key_changes import KeyChangeRequest, change_key, confirm, give_up
from vending_app.services.meters import history
from vending_app.services.receipts import find_sale, reprint
from vending_app.services.reversal import Reversal, reverse
from vending_app.storage import parties, tables
from vending_app.storage.engine import Store

PHOTO = "ab" * 32


def _balances(store: Store) -> dict[str, int]:
    """Return what stands on each account of the books, without accounts that stand at nothing."""
    lines = tables.ledger_lines.c
    with store.read() as connection:
        found = connection.execute(
            select(lines.account, func.sum(lines.amount_minor))
            .where(lines.tenant == THABANENG)
            .group_by(lines.account)
        )
        return {account: int(total) for account, total in found if total}


def _float(store: Store) -> int:
    with store.read() as connection:
        return parties.find_vendor(THABANENG, connection, vendor_code="tshepo").float_minor


def _reversed(
    store: Store,
    module: SecurityModule,
    staff: Staff,
    content: CaseContent,
    *,
    now: datetime = NOW,
) -> Reversal:
    case = approved(store, staff, content)
    return reverse(store, module, staff.supervisor, case_number=case.number, now=now)


def _refused(
    store: Store, module: SecurityModule, staff: Staff, content: CaseContent
) -> VendingError:
    with pytest.raises(VendingError) as refusal:
        _reversed(store, module, staff, content)
    assert findings(store) == []
    return refusal.value


@pytest.mark.parametrize(
    "proof",
    [
        {"evidence_kind": EvidenceKind.NEVER_DELIVERED},
        {"evidence_kind": EvidenceKind.REGISTER_READING, "evidence_hash": PHOTO},
        {"evidence_kind": EvidenceKind.SUPERVISOR_WORD},
    ],
)
def test_after_a_reversal_everything_is_as_if_nothing_had_been_sold(
    store: Store, module: SecurityModule, staff: Staff, proof: dict[str, Any]
) -> None:
    account, balances = account_of_pieter(store), _balances(store)
    sale = sell(store, module).result
    assert account_of_pieter(store) != account
    done = _reversed(store, module, staff, taking_back(sale.number, **proof))
    assert account_of_pieter(store) == account
    assert _balances(store) == balances
    assert (done.credit_note.number, done.credit_note.amount_minor) == (1, 200_00)
    assert not done.replay
    assert done.right_sale is None
    assert find_sale(store, THABANENG, sale_number=sale.number).reversed_by == 1
    assert findings(store) == []


def test_the_tokens_are_marked_and_a_reprint_says_so(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    _reversed(store, module, staff, taking_back(sale.number))
    printed = reprint(store, staff.supervisor, sale_number=sale.number, now=NOW)
    assert [token.void for token in printed.tokens] == [True]
    assert printed.reversed_by == 1


def test_a_vendor_has_the_float_back(store: Store, module: SecurityModule, staff: Staff) -> None:
    before, balances = _float(store), _balances(store)
    sale = sell(store, module, login="tshepo", minor=100_00).result
    assert _float(store) == before - 100_00
    _reversed(store, module, staff, taking_back(sale.number))
    assert (_float(store), _balances(store)) == (before, balances)
    assert findings(store) == []


def test_the_purchase_leaves_the_blocks_of_later_ones(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    first = sell(store, module, request_id="r-1").result
    second = sell(store, module, request_id="r-2", now=NOW + timedelta(minutes=1)).result
    _reversed(store, module, staff, taking_back(first.number))
    third = sell(store, module, request_id="r-3", now=NOW + timedelta(minutes=2)).result
    # The third one begins where the second one ended, and no longer behind the first.
    assert second.sold_tenths < third.sold_tenths < first.sold_tenths
    tenths = parse_counters(account_of_pieter(store).counters).month_tenths
    assert tenths == second.sold_tenths + third.sold_tenths
    assert findings(store) == []


def test_a_sale_of_last_month_is_corrected_in_this_one(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    later = NOW + timedelta(days=40)
    case = approved(store, staff, taking_back(sale.number))
    note = reverse(store, module, staff.supervisor, case_number=case.number, now=later).credit_note
    entries = tables.ledger_entries.c
    with store.read() as connection:
        period = connection.execute(
            select(entries.period).where(
                entries.tenant == THABANENG, entries.entry_number == note.ledger_entry
            )
        ).scalar_one()
    assert period == "2026-04"
    assert findings(store) == []


def test_twice_is_once(store: Store, module: SecurityModule, staff: Staff) -> None:
    sale = sell(store, module).result
    case = approved(store, staff, taking_back(sale.number))
    first = reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    again = reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    assert again.replay
    assert again.credit_note == first.credit_note
    other = _refused(store, module, staff, taking_back(sale.number))
    assert other.code == "SALE_REVERSED"
    assert rows(store, "credit_notes") == {"credit_notes": 1}


def test_parallel_cases_take_a_sale_back_once(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    cases = [approved(store, staff, taking_back(sale.number)).number for _ in range(4)]

    def attempt(number: int) -> str:
        try:
            reverse(store, module, staff.supervisor, case_number=number, now=NOW)
        except VendingError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, cases))
    assert outcomes == ["SALE_REVERSED"] * 3 + ["done"]
    assert findings(store) == []


def test_somebodys_word_has_a_limit(store: Store, module: SecurityModule, staff: Staff) -> None:
    sale = sell(store, module, minor=200_10).result
    content = taking_back(sale.number, evidence_kind=EvidenceKind.SUPERVISOR_WORD)
    refusal = _refused(store, module, staff, content)
    assert (refusal.code, rows(store, "credit_notes")) == ("EVIDENCE", {"credit_notes": 0})


def test_a_token_that_the_module_made_was_issued(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    content = taking_back(sale.number, evidence_kind=EvidenceKind.NOT_ISSUED)
    assert _refused(store, module, staff, content).code == "EVIDENCE"
    assert audit_codes(store) == ["EVIDENCE"]


def _sold_elsewhere(store: Store, elsewhere: Elsewhere) -> int:
    """Sell unit and currency credit; return the number of the sale of currency credit."""
    add_tariff(store, tariff("money", currency_credit=True, service=Service.WATER))
    add_supply(
        store,
        drn_of(2),
        tariff_code="money",
        credit_kind=CreditKind.CURRENCY,
        service=Service.WATER,
    )
    sell(store, elsewhere)
    return sell(store, elsewhere, drn=drn_of(2), request_id="r-2").result.number


def test_a_module_elsewhere_is_asked_and_knows_its_tokens(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    number = _sold_elsewhere(store, elsewhere)
    contents = [
        taking_back(1, evidence_kind=EvidenceKind.NOT_ISSUED),
        taking_back(number, drn=drn_of(2), evidence_kind=EvidenceKind.NOT_ISSUED),
    ]
    for content in contents:
        refusal = _refused(store, elsewhere, staff, content)
        assert (refusal.code, "made the token" in str(refusal)) == ("EVIDENCE", True)
    assert elsewhere.asked[-2:] == ["fetch", "fetch"]


def test_a_module_that_lost_its_journal_says_that_it_made_nothing(
    store: Store, elsewhere: Elsewhere, module: SecurityModule, staff: Staff
) -> None:
    """The sale was made by another module, as after a restore of an old copy."""
    sale = sell(store, module).result
    content = taking_back(sale.number, evidence_kind=EvidenceKind.NOT_ISSUED)
    _reversed(store, elsewhere, staff, content)
    assert rows(store, "credit_notes") == {"credit_notes": 1}
    assert findings(store) == []


def test_a_module_that_does_not_answer_proves_nothing(
    store: Store, elsewhere: Elsewhere, staff: Staff
) -> None:
    sale = sell(store, elsewhere).result

    def broken(_: str) -> None:
        message = "the line is dead"
        raise ConnectionError(message)

    elsewhere.before = broken
    content = taking_back(sale.number, evidence_kind=EvidenceKind.NOT_ISSUED)
    assert _refused(store, elsewhere, staff, content).code == "EVIDENCE"


REVISION_2 = {"key_revision_number": KeyRevisionNumber(2)}


def _bring_another_key(store: Store, module: SecurityModule, staff: Staff, **changes: Any) -> None:
    now = changes.pop("now", NOW)
    wanted = KeyChangeRequest(
        request_id="k-1",
        drn=DecoderReferenceNumber(PIETER),
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=story.KEY_REVISION_NUMBER,
        tariff_index=meter_of(store).key.tariff_index,
        reason="Another key",
    )
    change_key(store, module, staff.engineer, wanted=replace(wanted, **changes), now=now)


def test_a_key_of_another_revision_makes_old_tokens_void(
    store: Store, module: SecurityModule, make_module: ModuleMaker, staff: Staff
) -> None:
    sale = sell(store, module).result
    content = taking_back(sale.number, evidence_kind=EvidenceKind.KEY_CHANGED)
    assert "still hold" in str(_refused(store, module, staff, content))
    _bring_another_key(store, make_module(dict(REVISION_2)), staff, **REVISION_2)
    assert "still hold" in str(_refused(store, module, staff, content))
    confirm(store, staff.engineer, drn=sale.drn, reason="Seen at the meter", now=NOW)
    real = RealMeter.of(meter_of(store))
    assert isinstance(real.enter(sale.tokens[0].digits), Refused)
    _reversed(store, module, staff, content)
    assert findings(store) == []


def test_another_tariff_index_alone_makes_no_token_void(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    """The next change brings the key back, and then the meter takes them."""
    drn = add_indexed(store, 1)
    sale = sell(store, module, drn=str(drn)).result
    real = RealMeter.of(meter_of(store, str(drn)))
    content = taking_back(sale.number, drn=drn, evidence_kind=EvidenceKind.KEY_CHANGED)
    for number, index in enumerate((7, 1)):
        set_index(store, index)
        now = NOW + timedelta(minutes=number)
        later = sell(store, module, drn=str(drn), request_id=f"c-{number}", now=now).result
        real.enter_all(later.tokens)
        if index == 7:
            confirm(store, staff.engineer, drn=drn, reason="Seen at the meter", now=now)
            refusal = _refused(store, module, staff, content)
            assert refusal.code == "EVIDENCE"
            assert "another supply group or revision" in str(refusal)
    refusal = _refused(store, module, staff, content)
    assert refusal.code == "EVIDENCE"
    assert "still hold" in str(refusal)
    assert isinstance(real.enter(sale.tokens[0].digits), Accepted)


def test_credit_that_several_changes_may_still_lead_to_is_not_void(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    real = RealMeter.of(meter_of(store, str(drn)))
    sale = sell(store, module, drn=str(drn)).result
    real.enter_all(sale.tokens[:2])
    confirm(store, staff.engineer, drn=drn, reason="Seen at the meter", now=NOW)
    for index in (8, 9):
        set_index(store, index)
        sell(store, module, drn=str(drn), request_id=f"r-{index}")
    content = taking_back(sale.number, drn=drn, evidence_kind=EvidenceKind.KEY_CHANGED)
    assert "still hold" in str(_refused(store, module, staff, content))
    assert isinstance(real.enter(sale.tokens[-1].digits), Accepted)


def test_what_was_seen_after_a_sale_counts_whatever_the_clocks_said(
    store: Store, module: SecurityModule, make_module: ModuleMaker, staff: Staff
) -> None:
    ahead = NOW + timedelta(minutes=4)
    sale = sell(store, module, now=ahead).result
    _bring_another_key(store, make_module(dict(REVISION_2)), staff, **REVISION_2)
    confirm(store, staff.engineer, drn=sale.drn, reason="Seen at the meter", now=NOW)
    content = taking_back(sale.number, evidence_kind=EvidenceKind.KEY_CHANGED)
    _reversed(store, module, staff, content, now=ahead)
    assert findings(store) == []


def test_a_change_that_was_given_up_makes_no_token_void(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    """The customer still has the set and may enter it, and then the tokens after it."""
    _bring_another_key(store, module, staff, tariff_index=TariffIndex(2))
    sale = sell(store, module).result
    give_up(store, staff.engineer, drn=sale.drn, reason="Not wanted", now=NOW)
    content = taking_back(sale.number, evidence_kind=EvidenceKind.KEY_CHANGED)
    refusal = _refused(store, module, staff, content)
    assert refusal.code == "EVIDENCE"
    assert "Nobody has seen" in str(refusal)


@pytest.mark.parametrize("kind", [CaseKind.REVERSAL, CaseKind.WRONG_METER])
@pytest.mark.parametrize("entered", [False, True])
def test_after_a_sale_with_a_set_was_taken_back_the_next_credit_is_taken_all_the_same(
    store: Store, module: SecurityModule, staff: Staff, kind: CaseKind, *, entered: bool
) -> None:
    drn = add_indexed(store, 7)
    real = RealMeter.of(meter_of(store, str(drn)))
    sale = sell(store, module, drn=str(drn)).result
    if entered:
        real.enter_all(sale.tokens[:2])
    right = {"right_drn": AISHA} if kind is CaseKind.WRONG_METER else {}
    case = approved(store, staff, taking_back(sale.number, drn=drn, kind=kind, **right))
    reverse(
        store,
        module,
        staff.supervisor,
        case_number=case.number,
        now=NOW,
        accept_key_change=True,
    )
    record = meter_of(store, str(drn))
    assert (record.serving, record.new_key) == (Serving.PRESENT, sale.tokens[-1].key)
    assert history(store, THABANENG, drn=drn)[-1].kind == "present key serves"
    own = sell(store, module, drn=str(drn), request_id="r-2").result
    assert len(own.tokens) == 3
    assert isinstance(real.enter_all(own.tokens)[-1], Accepted)
    assert find_sale(store, THABANENG, sale_number=own.number) == own
    assert findings(store) == []


def test_a_sale_without_a_set_that_is_taken_back_leaves_the_keys_alone(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    drn = add_indexed(store, 7)
    sell(store, module, drn=str(drn))
    second = sell(store, module, drn=str(drn), request_id="r-2").result
    before = (meter_of(store, str(drn)), history(store, THABANENG, drn=drn))
    _reversed(store, module, staff, taking_back(second.number, drn=drn))
    assert (meter_of(store, str(drn)), history(store, THABANENG, drn=drn)) == before


def test_a_case_is_about_the_meter_that_was_sold_to(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    content = taking_back(sale.number, drn=AISHA)
    assert _refused(store, module, staff, content).code == "CASE_CONTENT"


def test_only_an_approved_case_of_a_sale_takes_one_back(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    sale = sell(store, module).result
    waiting = open_case(store, staff.engineer, content=taking_back(sale.number), now=NOW)
    free = approved(store, staff, free_issue())
    expected = {waiting.number: "CASE_STATE", free.number: "CASE_CONTENT", 99: "UNKNOWN_CASE"}
    for number, code in expected.items():
        with pytest.raises(VendingError) as refusal:
            reverse(store, module, staff.supervisor, case_number=number, now=NOW)
        assert refusal.value.code == code
    with pytest.raises(VendingError) as refusal:
        reverse(store, module, staff.cashier, case_number=waiting.number, now=NOW)
    assert refusal.value.code == "NOT_PERMITTED"
    assert audit_codes(store) == [*expected.values(), "NOT_PERMITTED"]
    assert findings(store) == []


def test_credit_that_was_spent_since_cannot_be_taken_back(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    """What the first sale left over bought units in the second one."""
    add_tariff(store, tariff("carry", rate=Fraction(333), rounding=Rounding.CARRY))
    made = add_supply(store, drn_of(1), tariff_code="carry")
    first = sell(store, module, drn=str(made.drn), minor=10_00).result
    sell(store, module, drn=str(made.drn), minor=9_98, request_id="r-2")
    content = taking_back(first.number, drn=str(made.drn))
    refusal = _refused(store, module, staff, content)
    assert refusal.code == "REVERSAL_IMPOSSIBLE"
    assert "later" in refusal.hint
    assert rows(store, "credit_notes", "token_marks") == {"credit_notes": 0, "token_marks": 0}


def test_credit_that_is_still_there_is_taken_back(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    add_tariff(store, tariff("carry", rate=Fraction(333), rounding=Rounding.CARRY))
    made = add_supply(store, drn_of(1), tariff_code="carry")
    balances = _balances(store)
    first = sell(store, module, drn=str(made.drn), minor=10_00).result
    _reversed(store, module, staff, taking_back(first.number, drn=str(made.drn)))
    assert _balances(store) == balances
    assert findings(store) == []


# --- the wrong meter -----------------------------------------------------------------------------


def _wrong(number: int) -> CaseContent:
    return taking_back(number, kind=CaseKind.WRONG_METER, right_drn=AISHA)


def test_the_right_meter_gets_the_money_in_the_same_step(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    wrong = sell(store, module).result
    done = _reversed(store, module, staff, _wrong(wrong.number))
    assert done.right_sale is not None
    assert (str(done.right_sale.drn), done.right_sale.tendered) == (AISHA, wrong.tendered)
    meter = RealMeter.of(meter_of(store, AISHA))
    assert isinstance(meter.enter(done.right_sale.tokens[0].digits), Accepted)
    again = reverse(
        store,
        module,
        staff.supervisor,
        case_number=done.credit_note.case_number,
        now=NOW + timedelta(minutes=3),
    )
    assert again == replace(done, replay=True)
    assert findings(store) == []


class _StoppedError(Exception):
    """The process is gone."""


def _stop_at(wanted: str) -> Callable[[str], None]:
    def stop(name: str) -> None:
        if name == wanted:
            raise _StoppedError

    return stop


@pytest.mark.parametrize(
    ("step", "notes"),
    [
        ("reversal.checked", 0),
        ("reversal.before_commit", 0),
        ("reversal.after_commit", 1),
        ("sale.issued", 1),
        ("sale.after_commit", 1),
    ],
)
def test_whoever_asks_again_goes_on_where_the_first_one_stopped(
    store: Store, module: SecurityModule, staff: Staff, step: str, notes: int
) -> None:
    wrong = sell(store, module).result
    case = approved(store, staff, _wrong(wrong.number))
    going_on = store.fail_point
    store.fail_point = _stop_at(step)
    with pytest.raises(_StoppedError):
        reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    store.fail_point = going_on
    assert rows(store, "credit_notes") == {"credit_notes": notes}
    assert findings(store) == []
    done = reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    assert done.replay == bool(notes)
    assert done.right_sale is not None
    assert rows(store, "credit_notes", "sales") == {"credit_notes": 1, "sales": 2}
    assert find_case(store, THABANENG, case_number=case.number).state is CaseState.DONE
    assert findings(store) == []


def test_a_blocked_right_meter_gets_its_sale_when_it_is_free_again(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    wrong = sell(store, module).result
    case = approved(store, staff, _wrong(wrong.number))
    change_meter(store, AISHA, blocked=True, block_reason="Tampered")
    with pytest.raises(VendingError) as refusal:
        reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    assert refusal.value.code == "METER_BLOCKED"
    assert find_sale(store, THABANENG, sale_number=wrong.number).reversed_by == 1
    change_meter(store, AISHA, blocked=False)
    done = reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    assert done.right_sale is not None
    assert meter_of(store, PIETER).blocked is False
    assert findings(store) == []


def _close_log_in(store: Store, *logins: str) -> None:
    with store.write() as connection:
        connection.execute(
            update(tables.operators)
            .where(tables.operators.c.login.in_(logins))
            .values(active=False)
        )


def test_who_approved_the_case_stands_for_the_sale_to_the_right_meter(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    wrong = sell(store, module).result
    done = _reversed(store, module, staff, _wrong(wrong.number))
    assert done.right_sale is not None
    assert done.right_sale.login == staff.supervisor.login
    assert find_sale(store, THABANENG, sale_number=wrong.number).login == staff.cashier.login


def test_the_right_meter_is_sold_to_when_nobody_of_the_first_sale_is_there_any_more(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    wrong = sell(store, module).result
    case = approved(store, staff, _wrong(wrong.number))
    _close_log_in(store, staff.cashier.login, staff.supervisor.login)
    for replay in (False, True):
        done = reverse(store, module, staff.engineer, case_number=case.number, now=NOW)
        assert done.replay == replay
        assert done.right_sale is not None
        assert str(done.right_sale.drn) == AISHA
    assert rows(store, "credit_notes", "sales") == {"credit_notes": 1, "sales": 2}
    assert findings(store) == []


def test_the_float_of_a_vendor_who_is_gone_pays_for_the_sale_to_the_right_meter(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    """The vendor has the customer's money, and the reversal has given the float back."""
    wrong = sell(store, module, login="tshepo", minor=100_00).result
    after = _float(store), _balances(store)["vendor-float:tshepo"]
    case = approved(store, staff, _wrong(wrong.number))
    _close_log_in(store, "tshepo")
    change(store, tables.vendors, active=False)
    done = reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    assert done.right_sale is not None
    assert (done.right_sale.vendor_code, done.right_sale.login) == (
        wrong.vendor_code,
        staff.supervisor.login,
    )
    assert (_float(store), _balances(store)["vendor-float:tshepo"]) == after
    assert "cash" not in _balances(store)
    assert findings(store) == []
