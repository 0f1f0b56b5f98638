"""Looking at past sales, and printing a receipt again."""

from datetime import datetime

from sts import DecoderReferenceNumber
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.domain.sales import Sale
from vending_app.services.permissions import require
from vending_app.storage import sales
from vending_app.storage.engine import Store


def recent_sales(
    store: Store, tenant: str, *, limit: int, drn: DecoderReferenceNumber | None = None
) -> tuple[Sale, ...]:
    """Return a tenant's latest sales, of one meter or of all, newest first."""
    with store.read() as connection:
        return sales.list_recent_sales(tenant, connection, limit=limit, drn=drn)


def find_sale(store: Store, tenant: str, *, sale_number: int) -> Sale:
    """Return a sale.

    Raises:
        UnknownSaleError: The tenant has no such sale.
    """
    with store.read() as connection:
        return sales.find_sale(tenant, connection, sale_number=sale_number)


def reprint(store: Store, operator: Operator, *, sale_number: int, now: datetime) -> Sale:
    """Note a reprint and return the sale: the same tokens, never new ones.

    Tokens that are withheld or void are marked in what is returned, and must not be printed.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownSaleError: The tenant has no such sale.
        StoreBusyError: The database was not to be had.
    """
    require(operator, Permission.REPRINT)
    tenant = operator.tenant
    with store.write() as connection:
        sales.lock_sale(tenant, connection, sale_number=sale_number)
        sale = sales.find_sale(tenant, connection, sale_number=sale_number)
        sales.add_reprint(
            tenant, connection, basis_number=sale.basis_number, login=operator.login, now=now
        )
        return sales.find_sale(tenant, connection, sale_number=sale_number)
