"""Taking a sale back: a credit note, the books reversed, what the tariff remembered restored.

A reversal is an approved case with evidence, done once. Its tokens are marked void, so that nobody
prints them again; the money goes back to where it came from. A sale to a wrong meter is made to the
right one in the same step: the reversal and the new sale each happen exactly once, and whoever asks
again after a crash goes on where the first one stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from keys import CreditRequest, CurrencyCreditRequest, SecurityModule, TokenRequest
from keys.canonical_json import JsonObject
from sts import Service, encode_amount, encode_currency_amount
from sts.token_identifier import is_reserved_minute
from vending_app.domain.cases import Case, CaseKind, CaseState, EvidenceKind
from vending_app.domain.errors import (
    CaseContentError,
    CaseStateError,
    EvidenceError,
    ReversalImpossibleError,
    SaleReversedError,
)
from vending_app.domain.key_changes import PRESENT_SERVES, without_void
from vending_app.domain.ledger import reversal_entry
from vending_app.domain.ledger_errors import LedgerLimitError
from vending_app.domain.ledger_rows import rows_digest
from vending_app.domain.network import Meter
from vending_app.domain.parties import Operator, Tenant
from vending_app.domain.periods import period_of
from vending_app.domain.requests import exact_number
from vending_app.domain.roles import Permission
from vending_app.domain.sale_rows import Row, credit_note_row, mark_row
from vending_app.domain.sales import CreditNote, MadeToken, Sale
from vending_app.services.handing_out import keys_of
from vending_app.services.meters import add_history
from vending_app.services.permissions import require
from vending_app.services.plans import message_id, meter_configuration
from vending_app.services.quoting import Amount
from vending_app.services.refusals import audited_refusals
from vending_app.services.requests import capabilities
from vending_app.services.sale_case import lock_payers, restore_account
from vending_app.services.vending import VendRequest, vend
from vending_app.storage import (
    cases,
    clock,
    credit_notes,
    ledger,
    ledger_reading,
    meters,
    sales,
    tenants,
    tokens,
)
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What came of a case that takes a sale back.

    Attributes:
        credit_note: The paper that takes it back.
        right_sale: The sale to the right meter, where the first one went to a wrong one.
        replay: Whether the sale had been taken back before this request.
    """

    credit_note: CreditNote
    right_sale: Sale | None
    replay: bool


def reverse(
    store: Store,
    module: SecurityModule,
    operator: Operator,
    *,
    case_number: int,
    now: datetime,
    accept_key_change: bool = False,
) -> Reversal:
    """Do what an approved case allows: take the sale back, and sell to the right meter if there is.

    Args:
        store: The database.
        module: The security module.
        operator: Who does it.
        case_number: The case.
        now: The present time, aware.
        accept_key_change: Of the sale to the right meter, as for ``vend``.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownCaseError: There is no such case.
        CaseContentError: It is no case that takes a sale back.
        CaseStateError: It is not approved.
        SaleReversedError: Another case took the sale back.
        EvidenceError: What is known here contradicts the evidence.
        ReversalImpossibleError: Credit of the sale was spent since.
        LedgerClockBehindError, LedgerClockAheadError: As for ``vend``; nothing is taken back.
        VendingError: As for ``vend``; the sale is taken back all the same, and the same call goes
            on with the new sale.
    """
    tenant = operator.tenant
    about: JsonObject = {"request": "reversal", "case": exact_number(case_number)}
    with audited_refusals(store, tenant, login=operator.login, about=about, now=now):
        require(operator, Permission.OPEN_CASE)
        with store.read() as connection:
            case = cases.find_case(tenant, connection, case_number=case_number)
        if case.content.kind.makes_tokens:
            raise CaseContentError("This kind of case takes no sale back.")
        if case.content.evidence_kind is EvidenceKind.NOT_ISSUED:
            _require_not_issued(store, module, case, now=now)
        note, replay = _take_back(store, operator, case_number=case_number, now=now)
    right = None
    if case.content.kind is CaseKind.WRONG_METER:
        right = _sell_right(
            store, module, operator, case=case, now=now, accept_key_change=accept_key_change
        )
    return Reversal(credit_note=note, right_sale=right, replay=replay)


