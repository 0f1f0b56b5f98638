"""Selling, over SQLite and PostgreSQL: exactly once, or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from keys import CreditRequest, CurrencyCreditRequest, IssueAnswer, KeyUsage
from keys.errors import UnknownKeyError
from keys.issuing import JournalledModule
from sts import (
    CurrencyAmount,
    DecoderReferenceNumber,
    Service,
    StsError,
    encode_amount,
    tid_from_datetime,
)
from tests.vending_app.helpers import MILL, NEEMA, NOW, PIETER
from vending_app.domain.errors import (
    AmountBelowMinimumError,
    RequestIdError,
    RequestIdReusedError,
    TokenRefusedError,
    UnknownMeterError,
)
from vending_app.services.receipts import find_sale, recent_sales, reprint
from vending_app.services.vending import (
    SaleResult,
    SellRequest,
    meter_configuration,
    quote_for_meter,
    sell,
)
from vending_app.storage import meters as meter_statements
from vending_app.storage import sales as sale_statements
from vending_app.storage import tables
from vending_app.storage import tenants as tenant_statements
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal


def _request(**changes: object) -> SellRequest:
    request = SellRequest(
        tenant="thabaneng",
        request_id="r-1",
        drn=DecoderReferenceNumber(PIETER),
        amount_minor=2000,
        operator="zanele",
    )
    return replace(request, **changes)  # type: ignore[arg-type]  # checked by the class


def _sell(store: Store, module: JournalledModule, **changes: object) -> SaleResult:
    return sell(store, module, now=NOW, request=_request(**changes))


def _rows(store: Store) -> dict[str, int]:
    with store.read() as connection:
        return {
            name: connection.execute(
                select(func.count()).select_from(tables.metadata.tables[name])
            ).scalar_one()
            for name in tables.APPEND_ONLY
        }


def test_a_sale_is_kept_as_it_was_answered(store: Store, module: JournalledModule) -> None:
    result = _sell(store, module)
    assert not result.replay
    assert result.sale.number == 1
    assert result.sale.token.energy_tenths_kwh == 59
    assert result.sale.token.tid_minutes == tid_from_datetime(NOW, result.sale.token.base_date)
    assert result.sale.token.sample_tables
    assert sum(line.amount_minor for line in result.sale.lines) == 2000
    assert find_sale(store, "thabaneng", sale_number=1) == result.sale
    assert recent_sales(store, "thabaneng", limit=5) == (result.sale,)
    assert _rows(store) == {
        "sales": 1,
        "sale_lines": 2,
        "tokens": 1,
        "reprints": 0,
        "issue_journal": 1,
    }


def test_the_same_request_gets_the_first_answer(store: Store, module: JournalledModule) -> None:
    first = _sell(store, module)
    later = sell(store, module, now=NOW + timedelta(days=1), request=_request(operator="other"))
    assert later == SaleResult(sale=first.sale, replay=True)
    assert _rows(store)["tokens"] == 1


@pytest.mark.parametrize(
    "change", [{"amount_minor": 2001}, {"drn": DecoderReferenceNumber(MILL), "tenant": "thabaneng"}]
)
def test_a_request_id_does_not_serve_twice(
    store: Store, module: JournalledModule, change: dict[str, object]
) -> None:
    _sell(store, module)
    with store.write() as connection:
        row = dict(connection.execute(select(tables.meters)).mappings().first() or {})
        pieter = {"tenant": "thabaneng", "drn": MILL, "customer_number": "C00102"}
        tariff = {"tariff_code": "home"}
        connection.execute(insert(tables.meters).values(row | pieter | tariff))
    with pytest.raises(RequestIdReusedError) as refusal:
        _sell(store, module, **change)
    assert refusal.value.code == "REQUEST_ID_REUSED"
    assert _rows(store)["sales"] == 1


@pytest.mark.parametrize("request_id", ["", "x" * 65, "a b", "ü", "a/b", "\0"])
def test_a_request_id_has_a_plain_form(request_id: str) -> None:
    with pytest.raises(RequestIdError) as refusal:
        _request(request_id=request_id)
    assert refusal.value.code == "REQUEST_ID"


def test_fifty_parallel_requests_of_one_id_are_one_sale(
    store: Store, module: JournalledModule
) -> None:
    with ThreadPoolExecutor(max_workers=16) as threads:
        results = list(threads.map(lambda _: _sell(store, module), range(50)))
    assert len({result.sale.token.digits for result in results}) == 1
    assert sum(not result.replay for result in results) == 1
    assert _rows(store)["sales"] == 1


def test_parallel_sales_to_one_meter_in_one_minute_have_different_tokens(
    store: Store, module: JournalledModule
) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        results = list(
            threads.map(lambda number: _sell(store, module, request_id=f"r-{number}"), range(24))
        )
    minutes = sorted(result.sale.token.tid_minutes for result in results)
    first = tid_from_datetime(NOW, results[0].sale.token.base_date)
    assert minutes == list(range(first, first + 24))
    assert len({result.sale.token.digits for result in results}) == 24
    assert sorted(result.sale.number for result in results) == list(range(1, 25))


def test_sales_to_different_meters_may_share_a_minute(
    store: Store, module: JournalledModule
) -> None:
    neema = {"tenant": "mwanga", "operator": "rehema", "amount_minor": 5_000_00}
    one = _sell(store, module, drn=DecoderReferenceNumber(NEEMA), **neema)
    other = _sell(store, module, drn=DecoderReferenceNumber(MILL), request_id="r-2", **neema)
    assert one.sale.token.tid_minutes == other.sale.token.tid_minutes
    assert not one.sale.token.sample_tables
    assert [one.sale.number, other.sale.number] == [1, 2]


@pytest.mark.parametrize("error", [RuntimeError("power cut"), UnknownKeyError("201457", "1")])
def test_a_sale_that_fails_after_the_token_was_made_leaves_nothing(
    store: Store, module: JournalledModule, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The module fails as a power cut would, with its journal entry written."""
    real = module.issue

    def fail_afterwards(*args: object, **kwargs: object) -> IssueAnswer:
        real(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "issue", fail_afterwards)
        with pytest.raises((RuntimeError, TokenRefusedError)):
            _sell(store, module)
    assert set(_rows(store).values()) == {0}
    assert _sell(store, module).sale.number == 1


