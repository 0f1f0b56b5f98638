"""The pages: who may see them, what they show, and what they answer to bad input."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from keys.audit_record import AuditEvent
from keys.custody import Origin
from keys.files import read_key_file
from keys.open import open_custody
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from sts import DecoderReferenceNumber, KeyType, Service, VendingKey
from tests.vending_app.helpers import MILL, NEEMA, NOW, PIETER, Browser, SetClock, token_on
from vending_app import create_app
from vending_app.config import Config
from vending_app.demo_story import (
    BASE_DATE,
    DEMO_PASSWORD,
    KEY_EXPIRY_NUMBER,
    KEY_GENERATION_ALGORITHM,
    KEY_REVISION_NUMBER,
    SUPPLY_GROUP_CODE,
    VENDING_KEY_HEX,
)
from vending_app.domain.errors import StoreBusyError
from vending_app.domain.held_back import HeldBack
from vending_app.domain.network import ServicePoint
from vending_app.installation import prepare
from vending_app.services import key_changes, meters, network
from vending_app.storage import operators, tables
from vending_app.web import security
from vending_app.web.context import EXTENSION, AppContext
from vending_app.web.throttle import FAILURES_ALLOWED

STOCK = "00100001056"
ARGUMENTS = {"drn": PIETER, "sale_number": 1, "filename": "style.css"}


def _endpoints(app: Flask) -> list[tuple[str, str, str]]:
    """Return every endpoint with a method and a path."""
    adapter = app.url_map.bind("localhost")
    return [
        (rule.endpoint, method, adapter.build(rule.endpoint, values, method))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        for values in [{name: ARGUMENTS[name] for name in rule.arguments}]
    ]


# --- who may see them -----------------------------------------------------------------------


def test_every_page_but_the_log_in_is_closed_to_strangers(app: Flask, browser: Browser) -> None:
    closed = [each for each in _endpoints(app) if each[0] not in security.PUBLIC]
    assert len(closed) >= 12
    for endpoint, method, path in closed:
        token = {"csrf_token": browser.csrf_token("/login")}
        answer = browser.client.open(path, method=method, data=token if method == "POST" else None)
        assert answer.status_code == 303, endpoint
        assert answer.headers["Location"].startswith("/login"), endpoint


def test_every_form_needs_its_csrf_token(app: Flask, cashier: Browser) -> None:
    posts = [path for _, method, path in _endpoints(app) if method == "POST"]
    assert len(posts) >= 7
    for path in posts:
        for wrong in ({}, {"csrf_token": ""}, {"csrf_token": "wrong"}, {"csrf_token": "wröng"}):
            answer = cashier.client.post(path, data=wrong)
            assert answer.status_code == 400, path
    assert "too old" in cashier.client.post("/sell", data={}).text


def test_every_answer_carries_the_security_headers(app: Flask, cashier: Browser) -> None:
    for endpoint, method, path in _endpoints(app):
        if method == "GET":
            with cashier.get(path) as answer:
                headers = answer.headers
            assert headers["Content-Security-Policy"].startswith("default-src 'self'"), endpoint
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "same-origin"
            assert endpoint == "static" or headers["Cache-Control"] == "no-store"


def test_pages_use_nothing_that_the_policy_forbids(cashier: Browser) -> None:
    sale = cashier.sell(PIETER, "20")
    for path in ("/login", "/sell", "/sales", "/meters", sale, f"/lab/meters/{PIETER}"):
        page = cashier.get(path).text
        assert not re.search(
            r"\son\w+=|<style|\sstyle=|javascript:|https?://(?!www\.w3\.org)", page
        )
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)


def test_logging_in_goes_on_to_the_page_that_was_asked_for(browser: Browser) -> None:
    asked = browser.get("/sell?meter=00100001023")
    assert asked.headers["Location"] == "/login?next=/sell?meter%3D00100001023"
    answer = browser.post(
        asked.headers["Location"],
        page=asked.headers["Location"],
        login="zanele@thabaneng",
        password=DEMO_PASSWORD,
    )
    assert answer.headers["Location"] == "/sell?meter=00100001023"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/\tx"]
)
def test_logging_in_never_leads_away(browser: Browser, target: str) -> None:
    answer = browser.client.post(
        "/login",
        query_string={"next": target},
        data={
            "csrf_token": browser.csrf_token("/login"),
            "login": "zanele@thabaneng",
            "password": DEMO_PASSWORD,
        },
    )
    assert answer.headers["Location"] == "/sell"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(cashier: Browser) -> None:
    cookie = cashier.post("/login", page="/login", login="zanele@thabaneng", password=DEMO_PASSWORD)
    found = cookie.headers["Set-Cookie"]
    assert "HttpOnly" in found
    assert "SameSite=Lax" in found


@pytest.fixture
def for_real_meters(config: Config, tmp_path: Path) -> Config:
    """The demo's database before a module for real meters, whose key came in by a ceremony."""
    real = prepare(tmp_path / "real", {})
    key = VendingKey.from_hex(VENDING_KEY_HEX)
    custody = open_custody(real.module, read_key_file(real.module_key), actor="ada")
    record = VendingKeyRecord(
        tenant="thabaneng",
        supply_group_code=SUPPLY_GROUP_CODE,
        key_revision_number=KEY_REVISION_NUMBER,
        key_type=KeyType.UNIQUE,
        key_generation_algorithm=KEY_GENERATION_ALGORITHM,
        base_date=BASE_DATE,
        key_expiry_number=KEY_EXPIRY_NUMBER,
        check_value=check_value_of(key),
    )
    origin = Origin(event=AuditEvent.CEREMONY, custodians=("ada", "ben"))
    custody.take(RegisteredKey(record=record), key, origin=origin, now=NOW)
    return replace(real, database_url=config.database_url)


