"""Refusals about who works here."""

from vending_app.domain.errors.root import VendingError


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
