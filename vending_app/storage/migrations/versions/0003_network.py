"""The network: vendors, accounts, places, meters with keys, versions of tariffs.

Revision ID: 0003
Revises: 0002
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

from vending_app.storage.migrations.building import (
    check,
    document,
    flag,
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

revision: Final = "0003"
down_revision: Final = "0002"

_APPEND_ONLY: Final = ("meter_history", "tariff_versions", "dated_tables")
_KEPT: Final = ("sales", "sale_lines", "tokens", "reprints", "tariffs")
"""Tables of the first form whose rows 0006 brings into the new one; until then they lie apart."""
_REPLACED: Final = ("sale_lines", "tokens", "reprints", "sales", "meters", "tariffs", "operators")
_NEW_COUNTERS: Final = ("audit", "basis", "case", "credit_note")
_UNKNOWN_BASE_DATE: Final = "2014"
_NO_EXPIRY: Final = 255


def upgrade() -> None:
    """Put the first form aside, make the new tables, and bring over what is no sale."""
    connection = op.get_bind()
    operators = _rows("operators")
    tariffs = _rows("tariffs")
    meters = _rows("meters")
    base_dates = _base_dates()
    for table in _KEPT:
        copied = f"SELECT * FROM {table}"  # noqa: S608 - names of our own
        op.execute(f"CREATE TABLE legacy_{table} AS {copied}")
    for table in _REPLACED:
        op.drop_table(table)
    _widen()
    _create_pricing()
    _create_parties()
    _create_network()
    refuse_changes(_APPEND_ONLY)
    _number_more(connection)
    _insert("tariffs", [_tariff(row) for row in tariffs])
    _insert("operators", [dict(row) | {"vendor_code": None} for row in operators])
    _insert("accounts", [_account(row) for row in meters])
    _insert("service_points", [_place(row) for row in meters])
    _insert("meters", [_meter(row, base_dates) for row in meters])


def _rows(table: str) -> list[sa.RowMapping]:
    return list(op.get_bind().execute(sa.text(f"SELECT * FROM {table}")).mappings())  # noqa: S608 - names of our own


def _base_dates() -> dict[tuple[str, str, int], str]:
    """Return the base date of each vending key that tokens were made under."""
    rows = op.get_bind().execute(
        sa.text(
            "SELECT DISTINCT tenant, supply_group_code, key_revision_number, base_date FROM tokens"
        )
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _widen() -> None:
    """Add columns to the tables that stay."""
    for table, column in (
        ("tenants", "address VARCHAR(500) NOT NULL DEFAULT ''"),
        ("tenants", "tax_reference VARCHAR(64) NOT NULL DEFAULT ''"),
        (
            "tenants",
            (
                "cash_step_minor INTEGER NOT NULL DEFAULT 1 "
                "CONSTRAINT ck_tenants_cash_step CHECK (cash_step_minor > 0)"
            ),
        ),
        (
            "tenants",
            (
                "word_limit_minor BIGINT NOT NULL DEFAULT 0 "
                "CONSTRAINT ck_tenants_word_limit CHECK (word_limit_minor >= 0)"
            ),
        ),
        ("customers", "phone VARCHAR(32) NOT NULL DEFAULT ''"),
        ("customers", "language VARCHAR(8) NOT NULL DEFAULT 'en'"),
        (
            "supply_groups",
            (
                "key_policy VARCHAR(8) NOT NULL DEFAULT 'offer' CONSTRAINT "
                "ck_supply_groups_key_policy CHECK (key_policy IN ('never', 'offer', 'always'))"
            ),
        ),
        ("supply_groups", "ti_follows_tariff BOOLEAN NOT NULL DEFAULT '0'"),
        ("supply_groups", "allow_dkga_change BOOLEAN NOT NULL DEFAULT '1'"),
    ):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _number_more(connection: sa.Connection) -> None:
    """Give each tenant the counters that the first form did not have."""
    for name in _NEW_COUNTERS:
        connection.execute(
            sa.text(
                "INSERT INTO counters (tenant, name, last_number) "
                "SELECT tenant, :name, 0 FROM tenants"
            ),
            {"name": name},
        )


def _insert(table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        reflected = sa.table(table, *(sa.column(name) for name in rows[0]))
        op.get_bind().execute(sa.insert(reflected), rows)


def _tariff(row: sa.RowMapping) -> dict[str, object]:
    return {
        "tenant": row["tenant"],
        "tariff_code": row["tariff_code"],
        "name": row["name"],
        "service": "electricity",
        "tariff_index": None,
    }


def _account(row: sa.RowMapping) -> dict[str, object]:
    """Return the account behind a meter: the first form had the tariff at the meter."""
    return {
        "tenant": row["tenant"],
        "account_number": row["drn"],
        "customer_number": row["customer_number"],
        "tariff_code": row["tariff_code"],
        "state": "open",
        "opened_at": _tenant_since(row["tenant"]),
    }


def _place(row: sa.RowMapping) -> dict[str, object]:
    return {
        "tenant": row["tenant"],
        "service_point_code": row["drn"],
        "account_number": row["drn"],
        "place": row["place"],
        "service": "electricity",
        "feeder_code": None,
    }


def _meter(row: sa.RowMapping, base_dates: dict[tuple[str, str, int], str]) -> dict[str, object]:
    name = (row["tenant"], row["supply_group_code"], row["key_revision_number"])
    same = ("tenant", "drn", "phases", "encryption_algorithm", "token_carrier_type")
    keys = ("supply_group_code", "tariff_index", "key_revision_number", "key_type")
    return {column: row[column] for column in (*same, *keys)} | {
        "life": "active",
        "service_point_code": row["drn"],
        "service": "electricity",
        "credit_kind": "unit",
        "base_date": base_dates.get(name, _UNKNOWN_BASE_DATE),
        "key_expiry_number": _NO_EXPIRY,
        "added_at": _tenant_since(row["tenant"]),
    }


def _tenant_since(tenant: str) -> object:
    return op.get_bind().scalar(
        sa.text("SELECT created_at FROM tenants WHERE tenant = :tenant"), {"tenant": tenant}
    )


def _create_pricing() -> None:
    op.create_table(
        "tariffs",
        tenant(),
        text("tariff_code", 32),
        text("name", 120),
        text("service", 16),
        number("tariff_index", nullable=True),
        key("tariffs", "tenant", "tariff_code"),
        of("tariffs", "tenants"),
        check("tariffs", "service", "service IN ('electricity', 'water', 'gas', 'time')"),
        check("tariffs", "tariff_index", "tariff_index BETWEEN 0 AND 99"),
    )


def _create_parties() -> None:
    op.create_table(
        "vendors",
        tenant(),
        text("vendor_code", 32),
        text("name", 120),
        large("limit_minor"),
        large("float_minor"),
        flag("active"),
        moment("created_at"),
        key("vendors", "tenant", "vendor_code"),
        of("vendors", "tenants"),
        check("vendors", "float", "float_minor + limit_minor >= 0"),
        check("vendors", "limit", "limit_minor >= 0"),
    )
    op.create_table(
        "operators",
        tenant(),
        text("login", 64),
        text("display_name", 120),
        text("role", 32),
        text("password_hash", 255),
        flag("active"),
        text("vendor_code", 32, nullable=True),
        moment("created_at"),
        key("operators", "tenant", "login"),
        of("operators", "vendors", "vendor_code"),
        of("operators", "tenants"),
    )
    op.create_table(
        "accounts",
        tenant(),
        text("account_number", 32),
        text("customer_number", 32),
        text("tariff_code", 32),
        text("state", 16),
        text("block_reason", 500, default=""),
        large("credit_minor", default="0"),
        document("counters", nullable=True),
        moment("opened_at"),
        key("accounts", "tenant", "account_number"),
        of("accounts", "customers", "customer_number"),
        of("accounts", "tariffs", "tariff_code"),
        of("accounts", "tenants"),
        check("accounts", "credit", "credit_minor >= 0"),
        check("accounts", "state", "state IN ('open', 'blocked', 'closed')"),
    )


def _create_network() -> None:
    op.create_table(
        "areas",
        tenant(),
        text("area_code", 32),
        text("name", 120),
        key("areas", "tenant", "area_code"),
        of("areas", "tenants"),
    )
    op.create_table(
        "feeders",
        tenant(),
        text("feeder_code", 32),
        text("name", 120),
        text("area_code", 32),
        key("feeders", "tenant", "feeder_code"),
        of("feeders", "areas", "area_code"),
        of("feeders", "tenants"),
    )
    op.create_table(
        "service_points",
        tenant(),
        text("service_point_code", 32),
        text("account_number", 32),
        text("place", 120),
        text("service", 16),
        text("feeder_code", 32, nullable=True),
        key("service_points", "tenant", "service_point_code"),
        of("service_points", "accounts", "account_number"),
        of("service_points", "feeders", "feeder_code"),
        of("service_points", "tenants"),
        check("service_points", "service", "service IN ('electricity', 'water', 'gas', 'time')"),
    )
    op.create_table(
        "meters",
        tenant(),
        text("drn", 13),
        text("life", 16),
        text("service_point_code", 32, nullable=True),
        text("service", 16),
        text("credit_kind", 8),
        number("phases"),
        text("model", 64, default=""),
        large("maximum_tenths", nullable=True),
        flag("takes_supply_group", default="0"),
        text("encryption_algorithm", 2),
        text("token_carrier_type", 2),
        flag("blocked", default="0"),
        text("block_reason", 500, default=""),
        text("supply_group_code", 6),
        number("tariff_index"),
        number("key_revision_number"),
        number("key_type"),
        text("base_date", 4),
        number("key_expiry_number"),
        text("new_supply_group_code", 6, nullable=True),
        number("new_tariff_index", nullable=True),
        number("new_key_revision_number", nullable=True),
        number("new_key_type", nullable=True),
        text("new_base_date", 4, nullable=True),
        number("new_key_expiry_number", nullable=True),
        text("serving", 8, default="present"),
        moment("added_at"),
        key("meters", "tenant", "drn"),
        unique("meters", "tenant", "service_point_code"),
        of("meters", "service_points", "service_point_code"),
        of("meters", "supply_groups", "supply_group_code"),
        of("meters", "tenants"),
        check("meters", "credit_kind", "credit_kind IN ('unit', 'currency')"),
        check("meters", "key_revision_number", "key_revision_number BETWEEN 1 AND 9"),
        check("meters", "key_type", "key_type BETWEEN 0 AND 3"),
        check(
            "meters",
            "life",
            "life IN ('stock', 'installed', 'commissioned', 'active', 'removed', 'repaired', "
            "'scrapped')",
        ),
        check("meters", "maximum", "maximum_tenths > 0"),
        check("meters", "new_key", "serving = 'present' OR new_key_revision_number IS NOT NULL"),
        check("meters", "phases", "phases IN (1, 3)"),
        check(
            "meters",
            "place",
            "life IN ('stock', 'removed', 'repaired', 'scrapped') "
            "OR service_point_code IS NOT NULL",
        ),
        check("meters", "service", "service IN ('electricity', 'water', 'gas', 'time')"),
        check("meters", "serving", "serving IN ('present', 'new')"),
        check("meters", "tariff_index", "tariff_index BETWEEN 0 AND 99"),
    )
    op.create_table(
        "meter_history",
        tenant(),
        text("drn", 13),
        number("event_number"),
        text("kind", 32),
        text("login", 64),
        document("document"),
        moment("happened_at"),
        key("meter_history", "tenant", "drn", "event_number"),
        of("meter_history", "meters", "drn"),
        of("meter_history", "operators", "login"),
        check("meter_history", "number", "event_number > 0"),
    )
    op.create_table(
        "tariff_versions",
        tenant(),
        text("tariff_code", 32),
        number("tariff_version"),
        text("first_day", 10),
        text("last_day", 10, nullable=True),
        document("document"),
        text("document_hash", 64),
        text("login", 64),
        text("approved_login", 64),
        moment("added_at"),
        key("tariff_versions", "tenant", "tariff_code", "tariff_version"),
        of("tariff_versions", "operators", "login"),
        of("tariff_versions", "tariffs", "tariff_code"),
        check("tariff_versions", "version", "tariff_version > 0"),
    )
    op.create_table(
        "dated_tables",
        tenant(),
        text("table_code", 40),
        number("revision"),
        document("document"),
        text("document_hash", 64),
        text("login", 64),
        text("approved_login", 64),
        moment("added_at"),
        key("dated_tables", "tenant", "table_code", "revision"),
        of("dated_tables", "operators", "login"),
        of("dated_tables", "tenants"),
        check("dated_tables", "revision", "revision > 0"),
    )
