"""Looking at past sales, and printing a receipt or other tokens again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from sts import DecoderReferenceNumber
from vending_app.domain.errors import NoKeyChangeError, TokenKeyGoneError, UnknownBasisError
from vending_app.domain.network import Meter
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.domain.sales import BasisKind, Sale
from vending_app.services.handing_out import handed_out
from vending_app.services.issue_case import Issued, issued_of
from vending_app.services.permissions import require
from vending_app.storage import sales, tokens
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
    """Return a tenant's latest sales, of one meter or of all, newest first.

    They come without their tokens: which of those are handed out is looked up for a receipt.
    """
    with store.read() as connection:
        found = sales.list_recent_sales(tenant, connection, limit=limit, drn=drn)
    return tuple(replace(sale, tokens=()) for sale in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A sale as it is shown and printed.

    Attributes:
        sale: The sale; tokens that are not handed out any more come without their digits.
        meter: Its meter, as it stands on record now.
    """

    sale: Sale
    meter: Meter


def find_sale(store: Store, tenant: str, *, sale_number: int) -> Sale:
    """Return a sale as it is handed out, see ``Receipt``.

    Raises:
        UnknownSaleError: The tenant has no such sale.
    """
    return find_receipt(store, tenant, sale_number=sale_number).sale


def find_receipt(store: Store, tenant: str, *, sale_number: int) -> Receipt:
    """Return the receipt of a sale.

    Raises:
        UnknownSaleError: The tenant has no such sale.
    """
    with store.read() as connection:
        return _receipt(connection, tenant, sale_number)


def reprint(store: Store, operator: Operator, *, sale_number: int, now: datetime) -> Sale:
    """Note a reprint and return the sale: the same tokens, never new ones.

    Tokens that are void, or that the meter cannot or must not take any more, come without their
    digits, and with why.

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
        return _receipt(connection, tenant, sale_number).sale


def reprint_issued(store: Store, operator: Operator, *, basis_number: int, now: datetime) -> Issued:
    """Note a reprint and return tokens that were made without a sale: the same, never new ones.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownBasisError: The tenant has none of this number without a sale, or it is withheld.
        NoKeyChangeError: A key change that was confirmed or given up, or whose tokens were made
            again since: nobody must enter these any more.
        TokenKeyGoneError: The meter does not hold the key that the tokens were made for.
        StoreBusyError: The database was not to be had.
    """
    tenant = operator.tenant
    with store.write() as connection:
        basis = tokens.lock_basis(tenant, connection, basis_number=basis_number)
        if basis.kind not in _PRINTERS:
            raise UnknownBasisError(basis_number)
        require(operator, _PRINTERS[basis.kind])
        issued = issued_of(connection, tenant, basis)
        if any(token.held_back is not None for token in issued.tokens):
            if basis.kind is BasisKind.KEY_CHANGE:
                raise NoKeyChangeError(str(basis.drn))
            raise TokenKeyGoneError(str(basis.drn))
        sales.add_reprint(
            tenant, connection, basis_number=basis_number, login=operator.login, now=now
        )
        return replace(issued, reprints=issued.reprints + 1)


def _receipt(connection: Connection, tenant: str, sale_number: int) -> Receipt:
    sale, meter = handed_out(
        connection, sales.find_sale(tenant, connection, sale_number=sale_number)
    )
    return Receipt(sale=sale, meter=meter)
