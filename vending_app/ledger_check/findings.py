"""What the checker has found: which row, and what is wrong about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        tenant: Whose row.
        table: The table.
        key: The key of the row, the tenant apart: ``12/1``.
        what: What is wrong, as the rest of a sentence about the row.
    """

    tenant: str
    table: str
    key: str
    what: str

    def __str__(self) -> str:
        """Return the line that is printed."""
        return f"{self.tenant}: {self.table} {self.key}: {self.what}"
