"""How far ahead of its books a utility believes its clock.

Revision ID: 0008
Revises: 0007
"""

from typing import Final

from alembic import op

from vending_app.storage.migrations import building

revision: Final = "0008"
down_revision: Final = "0007"


def upgrade() -> None:
    """Add the table; whoever has no row has what is usual."""
    op.create_table(
        "clock_terms",
        building.tenant(),
        building.number("days_ahead"),
        building.moment("accepted_until", nullable=True),
        building.key("clock_terms", "tenant"),
        building.of("clock_terms", "tenants"),
        building.check("clock_terms", "days_ahead", "days_ahead BETWEEN 1 AND 36500"),
    )
