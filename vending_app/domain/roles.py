"""What each role may do: one table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """Something that not everybody may do."""

    SELL = "sell"
    VERIFY = "verify"
    REPRINT = "reprint"
    OPEN_CASE = "open-case"
    APPROVE_CASE = "approve-case"
    FREE_ISSUE = "free-issue"
    ENGINEERING = "engineering"
    CHANGE_KEY = "change-key"
    MANAGE_CUSTOMERS = "manage-customers"
    MANAGE_METERS = "manage-meters"
    MANAGE_TARIFFS = "manage-tariffs"
    APPROVE_TARIFFS = "approve-tariffs"
    MANAGE_OPERATORS = "manage-operators"
    BANKING = "banking"
    READ_LEDGER = "read-ledger"
    CLOSE_PERIOD = "close-period"
    SET_CLOCK = "set-clock"


class Role(StrEnum):
    """What somebody is here for."""

    CASHIER = "cashier"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"
    CALL_CENTRE = "call-centre"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.CASHIER: frozenset({Permission.SELL, Permission.VERIFY, Permission.REPRINT}),
    Role.SUPERVISOR: frozenset(
        {
            Permission.SELL,
            Permission.VERIFY,
            Permission.REPRINT,
            Permission.OPEN_CASE,
            Permission.APPROVE_CASE,
            Permission.FREE_ISSUE,
            Permission.MANAGE_CUSTOMERS,
            Permission.APPROVE_TARIFFS,
            Permission.BANKING,
            Permission.READ_LEDGER,
            Permission.CLOSE_PERIOD,
            Permission.SET_CLOCK,
        }
    ),
    Role.ENGINEER: frozenset(
        {
            Permission.VERIFY,
            Permission.OPEN_CASE,
            Permission.ENGINEERING,
            Permission.CHANGE_KEY,
            Permission.MANAGE_METERS,
        }
    ),
    Role.CALL_CENTRE: frozenset({Permission.VERIFY, Permission.REPRINT, Permission.OPEN_CASE}),
    Role.AUDITOR: frozenset({Permission.VERIFY, Permission.READ_LEDGER}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.VERIFY,
            Permission.OPEN_CASE,
            Permission.CHANGE_KEY,
            Permission.MANAGE_CUSTOMERS,
            Permission.MANAGE_METERS,
            Permission.MANAGE_TARIFFS,
            Permission.MANAGE_OPERATORS,
            Permission.READ_LEDGER,
            Permission.SET_CLOCK,
        }
    ),
}


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return what a role may do."""
    return _PERMISSIONS[role]
