"""The tables, defined once, with the tenant in the key of every one.

What must never be broken stands here and in the migrations, not in hope: amounts above nothing, one
sale a request id, one token an identifier of a meter. Sales, their lines, tokens and reprints, and
what the security module issued, are only ever added; triggers of the migrations refuse UPDATE and
DELETE on them.
"""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from sts.errors import NaiveDatetimeError

APPEND_ONLY: Final = ("sales", "sale_lines", "tokens", "reprints", "issue_journal")
"""Tables whose rows are never changed or removed."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; refuse a time without a zone."""
        del dialect
        if value is None:
            return None
        if value.utcoffset() is None:
            raise NaiveDatetimeError
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC; SQLite keeps no zone, so there the digits are known to be UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _tenant() -> Column[str]:
    return Column("tenant", String(32), nullable=False)


def _of_tenant() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant"], ["tenants.tenant"])


def _of(table: str, *columns: str) -> ForeignKeyConstraint:
    """Refer to a row of the same tenant."""
    return ForeignKeyConstraint(
        ["tenant", *columns], [f"{table}.tenant", *(f"{table}.{name}" for name in columns)]
    )


tenants = Table(
    "tenants",
    metadata,
    Column("tenant", String(32), nullable=False),
    Column("name", String(120), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("currency_exponent", Integer, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant"),
    CheckConstraint("currency_exponent BETWEEN 0 AND 4", name="exponent"),
)

counters = Table(
    "counters",
    metadata,
    _tenant(),
    Column("name", String(32), nullable=False),
    Column("last_number", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "name"),
    _of_tenant(),
    CheckConstraint("last_number >= 0", name="counts_up"),
)

operators = Table(
    "operators",
    metadata,
    _tenant(),
    Column("login", String(64), nullable=False),
    Column("display_name", String(120), nullable=False),
    Column("role", String(32), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant", "login"),
    _of_tenant(),
)

supply_groups = Table(
    "supply_groups",
    metadata,
    _tenant(),
    Column("supply_group_code", String(6), nullable=False),
    Column("utc_offset_minutes", Integer, nullable=False),
    Column("lead_cap_minutes", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", "supply_group_code"),
    _of_tenant(),
    CheckConstraint("utc_offset_minutes BETWEEN -840 AND 840", name="utc_offset"),
    CheckConstraint("lead_cap_minutes BETWEEN 0 AND 1440", name="lead_cap"),
)

tariffs = Table(
    "tariffs",
    metadata,
    _tenant(),
    Column("tariff_code", String(32), nullable=False),
    Column("name", String(120), nullable=False),
    Column("price_numerator", BigInteger, nullable=False),
    Column("price_denominator", BigInteger, nullable=False),
    Column("tax_name", String(32), nullable=False),
    Column("tax_basis_points", Integer, nullable=False),
    Column("minimum_minor", BigInteger, nullable=False),
    Column("maximum_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "tariff_code"),
    _of_tenant(),
    CheckConstraint("price_numerator > 0 AND price_denominator > 0", name="price"),
    CheckConstraint("tax_basis_points BETWEEN 0 AND 10000", name="tax"),
    CheckConstraint("minimum_minor > 0 AND minimum_minor <= maximum_minor", name="limits"),
)

customers = Table(
    "customers",
    metadata,
    _tenant(),
    Column("customer_number", String(32), nullable=False),
    Column("name", String(120), nullable=False),
    PrimaryKeyConstraint("tenant", "customer_number"),
    _of_tenant(),
)

meters = Table(
    "meters",
    metadata,
    _tenant(),
    Column("drn", String(13), nullable=False),
    Column("customer_number", String(32), nullable=False),
    Column("place", String(120), nullable=False),
    Column("phases", Integer, nullable=False),
    Column("tariff_code", String(32), nullable=False),
    Column("supply_group_code", String(6), nullable=False),
    Column("tariff_index", Integer, nullable=False),
    Column("key_revision_number", Integer, nullable=False),
    Column("key_type", Integer, nullable=False),
    Column("encryption_algorithm", String(2), nullable=False),
    Column("token_carrier_type", String(2), nullable=False),
    PrimaryKeyConstraint("tenant", "drn"),
    _of_tenant(),
    _of("customers", "customer_number"),
    _of("tariffs", "tariff_code"),
    _of("supply_groups", "supply_group_code"),
    CheckConstraint("phases IN (1, 3)", name="phases"),
    CheckConstraint("tariff_index BETWEEN 0 AND 99", name="tariff_index"),
    CheckConstraint("key_revision_number BETWEEN 1 AND 9", name="key_revision_number"),
    CheckConstraint("key_type BETWEEN 0 AND 3", name="key_type"),
)

sales = Table(
    "sales",
    metadata,
    _tenant(),
    Column("sale_number", BigInteger, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("drn", String(13), nullable=False),
    Column("customer_name", String(120), nullable=False),
    Column("login", String(64), nullable=False),
    Column("tariff_code", String(32), nullable=False),
    Column("tariff_name", String(120), nullable=False),
    Column("price_numerator", BigInteger, nullable=False),
    Column("price_denominator", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("currency_exponent", Integer, nullable=False),
    Column("tendered_minor", BigInteger, nullable=False),
    Column("sold_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant", "sale_number"),
    UniqueConstraint("tenant", "request_id"),
    _of_tenant(),
    _of("meters", "drn"),
    _of("operators", "login"),
    _of("tariffs", "tariff_code"),
    CheckConstraint("sale_number > 0", name="number"),
    CheckConstraint("tendered_minor > 0", name="tendered"),
    CheckConstraint("price_numerator > 0 AND price_denominator > 0", name="price"),
)

sale_lines = Table(
    "sale_lines",
    metadata,
    _tenant(),
    Column("sale_number", BigInteger, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("label", String(120), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "sale_number", "line_number"),
    _of("sales", "sale_number"),
    CheckConstraint("line_number > 0", name="number"),
    CheckConstraint("amount_minor >= 0", name="amount"),
)

tokens = Table(
    "tokens",
    metadata,
    _tenant(),
    Column("sale_number", BigInteger, nullable=False),
    Column("token_number", Integer, nullable=False),
    Column("drn", String(13), nullable=False),
    Column("base_date", String(4), nullable=False),
    Column("tid", Integer, nullable=False),
    Column("digits", String(20), nullable=False),
    Column("energy_tenths_kwh", BigInteger, nullable=False),
    Column("supply_group_code", String(6), nullable=False),
    Column("key_revision_number", Integer, nullable=False),
    Column("key_type", Integer, nullable=False),
    Column("tariff_index", Integer, nullable=False),
    Column("encryption_algorithm", String(2), nullable=False),
    Column("key_expiry_number", Integer, nullable=False),
    Column("sample_tables", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant", "sale_number", "token_number"),
    UniqueConstraint("tenant", "drn", "base_date", "tid"),
    _of("sales", "sale_number"),
    _of("meters", "drn"),
    CheckConstraint("token_number > 0", name="number"),
    CheckConstraint("tid BETWEEN 1 AND 16777215", name="tid"),
    CheckConstraint("length(digits) = 20", name="digits"),
    CheckConstraint("energy_tenths_kwh > 0", name="energy"),
)

reprints = Table(
    "reprints",
    metadata,
    _tenant(),
    Column("sale_number", BigInteger, nullable=False),
    Column("reprint_number", Integer, nullable=False),
    Column("login", String(64), nullable=False),
    Column("reprinted_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant", "sale_number", "reprint_number"),
    _of("sales", "sale_number"),
    _of("operators", "login"),
    CheckConstraint("reprint_number > 0", name="number"),
)

issue_journal = Table(
    "issue_journal",
    metadata,
    _tenant(),
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
    Column("made_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("tenant", "message_id"),
    UniqueConstraint("tenant", "meter_pan", "base_date", "tid"),
    _of_tenant(),
    CheckConstraint("tid BETWEEN 1 AND 16777215", name="tid"),
)
