"""The utility's meters."""

from typing import Final

from flask import Blueprint, render_template

from vending_app.services import meters
from vending_app.web.context import parts, signed_in

blueprint = Blueprint("meters", __name__, url_prefix="/meters")

_METERS_SHOWN: Final = 100


@blueprint.get("")
def list_meters() -> str:
    """Show all meters of the utility."""
    found = meters.list_meters(parts().store, signed_in().tenant.code, limit=_METERS_SHOWN)
    return render_template("meters.html", meters=found)
