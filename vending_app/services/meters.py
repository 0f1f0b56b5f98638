"""Looking up meters and their utility."""

from sts import DecoderReferenceNumber
from vending_app.domain.entities import Meter, Tenant
from vending_app.storage import meters, tenants
from vending_app.storage.engine import Store


def find_tenant(store: Store, tenant: str) -> Tenant:
    """Return a utility.

    Raises:
        UnknownTenantError: There is none of this code.
    """
    with store.read() as connection:
        return tenants.find_tenant(tenant, connection)


def list_meters(store: Store, tenant: str, *, limit: int) -> tuple[Meter, ...]:
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
