"""Numbers in the paths of pages."""

from typing import Final

from flask import Flask
from werkzeug.routing import IntegerConverter

NUMBER: Final = "number"
"""What such a part of a path is called: ``/sales/<number:sale_number>``."""


class NumberConverter(IntegerConverter):
    """A number of up to 64 digits: whether anything has that number, the use case says.

    A longer one is no number to anybody, and to read it would take Python long.
    """

    regex = r"[0-9]{1,64}"


def register(app: Flask) -> None:
    """Make such numbers known to the paths of ``app``."""
    app.url_map.converters[NUMBER] = NumberConverter
