"""What an entry of the books says of the rows that it stands for: SHA-256 of each.

The rows of a sale lie in tables of their own. The entry that books the sale holds the hash of every
one of them, and is itself a link of the hash chain, so that nobody alters a sale, a line of it, a
basis or a token without breaking the chain. The hash is over the canonical JSON
(``keys.canonical_json``) of the columns in ``COVERED``, with three things changed:

- the 20 digits of a token are replaced by their SHA-256, so that books that are handed out give no
  token away;
- a moment is written in UTC with six decimals: ``2026-03-02T08:15:30.000000Z``;
- the tenant and the number of the entry itself stand elsewhere, and are left out.

A row is named by its table and its key: ``sales 12``, ``sale_lines 12/1``, ``tokens 40/2``.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, TypeAlias

from keys.canonical_json import JsonValue, canonical_bytes
from sts.token_identifier import require_utc
from vending_app.domain.ledger_errors import LedgerRowError

Row: TypeAlias = Mapping[str, object]
"""Column to value, every column of the table there, as it is inserted."""

_ELSEWHERE: Final = frozenset({"tenant", "ledger_entry", "length"})
_PLAIN: Final = frozenset({str, int, bool, type(None)})
_SECRET: Final = "digits"  # noqa: S105 - the name of a column

COVERED: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "sales": (
        ("sale_number",),
        (
            "basis_number",
            "drn",
            "account_number",
            "customer_number",
            "customer_name",
            "service",
            "tariff_code",
            "tariff_version",
            "tariff_name",
            "vendor_code",
            "login",
            "payment_method",
            "currency",
            "currency_exponent",
            "tendered_minor",
            "sold_tenths",
            "rounding",
            "counters_before",
            "counters_after",
            "sold_at",
        ),
    ),
    "sale_lines": (
        ("sale_number", "line_number"),
        (
            "code",
            "kind",
            "label",
            "units_tenths",
            "rate",
            "amount_minor",
            "beneficiary",
            "ledger_account",
        ),
    ),
    "bases": (
        ("basis_number",),
        (
            "kind",
            "maximum_tokens",
            "request_id",
            "drn",
            "case_number",
            "login",
            "reason",
            "made_at",
        ),
    ),
    "tokens": (
        ("basis_number", "token_number"),
        (
            "drn",
            "kind",
            "token_class",
            "subclass",
            "base_date",
            "tid",
            "digits",
            "amount_tenths",
            "currency_units",
            "supply_group_code",
            "key_revision_number",
            "key_type",
            "tariff_index",
            "encryption_algorithm",
            "key_expiry_number",
            "sample_tables",
            "description",
            "made_at",
        ),
    ),
    "token_marks": (
        ("basis_number", "token_number", "mark"),
        ("reason", "login", "marked_at"),
    ),
    "credit_notes": (
        ("credit_note_number",),
        ("sale_number", "case_number", "amount_minor", "login", "made_at"),
    ),
    "ledger_periods": (("period",), ("login", "closed_at")),
}
"""Table to the columns of its key, the tenant apart, and its other columns."""
_COLUMNS: Final = {table: frozenset((*key, *others)) for table, (key, others) in COVERED.items()}


def rows_digest(rows: Mapping[str, Iterable[Row]]) -> dict[str, str]:
    """Return the name of each row with its hash, for the entry that stands for them.

    Args:
        rows: Table to rows, each with every column of the table as it is inserted: NULL as None,
            and those that the database would fill in by itself, too.

    Raises:
        LedgerRowError: A row lacks a column or has one that the table has not.
        CanonicalJsonError: A value without a canonical form.
    """
    return {
        row_name(table, row): row_digest(table, row)
        for table, several in rows.items()
        for row in several
    }


def sale_digest(
    *,
    sale: Row,
    lines: Iterable[Row],
    bases: Iterable[Row],
    tokens: Iterable[Row],
    token_marks: Iterable[Row] = (),
) -> dict[str, str]:
    """Return the digest of a sale: its rows with the hash of each, see ``rows_digest``.

    Args:
        sale: Its row in ``sales``; the number of the entry need not be known yet.
        lines: Its rows in ``sale_lines``.
        bases: Its basis, and that of a key change that came with it.
        tokens: The tokens of these bases.
        token_marks: What stands in ``token_marks`` of these tokens, usually nothing.
    """
    return rows_digest(
        {
            "sales": (sale,),
            "sale_lines": lines,
            "bases": bases,
            "tokens": tokens,
            "token_marks": token_marks,
        }
    )


def row_name(table: str, row: Row) -> str:
    """Return what a row is called: its table and its key."""
    key, _ = COVERED[table]
    return f"{table} {'/'.join([str(row[column]) for column in key])}"


def row_digest(table: str, row: Row) -> str:
    """Return the hash of one row, hexadecimal; ``rows_digest`` says of what and raises what."""
    columns = _COLUMNS[table]
    found = row.keys() - _ELSEWHERE
    if found != columns:
        raise LedgerRowError(table, columns ^ found)
    body: dict[str, JsonValue] = {
        column: value if type(value) in _PLAIN else _plain(value)  # type: ignore[misc]  # it is one
        for column, value in row.items()
        if column in columns
    }
    if _SECRET in body:
        body[_SECRET] = sha256(str(row[_SECRET]).encode("ascii")).hexdigest()
    return sha256(canonical_bytes(body)).hexdigest()


def moment_text(moment: datetime) -> str:
    """Return a moment as it stands in what is hashed: UTC, six decimals of a second.

    Raises:
        NaiveDatetimeError: It has no zone.
    """
    return _utc_text(require_utc(moment))


@lru_cache(maxsize=16)
def _utc_text(moment: datetime) -> str:
    """Return the text of a moment in UTC; most rows of a sale have the same one.

    In UTC only: elsewhere two moments are equal that are an hour apart, when the clocks go back.
    """
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _plain(value: object) -> JsonValue:
    if isinstance(value, datetime):
        return moment_text(value)
    # It has no canonical form; `canonical_bytes` says so in its own words.
    return value  # type: ignore[return-value]  # what is not JSON is refused there
