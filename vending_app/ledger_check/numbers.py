"""Numbers without a gap: entries are looked at elsewhere, everything else that is counted here."""

from collections.abc import Iterator
from typing import Final

from vending_app.ledger_check.database import Tenant
from vending_app.ledger_check.findings import Finding

_COUNTED: Final = (
    ("sales", "sale_number", "sale"),
    ("credit_notes", "credit_note_number", "credit_note"),
    ("bases", "basis_number", "basis"),
    ("cases", "case_number", "case"),
    ("audit_events", "event_number", "audit"),
)
_NUMBERED: Final = (
    ("sale_lines", "sale_number", "line_number"),
    ("tokens", "basis_number", "token_number"),
    ("reprints", "basis_number", "reprint_number"),
)


def check_numbers(tenant: Tenant) -> Iterator[Finding]:
    """Yield each gap, and each counter that does not say how far was counted."""
    for table, column, counter in _COUNTED:
        yield from _gaps(tenant, table, column)
        (row,) = tenant.rows(
            f"SELECT COALESCE(MAX({column}), 0) AS last FROM {table} WHERE tenant = :tenant"  # noqa: S608 - names of our own
        )
        counters = tenant.rows(
            "SELECT last_number FROM counters WHERE tenant = :tenant AND name = :name",
            name=counter,
        )
        said = counters[0]["last_number"] if counters else 0
        if said != row["last"]:
            yield tenant.finding(
                "counters", counter, f"it says {said}, but the last in {table} is {row['last']}"
            )
    for table, parent, column in _NUMBERED:
        yield from tenant.found(
            table,
            f"SELECT {parent}, MAX({column}) FROM {table} WHERE tenant = :tenant "  # noqa: S608 - names of our own
            f"GROUP BY {parent} HAVING MAX({column}) <> COUNT(*) OR MIN({column}) <> 1",
            "its numbers have a gap before it",
        )


def _gaps(tenant: Tenant, table: str, column: str) -> Iterator[Finding]:
    """Yield a finding for each number behind which some are missing."""
    yield from tenant.found(
        table,
        f"SELECT {column} FROM {table} AS counted WHERE tenant = :tenant AND {column} <> 1 "  # noqa: S608 - names of our own
        f"AND NOT EXISTS (SELECT 1 FROM {table} AS earlier "
        f"WHERE earlier.tenant = counted.tenant AND earlier.{column} = counted.{column} - 1)",
        "the number before it is missing",
    )
