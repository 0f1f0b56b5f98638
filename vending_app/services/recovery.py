"""Requests whose outcome is not known: finding out from the security module, by message id."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from keys import SecurityModule
from vending_app.domain.errors import RequestInProgressError
from vending_app.domain.requests import RequestState, StoredRequest
from vending_app.services.asking import look_up, resolve, stored_work
from vending_app.services.issue_case import ISSUE
from vending_app.services.sale_case import SALE
from vending_app.services.settling import earlier_result
from vending_app.services.use_case import Answer, TokenUseCase
from vending_app.storage import meters, requests
from vending_app.storage.engine import Store

PATIENCE: Final = timedelta(minutes=2)
"""How long whoever asks a module may be at it before somebody else steps in."""

CASES: Final[Mapping[str, TokenUseCase[Any, Any]]] = {SALE.kind: SALE, ISSUE.kind: ISSUE}
"""Every use case that makes tokens; a new one is a row here."""


def open_requests(store: Store, tenant: str, *, limit: int) -> tuple[StoredRequest, ...]:
    """Return the requests that are not decided, the oldest first."""
    with store.read() as connection:
        return requests.list_open(tenant, connection, limit=limit)


def recover(
    store: Store, module: SecurityModule, *, now: datetime, tenant: str, request_id: str
) -> Answer[Any]:
    """Find out what came of a request, and write it down; nothing is made and nothing guessed.

    Args:
        store: The database.
        module: The security module that was asked.
        now: The present time, aware.
        tenant: Whose request.
        request_id: Its name.

    Returns:
        The result; a replay, if it had been known before.

    Raises:
        UnknownRequestError: The tenant has none of this name.
        RequestInProgressError: Whoever asks the module may still be at it.
        OutcomeUnknownError: The module did not answer, or the database is busy.
        LedgerClockBehindError, LedgerClockAheadError: The clock cannot be right.
        TokenNotMadeError: The module made nothing, or not all; the request has failed now.
        RequestFailedError: It had failed before.
        TwinRefusedError: The meter would refuse the token; the request has failed now.
    """
    with store.read() as connection:
        request = requests.find(tenant, connection, request_id=request_id)
        case = CASES[request.kind]
        if not request.state.is_open:
            return Answer(result=earlier_result(connection, case, request), replay=True)
        assert request.drn is not None
        meter = meters.find_meter(tenant, connection, drn=request.drn)
    # Of a time that has not come yet nobody knows how long ago it is, and waiting for it may take
    # years. If somebody is still at it after all, what they get is withheld.
    at_it = now - request.received_at < PATIENCE and not request.came_by_wrong_clock(now)
    if request.state is RequestState.PENDING and at_it:
        raise RequestInProgressError(request_id)
    plan = stored_work(case, request=request, meter=meter).issue
    made = look_up(store, module, request=request, plan=plan, now=now)
    return resolve(store, case, request=request, made=made, refusal=None, now=now)


def recover_all(
    store: Store, module: SecurityModule, *, now: datetime, tenant: str, limit: int = 1000
) -> Mapping[str, Answer[Any] | Exception]:
    """Recover every request that is not decided; return what came of each, by its name.

    Whatever goes wrong with one of them, the others have their turn. What is no ``VendingError``
    among it, nobody has foreseen.
    """
    found: dict[str, Answer[Any] | Exception] = {}
    for request in open_requests(store, tenant, limit=limit):
        try:
            found[request.request_id] = recover(
                store, module, now=now, tenant=tenant, request_id=request.request_id
            )
        except Exception as error:  # noqa: BLE001 - the caller is told
            found[request.request_id] = error
    return found