def _take_back(
    store: Store, operator: Operator, *, case_number: int, now: datetime
) -> tuple[CreditNote, bool]:
    tenant = operator.tenant
    try:
        with store.write() as connection:
            case = cases.lock_case(tenant, connection, case_number=case_number)
            sale_number = case.content.sale_number
            assert sale_number is not None
            sales.lock_sale(tenant, connection, sale_number=sale_number)
            sale = sales.find_sale(tenant, connection, sale_number=sale_number)
            note = credit_notes.find_of_sale(tenant, connection, sale_number=sale_number)
            if note is not None:
                if note.case_number == case_number:
                    return note, True
                raise SaleReversedError(sale_number)
            clock.require_clock(tenant, connection, now=now)
            if case.state is not CaseState.APPROVED:
                raise CaseStateError(case_number, state=case.state.value, wanted="used")
            meter = meters.lock_meter(tenant, connection, drn=sale.drn)
            terms = tenants.find_tenant(tenant, connection)
            _require_evidence(connection, case, sale, meter=meter, terms=terms)
            store.fail_point("reversal.checked")
            note = _write(connection, operator, case=case, sale=sale, meter=meter, now=now)
            cases.end_case(tenant, connection, case_number=case_number, now=now)
            store.fail_point("reversal.before_commit")
    except LedgerLimitError as error:
        # Floats and credits have a floor: what the sale left over was spent by a later one.
        raise ReversalImpossibleError from error
    store.fail_point("reversal.after_commit")
    return note, False


def _require_evidence(
    connection: Connection, case: Case, sale: Sale, *, meter: Meter, terms: Tenant
) -> None:
    """Refuse evidence that contradicts what is known here."""
    content = case.content
    if content.drn != sale.drn:
        raise CaseContentError(f"Sale {sale.number} went to meter {sale.drn}.")
    if content.evidence_kind is EvidenceKind.KEY_CHANGED:
        _require_void(connection, sale, meter)
    word = content.evidence_kind is EvidenceKind.SUPERVISOR_WORD
    if word and sale.tendered.minor > terms.word_limit_minor:
        raise EvidenceError("The sale is above what may be taken back on somebody's word.")


def _require_void(connection: Connection, sale: Sale, meter: Meter) -> None:
    """Refuse a sale whose tokens the meter may take, or may be brought to take again.

    A change of the tariff index alone is changed back by the next one; a change that was given up
    leaves another key on record too, but its tokens may still be entered.
    """
    keys = keys_of(connection, meter)
    names = {token.key.called for token in sale.tokens if token.basis_number == sale.basis_number}
    if not names.isdisjoint(keys.held):
        raise EvidenceError("The meter may still hold the key that the tokens were made for.")
    if not names or not names <= keys.gone:
        raise EvidenceError(
            "Nobody has seen the meter hold a key of another supply group or revision since."
        )


def _write(
    connection: Connection,
    operator: Operator,
    *,
    case: Case,
    sale: Sale,
    meter: Meter,
    now: datetime,
) -> CreditNote:
    """Write the credit note, the marks and the books; the account is as if it had not bought."""
    tenant = operator.tenant
    lock_payers(connection, sale)
    restore_account(connection, sale)
    number = tenants.next_number(tenant, connection, counter=tenants.CREDIT_NOTE)
    note = CreditNote(
        number=number,
        sale_number=sale.number,
        case_number=case.number,
        amount_minor=sale.tendered.minor,
        login=operator.login,
        ledger_entry=0,
        made_at=now,
    )
    marks = tuple(
        mark_row(
            tenant,
            token,
            mark=tokens.VOID,
            reason=f"credit note {number}",
            login=operator.login,
            now=now,
        )
        for token in sale.tokens
    )
    tokens.add_marks(tenant, connection, rows=marks)
    _miss_set(connection, operator, meter=meter, reason=f"credit note {number}", now=now)
    entry_number = _book(connection, tenant, note=note, sale=sale, marks=marks, now=now)
    return credit_notes.add(tenant, connection, note=note, ledger_entry=entry_number)