def test_outside_the_demo_cookies_need_https(for_real_meters: Config) -> None:
    app = create_app(for_real_meters)
    browser = Browser(app.test_client())
    page = browser.get("/login")
    assert "Secure" in page.headers["Set-Cookie"]
    assert DEMO_PASSWORD not in page.text
    assert "published test keys" not in page.text
    app.extensions[EXTENSION].close()


def test_a_log_in_begins_a_new_session(browser: Browser) -> None:
    before = browser.csrf_token("/login")
    browser.log_in()
    assert browser.csrf_token("/sell") != before


def test_wrong_passwords_are_refused_and_then_slowed_down(
    browser: Browser, clock: SetClock
) -> None:
    fields = {"login": "zanele@thabaneng", "password": "wrong"}
    for _ in range(FAILURES_ALLOWED):
        answer = browser.post("/login", page="/login", **fields)
        assert answer.status_code == 401
        assert "LOGIN_FAILED" in answer.text
    right = {"login": "zanele@thabaneng", "password": DEMO_PASSWORD}
    slowed = browser.post("/login", page="/login", **right)
    assert slowed.status_code == 429
    assert "TOO_MANY_LOGINS" in slowed.text
    clock.pass_time(minutes=6)
    assert browser.post("/login", page="/login", **right).status_code == 303


def test_logging_out_ends_the_session(cashier: Browser) -> None:
    assert cashier.post("/logout").headers["Location"] == "/login"
    assert cashier.get("/sell").status_code == 303


def test_who_is_dismissed_is_out_at_once(app: Flask, cashier: Browser) -> None:
    with app.extensions[EXTENSION].store.write() as connection:
        connection.execute(update(tables.operators).values(active=False))
    assert cashier.get("/sell").headers["Location"].startswith("/login")


def test_the_demo_answers_to_names_of_this_machine_only(cashier: Browser) -> None:
    assert cashier.client.get("/login", base_url="http://evil.example").status_code == 400


# --- selling --------------------------------------------------------------------------------


def test_a_sale_shows_energy_price_tax_and_token(cashier: Browser) -> None:
    quote = cashier.post("/sell", meter=PIETER, amount="20").text
    assert "5.9" in quote
    assert "5.839 kWh" in quote
    assert "3.425" in quote
    page = cashier.get(cashier.sell(PIETER, "20")).text
    for shown in ("5.9", "17.39", "VAT 15 %", "2.61", "20.00", "Pieter Mokoena", "3.425", PIETER):
        assert shown in page
    assert len(token_on(page)) == 20
    assert "SAMPLE tables: not for real meters" in page
    assert "2026-03-02 10:15" in page, "in the utility's local time"


