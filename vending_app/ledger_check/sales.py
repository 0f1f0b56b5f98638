"""Sales and credit notes against their entries: the same money on the right accounts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping

from vending_app.ledger_check.canonical import whole
from vending_app.ledger_check.database import Tenant
from vending_app.ledger_check.entries import BookedEntry
from vending_app.ledger_check.findings import Finding

_SALE_COLUMNS: Final = (
    "sale_number, basis_number, drn, account_number, vendor_code, payment_method, currency, "
    "tendered_minor, sold_tenths, ledger_entry"
)
_REASONS: Final = frozenset({"reversal", "wrong_meter"})
_DECIDED: Final = frozenset({"approved", "done"})


def check_sales(tenant: Tenant, entries: Sequence[BookedEntry]) -> Iterator[Finding]:
    """Look at the sales that some entries are about."""
    booked = _by_reference(entries, kind="sale")
    sales = _keyed(
        tenant.rows(
            f"SELECT {_SALE_COLUMNS} FROM sales WHERE tenant = :tenant AND sale_number IN :keys",  # noqa: S608 - names of our own
            keys=list(booked),
        ),
        "sale_number",
    )
    lines: dict[Any, list[RowMapping]] = {}
    for line in tenant.rows(
        "SELECT sale_number, line_number, amount_minor, ledger_account FROM sale_lines "
        "WHERE tenant = :tenant AND sale_number IN :keys",
        keys=list(booked),
    ):
        lines.setdefault(line["sale_number"], []).append(line)
    (step,) = tenant.rows("SELECT cash_step_minor FROM tenants WHERE tenant = :tenant")
    for number, entry in booked.items():
        sale = sales.get(number)
        if sale is None:
            yield tenant.finding("sales", number, f"it is not there, but entry {entry.number} is")
            continue
        yield from _check_sale(tenant, sale, lines=lines.get(number, []), entry=entry)
        rest = _unexplained(sale, lines.get(number, []), entry)
        if not _is_rounding(rest, sale, step=whole(step["cash_step_minor"])):
            yield tenant.finding(
                "sales", number, f"entry {entry.number} does not book what the sale says: {rest}"
            )


def _check_sale(
    tenant: Tenant, sale: RowMapping, *, lines: Sequence[RowMapping], entry: BookedEntry
) -> Iterator[Finding]:
    number = sale["sale_number"]
    if sale["ledger_entry"] != entry.number:
        yield tenant.finding(
            "sales", number, f"ledger_entry is {sale['ledger_entry']}, not {entry.number}"
        )
    total = sum(whole(line["amount_minor"]) for line in lines)
    if total != sale["tendered_minor"]:
        yield tenant.finding(
            "sales", number, f"tendered_minor is {sale['tendered_minor']}, its lines are {total}"
        )


def _unexplained(
    sale: RowMapping, lines: Sequence[RowMapping], entry: BookedEntry
) -> dict[tuple[str, str], int]:
    """Return what the entry books beyond the sale, by account and currency."""
    rest: Counter[tuple[str, str]] = Counter()
    for account, amount, currency in entry.booked:
        rest[account, currency] += amount
    rest[_money(sale), sale["currency"]] -= whole(sale["tendered_minor"])
    for line in lines:
        account = line["ledger_account"]
        if account == "account-credit":
            account = f"account-credit:{sale['account_number']}"
        rest[account, sale["currency"]] += whole(line["amount_minor"])
    return {place: amount for place, amount in rest.items() if amount}


def _money(sale: RowMapping) -> str:
    """Return the account that the money of a sale comes in on, or is taken from."""
    vendor = sale["vendor_code"]
    return str(sale["payment_method"]) if vendor is None else f"vendor-float:{vendor}"


def _is_rounding(rest: Mapping[tuple[str, str], int], sale: RowMapping, *, step: int) -> bool:
    """Tell whether what is beyond the sale is the rounding of coins or a vendor's commission."""
    money, currency = _money(sale), sale["currency"]
    rounding = rest.get(("rounding:cash", currency), 0)
    commission = rest.get((f"commission:{sale['vendor_code']}", currency), 0)
    # A vendor's commission goes the other way than the money of the sale.
    expected = {
        ("rounding:cash", currency): rounding,
        (f"commission:{sale['vendor_code']}", currency): commission,
        (money, currency): -rounding - commission,
    }
    coins = sale["payment_method"] == "cash" and abs(rounding) < step
    earned = sale["vendor_code"] is not None and commission > 0
    return (
        dict(rest) == {place: amount for place, amount in expected.items() if amount}
        and (not rounding or coins)
        and (not commission or earned)
    )


