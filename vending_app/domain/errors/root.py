"""The root of all refusals."""


class VendingError(Exception):
    """Selling was refused; ``code`` says why, in a form that does not change."""

    code: str = "VENDING_ERROR"
    hint: str = ""
