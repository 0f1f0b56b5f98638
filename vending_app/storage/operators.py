"""Statements about operators."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Row, bindparam, insert, select

from vending_app.domain.parties import Operator
from vending_app.domain.roles import Role
from vending_app.storage.tables import operators

_FIND: Final = select(operators).where(
    operators.c.tenant == bindparam("tenant"), operators.c.login == bindparam("login")
)


def find_operator(tenant: str, connection: Connection, *, login: str) -> Operator | None:
    """Return an operator, or None: who asks must not tell one failure from another."""
    row = connection.execute(_FIND, {"tenant": tenant, "login": login}).one_or_none()
    return None if row is None else _operator(row)


def list_operators(tenant: str, connection: Connection) -> tuple[Operator, ...]:
    """Return all operators of a tenant by log-in."""
    rows = connection.execute(
        select(operators).where(operators.c.tenant == tenant).order_by(operators.c.login)
    )
    return tuple(_operator(row) for row in rows)


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


def _operator(row: Row[tuple[object, ...]]) -> Operator:
    return Operator(
        tenant=row.tenant,
        login=row.login,
        display_name=row.display_name,
        role=Role(row.role),
        password_hash=row.password_hash,
        active=row.active,
        vendor_code=row.vendor_code,
    )
