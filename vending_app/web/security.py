"""What guards every page: log-in, CSRF tokens, response headers.

A page is closed unless ``PUBLIC`` names it, so that one that is forgotten stays closed.
"""

import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from werkzeug.exceptions import SecurityError
from werkzeug.wrappers import Response as AnyResponse

from vending_app.services import meters as meter_service
from vending_app.services import operators as operator_service
from vending_app.web.context import SignedIn, parts

PUBLIC: Final = frozenset({"auth.show_log_in", "auth.log_in", "static"})
"""Endpoints that are open to everybody."""
CSRF_FIELD: Final = "csrf_token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SESSION_TENANT: Final = "tenant"
_SESSION_LOGIN: Final = "login"
_SESSION_CSRF: Final = "csrf"


def register(app: Flask) -> None:
    """Put the guards in front of every request of ``app``."""
    app.before_request(_require_known_host)
    app.before_request(_require_csrf_token)
    app.before_request(_require_log_in)
    app.after_request(_add_headers)
    app.jinja_env.globals["csrf_token"] = csrf_token


def csrf_token() -> str:
    """Return the token of this session that every form carries."""
    if _SESSION_CSRF not in session:
        session[_SESSION_CSRF] = secrets.token_urlsafe(32)
    return str(session[_SESSION_CSRF])


def begin_session(tenant: str, login: str) -> None:
    """Log in: a session of its own, so that nothing from before the log-in goes on."""
    session.clear()
    session.permanent = True
    session[_SESSION_TENANT] = tenant
    session[_SESSION_LOGIN] = login


def end_session() -> None:
    """Log out."""
    session.clear()


def safe_target(target: str) -> str:
    """Return the page to go on to after the log-in: one of ours, whatever was asked for."""
    parsed = urlsplit(target)
    ours = target.startswith("/") and not target.startswith(("//", "/\\"))
    if not ours or parsed.netloc or parsed.scheme or not target.isprintable():
        return url_for("sell.show_form")
    return target


def _require_known_host() -> Response | None:
    """Answer in plain text where no page can be made, for want of a name to link to."""
    if isinstance(request.routing_exception, SecurityError):
        return Response("This host name is not served here.\n", 400, mimetype="text/plain")
    return None


def _require_csrf_token() -> None:
    if request.method in SAFE_METHODS:
        return
    expected = str(session.get(_SESSION_CSRF, ""))
    found = request.form.get(CSRF_FIELD, "")
    if not expected or not hmac.compare_digest(expected.encode(), found.encode()):
        abort(400, "This form is too old. Go back, reload the page and send it again.")


def _require_log_in() -> AnyResponse | None:
    if request.endpoint in PUBLIC:
        return None
    tenant, login = session.get(_SESSION_TENANT), session.get(_SESSION_LOGIN)
    if isinstance(tenant, str) and isinstance(login, str):
        store = parts().store
        operator = operator_service.find_active_operator(store, tenant, login=login)
        if operator is not None:
            g.signed_in = SignedIn(
                operator=operator, tenant=meter_service.find_tenant(store, tenant)
            )
            return None
    end_session()
    target = request.full_path.rstrip("?") if request.method in SAFE_METHODS else None
    return redirect(url_for("auth.show_log_in", next=target), code=303)


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        # Tokens are on these pages: they stay out of shared caches and out of the way back.
        response.headers["Cache-Control"] = "no-store"
    return response
