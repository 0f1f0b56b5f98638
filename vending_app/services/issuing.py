"""Making tokens: which identifiers, asking the security module, and the rows that keep them.

    plan_tokens                   within a transaction that has locked the meter: identifiers, names
    make                          the security module makes what was planned; again, the same
    fetch                         what the module has made of a plan; it makes nothing
    change_tokens, issued_tokens  the tokens under their basis
    keep                          writes bases and tokens down, and returns the rows for the books

Whatever makes tokens goes this way: sales, free issue, engineering, exchange. Between ``make`` and
``keep`` stands the twin, see ``vending_app.services.twin``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from keys import IssueJournal, SecurityModule, TokenRequest
from keys.answers import IssueAnswer
from sts import (
    Service,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
)
from vending_app.domain.errors import SpecialReservedError
from vending_app.domain.network import Meter, MeterKey, SupplyGroup
from vending_app.domain.sale_rows import Row, basis_row, mark_row, token_row
from vending_app.domain.sales import Basis, MadeToken
from vending_app.services.identifiers import (
    AskedIdentifiers,
    next_identifier,
    used_identifiers,
)
from vending_app.services.plans import (
    IssuePlan,
    Made,
    PlannedChange,
    PlannedToken,
    message_id,
    meter_configuration,
)
from vending_app.services.refusals import token_refusals
from vending_app.storage import tokens

UNITS: Final = {
    Service.ELECTRICITY: "kWh",
    Service.WATER: "m³",
    Service.GAS: "m³",
    Service.TIME: "min",
}
"""What a unit of each service is called."""
_TENTHS: Final = 10
_CURRENCY_STEPS: Final = 100_000


class Wanted(Protocol):
    """A token without its identifier: a class of requests with all else that it needs.

    ``partial(CreditRequest, service=service, amount=amount)`` for one.
    """

    def __call__(self, *, tid_minutes: int, special_reserved: bool) -> TokenRequest:
        """Return the request for the token with this identifier."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRows:
    """The rows that were written, for the books to cover."""

    bases: tuple[Row, ...]
    tokens: tuple[Row, ...]
    marks: tuple[Row, ...]


def plan_tokens(
    connection: Connection,
    module: SecurityModule,
    *,
    meter: Meter,
    group: SupplyGroup,
    request_id: str,
    wanted: Sequence[Wanted],
    now: datetime,
    change: PlannedChange | None = None,
    special_reserved: bool = False,
    asked: AskedIdentifiers | None = None,
) -> IssuePlan:
    """Return a plan for the tokens of a request; nothing is made yet.

    Args:
        connection: The transaction; it has locked the meter.
        module: The security module.
        meter: The meter.
        group: The policy of the supply group of the key that the tokens are for.
        request_id: The request.
        wanted: The tokens.
        now: The present time, aware.
        change: The key change that comes first.
        special_reserved: Whether the one token has the special identifier of the day, 00:01.
        asked: The identifiers in use, if they were asked for before.

    Raises:
        TokenRefusedError: The module has no such key, it has expired, or the identifiers would run
            ahead of the clock.
        SpecialReservedError: More than one token for the special identifier.
    """
    if special_reserved and len(wanted) > 1:
        raise SpecialReservedError
    key = meter.key if change is None else change.key
    with token_refusals():
        record = module.vending_key(meter_configuration(meter, key)).record
        if asked is not None and asked.base_date == record.base_date:
            before = asked.used()
        else:
            before = used_identifiers(connection, meter, base_date=record.base_date)
        used = list(before)
        planned = []
        for number, each in enumerate(wanted, start=1):
            tid = next_identifier(
                used,
                now,
                base_date=record.base_date,
                key_expiry_number=record.key_expiry_number,
                group=group,
                special_reserved=special_reserved,
            )
            used.append(tid)
            planned.append(
                PlannedToken(
                    message_id=message_id(meter.tenant, request_id, str(number)),
                    request=each(tid_minutes=tid, special_reserved=special_reserved),
                )
            )
    return IssuePlan(meter=meter, change=change, tokens=tuple(planned), used=before)


def make(
    module: SecurityModule,
    plan: IssuePlan,
    *,
    now: datetime,
    journal: IssueJournal | None = None,
) -> Made:
    """Have a plan made; made again, it gives the same tokens.

    Raises:
        KeysError, StsError: The module refuses; what was made before that can be fetched.
    """
    made = Made(plan=plan, change=None, answers=())
    for each in making(module, plan, now=now, journal=journal):
        made = each
    return made


def making(
    module: SecurityModule,
    plan: IssuePlan,
    *,
    now: datetime,
    journal: IssueJournal | None = None,
) -> Iterator[Made]:
    """Have a plan made, and yield what there is of it after each answer.

    Raises:
        KeysError, StsError: The module refuses; what was yielded last is there nevertheless.
    """
    after = meter_configuration(plan.meter, plan.key)
    planned, change = plan.change, None
    answers: tuple[IssueAnswer, ...] = ()
    if planned is not None:
        before = meter_configuration(plan.meter)
        change = module.change_key(
            before, planned.new, message_id=planned.message_id, now=now, journal=journal
        )
        yield Made(plan=plan, change=change, answers=answers)
    for token in plan.tokens:
        answer = module.issue(
            after, token.request, message_id=token.message_id, now=now, journal=journal
        )
        answers = (*answers, answer)
        yield Made(plan=plan, change=change, answers=answers)


