"""Plans as JSON: what must outlive this process while a security module elsewhere is asked."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from keys import (
    ClearCreditRequest,
    ClearTamperRequest,
    CreditRequest,
    CurrencyCreditRequest,
    MaximumPowerLimitRequest,
    NewKey,
    PhasePowerUnbalanceLimitRequest,
    TariffRateRequest,
    TokenRequest,
    WaterMeterFactorRequest,
    WriteExtendedRequest,
)
from keys.canonical_json import JsonObject, JsonValue
from sts import (
    BaseDate,
    CreditRegister,
    CurrencyAmount,
    PowerLimit,
    Service,
    UnitAmount,
)
from vending_app.domain.network import Meter, MeterKey, Serving
from vending_app.services.plans import IssuePlan, PlannedChange, PlannedToken

_REQUESTS: Final[Mapping[str, type[Any]]] = {
    kind.__name__: kind
    for kind in (
        ClearCreditRequest,
        ClearTamperRequest,
        CreditRequest,
        CurrencyCreditRequest,
        MaximumPowerLimitRequest,
        PhasePowerUnbalanceLimitRequest,
        TariffRateRequest,
        WaterMeterFactorRequest,
        WriteExtendedRequest,
    )
}


def _read_amount(value: int | list[int]) -> UnitAmount | CurrencyAmount:
    if isinstance(value, int):
        return UnitAmount(value)
    negative, exponent, mantissa = value
    return CurrencyAmount(negative=bool(negative), exponent=exponent, mantissa=mantissa)


_READ: Final[Mapping[str, Callable[[Any], object]]] = {
    "service": Service,
    "amount": _read_amount,
    "limit": PowerLimit,
    "register": CreditRegister,
}
"""How a field of a request that is no plain number or flag is read."""


def plan_json(plan: IssuePlan) -> JsonObject:
    """Return a plan as plain JSON values; of the meter only the key stands in it."""
    change = plan.change
    return {
        "key": plan.meter.key.body(),
        "base_date": str(plan.key.base_date),
        "change": None
        if change is None
        else {
            "message_id": change.message_id,
            "key": change.key.body(),
            "with_supply_group_code": change.new.with_supply_group_code,
            "allow_algorithm_change": change.new.allow_algorithm_change,
        },
        "tokens": [
            {"message_id": token.message_id, "request": _request_json(token.request)}
            for token in plan.tokens
        ],
    }


def read_plan(document: Mapping[str, Any], meter: Meter) -> IssuePlan:
    """Return the plan of a document.

    Args:
        document: What ``plan_json`` returned.
        meter: The meter as it is now; it gets the key back that it had when the plan was made.
    """
    change = document["change"]
    return IssuePlan(
        meter=replace(
            meter,
            present_key=MeterKey.read(document["key"]),
            new_key=None,
            serving=Serving.PRESENT,
        ),
        change=None if change is None else _read_change(change),
        tokens=tuple(
            PlannedToken(message_id=token["message_id"], request=_read_request(token["request"]))
            for token in document["tokens"]
        ),
    )


def planned_identifiers(plans: Iterable[str], base_date: BaseDate) -> tuple[int, ...]:
    """Return the token identifiers in plans that count from a base date."""
    documents = (json.loads(plan)["issue"] for plan in plans)
    return tuple(
        token["request"]["tid_minutes"]
        for document in documents
        if document["base_date"] == str(base_date)
        for token in document["tokens"]
    )


def plans_key_change(plans: Iterable[str]) -> bool:
    """Tell whether any of the plans has a key change."""
    return any(json.loads(plan)["issue"]["change"] is not None for plan in plans)


def _read_change(document: Mapping[str, Any]) -> PlannedChange:
    key = MeterKey.read(document["key"])
    return PlannedChange(
        message_id=document["message_id"],
        new=NewKey(
            supply_group_code=key.supply_group_code,
            key_revision_number=key.key_revision_number,
            tariff_index=key.tariff_index,
            with_supply_group_code=document["with_supply_group_code"],
            allow_algorithm_change=document["allow_algorithm_change"],
        ),
        key=key,
    )


def _request_json(request: TokenRequest) -> JsonObject:
    kind = type(request).__name__
    names = [field.name for field in fields(_REQUESTS[kind]) if field.init]
    values = {name: getattr(request, name) for name in names}
    return {"kind": kind} | {name: _plain(value) for name, value in values.items()}


def _read_request(document: Mapping[str, Any]) -> TokenRequest:
    values = {name: value for name, value in document.items() if name != "kind"}
    read = {name: _READ[name](value) if name in _READ else value for name, value in values.items()}
    request: TokenRequest = _REQUESTS[document["kind"]](**read)
    return request


def _plain(value: object) -> JsonValue:
    match value:
        case bool():
            return value
        case UnitAmount() | PowerLimit():
            return value.code
        case CurrencyAmount():
            return [value.negative, value.exponent, value.mantissa]
        case int():
            return int(value)
        case _:
            raise AssertionError(
                value
            )  # pragma: no cover - every field of a request is one of these
