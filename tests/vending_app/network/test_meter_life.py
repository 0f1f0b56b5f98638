"""The life of a meter, over both databases: each step that there is, and each that there is not."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from sts import DecoderReferenceNumber, Service, SupplyGroupCode
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.network.conftest import Staff
from vending_app.demo_story import STOCK_METER
from vending_app.domain.errors import (
    AlreadyThereError,
    MeterLifeError,
    NotPermittedError,
    PlaceTakenError,
    ReasonMissingError,
    ServiceMismatchError,
    UnknownMeterError,
    UnknownServicePointError,
    UnknownSupplyGroupError,
)
from vending_app.domain.network import Life, Meter, ServicePoint
from vending_app.services import meters, network
from vending_app.storage.engine import Store

DRN = DecoderReferenceNumber("00100001064")
NEW = replace(STOCK_METER, drn=DRN)
PLACE = "P-9"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def place(store: Store, staff: Staff) -> str:
    """A service point of Pieter's account where nothing hangs."""
    point = ServicePoint(
        tenant="thabaneng",
        code=PLACE,
        account_number="C00102",
        place="14 Kerk Street, workshop",
        service=Service.ELECTRICITY,
    )
    network.add_service_point(store, point, operator=staff.administrator)
    return PLACE


@pytest.fixture
def received(store: Store, staff: Staff) -> Meter:
    meters.receive(store, staff.engineer, meter=NEW, now=NOW)
    return NEW


def _kinds(store: Store) -> list[str]:
    return [event.kind for event in meters.history(store, "thabaneng", drn=DRN)]


def test_a_meter_goes_from_the_store_to_the_wall_and_back_to_the_store(
    store: Store, staff: Staff, place: str, received: Meter
) -> None:
    engineer = staff.engineer
    assert received.life is Life.STOCK
    meters.install(store, engineer, drn=DRN, service_point_code=place, now=NOW)
    hung = meters.commission(store, engineer, drn=DRN, now=LATER)
    assert (hung.life, hung.service_point_code) == (Life.COMMISSIONED, place)
    assert meters.find_meter(store, "thabaneng", drn=DRN) == hung
    assert meters.find_supply(store, "thabaneng", drn=DRN).customer.name == "Pieter Mokoena"
    down = meters.remove(store, engineer, drn=DRN, reason="display dark", now=LATER)
    assert (down.life, down.service_point_code) == (Life.REMOVED, None)
    meters.repair(store, engineer, drn=DRN, reason="display replaced", now=LATER)
    assert meters.restock(store, engineer, drn=DRN, now=LATER).life is Life.STOCK
    assert _kinds(store) == [
        "received",
        "installed",
        "commissioned",
        "removed",
        "repaired",
        "stock",
    ]


def test_the_history_tells_place_keys_and_reason(
    store: Store, staff: Staff, place: str, received: Meter
) -> None:
    del received
    meters.install(store, staff.engineer, drn=DRN, service_point_code=place, now=NOW)
    meters.remove(store, staff.engineer, drn=DRN, reason=" flooded ", now=LATER)
    first, second, third = meters.history(store, "thabaneng", drn=DRN)
    assert (first.number, second.number, third.number) == (1, 2, 3)
    assert (third.login, third.at) == ("farai", LATER)
    document = json.loads(second.document)
    assert document["service_point"] == place
    assert document["present_key"]["supply_group_code"] == "201460"
    assert document["new_key"] is None
    assert json.loads(third.document)["reason"] == "flooded"


def test_a_meter_that_is_removed_can_be_scrapped_and_then_nothing_more(
    store: Store, staff: Staff, place: str, received: Meter
) -> None:
    del received
    engineer = staff.engineer
    meters.install(store, engineer, drn=DRN, service_point_code=place, now=NOW)
    meters.remove(store, engineer, drn=DRN, reason="burnt", now=NOW)
    meters.scrap(store, engineer, drn=DRN, reason="burnt", now=NOW)
    with pytest.raises(MeterLifeError) as refusal:
        meters.repair(store, engineer, drn=DRN, reason="hope", now=NOW)
    assert refusal.value.code == "METER_LIFE"
    assert meters.find_meter(store, "thabaneng", drn=DRN).life is Life.SCRAPPED


def test_a_meter_on_the_wall_is_not_scrapped(store: Store, staff: Staff) -> None:
    drn = DecoderReferenceNumber(PIETER)
    with pytest.raises(MeterLifeError, match="is active and cannot become scrapped"):
        meters.scrap(store, staff.engineer, drn=drn, reason="old", now=NOW)


