"""Statements about tenants and their counters."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from vending_app.domain.errors import UnknownTenantError
from vending_app.domain.parties import Tenant
from vending_app.storage.locking import locked
from vending_app.storage.prepared import Prepared
from vending_app.storage.rows import tenant_of
from vending_app.storage.tables import counters, tenants

BASIS: Final = "basis"
SALE: Final = "sale"
CREDIT_NOTE: Final = "credit_note"
CASE: Final = "case"
AUDIT: Final = "audit"
COUNTERS: Final = (BASIS, SALE, CREDIT_NOTE, CASE, AUDIT)
"""What a tenant numbers without gaps, apart from the entries of its ledger."""

_FIND: Final = select(tenants).where(tenants.c.tenant == bindparam("tenant"))
_COUNT: Final = Prepared(
    update(counters)
    .where(counters.c.tenant == bindparam("counting"), counters.c.name == bindparam("named"))
    .values(last_number=counters.c.last_number + 1)
    .returning(counters.c.last_number)
)


def find_tenant(tenant: str, connection: Connection) -> Tenant:
    """Return a tenant.

    Raises:
        UnknownTenantError: There is none of this code.
    """
    row = connection.execute(_FIND, {"tenant": tenant}).one_or_none()
    if row is None:
        raise UnknownTenantError(tenant)
    return tenant_of(row)


def lock_tenant(tenant: str, connection: Connection) -> None:
    """Let nobody else do the same until the transaction ends.

    For what is rare, and goes by what is there: the next revision, one more attempt.
    """
    connection.execute(locked(_FIND), {"tenant": tenant})


def has_tenant(tenant: str, connection: Connection) -> bool:
    """Tell whether there is a tenant of this code."""
    found = connection.execute(select(tenants.c.tenant).where(tenants.c.tenant == tenant))
    return found.one_or_none() is not None


def add_tenant(tenant: str, connection: Connection, *, terms: Tenant, now: datetime) -> None:
    """Add a tenant and its counters."""
    connection.execute(
        insert(tenants).values(
            tenant=tenant,
            name=terms.name,
            currency=terms.currency.code,
            currency_exponent=terms.currency.exponent,
            time_zone=terms.time_zone,
            address=terms.address,
            tax_reference=terms.tax_reference,
            cash_step_minor=terms.cash_step_minor,
            word_limit_minor=terms.word_limit_minor,
            created_at=now,
        )
    )
    connection.execute(
        insert(counters),
        [{"tenant": tenant, "name": name, "last_number": 0} for name in COUNTERS],
    )


def next_number(tenant: str, connection: Connection, *, counter: str) -> int:
    """Count one up and return the number, see ``ask_numbers``."""
    return ask_numbers(tenant, connection, names=(counter,))()[counter]


def ask_numbers(
    tenant: str, connection: Connection, *, names: Sequence[str]
) -> Callable[[], dict[str, int]]:
    """Count up; what is returned gives the numbers. Nobody else counts until the transaction ends.

    A transaction that is rolled back gives its numbers back, so there are no gaps.

    Args:
        tenant: Whose numbers.
        connection: The transaction.
        names: The counters, ``BASIS`` before ``SALE`` everywhere. One statement for all would count
            in whatever order the rows lie, and two sales could wait for each other.
    """
    asked = {name: _COUNT.ask(connection, {"counting": tenant, "named": name}) for name in names}
    return lambda: {name: each.rows()[0].last_number for name, each in asked.items()}
