"""Statements about supply groups, areas, feeders and service points."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from sts import Service, SupplyGroupCode
from vending_app.domain.errors import (
    UnknownAreaError,
    UnknownFeederError,
    UnknownServicePointError,
    UnknownSupplyGroupError,
)
from vending_app.domain.network import Area, Feeder, KeyPolicy, ServicePoint, SupplyGroup
from vending_app.storage.locking import locked
from vending_app.storage.tables import areas, feeders, service_points, supply_groups


def find_supply_group(tenant: str, connection: Connection, *, code: SupplyGroupCode) -> SupplyGroup:
    """Return the policy of a supply group.

    Raises:
        UnknownSupplyGroupError: The tenant has none of this code.
    """
    row = connection.execute(
        select(supply_groups).where(
            supply_groups.c.tenant == tenant, supply_groups.c.supply_group_code == str(code)
        )
    ).one_or_none()
    if row is None:
        raise UnknownSupplyGroupError(str(code))
    return _supply_group(row)


def list_supply_groups(tenant: str, connection: Connection) -> tuple[SupplyGroup, ...]:
    """Return the policies of all supply groups of a tenant."""
    rows = connection.execute(
        select(supply_groups)
        .where(supply_groups.c.tenant == tenant)
        .order_by(supply_groups.c.supply_group_code)
    )
    return tuple(_supply_group(row) for row in rows)


def add_supply_group(tenant: str, connection: Connection, *, group: SupplyGroup) -> None:
    """Add the policy of a supply group."""
    connection.execute(
        insert(supply_groups).values(
            tenant=tenant,
            supply_group_code=str(group.code),
            utc_offset_minutes=group.utc_offset // timedelta(minutes=1),
            lead_cap_minutes=group.lead_cap_minutes,
            key_policy=group.key_policy.value,
            ti_follows_tariff=group.ti_follows_tariff,
            allow_dkga_change=group.allow_dkga_change,
        )
    )


def set_lead_cap(
    tenant: str, connection: Connection, *, code: SupplyGroupCode, lead_cap_minutes: int
) -> None:
    """Let the token identifiers of a supply group run ahead of the clock by so much."""
    connection.execute(
        update(supply_groups)
        .where(supply_groups.c.tenant == tenant, supply_groups.c.supply_group_code == str(code))
        .values(lead_cap_minutes=lead_cap_minutes)
    )


def add_area(tenant: str, connection: Connection, *, area: Area) -> None:
    """Add an area."""
    connection.execute(insert(areas).values(tenant=tenant, area_code=area.code, name=area.name))


def require_area(tenant: str, connection: Connection, *, code: str) -> None:
    """Refuse an area that is not there.

    Raises:
        UnknownAreaError: The tenant has none of this code.
    """
    found = connection.execute(
        select(areas.c.name).where(areas.c.tenant == tenant, areas.c.area_code == code)
    )
    if found.one_or_none() is None:
        raise UnknownAreaError(code)


def require_feeder(tenant: str, connection: Connection, *, code: str) -> None:
    """Refuse a feeder that is not there.

    Raises:
        UnknownFeederError: The tenant has none of this code.
    """
    found = connection.execute(
        select(feeders.c.name).where(feeders.c.tenant == tenant, feeders.c.feeder_code == code)
    )
    if found.one_or_none() is None:
        raise UnknownFeederError(code)


def add_feeder(tenant: str, connection: Connection, *, feeder: Feeder) -> None:
    """Add a feeder; its area is there."""
    connection.execute(
        insert(feeders).values(
            tenant=tenant, feeder_code=feeder.code, name=feeder.name, area_code=feeder.area_code
        )
    )


def find_service_point(tenant: str, connection: Connection, *, code: str) -> ServicePoint:
    """Return a service point.

    Raises:
        UnknownServicePointError: The tenant has none of this code.
    """
    return _service_point(tenant, connection, code=code, lock=False)


def lock_service_point(tenant: str, connection: Connection, *, code: str) -> ServicePoint:
    """Return the same; until this transaction ends, nobody else hangs a meter there.

    Raises:
        UnknownServicePointError: As for ``find_service_point``.
    """
    return _service_point(tenant, connection, code=code, lock=True)


def _service_point(tenant: str, connection: Connection, *, code: str, lock: bool) -> ServicePoint:
    query = select(service_points).where(
        service_points.c.tenant == tenant, service_points.c.service_point_code == code
    )
    row = connection.execute(locked(query) if lock else query).one_or_none()
    if row is None:
        raise UnknownServicePointError(code)
    return ServicePoint(
        tenant=row.tenant,
        code=row.service_point_code,
        account_number=row.account_number,
        place=row.place,
        service=Service[row.service.upper()],
        feeder_code=row.feeder_code,
    )


def add_service_point(tenant: str, connection: Connection, *, point: ServicePoint) -> None:
    """Add a service point; its account and feeder are there."""
    connection.execute(
        insert(service_points).values(
            tenant=tenant,
            service_point_code=point.code,
            account_number=point.account_number,
            place=point.place,
            service=point.service.name.lower(),
            feeder_code=point.feeder_code,
        )
    )


def _supply_group(row: Row[Any]) -> SupplyGroup:
    return SupplyGroup(
        tenant=row.tenant,
        code=SupplyGroupCode.parse(row.supply_group_code),
        utc_offset=timedelta(minutes=row.utc_offset_minutes),
        lead_cap_minutes=row.lead_cap_minutes,
        key_policy=KeyPolicy(row.key_policy),
        ti_follows_tariff=row.ti_follows_tariff,
        allow_dkga_change=row.allow_dkga_change,
    )
