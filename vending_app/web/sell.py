"""The sell page: meter and amount, what it buys, then the sale."""

import secrets
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from vending_app.domain.errors import VendingError
from vending_app.domain.money import parse_money
from vending_app.services import meters, vending
from vending_app.services.refusals import parse_meter_number
from vending_app.web.context import now, parts, signed_in
from vending_app.web.errors import status_of

blueprint = Blueprint("sell", __name__)

_REQUEST_ID_BYTES: Final = 16
_METERS_OFFERED: Final = 100
"""Whoever has more meters types the number."""


@blueprint.get("/")
def home() -> Response:
    """Go to what a cashier does most."""
    return redirect(url_for("sell.show_form"))


@blueprint.get("/sell")
def show_form() -> str:
    """Ask for meter and amount."""
    return _form(error=None)


@blueprint.post("/sell")
def show_quote() -> str | tuple[str, int]:
    """Show what the amount buys, with a button that sells it."""
    who = signed_in()
    try:
        drn = parse_meter_number(request.form.get("meter", ""))
        amount = parse_money(request.form.get("amount", ""), who.tenant.currency)
        offer = vending.quote_for_meter(
            parts().store, who.tenant.code, drn=drn, amount_minor=amount.minor
        )
    except VendingError as error:
        return _form(error=error), status_of(error)
    # The request id is made with the button, so a button pressed twice sells once.
    request_id = secrets.token_urlsafe(_REQUEST_ID_BYTES)
    return render_template("quote.html", offer=offer, request_id=request_id)


@blueprint.post("/sell/confirm")
def sell() -> Response | tuple[str, int]:
    """Sell, then show the sale on a page that may be reloaded."""
    who = signed_in()
    try:
        amount = parse_money(request.form.get("amount", ""), who.tenant.currency)
        wanted = vending.SellRequest(
            tenant=who.tenant.code,
            request_id=request.form.get("request_id", ""),
            drn=parse_meter_number(request.form.get("meter", "")),
            amount_minor=amount.minor,
            operator=who.operator.login,
        )
        result = vending.sell(parts().store, parts().module, now=now(), request=wanted)
    except VendingError as error:
        return _form(error=error), status_of(error)
    return redirect(url_for("sales.show_sale", sale_number=result.sale.number), code=303)


def _form(*, error: VendingError | None) -> str:
    typed = request.values
    return render_template(
        "sell.html",
        meters=meters.list_meters(parts().store, signed_in().tenant.code, limit=_METERS_OFFERED),
        meter=typed.get("meter", ""),
        amount=typed.get("amount", ""),
        error=error,
    )