def test_two_meters_do_not_hang_at_one_place(store: Store, staff: Staff, received: Meter) -> None:
    del received
    with pytest.raises(PlaceTakenError) as refusal:
        meters.install(store, staff.engineer, drn=DRN, service_point_code="C00102", now=NOW)
    assert refusal.value.code == "PLACE_TAKEN"
    assert PIETER in str(refusal.value)


def test_a_water_meter_does_not_hang_on_a_wire(store: Store, staff: Staff, place: str) -> None:
    meters.receive(store, staff.engineer, meter=replace(NEW, service=Service.WATER), now=NOW)
    with pytest.raises(ServiceMismatchError) as refusal:
        meters.install(store, staff.engineer, drn=DRN, service_point_code=place, now=NOW)
    assert refusal.value.code == "SERVICE_MISMATCH"
    assert meters.find_meter(store, "thabaneng", drn=DRN).life is Life.STOCK


def test_a_place_that_is_not_there_takes_no_meter(
    store: Store, staff: Staff, received: Meter
) -> None:
    del received
    with pytest.raises(UnknownServicePointError) as refusal:
        meters.install(store, staff.engineer, drn=DRN, service_point_code="nowhere", now=NOW)
    assert refusal.value.code == "UNKNOWN_SERVICE_POINT"


def test_a_meter_is_received_once_and_from_the_store_only(
    store: Store, staff: Staff, received: Meter
) -> None:
    with pytest.raises(AlreadyThereError) as refusal:
        meters.receive(store, staff.engineer, meter=received, now=NOW)
    assert refusal.value.code == "ALREADY_THERE"
    hung = replace(NEW, life=Life.ACTIVE, service_point_code="C00102")
    with pytest.raises(MeterLifeError):
        meters.receive(store, staff.engineer, meter=hung, now=NOW)


def test_a_meter_of_a_group_that_is_not_set_up_is_not_received(store: Store, staff: Staff) -> None:
    key = replace(NEW.present_key, supply_group_code=SupplyGroupCode(123456))
    with pytest.raises(UnknownSupplyGroupError) as refusal:
        meters.receive(store, staff.engineer, meter=replace(NEW, present_key=key), now=NOW)
    assert refusal.value.code == "UNKNOWN_SUPPLY_GROUP"
    with pytest.raises(UnknownMeterError):
        meters.find_meter(store, "thabaneng", drn=DRN)


def test_removing_needs_a_reason(store: Store, staff: Staff) -> None:
    with pytest.raises(ReasonMissingError) as refusal:
        meters.remove(
            store, staff.engineer, drn=DecoderReferenceNumber(PIETER), reason="  ", now=NOW
        )
    assert refusal.value.code == "REASON_MISSING"


def test_a_cashier_hangs_up_nothing(store: Store, staff: Staff, received: Meter) -> None:
    del received
    with pytest.raises(NotPermittedError) as refusal:
        meters.install(store, staff.cashier, drn=DRN, service_point_code="C00102", now=NOW)
    assert refusal.value.code == "NOT_PERMITTED"


def test_whoever_is_no_longer_active_may_do_nothing(store: Store, staff: Staff) -> None:
    gone = replace(staff.engineer, active=False)
    with pytest.raises(NotPermittedError):
        meters.receive(store, gone, meter=NEW, now=NOW)


def test_a_meter_is_blocked_with_a_reason_and_unblocked(store: Store, staff: Staff) -> None:
    drn = DecoderReferenceNumber(PIETER)
    blocked = meters.set_blocked(
        store, staff.engineer, drn=drn, blocked=True, reason="seal broken", now=NOW
    )
    assert (blocked.blocked, blocked.block_reason) == (True, "seal broken")
    assert meters.find_meter(store, "thabaneng", drn=drn) == blocked
    free = meters.set_blocked(
        store, staff.engineer, drn=drn, blocked=False, reason="sealed anew", now=LATER
    )
    assert (free.blocked, free.block_reason) == (False, "")
    kinds = [event.kind for event in meters.history(store, "thabaneng", drn=drn)]
    assert kinds == ["registered", "blocked", "unblocked"]


def test_all_meters_are_listed_with_whom_and_where(store: Store) -> None:
    rows = {str(row.meter.drn): row for row in meters.list_meters(store, "thabaneng", limit=9)}
    assert rows[PIETER].customer_name == "Pieter Mokoena"
    assert rows[PIETER].place == "14 Kerk Street"
    assert (rows["00100001056"].customer_name, rows["00100001056"].place) == ("", "")
