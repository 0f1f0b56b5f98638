"""The first sale: tenants, operators, tariffs, meters, sales and their tokens.

Revision ID: 0001
Revises: none
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final[str | None] = None

# A migration says what it does for ever, so it repeats the tables instead of importing them.
_APPEND_ONLY: Final = ("sales", "sale_lines", "tokens", "reprints")


def upgrade() -> None:
    """Create the tables, then the triggers that keep sales as they were made."""
    _create_parties()
    _create_meters()
    _create_sales()
    _create_tokens()
    if op.get_bind().dialect.name == "sqlite":
        _refuse_changes_on_sqlite()
    else:
        _refuse_changes_on_postgresql()


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant", sa.String(32), nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _large(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _of(table: str, other: str, *columns: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant", *columns],
        [f"{other}.tenant", *(f"{other}.{name}" for name in columns)],
        name=f"fk_{table}_{other}",
    )


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=f"ck_{table}_{name}")


def _create_parties() -> None:
    op.create_table(
        "tenants",
        _tenant(),
        _text("name", 120),
        _text("currency", 3),
        _number("currency_exponent"),
        _text("time_zone", 64),
        _moment("created_at"),
        _key("tenants", "tenant"),
        _check("tenants", "exponent", "currency_exponent BETWEEN 0 AND 4"),
    )
    op.create_table(
        "counters",
        _tenant(),
        _text("name", 32),
        _large("last_number"),
        _key("counters", "tenant", "name"),
        _of("counters", "tenants"),
        _check("counters", "counts_up", "last_number >= 0"),
    )
    op.create_table(
        "operators",
        _tenant(),
        _text("login", 64),
        _text("display_name", 120),
        _text("role", 32),
        _text("password_hash", 255),
        sa.Column("active", sa.Boolean, nullable=False),
        _moment("created_at"),
        _key("operators", "tenant", "login"),
        _of("operators", "tenants"),
    )
    op.create_table(
        "customers",
        _tenant(),
        _text("customer_number", 32),
        _text("name", 120),
        _key("customers", "tenant", "customer_number"),
        _of("customers", "tenants"),
    )


def _create_meters() -> None:
    op.create_table(
        "supply_groups",
        _tenant(),
        _text("supply_group_code", 6),
        _number("utc_offset_minutes"),
        _number("lead_cap_minutes"),
        _key("supply_groups", "tenant", "supply_group_code"),
        _of("supply_groups", "tenants"),
        _check("supply_groups", "utc_offset", "utc_offset_minutes BETWEEN -840 AND 840"),
        _check("supply_groups", "lead_cap", "lead_cap_minutes BETWEEN 0 AND 1440"),
    )
    op.create_table(
        "tariffs",
        _tenant(),
        _text("tariff_code", 32),
        _text("name", 120),
        _large("price_numerator"),
        _large("price_denominator"),
        _text("tax_name", 32),
        _number("tax_basis_points"),
        _large("minimum_minor"),
        _large("maximum_minor"),
        _key("tariffs", "tenant", "tariff_code"),
        _of("tariffs", "tenants"),
        _check("tariffs", "price", "price_numerator > 0 AND price_denominator > 0"),
        _check("tariffs", "tax", "tax_basis_points BETWEEN 0 AND 10000"),
        _check("tariffs", "limits", "minimum_minor > 0 AND minimum_minor <= maximum_minor"),
    )
    op.create_table(
        "meters",
        _tenant(),
        _text("drn", 13),
        _text("customer_number", 32),
        _text("place", 120),
        _number("phases"),
        _text("tariff_code", 32),
        _text("supply_group_code", 6),
        _number("tariff_index"),
        _number("key_revision_number"),
        _number("key_type"),
        _text("encryption_algorithm", 2),
        _text("token_carrier_type", 2),
        _key("meters", "tenant", "drn"),
        _of("meters", "tenants"),
        _of("meters", "customers", "customer_number"),
        _of("meters", "tariffs", "tariff_code"),
        _of("meters", "supply_groups", "supply_group_code"),
        _check("meters", "phases", "phases IN (1, 3)"),
        _check("meters", "tariff_index", "tariff_index BETWEEN 0 AND 99"),
        _check("meters", "key_revision_number", "key_revision_number BETWEEN 1 AND 9"),
        _check("meters", "key_type", "key_type BETWEEN 0 AND 3"),
    )


def _create_sales() -> None:
    op.create_table(
        "sales",
        _tenant(),
        _large("sale_number"),
        _text("request_id", 64),
        _text("request_hash", 64),
        _text("drn", 13),
        _text("customer_name", 120),
        _text("login", 64),
        _text("tariff_code", 32),
        _text("tariff_name", 120),
        _large("price_numerator"),
        _large("price_denominator"),
        _text("currency", 3),
        _number("currency_exponent"),
        _large("tendered_minor"),
        _moment("sold_at"),
        _key("sales", "tenant", "sale_number"),
        sa.UniqueConstraint("tenant", "request_id", name="uq_sales_tenant_request_id"),
        _of("sales", "tenants"),
        _of("sales", "meters", "drn"),
        _of("sales", "operators", "login"),
        _of("sales", "tariffs", "tariff_code"),
        _check("sales", "number", "sale_number > 0"),
        _check("sales", "tendered", "tendered_minor > 0"),
        _check("sales", "price", "price_numerator > 0 AND price_denominator > 0"),
    )
    op.create_table(
        "sale_lines",
        _tenant(),
        _large("sale_number"),
        _number("line_number"),
        _text("kind", 32),
        _text("label", 120),
        _large("amount_minor"),
        _key("sale_lines", "tenant", "sale_number", "line_number"),
        _of("sale_lines", "sales", "sale_number"),
        _check("sale_lines", "number", "line_number > 0"),
        _check("sale_lines", "amount", "amount_minor >= 0"),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        _tenant(),
        _large("sale_number"),
        _number("token_number"),
        _text("drn", 13),
        _text("base_date", 4),
        _number("tid"),
        _text("digits", 20),
        _large("energy_tenths_kwh"),
        _text("supply_group_code", 6),
        _number("key_revision_number"),
        _number("key_type"),
        _number("tariff_index"),
        _text("encryption_algorithm", 2),
        _number("key_expiry_number"),
        sa.Column("sample_tables", sa.Boolean, nullable=False),
        _key("tokens", "tenant", "sale_number", "token_number"),
        sa.UniqueConstraint(
            "tenant", "drn", "base_date", "tid", name="uq_tokens_tenant_drn_base_date_tid"
        ),
        _of("tokens", "sales", "sale_number"),
        _of("tokens", "meters", "drn"),
        _check("tokens", "number", "token_number > 0"),
        _check("tokens", "tid", "tid BETWEEN 1 AND 16777215"),
        _check("tokens", "digits", "length(digits) = 20"),
        _check("tokens", "energy", "energy_tenths_kwh > 0"),
    )
    op.create_table(
        "reprints",
        _tenant(),
        _large("sale_number"),
        _number("reprint_number"),
        _text("login", 64),
        _moment("reprinted_at"),
        _key("reprints", "tenant", "sale_number", "reprint_number"),
        _of("reprints", "sales", "sale_number"),
        _of("reprints", "operators", "login"),
        _check("reprints", "number", "reprint_number > 0"),
    )


def _refuse_changes_on_sqlite() -> None:
    for table in _APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _refuse_changes_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only "
            f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
