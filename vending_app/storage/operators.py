"""Statements about operators."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select

from vending_app.domain.parties import Operator, Tenant
from vending_app.storage.prepared import Prepared
from vending_app.storage.rows import operator_of, tenant_of
from vending_app.storage.tables import ledger_heads, operators, tenants

_FIND: Final = select(operators).where(
    operators.c.tenant == bindparam("tenant"), operators.c.login == bindparam("login")
)

_FIND_SELLER: Final = Prepared(
    select(
        *(column for column in operators.c if column is not operators.c.created_at),
        *(column for column in tenants.c if column.name not in operators.c),
        ledger_heads.c.posted_at,
    )
    .join_from(operators, tenants, operators.c.tenant == tenants.c.tenant)
    .outerjoin(ledger_heads, ledger_heads.c.tenant == tenants.c.tenant)
    .where(operators.c.tenant == bindparam("tenant"), operators.c.login == bindparam("login"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who sells, and what a sale has to know of the utility.

    Attributes:
        operator: Who.
        tenant: For whom.
        booked_at: When the utility's last entry was booked; None before the first.
    """

    operator: Operator
    tenant: Tenant
    booked_at: datetime | None


def ask_seller(tenant: str, connection: Connection, *, login: str) -> Callable[[], Seller | None]:
    """Ask for an operator and for whom they work; what is returned gives them, or None."""
    asked = _FIND_SELLER.ask(connection, {"tenant": tenant, "login": login})

    def seller() -> Seller | None:
        row = asked.one_or_none()
        if row is None:
            return None
        return Seller(operator=operator_of(row), tenant=tenant_of(row), booked_at=row.posted_at)

    return seller


def find_operator(tenant: str, connection: Connection, *, login: str) -> Operator | None:
    """Return an operator, or None: who asks must not tell one failure from another."""
    row = connection.execute(_FIND, {"tenant": tenant, "login": login}).one_or_none()
    return None if row is None else operator_of(row)


def list_operators(tenant: str, connection: Connection) -> tuple[Operator, ...]:
    """Return all operators of a tenant by log-in."""
    rows = connection.execute(
        select(operators).where(operators.c.tenant == tenant).order_by(operators.c.login)
    )
    return tuple(operator_of(row) for row in rows)


def add_operator(tenant: str, connection: Connection, *, operator: Operator, now: datetime) -> None:
    """Add an operator."""
    connection.execute(
        insert(operators).values(
            tenant=tenant,
            login=operator.login,
            display_name=operator.display_name,
            role=operator.role.value,
            password_hash=operator.password_hash,
            active=operator.active,
            vendor_code=operator.vendor_code,
            created_at=now,
        )
    )
