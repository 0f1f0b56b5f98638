"""Where: supply groups, areas and feeders, service points, and the meters there."""

from typing import Final

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
    UniqueConstraint,
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

SERVICES: Final = ("electricity", "water", "gas", "time")
LIVES: Final = (
    "stock",
    "installed",
    "commissioned",
    "active",
    "removed",
    "repaired",
    "scrapped",
)

supply_groups = Table(
    "supply_groups",
    metadata,
    tenant_column(),
    Column("supply_group_code", String(6), nullable=False),
    Column("utc_offset_minutes", Integer, nullable=False),
    Column("lead_cap_minutes", Integer, nullable=False),
    Column("key_policy", String(8), nullable=False, server_default="offer"),
    Column("ti_follows_tariff", Boolean, nullable=False, server_default="0"),
    Column("allow_dkga_change", Boolean, nullable=False, server_default="1"),
    PrimaryKeyConstraint("tenant", "supply_group_code"),
    of_tenant(),
    CheckConstraint("utc_offset_minutes BETWEEN -840 AND 840", name="utc_offset"),
    CheckConstraint("lead_cap_minutes BETWEEN 0 AND 1440", name="lead_cap"),
    one_of("key_policy", "never", "offer", "always"),
)

areas = Table(
    "areas",
    metadata,
    tenant_column(),
    code("area_code"),
    Column("name", String(LABEL), nullable=False),
    PrimaryKeyConstraint("tenant", "area_code"),
    of_tenant(),
)

feeders = Table(
    "feeders",
    metadata,
    tenant_column(),
    code("feeder_code"),
    Column("name", String(LABEL), nullable=False),
    code("area_code"),
    PrimaryKeyConstraint("tenant", "feeder_code"),
    of_tenant(),
    of("areas", "area_code"),
)

service_points = Table(
    "service_points",
    metadata,
    tenant_column(),
    code("service_point_code"),
    code("account_number"),
    Column("place", String(LABEL), nullable=False),
    Column("service", String(16), nullable=False),
    code("feeder_code", nullable=True),
    PrimaryKeyConstraint("tenant", "service_point_code"),
    of_tenant(),
    of("accounts", "account_number"),
    of("feeders", "feeder_code"),
    one_of("service", *SERVICES),
)


def _key_columns(prefix: str = "") -> tuple[Column[object], ...]:
    """Return the columns of a key in a meter; those of the coming one may be empty."""
    nullable = bool(prefix)
    return (
        Column(f"{prefix}supply_group_code", String(6), nullable=nullable),
        Column(f"{prefix}tariff_index", Integer, nullable=nullable),
        Column(f"{prefix}key_revision_number", Integer, nullable=nullable),
        Column(f"{prefix}key_type", Integer, nullable=nullable),
        Column(f"{prefix}base_date", String(4), nullable=nullable),
        Column(f"{prefix}key_expiry_number", Integer, nullable=nullable),
    )


meters = Table(
    "meters",
    metadata,
    tenant_column(),
    Column("drn", String(13), nullable=False),
    Column("life", String(16), nullable=False),
    code("service_point_code", nullable=True),
    Column("service", String(16), nullable=False),
    Column("credit_kind", String(8), nullable=False),
    Column("phases", Integer, nullable=False),
    Column("model", String(64), nullable=False, server_default=""),
    # The most that the model takes in one token, in tenths of its unit; NULL: what the code holds.
    Column("maximum_tenths", BigInteger, nullable=True),
    # Whether it takes a third token that brings another supply group (6.2.10).
    Column("takes_supply_group", Boolean, nullable=False, server_default="0"),
    Column("encryption_algorithm", String(2), nullable=False),
    Column("token_carrier_type", String(2), nullable=False),
    Column("blocked", Boolean, nullable=False, server_default="0"),
    Column("block_reason", String(SENTENCE), nullable=False, server_default=""),
    *_key_columns(),
    # A key change on its way: the key that the meter is to have, and which of the two serves.
    *_key_columns("new_"),
    Column("serving", String(8), nullable=False, server_default="present"),
    moment("added_at"),
    PrimaryKeyConstraint("tenant", "drn"),
    UniqueConstraint("tenant", "service_point_code"),
    of_tenant(),
    of("service_points", "service_point_code"),
    of("supply_groups", "supply_group_code"),
    one_of("life", *LIVES),
    one_of("service", *SERVICES),
    one_of("credit_kind", "unit", "currency"),
    one_of("serving", "present", "new"),
    CheckConstraint("phases IN (1, 3)", name="phases"),
    CheckConstraint("tariff_index BETWEEN 0 AND 99", name="tariff_index"),
    CheckConstraint("key_revision_number BETWEEN 1 AND 9", name="key_revision_number"),
    CheckConstraint("key_type BETWEEN 0 AND 3", name="key_type"),
    CheckConstraint("maximum_tenths > 0", name="maximum"),
    CheckConstraint("serving = 'present' OR new_key_revision_number IS NOT NULL", name="new_key"),
    CheckConstraint(
        "life IN ('stock', 'removed', 'repaired', 'scrapped') OR service_point_code IS NOT NULL",
        name="place",
    ),
)

meter_history = Table(
    "meter_history",
    metadata,
    tenant_column(),
    Column("drn", String(13), nullable=False),
    Column("event_number", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("login", String(64), nullable=False),
    # The meter's place, life and keys after the event, as canonical JSON.
    Column("document", Text, nullable=False),
    moment("happened_at"),
    PrimaryKeyConstraint("tenant", "drn", "event_number"),
    of("meters", "drn"),
    of("operators", "login"),
    CheckConstraint("event_number > 0", name="number"),
)
