"""The tokens of a case: free issue, an exchange of meters, an engineer's job card."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from keys import (
    ClearCreditRequest,
    ClearTamperRequest,
    CreditRequest,
    CurrencyCreditRequest,
    MaximumPowerLimitRequest,
    PhasePowerUnbalanceLimitRequest,
    SecurityModule,
    TariffRateRequest,
    TokenRequest,
    WaterMeterFactorRequest,
    WriteExtendedRequest,
)
from keys.canonical_json import JsonObject
from sts import (
    CreditRegister,
    Service,
    encode_amount,
    encode_currency_amount,
    encode_power_limit,
)
from vending_app.domain.cases import Case, CaseKind, CaseState, CaseToken, CaseTokenKind
from vending_app.domain.errors import CaseContentError, CaseStateError
from vending_app.domain.network import CreditKind, Life, Meter
from vending_app.domain.parties import Operator
from vending_app.domain.requests import NamedRequest, exact_number
from vending_app.domain.roles import Permission
from vending_app.domain.sales import BasisKind
from vending_app.services import requests
from vending_app.services.issue_case import ISSUE, Issued, IssueWork
from vending_app.services.issuing import Wanted, plan_tokens
from vending_app.services.permissions import require
from vending_app.services.refusals import audited_refusals, token_refusals
from vending_app.services.use_case import Answer, unasked
from vending_app.storage import cases, clock, meters, network, tenants
from vending_app.storage.engine import Store

_MAKERS: Final[Mapping[CaseKind, tuple[Permission, BasisKind]]] = {
    CaseKind.FREE_ISSUE: (Permission.FREE_ISSUE, BasisKind.FREE_ISSUE),
    CaseKind.EXCHANGE: (Permission.FREE_ISSUE, BasisKind.EXCHANGE),
    CaseKind.JOB_CARD: (Permission.ENGINEERING, BasisKind.JOB_CARD),
}
"""Who has the tokens of which case made, and under which kind of basis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTokens:
    """A request for the tokens of a case.

    Attributes:
        request_id: The client's name for the request.
        case_number: The case.
    """

    request_id: str
    case_number: int


def issue_case_tokens(
    store: Store, module: SecurityModule, operator: Operator, *, wanted: CaseTokens, now: datetime
) -> Answer[Issued]:
    """Have the tokens of an approved case made, once.

    Args:
        store: The database.
        module: The security module.
        operator: Who asks.
        wanted: Which case.
        now: The present time, aware.

    Raises:
        UnknownCaseError: There is no such case.
        NotPermittedError: The operator's role does not allow it.
        CaseStateError: It is not approved, or its tokens were made.
        CaseContentError: It is a reversal, or a token of it is not for such a meter.
        LedgerClockBehindError, LedgerClockAheadError: The clock is far behind the last entry of the
            books, or further ahead than anybody believes.
        VendingError: As for every request that makes tokens, see ``requests.perform``.
    """
    tenant = operator.tenant
    about: JsonObject = {
        "case": exact_number(wanted.case_number),
        "request_id": wanted.request_id,
    }
    with audited_refusals(store, tenant, login=operator.login, about=about, now=now):
        with store.read() as connection:
            case = cases.find_case(tenant, connection, case_number=wanted.case_number)
        if not case.content.kind.makes_tokens:
            raise CaseContentError("This kind of case makes no tokens.")
        require(operator, _MAKERS[case.content.kind][0])
        named = NamedRequest(
            tenant=tenant,
            request_id=wanted.request_id,
            kind=ISSUE.kind,
            login=operator.login,
            drn=case.content.drn,
            content={"case": wanted.case_number},
        )
        return requests.perform(
            store,
            module,
            ISSUE,
            named=named,
            decide=unasked(
                lambda connection: _decide(connection, module, named=named, case=case, now=now)
            ),
            now=now,
        )


