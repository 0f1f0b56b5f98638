"""Databases of every past form, with data in them, come to the present one and still sell."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from keys.issuing import JournalledModule
from sts import DecoderReferenceNumber
from tests.vending_app.conftest import opened, opened_driver
from tests.vending_app.helpers import NOW, PIETER
from vending_app.config import Config
from vending_app.demo import fill_database
from vending_app.domain.sales import Sale
from vending_app.domain.tariff import parse_version, version_hash
from vending_app.ledger_check.findings import Finding
from vending_app.ledger_check.verify import verify
from vending_app.services.quoting import Amount
from vending_app.services.receipts import find_sale
from vending_app.services.vending import VendRequest, vend
from vending_app.storage import pricing, tables
from vending_app.storage.engine import Store
from vending_app.storage.migrate import require_current, upgrade

FIRST_FORMS = ("0001", "0002")
ROWS = Path(__file__).with_name("first_form.sql")
"""What the first form held: three sales, a reprint, a tariff with and one without tax."""


def _fill(store: Store) -> None:
    with store.write() as connection:
        for statement in ROWS.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.execute(text(statement))


def _findings(store: Store) -> list[Finding]:
    url = store.engine.url.render_as_string(hide_password=False)
    return [finding for report in verify(url) for finding in report.findings]


def _sell(store: Store, module: JournalledModule, request_id: str) -> Sale:
    request = VendRequest(
        tenant="thabaneng",
        request_id=request_id,
        drn=DecoderReferenceNumber(PIETER),
        amount=Amount(minor=20_00),
        login="zanele",
    )
    return vend(store, module, now=NOW, request=request).result


@pytest.fixture(params=FIRST_FORMS)
def old(request: pytest.FixtureRequest, empty_database_url: str) -> Iterator[Store]:
    """A database of a past form that is in use."""
    with opened(empty_database_url) as made:
        upgrade(made, revision=request.param)
        _fill(made)
        yield made


@pytest.fixture
def module(prepared_demo: Config) -> JournalledModule:
    return opened_driver(prepared_demo)


def test_sales_of_the_first_form_are_sales_of_this_one(old: Store) -> None:
    upgrade(old)
    require_current(old)
    sale = find_sale(old, "thabaneng", sale_number=2)
    assert (sale.tendered.minor, sale.sold_tenths, sale.reprints) == (100_00, 292, 1)
    assert [(line.code, line.amount_minor) for line in sale.lines] == [
        ("energy", 86_96),
        ("vat", 13_04),
    ]
    assert (sale.customer_name, sale.account_number, sale.request_id) == (
        "Pieter Mokoena",
        PIETER,
        "r-2",
    )
    (token,) = sale.tokens
    assert (token.digits, token.tid_minutes) == ("23456789012345678901", 6_396_976)
    assert str(sale.rounding) == "4/137"
    lone = find_sale(old, "mwanga", sale_number=1)
    assert [line.code for line in lone.lines] == ["energy"]


def test_the_books_of_what_was_brought_over_are_right(old: Store) -> None:
    upgrade(old)
    assert _findings(old) == []
    with old.read() as connection:
        heads = connection.execute(
            select(tables.ledger_heads.c.tenant, tables.ledger_heads.c.length).order_by(
                tables.ledger_heads.c.tenant
            )
        ).all()
    assert [tuple(row) for row in heads] == [("mwanga", 1), ("thabaneng", 2)]


def test_tariffs_of_the_first_form_are_documents(old: Store) -> None:
    upgrade(old)
    with old.read() as connection:
        kept = pricing.ask_version_on("thabaneng", connection, tariff_code="home", day=NOW.date())()
    assert kept is not None
    version = parse_version(kept.document)
    assert kept.document_hash == version_hash(version)
    assert (version.minimum_minor, version.maximum_minor) == (5_00, 5_000_00)


def test_what_was_brought_over_goes_on_selling(old: Store, module: JournalledModule) -> None:
    upgrade(old)
    sale = _sell(old, module, "r-3")
    assert (sale.number, sale.basis_number, sale.ledger_entry) == (3, 3, 3)
    assert sale.sold_tenths == 59
    assert _findings(old) == []


def test_a_database_that_never_sold_comes_over_too(empty_database_url: str) -> None:
    with opened(empty_database_url) as store:
        upgrade(store, revision="0002")
        upgrade(store)
        require_current(store)
        assert _findings(store) == []


def test_a_database_of_the_form_before_this_one_goes_on(
    empty_database_url: str, module: JournalledModule
) -> None:
    with opened(empty_database_url) as store:
        upgrade(store, revision="0006")
        fill_database(store, now=NOW)
        _sell(store, module, "r-1")
        upgrade(store)
        require_current(store)
        assert _sell(store, module, "r-2").number == 2
        assert _findings(store) == []
