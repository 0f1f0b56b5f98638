"""Who may do what, asked at the door of every use case."""

from typing import Final

from vending_app.domain.errors import (
    CodeFormError,
    NotPermittedError,
    ReasonMissingError,
    SecondPersonError,
)
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission

LONGEST_REASON: Final = 500


def require(operator: Operator, permission: Permission) -> None:
    """Refuse what an operator's role does not allow.

    Raises:
        NotPermittedError: It does not, or the operator is no longer active.
    """
    if not operator.active or not operator.may(permission):
        raise NotPermittedError(operator.role.value, permission.value)


def require_second_person(first_login: str, second: Operator) -> None:
    """Refuse whoever would approve their own work.

    Raises:
        SecondPersonError: Both are the same.
    """
    if second.login == first_login:
        raise SecondPersonError


def require_reason(reason: str) -> str:
    """Return a reason without blanks around it.

    Raises:
        ReasonMissingError: Nothing is left.
        CodeFormError: It is too long.
    """
    kept = reason.strip()
    if not kept:
        raise ReasonMissingError
    if len(kept) > LONGEST_REASON:
        raise CodeFormError("A reason", LONGEST_REASON)
    return kept
