"""The twin: a token that the meter would refuse is never shown, and nothing is charged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from sqlalchemy import select

from keys import (
    CreditRequest,
    IssueAnswer,
    IssueJournal,
    MeterConfiguration,
    NewKey,
    TokenRequest,
)
from keys.errors import CreditLimitError
from keys.issuing import JournalledModule
from sts import KeyType, Service, TariffIndex
from sts.meter.results import ResultCode
from tests.vending_app.helpers import NOW
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    add_supply,
    add_tariff,
    audit_codes,
    change_meter,
    drn_of,
    findings,
    rows,
    sell,
    tariff,
)
from vending_app.domain.errors import VendingError
from vending_app.domain.sales import BasisKind
from vending_app.services.issuing import make
from vending_app.services.plans import IssuePlan, Made, PlannedChange
from vending_app.services.twin import twin_refusal
from vending_app.storage import parties, tables, tokens
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal


@dataclass(eq=False)
class Stubborn(Elsewhere):
    """A module that makes another token than it is asked for, as one that chooses for itself."""

    other: Callable[[CreditRequest], CreditRequest] = lambda request: request

    def issue(
        self,
        meter: MeterConfiguration,
        request: TokenRequest,
        *,
        message_id: str,
        now: datetime,
        journal: IssueJournal | None = None,
    ) -> IssueAnswer:
        assert isinstance(request, CreditRequest)
        return super().issue(
            meter, self.other(request), message_id=message_id, now=now, journal=journal
        )


def _stubborn(
    module: JournalledModule, other: Callable[[CreditRequest], CreditRequest]
) -> Stubborn:
    return Stubborn(module, shares_journal=True, other=other)


def _used(request: CreditRequest) -> CreditRequest:
    """An identifier far back: the meter holds 50 greater ones."""
    return replace(request, tid_minutes=2)


def _of_water(request: CreditRequest) -> CreditRequest:
    return replace(request, service=Service.WATER)


def test_a_token_for_another_service_is_withheld(store: Store, module: JournalledModule) -> None:
    with store.read() as connection:
        account = parties.find_account(THABANENG, connection, account_number="C00102")
    with pytest.raises(VendingError) as refusal:
        sell(store, _stubborn(module, _of_water))
    assert refusal.value.code == "TWIN_FUNCTION_ERROR"
    assert rows(store, "sales", "tokens", "token_marks", "issue_journal") == {
        "sales": 0,
        "tokens": 1,
        "token_marks": 1,
        "issue_journal": 1,
    }
    with store.read() as connection:
        (basis,) = tokens.bases_of_request(THABANENG, connection, request_id="r-1")
        made = tokens.tokens_of_bases(THABANENG, connection, basis_numbers=[basis.number])
        (token,) = made[basis.number]
        assert parties.find_account(THABANENG, connection, account_number="C00102") == account
        kinds = connection.execute(select(tables.ledger_entries.c.kind)).scalars().all()
    assert basis.kind is BasisKind.WITHHELD
    assert token.withheld
    assert not token.void
    assert kinds[-1] == "issue"
    assert audit_codes(store) == ["TWIN_FUNCTION_ERROR"]
    assert findings(store) == []


def test_a_token_too_old_for_the_meter_is_withheld(store: Store, module: JournalledModule) -> None:
    for number in range(50):
        sell(store, module, request_id=f"r-{number}", minor=10_00 if number else 200_00)
    with pytest.raises(VendingError) as refusal:
        sell(store, _stubborn(module, _used), request_id="old")
    assert refusal.value.code == "TWIN_OLD_ERROR"
    assert findings(store) == []


def test_the_same_request_fails_the_same_way_again(store: Store, module: JournalledModule) -> None:
    for _ in range(2):
        with pytest.raises(VendingError) as refusal:
            sell(store, _stubborn(module, _of_water))
        assert refusal.value.code == "TWIN_FUNCTION_ERROR"
        assert "would refuse this token" in str(refusal.value)
    assert rows(store, "tokens") == {"tokens": 1}
    # Another request is another sale, and the withheld identifier is not used again.
    sale = sell(store, module, request_id="r-2").result
    with store.read() as connection:
        (basis,) = tokens.bases_of_request(THABANENG, connection, request_id="r-1")
        (withheld,) = tokens.tokens_of_bases(THABANENG, connection, basis_numbers=[basis.number])[
            basis.number
        ]
    assert sale.tokens[0].tid_minutes != withheld.tid_minutes


def test_a_vendor_gets_the_float_back(store: Store, module: JournalledModule) -> None:
    with pytest.raises(VendingError):
        sell(store, _stubborn(module, _of_water), login="tshepo")
    with store.read() as connection:
        vendor = parties.find_vendor(THABANENG, connection, vendor_code="tshepo")
    assert vendor.float_minor == 250_00


def _made(store: Store, module: JournalledModule) -> Made:
    """Have a key change and a credit made that fit the meter on record."""
    meter = change_meter(store, takes_supply_group=True)
    key = replace(meter.key, tariff_index=TariffIndex(2))
    new = NewKey(
        supply_group_code=key.supply_group_code,
        key_revision_number=key.key_revision_number,
        tariff_index=key.tariff_index,
        with_supply_group_code=True,
    )
    plan = IssuePlan(
        meter=meter, change=PlannedChange(message_id="key", new=new, key=key), tokens=()
    )
    with store.write() as connection:
        return make(module, plan, now=NOW, journal=DatabaseJournal(connection))


def test_a_key_change_is_shown_to_the_twin_as_well(store: Store, module: JournalledModule) -> None:
    made = _made(store, module)
    assert twin_refusal(made, issued=()) is None
    # The record says otherwise: the meter knows sets of two tokens only.
    plan = replace(made.plan, meter=replace(made.plan.meter, takes_supply_group=False))
    refusal = twin_refusal(replace(made, plan=plan), issued=())
    assert refusal is not None
    assert refusal.code is ResultCode.FUNCTION_ERROR


def test_a_type_of_key_that_may_not_follow_is_refused(
    store: Store, module: JournalledModule
) -> None:
    made = _made(store, module)
    assert made.change is not None
    record = replace(made.change.new_key.record, key_type=KeyType.COMMON)
    change = replace(made.change, new_key=replace(made.change.new_key, record=record))
    refusal = twin_refusal(replace(made, change=change), issued=())
    assert refusal is not None
    assert refusal.code is ResultCode.KEY_TYPE_ERROR


def test_of_several_tokens_those_made_before_a_refusal_are_withheld(
    store: Store, module: JournalledModule
) -> None:
    """The module has logged them, so they must stand in the books; nobody ever gets to see them."""
    add_tariff(store, tariff("plain"))
    add_supply(store, drn_of(1), tariff_code="plain")
    wrapped = Elsewhere(module, shares_journal=True)

    def used_up(_: str) -> None:
        if wrapped.asked.count("issue") > 1:
            raise CreditLimitError(10)

    wrapped.before = used_up
    for _ in range(2):
        with pytest.raises(VendingError) as refusal:
            sell(store, wrapped, drn=drn_of(1), minor=4_000_00)
        assert refusal.value.code == "CREDIT_LIMIT"
    written = {"sales": 0, "tokens": 1, "token_marks": 1, "issue_journal": 1}
    assert rows(store, *written) == written
    assert wrapped.asked == ["issue", "issue"]
    sale = sell(store, module, drn=drn_of(1), minor=1_00, request_id="r-2").result
    with store.read() as connection:
        (withheld,) = tokens.tokens_of_bases(THABANENG, connection, basis_numbers=[1])[1]
    assert withheld.withheld
    assert withheld.tid_minutes != sale.tokens[0].tid_minutes
    assert findings(store) == []
