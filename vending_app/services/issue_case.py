"""Tokens without money as a use case: for a case, or a key change that somebody asked for."""

from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from keys.canonical_json import JsonObject
from vending_app.domain.cases import CaseState
from vending_app.domain.key_changes import ISSUED, with_set
from vending_app.domain.ledger import issue_entry
from vending_app.domain.ledger_rows import rows_digest
from vending_app.domain.periods import period_of
from vending_app.domain.requests import StoredRequest
from vending_app.domain.sales import Basis, BasisKind, MadeToken
from vending_app.services.handing_out import keys_of, tokens_handed_out
from vending_app.services.issuing import change_tokens, issued_tokens, keep
from vending_app.services.meters import add_history
from vending_app.services.plans import IssuePlan
from vending_app.services.use_case import Keeping, TokenUseCase
from vending_app.storage import cases, ledger, meters, sales, tenants, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueWork:
    """What was decided.

    Attributes:
        issue: The tokens.
        basis_kind: Why they are made.
        case_number: The case that allows them; None for a key change.
        reason: In words.
        time_zone: The utility's, for the month in the books.
    """

    issue: IssuePlan
    basis_kind: BasisKind
    case_number: int | None
    reason: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Tokens made without money.

    Attributes:
        basis: Why.
        tokens: In the order in which they are entered.
        reprints: How often they were printed again.
    """

    basis: Basis
    tokens: tuple[MadeToken, ...]
    reprints: int = 0


def _dump(work: IssueWork) -> JsonObject:
    return {
        "basis_kind": work.basis_kind.value,
        "case_number": work.case_number,
        "reason": work.reason,
        "time_zone": work.time_zone,
    }


def _read(document: dict[str, Any], issue: IssuePlan) -> IssueWork:
    return IssueWork(
        issue=issue,
        basis_kind=BasisKind(document["basis_kind"]),
        case_number=document["case_number"],
        reason=document["reason"],
        time_zone=document["time_zone"],
    )


def _lock(connection: Connection, work: IssueWork) -> None:
    """Lock nothing more: no money moves."""
    del connection, work


def _keep(keeping: Keeping[IssueWork]) -> Issued:
    """Write basis, tokens and books, and the meter's new key if it gets one."""
    connection, work, request = keeping.connection, keeping.work, keeping.request
    tenant = request.tenant
    number = tenants.next_number(tenant, connection, counter=tenants.BASIS)
    made = (
        *change_tokens(keeping.made, basis_number=number, now=keeping.now),
        *issued_tokens(keeping.made, basis_number=number, now=keeping.now),
    )
    basis = Basis(
        number=number,
        kind=work.basis_kind,
        maximum_tokens=len(made),
        request_id=request.request_id,
        drn=keeping.meter.drn,
        login=request.login,
        made_at=keeping.now,
        case_number=work.case_number,
        reason=work.reason,
    )
    rows = keep(connection, tenant, bases=[basis], made=made)
    _change_meter(keeping)
    entry = issue_entry(
        basis_number=number,
        period=period_of(keeping.now, ZoneInfo(work.time_zone)),
        login=request.login,
        issued={basis.kind.value: len(made)},
        digest=rows_digest({"bases": rows.bases, "tokens": rows.tokens, "token_marks": rows.marks}),
    )
    ledger.post(tenant, connection, entry=entry, now=keeping.now)
    keeping.step("issue.kept")
    return Issued(basis=basis, tokens=made)


def _change_meter(keeping: Keeping[IssueWork]) -> None:
    change = keeping.work.issue.change
    if change is None:
        return
    # The set counts from its event on, which is written below.
    keys = keys_of(keeping.connection, keeping.meter)
    before = keeping.work.issue.meter.key
    meter = with_set(keeping.meter, keys, before=before, after=change.key)
    meters.change_meter(meter.tenant, keeping.connection, meter=meter)
    add_history(
        keeping.connection,
        meter,
        kind=ISSUED,
        login=keeping.request.login,
        now=keeping.now,
        reason=keeping.work.reason,
        brings=change.key,
    )


def _give_back(connection: Connection, work: IssueWork) -> None:
    """Let the case be as if nobody had used it."""
    if work.case_number is not None:
        cases.set_state(
            work.issue.meter.tenant,
            connection,
            case_number=work.case_number,
            state=CaseState.APPROVED,
        )


def issued_of(connection: Connection, tenant: str, basis: Basis) -> Issued:
    """Return the tokens of a basis as they are handed out, and how often they were printed."""
    made = tokens.tokens_of_bases(tenant, connection, basis_numbers=[basis.number])
    reprints = sales.count_reprints(tenant, connection, basis_number=basis.number)
    keys = keys_of(connection, meters.find_meter(tenant, connection, drn=basis.drn))
    return Issued(
        basis=basis, tokens=tokens_handed_out(keys, made[basis.number]), reprints=reprints
    )


def _load(connection: Connection, request: StoredRequest) -> Issued:
    tenant = request.tenant
    (basis,) = tokens.bases_of_request(tenant, connection, request_id=request.request_id)
    return issued_of(connection, tenant, basis)


ISSUE: Final[TokenUseCase[IssueWork, Issued]] = TokenUseCase(
    kind="issue",
    dump=_dump,
    read=_read,
    lock=_lock,
    keep=_keep,
    give_back=_give_back,
    load=_load,
)
"""How tokens without money are made."""
