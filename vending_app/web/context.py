"""What a request works with: the application's parts, and who is logged in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import current_app, g

from keys import SecurityModule
from vending_app.clock import Clock
from vending_app.config import Config
from vending_app.domain.parties import Operator, Tenant
from vending_app.lab_meters import LabMeters
from vending_app.storage.engine import Store
from vending_app.web.throttle import LoginThrottle

EXTENSION: Final = "sts_vend"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """The parts that one application is made of.

    Attributes:
        config: The settings.
        store: The database.
        module: Who makes tokens.
        clock: The time, read once a request.
        throttle: Slows down who guesses passwords.
        lab_meters: Virtual meters; None outside lab mode.
    """

    config: Config
    store: Store
    module: SecurityModule
    clock: Clock
    throttle: LoginThrottle
    lab_meters: LabMeters | None

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who is logged in, and where."""

    operator: Operator
    tenant: Tenant


def parts() -> AppContext:
    """Return the parts of the application that serves this request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, AppContext)
    return found


def now() -> datetime:
    """Return the time of this request: the same whenever it is asked for."""
    if "now" not in g:
        g.now = parts().clock()
    moment = g.now
    assert isinstance(moment, datetime)
    return moment


def signed_in() -> SignedIn:
    """Return who is logged in; the guard has let nobody else come here."""
    found = g.signed_in
    assert isinstance(found, SignedIn)
    return found
