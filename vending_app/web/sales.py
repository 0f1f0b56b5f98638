"""Past sales and their receipts."""

from typing import Final

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from vending_app.services import receipts
from vending_app.web.context import now, parts, signed_in

blueprint = Blueprint("sales", __name__, url_prefix="/sales")

_SALES_SHOWN: Final = 50


@blueprint.get("")
def list_sales() -> str:
    """Show the latest sales."""
    found = receipts.recent_sales(parts().store, signed_in().tenant.code, limit=_SALES_SHOWN)
    return render_template("sales.html", sales=found)


@blueprint.get("/<number:sale_number>")
def show_sale(sale_number: int) -> str:
    """Show the receipt of a sale."""
    found = receipts.find_receipt(parts().store, signed_in().tenant.code, sale_number=sale_number)
    return render_template("sale.html", sale=found.sale, meter=found.meter)


@blueprint.post("/<number:sale_number>/reprint")
def reprint(sale_number: int) -> Response:
    """Note a reprint, then show the receipt, marked as one."""
    receipts.reprint(parts().store, signed_in().operator, sale_number=sale_number, now=now())
    return redirect(url_for("sales.show_sale", sale_number=sale_number), code=303)
