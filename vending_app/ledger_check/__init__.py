"""An independent checker of the books: it proves them from the tables alone.

It shares no code with what writes the tables: its SQL, its canonical JSON, its hashes and its list
of columns are written anew from `docs/ledger.md`. A mistake of the one is so found by the other.
"""

from vending_app.ledger_check.checkpoints import (
    Checkpoint,
    KeyAuditLog,
    RememberedHead,
    read_checkpoint,
    witnessed,
)
from vending_app.ledger_check.findings import Finding
from vending_app.ledger_check.verify import Evidence, Report, verify

__all__ = [
    "Checkpoint",
    "Evidence",
    "Finding",
    "KeyAuditLog",
    "RememberedHead",
    "Report",
    "read_checkpoint",
    "verify",
    "witnessed",
]
