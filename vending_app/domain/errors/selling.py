"""Refusals of a sale, or of whatever else makes tokens."""

from vending_app.domain.errors.lookup import NotFoundError
from vending_app.domain.errors.root import VendingError


class UnknownOperatorError(NotFoundError):
    """No such operator."""

    code = "UNKNOWN_OPERATOR"

    def __init__(self, login: str) -> None:
        """Say which log-in was named."""
        super().__init__(f"There is no operator {login}.")


class UnknownRequestError(NotFoundError):
    """No such request."""

    code = "UNKNOWN_REQUEST"

    def __init__(self, request_id: str) -> None:
        """Say which request was looked for."""
        super().__init__(f"There is no request {request_id}.")


class MeterBlockedError(VendingError):
    """Sales to the meter are stopped."""

    code = "METER_BLOCKED"
    hint = "a supervisor can see who stopped sales to this meter, and lift it"

    def __init__(self, reason: str) -> None:
        """Say why, in the words of whoever stopped them."""
        super().__init__(f"Sales to this meter are stopped: {reason}")


class MeterNotInServiceError(VendingError):
    """The meter does not serve anybody at this time."""

    code = "METER_NOT_IN_SERVICE"
    hint = "only an installed meter takes credit"

    def __init__(self, drn: str, life: str) -> None:
        """Say where the meter is in its life."""
        super().__init__(f"Meter {drn} is not in service: it is {life}.")


class AccountBlockedError(VendingError):
    """The account may not buy."""

    code = "ACCOUNT_BLOCKED"
    hint = "the customer can ask the utility's office why"

    def __init__(self, reason: str) -> None:
        """Say why, in the words of whoever blocked it."""
        super().__init__(f"Sales to this account are stopped: {reason}")


class AccountClosedError(VendingError):
    """The account has come to its end."""

    code = "ACCOUNT_CLOSED"
    hint = "whoever lives there now needs an account of their own"

    def __init__(self, account_number: str) -> None:
        """Say which account."""
        super().__init__(f"Account {account_number} is closed.")


class VendorInactiveError(VendingError):
    """The vendor may not sell."""

    code = "VENDOR_INACTIVE"

    def __init__(self, vendor_code: str) -> None:
        """Say which vendor."""
        super().__init__(f"Vendor {vendor_code} may not sell at this time.")


class VendorLimitError(VendingError):
    """More than the vendor's float and limit allow."""

    code = "VENDOR_LIMIT"
    hint = "pay money into the float first"

    def __init__(self, available: str) -> None:
        """Say how much can still be sold."""
        super().__init__(f"The float allows sales of {available} only.")


class SaleAmountError(VendingError):
    """Neither or both of money and units, or not more than nothing of it."""

    code = "SALE_AMOUNT"

    def __init__(self) -> None:
        """Say what is asked for."""
        super().__init__("A sale is for an amount of money, or for a number of units.")


class CreditKindError(VendingError):
    """The tariff sells units and the meter counts money, or the reverse."""

    code = "CREDIT_KIND"
    hint = "the account has a tariff for another kind of meter"

    def __init__(self, *, meter: str, tariff: str) -> None:
        """Say what both are for."""
        super().__init__(f"The meter takes credit in {meter}, the tariff sells {tariff}.")


class SpecialReservedError(VendingError):
    """More than one token was asked for under the one special identifier of the day."""

    code = "SPECIAL_RESERVED_ONE_TOKEN"
    hint = "sell less at once, or sell without the special identifier"

    def __init__(self) -> None:
        """Say that there is one a day."""
        super().__init__("The special identifier of a day serves for one token only.")


# --- keys -------------------------------------------------------------------------------------


class KeyChangeNeededError(VendingError):
    """The meter's key should change, and the supply group lets no sale do it."""

    code = "KEY_CHANGE_NEEDED"
    hint = "an engineer can issue a key change for this meter; after that it takes credit"

    def __init__(self, advice: str) -> None:
        """Say what should change."""
        super().__init__(f"The meter needs a key change first ({advice}).")


class KeyChangeOfferedError(VendingError):
    """The meter's key should change, and the cashier has not agreed yet."""

    code = "KEY_CHANGE_OFFERED"
    hint = "confirm the key change; its tokens are printed before the credit and entered first"

    def __init__(self, advice: str) -> None:
        """Say what should change."""
        super().__init__(f"The meter needs key change tokens before the credit ({advice}).")


class KeyChangeGroupError(VendingError):
    """The meter is on a default group, and nobody has said which group it is to be in."""

    code = "KEY_CHANGE_GROUP"
    hint = "an engineer must record the supply group that this meter is to have"

    def __init__(self, drn: str) -> None:
        """Say which meter."""
        super().__init__(f"It is not recorded which supply group meter {drn} belongs to.")


# --- outcomes ---------------------------------------------------------------------------------


class TwinRefusedError(VendingError):
    """The meter would refuse the token, so nobody gets to see it; ``code`` names its answer."""

    hint = "nothing was charged; call support, the meter's record does not fit the meter"

    def __init__(self, code: str, reason: str) -> None:
        """Carry the meter's answer on."""
        super().__init__(f"The meter would refuse this token: {reason}.")
        self.code = code


class RequestFailedError(VendingError):
    """The request has failed before and fails again; ``code`` is that of the first time."""

    hint = "nothing was charged; start anew"

    def __init__(self, code: str, message: str) -> None:
        """Say what was said the first time."""
        super().__init__(message)
        self.code = code


class OutcomeUnknownError(VendingError):
    """It is not known whether the security module made the token."""

    code = "OUTCOME_UNKNOWN"
    hint = "do not sell again: send the same request again, or recover it"

    def __init__(self, request_id: str) -> None:
        """Name the request."""
        super().__init__(f"It is not known yet whether request {request_id} made a token.")


class RequestInProgressError(VendingError):
    """Somebody else may be carrying the request out at this moment."""

    code = "REQUEST_IN_PROGRESS"
    hint = "wait, then recover it"

    def __init__(self, request_id: str) -> None:
        """Name the request."""
        super().__init__(f"Request {request_id} may still be under way.")


class TokenNotMadeError(VendingError):
    """The security module says that it made no token, or not all of them."""

    code = "TOKEN_NOT_MADE"
    hint = "nothing was charged; start anew"

    def __init__(self) -> None:
        """Say that nothing was sold."""
        super().__init__("The security module did not make the tokens. Nothing was sold.")
