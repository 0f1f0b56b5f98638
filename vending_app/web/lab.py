"""The virtual meter of a lab: keypad, display, load and the speed of its clock.

These pages stand in for the meter on the customer's wall. They exist in lab mode only, and for the
meters of the operator's own utility.
"""

from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sts.meter.errors import MeterBusyError, MeterError, MeterLoadError
from vending_app.domain.errors import WholeNumberError
from vending_app.domain.network import Meter
from vending_app.lab_clock import SPEEDS
from vending_app.lab_meters import LabMeters
from vending_app.services import meters
from vending_app.services.refusals import parse_meter_number
from vending_app.web.context import now, parts, signed_in

blueprint = Blueprint("lab", __name__, url_prefix="/lab/meters/<drn>")

APPLIANCES: Final = (
    ("All off", 0),
    ("Lamps, 60 W", 60),
    ("Fridge, 150 W", 150),
    ("Kettle, 2 000 W", 2_000),
    ("Stove, 6 000 W", 6_000),
)
_STATUS: Final[tuple[tuple[type[MeterError], int], ...]] = (
    (MeterLoadError, 422),
    (MeterBusyError, 503),
    (MeterError, 500),
)
_LONGEST_NUMBER: Final = 9


@blueprint.get("")
def show_meter(drn: str) -> str:
    """Show the meter as it is now."""
    meter = _meter(drn)
    return render_template(
        "device.html",
        meter=meter,
        reading=_lab_meters().read(meter.drn, now=now()),
        appliances=APPLIANCES,
        speeds=SPEEDS,
    )


@blueprint.get("/panel")
def show_panel(drn: str) -> str:
    """Show the part of the page that changes by itself."""
    meter = _meter(drn)
    return render_template("_panel.html", reading=_lab_meters().read(meter.drn, now=now()))


@blueprint.post("/token")
def enter_token(drn: str) -> Response:
    """Key in a token; the page then shows the meter's answer."""
    meter = _meter(drn)
    _lab_meters().enter(meter.drn, request.form.get("token", "").strip(), now=now())
    return _back(meter)


@blueprint.post("/load")
def set_load(drn: str) -> Response:
    """Switch appliances on or off."""
    meter = _meter(drn)
    _lab_meters().set_load(meter.drn, _whole_number("load", "The load"), now=now())
    return _back(meter)


@blueprint.post("/speed")
def set_speed(drn: str) -> Response:
    """Make the meter's clock run at another speed."""
    meter = _meter(drn)
    _lab_meters().set_speed(meter.drn, _whole_number("speed", "The speed"), now=now())
    return _back(meter)


@blueprint.errorhandler(MeterError)
def _show_meter_error(error: MeterError) -> tuple[str, int]:
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    page = render_template(
        "error.html",
        title="The virtual meter says no",
        message=f"{error}.",
        code=error.code,
        hint=error.hint,
    )
    return page, status


def _lab_meters() -> LabMeters:
    found = parts().lab_meters
    if found is None:
        abort(404)
    return found


def _meter(drn: str) -> Meter:
    return meters.find_meter(parts().store, signed_in().tenant.code, drn=parse_meter_number(drn))


def _back(meter: Meter) -> Response:
    return redirect(url_for("lab.show_meter", drn=meter.drn), code=303)


def _whole_number(field: str, name: str) -> int:
    text = request.form.get(field, "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise WholeNumberError(name)
    return int(text)
