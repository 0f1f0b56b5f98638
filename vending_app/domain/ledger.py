"""The books: accounts, entries that balance, and what a sale, a credit note, a deposit book.

An entry has two or more lines, ``Posting`` each: a debit is above nothing, a credit below, and in
every currency they add up to nothing. Amounts are whole numbers of the smallest unit.

The accounts are those of ``vending_app.domain.chart``. A use case makes the entry, then calls
``vending_app.storage.ledger.post`` in its transaction, which returns the number of the entry:

    digest = sale_digest(sale=row, lines=line_rows, bases=basis_rows, tokens=token_rows)
    postings = sale_postings(
        account_number="A1", lines=[("sales:energy", 8696), ("tax:VAT", 1304)],
        tender=Tender(currency="ZAR", tendered_minor=10000, payment_method="cash"),
    )
    entry = sale_entry(
        sale_number=12, period=period_of(now, zone), login="zanele", postings=postings,
        digest=digest,
    )
    posted = ledger.post(tenant, connection, entry=entry, now=now)

**Every basis of tokens is covered by exactly one entry**, or else the checker reports it. A basis
without money (free issue, key change, job card, withheld) is booked with ``issue_entry``, which
counts tokens instead of money.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from keys.canonical_json import JsonObject, JsonValue
from vending_app.domain.chart import account_kind, account_of, vendor_float
from vending_app.domain.ledger_errors import (
    FewPostingsError,
    FloatDepositError,
    PostingError,
    UnbalancedEntryError,
)
from vending_app.domain.money import LARGEST_MINOR
from vending_app.domain.periods import require_period

TOKEN_UNIT: Final = "TKN"  # noqa: S105 - what tokens are counted in, where money is in ZAR
"""Not a currency of ISO 4217: tokens, counted."""
PERIOD_UNIT: Final = "PER"
"""Not a currency either: months, counted."""
CLOCK_UNIT: Final = "CLK"
"""Nor is this: how often the clock was set back."""

CASH: Final = "cash"
CASH_ROUNDING: Final = "rounding:cash"
_UNIT_LETTERS: Final = 3
_FEWEST_POSTINGS: Final = 2


class EntryKind(StrEnum):
    """What an entry is about."""

    SALE = "sale"
    CREDIT_NOTE = "credit note"
    ISSUE = "issue"
    FLOAT_DEPOSIT = "float deposit"
    CORRECTION = "correction"
    PERIOD_CLOSE = "period close"
    CLOCK_SET_BACK = "clock set back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One line of an entry.

    Attributes:
        account: Where.
        amount_minor: Debit above nothing, credit below.
        currency: Three capitals.

    Raises:
        LedgerAccountError: No account of the chart.
        PostingError: Nothing, too much, or no currency.
    """

    account: str
    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        account_kind(self.account)
        if not 0 < abs(self.amount_minor) <= LARGEST_MINOR:
            raise PostingError("The amount of a line is not nothing, and not beyond all bounds.")
        letters = self.currency
        if len(letters) != _UNIT_LETTERS or not (letters.isascii() and letters.isupper()):
            raise PostingError("The currency of a line is three capitals.")

    def reversed(self) -> "Posting":
        """Return the line that takes this one back."""
        return Posting(
            account=self.account, amount_minor=-self.amount_minor, currency=self.currency
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """An entry of the books before it has a number.

    Attributes:
        kind: What it is about.
        reference: The thing that it is about, ``sale 12``; unique among entries of its kind.
        period: The month that it belongs in; ``post`` books it in the first open one if that is
            closed.
        login: Who made it.
        postings: Its lines.
        facts: What else the chain is to remember: numbers, short texts, hashes.
        digest: The rows that it stands for, see ``vending_app.domain.ledger_rows``.
        original_period: Of a correction, the month of what it corrects, if that is another.

    Raises:
        FewPostingsError, UnbalancedEntryError: Lines that are no entry.
        PeriodFormatError: Not a month.
    """

    kind: EntryKind
    reference: str
    period: str
    login: str
    postings: tuple[Posting, ...]
    facts: JsonObject = field(default_factory=dict)
    digest: Mapping[str, str] = field(default_factory=dict)
    original_period: str | None = None

    def __post_init__(self) -> None:
        """Refuse what does not balance."""
        require_period(self.period)
        if self.original_period is not None:
            require_period(self.original_period)
        if len(self.postings) < _FEWEST_POSTINGS:
            raise FewPostingsError
        sums: dict[str, int] = {}
        for posting in self.postings:
            sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount_minor
        left = {currency: amount for currency, amount in sums.items() if amount}
        if left:
            raise UnbalancedEntryError(left)

    def record(self, *, period: str, posted_at: str) -> JsonObject:
        """Return what is hashed.

        Args:
            period: The month that it is booked in.
            posted_at: When, as ``ledger_rows.moment_text`` writes it.
        """
        original = self.original_period
        if original is None and period != self.period:
            original = self.period
        record: dict[str, JsonValue] = {
            "kind": self.kind,
            "reference": self.reference,
            "period": period,
            "login": self.login,
            "posted_at": posted_at,
            "lines": [
                [posting.account, posting.amount_minor, posting.currency]
                for posting in self.postings
            ],
            "document": {**self.facts, "rows": dict(self.digest)},
        }
        if original is not None:
            record["original_period"] = original
        return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """The money of a sale.

    Attributes:
        currency: Of all amounts.
        tendered_minor: What the lines of the sale add up to.
        payment_method: ``cash``, ``card``, ``mobile`` or ``bank``.
        vendor_code: The vendor who sold, whose float pays; None for the utility's own cashiers.
        cash_rounding_minor: What was paid in coins beyond ``tendered_minor``, below nothing if it
            was less; see ``cash_due``.
        commission_minor: What the vendor earns with it.
    """

    currency: str
    tendered_minor: int
    payment_method: str
    vendor_code: str | None = None
    cash_rounding_minor: int = 0
    commission_minor: int = 0

    @property
    def account(self) -> str:
        """Where the money goes, or comes from if it is a vendor's float."""
        return self.payment_method if self.vendor_code is None else vendor_float(self.vendor_code)


def chain_name(tenant: str) -> str:
    """Return the name of the hash chain of a tenant's books."""
    return f"ledger/{tenant}"


def cash_due(amount_minor: int, *, step_minor: int) -> int:
    """Return what is paid in coins: the nearest multiple of the smallest coin.

    Half a coin is rounded down, in the customer's favour. What is paid less the amount is the
    ``cash_rounding_minor`` of a ``Tender``.
    """
    return (2 * amount_minor + step_minor - 1) // (2 * step_minor) * step_minor


def sale_postings(
    *, account_number: str, tender: Tender, lines: Iterable[tuple[str, int]]
) -> tuple[Posting, ...]:
    """Return the lines of a sale's entry.

    The money is a debit, of the vendor's float if a vendor sold; each line of the sale is a credit
    on its account, and a debit if its amount is below nothing (a subsidy, or credit of the
    customer's that is used up). Lines of nothing book nothing.

    Args:
        account_number: Who bought.
        tender: The money.
        lines: Account and amount of each line of the sale.

    Raises:
        LedgerError: An account that the chart has not.
    """
    rounding, commission = tender.cash_rounding_minor, tender.commission_minor
    earned = "" if tender.vendor_code is None else f"commission:{tender.vendor_code}"
    booked = [
        (tender.account, tender.tendered_minor + rounding),
        *(
            (account_of(account, account_number=account_number), -amount)
            for account, amount in lines
        ),
        (CASH_ROUNDING, -rounding),
        (earned, commission),
        (tender.account, -commission),
    ]
    return _postings(booked, tender.currency)


def sale_entry(
    *,
    sale_number: int,
    period: str,
    login: str,
    postings: tuple[Posting, ...],
    digest: Mapping[str, str],
) -> LedgerEntry:
    """Return the entry of a sale.

    Args:
        sale_number: Its number.
        period: The month.
        login: Who sold.
        postings: What ``sale_postings`` returns.
        digest: What ``sale_digest`` returns.

    Raises:
        LedgerError: Lines that are not the money.
    """
    return LedgerEntry(
        kind=EntryKind.SALE,
        reference=f"sale {sale_number}",
        period=period,
        login=login,
        postings=postings,
        digest=digest,
    )


def issue_entry(
    *,
    basis_number: int,
    period: str,
    login: str,
    issued: Mapping[str, int],
    digest: Mapping[str, str],
) -> LedgerEntry:
    """Return the entry of tokens made without money.

    Args:
        basis_number: The basis, or the first of those of one request.
        period: The month.
        login: Who had them made.
        issued: Kind of basis to how many tokens.
        digest: What ``rows_digest`` returns of the bases, tokens and marks.

    Raises:
        LedgerError: No tokens.
    """
    booked = [(f"tokens:{kind}", count) for kind, count in issued.items()]
    return LedgerEntry(
        kind=EntryKind.ISSUE,
        reference=f"basis {basis_number}",
        period=period,
        login=login,
        postings=_postings([*booked, ("tokens", -sum(issued.values()))], TOKEN_UNIT),
        digest=digest,
    )


def reversal_entry(
    *,
    credit_note_number: int,
    period: str,
    login: str,
    sale: Sequence[Posting],
    sale_entry_number: int,
    sale_period: str,
    digest: Mapping[str, str],
) -> LedgerEntry:
    """Return the entry of a credit note: every line of the sale's entry, taken back.

    Args:
        credit_note_number: Its number.
        period: The month of the credit note, not of the sale.
        login: Who made it.
        sale: The lines of the sale's entry.
        sale_entry_number: The number of that entry.
        sale_period: The month that it is booked in.
        digest: What ``rows_digest`` returns of the rows in ``credit_notes`` and ``token_marks``.

    Raises:
        LedgerError: Lines that are no entry.
    """
    return LedgerEntry(
        kind=EntryKind.CREDIT_NOTE,
        reference=f"credit note {credit_note_number}",
        period=period,
        login=login,
        postings=tuple(posting.reversed() for posting in sale),
        facts={"reverses": sale_entry_number},
        digest=digest,
        original_period=None if sale_period == period else sale_period,
    )


def deposit_entry(
    *, reference: str, period: str, login: str, vendor_code: str, amount_minor: int, currency: str
) -> LedgerEntry:
    """Return the entry of money that a vendor pays into the float, through the bank.

    Raises:
        FloatDepositError: Not above nothing.
        LedgerError: Too much, or no currency.
    """
    if amount_minor <= 0:
        raise FloatDepositError
    return LedgerEntry(
        kind=EntryKind.FLOAT_DEPOSIT,
        reference=reference,
        period=period,
        login=login,
        postings=_postings(
            [("bank", amount_minor), (vendor_float(vendor_code), -amount_minor)], currency
        ),
    )


def _postings(booked: Iterable[tuple[str, int]], currency: str) -> tuple[Posting, ...]:
    """Return the lines that book something."""
    return tuple(
        Posting(account=account, amount_minor=amount, currency=currency)
        for account, amount in booked
        if amount
    )
