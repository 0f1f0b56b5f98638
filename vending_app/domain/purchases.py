"""What a tariff remembers of an account, as it is kept, and how a purchase is taken out again."""

import json
from datetime import date
from fractions import Fraction
from types import MappingProxyType

from keys.canonical_json import JsonObject, canonical_bytes
from vending_app.domain.tariff import FIRST_PURCHASE, Counters, PaidTo
from vending_app.domain.tariff_errors import CounterError


def format_counters(counters: Counters) -> str:
    """Return counters as they are kept: canonical JSON."""
    month = counters.month
    whole: JsonObject = {
        "month": None if month is None else month.isoformat(),
        "month_tenths": counters.month_tenths,
        "month_purchases": counters.month_purchases,
        "paid_to": {
            code: {"day": paid.day.isoformat(), "part_minor": str(paid.part_minor)}
            for code, paid in counters.paid_to.items()
        },
    }
    return canonical_bytes(whole).decode("ascii")


def parse_counters(text: str | None) -> Counters:
    """Read counters as they are kept; None for an account that never bought.

    Raises:
        CounterError: They were not written by ``format_counters``.
    """
    if text is None:
        return FIRST_PURCHASE
    try:
        found = json.loads(text)
        paid_to = {
            code: PaidTo(date.fromisoformat(paid["day"]), _fraction(paid["part_minor"]))
            for code, paid in found["paid_to"].items()
        }
        return Counters(
            month=None if found["month"] is None else date.fromisoformat(found["month"]),
            month_tenths=found["month_tenths"],
            month_purchases=found["month_purchases"],
            paid_to=MappingProxyType(paid_to),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise CounterError("What is kept of earlier purchases cannot be read.") from None


def _fraction(text: str) -> Fraction:
    """Read a fraction; a whole number, as it is most of the time, in a tenth of the time."""
    return Fraction(int(text)) if text.isdecimal() else Fraction(text)


def without_purchase(now: Counters, *, before: Counters, after: Counters) -> Counters:
    """Return counters as they would be if one purchase had not been.

    Args:
        now: The counters, perhaps after further purchases.
        before: As they were before the purchase.
        after: As they were right after it.
    """
    if now == after:
        return before
    same_month = now.month == after.month
    bought_before = before.month_tenths if before.month == after.month else 0
    paid_to = dict(now.paid_to)
    for code, paid in after.paid_to.items():
        # What a later purchase has paid on top stays paid.
        if paid_to.get(code) != paid or before.paid_to.get(code) == paid:
            continue
        if code in before.paid_to:
            paid_to[code] = before.paid_to[code]
        else:
            del paid_to[code]
    return Counters(
        month=now.month,
        month_tenths=max(
            now.month_tenths - (after.month_tenths - bought_before if same_month else 0), 0
        ),
        month_purchases=max(now.month_purchases - int(same_month), 0),
        paid_to=MappingProxyType(paid_to),
    )
