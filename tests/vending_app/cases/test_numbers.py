"""Numbers that no database counts up to are answered like any other that nothing has."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from keys import SecurityModule
from tests.vending_app.cases.words import taking_back
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import THABANENG, audit_codes
from vending_app.domain.errors import VendingError
from vending_app.services.case_tokens import CaseTokens, issue_case_tokens
from vending_app.services.cases import approve_case, find_case, open_case, refuse_case
from vending_app.services.receipts import find_sale, reprint, reprint_issued
from vending_app.services.reversal import reverse
from vending_app.storage import ledger_reading, tables
from vending_app.storage.engine import Store

NUMBERS = (2**63 - 1, 2**63, -(2**70), 10**64, 0)


@pytest.fixture
def asked(
    store: Store, module: SecurityModule, staff: Staff
) -> dict[str, tuple[Callable[[int], object], ...]]:
    """Whatever is asked for by a number, by how it is refused."""
    boss = staff.supervisor

    def entry(number: int) -> None:
        with store.read() as connection:
            ledger_reading.find_entry(THABANENG, connection, entry_number=number)

    return {
        "UNKNOWN_SALE": (
            lambda number: find_sale(store, THABANENG, sale_number=number),
            lambda number: reprint(store, boss, sale_number=number, now=NOW),
            lambda number: open_case(store, boss, content=taking_back(number), now=NOW),
        ),
        "UNKNOWN_CASE": (
            lambda number: find_case(store, THABANENG, case_number=number),
            lambda number: approve_case(store, boss, case_number=number, now=NOW),
            lambda number: refuse_case(store, boss, case_number=number, now=NOW),
            lambda number: reverse(store, module, boss, case_number=number, now=NOW),
            lambda number: issue_case_tokens(
                store,
                module,
                boss,
                wanted=CaseTokens(request_id="c-1", case_number=number),
                now=NOW,
            ),
        ),
        "UNKNOWN_BASIS": (
            lambda number: reprint_issued(store, boss, basis_number=number, now=NOW),
        ),
        "UNKNOWN_LEDGER_ENTRY": (entry,),
    }


@pytest.mark.parametrize(
    "code", ["UNKNOWN_SALE", "UNKNOWN_CASE", "UNKNOWN_BASIS", "UNKNOWN_LEDGER_ENTRY"]
)
def test_a_number_of_nothing_is_unknown_however_large(
    asked: dict[str, tuple[Callable[[int], object], ...]], code: str
) -> None:
    for ask in asked[code]:
        for number in NUMBERS:
            with pytest.raises(VendingError) as refusal:
                ask(number)
            assert refusal.value.code == code
            assert str(number) in str(refusal.value)


def test_the_audit_log_keeps_the_number_that_was_asked_for(
    store: Store, module: SecurityModule, staff: Staff
) -> None:
    with pytest.raises(VendingError):
        reverse(store, module, staff.supervisor, case_number=10**64, now=NOW)
    assert audit_codes(store) == ["UNKNOWN_CASE"]
    with store.read() as connection:
        document = connection.execute(select(tables.audit_events.c.document)).scalar_one()
    assert json.loads(document) == {"case": str(10**64), "request": "reversal"}
