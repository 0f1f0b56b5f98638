"""Whoever edits one row by hand, past triggers and constraints, is found, and the row is named."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Boolean, Column, Integer, Table, text

from tests.vending_app.ledger.world import SEAL_KEY, TENANT, World
from vending_app.domain.ledger import issue_entry
from vending_app.domain.ledger_rows import COVERED, rows_digest
from vending_app.ledger_check import Evidence, Finding, verify
from vending_app.ledger_check.rows import TABLES
from vending_app.storage import ledger, tables

EVIDENCE: Final = Evidence(public_key=SEAL_KEY.public_key)
GUARDED: Final = (
    "ledger_accounts",
    "ledger_checkpoints",
    "ledger_entries",
    "ledger_heads",
    "ledger_lines",
    *COVERED,
)
CANNOT_MATTER: Final = {
    # What people call an account; the books know it by its code.
    ("ledger_accounts", "name"),
}


def _columns() -> list[tuple[str, str]]:
    named = [
        (table, column.name) for table in GUARDED for column in tables.metadata.tables[table].c
    ]
    return sorted(set(named) - CANNOT_MATTER)


def _findings(path: Path) -> list[Finding]:
    reports = verify(f"sqlite:///{path}", evidence=EVIDENCE)
    return [finding for report in reports for finding in report.findings]


@contextmanager
def _by_hand(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database as somebody with a tool of their own does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA synchronous = OFF")
        connection.row_factory = sqlite3.Row
        yield connection


def _sql(*words: str) -> str:
    """Return a statement about tables and columns of ours."""
    return " ".join(words)


def _other(column: Column[Any], value: object) -> object:
    """Return another value that the column could have."""
    if isinstance(column.type, tables.UtcDateTime):
        return "2026-02-27 08:15:30.123457"
    if isinstance(column.type, Boolean):
        return 1 - int(str(value))
    if isinstance(column.type, Integer):
        return 1000 if value is None else int(str(value)) + 1000
    return "1" if value is None else f"{str(value)[:-1]}{'0' if str(value)[-1:] != '0' else '1'}"


def _key(table: Table, row: dict[str, Any]) -> str:
    """Return what the checker calls a row."""
    parts = [str(row[column.name]) for column in table.primary_key if column.name != "tenant"]
    return "/".join(parts) or str(row["tenant"])


@pytest.mark.parametrize(("name", "column"), _columns())
def test_an_edit_of_any_column_is_found_and_the_row_named(
    name: str, column: str, bare_copy: Path
) -> None:
    table = tables.metadata.tables[name]
    with _by_hand(bare_copy) as connection:
        row = dict(connection.execute(_sql("SELECT rowid, * FROM", name)).fetchone())
        edited = row | {column: _other(table.c[column], row[column])}
        assert edited[column] != row[column]
        connection.execute(
            _sql("UPDATE", name, "SET", column, "= ? WHERE rowid = ?"),
            (edited[column], row["rowid"]),
        )
    named = {finding.key for finding in _findings(bare_copy) if finding.table == name}
    assert named & {_key(table, row), _key(table, edited), "*"}, (row, named)


@pytest.mark.parametrize("name", [name for name in GUARDED if name != "ledger_checkpoints"])
def test_a_row_taken_away_is_found(name: str, bare_copy: Path) -> None:
    """A checkpoint taken away is missed only by whoever has a copy of it."""
    with _by_hand(bare_copy) as connection:
        rows = connection.execute(_sql("SELECT rowid FROM", name)).fetchall()
    before = bare_copy.read_bytes()
    for (rowid,) in {rows[0], rows[len(rows) // 2], rows[-1]}:
        bare_copy.write_bytes(before)
        with _by_hand(bare_copy) as connection:
            connection.execute(_sql("DELETE FROM", name, "WHERE rowid = ?"), (rowid,))
        assert _findings(bare_copy), rowid


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sales", {"sale_number": 6, "basis_number": 99, "ledger_entry": 99}),
        ("sale_lines", {"line_number": 3, "amount_minor": 1}),
        ("sale_lines", {"sale_number": 99}),
        ("tokens", {"token_number": 2, "tid": 6_000_099}),
        ("tokens", {"basis_number": 99, "tid": 6_000_099}),
        ("tokens", {"token_number": 2}),
        ("bases", {"basis_number": 9, "request_id": "r-99"}),
        ("token_marks", {"mark": "void"}),
        ("credit_notes", {"credit_note_number": 2, "sale_number": 2, "ledger_entry": 99}),
        ("ledger_lines", {"line_number": 9}),
        ("ledger_lines", {"entry_number": 99}),
        ("ledger_entries", {"entry_number": 11, "reference": "sale 99"}),
        ("ledger_periods", {"period": "2026-03"}),
        ("issue_journal", {"message_id": "thabaneng/r-99/1", "tid": 6_000_099}),
        ("issue_journal", {"message_id": "thabaneng/r-99/key", "tid": None}),
        ("requests", {"request_id": "r-99"}),
    ],
    ids=str,
)
def test_a_row_put_in_is_found_and_named(
    name: str, change: dict[str, Any], bare_copy: Path
) -> None:
    table = tables.metadata.tables[name]
    with _by_hand(bare_copy) as connection:
        # Neither keys nor other constraints come with a copy of the rows.
        row = dict(connection.execute(_sql("SELECT * FROM", name)).fetchone()) | change
        columns = ", ".join(row)
        connection.execute(_sql("CREATE TABLE copy AS SELECT * FROM", name))
        connection.execute(_sql("DROP TABLE", name))
        connection.execute(_sql("ALTER TABLE copy RENAME TO", name))
        connection.execute(
            _sql("INSERT INTO", name, "(", columns, ") VALUES (", ", ".join("?" * len(row)), ")"),
            tuple(row.values()),
        )
    assert _key(table, row) in {
        finding.key for finding in _findings(bare_copy) if finding.table == name
    }


@pytest.mark.parametrize(
    ("statement", "table", "key"),
    [
        ("UPDATE vendors SET float_minor = float_minor + 1", "vendors", "SPAZA"),
        (
            "UPDATE accounts SET credit_minor = 36 WHERE account_number = 'A1'",
            "accounts",
            "A1",
        ),
        ("UPDATE counters SET last_number = 9 WHERE name = 'sale'", "counters", "sale"),
        ("DELETE FROM counters WHERE name = 'basis'", "counters", "basis"),
        ("UPDATE requests SET state = 'pending' WHERE request_id = 'r-1'", "bases", "1"),
        ("UPDATE requests SET login = 'farai' WHERE request_id = 'r-1'", "bases", "1"),
        ("DELETE FROM vendors", "ledger_accounts", "vendor-float:SPAZA"),
        ("UPDATE cases SET state = 'open' WHERE kind = 'reversal'", "credit_notes", "1"),
        ("UPDATE cases SET kind = 'exchange' WHERE kind = 'reversal'", "credit_notes", "1"),
        ("UPDATE cases SET sale_number = 2 WHERE kind = 'reversal'", "credit_notes", "1"),
        ("UPDATE cases SET case_number = 9 WHERE kind = 'reversal'", "cases", "9"),
        (
            "UPDATE issue_journal SET tid = tid + 1000 WHERE tid = 6000001",
            "issue_journal",
            "thabaneng/r-1/1",
        ),
        ("DELETE FROM issue_journal WHERE tid = 6000001", "tokens", "1/1"),
        (
            "UPDATE issue_journal SET message_id = 'x' WHERE tid IS NULL",
            "tokens",
            "3/1",
        ),
        (
            "UPDATE issue_journal SET message_id = 'thabaneng/r-9/1' WHERE tid = 6000001",
            "issue_journal",
            "thabaneng/r-9/1",
        ),
        (
            "UPDATE issue_journal SET credit_units = '1' WHERE tid = 6000001",
            "issue_journal",
            "thabaneng/r-1/1",
        ),
        (
            "INSERT INTO key_credit VALUES ('thabaneng', '201457', 1, '7')",
            "key_credit",
            "201457/1",
        ),
        ("UPDATE tariff_versions SET document = '{}'", "tariff_versions", "home/1"),
        ("UPDATE tariff_versions SET document_hash = 'ab'", "tariff_versions", "home/1"),
        ("UPDATE tariff_versions SET tariff_version = 2", "tariff_versions", "home/2"),
        ("UPDATE tariff_versions SET first_day = '2025-01-01'", "tariff_versions", "home/1"),
        ("UPDATE tariff_versions SET last_day = '2026-12-31'", "tariff_versions", "home/1"),
        (
            (
                "INSERT INTO dated_tables SELECT tenant, 'fuel', 1, '{}', 'ab', login, "
                "approved_login, added_at FROM tariff_versions"
            ),
            "dated_tables",
            "fuel/1",
        ),
        (
            (
                "INSERT INTO dated_tables SELECT tenant, 'fuel', 1, document, document_hash, "
                "login, approved_login, added_at FROM tariff_versions"
            ),
            "dated_tables",
            "fuel/1",
        ),
        ("UPDATE tenants SET cash_step_minor = 1", "sales", "4"),
        ("UPDATE ledger_entries SET record = '[]' WHERE entry_number = 2", "ledger_entries", "2"),
        ("UPDATE ledger_entries SET record = '{}' WHERE entry_number = 2", "ledger_entries", "2"),
    ],
)
def test_what_stands_beside_the_books_must_agree_with_them(
    statement: str, table: str, key: str, bare_copy: Path
) -> None:
    with _by_hand(bare_copy) as connection:
        assert connection.execute(statement).rowcount > 0
    assert (table, key) in {(finding.table, finding.key) for finding in _findings(bare_copy)}


def test_a_row_that_two_entries_stand_for_is_found(full_world: World) -> None:
    digest = rows_digest({"bases": [full_world.row("bases", basis_number=1)]})
    entry = issue_entry(
        basis_number=1, period="2026-03", login="farai", issued={"sale": 1}, digest=digest
    )
    with full_world.store.write() as connection:
        ledger.post(TENANT, connection, entry=entry, now=full_world.tick())
    url = full_world.store.engine.url.render_as_string(hide_password=False)
    (report,) = verify(url, evidence=EVIDENCE)
    assert [str(finding) for finding in report.findings] == [
        "thabaneng: bases 1: entries 1 and 11 both stand for it"
    ]


def test_a_seal_of_another_key_is_found(full_world: World) -> None:
    url = full_world.store.engine.url.render_as_string(hide_password=False)
    (report,) = verify(url, evidence=Evidence(public_key=bytes(32)))
    assert [str(finding) for finding in report.findings] == [
        "thabaneng: ledger_checkpoints ledger/thabaneng/3: its seal is not the installation's"
    ]


def test_an_edit_is_found_on_both_kinds_of_database(full_world: World) -> None:
    store = full_world.store
    with store.write() as connection:
        if store.engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER tokens_no_update"))
        else:
            connection.execute(text("ALTER TABLE tokens DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE tokens SET amount_tenths = 60 WHERE basis_number = 1"))
    url = store.engine.url.render_as_string(hide_password=False)
    (report,) = verify(url, evidence=EVIDENCE)
    assert [str(finding) for finding in report.findings] == [
        "thabaneng: sales 1: its tokens do not carry what was sold",
        "thabaneng: tokens 1/1: it is not the row that entry 1 stands for",
    ]


@pytest.mark.parametrize("name", sorted(COVERED))
def test_books_and_checker_cover_every_column(name: str) -> None:
    """The number of the entry is compared with the entry itself."""
    key, others = COVERED[name]
    elsewhere = {"tenant", "ledger_entry"} | ({"length"} if name == "ledger_periods" else set())
    assert {*key, *others} == set(tables.metadata.tables[name].c.keys()) - elsewhere
    assert {*key, *others} == set(TABLES[name].columns)
    assert key == TABLES[name].key
    assert COVERED.keys() == TABLES.keys()
