"""What is left of floats and credits, and the chart of accounts."""

from collections.abc import Iterator, Mapping
from typing import Final

from vending_app.ledger_check.database import Tenant
from vending_app.ledger_check.findings import Finding

_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "asset": frozenset(
        {"bank", "card", "cash", "clock", "debt", "mobile", "periods", "subsidy", "tokens"}
    ),
    "liability": frozenset({"account-credit", "levy", "suspense", "tax", "vendor-float"}),
    "income": frozenset({"fee", "rounding", "sales"}),
    "expense": frozenset({"commission"}),
}
_PARTIES: Final = (
    ("vendors", "vendor_code", "float_minor", "vendor-float:"),
    ("accounts", "account_number", "credit_minor", "account-credit:"),
)


def check_balances(tenant: Tenant, balances: Mapping[tuple[str, str], int]) -> Iterator[Finding]:
    """Compare the rows of vendors and customers with their accounts in the books.

    Args:
        tenant: Whose.
        balances: Account and currency to the sum of all lines.
    """
    left: dict[str, int] = {}
    for (account, _), amount in balances.items():
        left[account] = left.get(account, 0) - amount
    for table, key, column, prefix in _PARTIES:
        owners = set()
        for row in tenant.rows(f"SELECT {key}, {column} FROM {table} WHERE tenant = :tenant"):  # noqa: S608 - names of our own
            account = f"{prefix}{row[key]}"
            owners.add(account)
            if row[column] != left.get(account, 0):
                yield tenant.finding(
                    table,
                    row[key],
                    f"{column} is {row[column]}, but the ledger has {left.get(account, 0)}",
                )
        for account in left:
            if account.startswith(prefix) and account not in owners:
                yield tenant.finding("ledger_accounts", account, f"its owner is not in {table}")


def check_chart(tenant: Tenant, balances: Mapping[tuple[str, str], int]) -> Iterator[Finding]:
    """Look at the accounts: each is of the kind that its first word says, and none is missing."""
    known = set()
    for row in tenant.rows("SELECT account, kind FROM ledger_accounts WHERE tenant = :tenant"):
        known.add(row["account"])
        word = str(row["account"]).partition(":")[0]
        if word not in _KINDS.get(str(row["kind"]), ()):
            yield tenant.finding(
                "ledger_accounts", row["account"], f"it is no {row['kind']} account"
            )
    used = {account for account, _ in balances}
    for account in sorted(used - known):
        yield tenant.finding("ledger_accounts", account, "it is missing, but lines use it")
