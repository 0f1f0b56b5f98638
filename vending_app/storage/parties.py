"""Statements about vendors, customers and their accounts."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from vending_app.domain.errors import (
    UnknownAccountError,
    UnknownCustomerError,
    UnknownVendorError,
)
from vending_app.domain.parties import Account, AccountState, Customer, Vendor
from vending_app.storage.locking import locked
from vending_app.storage.prepared import Prepared
from vending_app.storage.tables import accounts, customers, vendors

_VENDOR: Final = select(vendors).where(
    vendors.c.tenant == bindparam("tenant"), vendors.c.vendor_code == bindparam("vendor_code")
)
_FIND_VENDOR: Final = Prepared(_VENDOR)
_LOCK_VENDOR: Final = Prepared(locked(_VENDOR))
_SET_COUNTERS: Final = Prepared(
    update(accounts)
    .where(
        accounts.c.tenant == bindparam("whose"), accounts.c.account_number == bindparam("account")
    )
    .values(counters=bindparam("kept"))
)


def find_vendor(tenant: str, connection: Connection, *, vendor_code: str) -> Vendor:
    """Return a vendor.

    Raises:
        UnknownVendorError: The tenant has none of this code.
    """
    return _vendor(tenant, connection, vendor_code=vendor_code, lock=False)


def lock_vendor(tenant: str, connection: Connection, *, vendor_code: str) -> Vendor:
    """Return a vendor; until this transaction ends, nobody else spends of its float.

    Raises:
        UnknownVendorError: The tenant has none of this code.
    """
    return _vendor(tenant, connection, vendor_code=vendor_code, lock=True)


def add_vendor(tenant: str, connection: Connection, *, vendor: Vendor, now: datetime) -> None:
    """Add a vendor."""
    connection.execute(
        insert(vendors).values(
            tenant=tenant,
            vendor_code=vendor.code,
            name=vendor.name,
            limit_minor=vendor.limit_minor,
            float_minor=vendor.float_minor,
            active=vendor.active,
            created_at=now,
        )
    )


def find_customer(tenant: str, connection: Connection, *, customer_number: str) -> Customer:
    """Return a customer.

    Raises:
        UnknownCustomerError: The tenant has none of this number.
    """
    row = connection.execute(
        select(customers).where(
            customers.c.tenant == tenant, customers.c.customer_number == customer_number
        )
    ).one_or_none()
    if row is None:
        raise UnknownCustomerError(customer_number)
    return Customer(
        tenant=row.tenant,
        number=row.customer_number,
        name=row.name,
        phone=row.phone,
        language=row.language,
    )


def add_customer(tenant: str, connection: Connection, *, customer: Customer) -> None:
    """Add a customer."""
    connection.execute(
        insert(customers).values(
            tenant=tenant,
            customer_number=customer.number,
            name=customer.name,
            phone=customer.phone,
            language=customer.language,
        )
    )


def find_account(tenant: str, connection: Connection, *, account_number: str) -> Account:
    """Return an account.

    Raises:
        UnknownAccountError: The tenant has none of this number.
    """
    row = connection.execute(
        select(accounts).where(
            accounts.c.tenant == tenant, accounts.c.account_number == account_number
        )
    ).one_or_none()
    if row is None:
        raise UnknownAccountError(account_number)
    return _account(row)


def add_account(tenant: str, connection: Connection, *, account: Account) -> None:
    """Add an account; its customer and tariff are there."""
    connection.execute(
        insert(accounts).values(
            tenant=tenant,
            account_number=account.number,
            customer_number=account.customer_number,
            tariff_code=account.tariff_code,
            state=account.state.value,
            block_reason=account.block_reason,
            credit_minor=account.credit_minor,
            counters=account.counters,
            opened_at=account.opened_at,
        )
    )


def set_account_state(
    tenant: str, connection: Connection, *, account_number: str, state: AccountState, reason: str
) -> None:
    """Open, block or close an account."""
    connection.execute(
        update(accounts)
        .where(accounts.c.tenant == tenant, accounts.c.account_number == account_number)
        .values(state=state.value, block_reason=reason)
    )


def set_account_tariff(
    tenant: str, connection: Connection, *, account_number: str, tariff_code: str
) -> None:
    """Give an account another tariff."""
    connection.execute(
        update(accounts)
        .where(accounts.c.tenant == tenant, accounts.c.account_number == account_number)
        .values(tariff_code=tariff_code)
    )


def lock_account(tenant: str, connection: Connection, *, account_number: str) -> Account:
    """Return an account; until this transaction ends, nobody else buys for it.

    Raises:
        UnknownAccountError: The tenant has none of this number.
    """
    query = select(accounts).where(
        accounts.c.tenant == tenant, accounts.c.account_number == account_number
    )
    row = connection.execute(locked(query)).one_or_none()
    if row is None:
        raise UnknownAccountError(account_number)
    return _account(row)


def set_account_counters(
    tenant: str, connection: Connection, *, account_number: str, counters: str | None
) -> None:
    """Keep what the tariff remembers of an account. The ledger alone moves its credit."""
    _SET_COUNTERS.run(connection, {"whose": tenant, "account": account_number, "kept": counters})


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        tenant=row.tenant,
        number=row.account_number,
        customer_number=row.customer_number,
        tariff_code=row.tariff_code,
        state=AccountState(row.state),
        block_reason=row.block_reason,
        credit_minor=row.credit_minor,
        counters=row.counters,
        opened_at=row.opened_at,
    )


def _vendor(tenant: str, connection: Connection, *, vendor_code: str, lock: bool) -> Vendor:
    values = {"tenant": tenant, "vendor_code": vendor_code}
    query = _LOCK_VENDOR if lock else _FIND_VENDOR
    row = query.one_or_none(connection, values)
    if row is None:
        raise UnknownVendorError(vendor_code)
    return Vendor(
        tenant=row.tenant,
        code=row.vendor_code,
        name=row.name,
        limit_minor=row.limit_minor,
        float_minor=row.float_minor,
        active=row.active,
    )
