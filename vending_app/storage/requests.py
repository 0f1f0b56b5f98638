"""Statements about requests: which there are, and what has become of them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sts import DecoderReferenceNumber
from vending_app.domain.errors import UnknownRequestError, VendingError
from vending_app.domain.requests import RequestState, StoredRequest
from vending_app.storage.locking import locked
from vending_app.storage.prepared import Prepared
from vending_app.storage.tables import NOT_DONE, requests

_OPEN: Final = (RequestState.PENDING.value, RequestState.UNKNOWN.value)
_PENDING: Final = Prepared(
    select(requests.c.plan).where(
        requests.c.tenant == bindparam("tenant"),
        requests.c.kind == bindparam("kind"),
        NOT_DONE,
        requests.c.state.in_([literal(state) for state in _OPEN]),
        requests.c.plan.is_not(None),
    )
)
_LONGEST_MESSAGE: Final = 500

# A second request of the same name waits here until the first one is decided, and is then not
# inserted. Both databases know the words, SQLAlchemy has them once for each.
_NAME: Final = requests.c.request_id
_CLAIM: Final[Mapping[str, Prepared]] = MappingProxyType(
    {
        "sqlite": Prepared(sqlite.insert(requests).on_conflict_do_nothing().returning(_NAME)),
        "postgresql": Prepared(
            postgresql.insert(requests).on_conflict_do_nothing().returning(_NAME)
        ),
    }
)
_FIND: Final = select(requests).where(
    requests.c.tenant == bindparam("tenant"), requests.c.request_id == bindparam("request_id")
)


def ask_claim(tenant: str, connection: Connection, *, request: StoredRequest) -> Callable[[], bool]:
    """Add a request, unless there is one of its name; what is returned tells whether it was added.

    Whoever adds it is alone with this name until the transaction ends: others wait here.
    """
    added = _CLAIM[connection.dialect.name].ask(
        connection,
        {
            "tenant": tenant,
            "request_id": request.request_id,
            "kind": request.kind,
            "content_hash": request.content_hash,
            "state": request.state.value,
            "drn": None if request.drn is None else str(request.drn),
            "login": request.login,
            "plan": request.plan,
            "error_code": None,
            "error_message": None,
            "received_at": request.received_at,
            "ended_at": request.ended_at,
        },
    )
    return lambda: added.one_or_none() is not None


def find(tenant: str, connection: Connection, *, request_id: str) -> StoredRequest:
    """Return a request.

    Raises:
        UnknownRequestError: The tenant has none of this name.
    """
    return _one(tenant, connection, query=_FIND, request_id=request_id)


def lock(tenant: str, connection: Connection, *, request_id: str) -> StoredRequest:
    """Return a request; nobody else decides it until this transaction ends.

    Raises:
        UnknownRequestError: The tenant has none of this name.
    """
    return _one(tenant, connection, query=locked(_FIND), request_id=request_id)


def list_open(tenant: str, connection: Connection, *, limit: int) -> tuple[StoredRequest, ...]:
    """Return requests that are not decided, the oldest first."""
    rows = connection.execute(
        select(requests)
        .where(requests.c.tenant == tenant, NOT_DONE, requests.c.state.in_(_OPEN))
        .order_by(requests.c.received_at, requests.c.request_id)
        .limit(limit)
    )
    return tuple(_request(row) for row in rows)


def open_plans(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber
) -> tuple[str, ...]:
    """Return the plans of the requests about a meter that are not decided."""
    plans = connection.execute(
        select(requests.c.plan).where(
            requests.c.tenant == tenant,
            requests.c.drn == str(drn),
            NOT_DONE,
            requests.c.state.in_(_OPEN),
            requests.c.plan.is_not(None),
        )
    )
    return tuple(plans.scalars())


def pending_plans(tenant: str, connection: Connection, *, kind: str) -> tuple[str, ...]:
    """Return the plans of the requests of a kind that are not decided."""
    found = _PENDING.rows(connection, {"tenant": tenant, "kind": kind})
    return tuple(row.plan for row in found)


def set_plan(tenant: str, connection: Connection, *, request_id: str, plan: str) -> None:
    """Keep what was decided before a module elsewhere is asked."""
    _change(tenant, connection, request_id=request_id, values={"plan": plan})


def set_unknown(tenant: str, connection: Connection, *, request_id: str) -> None:
    """Write down that the answer of the module is not known, unless somebody has found it."""
    connection.execute(
        update(requests)
        .where(
            requests.c.tenant == tenant,
            requests.c.request_id == request_id,
            requests.c.state == RequestState.PENDING.value,
        )
        .values(state=RequestState.UNKNOWN.value)
    )


def set_done(tenant: str, connection: Connection, *, request_id: str, now: datetime) -> None:
    """Write down that a request has been carried out."""
    values = {"state": RequestState.DONE.value, "ended_at": now}
    _change(tenant, connection, request_id=request_id, values=values)


def set_failed(
    tenant: str, connection: Connection, *, request_id: str, error: VendingError, now: datetime
) -> None:
    """Write down that a request has come to nothing, and why."""
    values = {
        "state": RequestState.FAILED.value,
        "error_code": error.code,
        "error_message": str(error)[:_LONGEST_MESSAGE],
        "ended_at": now,
    }
    _change(tenant, connection, request_id=request_id, values=values)


def _change(
    tenant: str, connection: Connection, *, request_id: str, values: Mapping[str, object]
) -> None:
    connection.execute(
        update(requests)
        .where(requests.c.tenant == tenant, requests.c.request_id == request_id)
        .values(**values)
    )


def _one(
    tenant: str, connection: Connection, *, query: Select[tuple[Any, ...]], request_id: str
) -> StoredRequest:
    row = connection.execute(query, {"tenant": tenant, "request_id": request_id}).one_or_none()
    if row is None:
        raise UnknownRequestError(request_id)
    return _request(row)


def _request(row: Row[Any]) -> StoredRequest:
    return StoredRequest(
        tenant=row.tenant,
        request_id=row.request_id,
        kind=row.kind,
        content_hash=row.content_hash,
        state=RequestState(row.state),
        login=row.login,
        drn=None if row.drn is None else DecoderReferenceNumber(row.drn),
        received_at=row.received_at,
        ended_at=row.ended_at,
        plan=row.plan,
        error_code=row.error_code,
        error_message=row.error_message,
    )
