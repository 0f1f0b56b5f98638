"""Money as whole numbers of the smallest unit; never a float.

parse_money("100.50", Currency("ZAR", 2)).minor == 10050
format_money(Money(10050, Currency("ZAR", 2))) == "ZAR 100.50"
"""

from dataclasses import dataclass
from typing import Final

from vending_app.domain.errors import CurrencyError, MoneyFormatError, MoneyPrecisionError

LARGEST_MINOR: Final = 10**15 - 1
"""More than any sale; far below the 63 bits of a database integer, so that sums fit as well."""
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"

_CODE_LENGTH: Final = 3
_LARGEST_EXPONENT: Final = 4
_CAPITALS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS: Final = frozenset("0123456789")
# People copy amounts out of documents, where groups of digits are set apart by any of these.
_GROUP_SEPARATORS: Final = str.maketrans(
    dict.fromkeys((" ", NO_BREAK_SPACE, "\N{NARROW NO-BREAK SPACE}", "\N{THIN SPACE}"))
)


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and the number of decimals that its amounts are kept with.

    Attributes:
        code: The three letters of ISO 4217.
        exponent: How many decimals the smallest unit has: 2 for cents.

    Raises:
        CurrencyError: Not three capitals, or not 0 to 4 decimals.
    """

    code: str
    exponent: int

    def __post_init__(self) -> None:
        """Check the form."""
        if len(self.code) != _CODE_LENGTH or not _CAPITALS.issuperset(self.code):
            raise CurrencyError
        if not 0 <= self.exponent <= _LARGEST_EXPONENT:
            raise CurrencyError


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the smallest unit of its currency; it may be negative."""

    minor: int
    currency: Currency


def parse_money(text: str, currency: Currency) -> Money:
    """Read an amount that a person typed; it is never negative and never rounded.

    Spaces between digits are ignored. A comma is refused, because it means thousands to one reader
    and decimals to the next.

    Raises:
        MoneyFormatError: Not a plain decimal number, or an absurdly large one.
        MoneyPrecisionError: More decimals than the currency has, and not all of them zero.
    """
    whole, point, decimals = text.strip().translate(_GROUP_SEPARATORS).partition(".")
    if not whole or not _DIGITS.issuperset(whole + decimals) or (point and not decimals):
        raise MoneyFormatError
    kept, cut = decimals[: currency.exponent], decimals[currency.exponent :]
    if cut.strip("0"):
        raise MoneyPrecisionError(currency.code, currency.exponent)
    digits = (whole + kept.ljust(currency.exponent, "0")).lstrip("0")
    # Counting first keeps Python from reading a number of millions of digits.
    if len(digits) > len(str(LARGEST_MINOR)):
        raise MoneyFormatError
    return Money(int(digits or "0"), currency)


def format_minor(minor: int, exponent: int) -> str:
    """Return an amount without its currency, thousands set apart: ``12 345.00``."""
    whole, rest = divmod(abs(minor), 10**exponent)
    sign = "−" if minor < 0 else ""
    grouped = f"{whole:,}".replace(",", NO_BREAK_SPACE)
    return f"{sign}{grouped}.{rest:0{exponent}d}" if exponent else f"{sign}{grouped}"


def format_money(money: Money) -> str:
    """Return an amount for people: ``ZAR 12 345.00``, held together by no-break spaces."""
    return (
        f"{money.currency.code}{NO_BREAK_SPACE}{format_minor(money.minor, money.currency.exponent)}"
    )
