"""Statements about cases."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from keys.canonical_json import JsonObject, canonical_bytes
from sts import DecoderReferenceNumber
from vending_app.domain.cases import Case, CaseContent, CaseKind, CaseState, CaseToken, EvidenceKind
from vending_app.domain.errors import UnknownCaseError
from vending_app.storage.locking import locked
from vending_app.storage.numbers import names_nothing
from vending_app.storage.tables import cases


def add_case(tenant: str, connection: Connection, *, case: Case) -> None:
    """Add a case; its meter is there."""
    content = case.content
    right = content.right_drn
    document: JsonObject = {
        "tokens": [token.body() for token in content.tokens],
        "special_reserved": content.special_reserved,
        "right_drn": None if right is None else str(right),
    }
    evidence = content.evidence_kind
    connection.execute(
        insert(cases).values(
            tenant=tenant,
            case_number=case.number,
            kind=content.kind.value,
            state=case.state.value,
            drn=str(content.drn),
            sale_number=content.sale_number,
            evidence_kind=None if evidence is None else evidence.value,
            evidence=content.evidence,
            evidence_hash=content.evidence_hash,
            reason=content.reason,
            document=canonical_bytes(document).decode("ascii"),
            login=case.login,
            opened_at=case.opened_at,
            approved_login=case.approved_login,
            decided_at=case.decided_at,
            ended_at=case.ended_at,
        )
    )


def find_case(tenant: str, connection: Connection, *, case_number: int) -> Case:
    """Return a case.

    Raises:
        UnknownCaseError: The tenant has none of this number.
    """
    return _one(tenant, connection, case_number=case_number, lock=False)


def lock_case(tenant: str, connection: Connection, *, case_number: int) -> Case:
    """Return a case; until this transaction ends, nobody else decides about it.

    Raises:
        UnknownCaseError: The tenant has none of this number.
    """
    return _one(tenant, connection, case_number=case_number, lock=True)


def list_cases(
    tenant: str, connection: Connection, *, states: Iterable[CaseState], limit: int
) -> tuple[Case, ...]:
    """Return the latest cases in some states, newest first."""
    rows = connection.execute(
        select(cases)
        .where(cases.c.tenant == tenant, cases.c.state.in_([state.value for state in states]))
        .order_by(cases.c.case_number.desc())
        .limit(limit)
    )
    return tuple(_case(row) for row in rows)


def decide_case(
    tenant: str,
    connection: Connection,
    *,
    case_number: int,
    state: CaseState,
    login: str,
    now: datetime,
) -> None:
    """Approve or refuse a case; it is locked."""
    connection.execute(
        update(cases)
        .where(cases.c.tenant == tenant, cases.c.case_number == case_number)
        .values(state=state.value, approved_login=login, decided_at=now)
    )


def end_case(tenant: str, connection: Connection, *, case_number: int, now: datetime) -> None:
    """Say that everything that a case allows was done; it is locked."""
    connection.execute(
        update(cases)
        .where(cases.c.tenant == tenant, cases.c.case_number == case_number)
        .values(state=CaseState.DONE.value, ended_at=now)
    )


def set_state(tenant: str, connection: Connection, *, case_number: int, state: CaseState) -> None:
    """Put a case back to where it was; nothing that it allows was done."""
    connection.execute(
        update(cases)
        .where(cases.c.tenant == tenant, cases.c.case_number == case_number)
        .values(state=state.value, ended_at=None)
    )


def _one(tenant: str, connection: Connection, *, case_number: int, lock: bool) -> Case:
    if names_nothing(case_number):
        raise UnknownCaseError(case_number)
    query = select(cases).where(cases.c.tenant == tenant, cases.c.case_number == case_number)
    row = connection.execute(locked(query) if lock else query).one_or_none()
    if row is None:
        raise UnknownCaseError(case_number)
    return _case(row)


def _case(row: Row[Any]) -> Case:
    document = json.loads(row.document)
    right = document["right_drn"]
    return Case(
        tenant=row.tenant,
        number=row.case_number,
        state=CaseState(row.state),
        content=CaseContent(
            kind=CaseKind(row.kind),
            drn=DecoderReferenceNumber(row.drn),
            reason=row.reason,
            tokens=tuple(CaseToken.read(body) for body in document["tokens"]),
            special_reserved=document["special_reserved"],
            sale_number=row.sale_number,
            right_drn=None if right is None else DecoderReferenceNumber(right),
            evidence_kind=None if row.evidence_kind is None else EvidenceKind(row.evidence_kind),
            evidence=row.evidence,
            evidence_hash=row.evidence_hash,
        ),
        login=row.login,
        opened_at=row.opened_at,
        approved_login=row.approved_login,
        decided_at=row.decided_at,
        ended_at=row.ended_at,
    )
