"""The tariffs of the demo, as data. Their figures are worked by hand in ``docs/tariffs.md``."""

from datetime import date
from fractions import Fraction
from typing import Final

from sts import Service
from vending_app.domain.money import Currency
from vending_app.domain.tariff import (
    Block,
    PercentCharge,
    Period,
    PeriodCharge,
    Rounding,
    Schedule,
    TariffVersion,
    UnitCharge,
)

ZAR: Final = Currency("ZAR", 2)
TZS: Final = Currency("TZS", 2)
FIRST_DAY: Final = date(2025, 7, 1)
"""Municipal years begin in July."""
_VAT: Final = Fraction(15)
_CREDIT: Final = "account-credit"


def _units(
    label: str, *ends_and_rates: tuple[int | None, Fraction], account: str = "sales:energy"
) -> UnitCharge:
    blocks = tuple(Block(up_to_tenths=end, rate=rate) for end, rate in ends_and_rates)
    return UnitCharge(
        code="energy",
        label=label,
        beneficiary="utility",
        ledger_account=account,
        schedules=(Schedule(blocks=blocks),),
    )


def _vat(*basis: str) -> PercentCharge:
    return PercentCharge(
        code="vat",
        label="VAT 15 %",
        beneficiary="revenue-service",
        ledger_account="tax:vat",
        percent=_VAT,
        basis=basis,
        included=True,
        tax=True,
    )


_MUNICIPAL_BLOCKS: Final = (
    (1_000, Fraction(3425, 10)),
    (4_000, Fraction(4044, 10)),
    (6_500, Fraction(4368, 10)),
    (None, Fraction(4709, 10)),
)
"""The first 100 kWh of a month at R3.425, the next 300 at R4.044, and so on, VAT included."""

_BASIC: Final = PeriodCharge(
    code="basic",
    label="Basic charge",
    beneficiary="utility",
    ledger_account="fee:basic",
    period=Period.MONTH,
    rate=Fraction(98_00),
    catch_up=3,
)

HOME: Final = TariffVersion(
    code="home",
    number=1,
    name="Home",
    service=Service.ELECTRICITY,
    currency=ZAR,
    first_day=FIRST_DAY,
    minimum_minor=5_00,
    maximum_minor=5_000_00,
    rounding=Rounding.UP,
    credit_account=_CREDIT,
    charges=(_BASIC, _units("Electricity", *_MUNICIPAL_BLOCKS), _vat("basic", "energy")),
)
INDIGENT: Final = TariffVersion(
    code="indigent",
    number=1,
    name="Indigent household",
    service=Service.ELECTRICITY,
    currency=ZAR,
    first_day=FIRST_DAY,
    minimum_minor=2_00,
    maximum_minor=2_000_00,
    rounding=Rounding.UP,
    credit_account=_CREDIT,
    charges=(_units("Electricity", *_MUNICIPAL_BLOCKS), _vat("energy")),
)


def _mini_grid(code: str, name: str, *, price_minor: int, largest_minor: int) -> TariffVersion:
    daily = PeriodCharge(
        code="daily",
        label="Daily charge",
        beneficiary="operator",
        ledger_account="fee:daily",
        period=Period.DAY,
        rate=Fraction(200_00),
        catch_up=30,
        largest_percent=Fraction(50),
    )
    return TariffVersion(
        code=code,
        number=1,
        name=name,
        service=Service.ELECTRICITY,
        currency=TZS,
        first_day=FIRST_DAY,
        minimum_minor=500_00,
        maximum_minor=largest_minor,
        rounding=Rounding.UP,
        credit_account=_CREDIT,
        charges=(daily, _units("Electricity", (None, Fraction(price_minor)))),
    )


HOUSEHOLD: Final = _mini_grid(
    "household", "Household", price_minor=1_800_00, largest_minor=500_000_00
)
PRODUCTIVE: Final = _mini_grid(
    "productive", "Productive use", price_minor=1_300_00, largest_minor=2_000_000_00
)


def _landlord(
    code: str, name: str, *, service: Service, rate: Fraction, account: str
) -> TariffVersion:
    label = "Electricity" if service is Service.ELECTRICITY else "Water"
    return TariffVersion(
        code=code,
        number=1,
        name=name,
        service=service,
        currency=ZAR,
        first_day=FIRST_DAY,
        minimum_minor=10_00,
        maximum_minor=50_000_00,
        rounding=Rounding.UP,
        credit_account=_CREDIT,
        charges=(_units(label, (None, rate), account=account), _vat("energy")),
    )


SHOP: Final = _landlord(
    "shop",
    "Shop",
    service=Service.ELECTRICITY,
    rate=Fraction(4044, 10),
    account="sales:energy",
)
SHOP_WATER: Final = _landlord(
    "shop-water",
    "Shop, water",
    service=Service.WATER,
    rate=Fraction(38_50),
    account="sales:water",
)

TARIFFS: Final = {
    "thabaneng": (HOME, INDIGENT),
    "mwanga": (HOUSEHOLD, PRODUCTIVE),
    "baobab": (SHOP, SHOP_WATER),
}
"""The tariffs of each utility."""
