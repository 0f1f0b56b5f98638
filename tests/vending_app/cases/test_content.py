"""What a case says must be whole before anybody is asked to approve it; and small tables."""

from fractions import Fraction
from typing import Any

import pytest

from sts import Service
from tests.vending_app.cases.words import AISHA, CLEAR_TAMPER, CREDIT, free_issue, job_card
from tests.vending_app.cases.words import taking_back as taking
from tests.vending_app.helpers import PIETER
from vending_app.domain.cases import CaseKind, CaseToken, CaseTokenKind, EvidenceKind
from vending_app.domain.errors import CaseContentError, EvidenceError
from vending_app.domain.roles import Permission, Role, permissions_of
from vending_app.domain.units import UNITS, format_tenths, format_units

PHOTO = "ab" * 32


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "  "},
        {"reason": "x" * 501},
        {"tokens": ()},
        {"tokens": (CREDIT,) * 21},
        {"tokens": (CREDIT, CaseToken(kind=CaseTokenKind.CREDIT, value=0))},
        {"tokens": (CaseToken(kind=CaseTokenKind.CURRENCY_CREDIT, value=-1),)},
        {"tokens": (CLEAR_TAMPER,)},
        {"kind": CaseKind.JOB_CARD},
        {"sale_number": 1},
        {"evidence_kind": EvidenceKind.SUPERVISOR_WORD},
        {"evidence": "x" * 2001},
        {"special_reserved": True, "tokens": (CREDIT, CREDIT)},
        {"right_drn": AISHA},
        {"kind": CaseKind.EXCHANGE},
        {"kind": CaseKind.EXCHANGE, "right_drn": PIETER},
    ],
)
def test_what_does_not_belong_together_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(CaseContentError) as refusal:
        free_issue(**changes)
    assert refusal.value.code == "CASE_CONTENT"


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": (CREDIT,)},
        {"special_reserved": True},
        {"sale_number": None},
        {"right_drn": AISHA},
        {"kind": CaseKind.WRONG_METER},
    ],
)
def test_a_reversal_names_one_sale_and_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises(CaseContentError):
        taking(1, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence_kind": None},
        {"evidence": " "},
        {"evidence_kind": EvidenceKind.REGISTER_READING},
        {"evidence_hash": "ab"},
        {"evidence_hash": "X" * 64},
    ],
)
def test_a_reversal_needs_evidence(changes: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError) as refusal:
        taking(1, **changes)
    assert refusal.value.code == "EVIDENCE"


def test_what_is_whole_is_taken() -> None:
    taking(1, evidence_kind=EvidenceKind.REGISTER_READING, evidence_hash=PHOTO)
    taking(1, kind=CaseKind.WRONG_METER, right_drn=AISHA)
    free_issue(kind=CaseKind.EXCHANGE, right_drn=AISHA)
    free_issue(special_reserved=True)
    job_card(CLEAR_TAMPER)


def test_kinds_that_make_tokens_take_nothing_back() -> None:
    makes = {kind for kind in CaseKind if kind.makes_tokens}
    assert makes == {CaseKind.FREE_ISSUE, CaseKind.EXCHANGE, CaseKind.JOB_CARD}


def test_a_token_of_a_case_is_read_back() -> None:
    token = CaseToken(kind=CaseTokenKind.WRITE_EXTENDED, value=7, index=3)
    assert CaseToken.read(token.body()) == token


def test_nobody_both_has_tokens_made_for_nothing_and_changes_keys() -> None:
    """Whoever gives credit away does not also manage what could hide it."""
    for role in Role:
        granted = permissions_of(role)
        assert not {Permission.FREE_ISSUE, Permission.CHANGE_KEY} <= granted
        assert not {Permission.MANAGE_TARIFFS, Permission.APPROVE_TARIFFS} <= granted
    assert Permission.SELL not in permissions_of(Role.AUDITOR)


def test_amounts_are_written_with_their_units() -> None:
    assert UNITS[Service.ELECTRICITY] == "kWh"
    assert (format_tenths(59), format_tenths(-5), format_tenths(0)) == ("5.9", "−0.5", "0.0")
    assert format_units(Fraction(5839999, 1_000_000)) == "5.839"
