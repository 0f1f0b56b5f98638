"""Tokens: each has its basis, no basis more than it may, no identifier twice, none unaccounted for.

What the security module wrote into the issue journal and the tokens that are kept must be the same
ones. A module elsewhere keeps its journal itself; its requests have a plan, and are left out.
"""

from collections.abc import Iterator
from typing import Final

from vending_app.ledger_check.database import Tenant
from vending_app.ledger_check.findings import Finding

_DRN_OF_PAN: Final = (
    "CASE WHEN meter_pan LIKE '600727%' THEN substr(meter_pan, 7, 11) "
    "ELSE substr(meter_pan, 5, 13) END"
)
_IN_PROCESS: Final = (
    "EXISTS (SELECT 1 FROM bases AS basis JOIN requests AS request "
    "ON request.tenant = basis.tenant AND request.request_id = basis.request_id "
    "WHERE basis.tenant = token.tenant AND basis.basis_number = token.basis_number "
    "AND request.plan IS NULL)"
)

_OF_REQUEST: Final = (
    "substr(made.message_id, 1, length(basis.tenant) + length(basis.request_id) + 2) = "
    "basis.tenant || '/' || basis.request_id || '/'"
)
# Credit that takes something away is not counted.
_COUNTED_CREDIT: Final = (
    "CASE WHEN token.currency_units IS NULL OR token.currency_units LIKE '-%' THEN '0' "
    "ELSE token.currency_units END"
)


def check_tokens(tenant: Tenant) -> Iterator[Finding]:
    """Yield what is wrong about tokens and their bases."""
    yield from tenant.found(
        "tokens",
        "SELECT basis_number, token_number FROM tokens AS token WHERE tenant = :tenant "
        "AND NOT EXISTS (SELECT 1 FROM bases AS basis WHERE basis.tenant = token.tenant "
        "AND basis.basis_number = token.basis_number AND basis.drn = token.drn)",
        "it has no basis, or one for another meter",
    )
    yield from tenant.found(
        "bases",
        "SELECT basis_number FROM bases AS basis WHERE tenant = :tenant AND maximum_tokens < "
        "(SELECT COUNT(*) FROM tokens AS token WHERE token.tenant = basis.tenant "
        "AND token.basis_number = basis.basis_number)",
        "it has more tokens than it may have",
    )
    yield from tenant.found(
        "tokens",
        "SELECT basis_number, token_number FROM tokens AS token WHERE tenant = :tenant "
        "AND tid IS NOT NULL AND EXISTS (SELECT 1 FROM tokens AS other "
        "WHERE other.tenant = token.tenant AND other.drn = token.drn "
        "AND other.base_date = token.base_date AND other.tid = token.tid "
        "AND (other.basis_number <> token.basis_number "
        "OR other.token_number <> token.token_number))",
        "another token of the meter has its identifier",
    )
    yield from tenant.found(
        "sale_lines",
        "SELECT sale_number, line_number FROM sale_lines AS line WHERE tenant = :tenant "
        "AND NOT EXISTS (SELECT 1 FROM sales AS sale WHERE sale.tenant = line.tenant "
        "AND sale.sale_number = line.sale_number)",
        "it has no sale",
    )
    yield from _check_amounts(tenant)


def _check_amounts(tenant: Tenant) -> Iterator[Finding]:
    yield from tenant.found(
        "sales",
        "SELECT sale_number FROM sales AS sale WHERE tenant = :tenant AND sold_tenths <> "
        "(SELECT COALESCE(SUM(amount_tenths), 0) FROM tokens AS token "
        "WHERE token.tenant = sale.tenant AND token.basis_number = sale.basis_number)",
        "its tokens do not carry what was sold",
    )
    yield from tenant.found(
        "sales",
        "SELECT sale_number FROM sales AS sale WHERE tenant = :tenant AND NOT EXISTS "
        "(SELECT 1 FROM bases AS basis WHERE basis.tenant = sale.tenant AND basis.kind = 'sale' "
        "AND basis.basis_number = sale.basis_number AND basis.drn = sale.drn)",
        "its basis is none of a sale to this meter",
    )


def check_requests(tenant: Tenant) -> Iterator[Finding]:
    """Yield the requests that do not agree with what came of them."""
    yield from tenant.found(
        "bases",
        "SELECT basis_number FROM bases AS basis WHERE tenant = :tenant AND NOT EXISTS "
        "(SELECT 1 FROM requests AS request WHERE request.tenant = basis.tenant "
        "AND request.request_id = basis.request_id AND request.login = basis.login "
        "AND (request.drn IS NULL OR request.drn = basis.drn) "
        "AND request.state = CASE basis.kind WHEN 'withheld' THEN 'failed' ELSE 'done' END)",
        "no finished request of its operator and meter is the reason of it",
    )
    yield from tenant.found(
        "requests",
        "SELECT request_id FROM requests AS request WHERE tenant = :tenant AND state = 'done' "
        "AND kind IN ('sale', 'issue') AND NOT EXISTS "
        "(SELECT 1 FROM bases AS basis WHERE basis.tenant = request.tenant "
        "AND basis.request_id = request.request_id)",
        "it is done, but nothing came of it",
    )
    yield from tenant.found(
        "tokens",
        "SELECT basis_number, token_number FROM tokens AS token WHERE tenant = :tenant "
        "AND EXISTS (SELECT 1 FROM bases AS basis WHERE basis.tenant = token.tenant "
        "AND basis.basis_number = token.basis_number AND basis.kind = 'withheld') "
        "AND NOT EXISTS (SELECT 1 FROM token_marks AS mark WHERE mark.tenant = token.tenant "
        "AND mark.basis_number = token.basis_number AND mark.token_number = token.token_number "
        "AND mark.mark = 'withheld')",
        "it is withheld, but not marked so",
    )