def fetch(module: SecurityModule, plan: IssuePlan, *, now: datetime) -> Made:
    """Return what a module with a journal of its own has made of a plan; nothing is made.

    Raises:
        KeysError: The module cannot tell.
    """
    before, after = meter_configuration(plan.meter), meter_configuration(plan.meter, plan.key)
    planned = plan.change
    change = None
    if planned is not None:
        change = module.fetch_key_change(
            before, planned.new, message_id=planned.message_id, now=now
        )
    found = [
        module.fetch(after, token.request, message_id=token.message_id, now=now)
        for token in plan.tokens
    ]
    answers = tuple(answer for answer in found if answer is not None)
    return Made(plan=plan, change=change, answers=answers)


def change_tokens(made: Made, *, basis_number: int, now: datetime) -> tuple[MadeToken, ...]:
    """Return the tokens of the key change set, as they are kept under a basis."""
    if made.change is None:
        return ()
    sample, parts = made.change.sample_tables, made.change.tokens
    return tuple(
        _made_token(
            made,
            part.token,
            digits=part.digits,
            sample_tables=sample,
            key=made.plan.meter.key,
            basis_number=basis_number,
            number=number,
            description=f"Key change {number} of {len(parts)}",
            now=now,
        )
        for number, part in enumerate(parts, start=1)
    )


def issued_tokens(
    made: Made, *, basis_number: int, now: datetime, first_number: int = 1
) -> tuple[MadeToken, ...]:
    """Return the other tokens, as they are kept under a basis."""
    return tuple(
        _made_token(
            made,
            answer.token,
            digits=answer.digits,
            sample_tables=answer.sample_tables,
            key=_as_issued(made.plan.key, answer),
            basis_number=basis_number,
            number=number,
            description=describe(answer.token),
            now=now,
        )
        for number, answer in enumerate(made.answers, start=first_number)
    )


def keep(
    connection: Connection,
    tenant: str,
    *,
    bases: Sequence[Basis],
    made: Sequence[MadeToken],
    withheld: str = "",
) -> KeptRows:
    """Write bases and tokens down.

    Args:
        connection: The transaction.
        tenant: Whose.
        bases: The bases.
        made: Their tokens.
        withheld: Why nobody ever gets to see them; empty for tokens that are shown.
    """
    basis = bases[0]
    rows = KeptRows(
        bases=tuple(basis_row(tenant, each) for each in bases),
        tokens=tuple(token_row(tenant, token) for token in made),
        marks=tuple(
            mark_row(
                tenant,
                token,
                mark=tokens.WITHHELD,
                reason=withheld,
                login=basis.login,
                now=basis.made_at,
            )
            for token in made
            if withheld
        ),
    )
    tokens.add_bases(tenant, connection, rows=rows.bases)
    tokens.add_tokens(tenant, connection, rows=rows.tokens)
    tokens.add_marks(tenant, connection, rows=rows.marks)
    return rows


def describe(token: Token) -> str:
    """Return what a token is, for people: ``Credit 5.9 kWh``."""
    match token:
        case TransferCredit():
            whole, tenth = divmod(token.amount.tenths, _TENTHS)
            return f"Credit {whole}.{tenth} {UNITS[token.service]}"
        case TransferCurrencyCredit():
            sign = "−" if token.amount.negative else ""
            whole, rest = divmod(abs(token.amount.units), _CURRENCY_STEPS)
            return f"Credit {sign}{whole}.{rest:05d}"
        case _:
            return _words(type(token).__name__)


def _words(name: str) -> str:
    """Return the name of a class as words: ``Set maximum power limit``."""
    spaced = "".join(f" {each.lower()}" if each.isupper() else each for each in name).strip()
    return spaced[:1].upper() + spaced[1:]


def _as_issued(key: MeterKey, answer: IssueAnswer) -> MeterKey:
    """Return the key that a token was made for, with what its vending key says of it."""
    record = answer.vending_key.record
    told = (record.base_date, record.key_expiry_number)
    if (key.base_date, key.key_expiry_number) == told:
        return key
    return replace(key, base_date=record.base_date, key_expiry_number=record.key_expiry_number)


def _made_token(
    made: Made,
    token: Token,
    *,
    digits: str,
    sample_tables: bool,
    key: MeterKey,
    basis_number: int,
    number: int,
    description: str,
    now: datetime,
) -> MadeToken:
    meter = made.plan.meter
    return MadeToken(
        basis_number=basis_number,
        number=number,
        drn=meter.drn,
        kind=type(token).__name__,
        token_class=token.token_class,
        subclass=token.subclass,
        digits=digits,
        tid_minutes=getattr(token, "tid", None),
        key=key,
        encryption_algorithm=meter.encryption_algorithm,
        sample_tables=sample_tables,
        description=description,
        made_at=now,
        amount_tenths=token.amount.tenths if isinstance(token, TransferCredit) else None,
        currency_units=(token.amount.units if isinstance(token, TransferCurrencyCredit) else None),
    )
