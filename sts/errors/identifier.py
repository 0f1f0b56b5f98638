"""Numbers that name something and are not well formed."""

from collections.abc import Sequence

from sts.errors.root import StsError


class IdentifierError(StsError):
    """A number that names a meter, a group, a key or an algorithm is not well formed."""

    code = "IDENTIFIER"

    def __init__(self, name: str, message: str) -> None:
        """Remember which identifier (``name``, in the words of the field) was at fault."""
        super().__init__(f"{name}: {message}")
        self.name = name


class NotDigitsError(IdentifierError):
    """Something other than the decimal digits 0 to 9."""

    code = "NOT_DIGITS"
    hint = "use the digits 0 to 9 only"

    def __init__(self, name: str) -> None:
        """Say that ``name`` holds other characters than decimal digits."""
        super().__init__(name, "only the digits 0 to 9 are allowed")


class WrongLengthError(IdentifierError):
    """The right kind of characters, but not as many as there must be."""

    code = "WRONG_LENGTH"

    def __init__(self, name: str, *, allowed: Sequence[int], found: int) -> None:
        """Say how many digits ``name`` may have and how many were found."""
        numbers = " or ".join(str(length) for length in allowed)
        plural = "" if numbers == "1" else "s"
        super().__init__(name, f"must have {numbers} digit{plural}, found {found}")
        self.allowed = tuple(allowed)
        self.found = found


class WrongCheckDigitError(IdentifierError):
    """The last digit does not follow from the others (IEC 62055-41, 6.1.2.3.4)."""

    code = "WRONG_CHECK_DIGIT"
    hint = "compare the number with the meter's label: a digit is wrong or two are swapped"

    def __init__(self, name: str, *, expected: int, found: int) -> None:
        """Say which check digit the other digits call for and which was found."""
        super().__init__(name, f"check digit must be {expected}, found {found}")
        self.expected = expected
        self.found = found


class OutOfRangeError(IdentifierError):
    """A whole number outside the range that the standard gives it."""

    code = "OUT_OF_RANGE"

    def __init__(self, name: str, *, low: int, high: int, found: object) -> None:
        """Say which range ``name`` has and what was found."""
        super().__init__(name, f"must be from {low} to {high}, found {found}")
        self.low = low
        self.high = high
        self.found = found


class UnknownIinError(IdentifierError):
    """An issuer identification number other than 600727 and 0000."""

    code = "UNKNOWN_IIN"
    hint = "an 11-digit meter number belongs to 600727, a 13-digit one to 0000"

    def __init__(self, found: str) -> None:
        """Say which issuer identification number was found."""
        super().__init__("meter PAN", f"must start with 600727 or 0000, found {found}")
        self.found = found


class UnknownCodeError(IdentifierError):
    """A code that is not in the standard's table for this element."""

    code = "UNKNOWN_CODE"

    def __init__(self, name: str, *, allowed: Sequence[str], found: object) -> None:
        """Say which codes ``name`` knows and which was found."""
        super().__init__(name, f"must be one of {', '.join(allowed)}, found {found}")
        self.allowed = tuple(allowed)
        self.found = found
