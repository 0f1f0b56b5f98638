"""The same request is carried out once, however often and from how many sides it comes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from keys.issuing import JournalledModule
from tests.vending_app.helpers import NOW
from tests.vending_app.vend.shop import (
    add_supply,
    audit_codes,
    drn_of,
    findings,
    rows,
    sell,
)
from vending_app.domain.errors import RequestIdReusedError, VendingError
from vending_app.storage.engine import Store

PARALLEL = 50


def test_the_same_request_gets_the_first_answer(store: Store, module: JournalledModule) -> None:
    first = sell(store, module)
    written = rows(store)
    later = sell(store, module, now=NOW + timedelta(days=1), login="botha")
    assert later.replay
    assert later.result == first.result
    assert rows(store) == written
    assert audit_codes(store) == []


@pytest.mark.parametrize(
    ("login", "code"), [("okafor", "NOT_PERMITTED"), ("rehema", "UNKNOWN_OPERATOR")]
)
def test_the_first_answer_is_for_those_who_may_sell(
    store: Store, module: JournalledModule, login: str, code: str
) -> None:
    """Somebody who knows the name of a request must not get its tokens by asking again."""
    sell(store, module)
    written = rows(store)
    with pytest.raises(VendingError) as refusal:
        sell(store, module, login=login)
    assert refusal.value.code == code
    assert rows(store) == written
    assert audit_codes(store) == [code]


@pytest.mark.parametrize(
    "other",
    [{"minor": 200_01}, {"units_tenths": 10}, {"drn": drn_of(1)}, {"special_reserved": True}],
)
def test_a_request_id_does_not_serve_twice(
    store: Store, module: JournalledModule, other: dict[str, Any]
) -> None:
    add_supply(store, drn_of(1), tariff_code="home")
    sell(store, module)
    with pytest.raises(RequestIdReusedError) as refusal:
        sell(store, module, **other)
    assert refusal.value.code == "REQUEST_ID_REUSED"
    assert rows(store)["sales"] == 1


def test_a_refused_request_may_come_again(store: Store, module: JournalledModule) -> None:
    with pytest.raises(VendingError):
        sell(store, module, login="okafor")
    assert not sell(store, module).replay


def test_fifty_identical_requests_at_once_are_one_sale(
    store: Store, module: JournalledModule
) -> None:
    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(lambda _: sell(store, module), range(PARALLEL)))
    assert sum(not answer.replay for answer in answers) == 1
    assert len({answer.result for answer in answers}) == 1
    assert rows(store, "sales", "tokens", "ledger_entries") == {
        "sales": 1,
        "tokens": 1,
        "ledger_entries": 2,
    }
    assert findings(store) == []
