"""Two people do at once what goes by what is there: each is told what came of it.

On PostgreSQL alone; on SQLite one write comes after the other.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, text

from keys.audit import AuditLog
from keys.chain_seal import HmacSealKey
from keys.issuing import JournalledModule
from keys.secret import Secret
from sts import DecoderReferenceNumber
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff, staff
from tests.vending_app.vend.shop import (
    THABANENG,
    add_place,
    add_supply,
    add_tariff,
    drn_of,
    findings,
    meter_of,
    sell,
    tariff,
)
from vending_app.demo_tariffs import HOME
from vending_app.domain.errors import AlreadyThereError, PlaceTakenError, TariffCodeError
from vending_app.domain.network import Life, Meter
from vending_app.domain.parties import Vendor
from vending_app.domain.sales import Sale
from vending_app.domain.tariff import (
    DatedRate,
    DatedTable,
    TariffVersion,
    format_table,
    format_version,
)
from vending_app.services import clock, meters, tariffs
from vending_app.services.reconciliation import reconcile
from vending_app.services.vendors import Deposit, add_vendor, deposit
from vending_app.storage import clock as clock_statements
from vending_app.storage import ledger, network, parties, pricing, tenants
from vending_app.storage import meters as meter_statements
from vending_app.storage.engine import Store

__all__ = ["staff"]

_ACCOUNT: Final = "C00102"
_PATIENCE_S: Final = 30
_WAITING: Final = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


def _at_once(
    store: Store, hold: Callable[[Connection], object], *acts: Callable[[], object]
) -> list[object]:
    """Have all of them wait for what ``hold`` does; return what came of each, or its error."""
    with ThreadPoolExecutor(len(acts)) as pool:
        with store.write() as holder:
            hold(holder)
            begun = [pool.submit(act) for act in acts]
            _wait_until_they_wait(store, len(acts))
        return [each.exception() or each.result() for each in begun]


def _wait_until_they_wait(store: Store, count: int) -> None:
    gives_up_at = time.monotonic() + _PATIENCE_S
    while time.monotonic() < gives_up_at:
        with store.read() as connection:
            if connection.execute(_WAITING).scalar_one() == count:
                return
        time.sleep(0.01)
    pytest.fail("they do not wait for it")


def _hold_books(connection: Connection) -> None:
    ledger.lock_books(THABANENG, connection)


def _hold_tenant(connection: Connection) -> None:
    tenants.lock_tenant(THABANENG, connection)


def test_a_sale_goes_by_the_tariff_that_the_account_got_while_it_waited(
    store: Store, module: JournalledModule
) -> None:
    add_tariff(store, tariff("other", rate=Fraction(500)))

    def change(connection: Connection) -> None:
        parties.set_account_tariff(
            THABANENG, connection, account_number=_ACCOUNT, tariff_code="other"
        )

    (sold,) = _at_once(store, change, lambda: sell(store, module).result)
    assert isinstance(sold, Sale)
    assert (sold.tariff_code, sold.sold_tenths) == ("other", 400)
    assert findings(store) == []


def test_a_sale_goes_to_the_place_that_the_meter_got_while_it_waited(
    store: Store, module: JournalledModule
) -> None:
    add_tariff(store, tariff("plain"))
    other = add_supply(store, drn_of(1), tariff_code="plain")

    def move(connection: Connection) -> None:
        add_place(connection, "next-door", account_number=_ACCOUNT)
        moved: Meter = replace(other, service_point_code="next-door")
        meter_statements.change_meter(THABANENG, connection, meter=moved)

    (sold,) = _at_once(
        store, move, lambda: sell(store, module, drn=str(other.drn), login="botha").result
    )
    assert isinstance(sold, Sale)
    assert sold.account_number == _ACCOUNT


def test_a_meter_that_was_taken_down_while_a_sale_waited_takes_none(
    store: Store, module: JournalledModule
) -> None:
    def take_down(connection: Connection) -> None:
        changed: Meter = replace(meter_of(store), life=Life.REMOVED, service_point_code=None)
        meter_statements.change_meter(THABANENG, connection, meter=changed)

    (refused,) = _at_once(store, take_down, lambda: sell(store, module))
    assert getattr(refused, "code", "") == "METER_WITHOUT_PLACE"


def test_a_payment_counts_for_one_of_two_vendors(store: Store, staff: Staff) -> None:
    add_vendor(store, staff.supervisor, code="second", name="Second", limit_minor=0, now=NOW)

    def paid_to(code: str) -> Callable[[], Vendor]:
        paid = Deposit(vendor_code=code, bank_reference="8841", amount_minor=100_00)
        return lambda: deposit(store, staff.supervisor, paid=paid, now=NOW)

    found = _at_once(store, _hold_books, paid_to("tshepo"), paid_to("second"))
    assert {type(each) for each in found} == {Vendor, AlreadyThereError}
    assert findings(store) == []


def test_one_of_two_meters_gets_the_place(store: Store, staff: Staff) -> None:
    drns = [DecoderReferenceNumber(drn_of(serial)) for serial in (1, 2)]
    code = "next-door"
    like = meter_of(store)
    with store.write() as connection:
        add_place(connection, code, account_number=_ACCOUNT)
        for drn in drns:
            new: Meter = replace(like, drn=drn, life=Life.STOCK, service_point_code=None)
            meter_statements.add_meter(THABANENG, connection, meter=new, now=NOW)

    def hung(drn: DecoderReferenceNumber) -> Callable[[], Meter]:
        return lambda: meters.install(
            store, staff.engineer, drn=drn, service_point_code=code, now=NOW
        )

    found = _at_once(
        store,
        lambda connection: network.lock_service_point(THABANENG, connection, code=code),
        *map(hung, drns),
    )
    (taken,) = (each for each in found if isinstance(each, PlaceTakenError))
    (there,) = (each for each in found if isinstance(each, Meter))
    assert str(there.drn) in str(taken)


def test_a_day_is_reconciled_twice(store: Store, tmp_path: Path) -> None:
    log, key = tmp_path / "module.audit", HmacSealKey(Secret(bytes(32)))
    AuditLog.create(log, "module/1", key=key, actor="test", now=NOW)
    later = NOW + timedelta(days=1)

    def reconciled() -> int:
        return reconcile(
            store, THABANENG, log=log, day=date(2026, 3, 2), now=later, key=key
        ).attempt

    assert sorted(map(str, _at_once(store, _hold_tenant, reconciled, reconciled))) == ["1", "2"]


def test_a_table_gets_two_revisions(store: Store, staff: Staff) -> None:
    def added(rate: int) -> Callable[[], DatedTable]:
        table = DatedTable(
            code="levy",
            rates=(DatedRate(first_day=date(2026, 3, 1), rate=Fraction(rate)),),
        )
        return lambda: tariffs.add_table(
            store,
            staff.administrator,
            document=format_table(table),
            approver=staff.supervisor,
            now=NOW,
        )

    found = _at_once(store, _hold_tenant, added(1), added(2))
    assert [type(each) for each in found] == [DatedTable, DatedTable]
    with store.read() as connection:
        assert pricing.last_table_revision(THABANENG, connection, table_code="levy") == 2


def test_one_of_two_versions_is_the_next(store: Store, staff: Staff) -> None:
    document = format_version(replace(HOME, number=2, first_day=date(2026, 7, 1)))

    def added() -> TariffVersion:
        return tariffs.add_version(
            store,
            staff.administrator,
            document=document,
            approver=staff.supervisor,
            now=NOW,
            accepted=True,
        )

    found = _at_once(store, _hold_tenant, added, added)
    assert {type(each) for each in found} == {TariffVersion, TariffCodeError}


def test_what_two_say_of_the_clock_counts_both(store: Store, staff: Staff) -> None:
    def accept() -> object:
        today = NOW.date()
        return clock.accept(store, staff.supervisor, today=today, reason="Looked", now=NOW)

    def limit() -> object:
        return clock.set_limit(store, staff.supervisor, days=200, reason="Few", now=NOW)

    _at_once(store, _hold_books, accept, limit)
    with store.read() as connection:
        terms = clock_statements.find_terms(THABANENG, connection)
    assert terms.days_ahead == 200
    assert terms.accepted_until is not None
