"""The chart of accounts: which there are, of what kind, and whose.

An account is named by the first word of its name, and by what it is about behind a colon.

=====================  =========  =============================================================
account                kind       what stands there
=====================  =========  =============================================================
cash                   asset      money in the till of the utility's own cashiers
card, mobile, bank     asset      money on its way from a card, a telephone, a bank
debt:…                 asset      what customers owe
subsidy:FUNDER         asset      what a funder is to pay for units given away
tokens, tokens:…       asset      tokens made without money, counted in ``TKN``
periods, periods:…     asset      months closed, counted in ``PER``
clock, clock:…         asset      how often the clock was set back, counted in ``CLK``
vendor-float:CODE      liability  what a vendor has paid in and not sold yet
account-credit:NUMBER  liability  what is left over of a customer's money
tax:… levy:…           liability  what belongs to the state and other beneficiaries
suspense               liability  what nobody can tell yet
sales:… fee:…          income     energy, and charges of the utility's own
rounding rounding:…    income     what rounding leaves; ``rounding:cash`` where coins are missing
commission:CODE        expense    what a vendor earns
=====================  =========  =============================================================
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from vending_app.domain.ledger_errors import LedgerAccountError

BUYERS_CREDIT: Final = "account-credit"
"""In a tariff: the credit of whoever buys."""
_FLOAT: Final = "vendor-float:"
_CREDIT: Final = "account-credit:"
_LONGEST_ACCOUNT: Final = 64


class AccountKind(StrEnum):
    """On which side of the books an account stands."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"


_CHART: Final[Mapping[str, AccountKind]] = {
    "account-credit": AccountKind.LIABILITY,
    "bank": AccountKind.ASSET,
    "card": AccountKind.ASSET,
    "cash": AccountKind.ASSET,
    "clock": AccountKind.ASSET,
    "commission": AccountKind.EXPENSE,
    "debt": AccountKind.ASSET,
    "fee": AccountKind.INCOME,
    "levy": AccountKind.LIABILITY,
    "mobile": AccountKind.ASSET,
    "periods": AccountKind.ASSET,
    "rounding": AccountKind.INCOME,
    "sales": AccountKind.INCOME,
    "subsidy": AccountKind.ASSET,
    "suspense": AccountKind.LIABILITY,
    "tax": AccountKind.LIABILITY,
    "tokens": AccountKind.ASSET,
    "vendor-float": AccountKind.LIABILITY,
}
"""The first word of an account's name to its kind; a new word is a row here."""


def account_kind(account: str) -> AccountKind:
    """Return the kind of an account, by its first word.

    Raises:
        LedgerAccountError: The chart has no such account.
    """
    word, colon, rest = account.partition(":")
    kind = _CHART.get(word)
    wrong = rest != rest.strip() or not account.isprintable() or bool(colon) != bool(rest)
    if kind is None or wrong or len(account) > _LONGEST_ACCOUNT:
        raise LedgerAccountError(account)
    return kind


def vendor_float(vendor_code: str) -> str:
    """Return the account of a vendor's float."""
    return f"{_FLOAT}{vendor_code}"


def account_credit(account_number: str) -> str:
    """Return the account of what is left over of a customer's money."""
    return f"{_CREDIT}{account_number}"


def account_of(account: str, *, account_number: str) -> str:
    """Return the account that a line of a sale is booked on.

    Tariffs know no customers: what they call ``account-credit`` is the buyer's.
    """
    return account_credit(account_number) if account == BUYERS_CREDIT else account


def party_of(account: str) -> tuple[str, str] | None:
    """Return whose account this is: ``("vendor", CODE)``, ``("account", NUMBER)`` or None.

    What is left of a float or a credit also stands in the row of its owner, and moves with it.
    """
    for kind, prefix in (("vendor", _FLOAT), ("account", _CREDIT)):
        if account.startswith(prefix):
            return kind, account.removeprefix(prefix)
    return None
