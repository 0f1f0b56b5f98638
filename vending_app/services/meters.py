"""Meters: looking them up, and their life from the store to the scrap.

Every step is added to the meter's history with the place, the life and the keys after it, so that
one can say later where a meter hung and which key it held when a token was made for it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from keys.canonical_json import JsonObject, canonical_bytes
from sts import DecoderReferenceNumber
from vending_app.domain.errors import (
    MeterLifeError,
    PlaceTakenError,
    ServiceMismatchError,
)
from vending_app.domain.network import NEXT_LIVES, Life, Meter, MeterKey
from vending_app.domain.parties import Operator, Tenant
from vending_app.domain.places import ListedMeter, Supply
from vending_app.domain.roles import Permission
from vending_app.services.adding import refusing_doubles
from vending_app.services.permissions import require, require_reason
from vending_app.storage import meters, network, selling, tenants
from vending_app.storage.engine import Store

_WITHOUT_PLACE: Final = frozenset({Life.STOCK, Life.REMOVED, Life.REPAIRED, Life.SCRAPPED})


def find_tenant(store: Store, tenant: str) -> Tenant:
    """Return a utility.

    Raises:
        UnknownTenantError: There is none of this code.
    """
    with store.read() as connection:
        return tenants.find_tenant(tenant, connection)


def list_meters(store: Store, tenant: str, *, limit: int) -> tuple[ListedMeter, ...]:
    """Return the first meters of a utility by number."""
    with store.read() as connection:
        return meters.list_meters(tenant, connection, limit=limit)


def find_meter(store: Store, tenant: str, *, drn: DecoderReferenceNumber) -> Meter:
    """Return a meter.

    Raises:
        UnknownMeterError: The tenant has no such meter.
    """
    with store.read() as connection:
        return meters.find_meter(tenant, connection, drn=drn)


def find_supply(store: Store, tenant: str, *, drn: DecoderReferenceNumber) -> Supply:
    """Return a meter in its place.

    Raises:
        UnknownMeterError: The tenant has no such meter.
        MeterWithoutPlaceError: It hangs nowhere.
    """
    with store.read() as connection:
        return selling.find_supply(tenant, connection, drn=drn)


def receive(store: Store, operator: Operator, *, meter: Meter, now: datetime) -> None:
    """Register a meter that has come into the store.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownSupplyGroupError: The group of its key is not set up.
        MeterLifeError: It is said to be anywhere but in stock.
        AlreadyThereError: It is registered.
    """
    require(operator, Permission.MANAGE_METERS)
    if meter.life is not Life.STOCK or meter.service_point_code is not None:
        raise MeterLifeError(str(meter.drn), life="new", wanted=meter.life.value)
    tenant = operator.tenant
    with refusing_doubles(f"a meter {meter.drn}"), store.write() as connection:
        network.find_supply_group(tenant, connection, code=meter.present_key.supply_group_code)
        meters.add_meter(tenant, connection, meter=meter, now=now)
        add_history(connection, meter, kind="received", login=operator.login, now=now)


def install(
    store: Store,
    operator: Operator,
    *,
    drn: DecoderReferenceNumber,
    service_point_code: str,
    now: datetime,
) -> Meter:
    """Hang a meter at a service point.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownMeterError, UnknownServicePointError: There is no such meter or place.
        ServiceMismatchError: The place is supplied with something else.
        PlaceTakenError: Another meter hangs there.
        MeterLifeError: The meter is not one that can be hung up.
    """

    def hung(connection: Connection, meter: Meter) -> Meter:
        point = network.lock_service_point(meter.tenant, connection, code=service_point_code)
        if point.service is not meter.service:
            raise ServiceMismatchError(meter.service.name.lower(), point.service.name.lower())
        there = meters.find_meter_at(
            meter.tenant, connection, service_point_code=service_point_code
        )
        if there is not None:
            raise PlaceTakenError(str(there))
        return replace(meter, service_point_code=service_point_code)

    return _step(store, operator, drn=drn, life=Life.INSTALLED, now=now, change=hung)


def commission(
    store: Store, operator: Operator, *, drn: DecoderReferenceNumber, now: datetime
) -> Meter:
    """Say that a meter was tested in its place and is ready for its customer.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownMeterError: The tenant has no such meter.
        MeterLifeError: It does not hang anywhere, or was commissioned before.
    """
    return _step(store, operator, drn=drn, life=Life.COMMISSIONED, now=now)


def remove(
    store: Store, operator: Operator, *, drn: DecoderReferenceNumber, reason: str, now: datetime
) -> Meter:
    """Take a meter down.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        ReasonMissingError: No reason is given.
        UnknownMeterError: The tenant has no such meter.
        MeterLifeError: It does not hang anywhere.
    """
    return _step(
        store, operator, drn=drn, life=Life.REMOVED, now=now, reason=require_reason(reason)
    )


def repair(
    store: Store, operator: Operator, *, drn: DecoderReferenceNumber, reason: str, now: datetime
) -> Meter:
    """Say that a meter that was taken down works again.

    Raises:
        NotPermittedError, ReasonMissingError, UnknownMeterError: As for ``remove``.
        MeterLifeError: It was not taken down.
    """
    return _step(
        store, operator, drn=drn, life=Life.REPAIRED, now=now, reason=require_reason(reason)
    )


def restock(
    store: Store, operator: Operator, *, drn: DecoderReferenceNumber, now: datetime
) -> Meter:
    """Put a repaired meter into the store.

    Raises:
        NotPermittedError, UnknownMeterError: As for ``remove``.
        MeterLifeError: It was not repaired.
    """
    return _step(store, operator, drn=drn, life=Life.STOCK, now=now)


def scrap(
    store: Store, operator: Operator, *, drn: DecoderReferenceNumber, reason: str, now: datetime
) -> Meter:
    """End a meter's life.

    Raises:
        NotPermittedError, ReasonMissingError, UnknownMeterError: As for ``remove``.
        MeterLifeError: It hangs somewhere, or is scrapped.
    """
    return _step(
        store, operator, drn=drn, life=Life.SCRAPPED, now=now, reason=require_reason(reason)
    )


def set_blocked(
    store: Store,
    operator: Operator,
    *,
    drn: DecoderReferenceNumber,
    blocked: bool,
    reason: str,
    now: datetime,
) -> Meter:
    """Stop sales to a meter, or allow them again.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        ReasonMissingError: No reason is given.
        UnknownMeterError: The tenant has no such meter.
    """
    require(operator, Permission.MANAGE_METERS)
    kept = require_reason(reason)
    with store.write() as connection:
        meter = meters.lock_meter(operator.tenant, connection, drn=drn)
        changed = replace(meter, blocked=blocked, block_reason=kept if blocked else "")
        meters.change_meter(operator.tenant, connection, meter=changed)
        kind = "blocked" if blocked else "unblocked"
        add_history(connection, changed, kind=kind, login=operator.login, now=now, reason=kept)
    return changed


def history(
    store: Store, tenant: str, *, drn: DecoderReferenceNumber
) -> tuple[meters.MeterEvent, ...]:
    """Return what happened to a meter, oldest first.

    Raises:
        UnknownMeterError: The tenant has no such meter.
    """
    with store.read() as connection:
        meters.find_meter(tenant, connection, drn=drn)
        return meters.list_history(tenant, connection, drn=drn)


def add_history(
    connection: Connection,
    meter: Meter,
    *,
    kind: str,
    login: str,
    now: datetime,
    reason: str = "",
    brings: MeterKey | None = None,
) -> None:
    """Add an event to a meter's history, with what the meter is after it.

    Args:
        connection: The transaction; the meter is locked.
        meter: The meter as it is after the event.
        kind: What happened.
        login: Who did it.
        now: The present time, aware.
        reason: Why.
        brings: The key that a set of key change tokens brings, where one was made.
    """
    document: JsonObject = {
        "life": meter.life.value,
        "service_point": meter.service_point_code,
        "present_key": meter.present_key.body(),
        "new_key": None if meter.new_key is None else meter.new_key.body(),
        "serving": meter.serving.value,
        "reason": reason,
        **({} if brings is None else {"brings": brings.body()}),
    }
    meters.add_history(
        meter.tenant,
        connection,
        drn=meter.drn,
        kind=kind,
        login=login,
        document=canonical_bytes(document).decode("utf-8"),
        now=now,
    )


def _step(
    store: Store,
    operator: Operator,
    *,
    drn: DecoderReferenceNumber,
    life: Life,
    now: datetime,
    change: Callable[[Connection, Meter], Meter] = lambda _, meter: meter,
    reason: str = "",
) -> Meter:
    require(operator, Permission.MANAGE_METERS)
    with store.write() as connection:
        meter = meters.lock_meter(operator.tenant, connection, drn=drn)
        if life not in NEXT_LIVES[meter.life]:
            raise MeterLifeError(str(drn), life=meter.life.value, wanted=life.value)
        changed = replace(change(connection, meter), life=life)
        if life in _WITHOUT_PLACE:
            changed = replace(changed, service_point_code=None)
        meters.change_meter(operator.tenant, connection, meter=changed)
        add_history(
            connection, changed, kind=life.value, login=operator.login, now=now, reason=reason
        )
    return changed
