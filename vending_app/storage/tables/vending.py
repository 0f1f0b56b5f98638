"""What was done: requests, the bases of tokens, the tokens, sales and their papers, cases."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from vending_app.storage.tables.base import (
    LABEL,
    SENTENCE,
    code,
    metadata,
    moment,
    of,
    of_tenant,
    one_of,
    tenant_column,
)
from vending_app.storage.tables.network import SERVICES

requests = Table(
    "requests",
    metadata,
    tenant_column(),
    Column("request_id", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("drn", String(13), nullable=True),
    Column("login", String(64), nullable=False),
    # What was decided before a module elsewhere was asked, as canonical JSON.
    Column("plan", Text, nullable=True),
    Column("error_code", String(64), nullable=True),
    Column("error_message", String(SENTENCE), nullable=True),
    moment("received_at"),
    moment("ended_at", nullable=True),
    PrimaryKeyConstraint("tenant", "request_id"),
    of_tenant(),
    of("operators", "login"),
    one_of("state", "pending", "unknown", "done", "failed"),
    CheckConstraint("(state IN ('pending', 'unknown')) = (ended_at IS NULL)", name="ended"),
    CheckConstraint("(state = 'failed') = (error_code IS NOT NULL)", name="error"),
)
NOT_DONE: Final = requests.c.state != literal_column("'done'")
"""Of all requests, only these few have an index. It is used where exactly this is asked for."""
Index(
    "ix_requests_open",
    requests.c.tenant,
    requests.c.state,
    requests.c.drn,
    sqlite_where=NOT_DONE,
    postgresql_where=NOT_DONE,
)

cases = Table(
    "cases",
    metadata,
    tenant_column(),
    Column("case_number", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("drn", String(13), nullable=False),
    Column("sale_number", BigInteger, nullable=True),
    # What kind of proof there is, what it says, and SHA-256 of a file that shows it.
    Column("evidence_kind", String(32), nullable=True),
    Column("evidence", Text, nullable=False),
    Column("evidence_hash", String(64), nullable=True),
    Column("reason", String(SENTENCE), nullable=False),
    # The limits of what it allows, and what came of it, as canonical JSON.
    Column("document", Text, nullable=False),
    Column("login", String(64), nullable=False),
    moment("opened_at"),
    Column("approved_login", String(64), nullable=True),
    moment("decided_at", nullable=True),
    moment("ended_at", nullable=True),
    PrimaryKeyConstraint("tenant", "case_number"),
    of("meters", "drn"),
    of("operators", "login"),
    one_of("kind", "reversal", "wrong_meter", "exchange", "free_issue", "job_card"),
    one_of("state", "open", "approved", "refused", "done"),
    CheckConstraint("approved_login IS NULL OR approved_login <> login", name="second_person"),
)

bases = Table(
    "bases",
    metadata,
    tenant_column(),
    Column("basis_number", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("maximum_tokens", Integer, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("drn", String(13), nullable=False),
    Column("case_number", BigInteger, nullable=True),
    Column("login", String(64), nullable=False),
    Column("reason", String(SENTENCE), nullable=False, server_default=""),
    moment("made_at"),
    PrimaryKeyConstraint("tenant", "basis_number"),
    UniqueConstraint("tenant", "request_id", "kind"),
    of("requests", "request_id"),
    of("meters", "drn"),
    of("cases", "case_number"),
    of("operators", "login"),
    one_of(
        "kind",
        "sale",
        "entitlement",
        "free_issue",
        "exchange",
        "job_card",
        "key_change",
        "withheld",
    ),
    CheckConstraint("maximum_tokens >= 0", name="maximum_tokens"),
    # Who may give a token away without money must have a case for it.
    CheckConstraint(
        "kind NOT IN ('free_issue', 'exchange', 'job_card') OR case_number IS NOT NULL",
        name="case",
    ),
)

tokens = Table(
    "tokens",
    metadata,
    tenant_column(),
    Column("basis_number", BigInteger, nullable=False),
    Column("token_number", Integer, nullable=False),
    Column("drn", String(13), nullable=False),
    # The name of the token's class in `sts.tokens`, and its class and subclass.
    Column("kind", String(48), nullable=False),
    Column("token_class", Integer, nullable=False),
    Column("subclass", Integer, nullable=False),
    Column("base_date", String(4), nullable=False),
    # NULL in the tokens of a key change, which have none.
    Column("tid", Integer, nullable=True),
    Column("digits", String(20), nullable=False),
    # Credit in tenths of the unit (a token of currency credit: in 0.00001 of the currency).
    Column("amount_tenths", BigInteger, nullable=True),
    Column("currency_units", String(40), nullable=True),
    Column("supply_group_code", String(6), nullable=False),
    Column("key_revision_number", Integer, nullable=False),
    Column("key_type", Integer, nullable=False),
    Column("tariff_index", Integer, nullable=False),
    Column("encryption_algorithm", String(2), nullable=False),
    Column("key_expiry_number", Integer, nullable=False),
    Column("sample_tables", Boolean, nullable=False),
    Column("description", String(LABEL), nullable=False),
    moment("made_at"),
    PrimaryKeyConstraint("tenant", "basis_number", "token_number"),
    UniqueConstraint("tenant", "drn", "base_date", "tid"),
    of("bases", "basis_number"),
    of("meters", "drn"),
    CheckConstraint("token_number > 0", name="number"),
    CheckConstraint("tid BETWEEN 1 AND 16777215", name="tid"),
    CheckConstraint("length(digits) = 20", name="digits"),
    CheckConstraint("amount_tenths > 0", name="amount"),
)
Index("ix_tokens_digits", tokens.c.tenant, tokens.c.drn, tokens.c.digits)

token_marks = Table(
    "token_marks",
    metadata,
    tenant_column(),
    Column("basis_number", BigInteger, nullable=False),
    Column("token_number", Integer, nullable=False),
    # Withheld: made, refused by the twin, never shown. Void: shown once, never to be shown again.
    Column("mark", String(16), nullable=False),
    Column("reason", String(SENTENCE), nullable=False),
    Column("login", String(64), nullable=False),
    moment("marked_at"),
    PrimaryKeyConstraint("tenant", "basis_number", "token_number", "mark"),
    of("tokens", "basis_number", "token_number"),
    of("operators", "login"),
    one_of("mark", "withheld", "void"),
)

reprints = Table(
    "reprints",
    metadata,
    tenant_column(),
    Column("basis_number", BigInteger, nullable=False),
    Column("reprint_number", Integer, nullable=False),
    Column("login", String(64), nullable=False),
    moment("reprinted_at"),
    PrimaryKeyConstraint("tenant", "basis_number", "reprint_number"),
    of("bases", "basis_number"),
    of("operators", "login"),
    CheckConstraint("reprint_number > 0", name="number"),
)

sales = Table(
    "sales",
    metadata,
    tenant_column(),
    Column("sale_number", BigInteger, nullable=False),
    Column("basis_number", BigInteger, nullable=False),
    Column("drn", String(13), nullable=False),
    code("account_number"),
    code("customer_number"),
    Column("customer_name", String(LABEL), nullable=False),
    Column("service", String(16), nullable=False),
    code("tariff_code"),
    Column("tariff_version", Integer, nullable=False),
    Column("tariff_name", String(LABEL), nullable=False),
    code("vendor_code", nullable=True),
    Column("login", String(64), nullable=False),
    Column("payment_method", String(16), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("currency_exponent", Integer, nullable=False),
    Column("tendered_minor", BigInteger, nullable=False),
    # What the tokens carry, and what of it was rounding in the customer's favour, exactly.
    Column("sold_tenths", BigInteger, nullable=False),
    Column("rounding", Text, nullable=False),
    # What the tariff remembered before and after, so that a reversal can restore it.
    Column("counters_before", Text, nullable=True),
    Column("counters_after", Text, nullable=True),
    Column("ledger_entry", BigInteger, nullable=False),
    moment("sold_at"),
    PrimaryKeyConstraint("tenant", "sale_number"),
    UniqueConstraint("tenant", "basis_number"),
    UniqueConstraint("tenant", "ledger_entry"),
    of("bases", "basis_number"),
    of("meters", "drn"),
    of("accounts", "account_number"),
    of("vendors", "vendor_code"),
    of("operators", "login"),
    of("tariff_versions", "tariff_code", "tariff_version"),
    one_of("service", *SERVICES),
    one_of("payment_method", "cash", "card", "mobile", "bank"),
    CheckConstraint("sale_number > 0", name="number"),
    CheckConstraint("tendered_minor > 0", name="tendered"),
    CheckConstraint("sold_tenths >= 0", name="sold"),
)
Index("ix_sales_meter", sales.c.tenant, sales.c.drn, sales.c.sale_number)
Index("ix_sales_account", sales.c.tenant, sales.c.account_number, sales.c.sale_number)

sale_lines = Table(
    "sale_lines",
    metadata,
    tenant_column(),
    Column("sale_number", BigInteger, nullable=False),
    Column("line_number", Integer, nullable=False),
    # As long as the codes of charges may be.
    Column("code", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("label", String(LABEL), nullable=False),
    # Exact fractions, which may be long.
    Column("units_tenths", Text, nullable=True),
    Column("rate", Text, nullable=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("beneficiary", String(LABEL), nullable=False),
    Column("ledger_account", String(64), nullable=False),
    PrimaryKeyConstraint("tenant", "sale_number", "line_number"),
    of("sales", "sale_number"),
    CheckConstraint("line_number > 0", name="number"),
)

credit_notes = Table(
    "credit_notes",
    metadata,
    tenant_column(),
    Column("credit_note_number", BigInteger, nullable=False),
    Column("sale_number", BigInteger, nullable=False),
    Column("case_number", BigInteger, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("login", String(64), nullable=False),
    Column("ledger_entry", BigInteger, nullable=False),
    moment("made_at"),
    PrimaryKeyConstraint("tenant", "credit_note_number"),
    UniqueConstraint("tenant", "sale_number"),
    UniqueConstraint("tenant", "ledger_entry"),
    of("sales", "sale_number"),
    of("cases", "case_number"),
    of("operators", "login"),
    CheckConstraint("credit_note_number > 0", name="number"),
    CheckConstraint("amount_minor > 0", name="amount"),
)
