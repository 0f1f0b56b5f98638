"""An index by vending key over the issue journal, for keys whose use is limited.

Revision ID: 0007
Revises: 0006
"""

from typing import Final

from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_issue_journal_key",
        "issue_journal",
        ["tenant", "supply_group_code", "key_revision_number", "credit_units"],
    )
