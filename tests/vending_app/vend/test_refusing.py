"""What is not sold: each with a code of its own, and nothing left but a line of the audit log."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from keys import KeyTerms, Secret, Vault
from keys.issuing import JournalledModule
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from keys.software import SoftwareModule
from sts import DecoderReferenceNumber, KeyExpiryNumber, KeyRevisionNumber, KeyType, Service
from tests.vending_app.helpers import NEEMA, NOW, PIETER
from tests.vending_app.vend.shop import (
    KEY,
    THABANENG,
    Elsewhere,
    add_supply,
    add_tariff,
    audit_codes,
    change,
    change_meter,
    drn_of,
    meter_of,
    request,
    rows,
    sell,
    tariff,
)
from vending_app import demo_story as story
from vending_app.domain.errors import (
    MeterNumberError,
    SaleAmountError,
    StoreBusyError,
    VendingError,
)
from vending_app.domain.network import CreditKind, Life
from vending_app.domain.parties import AccountState
from vending_app.domain.requests import NamedRequest
from vending_app.domain.tariff import Block, Schedule, TableRate, UnitCharge
from vending_app.services.quoting import Amount
from vending_app.services.refusals import parse_meter_number
from vending_app.services.vending import QuoteRequest, quote
from vending_app.storage import audit, tables
from vending_app.storage.engine import Store


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A sale that is refused.

    Attributes:
        code: Why.
        words: Some of the sentence for the cashier.
        asked: What the request says other than usual.
        prepare: What is wrong beforehand.
        after: How long after the usual time it is.
    """

    code: str
    words: str
    asked: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Store], object] = lambda _: None
    after: timedelta = timedelta(0)


def _account(state: AccountState) -> Callable[[Store], object]:
    def blocked(store: Store) -> None:
        change(store, tables.accounts, state=state.value, block_reason="fraud")

    return blocked


def _without_tariff(store: Store) -> None:
    add_tariff(store, tariff("late", first_day=date(2026, 4, 1)))
    add_supply(store, drn_of(1), tariff_code="late")


def _without_rate(store: Store) -> None:
    fuel = UnitCharge(
        code="fuel",
        label="Fuel",
        beneficiary="utility",
        ledger_account="levy:fuel",
        schedules=(Schedule(blocks=(Block(rate=TableRate("fuel")),)),),
    )
    add_tariff(store, tariff("fuel", charges=(*tariff("x").charges, fuel)))
    add_supply(store, drn_of(1), tariff_code="fuel")


def _counts_money(store: Store) -> None:
    add_tariff(store, tariff("plain"))
    add_supply(store, drn_of(1), tariff_code="plain", credit_kind=CreditKind.CURRENCY)


def _by_money_only(store: Store) -> None:
    add_tariff(store, tariff("money", currency_credit=True))
    add_supply(store, drn_of(1), tariff_code="money", credit_kind=CreditKind.CURRENCY)


def _costly(store: Store) -> None:
    add_tariff(store, tariff("plain"))
    add_supply(store, drn_of(1), tariff_code="plain")


def _of_water(store: Store) -> None:
    add_tariff(store, tariff("plain"))
    add_supply(store, drn_of(1), tariff_code="plain", service=Service.WATER)


