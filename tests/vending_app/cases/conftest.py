"""Who works at the demo's utility, and modules of other kinds, as other tests have them."""

from tests.vending_app.network.conftest import staff
from tests.vending_app.vend.conftest import elsewhere, make_module

__all__ = ["elsewhere", "make_module", "staff"]
