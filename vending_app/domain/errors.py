"""Every way in which selling is refused.

One tree, one stable code a class, a sentence for the cashier in the message and what to do about it
in the hint. Where the library or a security module said no, its own code is carried on.

    VendingError
    ├── MoneyError                    an amount of money that is none
    │   ├── MoneyFormatError          MONEY_FORMAT
    │   ├── MoneyPrecisionError       MONEY_PRECISION
    │   └── CurrencyError             CURRENCY
    ├── TariffError                   TARIFF; its branches are drawn in ``domain.tariff_errors``
    ├── AmountBelowMinimumError       AMOUNT_BELOW_MINIMUM
    ├── AmountAboveMaximumError       AMOUNT_ABOVE_MAXIMUM
    ├── NotFoundError                 something named does not exist for this tenant
    │   ├── UnknownMeterError         UNKNOWN_METER
    │   ├── UnknownSaleError          UNKNOWN_SALE
    │   ├── UnknownTenantError        UNKNOWN_TENANT
    │   └── NoLabMeterError           NO_LAB_METER
    ├── LabMeterSpeedError            LAB_METER_SPEED
    ├── WholeNumberError              WHOLE_NUMBER
    ├── MeterNumberError              the library's code, WRONG_CHECK_DIGIT for one
    ├── RequestIdError                REQUEST_ID
    ├── RequestIdReusedError          REQUEST_ID_REUSED
    ├── TokenRefusedError             the code of the library or of the security module
    ├── LoginError                    LOGIN_FAILED
    ├── TooManyLoginsError            TOO_MANY_LOGINS
    ├── OperatorExistsError           OPERATOR_EXISTS
    ├── StoreBusyError                STORE_BUSY
    └── ConfigError                   CONFIG
        ├── SecretMissingError        SECRET_MISSING
        └── DatabaseNotCurrentError   DATABASE_NOT_CURRENT
"""

from collections.abc import Sequence


class VendingError(Exception):
    """Selling was refused; ``code`` says why, in a form that does not change."""

    code: str = "VENDING_ERROR"
    hint: str = ""


# --- money and tariffs ------------------------------------------------------------------------


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


# --- what was named ---------------------------------------------------------------------------


class NotFoundError(VendingError):
    """What was named does not exist, or is another tenant's: the two look the same."""

    code = "NOT_FOUND"


class UnknownMeterError(NotFoundError):
    """No such meter."""

    code = "UNKNOWN_METER"
    hint = "compare the number with the meter's label; a new meter must be registered first"

    def __init__(self, drn: str) -> None:
        """Say which number was looked for."""
        super().__init__(f"No meter {drn} is registered here.")


class UnknownSaleError(NotFoundError):
    """No such sale."""

    code = "UNKNOWN_SALE"

    def __init__(self, sale_number: int) -> None:
        """Say which sale was looked for."""
        super().__init__(f"There is no sale number {sale_number}.")


class UnknownTenantError(NotFoundError):
    """No such utility."""

    code = "UNKNOWN_TENANT"

    def __init__(self, tenant: str) -> None:
        """Say which one was looked for."""
        super().__init__(f"There is no utility {tenant}.")


class NoLabMeterError(NotFoundError):
    """The meter has no virtual twin."""

    code = "NO_LAB_METER"
    hint = "virtual meters are made by sts-vend demo"

    def __init__(self, drn: str) -> None:
        """Say which meter."""
        super().__init__(f"Meter {drn} has no virtual twin here.")


class LabMeterSpeedError(VendingError):
    """A speed that the clock of a virtual meter does not have."""

    code = "LAB_METER_SPEED"

    def __init__(self, allowed: Sequence[int]) -> None:
        """Say which speeds there are."""
        numbers = ", ".join(str(speed) for speed in allowed)
        super().__init__(f"The clock of a virtual meter runs at one of {numbers}.")


class WholeNumberError(VendingError):
    """A field that holds no whole number."""

    code = "WHOLE_NUMBER"

    def __init__(self, name: str) -> None:
        """Say which field."""
        super().__init__(f"{name} must be a whole number.")


class MeterNumberError(VendingError):
    """The digits typed are not a meter number; ``code`` is the library's."""

    def __init__(self, code: str, message: str, *, hint: str) -> None:
        """Carry on what the library found."""
        super().__init__(message)
        self.code = code
        self.hint = hint


# --- requests and tokens ----------------------------------------------------------------------


class RequestIdError(VendingError):
    """A client's name for its request that is empty, too long or not printable."""

    code = "REQUEST_ID"

    def __init__(self) -> None:
        """Say what a request id looks like."""
        super().__init__("A request id has 1 to 64 letters, digits, dashes or underscores.")


class RequestIdReusedError(VendingError):
    """The same request id came with another meter or amount."""

    code = "REQUEST_ID_REUSED"
    hint = "start a new sale; the first one stands as it was"

    def __init__(self) -> None:
        """Say that a request id names one request for ever."""
        super().__init__("This form was already used for another sale.")


class TokenRefusedError(VendingError):
    """No token can be made; ``code`` is that of the library or the security module."""

    def __init__(self, code: str, message: str, *, hint: str) -> None:
        """Carry on what was said."""
        super().__init__(f"No token can be made: {message}")
        self.code = code
        self.hint = hint


# --- operators --------------------------------------------------------------------------------


class LoginError(VendingError):
    """Wrong operator or wrong password; which of them is not said."""

    code = "LOGIN_FAILED"

    def __init__(self) -> None:
        """Say that the two do not go together."""
        super().__init__("Operator and password do not go together.")


class TooManyLoginsError(VendingError):
    """Too many failed log-ins in a short time."""

    code = "TOO_MANY_LOGINS"

    def __init__(self, wait_seconds: int) -> None:
        """Say how long to wait."""
        super().__init__(f"Too many failed log-ins. Try again in {wait_seconds} seconds.")


class OperatorExistsError(VendingError):
    """The log-in name is taken."""

    code = "OPERATOR_EXISTS"

    def __init__(self, login: str) -> None:
        """Say which name."""
        super().__init__(f"There is an operator {login} already.")


# --- running ----------------------------------------------------------------------------------


class StoreBusyError(VendingError):
    """The database did not answer in time; nothing was written."""

    code = "STORE_BUSY"
    hint = "try again: the same form never sells twice"

    def __init__(self) -> None:
        """Say that it is a matter of time."""
        super().__init__("The system is busy. Nothing was sold.")


class ConfigError(VendingError):
    """The settings do not allow a start."""

    code = "CONFIG"


class SecretMissingError(ConfigError):
    """No secret to sign sessions with: there is no default for it."""

    code = "SECRET_MISSING"
    hint = "run sts-vend init, or set STS_VEND_SECRET_KEY to 32 or more random characters"

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__("No secret key for sessions is set, or it is shorter than 32 characters.")


class DatabaseNotCurrentError(ConfigError):
    """The database has another form than this program's."""

    code = "DATABASE_NOT_CURRENT"
    hint = "back the database up, then run sts-vend init with this version of the program"

    def __init__(self, *, expected: str | None, found: str | None) -> None:
        """Say which revision the database has and which this program needs."""
        super().__init__(
            f"The database is at revision {found or 'none'}, this program needs {expected}."
        )
