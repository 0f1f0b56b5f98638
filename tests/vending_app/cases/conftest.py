"""Who works at the demo's utility, and a module elsewhere, as other tests have them."""

from tests.vending_app.network.conftest import staff
from tests.vending_app.vend.conftest import elsewhere

__all__ = ["elsewhere", "staff"]
