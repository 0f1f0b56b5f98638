"""Looking at past sales, and printing a receipt or other tokens again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from sts import DecoderReferenceNumber
from vending_app.domain.errors import NoKeyChangeError, UnknownBasisError
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.domain.sales import Basis, BasisKind, Sale
from vending_app.services.issue_case import Issued, issued_of
from vending_app.services.permissions import require
from vending_app.storage import meters, sales, tokens
from vending_app.storage.engine import Store

_PRINTERS: Final[Mapping[BasisKind, Permission]] = {
    BasisKind.FREE_ISSUE: Permission.REPRINT,
    BasisKind.EXCHANGE: Permission.REPRINT,
    BasisKind.KEY_CHANGE: Permission.REPRINT,
    BasisKind.JOB_CARD: Permission.ENGINEERING,
}
"""Who prints which tokens without a sale again; what is withheld nobody ever gets to see."""


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


def reprint_issued(store: Store, operator: Operator, *, basis_number: int, now: datetime) -> Issued:
    """Note a reprint and return tokens that were made without a sale: the same, never new ones.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownBasisError: The tenant has none of this number without a sale, or it is withheld.
        NoKeyChangeError: A key change that was confirmed or given up, or that another one followed:
            nobody must enter its tokens any more.
        StoreBusyError: The database was not to be had.
    """
    tenant = operator.tenant
    with store.write() as connection:
        basis = tokens.lock_basis(tenant, connection, basis_number=basis_number)
        if basis.kind not in _PRINTERS:
            raise UnknownBasisError(basis_number)
        require(operator, _PRINTERS[basis.kind])
        if basis.kind is BasisKind.KEY_CHANGE:
            _require_on_its_way(connection, tenant, basis)
        sales.add_reprint(
            tenant, connection, basis_number=basis_number, login=operator.login, now=now
        )
        return issued_of(connection, tenant, basis)


def _require_on_its_way(connection: Connection, tenant: str, basis: Basis) -> None:
    meter = meters.find_meter(tenant, connection, drn=basis.drn)
    last = tokens.last_key_change(tenant, connection, drn=basis.drn)
    if meter.new_key is None or last != basis.number:
        raise NoKeyChangeError(str(basis.drn))
