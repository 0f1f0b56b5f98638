"""Refusals about money and tariffs."""

from vending_app.domain.errors.root import VendingError


class MoneyError(VendingError):
    """What was given is not an amount of money."""

    code = "MONEY"


class MoneyFormatError(MoneyError):
    """Not a plain decimal number."""

    code = "MONEY_FORMAT"
    hint = "write the amount like 1000 or 1000.50, with a point and without commas"

    def __init__(self) -> None:
        """Say that it is no amount, without repeating what was typed."""
        super().__init__("This is not an amount of money.")


class MoneyPrecisionError(MoneyError):
    """More decimals than the currency has."""

    code = "MONEY_PRECISION"

    def __init__(self, currency: str, exponent: int) -> None:
        """Say how many decimals the currency has."""
        super().__init__(f"{currency} has {exponent} decimals, not more.")


class CurrencyError(MoneyError):
    """Not a currency: a code of three capitals and an exponent from 0 to 4."""

    code = "CURRENCY"

    def __init__(self) -> None:
        """Say what a currency is made of."""
        super().__init__("A currency is three capital letters and 0 to 4 decimals.")


class TariffError(VendingError):
    """A tariff whose figures make no sense."""

    code = "TARIFF"


class AmountBelowMinimumError(VendingError):
    """Less money than the tariff sells for."""

    code = "AMOUNT_BELOW_MINIMUM"

    def __init__(self, minimum: str) -> None:
        """Say which amount is the smallest."""
        super().__init__(f"The smallest amount for this meter is {minimum}.")


class AmountAboveMaximumError(VendingError):
    """More money than the tariff sells for at once."""

    code = "AMOUNT_ABOVE_MAXIMUM"

    def __init__(self, maximum: str) -> None:
        """Say which amount is the largest."""
        super().__init__(f"The largest amount for this meter at once is {maximum}.")
