"""Tokens that were made and are never shown: counted and booked, so that the books agree."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from vending_app.domain.ledger import issue_entry
from vending_app.domain.ledger_rows import rows_digest
from vending_app.domain.periods import period_of
from vending_app.domain.requests import StoredRequest
from vending_app.domain.sales import Basis, BasisKind
from vending_app.services.issuing import change_tokens, issued_tokens, keep
from vending_app.services.plans import Made
from vending_app.storage import ledger, tenants


def withhold(
    connection: Connection, request: StoredRequest, made: Made, *, reason: str, now: datetime
) -> None:
    """Book everything that was made for a request under one basis, marked as withheld.

    Args:
        connection: The transaction.
        request: The request, which fails.
        made: What the security module made of it; all of it or a part.
        reason: Why nobody gets to see it.
        now: The present time, aware.
    """
    if made.is_nothing:
        return
    tenant = request.tenant
    number = tenants.next_number(tenant, connection, counter=tenants.BASIS)
    changed = change_tokens(made, basis_number=number, now=now)
    issued = issued_tokens(made, basis_number=number, now=now, first_number=len(changed) + 1)
    basis = Basis(
        number=number,
        kind=BasisKind.WITHHELD,
        maximum_tokens=len(changed) + len(issued),
        request_id=request.request_id,
        drn=made.plan.meter.drn,
        login=request.login,
        made_at=now,
        reason=reason,
    )
    rows = keep(connection, tenant, bases=[basis], made=[*changed, *issued], withheld=reason)
    zone = ZoneInfo(tenants.find_tenant(tenant, connection).time_zone)
    entry = issue_entry(
        basis_number=number,
        period=period_of(now, zone),
        login=request.login,
        issued={basis.kind.value: basis.maximum_tokens},
        digest=rows_digest({"bases": rows.bases, "tokens": rows.tokens, "token_marks": rows.marks}),
    )
    ledger.post(tenant, connection, entry=entry, now=now)
