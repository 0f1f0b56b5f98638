"""The tables, defined once, with the tenant in the key of every one.

What must never be broken stands here and in the migrations, not in hope: amounts above nothing, one
answer a request id, one token an identifier of a meter, no entry of the books out of balance.
What happened is only ever added; triggers of the migrations refuse UPDATE and DELETE on it.
"""

from typing import Final

from vending_app.storage.tables.base import UtcDateTime, metadata
from vending_app.storage.tables.ledger import (
    clock_terms,
    ledger_accounts,
    ledger_checkpoints,
    ledger_entries,
    ledger_heads,
    ledger_lines,
    ledger_periods,
)
from vending_app.storage.tables.network import (
    areas,
    feeders,
    meter_history,
    meters,
    service_points,
    supply_groups,
)
from vending_app.storage.tables.parties import (
    accounts,
    counters,
    customers,
    operators,
    tenants,
    vendors,
)
from vending_app.storage.tables.pricing import dated_tables, tariff_versions, tariffs
from vending_app.storage.tables.records import (
    audit_events,
    issue_journal,
    key_credit,
    reconciliations,
)
from vending_app.storage.tables.vending import (
    NOT_DONE,
    bases,
    cases,
    credit_notes,
    reprints,
    requests,
    sale_lines,
    sales,
    token_marks,
    tokens,
)

APPEND_ONLY: Final = (
    "audit_events",
    "bases",
    "credit_notes",
    "dated_tables",
    "issue_journal",
    "ledger_checkpoints",
    "ledger_entries",
    "ledger_lines",
    "ledger_periods",
    "meter_history",
    "reconciliations",
    "reprints",
    "sale_lines",
    "sales",
    "tariff_versions",
    "token_marks",
    "tokens",
)
"""Tables whose rows are never changed or removed."""

__all__ = [
    "APPEND_ONLY",
    "NOT_DONE",
    "UtcDateTime",
    "accounts",
    "areas",
    "audit_events",
    "bases",
    "cases",
    "clock_terms",
    "counters",
    "credit_notes",
    "customers",
    "dated_tables",
    "feeders",
    "issue_journal",
    "key_credit",
    "ledger_accounts",
    "ledger_checkpoints",
    "ledger_entries",
    "ledger_heads",
    "ledger_lines",
    "ledger_periods",
    "metadata",
    "meter_history",
    "meters",
    "operators",
    "reconciliations",
    "reprints",
    "requests",
    "sale_lines",
    "sales",
    "service_points",
    "supply_groups",
    "tariff_versions",
    "tariffs",
    "tenants",
    "token_marks",
    "tokens",
    "vendors",
]
