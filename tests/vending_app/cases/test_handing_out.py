"""What is handed out again: nothing that the meter cannot, or must not, take any more."""

from datetime import timedelta

import pytest

from keys import SecurityModule
from sts import DecoderReferenceNumber, TariffIndex
from sts.meter.outcomes import Refused
from tests.vending_app.cases.words import add_indexed, approved, taking_back
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import (
    THABANENG,
    RealMeter,
    drn_of,
    findings,
    meter_of,
    rows,
    sell,
)
from vending_app import demo_story as story
from vending_app.domain.held_back import HeldBack
from vending_app.domain.sales import Sale
from vending_app.services.key_changes import (
    KeyChangeRequest,
    change_key,
    confirm,
    give_up,
    let_present_key_serve,
)
from vending_app.services.receipts import find_receipt, find_sale, reprint
from vending_app.services.reversal import reverse
from vending_app.storage.engine import Store

MADE = drn_of(1)
DRN = DecoderReferenceNumber(MADE)
CHANGE = 2
"""The tokens of a key change come first in a sale."""


@pytest.fixture
def sale(store: Store, module: SecurityModule) -> Sale:
    """A sale that has changed the key of its meter."""
    add_indexed(store, 7)
    sold = sell(store, module, drn=MADE).result
    assert len(sold.tokens) == CHANGE + 1
    return sold


def _why(sale: Sale) -> tuple[HeldBack | None, HeldBack | None]:
    """Return why the set and the credit of a sale are held back."""
    for token in sale.tokens:
        assert bool(token.digits) == (token.held_back is None)
    assert len({token.held_back for token in sale.tokens[:CHANGE]}) == 1
    return sale.tokens[0].held_back, sale.tokens[CHANGE].held_back


def _shown(store: Store, sale: Sale) -> Sale:
    return find_sale(store, THABANENG, sale_number=sale.number)


def test_while_the_change_is_on_its_way_everything_is_handed_out(store: Store, sale: Sale) -> None:
    assert _shown(store, sale) == sale


def test_a_set_that_was_given_up_is_not_handed_out_and_nor_is_its_credit(
    store: Store, module: SecurityModule, staff: Staff, sale: Sale
) -> None:
    give_up(store, staff.engineer, drn=DRN, reason="The customer did not want it", now=NOW)
    expected = (HeldBack.CHANGE_GIVEN_UP, HeldBack.OTHER_KEY)
    assert _why(_shown(store, sale)) == expected
    printed = reprint(store, staff.cashier, sale_number=sale.number, now=NOW)
    assert (_why(printed), printed.reprints) == (expected, 1)
    # Nor by the request that sold it.
    again = sell(store, module, drn=MADE)
    assert (again.replay, _why(again.result)) == (True, expected)
    receipt = find_receipt(store, THABANENG, sale_number=sale.number)
    assert (receipt.meter.present_key, receipt.meter.new_key) == (sale.tokens[0].key, None)


def test_the_credit_that_is_held_back_cannot_be_entered_without_its_set(
    store: Store, sale: Sale
) -> None:
    meter = RealMeter.of(meter_of(store, MADE))
    assert isinstance(meter.enter(sale.tokens[CHANGE].digits), Refused)


def test_a_sale_whose_change_was_given_up_is_taken_back_by_a_case(
    store: Store, module: SecurityModule, staff: Staff, sale: Sale
) -> None:
    give_up(store, staff.engineer, drn=DRN, reason="Not wanted", now=NOW)
    assert "open a case" in HeldBack.OTHER_KEY.words
    case = approved(store, staff, taking_back(sale.number, drn=MADE))
    reverse(store, module, staff.supervisor, case_number=case.number, now=NOW)
    assert _why(_shown(store, sale)) == (HeldBack.VOID, HeldBack.VOID)
    assert rows(store, "credit_notes") == {"credit_notes": 1}
    assert findings(store) == []


def test_a_later_sale_without_a_set_is_for_the_key_that_was_given_up_as_well(
    store: Store, module: SecurityModule, staff: Staff, sale: Sale
) -> None:
    later = sell(store, module, drn=MADE, request_id="r-2", now=NOW + timedelta(days=1)).result
    assert len(later.tokens) == 1
    give_up(store, staff.engineer, drn=sale.drn, reason="Not wanted", now=NOW)
    (token,) = _shown(store, later).tokens
    assert (token.held_back, token.digits) == (HeldBack.OTHER_KEY, "")


def test_of_a_confirmed_change_the_credit_is_handed_out_and_the_set_is_not(
    store: Store, staff: Staff, sale: Sale
) -> None:
    confirm(store, staff.engineer, drn=DRN, reason="Seen at the meter", now=NOW)
    assert _why(_shown(store, sale)) == (HeldBack.CHANGE_CONFIRMED, None)


def test_a_lost_set_is_replaced_and_the_first_credit_comes_after_the_second_set(
    store: Store, module: SecurityModule, staff: Staff, sale: Sale
) -> None:
    meter = RealMeter.of(meter_of(store, MADE))
    let_present_key_serve(store, staff.engineer, drn=DRN, reason="Slip lost", now=NOW)
    assert _why(_shown(store, sale)) == (None, None)
    second = sell(store, module, drn=MADE, request_id="r-2").result
    shown = _shown(store, sale)
    assert _why(shown) == (HeldBack.CHANGE_REPLACED, None)
    assert _why(_shown(store, second)) == (None, None)
    outcomes = meter.enter_all((*second.tokens[:CHANGE], shown.tokens[CHANGE], second.tokens[-1]))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Refused)], outcomes
    give_up(store, staff.engineer, drn=DRN, reason="Not wanted", now=NOW)
    for each in (sale, second):
        assert _why(_shown(store, each)) == (HeldBack.CHANGE_GIVEN_UP, HeldBack.OTHER_KEY)


def test_credit_for_the_key_before_is_handed_out_until_the_change_is_confirmed(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    before = sell(store, module).result
    wanted = KeyChangeRequest(
        request_id="k-1",
        drn=DecoderReferenceNumber(PIETER),
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=story.KEY_REVISION_NUMBER,
        tariff_index=TariffIndex(2),
        reason="Another index",
    )
    change_key(store, module, staff.engineer, wanted=wanted, now=NOW)
    assert _shown(store, before) == before
    confirm(store, staff.engineer, drn=before.drn, reason="Seen at the meter", now=NOW)
    (token,) = _shown(store, before).tokens
    assert token.held_back is HeldBack.OTHER_KEY
