"""Refusals of requests and tokens."""

from vending_app.domain.errors.root import VendingError


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