def test_a_token_of_ea11_has_no_sample_mark(browser: Browser) -> None:
    browser.log_in("rehema@mwanga")
    page = browser.get(browser.sell(NEEMA, "5000")).text
    assert "SAMPLE" not in page
    assert "VAT" not in page
    assert "1.4" in page


def test_units_are_sold_for_what_they_cost(cashier: Browser) -> None:
    fields = {"meter": PIETER, "amount": "10", "amount_kind": "units", "payment_method": "card"}
    offer = cashier.post("/sell", **fields).text
    assert "ZAR\N{NO-BREAK SPACE}33.91" in offer  # The token is rounded up to 10.0.
    sold = cashier.post("/sell/confirm", request_id="units-1", **fields)
    receipt = cashier.get(sold.headers["Location"]).text
    assert "<strong>10.0</strong> kWh" in receipt
    assert "card" in receipt


def test_a_way_of_paying_that_is_none_is_a_bad_request(cashier: Browser) -> None:
    assert cashier.post("/sell", meter=PIETER, amount="20", payment_method="cow").status_code == 400


def test_cash_is_rounded_to_what_there_are_coins_for(cashier: Browser) -> None:
    offer = cashier.post("/sell", meter=PIETER, amount="20.04").text
    assert "rounded to what there are coins for" in offer
    assert "Take ZAR\N{NO-BREAK SPACE}20.00 and issue" in offer


def test_a_new_meter_gets_its_own_key_when_the_customer_agrees(
    cashier: Browser, app: Flask
) -> None:
    parts: AppContext = app.extensions[EXTENSION]
    _install_stock_meter(parts)
    fields = {"meter": STOCK, "amount": "50"}
    offer = cashier.post("/sell", **fields).text
    assert "key should change first" in offer
    asked = cashier.post("/sell/confirm", request_id="new-1", **fields)
    assert asked.status_code == 409
    assert "KEY_CHANGE_OFFERED" in asked.text
    assert "accept_key_change" in asked.text
    sold = cashier.post("/sell/confirm", request_id="new-1", accept_key_change="yes", **fields)
    assert sold.status_code == 303
    receipt = cashier.get(sold.headers["Location"]).text
    tokens = re.findall(r'<p class="token">([\d ]{24})</p>', receipt)
    assert receipt.index("First enter these") < receipt.index("Then the credit")
    assert len(tokens) == 5
    page = f"/lab/meters/{STOCK}"
    for token in tokens:
        cashier.post(f"{page}/token", token=token)
    assert "Accepted" in cashier.get(page).text
    assert "14.600 kWh" in cashier.get(page).text
    assert "key change on its way" in cashier.get("/meters").text


def _install_stock_meter(parts: AppContext) -> None:
    """Hang the meter of the demo's store at a second place of Pieter's."""
    with parts.store.read() as connection:
        farai = operators.find_operator("thabaneng", connection, login="farai")
    assert farai is not None
    point = ServicePoint(
        tenant="thabaneng",
        code="P-2",
        account_number="C00102",
        place="14 Kerk Street, garage",
        service=Service.ELECTRICITY,
    )
    network.add_service_point(parts.store, point, operator=farai)
    meters.install(
        parts.store,
        farai,
        drn=DecoderReferenceNumber(STOCK),
        service_point_code="P-2",
        now=NOW,
    )


