"""Who sells, and whose money pays: what an operator and a vendor may."""

from dataclasses import replace

from sqlalchemy import Connection

from vending_app.domain.errors import UnknownOperatorError, VendorInactiveError, VendorLimitError
from vending_app.domain.money import Money, format_money
from vending_app.domain.parties import Operator, Tenant, Vendor
from vending_app.domain.roles import Permission
from vending_app.domain.sales import Sale
from vending_app.services.permissions import require
from vending_app.storage import parties
from vending_app.storage.operators import Seller


def require_seller(found: Seller | None, *, login: str, instead_of: Sale | None) -> Seller:
    """Return who sells, if this operator may.

    Args:
        found: What is known of the operator; None if there is none.
        login: Whose log-in that is.
        instead_of: The sale whose money this one is for, where an approved case has it made: the
            case allows it, whoever of those named may still sell, and its vendor pays.

    Raises:
        UnknownOperatorError, NotPermittedError: The operator does not exist, or may not sell.
    """
    if found is None:
        raise UnknownOperatorError(login)
    if instead_of is not None:
        operator = replace(found.operator, vendor_code=instead_of.vendor_code)
        return replace(found, operator=operator)
    require(found.operator, Permission.SELL)
    return found


def lock_vendor(
    connection: Connection, operator: Operator, *, instead_of: Sale | None
) -> Vendor | None:
    """Return the vendor whose float pays, locked; None for the utility's own cashiers.

    Raises:
        VendorInactiveError: It may not sell at this time.
    """
    if operator.vendor_code is None:
        return None
    vendor = parties.lock_vendor(operator.tenant, connection, vendor_code=operator.vendor_code)
    if not vendor.active and instead_of is None:
        raise VendorInactiveError(vendor.code)
    return vendor


def require_float(
    vendor: Vendor, tendered_minor: int, *, pending_minor: int, tenant: Tenant
) -> None:
    """Refuse a sale that a vendor's float and limit do not pay for.

    Args:
        vendor: The vendor, locked.
        tendered_minor: The money of the sale.
        pending_minor: For how much the vendor has sold without the books knowing yet.
        tenant: The utility.

    Raises:
        VendorLimitError: It is more than what is left.
    """
    available = vendor.available_minor - pending_minor
    if tendered_minor > available:
        raise VendorLimitError(format_money(Money(max(available, 0), tenant.currency)))
