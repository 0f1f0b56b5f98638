"""One table from refusals to HTTP status codes, and the page that shows them."""

from typing import Final

from flask import Flask, render_template
from werkzeug.exceptions import HTTPException

from vending_app.domain.errors import (
    KeyChangeNeededError,
    KeyChangeOfferedError,
    LoginError,
    NotFoundError,
    NotPermittedError,
    OutcomeUnknownError,
    RequestFailedError,
    RequestIdReusedError,
    RequestInProgressError,
    StoreBusyError,
    TokenRefusedError,
    TooManyLoginsError,
    TwinRefusedError,
    VendingError,
)

STATUS: Final[tuple[tuple[type[VendingError], int], ...]] = (
    (LoginError, 401),
    (NotPermittedError, 403),
    (NotFoundError, 404),
    (RequestIdReusedError, 409),
    (RequestFailedError, 409),
    (RequestInProgressError, 409),
    (KeyChangeOfferedError, 409),
    (KeyChangeNeededError, 409),
    (TokenRefusedError, 409),
    (TwinRefusedError, 409),
    (OutcomeUnknownError, 503),
    (TooManyLoginsError, 429),
    (StoreBusyError, 503),
    (VendingError, 422),
)
"""The first row that fits decides; the last one always does."""


def register(app: Flask) -> None:
    """Show every refusal and every HTTP error of ``app`` on a page of ours."""
    app.register_error_handler(VendingError, _show_refusal)
    app.register_error_handler(HTTPException, _show_http_error)


def status_of(error: VendingError) -> int:
    """Return the HTTP status code of a refusal."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def _show_refusal(error: VendingError) -> tuple[str, int]:
    page = render_template(
        "error.html", title="Not possible", message=str(error), code=error.code, hint=error.hint
    )
    return page, status_of(error)


def _show_http_error(error: HTTPException) -> tuple[str, int]:
    # Werkzeug's own status codes are always set on what it raises.
    status = error.code or 500
    message = error.description or ""
    page = render_template(
        "error.html", title=error.name, message=message, code=f"HTTP {status}", hint=""
    )
    return page, status
