"""Prices: each tariff and each table of rates is the document that was approved.

What a sale cost stands in the books. What the next one will cost stands here, and whoever edits a
price by hand must not go unnoticed until a customer counts.
"""

from collections.abc import Iterator

from vending_app.ledger_check.canonical import hash_text, read_object
from vending_app.ledger_check.database import Tenant
from vending_app.ledger_check.findings import Finding


def check_prices(tenant: Tenant) -> Iterator[Finding]:
    """Yield the documents that are not what their hash says, or that are kept as another."""
    for row in tenant.rows(
        "SELECT tariff_code, tariff_version, first_day, last_day, document, document_hash "
        "FROM tariff_versions WHERE tenant = :tenant ORDER BY tariff_code, tariff_version"
    ):
        said = read_object(row["document"])
        kept = (row["tariff_code"], row["tariff_version"], row["first_day"], row["last_day"])
        names = ("code", "number", "first_day", "last_day")
        yield from _check(
            tenant,
            f"tariff_versions {row['tariff_code']}/{row['tariff_version']}",
            document=(row["document"], row["document_hash"]),
            is_kept_as_said=tuple(map(said.get, names)) == kept,
        )
    for row in tenant.rows(
        "SELECT table_code, revision, document, document_hash "
        "FROM dated_tables WHERE tenant = :tenant ORDER BY table_code, revision"
    ):
        yield from _check(
            tenant,
            f"dated_tables {row['table_code']}/{row['revision']}",
            document=(row["document"], row["document_hash"]),
            is_kept_as_said=read_object(row["document"]).get("code") == row["table_code"],
        )


def _check(
    tenant: Tenant, name: str, *, document: tuple[str, str], is_kept_as_said: bool
) -> Iterator[Finding]:
    table, _, key = name.partition(" ")
    text, text_hash = document
    if hash_text(text) != text_hash:
        yield tenant.finding(table, key, "it is not the document that was approved")
    elif not is_kept_as_said:
        yield tenant.finding(table, key, "it is not what its document says")