@pytest.mark.parametrize(
    "step",
    [
        "lock_meter",
        "find_sale_by_request",
        "last_token_identifiers",
        "next_number",
        "add_sale",
    ],
)
def test_a_sale_that_fails_at_any_step_leaves_nothing(
    store: Store, module: JournalledModule, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    owner = next(
        part
        for part in (meter_statements, sale_statements, tenant_statements)
        if hasattr(part, step)
    )
    real: Callable[..., object] = getattr(owner, step)

    def fail_afterwards(*args: object, **kwargs: object) -> object:
        real(*args, **kwargs)
        message = "power cut"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, fail_afterwards)
        with pytest.raises(RuntimeError, match="power cut"):
            _sell(store, module)
    assert set(_rows(store).values()) == {0}
    assert _sell(store, module).sale.number == 1


def test_a_request_taken_meanwhile_for_another_meter_is_found_on_the_second_attempt(
    store: Store, module: JournalledModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look sees no sale of this id, the insert then meets one."""
    _sell(store, module)
    real, looks = sale_statements.find_sale_by_request, []

    def blind_at_first(*args: object, **kwargs: object) -> object:
        looks.append(args)
        return None if len(looks) == 1 else real(*args, **kwargs)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(sale_statements, "find_sale_by_request", blind_at_first)
    assert _sell(store, module).replay
    assert len(looks) == 2


def test_a_clash_that_stays_is_an_error(
    store: Store, module: JournalledModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal meets the request first; without its look the database does."""
    _sell(store, module)
    monkeypatch.setattr(sale_statements, "find_sale_by_request", lambda *_, **__: None)
    with pytest.raises(TokenRefusedError) as refusal:
        _sell(store, module)
    assert refusal.value.code == "MESSAGE_ID_REUSED"
    monkeypatch.setattr(DatabaseJournal, "find", lambda *_: None)
    with pytest.raises(IntegrityError):
        _sell(store, module)
    assert _rows(store)["issue_journal"] == 1


def test_the_journal_finds_again_what_was_issued(store: Store, module: JournalledModule) -> None:
    """A sale whose rows are lost, but not its journal, would get its first token again."""
    token = _sell(store, module).sale.token
    with store.read() as connection:
        meter = meter_statements.find_meter(
            "thabaneng", connection, drn=DecoderReferenceNumber(PIETER)
        )
        request = CreditRequest(
            service=Service.ELECTRICITY, tid_minutes=token.tid_minutes, amount=encode_amount(59)
        )
        again = module.issue(
            meter_configuration(meter),
            request,
            message_id="thabaneng/r-1",
            now=NOW + timedelta(days=900),
            journal=DatabaseJournal(connection),
        )
    assert again.digits == token.digits


def test_the_journal_refuses_a_second_use_of_a_minute(
    store: Store, module: JournalledModule
) -> None:
    token = _sell(store, module).sale.token
    with store.write() as connection:
        meter = meter_statements.find_meter(
            "thabaneng", connection, drn=DecoderReferenceNumber(PIETER)
        )
        request = CreditRequest(
            service=Service.ELECTRICITY, tid_minutes=token.tid_minutes, amount=encode_amount(1)
        )
        with pytest.raises(StsError) as refusal:
            module.issue(
                meter_configuration(meter),
                request,
                message_id="another",
                now=NOW,
                journal=DatabaseJournal(connection),
            )
    assert isinstance(refusal.value, StsError)
    assert refusal.value.code == "TID_ALREADY_USED"


def test_credit_in_currency_is_counted_for_its_key(store: Store, module: JournalledModule) -> None:
    tid = _sell(store, module).sale.token.tid_minutes
    amount = CurrencyAmount.rounding_up(10**30)
    with store.write() as connection:
        meter = meter_configuration(
            meter_statements.find_meter("thabaneng", connection, drn=DecoderReferenceNumber(PIETER))
        )
        journal = DatabaseJournal(connection)
        module.issue(
            meter,
            CurrencyCreditRequest(service=Service.ELECTRICITY, tid_minutes=tid + 1, amount=amount),
            message_id="currency",
            now=NOW,
            journal=journal,
        )
        usage = journal.usage(module.vending_key(meter).name)
    assert usage == KeyUsage(tokens=2, credit_units=amount.units)


def test_refusals_write_nothing(store: Store, module: JournalledModule) -> None:
    with pytest.raises(UnknownMeterError) as unknown:
        _sell(store, module, drn=DecoderReferenceNumber(NEEMA))
    assert unknown.value.code == "UNKNOWN_METER"
    with pytest.raises(AmountBelowMinimumError):
        _sell(store, module, amount_minor=499)
    assert set(_rows(store).values()) == {0}


def test_what_the_module_refuses_is_told_with_its_code(
    store: Store, module: JournalledModule
) -> None:
    with store.write() as connection:
        connection.execute(update(tables.meters).values(key_revision_number=2))
    with pytest.raises(TokenRefusedError) as refusal:
        _sell(store, module)
    assert refusal.value.code == "UNKNOWN_VENDING_KEY"
    assert refusal.value.hint


def test_token_identifiers_do_not_run_away_from_the_clock(
    store: Store, module: JournalledModule
) -> None:
    with store.write() as connection:
        connection.execute(update(tables.supply_groups).values(lead_cap_minutes=2))
    for number in range(3):
        _sell(store, module, request_id=f"r-{number}")
    with pytest.raises(TokenRefusedError) as refusal:
        _sell(store, module, request_id="r-3")
    assert refusal.value.code == "TID_AHEAD_OF_CLOCK"
    assert _rows(store)["sales"] == 3


def test_a_quote_says_what_a_sale_gives_and_writes_nothing(
    store: Store, module: JournalledModule
) -> None:
    drn = DecoderReferenceNumber(PIETER)
    offer = quote_for_meter(store, "thabaneng", drn=drn, amount_minor=2000)
    assert set(_rows(store).values()) == {0}
    sale = _sell(store, module).sale
    assert offer.quote.energy.tenths == sale.token.energy_tenths_kwh
    assert offer.quote.lines == sale.lines


def test_more_than_a_token_carries_is_refused(store: Store, module: JournalledModule) -> None:
    with store.write() as connection:
        connection.execute(update(tables.tariffs).values(price_numerator=1, maximum_minor=10**14))
    with pytest.raises(TokenRefusedError) as refusal:
        _sell(store, module, amount_minor=10**13)
    assert refusal.value.code == "AMOUNT_TOO_LARGE"


def test_a_reprint_is_counted_and_has_the_same_token(
    store: Store, module: JournalledModule
) -> None:
    sold = _sell(store, module).sale
    for count in (1, 2):
        again = reprint(store, "thabaneng", sale_number=1, operator="zanele", now=NOW)
        assert again.reprints == count
        assert again.token == sold.token
