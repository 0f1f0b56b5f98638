"""What all tables share: their registry, their types, and how they refer to each other."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    MetaData,
    String,
)
from sqlalchemy.types import TypeDecorator

from sts.errors import NaiveDatetimeError

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

CODE: Final = 32
"""Characters of a code that people give: of a tariff, a customer, a place."""
LABEL: Final = 120
SENTENCE: Final = 500


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; refuse a time without a zone."""
        del dialect
        return None if value is None else _utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what makes a value for the driver of it.

        A row may have several moments. On SQLite they are texts, and SQLAlchemy would take several
        times as long to write them as Python itself.
        """
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC; SQLite keeps no zone, so there the digits are known to be UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _utc(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise NaiveDatetimeError
    return value.astimezone(UTC)


def _sqlite_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _digits(value if value.tzinfo is UTC else _utc(value))


@lru_cache(maxsize=16)
def _digits(value: datetime) -> str:
    """Return a moment in UTC as SQLite keeps it; a sale writes the same one many times.

    In UTC only: elsewhere two moments are equal that are an hour apart, when the clocks go back.
    """
    return value.replace(tzinfo=None).isoformat(" ", "microseconds")


def tenant_column() -> Column[str]:
    """Return the column that every table begins with."""
    return Column("tenant", String(CODE), nullable=False)


def moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    """Return a column for a moment, in UTC."""
    return Column(name, UtcDateTime, nullable=nullable)


def code(name: str, *, nullable: bool = False) -> Column[str]:
    """Return a column for a code that people give."""
    return Column(name, String(CODE), nullable=nullable)


def of_tenant() -> ForeignKeyConstraint:
    """Refer to the tenant."""
    return ForeignKeyConstraint(["tenant"], ["tenants.tenant"])


def of(table: str, *columns: str, name: str | None = None) -> ForeignKeyConstraint:
    """Refer to a row of the same tenant by columns of the same names.

    Args:
        table: The other table.
        columns: Its key, the tenant apart.
        name: Needed where a table refers to another twice.
    """
    return ForeignKeyConstraint(
        ["tenant", *columns],
        [f"{table}.tenant", *(f"{table}.{column}" for column in columns)],
        name=name,
    )


def one_of(column: str, *words: str, name: str | None = None) -> CheckConstraint:
    """Allow these words only."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name or column)
