"""Statements about meters, their customers, tariffs and supply groups."""

from datetime import timedelta
from fractions import Fraction

from sqlalchemy import Connection, Row, Select, and_, insert, select

from sts import (
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)
from vending_app.domain.entities import Meter, SupplyGroup, Tariff
from vending_app.domain.errors import UnknownMeterError
from vending_app.domain.money import Currency
from vending_app.domain.tariffs import FlatTariff
from vending_app.storage.tables import customers, meters, supply_groups, tariffs, tenants


def find_meter(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber) -> Meter:
    """Return a meter.

    Raises:
        UnknownMeterError: The tenant has no such meter.
    """
    return _one(connection, _select_meter(tenant).where(meters.c.drn == str(drn)), drn)


def lock_meter(tenant: str, connection: Connection, *, drn: DecoderReferenceNumber) -> Meter:
    """Return a meter; until this transaction ends, no other one gets past this line with it.

    On SQLite every writing transaction is alone already, and the clause is left out.

    Raises:
        UnknownMeterError: The tenant has no such meter.
    """
    query = _select_meter(tenant).where(meters.c.drn == str(drn))
    return _one(connection, query.with_for_update(of=meters), drn)


def list_meters(tenant: str, connection: Connection, *, limit: int) -> tuple[Meter, ...]:
    """Return the first meters of a tenant by number."""
    rows = connection.execute(_select_meter(tenant).order_by(meters.c.drn).limit(limit))
    return tuple(_meter(row) for row in rows)


def add_meter(tenant: str, connection: Connection, *, meter: Meter) -> None:
    """Add a meter; its customer, tariff and supply group are there."""
    connection.execute(
        insert(meters).values(
            tenant=tenant,
            drn=str(meter.drn),
            customer_number=meter.customer_number,
            place=meter.place,
            phases=meter.phases,
            tariff_code=meter.tariff_code,
            supply_group_code=str(meter.supply_group_code),
            tariff_index=int(meter.tariff_index),
            key_revision_number=int(meter.key_revision_number),
            key_type=int(meter.key_type),
            encryption_algorithm=meter.encryption_algorithm.value,
            token_carrier_type=meter.token_carrier_type.value,
        )
    )


def add_customer(tenant: str, connection: Connection, *, customer_number: str, name: str) -> None:
    """Add a customer."""
    connection.execute(
        insert(customers).values(tenant=tenant, customer_number=customer_number, name=name)
    )


def find_tariff(tenant: str, connection: Connection, *, tariff_code: str) -> Tariff:
    """Return a tariff; a meter's is always there."""
    row = connection.execute(
        select(tariffs, tenants.c.currency, tenants.c.currency_exponent)
        .join_from(tariffs, tenants, tariffs.c.tenant == tenants.c.tenant)
        .where(tariffs.c.tenant == tenant, tariffs.c.tariff_code == tariff_code)
    ).one()
    return Tariff(
        tenant=row.tenant,
        code=row.tariff_code,
        terms=FlatTariff(
            name=row.name,
            currency=Currency(row.currency, row.currency_exponent),
            price_minor_per_kwh=Fraction(row.price_numerator, row.price_denominator),
            tax_name=row.tax_name,
            tax_basis_points=row.tax_basis_points,
            minimum_minor=row.minimum_minor,
            maximum_minor=row.maximum_minor,
        ),
    )


def add_tariff(tenant: str, connection: Connection, *, tariff: Tariff) -> None:
    """Add a tariff; its currency is the tenant's."""
    terms = tariff.terms
    connection.execute(
        insert(tariffs).values(
            tenant=tenant,
            tariff_code=tariff.code,
            name=terms.name,
            price_numerator=terms.price_minor_per_kwh.numerator,
            price_denominator=terms.price_minor_per_kwh.denominator,
            tax_name=terms.tax_name,
            tax_basis_points=terms.tax_basis_points,
            minimum_minor=terms.minimum_minor,
            maximum_minor=terms.maximum_minor,
        )
    )


def find_supply_group(tenant: str, connection: Connection, *, code: SupplyGroupCode) -> SupplyGroup:
    """Return the policy of a supply group; a meter's is always there."""
    row = connection.execute(
        select(supply_groups).where(
            supply_groups.c.tenant == tenant, supply_groups.c.supply_group_code == str(code)
        )
    ).one()
    return SupplyGroup(
        tenant=row.tenant,
        code=SupplyGroupCode.parse(row.supply_group_code),
        utc_offset=timedelta(minutes=row.utc_offset_minutes),
        lead_cap_minutes=row.lead_cap_minutes,
    )


def add_supply_group(tenant: str, connection: Connection, *, group: SupplyGroup) -> None:
    """Add the policy of a supply group."""
    connection.execute(
        insert(supply_groups).values(
            tenant=tenant,
            supply_group_code=str(group.code),
            utc_offset_minutes=group.utc_offset // timedelta(minutes=1),
            lead_cap_minutes=group.lead_cap_minutes,
        )
    )


def _select_meter(tenant: str) -> Select[tuple[object, ...]]:
    return (
        select(meters, customers.c.name.label("customer_name"))
        .join_from(
            meters,
            customers,
            and_(
                meters.c.tenant == customers.c.tenant,
                meters.c.customer_number == customers.c.customer_number,
            ),
        )
        .where(meters.c.tenant == tenant)
    )


def _one(
    connection: Connection, query: Select[tuple[object, ...]], drn: DecoderReferenceNumber
) -> Meter:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownMeterError(str(drn))
    return _meter(row)


def _meter(row: Row[tuple[object, ...]]) -> Meter:
    return Meter(
        tenant=row.tenant,
        drn=DecoderReferenceNumber(row.drn),
        customer_number=row.customer_number,
        customer_name=row.customer_name,
        place=row.place,
        phases=row.phases,
        tariff_code=row.tariff_code,
        supply_group_code=SupplyGroupCode.parse(row.supply_group_code),
        tariff_index=TariffIndex(row.tariff_index),
        key_revision_number=KeyRevisionNumber(row.key_revision_number),
        key_type=KeyType.parse(row.key_type),
        encryption_algorithm=EncryptionAlgorithm.parse(row.encryption_algorithm),
        token_carrier_type=TokenCarrierType.parse(row.token_carrier_type),
    )
