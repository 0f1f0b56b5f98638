"""Words in which later migrations describe tables. What such a word means never changes."""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op


def tenant() -> sa.Column[str]:
    """The column that every table begins with."""
    return sa.Column("tenant", sa.String(32), nullable=False)


def text(
    name: str, length: int, *, nullable: bool = False, default: str | None = None
) -> sa.Column[str]:
    """A short text."""
    return sa.Column(name, sa.String(length), nullable=nullable, server_default=default)


def document(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A text of any length."""
    return sa.Column(name, sa.Text, nullable=nullable)


def number(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    """A whole number of 32 bits."""
    return sa.Column(name, sa.Integer, nullable=nullable, server_default=default)


def large(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    """A whole number of 64 bits."""
    return sa.Column(name, sa.BigInteger, nullable=nullable, server_default=default)


def flag(name: str, *, default: str | None = None) -> sa.Column[bool]:
    """True or false."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=default)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A moment in UTC."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    """What names a row."""
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    """What no two rows share."""
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def of(table: str, other: str, *columns: str) -> sa.ForeignKeyConstraint:
    """A row of the same tenant that a row refers to."""
    return sa.ForeignKeyConstraint(
        ["tenant", *columns],
        [f"{other}.tenant", *(f"{other}.{name}" for name in columns)],
        name=f"fk_{table}_{other}",
    )


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    """What holds of every row."""
    return sa.CheckConstraint(condition, name=f"ck_{table}_{name}")


def refuse_changes(tables: Iterable[str]) -> None:
    """Let rows of these tables only be added. The function is there since the first migration."""
    for table in tables:
        if op.get_bind().dialect.name == "sqlite":
            for action in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_append_only "
                f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
