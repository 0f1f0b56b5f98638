"""The end of a request: the twin is asked, then everything is written down, or that it failed."""

from datetime import datetime

from sqlalchemy import Connection

from vending_app.domain.errors import RequestFailedError, TwinRefusedError, VendingError
from vending_app.domain.network import Meter
from vending_app.domain.requests import RequestState, StoredRequest
from vending_app.services.identifiers import used_identifiers
from vending_app.services.plans import Made
from vending_app.services.twin import twin_refusal
from vending_app.services.use_case import Answer, Keeping, ResultT, TokenUseCase, WorkT
from vending_app.services.withholding import withhold
from vending_app.storage import requests
from vending_app.storage.engine import Store

LONGEST_REASON = 500


def settle(
    store: Store,
    connection: Connection,
    case: TokenUseCase[WorkT, ResultT],
    *,
    request: StoredRequest,
    work: WorkT,
    made: Made,
    meter: Meter,
    now: datetime,
) -> ResultT | VendingError:
    """Return the result, written down; or the refusal of the twin, which is to be kept as well.

    A refusal is returned and not raised, because the transaction has to be committed first.
    """
    used = work.issue.used
    if used is None:
        used = used_identifiers(
            connection, meter, base_date=work.issue.key.base_date, without=request.request_id
        )
    refusal = twin_refusal(made, issued=used)
    store.fail_point(f"{case.kind}.twinned")
    if refusal is not None:
        error = TwinRefusedError(f"TWIN_{refusal.code.name}", refusal.reason)
        fail(connection, case, request=request, work=work, made=made, error=error, now=now)
        return error
    result = case.keep(
        Keeping(
            connection=connection,
            request=request,
            work=work,
            made=made,
            meter=meter,
            now=now,
            step=store.fail_point,
        )
    )
    if request.state.is_open:
        requests.set_done(request.tenant, connection, request_id=request.request_id, now=now)
    store.fail_point(f"{case.kind}.request")
    return result


def fail(
    connection: Connection,
    case: TokenUseCase[WorkT, ResultT],
    *,
    request: StoredRequest,
    work: WorkT,
    made: Made,
    error: VendingError,
    now: datetime,
) -> None:
    """Write down that a request came to nothing; what was made of it is booked and never shown."""
    case.give_back(connection, work)
    withhold(connection, request, made, reason=str(error)[:LONGEST_REASON], now=now)
    requests.set_failed(
        request.tenant, connection, request_id=request.request_id, error=error, now=now
    )


def earlier_result(
    connection: Connection, case: TokenUseCase[WorkT, ResultT], request: StoredRequest
) -> ResultT:
    """Return the result of a request that is decided.

    Raises:
        RequestFailedError: It failed; with the code of the first time.
    """
    if request.state is RequestState.FAILED:
        raise RequestFailedError(request.error_code or "", request.error_message or "")
    return case.load(connection, request)


def answer_of(outcome: ResultT | VendingError) -> Answer[ResultT]:
    """Return a result as the answer to its request, or raise a refusal; all is committed.

    Raises:
        VendingError: The refusal.
    """
    if isinstance(outcome, VendingError):
        raise outcome
    return Answer(result=outcome, replay=False)
