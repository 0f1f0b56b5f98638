"""What a sale searches: never all that was sold before, or each sale would be slower than the last.

SQLite tells how it would carry out a statement; the indexes are the same on PostgreSQL.
"""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from keys.issuing import JournalledModule
from tests.vending_app.vend.shop import sell
from vending_app.config import Config
from vending_app.storage.engine import Store
from vending_app.storage.sending import watched
from vending_app.storage.tables import metadata

_LITTLE = frozenset({"tariff_versions"})
"""Of these a tenant's own are few for ever, and one column finds them."""
_SEARCH = re.compile(r"SEARCH (\w+) USING .*\((.*)\)")


@pytest.fixture
def embedded(config: Config) -> Iterator[Store]:
    """The embedded database, whatever the other tests run over."""
    store = Store.open(config.database_url)
    yield store
    store.close()


def test_no_statement_of_a_sale_goes_through_what_was_sold_before(
    embedded: Store, module: JournalledModule
) -> None:
    sell(embedded, module, request_id="first")
    with watched(embedded.engine) as sent:
        sell(embedded, module, request_id="second")
    with embedded.read() as connection:
        steps = [step for statement in sent for step in _steps(connection, statement)]
    assert len(steps) > len(sent), "each statement that finds something says how"
    for step in steps:
        words = step.split()
        assert words[:1] != ["SCAN"] or words[1] not in metadata.tables, step
        found = _SEARCH.fullmatch(step.removesuffix(" LEFT-JOIN"))
        if found is not None and found[1] not in _LITTLE:
            narrowed = found[2].split(" AND ")
            whole_key = len(metadata.tables[found[1]].primary_key.columns)
            assert len(narrowed) >= min(2, whole_key), step


def _steps(connection: Connection, statement: str) -> list[str]:
    arguments = (None,) * statement.count("?")
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", arguments)
    return [row.detail for row in rows]
