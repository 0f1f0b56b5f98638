"""A request whose security module is elsewhere: what is written down before, and what comes of it.

Between the two transactions the module is asked by message id, outside of any. Whatever the answer
is, ``resolve`` writes it down once; whoever comes second finds it there.
"""

import json
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from keys import SecurityModule
from keys.canonical_json import canonical_bytes
from keys.errors import RequestError
from sts import StsError
from vending_app.domain.errors import (
    KeyChangedError,
    OutcomeUnknownError,
    RequestFailedError,
    StoreBusyError,
    TokenNotMadeError,
    VendingError,
)
from vending_app.domain.network import Meter
from vending_app.domain.requests import RequestState, StoredRequest
from vending_app.services import issuing
from vending_app.services.handing_out import keys_of
from vending_app.services.plan_documents import plan_json, read_plan
from vending_app.services.plans import IssuePlan, Made
from vending_app.services.refusals import carried_on
from vending_app.services.settling import answer_of, earlier_result, fail, settle
from vending_app.services.use_case import Answer, ResultT, TokenUseCase, WorkT
from vending_app.services.withholding import withhold
from vending_app.storage import clock, meters, requests, tokens
from vending_app.storage.engine import Store


def write_plan(
    connection: Connection,
    case: TokenUseCase[WorkT, ResultT],
    *,
    request: StoredRequest,
    work: WorkT,
) -> None:
    """Keep what was decided, so that another process can go on with it."""
    plan = canonical_bytes({"issue": plan_json(work.issue), "work": case.dump(work)})
    requests.set_plan(
        request.tenant,
        connection,
        request_id=request.request_id,
        plan=plan.decode("ascii"),
    )


def stored_work(
    case: TokenUseCase[WorkT, ResultT], *, request: StoredRequest, meter: Meter
) -> WorkT:
    """Return what was decided, as it was kept."""
    document = json.loads(request.plan or "")
    return case.read(document["work"], read_plan(document["issue"], meter))


def ask(
    store: Store,
    module: SecurityModule,
    case: TokenUseCase[WorkT, ResultT],
    *,
    request: StoredRequest,
    plan: IssuePlan,
    now: datetime,
) -> Answer[ResultT]:
    """Have the tokens of an open request made, and write down what comes of it.

    Raises:
        TokenRefusedError, TwinRefusedError: The module or the twin refuses; the request failed.
        OutcomeUnknownError: The module did not answer, or the database is busy.
    """
    refusal: VendingError | None = None
    try:
        made = issuing.make(module, plan, now=now)
    except (RequestError, StsError) as error:
        # It has refused one of the tokens; those before that one are there.
        refusal = carried_on(error)
        made = look_up(store, module, request=request, plan=plan, now=now)
    except Exception as error:
        # Whatever happened on the way, the token may be there.
        raise _unknown(store, request) from error
    store.fail_point("remote.asked")
    return resolve(store, case, request=request, made=made, refusal=refusal, now=now)


def look_up(
    store: Store,
    module: SecurityModule,
    *,
    request: StoredRequest,
    plan: IssuePlan,
    now: datetime,
) -> Made:
    """Return what a module has made of an open request; nothing is made.

    Raises:
        OutcomeUnknownError: The module cannot tell, or did not answer.
    """
    try:
        return issuing.fetch(module, plan, now=now)
    except Exception as error:
        # Nothing that goes wrong here says whether the token is there.
        raise _unknown(store, request) from error


def resolve(
    store: Store,
    case: TokenUseCase[WorkT, ResultT],
    *,
    request: StoredRequest,
    made: Made,
    refusal: VendingError | None,
    now: datetime,
) -> Answer[ResultT]:
    """Write down what has come of an open request, unless somebody was faster.

    Args:
        store: The database.
        case: The use case.
        request: The request.
        made: What the module has made of it.
        refusal: Why the module makes no more; None if it has not refused.
        now: The present time, aware.

    Raises:
        LedgerClockBehindError, LedgerClockAheadError: The clock cannot be right; the request stays
            open.
        OutcomeUnknownError: The database is busy; the request stays open.
        KeyChangedError: Somebody has seen another key in the meter meanwhile, under which it takes
            none of the tokens; the request has failed.
        VendingError: The request has failed.
    """
    try:
        return _resolved(store, case, request=request, made=made, refusal=refusal, now=now)
    except StoreBusyError as error:
        # There may be tokens, and whoever believes that nothing was done would have others made.
        raise OutcomeUnknownError(request.request_id) from error


def _resolved(
    store: Store,
    case: TokenUseCase[WorkT, ResultT],
    *,
    request: StoredRequest,
    made: Made,
    refusal: VendingError | None,
    now: datetime,
) -> Answer[ResultT]:
    tenant, request_id = request.tenant, request.request_id
    with store.write() as connection:
        found = requests.lock(tenant, connection, request_id=request_id)
        if found.state is RequestState.DONE:
            return Answer(result=earlier_result(connection, case, found), replay=True)
        clock.require_clock(tenant, connection, now=now)
        meter = meters.lock_meter(tenant, connection, drn=made.plan.meter.drn)
        outcome: ResultT | VendingError
        if found.state is RequestState.FAILED:
            outcome = RequestFailedError(found.error_code or "", found.error_message or "")
            if not tokens.bases_of_request(tenant, connection, request_id=request_id):
                # It was given up while the module was at it.
                withhold(connection, found, made, reason=str(outcome), now=now)
        else:
            work = stored_work(case, request=found, meter=meter)
            case.lock(connection, work)
            if refusal is None:
                refusal = _refusal_of(connection, meter, made)
            if refusal is not None:
                outcome = refusal
                fail(connection, case, request=found, work=work, made=made, error=outcome, now=now)
            else:
                settled = settle(
                    store,
                    connection,
                    case,
                    request=found,
                    work=work,
                    made=made,
                    meter=meter,
                    now=now,
                )
                refused = isinstance(settled, VendingError)
                # Nobody needs its set if the meter was seen with the new key meanwhile.
                outcome = settled if refused else case.load(connection, found)
        store.fail_point("remote.answered")
    return answer_of(outcome)


def _refusal_of(connection: Connection, meter: Meter, made: Made) -> VendingError | None:
    """Return why what was made is no result, or None if it is one."""
    if not made.is_complete:
        return TokenNotMadeError()
    plan = made.plan
    if keys_of(connection, meter).takes(plan.key, before=plan.meter.key):
        return None
    return KeyChangedError(str(meter.drn))


def _unknown(store: Store, request: StoredRequest) -> OutcomeUnknownError:
    # If nobody can write it down, it is pending still, which has the same ways out.
    with suppress(StoreBusyError), store.write() as connection:
        requests.set_unknown(request.tenant, connection, request_id=request.request_id)
    return OutcomeUnknownError(request.request_id)
