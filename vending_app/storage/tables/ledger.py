"""The books: accounts, entries and their lines, the head of the chain, checkpoints, periods.

The lines of an entry are written first, then the entry that closes them. Triggers of the migrations
refuse an entry whose lines do not balance, and a line for an entry that exists; the reference from
line to entry is checked when the transaction ends, so that no line stays without one.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vending_app.storage.tables.base import (
    LABEL,
    metadata,
    moment,
    of,
    of_tenant,
    one_of,
    tenant_column,
)

ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    tenant_column(),
    Column("account", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(LABEL), nullable=False),
    PrimaryKeyConstraint("tenant", "account"),
    of_tenant(),
    one_of("kind", "asset", "liability", "income", "expense"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    tenant_column(),
    Column("entry_number", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    # What it is about: `sale 12`, `credit note 3`.
    Column("reference", String(64), nullable=False),
    # The month of the local calendar that it is booked in.
    Column("period", String(7), nullable=False),
    Column("login", String(64), nullable=False),
    # The record as it was hashed, canonical JSON, with its lines.
    Column("record", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    moment("posted_at"),
    PrimaryKeyConstraint("tenant", "entry_number"),
    UniqueConstraint("tenant", "kind", "reference"),
    of_tenant(),
    CheckConstraint("entry_number > 0", name="number"),
)

ledger_lines = Table(
    "ledger_lines",
    metadata,
    tenant_column(),
    Column("entry_number", BigInteger, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("account", String(64), nullable=False),
    # Debit above nothing, credit below.
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    PrimaryKeyConstraint("tenant", "entry_number", "line_number"),
    ForeignKeyConstraint(
        ["tenant", "entry_number"],
        ["ledger_entries.tenant", "ledger_entries.entry_number"],
        deferrable=True,
        initially="DEFERRED",
    ),
    of("ledger_accounts", "account"),
    CheckConstraint("line_number > 0", name="number"),
    CheckConstraint("amount_minor <> 0", name="amount"),
)
Index("ix_ledger_lines_account", ledger_lines.c.tenant, ledger_lines.c.account)

ledger_heads = Table(
    "ledger_heads",
    metadata,
    tenant_column(),
    Column("length", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    moment("posted_at", nullable=True),
    # The last month that is closed; empty before the first.
    Column("closed_through", String(7), nullable=False, server_default=""),
    PrimaryKeyConstraint("tenant"),
    of_tenant(),
    CheckConstraint("length >= 0", name="length"),
)

clock_terms = Table(
    "clock_terms",
    metadata,
    tenant_column(),
    # How far ahead of the last entry the clock is believed; a tenant without a row has the default.
    Column("days_ahead", Integer, nullable=False),
    moment("accepted_until", nullable=True),
    PrimaryKeyConstraint("tenant"),
    of_tenant(),
    CheckConstraint("days_ahead BETWEEN 1 AND 36500", name="days_ahead"),
)

ledger_checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    tenant_column(),
    Column("chain", String(200), nullable=False),
    Column("length", BigInteger, nullable=False),
    # The sealed checkpoint as `keys.chain_seal` writes it.
    Column("document", Text, nullable=False),
    moment("sealed_at"),
    PrimaryKeyConstraint("tenant", "chain", "length"),
    of_tenant(),
)

ledger_periods = Table(
    "ledger_periods",
    metadata,
    tenant_column(),
    Column("period", String(7), nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("login", String(64), nullable=False),
    moment("closed_at"),
    PrimaryKeyConstraint("tenant", "period"),
    of_tenant(),
    of("operators", "login"),
)
