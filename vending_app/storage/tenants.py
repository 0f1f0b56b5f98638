"""Statements about tenants and their counters."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from vending_app.domain.entities import Tenant
from vending_app.domain.errors import UnknownTenantError
from vending_app.domain.money import Currency
from vending_app.storage.tables import counters, tenants

SALE_COUNTER = "sale"


def find_tenant(tenant: str, connection: Connection) -> Tenant:
    """Return a tenant.

    Raises:
        UnknownTenantError: There is none of this code.
    """
    row = connection.execute(select(tenants).where(tenants.c.tenant == tenant)).one_or_none()
    if row is None:
        raise UnknownTenantError(tenant)
    return Tenant(
        code=row.tenant,
        name=row.name,
        currency=Currency(row.currency, row.currency_exponent),
        time_zone=row.time_zone,
    )


def has_tenant(tenant: str, connection: Connection) -> bool:
    """Tell whether there is a tenant of this code."""
    found = connection.execute(select(tenants.c.tenant).where(tenants.c.tenant == tenant))
    return found.one_or_none() is not None


def add_tenant(tenant: str, connection: Connection, *, terms: Tenant, now: datetime) -> None:
    """Add a tenant and the counter of its sales."""
    connection.execute(
        insert(tenants).values(
            tenant=tenant,
            name=terms.name,
            currency=terms.currency.code,
            currency_exponent=terms.currency.exponent,
            time_zone=terms.time_zone,
            created_at=now,
        )
    )
    connection.execute(insert(counters).values(tenant=tenant, name=SALE_COUNTER, last_number=0))


def next_number(tenant: str, connection: Connection, *, counter: str) -> int:
    """Count one up and return the number; no other transaction counts until this one ends.

    A transaction that is rolled back gives its number back, so there are no gaps.
    """
    counted = connection.execute(
        update(counters)
        .where(counters.c.tenant == tenant, counters.c.name == counter)
        .values(last_number=counters.c.last_number + 1)
        .returning(counters.c.last_number)
    )
    return int(counted.scalar_one())
