"""Reading the tables: SQL of the checker's own, in one transaction that sees one state."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, create_engine, make_url, text

from vending_app.ledger_check.findings import Finding

BATCH: Final = 500
"""Entries that are looked at together."""


class Tenant:
    """The rows of one tenant.

    Attributes:
        name: Which.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        """Read through ``connection``."""
        self._connection = connection
        self.name = name

    def rows(self, sql: str, **values: Any) -> Sequence[RowMapping]:
        """Return what a statement about ``:tenant`` finds; ``:keys`` is a list."""
        statement = text(sql)
        if "keys" in values:
            statement = statement.bindparams(bindparam("keys", expanding=True))
        return self._connection.execute(statement, {"tenant": self.name, **values}).mappings().all()

    def finding(self, table: str, key: object, what: str) -> Finding:
        """Return a finding about a row of this tenant."""
        return Finding(tenant=self.name, table=table, key=str(key), what=what)

    def found(self, table: str, sql: str, what: str, **values: Any) -> Iterator[Finding]:
        """Yield a finding for each row of a statement, whose columns are its key."""
        for row in self.rows(sql, **values):
            yield self.finding(table, "/".join(str(value) for value in row.values()), what)


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """Open a database for reading only; everything that is read is of one moment."""
    parsed = make_url(url)
    begin: tuple[str, ...]
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed)
        begin = ("PRAGMA query_only = ON", "BEGIN")
    else:
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"))
        begin = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
    try:
        # The driver begins nothing by itself, so these are the transaction.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in begin:
                connection.exec_driver_sql(statement)
            yield connection
            connection.exec_driver_sql("ROLLBACK")
    finally:
        engine.dispose()
