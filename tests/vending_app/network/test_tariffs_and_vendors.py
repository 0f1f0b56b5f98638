"""Versions of tariffs, dated tables and vendors' floats, over both databases."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from sts import Service
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff
from vending_app.demo_story import FIRST_DEPOSIT_MINOR
from vending_app.demo_tariffs import HOME, HOUSEHOLD, SHOP_WATER
from vending_app.domain.errors import (
    AlreadyThereError,
    NotPermittedError,
    SecondPersonError,
    ServiceMismatchError,
    TariffCodeError,
    TariffError,
    TariffOddError,
    UnknownTariffError,
    UnknownVendorError,
)
from vending_app.domain.roles import Role
from vending_app.domain.tariff import (
    DatedRate,
    DatedTable,
    format_table,
    format_version,
    parse_version,
    version_hash,
)
from vending_app.services import tariffs, vendors
from vending_app.services.vendors import Deposit
from vending_app.storage import ledger_reading, pricing
from vending_app.storage.engine import Store

TENANT = "thabaneng"
NEXT = replace(HOME, number=2, first_day=date(2026, 7, 1))


def _add(store: Store, staff: Staff, document: str) -> None:
    tariffs.add_version(
        store,
        staff.administrator,
        document=document,
        approver=staff.supervisor,
        now=NOW,
        accepted=True,
    )


def test_a_version_is_in_force_from_its_first_day(store: Store, staff: Staff) -> None:
    _add(store, staff, format_version(NEXT))
    with store.read() as connection:
        last = pricing.ask_version_on(
            TENANT, connection, tariff_code="home", day=date(2026, 6, 30)
        )()
        first = pricing.ask_version_on(
            TENANT, connection, tariff_code="home", day=date(2026, 7, 1)
        )()
        before = pricing.ask_version_on(
            TENANT, connection, tariff_code="home", day=date(2025, 6, 30)
        )()
    assert last is not None
    assert first is not None
    assert before is None
    assert (last.number, first.number) == (1, 2)
    assert parse_version(first.document) == NEXT
    assert first.document_hash == version_hash(NEXT)


def test_a_version_that_ends_leaves_its_days_to_the_one_before(store: Store, staff: Staff) -> None:
    winter = replace(NEXT, last_day=date(2026, 8, 31))
    _add(store, staff, format_version(winter))
    with store.read() as connection:
        after = pricing.ask_version_on(
            TENANT, connection, tariff_code="home", day=date(2026, 9, 1)
        )()
    assert after is not None
    assert after.number == 1


def test_versions_follow_each_other(store: Store, staff: Staff) -> None:
    with pytest.raises(TariffCodeError, match="number 2") as refusal:
        _add(store, staff, format_version(replace(NEXT, number=3)))
    assert refusal.value.code == "TARIFF_VERSION"


def test_a_version_of_another_currency_is_refused(store: Store, staff: Staff) -> None:
    with pytest.raises(TariffCodeError, match="currency"):
        _add(store, staff, format_version(replace(HOUSEHOLD, code="home", number=2)))


def test_a_version_of_another_service_is_refused(store: Store, staff: Staff) -> None:
    with pytest.raises(ServiceMismatchError):
        _add(store, staff, format_version(replace(SHOP_WATER, code="home", number=2)))


def test_a_tariff_that_is_not_there_has_no_versions(store: Store, staff: Staff) -> None:
    with pytest.raises(UnknownTariffError):
        _add(store, staff, format_version(replace(HOME, code="other")))


def test_what_is_no_tariff_is_refused_with_its_own_code(store: Store, staff: Staff) -> None:
    with pytest.raises(TariffError) as refusal:
        _add(store, staff, "{")
    assert refusal.value.code == "TARIFF_JSON"


def test_what_is_odd_is_for_the_approver_to_accept(store: Store, staff: Staff) -> None:
    """A purchase of R5 is eaten up by the basic charge: that may be meant, or not."""
    findings = tariffs.review_version(store, staff.supervisor, document=format_version(NEXT))
    assert findings
    with pytest.raises(TariffOddError) as refusal:
        tariffs.add_version(
            store,
            staff.administrator,
            document=format_version(NEXT),
            approver=staff.supervisor,
            now=NOW,
        )
    assert refusal.value.code == "TARIFF_ODD"
    assert findings[0].message in str(refusal.value)
    with store.read() as connection:
        assert pricing.last_version_number(TENANT, connection, tariff_code="home") == 1


def test_an_approver_is_told_what_is_no_tariff(store: Store, staff: Staff) -> None:
    (finding,) = tariffs.review_version(store, staff.supervisor, document="{")
    assert finding.code == "TARIFF_JSON"
    with pytest.raises(NotPermittedError):
        tariffs.review_version(store, staff.cashier, document="{")


def test_nobody_approves_their_own_tariff(store: Store, staff: Staff) -> None:
    both = replace(staff.supervisor, role=Role.ADMINISTRATOR)
    with pytest.raises(SecondPersonError) as refusal:
        tariffs.add_version(
            store, both, document=format_version(NEXT), approver=staff.supervisor, now=NOW
        )
    assert refusal.value.code == "SECOND_PERSON"


def test_a_cashier_approves_no_tariff(store: Store, staff: Staff) -> None:
    with pytest.raises(NotPermittedError):
        tariffs.add_version(
            store,
            staff.administrator,
            document=format_version(NEXT),
            approver=staff.cashier,
            now=NOW,
        )


def test_a_tariff_is_added_once(store: Store, staff: Staff) -> None:
    def add() -> None:
        tariffs.add_tariff(
            store,
            staff.administrator,
            code="farm",
            name="Farm",
            service=Service.ELECTRICITY,
            tariff_index=7,
        )

    add()
    with store.read() as connection:
        assert pricing.find_tariff(TENANT, connection, tariff_code="farm").tariff_index == 7
    with pytest.raises(AlreadyThereError):
        add()


def test_the_latest_revision_of_a_dated_table_counts(store: Store, staff: Staff) -> None:
    first, second = (
        DatedTable(code="fuel", rates=(DatedRate(date(2026, 3, 1), Fraction(cents)),))
        for cents in (10, 12)
    )
    for table in (first, second):
        tariffs.add_table(
            store,
            staff.administrator,
            document=format_table(table),
            approver=staff.supervisor,
            now=NOW,
        )
    with store.read() as connection:
        (kept,) = pricing.find_tables(TENANT, connection)
    assert kept.revision == 2
    assert kept.document == format_table(second)


def test_a_deposit_is_booked_once(store: Store, staff: Staff) -> None:
    paid = Deposit(vendor_code="tshepo", bank_reference="FNB-1", amount_minor=500_00)
    vendor = vendors.deposit(store, staff.supervisor, paid=paid, now=NOW)
    assert vendor.float_minor == FIRST_DEPOSIT_MINOR + 500_00
    assert vendor.available_minor == vendor.float_minor
    with pytest.raises(AlreadyThereError) as refusal:
        vendors.deposit(store, staff.supervisor, paid=paid, now=NOW)
    assert refusal.value.code == "ALREADY_THERE"
    with store.read() as connection:
        entry = ledger_reading.find_entry_by_reference(
            TENANT, connection, kind="float deposit", reference="deposit FNB-1"
        )
    assert entry is not None
    booked = {posting.account: posting.amount_minor for posting in entry.postings}
    assert booked == {"bank": 500_00, "vendor-float:tshepo": -500_00}


def test_a_vendor_that_is_not_there_pays_nothing_in(store: Store, staff: Staff) -> None:
    paid = Deposit(vendor_code="ghost", bank_reference="FNB-2", amount_minor=1)
    with pytest.raises(UnknownVendorError) as refusal:
        vendors.deposit(store, staff.supervisor, paid=paid, now=NOW)
    assert refusal.value.code == "UNKNOWN_VENDOR"


def test_a_vendor_begins_with_nothing(store: Store, staff: Staff) -> None:
    vendor = vendors.add_vendor(
        store, staff.supervisor, code="kiosk", name="Kiosk", limit_minor=10_00, now=NOW
    )
    assert (vendor.float_minor, vendor.available_minor) == (0, 10_00)
    with pytest.raises(AlreadyThereError):
        vendors.add_vendor(
            store, staff.supervisor, code="kiosk", name="Kiosk", limit_minor=0, now=NOW
        )