def _miss_set(
    connection: Connection, operator: Operator, *, meter: Meter, reason: str, now: datetime
) -> None:
    """Let the key before serve again if the way to the one that serves is void now."""
    changed = without_void(meter, keys_of(connection, meter))
    if changed == meter:
        return
    meters.change_meter(meter.tenant, connection, meter=changed)
    add_history(
        connection, changed, kind=PRESENT_SERVES, login=operator.login, now=now, reason=reason
    )


def _book(
    connection: Connection,
    tenant: str,
    *,
    note: CreditNote,
    sale: Sale,
    marks: Sequence[Row],
    now: datetime,
) -> int:
    booked = ledger_reading.find_entry(tenant, connection, entry_number=sale.ledger_entry)
    zone = ZoneInfo(tenants.find_tenant(tenant, connection).time_zone)
    entry = reversal_entry(
        credit_note_number=note.number,
        period=period_of(now, zone),
        login=note.login,
        sale=booked.postings,
        sale_entry_number=booked.entry_number,
        sale_period=booked.period,
        digest=rows_digest(
            {"credit_notes": (credit_note_row(tenant, note),), "token_marks": marks}
        ),
    )
    return ledger.post(tenant, connection, entry=entry, now=now).entry_number


def _require_not_issued(store: Store, module: SecurityModule, case: Case, *, now: datetime) -> None:
    """Ask the security module whether it made the tokens of a sale.

    Raises:
        EvidenceError: It did, or does not answer.
    """
    tenant, sale_number = case.tenant, case.content.sale_number
    assert sale_number is not None
    shared = capabilities(module).shared_journal
    with store.read() as connection:
        sale = sales.find_sale(tenant, connection, sale_number=sale_number)
        meter = meters.find_meter(tenant, connection, drn=sale.drn)
        journal = DatabaseJournal(connection)
        names = [
            message_id(tenant, sale.request_id, str(token.number))
            for token in sale.tokens
            if token.basis_number == sale.basis_number
        ]
        made = shared and any(journal.find(tenant, name) for name in names)
    if not shared:
        made = _fetched(module, sale, meter, now=now)
    if made:
        raise EvidenceError("The security module says that it made the token.")


def _fetched(module: SecurityModule, sale: Sale, meter: Meter, *, now: datetime) -> bool:
    try:
        return any(
            module.fetch(
                meter_configuration(meter, token.key),
                _request_of(token, sale.service),
                message_id=message_id(sale.tenant, sale.request_id, str(token.number)),
                now=now,
            )
            for token in sale.tokens
            if token.basis_number == sale.basis_number
        )
    except Exception as error:
        # Nothing that goes wrong here says that there is no token.
        raise EvidenceError("The security module cannot say whether it made the token.") from error


def _request_of(token: MadeToken, service: Service) -> TokenRequest:
    """Return what the security module was asked for."""
    assert token.tid_minutes is not None
    special = is_reserved_minute(token.tid_minutes)
    if token.amount_tenths is not None:
        return CreditRequest(
            tid_minutes=token.tid_minutes,
            special_reserved=special,
            service=service,
            amount=encode_amount(token.amount_tenths),
        )
    assert token.currency_units is not None
    return CurrencyCreditRequest(
        tid_minutes=token.tid_minutes,
        special_reserved=special,
        service=service,
        amount=encode_currency_amount(token.currency_units),
    )


def _sell_right(
    store: Store,
    module: SecurityModule,
    operator: Operator,
    *,
    case: Case,
    now: datetime,
    accept_key_change: bool,
) -> Sale:
    """Sell for the same money to the right meter; asked again, it is the same sale.

    Whoever approved the case stands for it: the first cashier may be gone, and is the one who made
    the sale that the case names.
    """
    tenant, content = operator.tenant, case.content
    assert content.sale_number is not None
    assert content.right_drn is not None
    assert case.approved_login is not None
    with store.read() as connection:
        wrong = sales.find_sale(tenant, connection, sale_number=content.sale_number)
    request = VendRequest(
        tenant=tenant,
        request_id=f"case-{case.number}-right",
        drn=content.right_drn,
        amount=Amount(minor=wrong.tendered.minor),
        login=case.approved_login,
        payment_method=wrong.payment_method,
        accept_key_change=accept_key_change,
        instead_of=wrong,
    )
    return vend(store, module, now=now, request=request).result
