"""Words for tests of cases: opened by one, approved by another, and what they are for."""

from typing import Any, Final

from sqlalchemy import update

from keys import SecurityModule
from sts import DecoderReferenceNumber, TariffIndex
from tests.vending_app.helpers import NOW, PIETER
from tests.vending_app.network.conftest import Staff
from tests.vending_app.vend.shop import add_supply, add_tariff, change, drn_of, tariff
from vending_app import demo_story as story
from vending_app.domain.cases import (
    Case,
    CaseContent,
    CaseKind,
    CaseToken,
    CaseTokenKind,
    EvidenceKind,
)
from vending_app.domain.network import KeyName
from vending_app.domain.parties import Account, Operator
from vending_app.services.case_tokens import CaseTokens, issue_case_tokens
from vending_app.services.cases import approve_case, open_case
from vending_app.services.issue_case import Issued
from vending_app.services.use_case import Answer
from vending_app.storage import parties, tables
from vending_app.storage.engine import Store

AISHA: Final = "00100001031"
CREDIT: Final = CaseToken(kind=CaseTokenKind.CREDIT, value=50)
CLEAR_TAMPER: Final = CaseToken(kind=CaseTokenKind.CLEAR_TAMPER)


def free_issue(**changes: Any) -> CaseContent:
    """Return what a case for 5 kWh to Pieter says, changed where asked for."""
    fields: dict[str, Any] = {
        "kind": CaseKind.FREE_ISSUE,
        "drn": PIETER,
        "reason": "The office burnt down",
        "tokens": (CREDIT,),
    }
    fields |= changes
    for name in ("drn", "right_drn"):
        if isinstance(fields.get(name), str):
            fields[name] = DecoderReferenceNumber(fields[name])
    return CaseContent(**fields)


def job_card(*tokens: CaseToken, **changes: Any) -> CaseContent:
    """Return what an engineer's job card for Pieter's meter says."""
    return free_issue(kind=CaseKind.JOB_CARD, tokens=tokens, **changes)


def taking_back(sale_number: int, /, **changes: Any) -> CaseContent:
    """Return what a case that takes a sale of Pieter's back says."""
    fields: dict[str, Any] = {
        "kind": CaseKind.REVERSAL,
        "tokens": (),
        "sale_number": sale_number,
        "evidence_kind": EvidenceKind.NEVER_DELIVERED,
        "evidence": "Printer log of the day",
    }
    return free_issue(**fields | changes)


def approved(store: Store, staff: Staff, content: CaseContent) -> Case:
    """Open a case as the engineer and approve it as the supervisor."""
    case = open_case(store, staff.engineer, content=content, now=NOW)
    return approve_case(store, staff.supervisor, case_number=case.number, now=NOW)


def issue(
    store: Store,
    module: SecurityModule,
    operator: Operator,
    case: Case,
    *,
    request_id: str = "c-1",
) -> Answer[Issued]:
    """Have the tokens of a case made."""
    wanted = CaseTokens(request_id=request_id, case_number=case.number)
    return issue_case_tokens(store, module, operator, wanted=wanted, now=NOW)


def add_indexed(store: Store, index: int) -> DecoderReferenceNumber:
    """Add a meter whose key follows its tariff, and give that an index."""
    add_tariff(store, tariff("indexed"), tariff_index=index)
    add_supply(store, drn_of(1), tariff_code="indexed")
    change(store, tables.supply_groups, ti_follows_tariff=True, key_policy="always")
    return DecoderReferenceNumber(drn_of(1))


def set_index(store: Store, index: int) -> None:
    """Give the tariff of that meter another index."""
    of_tariff = tables.tariffs.c.tariff_code == "indexed"
    with store.write() as connection:
        connection.execute(update(tables.tariffs).where(of_tariff).values(tariff_index=index))


def key_name(index: int) -> KeyName:
    """Return what the key of the demo's own group with a tariff index is called."""
    return story.SUPPLY_GROUP_CODE, story.KEY_REVISION_NUMBER, TariffIndex(index)


def account_of_pieter(store: Store) -> Account:
    """Return Pieter's account."""
    with store.read() as connection:
        return parties.find_account("thabaneng", connection, account_number="C00102")
