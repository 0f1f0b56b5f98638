"""Charges as JSON: one table says, for each kind, how it is read and how it is written."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypedDict, assert_never

from keys.canonical_json import JsonObject, JsonValue
from vending_app.domain.tariff.charges import (
    WHOLE,
    Band,
    Block,
    Charge,
    CreditCharge,
    PercentCharge,
    Period,
    PeriodCharge,
    PurchaseCharge,
    Schedule,
    ShareCharge,
    UnitCharge,
)
from vending_app.domain.tariff.conditions import ALWAYS, Condition
from vending_app.domain.tariff.figures import format_figure
from vending_app.domain.tariff.rates import Rate, TableRate
from vending_app.domain.tariff.reading import Fields


class ChargeKind(StrEnum):
    """What the field ``kind`` of a charge may say."""

    UNITS = "units"
    CREDIT = "credit"
    PERIOD = "period"
    PURCHASE = "purchase"
    SHARE = "share"
    PERCENT = "percent"


class _Names(TypedDict):
    code: str
    label: str
    beneficiary: str
    ledger_account: str


# --- reading ----------------------------------------------------------------------------------


def read_charge(fields: Fields) -> Charge:
    """Make a charge of its fields.

    Raises:
        TariffDefinitionError: They make none.
    """
    return _READERS[fields.word("kind", ChargeKind)](fields, _names(fields))


def _names(fields: Fields) -> _Names:
    return {
        "code": fields.text("code"),
        "label": fields.text("label"),
        "beneficiary": fields.text("beneficiary"),
        "ledger_account": fields.text("ledger_account"),
    }


def _read_units(fields: Fields, names: _Names) -> UnitCharge:
    return UnitCharge(**names, schedules=fields.all_made("schedules", _read_schedule))


def _read_schedule(fields: Fields) -> Schedule:
    return Schedule(blocks=fields.all_made("blocks", _read_block), when=_read_when(fields))


def _read_block(fields: Fields) -> Block:
    end = fields.whole("up_to_tenths") if fields.has("up_to_tenths") else None
    return Block(up_to_tenths=end, rate=fields.rate("rate"))


def _read_credit(_: Fields, names: _Names) -> CreditCharge:
    return CreditCharge(**names)


def _read_period(fields: Fields, names: _Names) -> PeriodCharge:
    has_cap = fields.has("largest_percent")
    return PeriodCharge(
        **names,
        period=fields.word("period", Period),
        rate=fields.rate("rate"),
        catch_up=fields.whole("catch_up"),
        largest_percent=fields.figure("largest_percent") if has_cap else WHOLE,
    )


def _read_purchase(fields: Fields, names: _Names) -> PurchaseCharge:
    bands = fields.all_made("bands", _read_band)
    return PurchaseCharge(**names, bands=bands, when=_read_when(fields))


def _read_band(fields: Fields) -> Band:
    return Band(from_minor=fields.whole("from_minor"), amount_minor=fields.rate("amount_minor"))


def _read_share(fields: Fields, names: _Names) -> ShareCharge:
    return ShareCharge(
        **names,
        percent=fields.rate("percent"),
        largest_minor=fields.whole("largest_minor") if fields.has("largest_minor") else None,
        when=_read_when(fields),
    )


def _read_percent(fields: Fields, names: _Names) -> PercentCharge:
    return PercentCharge(
        **names,
        percent=fields.rate("percent"),
        basis=fields.texts("basis"),
        included=fields.flag("included"),
        tax=fields.flag("tax"),
        when=_read_when(fields),
    )


def _read_when(fields: Fields) -> Condition:
    return fields.made("when", _read_condition) if fields.has("when") else ALWAYS


def _read_condition(fields: Fields) -> Condition:
    def limit(name: str) -> int | None:
        return fields.whole(name) if fields.has(name) else None

    return Condition(
        months=fields.wholes("months") if fields.has("months") else (),
        first_purchase_of_month=fields.flag("first_purchase_of_month"),
        first_purchase_ever=fields.flag("first_purchase_ever"),
        month_below_tenths=limit("month_below_tenths"),
        purchase_at_most_minor=limit("purchase_at_most_minor"),
    )


_READERS: Final[dict[ChargeKind, Callable[[Fields, _Names], Charge]]] = {
    ChargeKind.UNITS: _read_units,
    ChargeKind.CREDIT: _read_credit,
    ChargeKind.PERIOD: _read_period,
    ChargeKind.PURCHASE: _read_purchase,
    ChargeKind.SHARE: _read_share,
    ChargeKind.PERCENT: _read_percent,
}

# --- writing ----------------------------------------------------------------------------------


def charge_json(charge: Charge) -> JsonObject:
    """Return a charge as JSON; what is as usual is left out."""
    names: dict[str, JsonValue] = {
        "code": charge.code,
        "label": charge.label,
        "beneficiary": charge.beneficiary,
        "ledger_account": charge.ledger_account,
    }
    return names | _own_fields(charge)


def rate_json(rate: Rate) -> JsonValue:
    """Return a rate as JSON."""
    return {"table": rate.table} if isinstance(rate, TableRate) else format_figure(rate)


def _own_fields(charge: Charge) -> dict[str, JsonValue]:
    match charge:
        case UnitCharge():
            schedules = [_schedule_json(schedule) for schedule in charge.schedules]
            return {"kind": ChargeKind.UNITS.value, "schedules": schedules}
        case CreditCharge():
            return {"kind": ChargeKind.CREDIT.value}
        case PeriodCharge():
            cap = charge.largest_percent
            return {
                "kind": ChargeKind.PERIOD.value,
                "period": charge.period.value,
                "rate": rate_json(charge.rate),
                "catch_up": charge.catch_up,
            } | ({} if cap == WHOLE else {"largest_percent": format_figure(cap)})
        case PurchaseCharge():
            bands: list[JsonValue] = [
                {"from_minor": band.from_minor, "amount_minor": rate_json(band.amount_minor)}
                for band in charge.bands
            ]
            return {"kind": ChargeKind.PURCHASE.value, "bands": bands} | _when_json(charge.when)
        case ShareCharge():
            largest = charge.largest_minor
            return (
                {"kind": ChargeKind.SHARE.value, "percent": rate_json(charge.percent)}
                | ({} if largest is None else {"largest_minor": largest})
                | _when_json(charge.when)
            )
        case PercentCharge():
            return (
                {
                    "kind": ChargeKind.PERCENT.value,
                    "percent": rate_json(charge.percent),
                    "basis": list(charge.basis),
                }
                | ({"included": True} if charge.included else {})
                | ({"tax": True} if charge.tax else {})
                | _when_json(charge.when)
            )
        case _ as never:
            assert_never(never)


def _schedule_json(schedule: Schedule) -> JsonObject:
    blocks: list[JsonValue] = [_block_json(block) for block in schedule.blocks]
    return {"blocks": blocks} | _when_json(schedule.when)


def _block_json(block: Block) -> JsonObject:
    rate = {"rate": rate_json(block.rate)}
    return rate if block.up_to_tenths is None else {"up_to_tenths": block.up_to_tenths} | rate


def _when_json(when: Condition) -> dict[str, JsonValue]:
    if when.always:
        return {}
    fields: dict[str, JsonValue] = {
        "months": list(when.months),
        "first_purchase_of_month": when.first_purchase_of_month,
        "first_purchase_ever": when.first_purchase_ever,
        "month_below_tenths": when.month_below_tenths,
        "purchase_at_most_minor": when.purchase_at_most_minor,
    }
    return {"when": {name: value for name, value in fields.items() if value}}
