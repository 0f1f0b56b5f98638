"""Cases: opened by one person, decided by another."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from vending_app.domain.cases import Case, CaseContent, CaseKind, CaseState
from vending_app.domain.errors import CaseStateError
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.services.permissions import require, require_second_person
from vending_app.storage import cases, meters, sales, tenants
from vending_app.storage.engine import Store

_OPENED_BY: Final = {
    CaseKind.FREE_ISSUE: Permission.OPEN_CASE,
    CaseKind.EXCHANGE: Permission.OPEN_CASE,
    CaseKind.JOB_CARD: Permission.ENGINEERING,
    CaseKind.REVERSAL: Permission.OPEN_CASE,
    CaseKind.WRONG_METER: Permission.OPEN_CASE,
}
"""Which permission opens which case."""


def open_case(store: Store, operator: Operator, *, content: CaseContent, now: datetime) -> Case:
    """Open a case.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownMeterError, UnknownSaleError: A meter or sale of it does not exist.
    """
    require(operator, _OPENED_BY[content.kind])
    tenant = operator.tenant
    with store.write() as connection:
        for drn in (content.drn, content.right_drn):
            if drn is not None:
                meters.find_meter(tenant, connection, drn=drn)
        if content.sale_number is not None:
            sales.find_sale(tenant, connection, sale_number=content.sale_number)
        case = Case(
            tenant=tenant,
            number=tenants.next_number(tenant, connection, counter=tenants.CASE),
            state=CaseState.OPEN,
            content=content,
            login=operator.login,
            opened_at=now,
        )
        cases.add_case(tenant, connection, case=case)
    return case


def approve_case(store: Store, operator: Operator, *, case_number: int, now: datetime) -> Case:
    """Allow what a case is for.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        SecondPersonError: The operator opened it.
        UnknownCaseError: There is no such case.
        CaseStateError: It was decided before.
    """
    return _decide(store, operator, case_number=case_number, state=CaseState.APPROVED, now=now)


def refuse_case(store: Store, operator: Operator, *, case_number: int, now: datetime) -> Case:
    """Refuse what a case is for.

    Raises:
        NotPermittedError, SecondPersonError, UnknownCaseError, CaseStateError: As for
            ``approve_case``.
    """
    return _decide(store, operator, case_number=case_number, state=CaseState.REFUSED, now=now)


def find_case(store: Store, tenant: str, *, case_number: int) -> Case:
    """Return a case.

    Raises:
        UnknownCaseError: The tenant has none of this number.
    """
    with store.read() as connection:
        return cases.find_case(tenant, connection, case_number=case_number)


def list_cases(
    store: Store, tenant: str, *, states: Iterable[CaseState], limit: int
) -> tuple[Case, ...]:
    """Return the latest cases in some states, newest first."""
    with store.read() as connection:
        return cases.list_cases(tenant, connection, states=states, limit=limit)


def _decide(
    store: Store, operator: Operator, *, case_number: int, state: CaseState, now: datetime
) -> Case:
    require(operator, Permission.APPROVE_CASE)
    tenant = operator.tenant
    with store.write() as connection:
        case = cases.lock_case(tenant, connection, case_number=case_number)
        require_second_person(case.login, operator)
        if case.state is not CaseState.OPEN:
            raise CaseStateError(case_number, state=case.state.value, wanted=state.value)
        cases.decide_case(
            tenant,
            connection,
            case_number=case_number,
            state=state,
            login=operator.login,
            now=now,
        )
        return cases.find_case(tenant, connection, case_number=case_number)
