"""Who has to wait for somebody else waits in one order, so that nobody is told to come again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import text

from keys.issuing import JournalledModule
from sts import KeyRevisionNumber
from tests.vending_app.cases.words import approved, taking_back
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff, staff
from tests.vending_app.vend.conftest import ModuleMaker
from tests.vending_app.vend.shop import (
    THABANENG,
    Elsewhere,
    add_place,
    add_supply,
    add_tariff,
    change,
    drn_of,
    findings,
    rows,
    sell,
    tariff,
)
from vending_app.domain.errors import ReversalImpossibleError
from vending_app.domain.network import Meter
from vending_app.domain.tariff import Rounding
from vending_app.services.reversal import reverse
from vending_app.storage import meters, network, parties, tables
from vending_app.storage.engine import Store

__all__ = ["staff"]

TILLS = 4
SALES_A_TILL = 15


@pytest.fixture
def street(store: Store) -> list[str]:
    """As many meters as sales, each with an account of its own."""
    add_tariff(store, tariff("plain"))
    drns = [drn_of(serial) for serial in range(TILLS * SALES_A_TILL)]
    for drn in drns:
        add_supply(store, drn, tariff_code="plain")
    return drns


def test_sales_with_and_without_a_key_change_number_their_papers_in_one_order(
    store: Store, make_module: ModuleMaker, street: list[str]
) -> None:
    change(store, tables.supply_groups, key_policy="always")
    # Of a table whose size it knows to be small, PostgreSQL finds rows in the order they lie in.
    with store.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    module = make_module({"key_revision_number": KeyRevisionNumber(2)})

    def sold(till: int) -> list[int]:
        return [
            len(sell(store, module, drn=drn, request_id=f"{drn}-{time}").result.tokens)
            for drn in street[till::TILLS]
            for time in ("first", "second")
        ]

    with ThreadPoolExecutor(TILLS) as tills:
        made = list(tills.map(sold, range(TILLS)))
    # The first sale brings the set of two.
    assert made == [[3, 1] * SALES_A_TILL] * TILLS
    assert findings(store) == []


def test_modules_here_and_elsewhere_sell_out_of_one_float(
    store: Store, module: JournalledModule, elsewhere: Elsewhere, street: list[str]
) -> None:
    change(store, tables.vendors, limit_minor=10**9)

    def sold(till: int) -> None:
        asked = elsewhere if till % 2 else module
        for drn in street[till::TILLS]:
            sell(store, asked, drn=drn, request_id=drn, login="tshepo", minor=1_00)

    with ThreadPoolExecutor(TILLS) as tills:
        list(tills.map(sold, range(TILLS)))
    assert rows(store, "sales") == {"sales": len(street)}
    assert findings(store) == []


def test_meters_that_share_an_account_sell_and_take_back_here_and_elsewhere(
    store: Store, module: JournalledModule, elsewhere: Elsewhere, staff: Staff
) -> None:
    add_tariff(store, tariff("plain", rounding=Rounding.CARRY))
    change(store, tables.vendors, limit_minor=10**9)
    change(store, tables.supply_groups, lead_cap_minutes=1440)
    drns = [drn_of(serial) for serial in range(4)]
    made = [add_supply(store, drn, tariff_code="plain") for drn in drns]
    _share_accounts(store, made[:2], made[2:])

    def sold(till: int) -> None:
        asked = elsewhere if till % 2 else module
        for number in range(SALES_A_TILL):
            drn = drns[(number + till) % len(drns)]
            sale = sell(
                store, asked, drn=drn, request_id=f"{till}-{number}", login="tshepo", minor=1_05
            ).result
            if number % 3 == 0:
                case = approved(store, staff, taking_back(sale.number, drn=drn))
                # Credit that a sale left over may be spent already.
                with suppress(ReversalImpossibleError):
                    reverse(store, asked, staff.supervisor, case_number=case.number, now=NOW)

    with ThreadPoolExecutor(TILLS) as tills:
        list(tills.map(sold, range(TILLS)))
    assert rows(store, "sales") == {"sales": TILLS * SALES_A_TILL}
    assert rows(store, "credit_notes")["credit_notes"] > 0
    assert findings(store) == []


def _share_accounts(store: Store, first: list[Meter], second: list[Meter]) -> None:
    """Hang each of the second meters at another place of the account of one of the first."""
    with store.write() as connection:
        for owner, guest in zip(first, second, strict=True):
            assert owner.service_point_code is not None
            code = f"beside-{owner.service_point_code}"
            # Its account has the number of its place.
            add_place(connection, code, account_number=owner.service_point_code)
            moved: Meter = replace(guest, service_point_code=code)
            meters.change_meter(THABANENG, connection, meter=moved)


@pytest.mark.parametrize("database_kind", [pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_what_refers_to_a_locked_row_is_added_all_the_same(store: Store) -> None:
    # SQLite lets one write at a time.
    number = "C00102"
    with store.write() as selling, store.write() as other:
        parties.lock_account(THABANENG, selling, account_number=number)
        other.execute(text("SET LOCAL lock_timeout = 500"))
        point = add_place(other, "next-door", account_number=number)
    with store.read() as connection:
        found = network.find_service_point(THABANENG, connection, code=point.code)
    assert found == point
