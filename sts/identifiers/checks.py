"""The checks that all identifiers share."""

from enum import StrEnum
from typing import Final, TypeVar

from sts.check_digits import check_digit
from sts.errors import (
    NotDigitsError,
    OutOfRangeError,
    UnknownCodeError,
    WrongCheckDigitError,
    WrongLengthError,
)

_Code = TypeVar("_Code", bound=StrEnum)

_ASCII_DIGITS: Final = frozenset("0123456789")


def require_digits(name: str, text: str, lengths: tuple[int, ...]) -> None:
    """Check characters first, then length: a letter is a better reason than a count."""
    if not _ASCII_DIGITS.issuperset(text):
        raise NotDigitsError(name)
    if len(text) not in lengths:
        raise WrongLengthError(name, allowed=lengths, found=len(text))


def require_check_digit(name: str, text: str) -> None:
    """Refuse digits whose last one does not follow from the others."""
    expected = check_digit(text[:-1])
    found = int(text[-1])
    if found != expected:
        raise WrongCheckDigitError(name, expected=expected, found=found)


def require_range(name: str, value: int, *, low: int, high: int) -> None:
    """Refuse what is not a whole number from ``low`` to ``high``."""
    # bool is an int to Python, but True is no key revision number.
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise OutOfRangeError(name, low=low, high=high, found=value)


def parse_code(codes: type[_Code], name: str, text: str) -> _Code:
    """Return the member of ``codes`` with this value, or name the values there are."""
    try:
        return codes(text)
    except ValueError:
        allowed = tuple(code.value for code in codes)
        raise UnknownCodeError(name, allowed=allowed, found=text) from None
