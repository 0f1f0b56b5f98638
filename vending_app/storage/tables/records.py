"""What proves it: the security module's journal, the audit log, reconciliations."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vending_app.storage.tables.base import SENTENCE, metadata, moment, of_tenant, tenant_column

issue_journal = Table(
    "issue_journal",
    metadata,
    tenant_column(),
    Column("message_id", String(200), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("meter_pan", String(18), nullable=False),
    Column("supply_group_code", String(6), nullable=False),
    Column("key_revision_number", Integer, nullable=False),
    Column("base_date", String(4), nullable=False),
    Column("tid", Integer, nullable=True),
    # Credit in currency may be beyond 64 bits.
    Column("credit_units", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    moment("made_at"),
    PrimaryKeyConstraint("tenant", "message_id"),
    UniqueConstraint("tenant", "meter_pan", "base_date", "tid"),
    of_tenant(),
    CheckConstraint("tid BETWEEN 1 AND 16777215", name="tid"),
)

# What the journal's credit adds up to under a vending key whose credit is limited. It is read and
# written with each such token; to add up the journal would take longer with each.
key_credit = Table(
    "key_credit",
    metadata,
    tenant_column(),
    Column("supply_group_code", String(6), nullable=False),
    Column("key_revision_number", Integer, nullable=False),
    Column("credit_units", String(60), nullable=False),
    PrimaryKeyConstraint("tenant", "supply_group_code", "key_revision_number"),
    of_tenant(),
)

audit_events = Table(
    "audit_events",
    metadata,
    tenant_column(),
    Column("event_number", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    # Not a reference: whoever failed to log in may be nobody.
    Column("login", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("message", String(SENTENCE), nullable=False),
    Column("document", Text, nullable=False),
    moment("happened_at"),
    PrimaryKeyConstraint("tenant", "event_number"),
    of_tenant(),
    CheckConstraint("event_number > 0", name="number"),
)

reconciliations = Table(
    "reconciliations",
    metadata,
    tenant_column(),
    Column("day", String(10), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("agrees", Boolean, nullable=False),
    # Tokens and credit by key, as the module counts and as the books say, as canonical JSON.
    Column("document", Text, nullable=False),
    moment("made_at"),
    PrimaryKeyConstraint("tenant", "day", "attempt"),
    of_tenant(),
)
