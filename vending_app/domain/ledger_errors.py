"""Every way in which the books refuse something.

LedgerError                         LEDGER
├── LedgerAccountError              LEDGER_ACCOUNT
├── PostingError                    LEDGER_POSTING
├── FewPostingsError                LEDGER_FEW_POSTINGS
├── UnbalancedEntryError            LEDGER_UNBALANCED
├── LedgerRowError                  LEDGER_ROW
├── LedgerReferenceReusedError      LEDGER_REFERENCE_REUSED
├── UnknownLedgerEntryError         UNKNOWN_LEDGER_ENTRY
├── FloatDepositError               FLOAT_DEPOSIT
├── LedgerLimitError                LEDGER_LIMIT
├── LedgerClockBehindError          CLOCK_BEHIND
├── LedgerClockAheadError           CLOCK_FAR_AHEAD
├── ClockOtherDayError              CLOCK_OTHER_DAY
├── ClockOtherTimeError             CLOCK_OTHER_TIME
├── ClockNotBehindError             CLOCK_NOT_BEHIND
├── ClockLimitError                 CLOCK_LIMIT
└── PeriodError                     PERIOD
    ├── PeriodFormatError           PERIOD_FORMAT
    ├── PeriodNotOverError          PERIOD_NOT_OVER
    ├── PeriodClosedError           PERIOD_CLOSED
    └── NothingToCloseError         PERIOD_EMPTY
"""

from collections.abc import Mapping
from datetime import date, datetime, time

from vending_app.domain.errors import VendingError


class LedgerError(VendingError):
    """The books cannot be written like this."""

    code = "LEDGER"


class LedgerAccountError(LedgerError):
    """A name that is no account of the chart, or whose owner does not exist."""

    code = "LEDGER_ACCOUNT"
    hint = "accounts are named like cash, sales:energy, tax:VAT or vendor-float:SPAZA"

    def __init__(self, account: str) -> None:
        """Name the account."""
        super().__init__(f"There is no account {account!r} in the books.")


class PostingError(LedgerError):
    """An amount of nothing, beyond all bounds, or in no currency."""

    code = "LEDGER_POSTING"


class FewPostingsError(LedgerError):
    """An entry with fewer than two lines: money comes from somewhere and goes somewhere."""

    code = "LEDGER_FEW_POSTINGS"

    def __init__(self) -> None:
        """Say how many it needs."""
        super().__init__("An entry of the books has at least two lines.")


class UnbalancedEntryError(LedgerError):
    """An entry whose debits are not its credits."""

    code = "LEDGER_UNBALANCED"

    def __init__(self, sums: Mapping[str, int]) -> None:
        """Say what is left over in which currency."""
        left = ", ".join(f"{amount} {currency}" for currency, amount in sorted(sums.items()))
        super().__init__(f"The lines of the entry do not balance: {left} is left over.")


class LedgerRowError(LedgerError):
    """A row that is to be covered by an entry, but lacks columns or has others."""

    code = "LEDGER_ROW"

    def __init__(self, table: str, columns: frozenset[str]) -> None:
        """Name the table, and the columns that are missing or too many."""
        super().__init__(f"A row of {table}: wrong about {', '.join(sorted(columns))}.")


class LedgerReferenceReusedError(LedgerError):
    """A reference that stands for another entry."""

    code = "LEDGER_REFERENCE_REUSED"
    hint = "the first entry stands as it was; give the new one a reference of its own"

    def __init__(self, reference: str) -> None:
        """Name the reference."""
        super().__init__(f"{reference} stands in the books already, with other content.")


class UnknownLedgerEntryError(LedgerError):
    """No such entry."""

    code = "UNKNOWN_LEDGER_ENTRY"

    def __init__(self, entry_number: int) -> None:
        """Say which number was looked for."""
        super().__init__(f"There is no entry {entry_number} in the books.")


