"""The sale as a use case that makes tokens: what is kept of it before, and written down after."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from keys.canonical_json import JsonObject
from vending_app.domain.key_changes import ISSUED, with_set
from vending_app.domain.ledger import LedgerEntry, Posting, Tender, sale_entry, sale_postings
from vending_app.domain.ledger_rows import sale_digest
from vending_app.domain.network import SELLABLE, Life, Meter
from vending_app.domain.parties import Vendor
from vending_app.domain.periods import period_of
from vending_app.domain.purchases import format_counters, parse_counters, without_purchase
from vending_app.domain.requests import StoredRequest
from vending_app.domain.sale_rows import Row, line_rows, read_sale, sale_row
from vending_app.domain.sales import Basis, BasisKind, MadeToken, Sale
from vending_app.services.handing_out import handed_out, keys_of
from vending_app.services.issuing import change_tokens, issued_tokens, keep
from vending_app.services.meters import add_history
from vending_app.services.plans import IssuePlan
from vending_app.services.use_case import Keeping, TokenUseCase
from vending_app.storage import ledger, meters, network, parties, requests, sales, tenants

_NUMBERED: Final = (tenants.BASIS, tenants.SALE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleWork:
    """What was decided of a sale.

    Attributes:
        issue: Its tokens.
        sale: The sale without them and without numbers.
        time_zone: The utility's, for the month in the books.
        cash_rounding_minor: What is paid in coins beyond the money of the sale.
        reason: Why there is a key change; empty if there is none.
    """

    issue: IssuePlan
    sale: Sale
    time_zone: str
    cash_rounding_minor: int
    reason: str


def pending_sales_minor(connection: Connection, vendor: Vendor) -> int:
    """Return for how much a vendor has sold without the books knowing yet."""
    plans = requests.pending_plans(vendor.tenant, connection, kind=SALE.kind)
    pending = [json.loads(plan)["work"]["sale"] for plan in plans]
    return sum(
        int(sale["tendered_minor"]) for sale in pending if sale["vendor_code"] == vendor.code
    )


def _dump(work: SaleWork) -> JsonObject:
    row: dict[str, Any] = {**sale_row(work.sale), "sold_at": work.sale.sold_at.isoformat()}
    lines: list[Any] = [dict(line) for line in line_rows(work.sale, sale_number=0)]
    return {
        "sale": row,
        "lines": lines,
        "time_zone": work.time_zone,
        "cash_rounding_minor": work.cash_rounding_minor,
        "reason": work.reason,
        "request_id": work.sale.request_id,
    }


def _read(document: dict[str, Any], issue: IssuePlan) -> SaleWork:
    row = document["sale"]
    row["sold_at"] = datetime.fromisoformat(row["sold_at"])
    return SaleWork(
        issue=issue,
        sale=read_sale(row, document["lines"], request_id=document["request_id"]),
        time_zone=document["time_zone"],
        cash_rounding_minor=document["cash_rounding_minor"],
        reason=document["reason"],
    )


def _hangs_where_sold(keeping: Keeping[SaleWork]) -> bool:
    """Tell whether the customer still has the meter: a module elsewhere may take its time."""
    meter = keeping.meter
    if meter.life not in SELLABLE or meter.service_point_code is None:
        return False
    place = network.find_service_point(
        meter.tenant, keeping.connection, code=meter.service_point_code
    )
    return place.account_number == keeping.work.sale.account_number


def _lock(connection: Connection, work: SaleWork) -> None:
    lock_payers(connection, work.sale)


def lock_payers(connection: Connection, sale: Sale) -> None:
    """Lock the account of a sale and the vendor whose float paid, after its meter."""
    parties.lock_account(sale.tenant, connection, account_number=sale.account_number)
    if sale.vendor_code is not None:
        parties.lock_vendor(sale.tenant, connection, vendor_code=sale.vendor_code)


def _keep(keeping: Keeping[SaleWork]) -> Sale:
    """Write tokens, meter, sale and books."""
    connection, work, tenant = keeping.connection, keeping.work, keeping.request.tenant
    change_basis = 0
    if keeping.made.change is not None:
        change_basis = tenants.next_number(tenant, connection, counter=tenants.BASIS)
    postings = _postings(work)
    asked_numbers = tenants.ask_numbers(tenant, connection, names=_NUMBERED)
    # Other sales wait for these numbers already; to be asked together saves a journey.
    asked_books = ledger.ask_books(tenant, connection, postings=postings)
    unnumbered = sale_row(work.sale)
    numbers = asked_numbers()
    number, basis_number = numbers[tenants.SALE], numbers[tenants.BASIS]
    changed = change_tokens(keeping.made, basis_number=change_basis, now=keeping.now)
    issued = issued_tokens(keeping.made, basis_number=basis_number, now=keeping.now)
    bases = [
        *_bases(keeping, BasisKind.KEY_CHANGE, number=change_basis, tokens=changed),
        _basis(keeping, BasisKind.SALE, number=basis_number, tokens=issued),
    ]
    rows = keep(connection, tenant, bases=bases, made=(*changed, *issued))
    keeping.step("sale.tokens")
    _change_meter(keeping)
    opened = asked_books()
    sale = replace(
        work.sale,
        number=number,
        basis_number=basis_number,
        tokens=(*changed, *issued),
        ledger_entry=opened.next_number,
    )
    row: Row = {
        **unnumbered,
        "sale_number": number,
        "basis_number": basis_number,
        "ledger_entry": sale.ledger_entry,
    }
    lines = line_rows(work.sale, sale_number=number)
    sales.add_sale(tenant, connection, sale=row, lines=lines)
    keeping.step("sale.sale")
    # PostgreSQL writes the sale down while this is hashed.
    digest = sale_digest(sale=row, lines=lines, bases=rows.bases, tokens=rows.tokens)
    entry = _entry(keeping, number, postings=postings, digest=digest)
    ledger.post(tenant, connection, entry=entry, now=keeping.now, opened=opened)
    keeping.step("sale.ledger")
    return sale


def _bases(
    keeping: Keeping[SaleWork], kind: BasisKind, *, number: int, tokens: tuple[MadeToken, ...]
) -> list[Basis]:
    """Return the basis of tokens, if there are any."""
    return [_basis(keeping, kind, number=number, tokens=tokens)] if tokens else []


def _basis(
    keeping: Keeping[SaleWork], kind: BasisKind, *, number: int, tokens: tuple[MadeToken, ...]
) -> Basis:
    request = keeping.request
    return Basis(
        number=number,
        kind=kind,
        maximum_tokens=len(tokens),
        request_id=request.request_id,
        drn=keeping.work.sale.drn,
        login=request.login,
        made_at=keeping.now,
        reason=keeping.work.reason if kind is BasisKind.KEY_CHANGE else "",
    )


def _change_meter(keeping: Keeping[SaleWork]) -> None:
    """Let the meter be active from its first sale on, and have its new key."""
    before, change = keeping.meter, keeping.work.issue.change
    begins = before.life is not Life.ACTIVE and _hangs_where_sold(keeping)
    if change is None and not begins:
        return
    meter: Meter = replace(before, life=Life.ACTIVE) if begins else before
    if change is not None:
        # The set counts from its event on, which is written below.
        keys = keys_of(keeping.connection, before)
        meter = with_set(meter, keys, before=keeping.work.issue.meter.key, after=change.key)
    meters.change_meter(meter.tenant, keeping.connection, meter=meter)
    if begins:
        add_history(
            keeping.connection,
            meter,
            kind="active",
            login=keeping.request.login,
            now=keeping.now,
        )
    if change is not None:
        add_history(
            keeping.connection,
            meter,
            kind=ISSUED,
            login=keeping.request.login,
            now=keeping.now,
            reason=keeping.work.reason,
            brings=change.key,
        )


def _postings(work: SaleWork) -> tuple[Posting, ...]:
    """Return what the sale books."""
    sale = work.sale
    return sale_postings(
        account_number=sale.account_number,
        tender=Tender(
            currency=sale.tendered.currency.code,
            tendered_minor=sale.tendered.minor,
            payment_method=sale.payment_method.value,
            vendor_code=sale.vendor_code,
            cash_rounding_minor=work.cash_rounding_minor,
        ),
        lines=[(line.ledger_account, line.amount_minor) for line in sale.lines],
    )


def _entry(
    keeping: Keeping[SaleWork],
    sale_number: int,
    *,
    postings: tuple[Posting, ...],
    digest: Mapping[str, str],
) -> LedgerEntry:
    """Return what the books say of the sale."""
    return sale_entry(
        sale_number=sale_number,
        period=period_of(keeping.now, ZoneInfo(keeping.work.time_zone)),
        login=keeping.work.sale.login,
        postings=postings,
        digest=digest,
    )


def _give_back(connection: Connection, work: SaleWork) -> None:
    restore_account(connection, work.sale)


def restore_account(connection: Connection, sale: Sale) -> None:
    """Let an account be as if a sale had not been."""
    account = parties.lock_account(sale.tenant, connection, account_number=sale.account_number)
    counters = without_purchase(
        parse_counters(account.counters),
        before=parse_counters(sale.counters_before),
        after=parse_counters(sale.counters_after),
    )
    nothing = sale.counters_before is None and account.counters == sale.counters_after
    parties.set_account_counters(
        sale.tenant,
        connection,
        account_number=account.number,
        counters=None if nothing else format_counters(counters),
    )


def _load(connection: Connection, request: StoredRequest) -> Sale:
    sale = sales.find_sale_by_request(request.tenant, connection, request_id=request.request_id)
    assert sale is not None
    return handed_out(connection, sale)[0]


SALE: Final[TokenUseCase[SaleWork, Sale]] = TokenUseCase(
    kind="sale",
    dump=_dump,
    read=_read,
    lock=_lock,
    keep=_keep,
    give_back=_give_back,
    load=_load,
)
"""How a sale is carried out."""
