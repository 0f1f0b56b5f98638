"""The whole check, tenant by tenant, in one transaction that only reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, text

from vending_app.ledger_check.balances import check_balances, check_chart
from vending_app.ledger_check.checkpoints import RememberedHead, kept_heads, of_chain
from vending_app.ledger_check.database import Tenant, opened
from vending_app.ledger_check.entries import Chain, batches
from vending_app.ledger_check.findings import Finding
from vending_app.ledger_check.numbers import check_numbers
from vending_app.ledger_check.pricing import check_prices
from vending_app.ledger_check.rows import TABLES, Coverage
from vending_app.ledger_check.sales import check_credit_notes, check_sales
from vending_app.ledger_check.tokens import check_journal, check_requests, check_tokens

_OF_TENANTS: Final = (
    "dated_tables",
    "ledger_accounts",
    "ledger_checkpoints",
    "ledger_entries",
    "ledger_heads",
    "ledger_lines",
    "tariff_versions",
    *TABLES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known from elsewhere.

    Attributes:
        public_key: The installation's Ed25519 key, 32 bytes; None if it is not at hand.
        module_keys: Those of the security modules whose checkpoints are kept; none if not at hand.
        heads: Heads that checkpoints kept elsewhere, and key audit logs, remember.
        logs: Name of a key audit chain to its hashes by number.
    """

    public_key: bytes | None = None
    module_keys: Sequence[bytes] = ()
    heads: Sequence[RememberedHead] = ()
    logs: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the check of one tenant came to.

    Attributes:
        tenant: Whose books.
        entries: How many entries there are.
        head: The hash of the last.
        findings: What is wrong; sorted.
    """

    tenant: str
    entries: int
    head: str
    findings: tuple[Finding, ...]


def verify(
    url: str, *, tenant: str | None = None, evidence: Evidence | None = None
) -> tuple[Report, ...]:
    """Check the books of all tenants, or of one.

    Args:
        url: The database, ``sqlite:///PATH`` or ``postgresql://…``.
        tenant: Which; None for all.
        evidence: What is known from elsewhere.

    Returns:
        A report for each; none for a tenant that does not exist.
    """
    known = evidence or Evidence()
    with opened(url) as connection:
        names = _tenants(connection)
        strays = () if tenant else tuple(_strays(connection, names))
        reports = [
            _verify_tenant(Tenant(connection, name), known)
            for name in names
            if tenant in (None, name)
        ]
    if strays:
        reports.append(Report(tenant="", entries=0, head="", findings=strays))
    return tuple(reports)


def _tenants(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT tenant FROM tenants ORDER BY tenant")).scalars())


def _strays(connection: Connection, names: Sequence[str]) -> Iterator[Finding]:
    """Yield rows of tenants that do not exist."""
    for table in _OF_TENANTS:
        found = connection.execute(text(f"SELECT DISTINCT tenant FROM {table}")).scalars()  # noqa: S608 - names of our own
        for name in sorted(set(found) - set(names)):
            yield Finding(tenant=name, table=table, key="*", what="there is no such tenant")


def _verify_tenant(tenant: Tenant, evidence: Evidence) -> Report:
    heads = list(evidence.heads)
    findings = list(
        kept_heads(
            tenant,
            public_key=evidence.public_key,
            module_keys=evidence.module_keys,
            logs=evidence.logs,
            heads=heads,
        )
    )
    chain = Chain(tenant, remembered=of_chain(heads, f"ledger/{tenant.name}"))
    coverage = Coverage()
    for entries in batches(tenant):
        for entry in entries:
            findings += chain.check(entry)
        findings += coverage.check(tenant, {entry.number: entry.rows for entry in entries})
        findings += check_sales(tenant, entries)
        findings += check_credit_notes(tenant, entries)
    findings += chain.end()
    findings += coverage.uncovered(tenant)
    findings += _check_periods(tenant)
    findings += check_balances(tenant, chain.balances)
    findings += check_chart(tenant, chain.balances)
    findings += check_numbers(tenant)
    findings += check_prices(tenant)
    findings += check_tokens(tenant)
    findings += check_requests(tenant)
    findings += check_journal(tenant)
    return Report(
        tenant=tenant.name,
        entries=chain.length,
        head=chain.hash,
        findings=tuple(sorted(set(findings))),
    )


def _check_periods(tenant: Tenant) -> Iterator[Finding]:
    """Yield the closed months that do not name the entry that closed them."""
    yield from tenant.found(
        "ledger_periods",
        "SELECT period FROM ledger_periods AS month WHERE tenant = :tenant AND NOT EXISTS "
        "(SELECT 1 FROM ledger_entries AS entry WHERE entry.tenant = month.tenant "
        "AND entry.entry_number = month.length AND entry.kind = 'period close' "
        "AND entry.reference = 'period ' || month.period)",
        "length is not the number of the entry that closed it",
    )
