"""What was done, as rows of tables: written to the database and hashed into the books alike."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, TypeAlias

from sts import DecoderReferenceNumber, Service
from vending_app.domain.money import Currency, Money
from vending_app.domain.sales import Basis, CreditNote, MadeToken, PaymentMethod, Sale, SaleLine

Row: TypeAlias = Mapping[str, object]
"""Column to value, every column of the table there."""


def basis_row(tenant: str, basis: Basis) -> Row:
    """Return the row of a basis."""
    return {
        "tenant": tenant,
        "basis_number": basis.number,
        "kind": basis.kind.value,
        "maximum_tokens": basis.maximum_tokens,
        "request_id": basis.request_id,
        "drn": str(basis.drn),
        "case_number": basis.case_number,
        "login": basis.login,
        "reason": basis.reason,
        "made_at": basis.made_at,
    }


def token_row(tenant: str, token: MadeToken) -> Row:
    """Return the row of a token; whether it is withheld or void stands in marks."""
    key, units = token.key, token.currency_units
    return {
        "tenant": tenant,
        "basis_number": token.basis_number,
        "token_number": token.number,
        "drn": str(token.drn),
        "kind": token.kind,
        "token_class": token.token_class,
        "subclass": token.subclass,
        "base_date": str(key.base_date),
        "tid": token.tid_minutes,
        "digits": token.digits,
        "amount_tenths": token.amount_tenths,
        "currency_units": None if units is None else str(units),
        "supply_group_code": str(key.supply_group_code),
        "key_revision_number": int(key.key_revision_number),
        "key_type": int(key.key_type),
        "tariff_index": int(key.tariff_index),
        "encryption_algorithm": token.encryption_algorithm.value,
        "key_expiry_number": int(key.key_expiry_number),
        "sample_tables": token.sample_tables,
        "description": token.description,
        "made_at": token.made_at,
    }


def mark_row(
    tenant: str, token: MadeToken, *, mark: str, reason: str, login: str, now: datetime
) -> Row:
    """Return the row that marks a token as ``withheld`` or ``void``."""
    return {
        "tenant": tenant,
        "basis_number": token.basis_number,
        "token_number": token.number,
        "mark": mark,
        "reason": reason,
        "login": login,
        "marked_at": now,
    }


def sale_row(sale: Sale) -> Row:
    """Return the row of a sale."""
    return {
        "tenant": sale.tenant,
        "sale_number": sale.number,
        "basis_number": sale.basis_number,
        "drn": str(sale.drn),
        "account_number": sale.account_number,
        "customer_number": sale.customer_number,
        "customer_name": sale.customer_name,
        "service": sale.service.name.lower(),
        "tariff_code": sale.tariff_code,
        "tariff_version": sale.tariff_version,
        "tariff_name": sale.tariff_name,
        "vendor_code": sale.vendor_code,
        "login": sale.login,
        "payment_method": sale.payment_method.value,
        "currency": sale.tendered.currency.code,
        "currency_exponent": sale.tendered.currency.exponent,
        "tendered_minor": sale.tendered.minor,
        "sold_tenths": sale.sold_tenths,
        "rounding": str(sale.rounding),
        "counters_before": sale.counters_before,
        "counters_after": sale.counters_after,
        "ledger_entry": sale.ledger_entry,
        "sold_at": sale.sold_at,
    }


def line_rows(sale: Sale, *, sale_number: int) -> tuple[Row, ...]:
    """Return the rows of the lines of a sale that gets this number."""
    return tuple(
        {
            "tenant": sale.tenant,
            "sale_number": sale_number,
            "line_number": number,
            "code": line.code,
            "kind": line.kind,
            "label": line.label,
            "units_tenths": None if line.units_tenths is None else str(line.units_tenths),
            "rate": None if line.rate is None else str(line.rate),
            "amount_minor": line.amount_minor,
            "beneficiary": line.beneficiary,
            "ledger_account": line.ledger_account,
        }
        for number, line in enumerate(sale.lines, start=1)
    )


def credit_note_row(tenant: str, note: CreditNote) -> Row:
    """Return the row of a credit note."""
    return {
        "tenant": tenant,
        "credit_note_number": note.number,
        "sale_number": note.sale_number,
        "case_number": note.case_number,
        "amount_minor": note.amount_minor,
        "login": note.login,
        "ledger_entry": note.ledger_entry,
        "made_at": note.made_at,
    }


def read_sale(
    row: Mapping[str, Any],
    lines: Iterable[Mapping[str, Any]],
    *,
    request_id: str,
    tokens: tuple[MadeToken, ...] = (),
    reprints: int = 0,
    reversed_by: int | None = None,
) -> Sale:
    """Return the sale of rows as they stand in the tables."""
    return Sale(
        tenant=row["tenant"],
        number=row["sale_number"],
        basis_number=row["basis_number"],
        request_id=request_id,
        drn=DecoderReferenceNumber(row["drn"]),
        account_number=row["account_number"],
        customer_number=row["customer_number"],
        customer_name=row["customer_name"],
        service=Service[row["service"].upper()],
        tariff_code=row["tariff_code"],
        tariff_version=row["tariff_version"],
        tariff_name=row["tariff_name"],
        vendor_code=row["vendor_code"],
        login=row["login"],
        payment_method=PaymentMethod(row["payment_method"]),
        tendered=Money(row["tendered_minor"], Currency(row["currency"], row["currency_exponent"])),
        lines=tuple(_line(line) for line in lines),
        sold_tenths=row["sold_tenths"],
        rounding=Fraction(row["rounding"]),
        tokens=tokens,
        counters_before=row["counters_before"],
        counters_after=row["counters_after"],
        ledger_entry=row["ledger_entry"],
        sold_at=row["sold_at"],
        reprints=reprints,
        reversed_by=reversed_by,
    )


def _line(row: Mapping[str, Any]) -> SaleLine:
    units, rate = row["units_tenths"], row["rate"]
    return SaleLine(
        code=row["code"],
        kind=row["kind"],
        label=row["label"],
        amount_minor=row["amount_minor"],
        beneficiary=row["beneficiary"],
        ledger_account=row["ledger_account"],
        units_tenths=None if units is None else Fraction(units),
        rate=None if rate is None else Fraction(rate),
    )
