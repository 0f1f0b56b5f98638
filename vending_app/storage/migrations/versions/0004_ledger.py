"""The books: accounts, entries and lines that balance, heads, checkpoints, closed months.

The lines of an entry come first. The entry closes them: it is refused if they do not balance, and
after it no line is taken. A line whose entry never comes is refused when the transaction ends.

Revision ID: 0004
Revises: 0003
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

from vending_app.storage.migrations.building import (
    check,
    document,
    key,
    large,
    moment,
    number,
    of,
    refuse_changes,
    tenant,
    text,
    unique,
)

revision: Final = "0004"
down_revision: Final = "0003"

_APPEND_ONLY: Final = ("ledger_checkpoints", "ledger_entries", "ledger_lines", "ledger_periods")

SQLITE_TRIGGERS: Final = (
    """
    CREATE TRIGGER ledger_entries_balance BEFORE INSERT ON ledger_entries BEGIN
        SELECT RAISE(ABORT, 'an entry of the ledger has at least two lines')
        WHERE 2 > (
            SELECT COUNT(*) FROM ledger_lines
            WHERE tenant = NEW.tenant AND entry_number = NEW.entry_number
        );
        SELECT RAISE(ABORT, 'the lines of the ledger entry do not balance')
        WHERE EXISTS (
            SELECT 1 FROM ledger_lines WHERE tenant = NEW.tenant AND entry_number = NEW.entry_number
            GROUP BY currency HAVING SUM(amount_minor) <> 0
        );
    END
    """,
    """
    CREATE TRIGGER ledger_lines_closed BEFORE INSERT ON ledger_lines
    WHEN EXISTS (
        SELECT 1 FROM ledger_entries
        WHERE tenant = NEW.tenant AND entry_number = NEW.entry_number
    )
    BEGIN SELECT RAISE(ABORT, 'the ledger entry is closed, no line is added'); END
    """,
    # INSERT OR REPLACE would remove a row without a word: triggers of DELETE do not see it.
    """
    CREATE TRIGGER ledger_entries_no_replace BEFORE INSERT ON ledger_entries
    WHEN EXISTS (
        SELECT 1 FROM ledger_entries
        WHERE tenant = NEW.tenant AND (
            entry_number = NEW.entry_number OR (kind = NEW.kind AND reference = NEW.reference)
        )
    )
    BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only: it has this entry'); END
    """,
    """
    CREATE TRIGGER ledger_checkpoints_no_replace BEFORE INSERT ON ledger_checkpoints
    WHEN EXISTS (
        SELECT 1 FROM ledger_checkpoints
        WHERE tenant = NEW.tenant AND chain = NEW.chain AND length = NEW.length
    )
    BEGIN SELECT RAISE(ABORT, 'ledger_checkpoints is append-only: it has this one'); END
    """,
    """
    CREATE TRIGGER ledger_periods_no_replace BEFORE INSERT ON ledger_periods
    WHEN EXISTS (
        SELECT 1 FROM ledger_periods WHERE tenant = NEW.tenant AND period = NEW.period
    )
    BEGIN SELECT RAISE(ABORT, 'ledger_periods is append-only: it has this month'); END
    """,
)

POSTGRESQL_TRIGGERS: Final = (
    """
    CREATE FUNCTION ledger_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        lines bigint;
        unbalanced boolean;
    BEGIN
        SELECT SUM(sums.lines), BOOL_OR(sums.total <> 0) INTO lines, unbalanced FROM (
            SELECT COUNT(*) AS lines, SUM(amount_minor) AS total FROM ledger_lines
            WHERE tenant = NEW.tenant AND entry_number = NEW.entry_number
            GROUP BY currency
        ) AS sums;
        IF lines IS NULL OR lines < 2 THEN
            RAISE EXCEPTION 'an entry of the ledger has at least two lines';
        END IF;
        IF unbalanced THEN
            RAISE EXCEPTION 'the lines of the ledger entry do not balance';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER ledger_entries_balance BEFORE INSERT ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_balances()
    """,
    # The lock on the head lets nobody add a line while the entry is being closed elsewhere.
    """
    CREATE FUNCTION ledger_lines_are_open() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM 1 FROM ledger_heads WHERE tenant IN (SELECT tenant FROM added) FOR UPDATE;
        IF EXISTS (
            SELECT 1 FROM added JOIN ledger_entries USING (tenant, entry_number)
        ) OR EXISTS (
            SELECT 1 FROM added LEFT JOIN ledger_heads USING (tenant)
            WHERE ledger_heads.length IS NULL
        ) THEN
            RAISE EXCEPTION 'the ledger entry is closed, no line is added';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER ledger_lines_closed AFTER INSERT ON ledger_lines
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_lines_are_open()
    """,
)


def upgrade() -> None:
    """Create the tables, then the triggers."""
    _create_tables()
    refuse_changes(_APPEND_ONLY)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if is_sqlite else POSTGRESQL_TRIGGERS:
        op.execute(sa.text(statement))


def _create_tables() -> None:
    op.create_table(
        "ledger_accounts",
        tenant(),
        text("account", 64),
        text("kind", 16),
        text("name", 120),
        key("ledger_accounts", "tenant", "account"),
        of("ledger_accounts", "tenants"),
        check("ledger_accounts", "kind", "kind IN ('asset', 'liability', 'income', 'expense')"),
    )
    op.create_table(
        "ledger_entries",
        tenant(),
        large("entry_number"),
        text("kind", 32),
        text("reference", 64),
        text("period", 7),
        text("login", 64),
        document("record"),
        text("previous_hash", 64),
        text("hash", 64),
        moment("posted_at"),
        key("ledger_entries", "tenant", "entry_number"),
        unique("ledger_entries", "tenant", "kind", "reference"),
        of("ledger_entries", "tenants"),
        check("ledger_entries", "number", "entry_number > 0"),
    )
    op.create_table(
        "ledger_lines",
        tenant(),
        large("entry_number"),
        number("line_number"),
        text("account", 64),
        large("amount_minor"),
        text("currency", 3),
        key("ledger_lines", "tenant", "entry_number", "line_number"),
        sa.ForeignKeyConstraint(
            ["tenant", "entry_number"],
            ["ledger_entries.tenant", "ledger_entries.entry_number"],
            name="fk_ledger_lines_ledger_entries",
            deferrable=True,
            initially="DEFERRED",
        ),
        of("ledger_lines", "ledger_accounts", "account"),
        check("ledger_lines", "amount", "amount_minor <> 0"),
        check("ledger_lines", "number", "line_number > 0"),
    )
    op.create_index("ix_ledger_lines_account", "ledger_lines", ["tenant", "account"])
    op.create_table(
        "ledger_heads",
        tenant(),
        large("length"),
        text("hash", 64),
        moment("posted_at", nullable=True),
        text("closed_through", 7, default=""),
        key("ledger_heads", "tenant"),
        of("ledger_heads", "tenants"),
        check("ledger_heads", "length", "length >= 0"),
    )
    op.create_table(
        "ledger_checkpoints",
        tenant(),
        text("chain", 200),
        large("length"),
        document("document"),
        moment("sealed_at"),
        key("ledger_checkpoints", "tenant", "chain", "length"),
        of("ledger_checkpoints", "tenants"),
    )
    op.create_table(
        "ledger_periods",
        tenant(),
        text("period", 7),
        large("length"),
        text("login", 64),
        moment("closed_at"),
        key("ledger_periods", "tenant", "period"),
        of("ledger_periods", "operators", "login"),
        of("ledger_periods", "tenants"),
    )