def check_credit_notes(tenant: Tenant, entries: Sequence[BookedEntry]) -> Iterator[Finding]:
    """Look at the credit notes that some entries are about."""
    booked = _by_reference(entries, kind="credit note")
    notes = _keyed(
        tenant.rows(
            "SELECT credit_note_number, note.sale_number, note.case_number, amount_minor, "
            "note.ledger_entry, tendered_minor, sale.ledger_entry AS sale_entry, "
            "reason.kind AS reason, reason.state, reason.sale_number AS reason_sale "
            "FROM credit_notes AS note "
            "LEFT JOIN sales AS sale ON sale.tenant = note.tenant "
            "AND sale.sale_number = note.sale_number "
            "LEFT JOIN cases AS reason ON reason.tenant = note.tenant "
            "AND reason.case_number = note.case_number "
            "WHERE note.tenant = :tenant AND credit_note_number IN :keys",
            keys=list(booked),
        ),
        "credit_note_number",
    )
    reversed_numbers = [whole(entry.document.get("reverses")) for entry in booked.values()]
    originals: dict[Any, list[tuple[str, int, str]]] = {}
    for line in tenant.rows(
        "SELECT entry_number, account, amount_minor, currency FROM ledger_lines "
        "WHERE tenant = :tenant AND entry_number IN :keys",
        keys=reversed_numbers,
    ):
        taken_back = (line["account"], -whole(line["amount_minor"]), line["currency"])
        originals.setdefault(line["entry_number"], []).append(taken_back)
    for number, entry in booked.items():
        note = notes.get(number)
        if note is None:
            yield tenant.finding(
                "credit_notes", number, f"it is not there, but entry {entry.number} is"
            )
            continue
        expected = sorted(originals.get(entry.document.get("reverses"), []))
        if entry.booked != expected or note["sale_entry"] != entry.document.get("reverses"):
            yield tenant.finding(
                "credit_notes", number, f"entry {entry.number} does not take back its sale"
            )
        yield from _check_note(tenant, note, entry=entry)


def _check_note(tenant: Tenant, note: RowMapping, *, entry: BookedEntry) -> Iterator[Finding]:
    number = note["credit_note_number"]
    if note["ledger_entry"] != entry.number:
        yield tenant.finding(
            "credit_notes", number, f"ledger_entry is {note['ledger_entry']}, not {entry.number}"
        )
    if note["amount_minor"] != note["tendered_minor"]:
        yield tenant.finding("credit_notes", number, "its amount is not that of the sale")
    if note["reason"] not in _REASONS or note["state"] not in _DECIDED:
        yield tenant.finding("credit_notes", number, "no approved case is the reason of it")
    elif note["reason_sale"] != note["sale_number"]:
        yield tenant.finding("credit_notes", number, "its case is about another sale")


def _by_reference(entries: Sequence[BookedEntry], *, kind: str) -> dict[int, BookedEntry]:
    """Return the entries of a kind by the number of what they are about."""
    found: dict[int, BookedEntry] = {}
    for entry in entries:
        word, _, number = str(entry.record.get("reference", "")).rpartition(" ")
        if entry.record.get("kind") == kind and word == kind and number.isdigit():
            found[int(number)] = entry
    return found


def _keyed(rows: Sequence[RowMapping], column: str) -> dict[Any, RowMapping]:
    return {row[column]: row for row in rows}
