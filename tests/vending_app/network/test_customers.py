"""Customers, accounts, places and supply groups, over both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sts import Service, SupplyGroupCode
from tests.vending_app.helpers import NOW
from tests.vending_app.network.conftest import Staff
from vending_app.demo_story import SUPPLY_GROUPS
from vending_app.domain.errors import (
    AlreadyThereError,
    CodeFormError,
    NotPermittedError,
    ReasonMissingError,
    UnknownAccountError,
    UnknownAreaError,
    UnknownCustomerError,
    UnknownFeederError,
    UnknownTariffError,
)
from vending_app.domain.network import Area, Feeder, ServicePoint
from vending_app.domain.parties import AccountState, Customer
from vending_app.services import customers, network
from vending_app.storage import network as network_storage
from vending_app.storage import parties
from vending_app.storage.engine import Store

TENANT = "thabaneng"
LINDIWE = Customer(tenant=TENANT, number="C-77", name="Lindiwe Maseko", language="zu")


def test_a_customer_gets_an_account_and_a_place(store: Store, staff: Staff) -> None:
    administrator = staff.administrator
    customers.add_customer(store, LINDIWE, operator=administrator)
    account = customers.open_account(
        store, administrator, number="A-77", customer_number="C-77", tariff_code="home", now=NOW
    )
    network.add_area(store, Area(tenant=TENANT, code="north", name="North"), operator=administrator)
    feeder = Feeder(tenant=TENANT, code="F1", name="Kerk Street line", area_code="north")
    network.add_feeder(store, feeder, operator=administrator)
    point = ServicePoint(
        tenant=TENANT,
        code="P-77",
        account_number="A-77",
        place="2 Kerk Street",
        service=Service.ELECTRICITY,
        feeder_code="F1",
    )
    network.add_service_point(store, point, operator=administrator)
    with store.read() as connection:
        assert parties.find_customer(TENANT, connection, customer_number="C-77") == LINDIWE
        assert parties.find_account(TENANT, connection, account_number="A-77") == account
        assert network_storage.find_service_point(TENANT, connection, code="P-77") == point


def test_numbers_are_taken_once(store: Store, staff: Staff) -> None:
    administrator = staff.administrator
    customers.add_customer(store, LINDIWE, operator=administrator)
    with pytest.raises(AlreadyThereError) as refusal:
        customers.add_customer(store, replace(LINDIWE, name="Other"), operator=administrator)
    assert refusal.value.code == "ALREADY_THERE"
    with store.read() as connection:
        kept = parties.find_customer(TENANT, connection, customer_number="C-77")
    assert kept.name == "Lindiwe Maseko"


@pytest.mark.parametrize("number", ["", " C", "C\n", "C" * 33])
def test_what_cannot_be_a_number_is_refused(store: Store, staff: Staff, number: str) -> None:
    with pytest.raises(CodeFormError) as refusal:
        customers.add_customer(store, replace(LINDIWE, number=number), operator=staff.administrator)
    assert refusal.value.code == "CODE_FORM"


def test_an_account_needs_a_customer_and_a_tariff(store: Store, staff: Staff) -> None:
    with pytest.raises(UnknownCustomerError) as nobody:
        customers.open_account(
            store,
            staff.administrator,
            number="A-1",
            customer_number="nobody",
            tariff_code="home",
            now=NOW,
        )
    assert nobody.value.code == "UNKNOWN_CUSTOMER"
    with pytest.raises(UnknownTariffError) as nothing:
        customers.open_account(
            store,
            staff.administrator,
            number="A-1",
            customer_number="C00102",
            tariff_code="nothing",
            now=NOW,
        )
    assert nothing.value.code == "UNKNOWN_TARIFF"


def test_an_account_is_blocked_with_a_reason_and_opened_without(store: Store, staff: Staff) -> None:
    administrator = staff.administrator
    with pytest.raises(ReasonMissingError):
        customers.set_account_state(
            store, administrator, number="C00102", state=AccountState.BLOCKED, reason=" "
        )
    customers.set_account_state(
        store, administrator, number="C00102", state=AccountState.BLOCKED, reason="fraud case 7"
    )
    with store.read() as connection:
        account = parties.find_account(TENANT, connection, account_number="C00102")
    assert (account.state, account.block_reason) == (AccountState.BLOCKED, "fraud case 7")
    customers.set_account_state(
        store, administrator, number="C00102", state=AccountState.OPEN, reason=""
    )
    with store.read() as connection:
        account = parties.find_account(TENANT, connection, account_number="C00102")
    assert (account.state, account.block_reason) == (AccountState.OPEN, "")


def test_an_account_that_is_not_there_is_not_blocked(store: Store, staff: Staff) -> None:
    with pytest.raises(UnknownAccountError) as refusal:
        customers.set_account_state(
            store, staff.administrator, number="A-0", state=AccountState.OPEN, reason=""
        )
    assert refusal.value.code == "UNKNOWN_ACCOUNT"


def test_an_account_gets_another_tariff(store: Store, staff: Staff) -> None:
    customers.change_tariff(store, staff.administrator, number="C00102", tariff_code="indigent")
    with store.read() as connection:
        account = parties.find_account(TENANT, connection, account_number="C00102")
    assert account.tariff_code == "indigent"
    with pytest.raises(UnknownTariffError):
        customers.change_tariff(store, staff.administrator, number="C00102", tariff_code="shop")


def test_a_feeder_needs_an_area_and_a_place_a_feeder(store: Store, staff: Staff) -> None:
    feeder = Feeder(tenant=TENANT, code="F1", name="Line", area_code="nowhere")
    with pytest.raises(UnknownAreaError) as no_area:
        network.add_feeder(store, feeder, operator=staff.administrator)
    assert no_area.value.code == "UNKNOWN_AREA"
    point = ServicePoint(
        tenant=TENANT,
        code="P-1",
        account_number="C00102",
        place="x",
        service=Service.ELECTRICITY,
        feeder_code="none",
    )
    with pytest.raises(UnknownFeederError) as no_feeder:
        network.add_service_point(store, point, operator=staff.administrator)
    assert no_feeder.value.code == "UNKNOWN_FEEDER"


def test_a_supply_group_is_set_up_once(store: Store, staff: Staff) -> None:
    group = replace(SUPPLY_GROUPS[0], code=SupplyGroupCode(123457), utc_offset=timedelta(hours=2))
    network.add_supply_group(store, group, operator=staff.engineer)
    with store.read() as connection:
        kept = network_storage.find_supply_group(TENANT, connection, code=group.code)
    assert kept == group
    with pytest.raises(AlreadyThereError):
        network.add_supply_group(store, group, operator=staff.engineer)


def test_a_cap_is_raised_for_a_time(store: Store) -> None:
    code = SUPPLY_GROUPS[0].code
    with store.write() as connection:
        network_storage.set_lead_cap(TENANT, connection, code=code, lead_cap_minutes=1440)
    with store.read() as connection:
        kept = network_storage.find_supply_group(TENANT, connection, code=code)
    assert kept.lead_cap_minutes == 1440


def test_a_cashier_adds_no_customer(store: Store, staff: Staff) -> None:
    with pytest.raises(NotPermittedError) as refusal:
        customers.add_customer(store, LINDIWE, operator=staff.cashier)
    assert refusal.value.code == "NOT_PERMITTED"
