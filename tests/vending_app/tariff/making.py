"""Short ways to make charges, tariffs and customers for tests."""

from datetime import date
from fractions import Fraction
from typing import Any, Final

from sts import Service
from vending_app.domain.money import Currency
from vending_app.domain.tariff import (
    Band,
    Block,
    Charge,
    CreditCharge,
    DatedRate,
    DatedTable,
    PercentCharge,
    Period,
    PeriodCharge,
    PurchaseCharge,
    Rate,
    Rounding,
    Schedule,
    ShareCharge,
    TariffContext,
    TariffVersion,
    UnitCharge,
)

DAY: Final = date(2026, 3, 2)
FIRST: Final = TariffContext.on(DAY)
MUNICIPAL: Final = ((1000, "342.5"), (4000, "404.4"), (6500, "436.8"), (None, "470.9"))


def names(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "label": code.capitalize(),
        "beneficiary": "utility",
        "ledger_account": f"income:{code}",
    }


def blocks(*pairs: tuple[int | None, str]) -> tuple[Block, ...]:
    return tuple(Block(up_to_tenths=end, rate=Fraction(rate)) for end, rate in pairs)


def units(code: str, *pairs: tuple[int | None, str]) -> UnitCharge:
    """A charge per unit with one schedule for all the year."""
    return UnitCharge(**names(code), schedules=(Schedule(blocks=blocks(*pairs)),))


def units_by(code: str, *schedules: Schedule) -> UnitCharge:
    return UnitCharge(**names(code), schedules=schedules)


def credit(code: str = "credit") -> CreditCharge:
    return CreditCharge(**names(code))


def monthly(code: str, rate: Rate, **rest: Any) -> PeriodCharge:
    fields = {"catch_up": 12} | rest
    return PeriodCharge(**names(code), period=Period.MONTH, rate=rate, **fields)


def daily(code: str, rate: Rate, **rest: Any) -> PeriodCharge:
    fields = {"catch_up": 30} | rest
    return PeriodCharge(**names(code), period=Period.DAY, rate=rate, **fields)


def fee(code: str, *bands: tuple[int, int], **rest: Any) -> PurchaseCharge:
    made = tuple(Band(from_minor=start, amount_minor=Fraction(amount)) for start, amount in bands)
    return PurchaseCharge(**names(code), bands=made, **rest)


def share(code: str, percent: int, **rest: Any) -> ShareCharge:
    return ShareCharge(**names(code), percent=Fraction(percent), **rest)


def percent(code: str, of: tuple[str, ...], rate: Rate, **rest: Any) -> PercentCharge:
    return PercentCharge(**names(code), percent=rate, basis=of, **rest)


def vat(*of: str, rate: int = 15, **rest: Any) -> PercentCharge:
    return percent("vat", of, Fraction(rate), tax=True, **rest)


def table(code: str, *rates: tuple[date, str], last_day: date | None = None) -> DatedTable:
    dated = tuple(DatedRate(day, Fraction(rate)) for day, rate in rates)
    return DatedTable(code=code, rates=dated, last_day=last_day)


def tariff(*charges: Charge, **changes: Any) -> TariffVersion:
    fields: dict[str, Any] = {
        "code": "home",
        "number": 1,
        "name": "Home",
        "service": Service.ELECTRICITY,
        "currency": Currency("ZAR", 2),
        "first_day": date(2026, 1, 1),
        "minimum_minor": 1,
        "maximum_minor": 10**9,
        "rounding": Rounding.UP,
        "credit_account": "liability:account-credit",
        "charges": charges,
    }
    return TariffVersion(**fields | changes)