def test_a_button_pressed_twice_sells_once(cashier: Browser) -> None:
    fields = {"meter": PIETER, "amount": "20", "request_id": "same"}
    first, second = (cashier.post("/sell/confirm", **fields) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"] == "/sales/1"
    changed = cashier.post("/sell/confirm", **fields | {"amount": "30"})
    assert changed.status_code == 409
    assert "REQUEST_ID_REUSED" in changed.text


def test_who_finds_the_system_busy_asks_again_with_the_same_request(
    app: Flask, cashier: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise StoreBusyError

    monkeypatch.setattr(app.extensions[EXTENSION].store, "fail_point", busy)
    page_of_sale = {"meter": PIETER, "amount": "2.5", "amount_kind": "units", "request_id": "r-9"}
    form = {"csrf_token": cashier.csrf_token("/sell"), **page_of_sale}
    # The page is shown even if the database stays busy.
    monkeypatch.setattr(meters, "list_meters", busy)
    answer = cashier.client.post("/sell/confirm", data=form)
    assert (answer.status_code, "STORE_BUSY" in answer.text) == (503, True)
    again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', answer.text))
    assert again.keys() == {"csrf_token", *page_of_sale}
    monkeypatch.undo()
    first = cashier.client.post("/sell/confirm", data=again)
    second = cashier.client.post("/sell/confirm", data=again)
    assert first.headers["Location"] == second.headers["Location"] == "/sales/1"


@pytest.mark.parametrize(
    ("meter", "amount", "status", "code", "words"),
    [
        ("00100001024", "20", 422, "WRONG_CHECK_DIGIT", "must be 3, not 4"),
        ("0010000102", "20", 422, "WRONG_LENGTH", "11 or 13 or 18 digits"),
        ("0010000102x", "20", 422, "NOT_DIGITS", "only the digits 0 to 9"),
        ("", "20", 422, "WRONG_LENGTH", "found 0"),
        ("00100001064", "20", 404, "UNKNOWN_METER", "No meter 00100001064"),
        (NEEMA, "20", 404, "UNKNOWN_METER", "registered here"),
        (PIETER, "4.99", 422, "AMOUNT_BELOW_MINIMUM", "ZAR\N{NO-BREAK SPACE}5.00"),
        (PIETER, "5000.01", 422, "AMOUNT_ABOVE_MAXIMUM", "5\N{NO-BREAK SPACE}000.00"),
        (PIETER, "1,000", 422, "MONEY_FORMAT", "without commas"),
        (PIETER, "10.005", 422, "MONEY_PRECISION", "2 decimals"),
        (PIETER, "", 422, "MONEY_FORMAT", "not an amount"),
    ],
)
@pytest.mark.parametrize("path", ["/sell", "/sell/confirm"])
def test_bad_input_is_told_to_the_cashier(
    cashier: Browser, path: str, meter: str, amount: str, status: int, code: str, words: str
) -> None:
    answer = cashier.post(path, meter=meter, amount=amount, request_id="r-1")
    assert answer.status_code == status
    assert code in answer.text
    assert words in answer.text
    assert f'value="{meter}"' in answer.text, "what was typed stays in the form"
    assert "Nothing has been sold yet" in cashier.get("/sales").text


def test_what_is_typed_never_becomes_markup(cashier: Browser) -> None:
    answer = cashier.post("/sell", meter='"><script>alert(1)</script>', amount="<b>")
    assert "<script>alert" not in answer.text
    assert "<b>" not in answer.text


def test_a_request_without_an_id_is_refused(cashier: Browser) -> None:
    answer = cashier.post("/sell/confirm", meter=PIETER, amount="20")
    assert answer.status_code == 422
    assert "REQUEST_ID" in answer.text


# --- past sales -----------------------------------------------------------------------------


def test_a_reprint_is_marked_and_shows_the_same_token(cashier: Browser) -> None:
    path = cashier.sell(PIETER, "20")
    first = cashier.get(path).text
    assert "Reprint no." not in first
    cashier.post(f"{path}/reprint")
    cashier.post(f"{path}/reprint")
    again = cashier.get(path).text
    assert "Reprint no. 2" in again
    assert token_on(again) == token_on(first)
    assert "reprinted 2×" in cashier.get("/sales").text


def test_a_receipt_does_not_show_what_was_given_up_with_its_key_change(
    cashier: Browser, app: Flask
) -> None:
    store = app.extensions[EXTENSION].store
    with store.write() as connection:
        connection.execute(update(tables.tariffs).values(tariff_index=7))
        groups = tables.supply_groups
        connection.execute(update(groups).values(ti_follows_tariff=True, key_policy="always"))
        engineer = operators.find_operator("thabaneng", connection, login="farai")
    path = cashier.sell(PIETER, "20")
    before = cashier.get(path).text
    assert before.count('<p class="token">') == 3
    assert "First enter these" in before
    assert engineer is not None
    drn = DecoderReferenceNumber(PIETER)
    key_changes.give_up(store, engineer, drn=drn, reason="Not wanted", now=NOW)
    for page in (
        cashier.get(path).text,
        cashier.get(cashier.post(f"{path}/reprint").location or "").text,
    ):
        assert 'class="token"' not in page
        assert page.count('role="note"><p>') == 2
        assert HeldBack.CHANGE_GIVEN_UP.words in page
        assert HeldBack.OTHER_KEY.words in page
        assert "Key on record now</dt><dd>SGC 201457 · KRN 1 · TI 01</dd>" in page


def test_sales_are_listed_newest_first(cashier: Browser, clock: SetClock) -> None:
    cashier.sell(PIETER, "20")
    clock.pass_time(minutes=1)
    cashier.sell(PIETER, "30")
    page = cashier.get("/sales").text
    assert page.index("30.00") < page.index("20.00")


@pytest.mark.parametrize("number", ["2", "0", "9223372036854775808", "9" * 64])
def test_a_sale_that_is_not_there_is_not_found(cashier: Browser, number: str) -> None:
    cashier.sell(PIETER, "20")
    shown, printed = cashier.get(f"/sales/{number}"), cashier.post(f"/sales/{number}/reprint")
    assert (shown.status_code, printed.status_code) == (404, 404)
    assert "UNKNOWN_SALE" in shown.text
    assert "UNKNOWN_SALE" in printed.text


@pytest.mark.parametrize("number", ["x", "-1", "9" * 65, "9" * 5000])
def test_what_is_no_number_of_a_sale_is_no_page(cashier: Browser, number: str) -> None:
    assert cashier.get(f"/sales/{number}").status_code == 404


def test_sales_of_another_utility_are_not_found(cashier: Browser, app: Flask) -> None:
    path = cashier.sell(PIETER, "20")
    other = Browser(app.test_client())
    other.log_in("rehema@mwanga")
    assert other.get(path).status_code == 404
    assert other.post(f"{path}/reprint").status_code == 404
    assert PIETER not in other.get("/sales").text
    assert PIETER not in other.get("/meters").text
    assert PIETER not in other.get("/sell").text


# --- virtual meters -------------------------------------------------------------------------


def test_a_token_works_once_in_its_meter_and_in_no_other(browser: Browser, app: Flask) -> None:
    browser.log_in("rehema@mwanga")
    token = token_on(browser.get(browser.sell(NEEMA, "5000")).text)
    page, other = f"/lab/meters/{NEEMA}", f"/lab/meters/{MILL}"
    assert "Relay open" in browser.get(page).text
    browser.post(f"{page}/token", token=token)
    accepted = browser.get(page).text
    assert "Accepted. 1.4 kWh added." in accepted
    assert "1.400 kWh" in accepted
    assert "Relay closed" in accepted
    browser.post(f"{page}/token", token=token)
    assert "used already" in browser.get(page).text
    browser.post(f"{other}/token", token=token)
    assert "token for another meter" in browser.get(other).text
    assert app.extensions[EXTENSION].lab_meters


def test_a_load_counts_the_credit_down_and_the_relay_opens_at_zero(
    cashier: Browser, clock: SetClock
) -> None:
    token = token_on(cashier.get(cashier.sell(PIETER, "20")).text)
    page = f"/lab/meters/{PIETER}"
    cashier.post(f"{page}/token", token=token)
    cashier.post(f"{page}/load", load="2000")
    clock.pass_time(hours=1)
    assert "3.900 kWh" in cashier.get(f"{page}/panel").text
    clock.pass_time(hours=2)
    panel = cashier.get(f"{page}/panel").text
    assert "0.000 kWh" in panel
    assert "Relay open" in panel
    assert "Relay opened: credit exhausted" in panel
    # 5.9 kWh at 2 kW last 2 hours and 57 minutes.
    assert "2026-03-02 13:12:30" in panel


def test_the_meters_clock_can_be_made_to_run(cashier: Browser, clock: SetClock) -> None:
    token = token_on(cashier.get(cashier.sell(PIETER, "20")).text)
    page = f"/lab/meters/{PIETER}"
    cashier.post(f"{page}/token", token=token)
    cashier.post(f"{page}/load", load="1000")
    cashier.post(f"{page}/speed", speed="3600")
    clock.pass_time(seconds=2)
    assert "3.900 kWh" in cashier.get(f"{page}/panel").text
    cashier.post(f"{page}/speed", speed="1")
    clock.pass_time(seconds=36)
    assert "3.890 kWh" in cashier.get(f"{page}/panel").text


def test_a_load_above_the_maximum_current_opens_the_relay(
    cashier: Browser, clock: SetClock
) -> None:
    token = token_on(cashier.get(cashier.sell(PIETER, "20")).text)
    page = f"/lab/meters/{PIETER}"
    cashier.post(f"{page}/token", token=token)
    assert "above 13800 the meter opens its relay" in cashier.get(page).text
    assert cashier.post(f"{page}/load", load="13801").status_code == 303
    clock.pass_time(seconds=10)
    panel = cashier.get(f"{page}/panel").text
    assert "Relay opened: over current" in panel
    assert "The current is too high. Switch something off." in panel


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("load", {"load": "138001"}, 422, "METER_LOAD"),
        ("load", {"load": "-1"}, 422, "WHOLE_NUMBER"),
        ("load", {"load": "1.5"}, 422, "WHOLE_NUMBER"),
        ("load", {"load": "9" * 10}, 422, "WHOLE_NUMBER"),
        ("load", {}, 422, "WHOLE_NUMBER"),
        ("speed", {"speed": "2"}, 422, "LAB_METER_SPEED"),
        ("speed", {"speed": "²"}, 422, "WHOLE_NUMBER"),
    ],
)
def test_what_a_meter_cannot_do_is_refused(
    cashier: Browser, path: str, fields: dict[str, str], status: int, code: str
) -> None:
    answer = cashier.post(f"/lab/meters/{PIETER}/{path}", **fields)
    assert answer.status_code == status
    assert code in answer.text


