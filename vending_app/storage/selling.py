"""A meter in its place, found or locked with one statement."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, and_, bindparam, select

from sts import DecoderReferenceNumber, SupplyGroupCode
from vending_app.domain.errors import MeterWithoutPlaceError
from vending_app.domain.network import KeyPolicy, ServicePoint, SupplyGroup
from vending_app.domain.parties import Account, AccountState, Customer
from vending_app.domain.places import Supply
from vending_app.storage import meters as meter_statements
from vending_app.storage import parties
from vending_app.storage.locking import locked
from vending_app.storage.prepared import Found, Prepared
from vending_app.storage.rows import SERVICES, Words, meter_of
from vending_app.storage.tables import (
    accounts,
    customers,
    meters,
    service_points,
    supply_groups,
    tariffs,
)

_QUERY: Final = (
    select(
        *(column for column in meters.c if column is not meters.c.added_at),
        service_points.c.place,
        service_points.c.feeder_code,
        accounts.c.account_number,
        accounts.c.customer_number,
        accounts.c.tariff_code,
        accounts.c.state,
        accounts.c.block_reason.label("account_block_reason"),
        accounts.c.credit_minor,
        accounts.c.counters,
        accounts.c.opened_at,
        customers.c.name.label("customer_name"),
        customers.c.phone,
        customers.c.language,
        supply_groups.c.utc_offset_minutes,
        supply_groups.c.lead_cap_minutes,
        supply_groups.c.key_policy,
        supply_groups.c.ti_follows_tariff,
        supply_groups.c.allow_dkga_change,
        tariffs.c.name.label("tariff_name"),
        tariffs.c.tariff_index.label("tariffs_index"),
    )
    .select_from(meters)
    .join(
        service_points,
        and_(
            service_points.c.tenant == meters.c.tenant,
            service_points.c.service_point_code == meters.c.service_point_code,
        ),
    )
    .join(
        accounts,
        and_(
            accounts.c.tenant == service_points.c.tenant,
            accounts.c.account_number == service_points.c.account_number,
        ),
    )
    .join(
        customers,
        and_(
            customers.c.tenant == accounts.c.tenant,
            customers.c.customer_number == accounts.c.customer_number,
        ),
    )
    .join(
        supply_groups,
        and_(
            supply_groups.c.tenant == meters.c.tenant,
            supply_groups.c.supply_group_code == meters.c.supply_group_code,
        ),
    )
    .join(
        tariffs,
        and_(
            tariffs.c.tenant == accounts.c.tenant,
            tariffs.c.tariff_code == accounts.c.tariff_code,
        ),
    )
    .where(meters.c.tenant == bindparam("tenant"), meters.c.drn == bindparam("drn"))
)
_FIND: Final = Prepared(_QUERY)
_STATES: Final = Words(AccountState)
_POLICIES: Final = Words(KeyPolicy)
_LOCK: Final = Prepared(locked(_QUERY, meters, accounts))


def find_supply(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber) -> Supply:
    """Return a meter with its place, account, customer and supply group.

    Raises:
        UnknownMeterError: The tenant has no such meter.
        MeterWithoutPlaceError: It hangs nowhere, so nobody buys for it.
    """
    return _one(tenant, connection, drn=drn, lock=False)


def lock_supply(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber) -> Supply:
    """Return the same; until this transaction ends, nobody else sells to this meter or account.

    Raises:
        UnknownMeterError, MeterWithoutPlaceError: As for ``find_supply``.
    """
    return _one(tenant, connection, drn=drn, lock=True)


def _one(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber, lock: bool) -> Supply:
    query = _LOCK if lock else _FIND
    values = {"tenant": tenant, "drn": str(drn)}
    row = query.one_or_none(connection, values)
    if row is None and lock:
        # PostgreSQL has joined what it found before it waited: with another place, group or tariff
        # since, nothing fits together. The meter is held now, so its place stays.
        meter_statements.lock_meter(tenant, connection, drn=drn)
        place = _FIND.one_or_none(connection, values)
        if place is not None:
            parties.lock_account(tenant, connection, account_number=place.account_number)
            row = _FIND.one_or_none(connection, values)
    if row is None:
        meter_statements.find_meter(tenant, connection, drn=drn)
        raise MeterWithoutPlaceError(str(drn))
    return _supply(row)


def _supply(row: Found) -> Supply:
    meter = meter_of(row)
    return Supply(
        meter=meter,
        service_point=ServicePoint(
            tenant=row.tenant,
            code=row.service_point_code,
            account_number=row.account_number,
            place=row.place,
            service=SERVICES[row.service],
            feeder_code=row.feeder_code,
        ),
        account=Account(
            tenant=row.tenant,
            number=row.account_number,
            customer_number=row.customer_number,
            tariff_code=row.tariff_code,
            state=_STATES[row.state],
            block_reason=row.account_block_reason,
            credit_minor=row.credit_minor,
            counters=row.counters,
            opened_at=row.opened_at,
        ),
        customer=Customer(
            tenant=row.tenant,
            number=row.customer_number,
            name=row.customer_name,
            phone=row.phone,
            language=row.language,
        ),
        supply_group=SupplyGroup(
            tenant=row.tenant,
            code=SupplyGroupCode.parse(row.supply_group_code),
            utc_offset=timedelta(minutes=row.utc_offset_minutes),
            lead_cap_minutes=row.lead_cap_minutes,
            key_policy=_POLICIES[row.key_policy],
            ti_follows_tariff=row.ti_follows_tariff,
            allow_dkga_change=row.allow_dkga_change,
        ),
        tariff_name=row.tariff_name,
        tariff_index=row.tariffs_index,
    )
