"""The credit of a limited vending key in a row of its own, and a small index of open requests.

Revision ID: 0009
Revises: 0008
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

from vending_app.storage.migrations import building

revision: Final = "0009"
down_revision: Final = "0008"
_OPEN: Final = "ix_requests_open"


def upgrade() -> None:
    """Add the table, and make indexes smaller that every sale has to write to."""
    op.create_table(
        "key_credit",
        building.tenant(),
        building.text("supply_group_code", 6),
        building.number("key_revision_number"),
        building.text("credit_units", 60),
        building.key("key_credit", "tenant", "supply_group_code", "key_revision_number"),
        building.of("key_credit", "tenants"),
    )
    op.drop_index("ix_issue_journal_key", "issue_journal")
    op.drop_index(_OPEN, "requests")
    not_done = sa.text("state != 'done'")
    op.create_index(
        _OPEN,
        "requests",
        ["tenant", "state", "drn"],
        sqlite_where=not_done,
        postgresql_where=not_done,
    )
