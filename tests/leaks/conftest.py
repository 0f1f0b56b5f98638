"""The token of a test, as for the tests of key custody."""

from tests.keys.conftest import hsm

__all__ = ["hsm"]