def test_nonsense_at_the_keypad_is_answered_by_the_meter(cashier: Browser) -> None:
    page = f"/lab/meters/{PIETER}"
    cashier.post(f"{page}/token", token="<b>12 34</b>")
    shown = cashier.get(page).text
    assert "This is not a token. Check the 20 digits." in shown
    assert "<b>12" not in shown


def test_meters_of_others_and_of_nobody_are_not_found(
    cashier: Browser, config: Config, app: Flask
) -> None:
    assert cashier.get(f"/lab/meters/{NEEMA}").status_code == 404
    assert cashier.get("/lab/meters/00100001072").status_code == 404
    assert cashier.get("/lab/meters/1").status_code == 422
    (config.meters_dir / f"{PIETER}.db").unlink()
    answer = cashier.get(f"/lab/meters/{PIETER}")
    assert answer.status_code == 404
    assert "NO_LAB_METER" in answer.text
    assert app.extensions[EXTENSION].lab_meters


def test_outside_lab_mode_there_are_no_virtual_meters(
    for_real_meters: Config, clock: SetClock
) -> None:
    app = create_app(replace(for_real_meters, secure_cookies=False), clock=clock)
    browser = Browser(app.test_client())
    browser.log_in()
    assert browser.get(f"/lab/meters/{PIETER}").status_code == 404
    assert "/lab/" not in browser.get("/meters").text
    # And the SAMPLE tables make no token.
    sold = browser.post("/sell/confirm", meter=PIETER, amount="20", request_id="r-1")
    assert sold.status_code == 409
    assert "SAMPLE_TABLES_IN_PRODUCTION" in sold.text
    app.extensions[EXTENSION].close()


def test_a_shift_is_not_longer_than_ten_hours(app: Flask) -> None:
    assert app.permanent_session_lifetime == timedelta(hours=10)


def test_pages_that_are_not_there_and_requests_that_are_too_long(cashier: Browser) -> None:
    assert cashier.get("/nowhere").status_code == 404
    assert cashier.post("/sell", meter="1" * 70_000, amount="1").status_code == 413