def _decide(
    connection: Connection,
    module: SecurityModule,
    *,
    named: NamedRequest,
    case: Case,
    now: datetime,
) -> IssueWork:
    """Use the case up and plan its tokens."""
    tenant, content = named.tenant, case.content
    clock.require_clock(tenant, connection, now=now)
    meter = meters.lock_meter(tenant, connection, drn=content.drn)
    found = cases.lock_case(tenant, connection, case_number=case.number)
    if found.state is not CaseState.APPROVED:
        raise CaseStateError(case.number, state=found.state.value, wanted="used")
    if meter.life in {Life.STOCK, Life.SCRAPPED}:
        raise CaseContentError(f"Meter {meter.drn} is {meter.life.value}.")
    cases.end_case(tenant, connection, case_number=case.number, now=now)
    group = network.find_supply_group(tenant, connection, code=meter.key.supply_group_code)
    plan = plan_tokens(
        connection,
        module,
        meter=meter,
        group=group,
        request_id=named.request_id,
        wanted=[_wanted(meter, token) for token in content.tokens],
        now=now,
        special_reserved=content.special_reserved,
    )
    return IssueWork(
        issue=plan,
        basis_kind=_MAKERS[content.kind][1],
        case_number=case.number,
        reason=content.reason,
        time_zone=tenants.find_tenant(tenant, connection).time_zone,
    )


def _wanted(meter: Meter, token: CaseToken) -> Wanted:
    """Return a token without its identifier.

    Raises:
        CaseContentError: It is not for such a meter.
        TokenRefusedError: Its value has no code in a token.
    """
    if token.kind in _CREDIT_KINDS and _CREDIT_KINDS[token.kind] is not meter.credit_kind:
        raise CaseContentError(f"Meter {meter.drn} counts {meter.credit_kind.value} credit.")
    build = _BUILDERS[token.kind]

    def made(*, tid_minutes: int, special_reserved: bool) -> TokenRequest:
        identity = _Identity(tid_minutes=tid_minutes, special_reserved=special_reserved)
        return build(meter.service, token, identity)

    with token_refusals():
        # What cannot be made is refused before anything is planned; 2 is no reserved minute.
        build(meter.service, token, _Identity(tid_minutes=2, special_reserved=False))
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    """What a token is told apart by."""

    tid_minutes: int
    special_reserved: bool


_CREDIT_KINDS: Final = {
    CaseTokenKind.CREDIT: CreditKind.UNIT,
    CaseTokenKind.CURRENCY_CREDIT: CreditKind.CURRENCY,
}


def _credit(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    return CreditRequest(
        tid_minutes=identity.tid_minutes,
        special_reserved=identity.special_reserved,
        service=service,
        amount=encode_amount(token.value),
    )


def _currency_credit(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    return CurrencyCreditRequest(
        tid_minutes=identity.tid_minutes,
        special_reserved=identity.special_reserved,
        service=service,
        amount=encode_currency_amount(token.value),
    )


def _clear_credit(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    del service
    try:
        register = CreditRegister(token.value)
    except ValueError:
        raise CaseContentError(f"There is no register {token.value}.") from None
    return ClearCreditRequest(tid_minutes=identity.tid_minutes, register=register)


def _clear_tamper(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    del service, token
    return ClearTamperRequest(tid_minutes=identity.tid_minutes)


def _power_limit(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    del service
    return MaximumPowerLimitRequest(
        tid_minutes=identity.tid_minutes, limit=encode_power_limit(token.value)
    )


def _unbalance(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    del service
    return PhasePowerUnbalanceLimitRequest(
        tid_minutes=identity.tid_minutes, limit=encode_power_limit(token.value)
    )


def _tariff_rate(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    del service
    return TariffRateRequest(tid_minutes=identity.tid_minutes, rate=token.value)


def _water_factor(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    del service
    return WaterMeterFactorRequest(tid_minutes=identity.tid_minutes, factor=token.value)


def _write_extended(service: Service, token: CaseToken, identity: _Identity) -> TokenRequest:
    del service
    return WriteExtendedRequest(
        tid_minutes=identity.tid_minutes, index=token.index, data=token.value
    )


_BUILDERS: Final[
    Mapping[CaseTokenKind, Callable[[Service, CaseToken, _Identity], TokenRequest]]
] = {
    CaseTokenKind.CREDIT: _credit,
    CaseTokenKind.CURRENCY_CREDIT: _currency_credit,
    CaseTokenKind.CLEAR_CREDIT: _clear_credit,
    CaseTokenKind.CLEAR_TAMPER: _clear_tamper,
    CaseTokenKind.POWER_LIMIT: _power_limit,
    CaseTokenKind.PHASE_UNBALANCE_LIMIT: _unbalance,
    CaseTokenKind.TARIFF_RATE: _tariff_rate,
    CaseTokenKind.WATER_FACTOR: _water_factor,
    CaseTokenKind.WRITE_EXTENDED: _write_extended,
}
"""What each kind of token of a case asks the security module for; a new kind is a row here."""
