"""Selling, over SQLite and PostgreSQL: what is kept, what is booked, what the meter takes."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import select

from keys.issuing import JournalledModule
from sts import DecoderReferenceNumber, Service, tid_from_datetime
from sts.meter.outcomes import Accepted
from tests.vending_app.helpers import NEEMA, NOW, PIETER
from tests.vending_app.vend.shop import (
    THABANENG,
    RealMeter,
    add_supply,
    add_tariff,
    change,
    change_meter,
    drn_of,
    findings,
    meter_of,
    rows,
    sell,
    tariff,
)
from vending_app.domain.network import CreditKind, Life
from vending_app.domain.sales import PaymentMethod
from vending_app.domain.tariff import Rounding
from vending_app.services.quoting import Amount
from vending_app.services.receipts import find_sale, recent_sales, reprint
from vending_app.services.vending import QuoteRequest, quote
from vending_app.storage import operators, parties, tables
from vending_app.storage.engine import Store


def _balances(store: Store) -> dict[str, int]:
    lines = tables.ledger_lines.c
    with store.read() as connection:
        found: dict[str, int] = {}
        for account, amount in connection.execute(select(lines.account, lines.amount_minor)):
            found[account] = found.get(account, 0) + amount
    return found


def test_a_sale_is_kept_as_it_was_answered(store: Store, module: JournalledModule) -> None:
    answer = sell(store, module)
    sale = answer.result
    assert not answer.replay
    assert (sale.number, sale.customer_name, sale.tariff_name) == (1, "Pieter Mokoena", "Home")
    assert sum(line.amount_minor for line in sale.lines) == sale.tendered.minor == 200_00
    (token,) = sale.tokens
    assert token.tid_minutes == tid_from_datetime(NOW, token.base_date)
    assert token.sample_tables
    assert token.amount_tenths == sale.sold_tenths
    assert find_sale(store, THABANENG, sale_number=1) == sale
    # Without the tokens, of which nobody has looked whether they may be handed out.
    assert recent_sales(store, THABANENG, limit=5) == (replace(sale, tokens=()),)
    assert recent_sales(store, THABANENG, limit=5, drn=DecoderReferenceNumber(NEEMA)) == ()


def test_the_meter_takes_what_was_sold(store: Store, module: JournalledModule) -> None:
    sale = sell(store, module).result
    meter = RealMeter.of(meter_of(store))
    (outcome,) = meter.enter_all(sale.tokens)
    assert isinstance(outcome, Accepted)
    assert meter.state.credit_bought == sale.sold_tenths * 100


def test_the_books_say_what_the_receipt_says(store: Store, module: JournalledModule) -> None:
    before = _balances(store)
    sale = sell(store, module).result
    booked = {
        account: amount - before.get(account, 0) for account, amount in _balances(store).items()
    }
    assert booked.pop("cash") == 200_00
    moved = {account: -amount for account, amount in booked.items() if amount}
    assert moved == {line.ledger_account: line.amount_minor for line in sale.lines}
    assert findings(store) == []


def test_blocks_and_fees_go_on_where_the_last_purchase_ended(
    store: Store, module: JournalledModule
) -> None:
    change(store, tables.accounts, counters=None)
    first = sell(store, module).result
    second = sell(store, module, request_id="r-2").result
    assert [line.code for line in first.lines] == ["basic", "energy", "vat"]
    assert [line.code for line in second.lines] == ["energy", "vat"]
    assert second.counters_before == first.counters_after


def test_so_many_units_cost_what_the_quote_says(store: Store, module: JournalledModule) -> None:
    asked = QuoteRequest(
        tenant=THABANENG, drn=DecoderReferenceNumber(PIETER), amount=Amount(units_tenths=100)
    )
    offer = quote(store, module, now=NOW, request=asked).offer
    assert rows(store)["requests"] == 0
    sale = sell(store, module, units_tenths=100).result
    assert sale.sold_tenths == offer.sold_tenths == 100
    assert sale.tendered.minor == offer.tendered_minor
    assert sale.lines == offer.lines


def test_cash_is_rounded_to_the_coins_there_are(store: Store, module: JournalledModule) -> None:
    before = _balances(store)
    sale = sell(store, module, minor=200_04).result
    assert sale.tendered.minor == 200_04
    after = _balances(store)
    assert after["cash"] - before.get("cash", 0) == 200_00
    assert after["rounding:cash"] == 4


def test_other_money_is_not_rounded(store: Store, module: JournalledModule) -> None:
    sell(store, module, minor=200_04, payment_method=PaymentMethod.CARD)
    assert _balances(store)["card"] == 200_04


def test_more_than_the_field_carries_is_split_over_tokens(
    store: Store, module: JournalledModule
) -> None:
    add_tariff(store, tariff("plain"))
    made = add_supply(store, drn_of(1), tariff_code="plain")
    sale = sell(store, module, drn=str(made.drn), minor=4000_00).result
    amounts = [token.amount_tenths for token in sale.tokens]
    assert amounts == [16_383, 16_383, 7_234]
    assert len({token.tid_minutes for token in sale.tokens}) == 3
    meter = RealMeter.of(made)
    assert all(isinstance(each, Accepted) for each in meter.enter_all(sale.tokens))
    assert meter.state.credit_bought == 4_000_000


def test_a_model_that_takes_less_gets_more_tokens(store: Store, module: JournalledModule) -> None:
    add_tariff(store, tariff("plain"))
    made = add_supply(store, drn_of(1), tariff_code="plain", maximum_tenths=1_000)
    sale = sell(store, module, drn=str(made.drn), minor=250_00).result
    assert [token.amount_tenths for token in sale.tokens] == [1_000, 1_000, 500]
    assert findings(store) == []


@pytest.mark.parametrize("service", [Service.WATER, Service.GAS, Service.TIME])
def test_other_services_are_sold_too(
    store: Store, module: JournalledModule, service: Service
) -> None:
    add_tariff(store, tariff("other", service=service))
    made = add_supply(store, drn_of(1), tariff_code="other", service=service)
    sale = sell(store, module, drn=str(made.drn), minor=50_00).result
    assert isinstance(RealMeter.of(made).enter_all(sale.tokens)[0], Accepted)
    assert sale.tokens[0].subclass == int(service)


def test_credit_in_currency_is_sold_too(store: Store, module: JournalledModule) -> None:
    add_tariff(store, tariff("money", currency_credit=True))
    made = add_supply(store, drn_of(1), tariff_code="money", credit_kind=CreditKind.CURRENCY)
    sale = sell(store, module, drn=str(made.drn), minor=50_00).result
    meter = RealMeter.of(made)
    assert isinstance(meter.enter_all(sale.tokens)[0], Accepted)
    assert sale.sold_tenths == 0
    (token,) = sale.tokens
    # A token carries about four digits of an amount, rounded up.
    assert token.currency_units == 5_000_624 == meter.state.credit_bought
    assert token.description == "Credit 50.00624"
    assert sale.rounding == 624


def test_money_left_over_buys_the_next_time(store: Store, module: JournalledModule) -> None:
    add_tariff(store, tariff("carry", rate=Fraction(333), rounding=Rounding.CARRY))
    made = add_supply(store, drn_of(1), tariff_code="carry")
    first = sell(store, module, drn=str(made.drn), minor=10_00).result
    assert first.sold_tenths == 30
    assert first.rounding == 0
    left = next(line for line in first.lines if line.kind == "account-credit").amount_minor
    assert left == 1
    second = sell(store, module, drn=str(made.drn), minor=9_98, request_id="r-2").result
    assert second.sold_tenths == 30
    assert sum(line.amount_minor for line in second.lines) == 9_98
    assert [line.amount_minor for line in second.lines if line.code == "account-credit-used"] == [
        -1
    ]
    with store.read() as connection:
        account = parties.find_account(THABANENG, connection, account_number=second.account_number)
    assert account.credit_minor == 0


def test_a_vendor_sells_out_of_the_float(store: Store, module: JournalledModule) -> None:
    sale = sell(store, module, login="tshepo").result
    assert sale.vendor_code == "tshepo"
    with store.read() as connection:
        vendor = parties.find_vendor(THABANENG, connection, vendor_code="tshepo")
    assert vendor.float_minor == 50_00
    assert "cash" not in _balances(store)


def test_the_first_sale_makes_a_meter_active(store: Store, module: JournalledModule) -> None:
    change_meter(store, life=Life.COMMISSIONED)
    sell(store, module)
    assert meter_of(store).life is Life.ACTIVE


def test_a_special_token_has_the_special_minute_of_its_day(
    store: Store, module: JournalledModule
) -> None:
    token = sell(store, module, special_reserved=True).result.tokens[0]
    assert token.tid_minutes is not None
    assert token.tid_minutes % 1440 == 1
    assert isinstance(RealMeter.of(meter_of(store)).enter(token.digits), Accepted)


def test_sales_within_a_minute_and_beyond_the_window_all_enter_the_meter(
    store: Store, module: JournalledModule
) -> None:
    meter = RealMeter.of(meter_of(store))
    for number in range(55):
        sale = sell(store, module, request_id=f"r-{number}", now=NOW + timedelta(seconds=number))
        assert isinstance(meter.enter(sale.result.tokens[0].digits), Accepted)


def test_a_reprint_is_counted_and_has_the_same_tokens(
    store: Store, module: JournalledModule
) -> None:
    sold = sell(store, module).result
    with store.read() as connection:
        zanele = operators.find_operator(THABANENG, connection, login="zanele")
    assert zanele is not None
    for count in (1, 2):
        again = reprint(store, zanele, sale_number=1, now=NOW)
        assert again.reprints == count
        assert again.tokens == sold.tokens
