"""What it costs: tariffs, their versions, and the dated tables that versions look rates up in."""

from sqlalchemy import (
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
    code,
    metadata,
    moment,
    of,
    of_tenant,
    one_of,
    tenant_column,
)
from vending_app.storage.tables.network import SERVICES

tariffs = Table(
    "tariffs",
    metadata,
    tenant_column(),
    code("tariff_code"),
    Column("name", String(LABEL), nullable=False),
    Column("service", String(16), nullable=False),
    # For supply groups whose tariff index follows the tariff; NULL: it has none.
    Column("tariff_index", Integer, nullable=True),
    PrimaryKeyConstraint("tenant", "tariff_code"),
    of_tenant(),
    one_of("service", *SERVICES),
    CheckConstraint("tariff_index BETWEEN 0 AND 99", name="tariff_index"),
)

tariff_versions = Table(
    "tariff_versions",
    metadata,
    tenant_column(),
    code("tariff_code"),
    Column("tariff_version", Integer, nullable=False),
    # The local days of the utility that it applies on; the last one may be open.
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=True),
    # The version as `vending_app.domain.tariff` writes it, and SHA-256 of that text.
    Column("document", Text, nullable=False),
    Column("document_hash", String(64), nullable=False),
    Column("login", String(64), nullable=False),
    Column("approved_login", String(64), nullable=False),
    moment("added_at"),
    PrimaryKeyConstraint("tenant", "tariff_code", "tariff_version"),
    of("tariffs", "tariff_code"),
    of("operators", "login"),
    CheckConstraint("tariff_version > 0", name="version"),
)

dated_tables = Table(
    "dated_tables",
    metadata,
    tenant_column(),
    Column("table_code", String(40), nullable=False),
    # The highest revision counts; the earlier ones tell what it was.
    Column("revision", Integer, nullable=False),
    # The table as `vending_app.domain.tariff` writes it, and SHA-256 of that text.
    Column("document", Text, nullable=False),
    Column("document_hash", String(64), nullable=False),
    Column("login", String(64), nullable=False),
    Column("approved_login", String(64), nullable=False),
    moment("added_at"),
    PrimaryKeyConstraint("tenant", "table_code", "revision"),
    of_tenant(),
    of("operators", "login"),
    CheckConstraint("revision > 0", name="revision"),
)
