"""Vendors and the money they pay in before they sell."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from vending_app.domain.errors import AlreadyThereError
from vending_app.domain.ledger import EntryKind, deposit_entry
from vending_app.domain.parties import Operator, Vendor
from vending_app.domain.periods import period_of
from vending_app.domain.roles import Permission
from vending_app.services.adding import LONGEST_NAME, refusing_doubles, require_code
from vending_app.services.permissions import require
from vending_app.storage import clock, ledger, ledger_reading, parties, tenants
from vending_app.storage.engine import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Money paid into a vendor's float.

    Attributes:
        vendor_code: Whose float.
        bank_reference: As the bank statement names the payment; each counts once.
        amount_minor: How much.
    """

    vendor_code: str
    bank_reference: str
    amount_minor: int


def add_vendor(
    store: Store,
    operator: Operator,
    *,
    code: str,
    name: str,
    limit_minor: int,
    now: datetime,
) -> Vendor:
    """Add a vendor, with nothing paid in yet.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: Code or name cannot be one.
        AlreadyThereError: The code is taken.
    """
    require(operator, Permission.BANKING)
    require_code("A vendor code", code)
    require_code("A name", name, longest=LONGEST_NAME)
    vendor = Vendor(
        tenant=operator.tenant,
        code=code,
        name=name,
        limit_minor=limit_minor,
        float_minor=0,
        active=True,
    )
    with refusing_doubles(f"a vendor {code}"), store.write() as connection:
        parties.add_vendor(operator.tenant, connection, vendor=vendor, now=now)
    return vendor


def deposit(store: Store, operator: Operator, *, paid: Deposit, now: datetime) -> Vendor:
    """Book money that a vendor has paid in; a payment that the bank names once counts once.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: The bank's reference cannot be one.
        UnknownVendorError: There is no such vendor.
        FloatDepositError: Not an amount above nothing.
        AlreadyThereError: The payment is booked.
        LedgerClockBehindError, LedgerClockAheadError: The clock cannot be right.
    """
    require(operator, Permission.BANKING)
    require_code("A bank reference", paid.bank_reference)
    tenant = operator.tenant
    with store.write() as connection:
        parties.lock_vendor(tenant, connection, vendor_code=paid.vendor_code)
        # The bank may have named it for another vendor, at this moment.
        ledger.lock_books(tenant, connection)
        clock.require_clock(tenant, connection, now=now)
        terms = tenants.find_tenant(tenant, connection)
        entry = deposit_entry(
            reference=f"deposit {paid.bank_reference}",
            period=period_of(now, ZoneInfo(terms.time_zone)),
            login=operator.login,
            vendor_code=paid.vendor_code,
            amount_minor=paid.amount_minor,
            currency=terms.currency.code,
        )
        booked = ledger_reading.find_entry_by_reference(
            tenant, connection, kind=EntryKind.FLOAT_DEPOSIT, reference=entry.reference
        )
        if booked is not None:
            raise AlreadyThereError(f"a payment {paid.bank_reference}")
        ledger.post(tenant, connection, entry=entry, now=now)
        return parties.find_vendor(tenant, connection, vendor_code=paid.vendor_code)
