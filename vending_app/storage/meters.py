"""Statements about meters and their history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from sts import (
    DecoderReferenceNumber,
)
from vending_app.domain.errors import UnknownMeterError
from vending_app.domain.network import Meter, MeterKey
from vending_app.domain.places import ListedMeter
from vending_app.storage.locking import locked
from vending_app.storage.rows import meter_of
from vending_app.storage.tables import accounts, customers, meter_history, meters, service_points

_NEW: Final = "new_"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEvent:
    """Something that happened to a meter.

    Attributes:
        number: Counts the meter's events.
        kind: What happened.
        login: Who did it.
        document: The meter's place, life and keys after it, as canonical JSON.
        at: When.
    """

    number: int
    kind: str
    login: str
    document: str
    at: datetime


def find_meter(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber) -> Meter:
    """Return a meter.

    Raises:
        UnknownMeterError: The tenant has no such meter.
    """
    return _one(tenant, connection, drn=drn, lock=False)


def lock_meter(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber) -> Meter:
    """Return a meter; until this transaction ends, no other one gets past this line with it.

    On SQLite every writing transaction is alone already, and the clause is left out.

    Raises:
        UnknownMeterError: The tenant has no such meter.
    """
    return _one(tenant, connection, drn=drn, lock=True)


def list_meters(tenant: str, connection: Connection, *, limit: int) -> tuple[ListedMeter, ...]:
    """Return the first meters of a tenant by number, with whom and where they serve."""
    query = (
        select(meters, service_points.c.place, customers.c.name.label("customer_name"))
        .select_from(
            meters.outerjoin(service_points)
            .outerjoin(accounts)
            .outerjoin(
                customers,
                (customers.c.tenant == accounts.c.tenant)
                & (customers.c.customer_number == accounts.c.customer_number),
            )
        )
        .where(meters.c.tenant == tenant)
        .order_by(meters.c.drn)
        .limit(limit)
    )
    return tuple(
        ListedMeter(
            meter=meter_of(row), customer_name=row.customer_name or "", place=row.place or ""
        )
        for row in connection.execute(query)
    )


def find_meter_at(
    tenant: str, connection: Connection, *, service_point_code: str
) -> DecoderReferenceNumber | None:
    """Return the meter that hangs at a service point, or None."""
    found = connection.execute(
        select(meters.c.drn).where(
            meters.c.tenant == tenant, meters.c.service_point_code == service_point_code
        )
    ).scalar_one_or_none()
    return None if found is None else DecoderReferenceNumber(found)


def add_meter(tenant: str, connection: Connection, *, meter: Meter, now: datetime) -> None:
    """Add a meter; its supply group and, unless it is in stock, its service point are there."""
    connection.execute(
        insert(meters).values(
            tenant=tenant,
            drn=str(meter.drn),
            service=meter.service.name.lower(),
            credit_kind=meter.credit_kind.value,
            phases=meter.phases,
            model=meter.model,
            maximum_tenths=meter.maximum_tenths,
            takes_supply_group=meter.takes_supply_group,
            encryption_algorithm=meter.encryption_algorithm.value,
            token_carrier_type=meter.token_carrier_type.value,
            added_at=now,
            **_changing(meter),
        )
    )


def change_meter(tenant: str, connection: Connection, *, meter: Meter) -> None:
    """Keep what can change of a meter: its life and place, its keys, whether it is blocked."""
    connection.execute(
        update(meters)
        .where(meters.c.tenant == tenant, meters.c.drn == str(meter.drn))
        .values(**_changing(meter))
    )


def add_history(
    tenant: str,
    connection: Connection,
    *,
    drn: DecoderReferenceNumber,
    kind: str,
    login: str,
    document: str,
    now: datetime,
) -> None:
    """Add to what happened to a meter; the meter is locked."""
    of_meter = (meter_history.c.tenant == tenant, meter_history.c.drn == str(drn))
    number = connection.execute(
        select(func.coalesce(func.max(meter_history.c.event_number), 0) + 1).where(*of_meter)
    ).scalar_one()
    connection.execute(
        insert(meter_history).values(
            tenant=tenant,
            drn=str(drn),
            event_number=number,
            kind=kind,
            login=login,
            document=document,
            happened_at=now,
        )
    )


def list_history(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber
) -> tuple[MeterEvent, ...]:
    """Return what happened to a meter, oldest first."""
    rows = connection.execute(
        select(meter_history)
        .where(meter_history.c.tenant == tenant, meter_history.c.drn == str(drn))
        .order_by(meter_history.c.event_number)
    )
    return tuple(
        MeterEvent(
            number=row.event_number,
            kind=row.kind,
            login=row.login,
            document=row.document,
            at=row.happened_at,
        )
        for row in rows
    )


def _one(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber, lock: bool) -> Meter:
    query = select(meters).where(meters.c.tenant == tenant, meters.c.drn == str(drn))
    row = connection.execute(locked(query) if lock else query).one_or_none()
    if row is None:
        raise UnknownMeterError(str(drn))
    return meter_of(row)


def _changing(meter: Meter) -> dict[str, object]:
    new = dict.fromkeys(_key_values(meter.present_key, _NEW))
    if meter.new_key is not None:
        new = _key_values(meter.new_key, _NEW)
    return {
        "life": meter.life.value,
        "service_point_code": meter.service_point_code,
        "blocked": meter.blocked,
        "block_reason": meter.block_reason,
        "serving": meter.serving.value,
        **_key_values(meter.present_key, ""),
        **new,
    }


def _key_values(key: MeterKey, prefix: str) -> dict[str, object]:
    return {
        f"{prefix}supply_group_code": str(key.supply_group_code),
        f"{prefix}tariff_index": int(key.tariff_index),
        f"{prefix}key_revision_number": int(key.key_revision_number),
        f"{prefix}key_type": int(key.key_type),
        f"{prefix}base_date": str(key.base_date),
        f"{prefix}key_expiry_number": int(key.key_expiry_number),
    }
