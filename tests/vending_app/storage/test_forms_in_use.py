"""Databases of later forms come to the present one in the midst of their work, and go on with it.

Sales done, open and failed; key changes confirmed and on their way; currency credit of a vending
key in the security module's journal. To bring it over takes a second, so one test looks at it all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from keys import KeyName
from keys.errors import UnknownKeyError
from keys.issuing import JournalledModule
from sts import DecoderReferenceNumber, KeyRevisionNumber, Service, TariffIndex
from tests.vending_app.cases.words import AISHA
from tests.vending_app.conftest import opened
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.vend.conftest import elsewhere
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    add_supply,
    add_tariff,
    drn_of,
    findings,
    meter_of,
    sell,
    tariff,
)
from vending_app import demo_story as story
from vending_app.demo import fill_database
from vending_app.domain.errors import VendingError
from vending_app.domain.network import CreditKind, Serving
from vending_app.domain.parties import Operator
from vending_app.domain.periods import ClockTerms
from vending_app.domain.sales import Sale
from vending_app.services.key_changes import KeyChangeRequest, change_key, confirm
from vending_app.services.operators import find_active_operator
from vending_app.services.receipts import find_sale
from vending_app.services.recovery import open_requests, recover
from vending_app.storage import clock, tables
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal
from vending_app.storage.migrate import require_current, upgrade

__all__ = ["elsewhere"]

FORMS = ("0007", "0008")
CHANGED, CHANGING, WATER = (DecoderReferenceNumber(drn) for drn in (PIETER, AISHA, drn_of(1)))
KEY = KeyName(
    tenant=THABANENG,
    supply_group_code=story.SUPPLY_GROUP_CODE,
    key_revision_number=story.KEY_REVISION_NUMBER,
)
LATER = NOW + timedelta(hours=1)


@dataclass(frozen=True)
class InUse:
    """A database of a past form, brought to this one, and those who go on with it."""

    store: Store
    module: JournalledModule
    elsewhere: Elsewhere
    engineer: Operator
    sales: tuple[Sale, Sale]


def _dead_line(_: str) -> None:
    message = "the line is dead"
    raise ConnectionError(message)


def _refusing(name: str) -> None:
    if name == "issue":
        raise UnknownKeyError("201457", "1")


def _refusal(store: Store, module: Elsewhere, *, request_id: str, drn: str) -> str:
    with pytest.raises(VendingError) as refusal:
        sell(store, module, request_id=request_id, drn=drn)
    return refusal.value.code


def _change_keys(store: Store, module: JournalledModule, engineer: Operator) -> None:
    """Change the keys of two meters; one of them is known to have taken it."""
    for drn in (CHANGED, CHANGING):
        wanted = KeyChangeRequest(
            request_id=f"k-{drn}",
            drn=drn,
            supply_group_code=story.SUPPLY_GROUP_CODE,
            key_revision_number=KeyRevisionNumber(1),
            tariff_index=TariffIndex(2),
            reason="The tariff index of the street",
        )
        change_key(store, module, engineer, wanted=wanted, now=NOW)
    confirm(store, engineer, drn=CHANGED, reason="Seen at the meter", now=NOW)


@pytest.fixture(params=FORMS)
def in_use(
    request: pytest.FixtureRequest,
    empty_database_url: str,
    module: JournalledModule,
    elsewhere: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[InUse]:
    """What the past forms have in common is written by the program of today."""
    with opened(empty_database_url) as store:
        upgrade(store, revision=request.param)
        fill_database(store, now=NOW)
        engineer = find_active_operator(store, THABANENG, login="farai")
        assert engineer is not None
        add_tariff(store, tariff("money", currency_credit=True, service=Service.WATER))
        add_supply(
            store,
            str(WATER),
            tariff_code="money",
            credit_kind=CreditKind.CURRENCY,
            service=Service.WATER,
        )
        _change_keys(store, module, engineer)
        with monkeypatch.context() as then:
            # These forms had no row in which credit was counted.
            then.setattr(DatabaseJournal, "_count", lambda *_: None)
            credit = sell(store, module, request_id="money", drn=WATER).result
        sale = sell(store, module, request_id="done", accept_key_change=True).result
        elsewhere.after = _dead_line
        assert _refusal(store, elsewhere, request_id="open", drn=AISHA) == "OUTCOME_UNKNOWN"
        elsewhere.before, elsewhere.after = _refusing, lambda _: None
        assert _refusal(store, elsewhere, request_id="failed", drn=AISHA) == "UNKNOWN_VENDING_KEY"
        elsewhere.before = lambda _: None
        upgrade(store)
        require_current(store)
        yield InUse(store, module, elsewhere, engineer, (sale, credit))


def test_a_database_in_use_goes_on(in_use: InUse) -> None:
    _require_sales(in_use)
    _decide(in_use)
    _confirm(in_use)
    _count(in_use)
    with in_use.store.read() as connection:
        assert clock.find_terms(THABANENG, connection) == ClockTerms()
    assert findings(in_use.store) == []


def _require_sales(in_use: InUse) -> None:
    store = in_use.store
    for sale in in_use.sales:
        assert find_sale(store, THABANENG, sale_number=sale.number) == sale
    again = sell(store, in_use.module, request_id="done", accept_key_change=True)
    assert (again.replay, again.result) == (True, in_use.sales[0])
    assert findings(store) == []


def _decide(in_use: InUse) -> None:
    """Find out what came of the request that is open; the one that failed has failed."""
    store, module = in_use.store, in_use.elsewhere
    assert [each.request_id for each in open_requests(store, THABANENG, limit=9)] == ["open"]
    found = recover(store, module, now=LATER, tenant=THABANENG, request_id="open")
    assert (found.replay, found.result.drn, len(found.result.tokens)) == (False, CHANGING, 1)
    assert open_requests(store, THABANENG, limit=9) == ()
    module.asked.clear()
    code = _refusal(store, module, request_id="failed", drn=AISHA)
    assert (code, module.asked) == ("UNKNOWN_VENDING_KEY", [])


def _confirm(in_use: InUse) -> None:
    """Take up the key changes where they stood."""
    store, changed = in_use.store, meter_of(in_use.store, str(CHANGED))
    assert (changed.present_key.tariff_index, changed.new_key) == (TariffIndex(2), None)
    assert meter_of(store, str(CHANGING)).serving is Serving.NEW
    found = confirm(store, in_use.engineer, drn=CHANGING, reason="Seen", now=LATER)
    assert (found.present_key.tariff_index, found.new_key) == (TariffIndex(2), None)
    assert sell(store, in_use.module, request_id="next", drn=AISHA, now=LATER).result.tokens


def _count(in_use: InUse) -> None:
    """Count the credit of a vending key, beginning with what the journal has of it."""
    store = in_use.store

    def counted() -> tuple[int, int]:
        with store.write() as connection:
            units = connection.execute(select(tables.issue_journal.c.credit_units)).scalars()
            journalled = sum(int(each) for each in units)
            return DatabaseJournal(connection).credit_used(KEY), journalled

    used, journalled = counted()
    assert used == journalled > 0
    sell(store, in_use.module, request_id="money-2", drn=WATER, now=LATER)
    assert counted() == (2 * used, 2 * used)
