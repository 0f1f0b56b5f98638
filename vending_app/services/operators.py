"""Who may log in."""

from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from vending_app.domain.errors import LoginError, OperatorExistsError
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Role
from vending_app.storage import operators
from vending_app.storage.engine import Store

_SCRYPT: Final = "scrypt:32768:8:1"
"""32 MB and some 60 ms for each guess."""
_LONGEST_PASSWORD: Final = 256


def log_in(store: Store, *, login: str, password: str) -> Operator:
    """Return the operator who logs in as ``name@utility``.

    It takes as long for an unknown name as for a wrong password.

    Raises:
        LoginError: The two do not go together, or the operator is not active.
    """
    name, _, tenant = login.strip().lower().partition("@")
    operator = None
    # A database may refuse characters that no log-in has.
    if (name + tenant).isascii() and (name + tenant).isprintable():
        with store.read() as connection:
            operator = operators.find_operator(tenant, connection, login=name)
    password_hash = _hash_of_nobody() if operator is None else operator.password_hash
    fits = len(password) <= _LONGEST_PASSWORD and check_password_hash(password_hash, password)
    if operator is None or not fits or not operator.active:
        raise LoginError
    return operator


def find_active_operator(store: Store, tenant: str, *, login: str) -> Operator | None:
    """Return the operator of a session, or None if the log-in no longer counts."""
    with store.read() as connection:
        operator = operators.find_operator(tenant, connection, login=login)
    return operator if operator is not None and operator.active else None


def new_operator(
    tenant: str,
    *,
    login: str,
    display_name: str,
    role: Role,
    password: str,
    vendor_code: str | None = None,
) -> Operator:
    """Return an active operator, with the password as a salted scrypt hash."""
    return Operator(
        tenant=tenant,
        login=login,
        display_name=display_name,
        role=role,
        password_hash=generate_password_hash(password, method=_SCRYPT),
        active=True,
        vendor_code=vendor_code,
    )


def add_operator(store: Store, operator: Operator, *, now: datetime) -> None:
    """Add an operator to a utility.

    Raises:
        OperatorExistsError: The log-in is taken.
    """
    try:
        with store.write() as connection:
            operators.add_operator(operator.tenant, connection, operator=operator, now=now)
    except IntegrityError as error:
        raise OperatorExistsError(f"{operator.login}@{operator.tenant}") from error


@cache
def _hash_of_nobody() -> str:
    return generate_password_hash("nobody", method=_SCRYPT)
