"""The sell page: meter and amount, what it buys, then the sale."""

import secrets
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from vending_app.domain.errors import (
    KeyChangeOfferedError,
    OutcomeUnknownError,
    RequestInProgressError,
    StoreBusyError,
    VendingError,
)
from vending_app.domain.money import Currency, parse_money
from vending_app.domain.sales import PaymentMethod
from vending_app.services import meters, vending
from vending_app.services.quoting import Amount
from vending_app.services.refusals import parse_meter_number
from vending_app.web.context import now, parts, signed_in
from vending_app.web.errors import status_of

blueprint = Blueprint("sell", __name__)

_REQUEST_ID_BYTES: Final = 16
_METERS_OFFERED: Final = 100
"""Whoever has more meters types the number."""
_UNITS: Final = "units"
_ONE_DECIMAL: Final = Currency("XXX", 1)
"""Units are typed as money is, with one decimal."""


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
    try:
        wanted = vending.QuoteRequest(
            tenant=signed_in().tenant.code,
            drn=parse_meter_number(request.form.get("meter", "")),
            amount=_amount(),
            payment_method=_payment_method(),
        )
        offer = vending.quote(parts().store, parts().module, now=now(), request=wanted)
    except VendingError as error:
        return _form(error=error), status_of(error)
    # The request id is made with the button, so a button pressed twice sells once.
    request_id = secrets.token_urlsafe(_REQUEST_ID_BYTES)
    return render_template(
        "quote.html", found=offer, request_id=request_id, typed=request.form, error=None
    )


@blueprint.post("/sell/confirm")
def sell() -> Response | tuple[str, int]:
    """Sell, then show the sale on a page that may be reloaded."""
    who = signed_in()
    try:
        wanted = vending.VendRequest(
            tenant=who.tenant.code,
            request_id=request.form.get("request_id", ""),
            drn=parse_meter_number(request.form.get("meter", "")),
            amount=_amount(),
            login=who.operator.login,
            payment_method=_payment_method(),
            accept_key_change=request.form.get("accept_key_change") == "yes",
        )
        result = vending.vend(parts().store, parts().module, now=now(), request=wanted)
    except KeyChangeOfferedError as error:
        return _quote_again(error)
    except (OutcomeUnknownError, RequestInProgressError, StoreBusyError) as error:
        return _ask_again(error)
    except VendingError as error:
        return _form(error=error), status_of(error)
    return redirect(url_for("sales.show_sale", sale_number=result.result.number), code=303)


def _quote_again(error: KeyChangeOfferedError) -> tuple[str, int]:
    """Show the offer with the question that has no answer yet; the request id stays."""
    wanted = vending.QuoteRequest(
        tenant=signed_in().tenant.code,
        drn=parse_meter_number(request.form.get("meter", "")),
        amount=_amount(),
        payment_method=_payment_method(),
    )
    offer = vending.quote(parts().store, parts().module, now=now(), request=wanted)
    page = render_template(
        "quote.html",
        found=offer,
        request_id=request.form.get("request_id", ""),
        typed=request.form,
        error=error,
    )
    return page, status_of(error)


def _ask_again(error: VendingError) -> tuple[str, int]:
    """Offer to send the same request again: with another name it could be a second sale.

    Nothing is read for it, for the database may be busy.
    """
    return render_template("again.html", typed=request.form, error=error), status_of(error)


def _amount() -> Amount:
    """Return what was typed: money, or units with one decimal."""
    text = request.form.get("amount", "")
    if request.form.get("amount_kind") == _UNITS:
        return Amount(units_tenths=parse_money(text, _ONE_DECIMAL).minor)
    return Amount(minor=parse_money(text, signed_in().tenant.currency).minor)


def _payment_method() -> PaymentMethod:
    try:
        return PaymentMethod(request.form.get("payment_method", PaymentMethod.CASH.value))
    except ValueError:
        abort(400)


def _form(*, error: VendingError | None) -> str:
    typed = request.values
    return render_template(
        "sell.html",
        meters=meters.list_meters(parts().store, signed_in().tenant.code, limit=_METERS_OFFERED),
        meter=typed.get("meter", ""),
        amount=typed.get("amount", ""),
        amount_kind=typed.get("amount_kind", "money"),
        error=error,
    )
