"""Quantities that have no code."""

from sts.errors.root import StsError


class AmountError(StsError):
    """A quantity that the token's amount field has no code for."""

    code = "AMOUNT"


class AmountNotIntegerError(AmountError):
    """A float, a string or a bool where only an exact whole number will do."""

    code = "AMOUNT_NOT_INTEGER"
    hint = "give a whole number of the field's units: tenths of a kWh, watts, 0.00001 of currency"

    def __init__(self, found: object) -> None:
        """Say which type was given."""
        super().__init__(f"an amount must be an int, found {type(found).__name__}")


class AmountNegativeError(AmountError):
    """A negative quantity in a field without a sign."""

    code = "AMOUNT_NEGATIVE"
    hint = "only currency credit can be negative"

    def __init__(self, found: int) -> None:
        """Say which negative amount was given."""
        super().__init__(f"an amount cannot be negative, found {found}")


class AmountTooLargeError(AmountError):
    """More than the largest code can carry: the sale must be split."""

    code = "AMOUNT_TOO_LARGE"
    hint = "a larger sale is split over several tokens"

    def __init__(self, found: int, largest: int) -> None:
        """Say how much was asked for and how much one token can carry."""
        super().__init__(f"{found} is more than one token can carry, at most {largest}")
        self.found = found
        self.largest = largest
