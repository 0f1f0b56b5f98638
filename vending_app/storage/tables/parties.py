"""Who: tenants, those who work for them, those who sell for them, and those who buy."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
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

tenants = Table(
    "tenants",
    metadata,
    tenant_column(),
    Column("name", String(LABEL), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("currency_exponent", Integer, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("address", String(SENTENCE), nullable=False, server_default=""),
    Column("tax_reference", String(64), nullable=False, server_default=""),
    # Coins below this are not given out; 1 means that cash is taken to the last minor unit.
    Column("cash_step_minor", Integer, nullable=False, server_default="1"),
    # Up to how much a sale may be taken back on a supervisor's word alone.
    Column("word_limit_minor", BigInteger, nullable=False, server_default="0"),
    moment("created_at"),
    PrimaryKeyConstraint("tenant"),
    CheckConstraint("currency_exponent BETWEEN 0 AND 4", name="exponent"),
    CheckConstraint("cash_step_minor > 0", name="cash_step"),
    CheckConstraint("word_limit_minor >= 0", name="word_limit"),
)

counters = Table(
    "counters",
    metadata,
    tenant_column(),
    code("name"),
    Column("last_number", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "name"),
    of_tenant(),
    CheckConstraint("last_number >= 0", name="counts_up"),
)

vendors = Table(
    "vendors",
    metadata,
    tenant_column(),
    code("vendor_code"),
    Column("name", String(LABEL), nullable=False),
    # How far the vendor may sell beyond what was paid in.
    Column("limit_minor", BigInteger, nullable=False),
    # What is left of the float, as the ledger's account of this vendor says too.
    Column("float_minor", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    moment("created_at"),
    PrimaryKeyConstraint("tenant", "vendor_code"),
    of_tenant(),
    CheckConstraint("limit_minor >= 0", name="limit"),
    CheckConstraint("float_minor + limit_minor >= 0", name="float"),
)

operators = Table(
    "operators",
    metadata,
    tenant_column(),
    Column("login", String(64), nullable=False),
    Column("display_name", String(LABEL), nullable=False),
    code("role"),
    Column("password_hash", String(255), nullable=False),
    Column("active", Boolean, nullable=False),
    code("vendor_code", nullable=True),
    moment("created_at"),
    PrimaryKeyConstraint("tenant", "login"),
    of_tenant(),
    of("vendors", "vendor_code"),
)

customers = Table(
    "customers",
    metadata,
    tenant_column(),
    code("customer_number"),
    Column("name", String(LABEL), nullable=False),
    Column("phone", String(32), nullable=False, server_default=""),
    Column("language", String(8), nullable=False, server_default="en"),
    PrimaryKeyConstraint("tenant", "customer_number"),
    of_tenant(),
)

accounts = Table(
    "accounts",
    metadata,
    tenant_column(),
    code("account_number"),
    code("customer_number"),
    code("tariff_code"),
    Column("state", String(16), nullable=False),
    Column("block_reason", String(SENTENCE), nullable=False, server_default=""),
    # Money left over from earlier sales, as the ledger's account of this customer says too.
    Column("credit_minor", BigInteger, nullable=False, server_default="0"),
    # What the tariff remembers of this account, as canonical JSON; NULL before the first sale.
    Column("counters", Text, nullable=True),
    moment("opened_at"),
    PrimaryKeyConstraint("tenant", "account_number"),
    of_tenant(),
    of("customers", "customer_number"),
    of("tariffs", "tariff_code"),
    one_of("state", "open", "blocked", "closed"),
    CheckConstraint("credit_minor >= 0", name="credit"),
)
