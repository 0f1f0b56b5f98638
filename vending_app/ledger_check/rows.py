"""The rows that entries stand for: which columns of which tables, and the hash of a row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import RowMapping

from vending_app.ledger_check.canonical import hash_of, hash_text, moment_text
from vending_app.ledger_check.database import Tenant
from vending_app.ledger_check.findings import Finding


@dataclass(frozen=True, slots=True)
class Covered:
    """A table whose rows are covered: its key, and its columns by how they are read.

    Rows with the same first part of the key stand in the same entry, unless they are ``apart``.
    """

    key: tuple[str, ...]
    plain: tuple[str, ...]
    moments: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    apart: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.key, *self.plain, *self.moments, *self.flags, *self.secrets)

    def owned_by(self, key: str) -> str:
        """Return what a row shares with those that stand in the same entry."""
        return key if self.apart else key.partition("/")[0]


TABLES: Final[Mapping[str, Covered]] = {
    "sales": Covered(
        key=("sale_number",),
        plain=(
            *("basis_number", "drn", "account_number", "customer_number", "customer_name"),
            *("service", "tariff_code", "tariff_version", "tariff_name", "vendor_code", "login"),
            *("payment_method", "currency", "currency_exponent", "tendered_minor", "sold_tenths"),
            *("rounding", "counters_before", "counters_after"),
        ),
        moments=("sold_at",),
    ),
    "sale_lines": Covered(
        key=("sale_number", "line_number"),
        plain=(
            *("code", "kind", "label", "units_tenths", "rate", "amount_minor", "beneficiary"),
            "ledger_account",
        ),
    ),
    "bases": Covered(
        key=("basis_number",),
        plain=(*("kind", "maximum_tokens", "request_id", "drn", "case_number", "login", "reason"),),
        moments=("made_at",),
    ),
    "tokens": Covered(
        key=("basis_number", "token_number"),
        plain=(
            *("drn", "kind", "token_class", "subclass", "base_date", "tid", "amount_tenths"),
            *("currency_units", "supply_group_code", "key_revision_number", "key_type"),
            *("tariff_index", "encryption_algorithm", "key_expiry_number", "description"),
        ),
        moments=("made_at",),
        flags=("sample_tables",),
        secrets=("digits",),
    ),
    "token_marks": Covered(
        key=("basis_number", "token_number", "mark"),
        plain=("reason", "login"),
        moments=("marked_at",),
        apart=True,
    ),
    "credit_notes": Covered(
        key=("credit_note_number",),
        plain=("sale_number", "case_number", "amount_minor", "login"),
        moments=("made_at",),
    ),
    "ledger_periods": Covered(key=("period",), plain=("login",), moments=("closed_at",)),
}


@dataclass(slots=True)
class Coverage:
    """Which rows entries stand for, over all entries.

    Attributes:
        owners: Table to what its rows share to the entry that stands for them.
    """

    owners: dict[str, dict[str, int]] = field(default_factory=dict)

    def check(self, tenant: Tenant, claims: Mapping[int, Mapping[str, str]]) -> Iterator[Finding]:
        """Compare the rows that some entries claim with what stands in the tables.

        Args:
            tenant: Whose.
            claims: Number of the entry to name of the row to hash.
        """
        by_table: dict[str, dict[str, tuple[int, str]]] = {}
        for number, rows in claims.items():
            for name, digest in rows.items():
                table, _, key = name.partition(" ")
                if table in TABLES:
                    by_table.setdefault(table, {})[key] = (number, digest)
                    yield from self._own(tenant, table, key=key, number=number)
        for table, claimed in by_table.items():
            yield from _compare(tenant, table, claimed)

    def _own(self, tenant: Tenant, table: str, *, key: str, number: int) -> Iterator[Finding]:
        owners = self.owners.setdefault(table, {})
        owner = owners.setdefault(TABLES[table].owned_by(key), number)
        if owner != number:
            yield tenant.finding(table, key, f"entries {owner} and {number} both stand for it")

    def uncovered(self, tenant: Tenant) -> Iterator[Finding]:
        """Yield the rows that no entry stands for."""
        for table, covered in TABLES.items():
            owners = self.owners.get(table, {})
            keys = ", ".join(covered.key)
            for row in tenant.rows(f"SELECT {keys} FROM {table} WHERE tenant = :tenant"):  # noqa: S608 - names of our own
                key = "/".join(str(value) for value in row.values())
                if covered.owned_by(key) not in owners:
                    yield tenant.finding(table, key, "no entry of the ledger stands for it")


def _compare(
    tenant: Tenant, table: str, claimed: Mapping[str, tuple[int, str]]
) -> Iterator[Finding]:
    covered = TABLES[table]
    parents: list[Any] = sorted({key.partition("/")[0] for key in claimed})
    if table != "ledger_periods":
        parents = [int(parent) for parent in parents if parent.isdigit()]
    columns = ", ".join(covered.columns)
    found = set()
    for row in tenant.rows(
        f"SELECT {columns} FROM {table} WHERE tenant = :tenant AND {covered.key[0]} IN :keys",  # noqa: S608 - names of our own
        keys=parents,
    ):
        key = "/".join(str(row[column]) for column in covered.key)
        found.add(key)
        if key not in claimed:
            if covered.apart:
                continue
            yield tenant.finding(table, key, "the entry of its neighbours does not stand for it")
        elif row_hash(covered, row) != claimed[key][1]:
            yield tenant.finding(
                table, key, f"it is not the row that entry {claimed[key][0]} stands for"
            )
    for key in claimed.keys() - found:
        yield tenant.finding(
            table, key, f"it is not there, but entry {claimed[key][0]} stands for it"
        )


def row_hash(covered: Covered, row: RowMapping) -> str:
    """Return the hash of a row as the documentation defines it."""
    body = {column: row[column] for column in (*covered.key, *covered.plain)}
    body |= {column: moment_text(row[column]) for column in covered.moments}
    # SQLite keeps 0 and 1; anything else is no flag.
    body |= {
        column: bool(row[column]) if row[column] in (0, 1) else repr(row[column])
        for column in covered.flags
    }
    body |= {column: hash_text(str(row[column])) for column in covered.secrets}
    return hash_of(body)
