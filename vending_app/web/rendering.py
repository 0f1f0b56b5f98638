"""How values are written on pages."""

from datetime import datetime
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from flask import Flask, g

from sts import format_token
from vending_app.domain.money import Currency, Money, format_minor, format_money
from vending_app.domain.units import UNITS, format_tenths, format_units
from vending_app.web.context import SignedIn, parts

SAMPLE_WARNING: Final = "SAMPLE tables: not for real meters"
_PRICE_DECIMALS: Final = 4


def register(app: Flask) -> None:
    """Make the filters and the words of every page known to the templates of ``app``."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.add_template_filter(format_money, "money")
    app.add_template_filter(format_minor, "minor")
    app.add_template_filter(format_tenths, "tenths")
    app.add_template_filter(format_price, "price")
    app.add_template_filter(format_units, "units")
    app.add_template_filter(UNITS.get, "unit")
    app.add_template_filter(format_token, "token")
    app.add_template_filter(format_local, "local")
    app.context_processor(_every_page)


def format_price(price_minor: Fraction, currency: Currency) -> str:
    """Return a price with at least the currency's decimals and as many more as it has, up to 4.

    A price without an end (a third of a cent) is cut at four decimals and marked with ``…``.
    """
    scaled = price_minor * 10**_PRICE_DECIMALS / 10**currency.exponent
    whole, rest = divmod(scaled.numerator // scaled.denominator, 10**_PRICE_DECIMALS)
    decimals = f"{rest:0{_PRICE_DECIMALS}d}"
    while len(decimals) > currency.exponent and decimals.endswith("0"):
        decimals = decimals[:-1]
    text = format_minor(whole, 0) + (f".{decimals}" if decimals else "")
    return text if scaled.denominator == 1 else f"{text}…"


def format_local(when: datetime, *, seconds: bool = False) -> str:
    """Return a time in the calendar of the utility whose page it is."""
    signed_in: SignedIn = g.signed_in
    local = when.astimezone(ZoneInfo(signed_in.tenant.time_zone))
    return local.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def full_money(minor: int, currency: Currency) -> str:
    """Return an amount with its currency from the two parts that tables keep."""
    return format_money(Money(minor, currency))


def _every_page() -> dict[str, object]:
    return {
        "signed_in": g.get("signed_in"),
        "lab_mode": parts().config.lab_mode,
        "sample_warning": SAMPLE_WARNING,
        "full_money": full_money,
    }
