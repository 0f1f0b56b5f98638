"""Log in and out."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from vending_app.demo_story import DEMO_OPERATORS, DEMO_PASSWORD
from vending_app.domain.errors import LoginError, VendingError
from vending_app.services import operators
from vending_app.web.context import now, parts
from vending_app.web.errors import status_of
from vending_app.web.security import begin_session, end_session, safe_target

blueprint = Blueprint("auth", __name__)


@blueprint.get("/login")
def show_log_in() -> str:
    """Show the log-in form."""
    return _form(login="", error=None)


@blueprint.post("/login")
def log_in() -> tuple[str, int] | Response:
    """Log an operator in."""
    login = request.form.get("login", "").strip().lower()
    try:
        _log_in(login, request.form.get("password", ""))
    except VendingError as error:
        return _form(login=login, error=error), status_of(error)
    return redirect(safe_target(request.args.get("next", "")), code=303)


@blueprint.post("/logout")
def log_out() -> Response:
    """Log the operator out."""
    end_session()
    return redirect(url_for("auth.show_log_in"), code=303)


def _log_in(login: str, password: str) -> None:
    throttle, address = parts().throttle, request.remote_addr or ""
    throttle.require_allowed(login, address, now=now())
    try:
        operator = operators.log_in(parts().store, login=login, password=password)
    except LoginError:
        throttle.failed(login, address, now=now())
        raise
    throttle.succeeded(login, address)
    begin_session(operator.tenant, operator.login)


def _form(*, login: str, error: VendingError | None) -> str:
    demo = parts().config.demo_log_ins
    return render_template(
        "login.html",
        login=login,
        error=error,
        next=request.args.get("next", ""),
        demo_operators=DEMO_OPERATORS if demo else (),
        demo_password=DEMO_PASSWORD if demo else "",
    )
