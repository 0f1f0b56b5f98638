"""A request that makes tokens, carried out exactly once.

With a security module in this process everything is one database transaction: the name of the
request is taken, the use case decides, the module makes, the twin agrees, all rows are written,
commit. With a module elsewhere there are steps, and what lies between them is never guessed::

    pending   decided and written down, with the identifiers and message ids of all tokens
    (ask)     the module makes the tokens, by message id, outside any transaction
    done      the answer is written down; failed, if the module or the twin refused
    unknown   the answer got lost: the same request goes on, ``recovery.recover`` asks the module

The same request again gets the first result; the same name for something else is refused. What was
planned by a clock that was ahead and has been set right is not made any more.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from keys import KeysError, SecurityModule
from keys.answers import Capabilities
from sts import StsError
from vending_app.domain.errors import (
    OutcomeUnknownError,
    RequestIdReusedError,
    UnknownOperatorError,
    VendingError,
)
from vending_app.domain.requests import NamedRequest, RequestState, StoredRequest
from vending_app.services import issuing
from vending_app.services.asking import ask, look_up, resolve, stored_work, write_plan
from vending_app.services.plans import IssuePlan, Made
from vending_app.services.refusals import carried_on
from vending_app.services.settling import answer_of, earlier_result, fail, settle
from vending_app.services.use_case import Answer, Decide, ResultT, TokenUseCase, WorkT
from vending_app.storage import clock, meters, requests
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal

_CAPABILITIES: Final[WeakKeyDictionary[SecurityModule, Capabilities]] = WeakKeyDictionary()
"""Asking costs a module time, and what it can do never changes."""


def capabilities(module: SecurityModule) -> Capabilities:
    """Return what a module can do."""
    known = _CAPABILITIES.get(module)
    if known is None:
        known = _CAPABILITIES[module] = module.status().capabilities
    return known


def perform(
    store: Store,
    module: SecurityModule,
    case: TokenUseCase[WorkT, ResultT],
    *,
    named: NamedRequest,
    decide: Decide[WorkT],
    now: datetime,
) -> Answer[ResultT]:
    """Carry out a request that makes tokens, once.

    Args:
        store: The database.
        module: The security module.
        case: The use case.
        named: The request.
        decide: Locks the meter, applies the rules, and plans the tokens; see ``Decide``.
        now: The present time, aware.

    Raises:
        RequestIdReusedError: The name came before with other content.
        RequestFailedError: The same request failed before.
        UnknownOperatorError: There is no such operator.
        TokenRefusedError, TwinRefusedError: The module or the twin refuses.
        OutcomeUnknownError: A module elsewhere did not answer, the database was busy after it was
            asked, or its server went in the midst.
        StoreBusyError: The database was not to be had; this step was not done.
        LedgerClockBehindError, LedgerClockAheadError: The clock cannot be right; what is open stays
            so.
        VendingError: Whatever ``decide`` refuses.
    """
    perform_with = _at_once if capabilities(module).shared_journal else _by_steps
    try:
        return perform_with(store, module, case, named=named, decide=decide, now=now)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        # A server that went does not say whether the commit had arrived.
        raise OutcomeUnknownError(named.request_id) from error


def _at_once(
    store: Store,
    module: SecurityModule,
    case: TokenUseCase[WorkT, ResultT],
    *,
    named: NamedRequest,
    decide: Decide[WorkT],
    now: datetime,
) -> Answer[ResultT]:
    """Carry out a request in one transaction; the module writes its journal into it."""
    with store.write() as connection:
        request = _new(named, RequestState.DONE, now=now)
        decided = _claimed(connection, request, decide)
        if decided is None:
            earlier = _earlier(connection, named)
            if earlier.state.is_open:
                # Another module was asked for it, and only that one knows.
                raise OutcomeUnknownError(named.request_id)
            return Answer(result=earlier_result(connection, case, earlier), replay=True)
        store.fail_point(f"{case.kind}.begin")
        work = decided()
        made, refusal = _made(connection, module, work.issue, now=now)
        store.fail_point(f"{case.kind}.issued")
        outcome: ResultT | VendingError
        if refusal is not None:
            if made.is_nothing:
                raise refusal
            # The module's log has some of the tokens, so the books must have them as well.
            outcome = refusal
            fail(connection, case, request=request, work=work, made=made, error=refusal, now=now)
        else:
            outcome = settle(
                store,
                connection,
                case,
                request=request,
                work=work,
                made=made,
                meter=work.issue.meter,
                now=now,
            )
        store.fail_point(f"{case.kind}.before_commit")
    store.fail_point(f"{case.kind}.after_commit")
    return answer_of(outcome)


def _made(
    connection: Connection, module: SecurityModule, plan: IssuePlan, *, now: datetime
) -> tuple[Made, VendingError | None]:
    """Have a plan made; return what there is of it, and why there is not more."""
    made = Made(plan=plan, change=None, answers=())
    try:
        for each in issuing.making(module, plan, now=now, journal=DatabaseJournal(connection)):
            made = each
    except (StsError, KeysError) as error:
        refusal = carried_on(error)
        refusal.__cause__ = error
        return made, refusal
    return made, None


def _by_steps(
    store: Store,
    module: SecurityModule,
    case: TokenUseCase[WorkT, ResultT],
    *,
    named: NamedRequest,
    decide: Decide[WorkT],
    now: datetime,
) -> Answer[ResultT]:
    """Carry out a request whose tokens are made elsewhere, or go on with it."""
    with store.write() as connection:
        request = _new(named, RequestState.PENDING, now=now)
        decided = _claimed(connection, request, decide)
        if decided is not None:
            store.fail_point(f"{case.kind}.begin")
            work = decided()
            write_plan(connection, case, request=request, work=work)
        else:
            request = _earlier(connection, named)
            if not request.state.is_open:
                return Answer(result=earlier_result(connection, case, request), replay=True)
            assert named.drn is not None
            # Before a token is made that could not be booked.
            clock.require_clock(named.tenant, connection, now=now)
            meter = meters.find_meter(named.tenant, connection, drn=named.drn)
            work = stored_work(case, request=request, meter=meter)
    store.fail_point("remote.planned")
    if request.came_by_wrong_clock(now):
        # Its identifiers are those of a time to come: the meter would take no other until then.
        made = look_up(store, module, request=request, plan=work.issue, now=now)
        return resolve(store, case, request=request, made=made, refusal=None, now=now)
    return ask(store, module, case, request=request, plan=work.issue, now=now)


def _new(named: NamedRequest, state: RequestState, *, now: datetime) -> StoredRequest:
    return StoredRequest(
        tenant=named.tenant,
        request_id=named.request_id,
        kind=named.kind,
        content_hash=named.content_hash,
        state=state,
        login=named.login,
        drn=named.drn,
        received_at=now,
        ended_at=None if state.is_open else now,
    )


def _claimed(
    connection: Connection, request: StoredRequest, decide: Decide[WorkT]
) -> Callable[[], WorkT] | None:
    """Take the name of a request, and return what decides it; None if the name was taken."""
    try:
        claimed = requests.ask_claim(request.tenant, connection, request=request)
        decided = decide(connection)
        return decided if claimed() else None
    except IntegrityError as error:
        raise UnknownOperatorError(request.login) from error


def _earlier(connection: Connection, named: NamedRequest) -> StoredRequest:
    """Return the request that has the name, if it is the same."""
    found = requests.find(named.tenant, connection, request_id=named.request_id)
    if found.content_hash != named.content_hash:
        raise RequestIdReusedError
    return found