REFUSALS = [
    Refused(code="UNKNOWN_METER", words="No meter", asked={"drn": drn_of(9)}),
    # Another utility's: it looks like none.
    Refused(code="UNKNOWN_METER", words="No meter", asked={"drn": NEEMA}),
    Refused(
        code="METER_WITHOUT_PLACE",
        words="not installed",
        asked={"drn": str(story.STOCK_METER.drn)},
    ),
    Refused(
        code="METER_NOT_IN_SERVICE",
        words="it is removed",
        prepare=lambda store: change_meter(store, life=Life.REMOVED),
    ),
    Refused(
        code="METER_BLOCKED",
        words="tampered with",
        prepare=lambda store: change_meter(store, blocked=True, block_reason="tampered with"),
    ),
    Refused(code="ACCOUNT_BLOCKED", words="fraud", prepare=_account(AccountState.BLOCKED)),
    Refused(code="ACCOUNT_CLOSED", words="C00102", prepare=_account(AccountState.CLOSED)),
    Refused(code="UNKNOWN_OPERATOR", words="nobody", asked={"login": "nobody"}),
    # Another utility's operator.
    Refused(code="UNKNOWN_OPERATOR", words="rehema", asked={"login": "rehema"}),
    Refused(code="NOT_PERMITTED", words="sell", asked={"login": "okafor"}),
    Refused(
        code="NOT_PERMITTED",
        words="sell",
        prepare=lambda store: change(store, tables.operators, active=False),
    ),
    Refused(code="VENDOR_LIMIT", words="250.00", asked={"login": "tshepo", "minor": 250_01}),
    Refused(
        code="VENDOR_INACTIVE",
        words="tshepo",
        asked={"login": "tshepo"},
        prepare=lambda store: change(store, tables.vendors, active=False),
    ),
    Refused(code="AMOUNT_BELOW_MINIMUM", words="5.00", asked={"minor": 4_99}),
    Refused(code="AMOUNT_ABOVE_MAXIMUM", words="000.00", asked={"minor": 5_000_01}),
    # Beyond the numbers of JSON and of the database.
    Refused(code="AMOUNT_ABOVE_MAXIMUM", words="000.00", asked={"minor": 10**30}),
    Refused(code="UNITS_NOT_FOR_SALE", words="000.00", asked={"units_tenths": 1_000_000}),
    Refused(code="UNITS_NOT_FOR_SALE", words="000.00", asked={"units_tenths": 10**30}),
    Refused(
        code="TARIFF_NOT_EFFECTIVE",
        words="late",
        asked={"drn": drn_of(1)},
        prepare=_without_tariff,
    ),
    Refused(code="RATE_MISSING", words="fuel", asked={"drn": drn_of(1)}, prepare=_without_rate),
    Refused(code="CREDIT_KIND", words="currency", asked={"drn": drn_of(1)}, prepare=_counts_money),
    Refused(
        code="SALE_AMOUNT",
        words="amount of money",
        asked={"drn": drn_of(1), "units_tenths": 10},
        prepare=_by_money_only,
    ),
    Refused(
        code="SERVICE_MISMATCH",
        words="electricity",
        asked={"drn": drn_of(1)},
        prepare=_of_water,
    ),
    Refused(
        code="TOO_MANY_TOKENS",
        words="50 tokens",
        asked={"drn": drn_of(1), "minor": 100_000_00},
        prepare=_costly,
    ),
    Refused(
        code="SPECIAL_RESERVED_ONE_TOKEN",
        words="one token",
        asked={"drn": drn_of(1), "minor": 4_000_00, "special_reserved": True},
        prepare=_costly,
    ),
    Refused(
        code="UNKNOWN_VENDING_KEY",
        words="key revision 2",
        prepare=lambda store: change_meter(
            store,
            present_key=replace(
                meter_of(store).present_key, key_revision_number=KeyRevisionNumber(2)
            ),
        ),
        asked={"accept_key_change": True},
    ),
    # The demo's float was paid in at the usual time.
    Refused(code="CLOCK_BEHIND", words="2026-03-02", after=-timedelta(minutes=6)),
    Refused(code="REQUEST_ID", words="64 letters", asked={"request_id": "a b"}),
    Refused(code="REQUEST_ID", words="64 letters", asked={"request_id": "a" * 65}),
    Refused(code="REQUEST_ID", words="64 letters", asked={"request_id": ""}),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.code.lower())
def test_a_refused_sale_leaves_nothing_but_a_line_in_the_audit_log(
    store: Store, module: JournalledModule, case: Refused
) -> None:
    case.prepare(store)
    before = rows(store)
    with pytest.raises(VendingError) as refusal:
        sell(store, module, now=NOW + case.after, **case.asked)
    assert refusal.value.code == case.code
    assert case.words in str(refusal.value)
    assert rows(store) == before
    assert audit_codes(store) == [case.code]


def test_a_clock_far_behind_has_no_token_made(store: Store, module: JournalledModule) -> None:
    """A token made and then not booked would be a gap between the module's log and the books."""
    watched = Elsewhere(module, shares_journal=True)
    with pytest.raises(VendingError) as refusal:
        sell(store, watched, now=NOW - timedelta(minutes=6))
    assert refusal.value.code == "CLOCK_BEHIND"
    assert watched.asked == []
    sell(store, watched, now=NOW - timedelta(minutes=5))
    assert watched.asked == ["issue"]


@pytest.mark.parametrize("amount", [{}, {"minor": 1, "units_tenths": 1}, {"minor": 0}])
def test_a_sale_is_for_money_or_for_units(amount: dict[str, int]) -> None:
    with pytest.raises(SaleAmountError) as refusal:
        Amount(**amount)
    assert refusal.value.code == "SALE_AMOUNT"


def test_a_wrong_check_digit_is_told_with_the_right_one() -> None:
    with pytest.raises(MeterNumberError) as refusal:
        parse_meter_number(PIETER[:-1] + "4")
    assert refusal.value.code == "WRONG_CHECK_DIGIT"
    assert "must be 3, not 4" in str(refusal.value)


def test_the_audit_log_says_what_was_asked_for(store: Store, module: JournalledModule) -> None:
    with pytest.raises(VendingError):
        sell(store, module, minor=4_99)
    events = tables.audit_events
    with store.read() as connection:
        event = connection.execute(events.select()).one()
    assert (event.event_number, event.kind, event.login) == (1, "refused", "zanele")
    assert '"minor":499' in event.document


def test_where_there_is_no_utility_there_is_no_audit_log(
    store: Store, module: JournalledModule
) -> None:
    with pytest.raises(VendingError) as refusal:
        sell(store, module, tenant="nowhere")
    assert refusal.value.code == "UNKNOWN_OPERATOR"
    assert audit_codes(store) == []