class FloatDepositError(LedgerError):
    """A deposit of nothing."""

    code = "FLOAT_DEPOSIT"

    def __init__(self) -> None:
        """Say what a deposit is."""
        super().__init__("A deposit is an amount above nothing.")


class LedgerLimitError(LedgerError):
    """More than a vendor's float and limit, or a customer's credit, allow."""

    code = "LEDGER_LIMIT"

    def __init__(self, account: str) -> None:
        """Name the account."""
        super().__init__(f"There is not enough left on {account}.")


class LedgerClockBehindError(LedgerError):
    """The clock is far behind the last entry."""

    code = "CLOCK_BEHIND"
    hint = (
        "compare the clock with another one and set it right; nothing was written. If it is right"
        " and the last entry was made by a wrong one, a supervisor says so with"
        " sts-vend clock set-back"
    )

    def __init__(self, *, now: datetime, last: datetime) -> None:
        """Name both times."""
        super().__init__(
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, "
            f"but the last entry was made at {last:%Y-%m-%d %H:%M} UTC."
        )


class LedgerClockAheadError(LedgerError):
    """The clock is further ahead of the last entry than anybody would believe."""

    code = "CLOCK_FAR_AHEAD"
    hint = (
        "compare the clock with another one and set it right; nothing was written. If it is right,"
        " a supervisor says so with sts-vend clock accept"
    )

    def __init__(self, *, now: datetime, last: datetime) -> None:
        """Name both times."""
        super().__init__(
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, "
            f"and the last entry was made long before, at {last:%Y-%m-%d %H:%M} UTC."
        )


class ClockOtherDayError(LedgerError):
    """The clock does not show the day that somebody says it is."""

    code = "CLOCK_OTHER_DAY"
    hint = "set the clock right, then try again"

    def __init__(self, *, clock: date, said: date) -> None:
        """Name both days."""
        super().__init__(f"The clock says that it is {clock}, and you say {said}.")


class ClockOtherTimeError(LedgerError):
    """The clock does not show the time of day that somebody says it is."""

    code = "CLOCK_OTHER_TIME"
    hint = "set the clock right, then try again"

    def __init__(self, *, clock: time, said: time) -> None:
        """Name both times."""
        super().__init__(f"The clock says that it is {clock:%H:%M}, and you say {said:%H:%M}.")


class ClockNotBehindError(LedgerError):
    """The books are not ahead of the clock, so there is nothing to set back."""

    code = "CLOCK_NOT_BEHIND"

    def __init__(self) -> None:
        """Say why nothing is done."""
        super().__init__("No entry of the books was made after this time.")


class ClockLimitError(LedgerError):
    """A number of days that cannot be the limit."""

    code = "CLOCK_LIMIT"

    def __init__(self, least: int, most: int) -> None:
        """Say what can."""
        super().__init__(f"The clock may be ahead by {least} to {most} days.")


class PeriodError(LedgerError):
    """A month that cannot be used like this."""

    code = "PERIOD"


class PeriodFormatError(PeriodError):
    """Not a month."""

    code = "PERIOD_FORMAT"

    def __init__(self) -> None:
        """Say what a month looks like."""
        super().__init__("A month is written like 2026-03.")


class PeriodNotOverError(PeriodError):
    """A month that is not over in the local calendar."""

    code = "PERIOD_NOT_OVER"

    def __init__(self, period: str) -> None:
        """Name the month."""
        super().__init__(f"The month {period} is not over yet.")


class PeriodClosedError(PeriodError):
    """A month that is closed already."""

    code = "PERIOD_CLOSED"
    hint = "what belongs to it is corrected in the month that is open"

    def __init__(self, period: str) -> None:
        """Name the month."""
        super().__init__(f"The month {period} is closed already.")


class NothingToCloseError(PeriodError):
    """Books without an entry."""

    code = "PERIOD_EMPTY"

    def __init__(self) -> None:
        """Say why nothing is closed."""
        super().__init__("There is no entry in the books, so there is nothing to close.")
