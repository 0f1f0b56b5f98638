"""What a lint of a tariff says, in words and figures for whoever approves it."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from sts import Service
from vending_app.domain.money import Money, format_money
from vending_app.domain.tariff.context import TariffContext
from vending_app.domain.tariff.version import TariffVersion

UNIT_NAMES: Final = {
    Service.ELECTRICITY: "kWh",
    Service.WATER: "m³",
    Service.GAS: "m³",
    Service.TIME: "min",
}
_CURRENCY_TOKEN_STEP: Final = 10**5
_TENTHS: Final = 10


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Customers cannot buy, or not what the tariff says."""
    WARNING = "warning"
    """Customers are treated in a way that nobody may have meant."""
    NOTICE = "notice"
    """Worth a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A purchase that was tried.

    Attributes:
        context: How the customer stood.
        tendered_minor: The money.
        carried: What the tokens would carry; none if the purchase was refused.
        paid: What the money pays for exactly, counted like ``carried``.
    """

    context: TariffContext
    tendered_minor: int
    carried: int | None
    paid: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that the approver of a tariff should know.

    Attributes:
        code: What it is, in a form that does not change.
        level: How much it matters.
        message: A sentence with figures.
        path: The way to the cause in the document of the tariff; empty if the whole is meant.
        trials: The purchases that show it.
    """

    code: str
    level: Level
    message: str
    path: str = ""
    trials: tuple[Trial, ...] = ()


def goods_text(version: TariffVersion, carried: int | None) -> str:
    """Return what tokens carry, for people: ``5.9 kWh``; ``nothing`` for a refusal."""
    if not carried:
        return "nothing"
    if version.sells_units:
        whole, tenth = divmod(carried, _TENTHS)
        return f"{whole}.{tenth} {UNIT_NAMES[version.service]}"
    whole, rest = divmod(carried, _CURRENCY_TOKEN_STEP)
    return f"{whole}.{rest:05} {version.currency.code} of credit"


def money_text(version: TariffVersion, minor: int) -> str:
    """Return an amount of money for people."""
    return format_money(Money(minor, version.currency))


def standing_text(context: TariffContext, version: TariffVersion) -> str:
    """Return how a customer stood, for people."""
    said = f"on {context.day}"
    if context.month_tenths:
        return f"{said}, after {goods_text(version, context.month_tenths)} in the month"
    return (
        f"{said}, as the first purchase of the month" if context.first_purchase_of_month else said
    )