def test_a_quote_refuses_what_a_sale_would_refuse(store: Store, module: JournalledModule) -> None:
    change_meter(store, blocked=True, block_reason="tampered with")
    asked = QuoteRequest(
        tenant=THABANENG, drn=DecoderReferenceNumber(PIETER), amount=Amount(minor=100_00)
    )
    with pytest.raises(VendingError) as refusal:
        quote(store, module, now=NOW, request=asked)
    assert refusal.value.code == "METER_BLOCKED"
    assert audit_codes(store) == []


@pytest.mark.parametrize(
    ("terms", "ken", "code"),
    [
        (
            KeyTerms(activation=NOW.replace(microsecond=0) + timedelta(days=1)),
            255,
            "KEY_NOT_ACTIVE",
        ),
        (KeyTerms(issued_until=NOW.replace(microsecond=0)), 255, "ISSUED_UNTIL_PASSED"),
        (KeyTerms(), 90, "KEY_EXPIRED"),
    ],
)
def test_a_key_that_is_not_in_use_makes_no_tokens(
    store: Store, tmp_path: Path, terms: KeyTerms, ken: int, code: str
) -> None:
    vault = Vault.create(tmp_path / "other.vault", Secret(bytes(32)))
    record = VendingKeyRecord(
        tenant=THABANENG,
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=story.KEY_REVISION_NUMBER,
        key_type=KeyType.UNIQUE,
        key_generation_algorithm=story.KEY_GENERATION_ALGORITHM,
        base_date=story.BASE_DATE,
        key_expiry_number=KeyExpiryNumber(ken),
        check_value=check_value_of(KEY),
    )
    vault.add(RegisteredKey(record=record, terms=terms), KEY)
    before = rows(store)
    with pytest.raises(VendingError) as refusal:
        sell(store, SoftwareModule(vault, lab_mode=True))
    assert refusal.value.code == code
    assert rows(store) == before


def test_token_identifiers_do_not_run_away_from_the_clock(
    store: Store, module: JournalledModule
) -> None:
    change(store, tables.supply_groups, lead_cap_minutes=2)
    for number in range(3):
        sell(store, module, request_id=f"r-{number}")
    with pytest.raises(VendingError) as refusal:
        sell(store, module, request_id="r-3")
    assert refusal.value.code == "TID_AHEAD_OF_CLOCK"
    assert rows(store)["sales"] == 3


def test_the_special_identifier_serves_once_a_day(store: Store, module: JournalledModule) -> None:
    sell(store, module, special_reserved=True)
    with pytest.raises(VendingError) as refusal:
        sell(store, module, special_reserved=True, request_id="r-2")
    assert refusal.value.code == "TID_ALREADY_USED"


def test_what_makes_a_request_this_one_is_not_who_asks() -> None:
    one, other = request(), request(login="botha", accept_key_change=True)
    assert one.named.content_hash == other.named.content_hash
    for change_ in ({"minor": 1}, {"drn": NEEMA}, {"special_reserved": True}):
        assert request(**change_).named.content_hash != one.named.content_hash
    as_another_kind = replace(one.named, kind="free-issue")
    assert isinstance(as_another_kind, NamedRequest)
    assert as_another_kind.content_hash != one.named.content_hash


def test_a_float_may_be_used_up_to_its_limit(store: Store, module: JournalledModule) -> None:
    change(store, tables.vendors, limit_minor=100_00)
    sell(store, module, login="tshepo", minor=350_00)
    with pytest.raises(VendingError) as refusal:
        sell(store, module, login="tshepo", minor=5_00, request_id="r-2")
    assert refusal.value.code == "VENDOR_LIMIT"
    assert "0.00" in str(refusal.value)


def test_the_latest_lines_of_the_audit_log_come_first(
    store: Store, module: JournalledModule
) -> None:
    for number, minor in enumerate((4_98, 4_99)):
        with pytest.raises(VendingError):
            sell(store, module, minor=minor, request_id=f"r-{number}")
    with store.read() as connection:
        latest = audit.list_events(THABANENG, connection, limit=1)
        refused = audit.list_events(THABANENG, connection, limit=9, kind="refused")
        others = audit.list_events(THABANENG, connection, limit=9, kind="incident")
    assert [event.code for event in latest] == ["AMOUNT_BELOW_MINIMUM"]
    assert '"minor":499' in latest[0].document
    assert refused[0] == latest[0]
    assert len(refused) == 2
    assert others == ()


def test_a_busy_database_is_told_without_another_line(
    store: Store, module: JournalledModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: str) -> None:
        raise StoreBusyError

    monkeypatch.setattr(store, "fail_point", busy)
    with pytest.raises(StoreBusyError) as refusal:
        sell(store, module)
    assert refusal.value.code == "STORE_BUSY"
    assert audit_codes(store) == []
    assert rows(store, "requests") == {"requests": 0}


def test_what_is_no_meter_number_is_told_why() -> None:
    with pytest.raises(MeterNumberError) as refusal:
        parse_meter_number("12x")
    assert str(refusal.value).startswith("This is not a meter number: ")
