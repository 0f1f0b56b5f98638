"""Statements about credit notes. Rows are only ever added."""

from dataclasses import replace

from sqlalchemy import Connection, insert, select

from vending_app.domain.sale_rows import credit_note_row
from vending_app.domain.sales import CreditNote
from vending_app.storage.tables import credit_notes


def add(tenant: str, connection: Connection, *, note: CreditNote, ledger_entry: int) -> CreditNote:
    """Add a credit note; its entry in the books is there."""
    booked = replace(note, ledger_entry=ledger_entry)
    connection.execute(insert(credit_notes), dict(credit_note_row(tenant, booked)))
    return booked


def find_of_sale(tenant: str, connection: Connection, *, sale_number: int) -> CreditNote | None:
    """Return the credit note that took a sale back, or None."""
    row = connection.execute(
        select(credit_notes).where(
            credit_notes.c.tenant == tenant, credit_notes.c.sale_number == sale_number
        )
    ).one_or_none()
    if row is None:
        return None
    return CreditNote(
        number=row.credit_note_number,
        sale_number=row.sale_number,
        case_number=row.case_number,
        amount_minor=row.amount_minor,
        login=row.login,
        ledger_entry=row.ledger_entry,
        made_at=row.made_at,
    )
