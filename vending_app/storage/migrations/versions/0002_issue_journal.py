"""The issue journal: what the security module made under which message id, encrypted.

Revision ID: 0002
Revises: 0001
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

_TABLE: Final = "issue_journal"


def upgrade() -> None:
    """Create the table, then the triggers that keep it as it was written."""
    op.create_table(
        _TABLE,
        sa.Column("tenant", sa.String(32), nullable=False),
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("meter_pan", sa.String(18), nullable=False),
        sa.Column("supply_group_code", sa.String(6), nullable=False),
        sa.Column("key_revision_number", sa.Integer, nullable=False),
        sa.Column("base_date", sa.String(4), nullable=False),
        sa.Column("tid", sa.Integer, nullable=True),
        sa.Column("credit_units", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "message_id", name="pk_issue_journal"),
        sa.UniqueConstraint(
            "tenant",
            "meter_pan",
            "base_date",
            "tid",
            name="uq_issue_journal_tenant_meter_pan_base_date_tid",
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_issue_journal_tenants"),
        sa.CheckConstraint("tid BETWEEN 1 AND 16777215", name="ck_issue_journal_tid"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {_TABLE}_no_{action.lower()} BEFORE {action} ON {_TABLE} "
                f"BEGIN SELECT RAISE(ABORT, '{_TABLE} is append-only'); END"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {_TABLE}_append_only "
            f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {_TABLE} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