def check_journal(tenant: Tenant) -> Iterator[Finding]:
    """Compare the tokens with what the security module wrote down."""
    yield from tenant.found(
        "issue_journal",
        "SELECT message_id FROM issue_journal AS made WHERE tenant = :tenant "  # noqa: S608 - names of our own
        "AND tid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tokens AS token JOIN bases AS basis "
        "ON basis.tenant = token.tenant AND basis.basis_number = token.basis_number "
        f"WHERE token.tenant = made.tenant AND token.drn = {_DRN_OF_PAN} "
        "AND token.base_date = made.base_date AND token.tid = made.tid "
        "AND token.supply_group_code = made.supply_group_code "
        "AND token.key_revision_number = made.key_revision_number "
        f"AND {_OF_REQUEST} AND made.credit_units = {_COUNTED_CREDIT})",
        "the module made a token that is not kept, or not as it stands there",
    )
    yield from tenant.found(
        "issue_journal",
        "SELECT message_id FROM issue_journal AS made WHERE tenant = :tenant "
        "AND tid IS NULL AND NOT EXISTS (SELECT 1 FROM bases AS basis JOIN tokens AS token "
        "ON token.tenant = basis.tenant AND token.basis_number = basis.basis_number "
        "WHERE basis.tenant = made.tenant AND token.tid IS NULL "
        "AND made.message_id = basis.tenant || '/' || basis.request_id || '/key')",
        "the module made a key change that is not kept",
    )
    (kept,) = tenant.rows(
        "SELECT COUNT(*) AS tokens FROM tokens AS token WHERE tenant = :tenant "  # noqa: S608 - names of our own
        f"AND tid IS NOT NULL AND {_IN_PROCESS}"
    )
    (made,) = tenant.rows(
        "SELECT COUNT(*) AS tokens FROM issue_journal WHERE tenant = :tenant AND tid IS NOT NULL"
    )
    if kept["tokens"] != made["tokens"]:
        yield from _unmade(tenant)
    yield from tenant.found(
        "tokens",
        "SELECT token.basis_number, token_number FROM tokens AS token JOIN bases AS basis "  # noqa: S608 - names of our own
        "ON basis.tenant = token.tenant AND basis.basis_number = token.basis_number "
        f"WHERE token.tenant = :tenant AND tid IS NULL AND {_IN_PROCESS} AND NOT EXISTS "
        "(SELECT 1 FROM issue_journal AS made WHERE made.tenant = token.tenant "
        "AND made.message_id = basis.tenant || '/' || basis.request_id || '/key')",
        "the module did not make this key change",
    )
    yield from _miscounted(tenant)


def _miscounted(tenant: Tenant) -> Iterator[Finding]:
    """Yield the vending keys that count other credit than the journal has."""
    journalled: dict[tuple[object, object], int] = {}
    for row in tenant.rows(
        "SELECT supply_group_code, key_revision_number, credit_units FROM issue_journal "
        "WHERE tenant = :tenant AND credit_units <> '0'"
    ):
        key = row["supply_group_code"], row["key_revision_number"]
        journalled[key] = journalled.get(key, 0) + int(row["credit_units"])
    for row in tenant.rows(
        "SELECT supply_group_code, key_revision_number, credit_units FROM key_credit "
        "WHERE tenant = :tenant"
    ):
        key = row["supply_group_code"], row["key_revision_number"]
        if row["credit_units"] != str(journalled.get(key, 0)):
            name = "/".join(map(str, key))
            yield tenant.finding("key_credit", name, "the journal has other credit of this key")


def _unmade(tenant: Tenant) -> Iterator[Finding]:
    """Yield the tokens that no module of this process made; their number says that some are."""
    yield from tenant.found(
        "tokens",
        "SELECT basis_number, token_number FROM tokens AS token WHERE tenant = :tenant "  # noqa: S608 - names of our own
        f"AND tid IS NOT NULL AND {_IN_PROCESS} AND NOT EXISTS "
        "(SELECT 1 FROM issue_journal AS made WHERE made.tenant = token.tenant "
        f"AND made.base_date = token.base_date AND made.tid = token.tid AND token.drn = "
        f"{_DRN_OF_PAN})",
        "the module did not make it",
    )
