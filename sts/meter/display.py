"""What the meter says in words: readings, and what a token did. Text only."""

from typing import Final, assert_never

from sts.meanings import REGISTER_NAMES, SERVICE_UNITS, currency_text, tenths_text
from sts.meter.outcomes import (
    Accepted,
    CreditAdded,
    CreditCleared,
    Displayed,
    Effect,
    KeyChanged,
    LimitSet,
    Outcome,
    PartStored,
    Refused,
    TamperCleared,
    ValueStored,
)
from sts.meter.registers import MEASURES
from sts.meter.results import RESULTS
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import MeterState
from sts.meter.supply import CAUSES
from sts.tokens import Service

_SECONDS_PER_MINUTE: Final = 60
_THOUSAND: Final = 1000


def quantity_text(service: Service, units: int) -> str:
    """Return register units of a service as people read them: ``12.345 kWh``, ``5 min 30 s``."""
    sign = "-" if units < 0 else ""
    if service is Service.TIME:
        minutes, seconds = divmod(abs(units), _SECONDS_PER_MINUTE)
        return f"{sign}{minutes} min {seconds:02d} s"
    whole, thousandths = divmod(abs(units), _THOUSAND)
    return f"{sign}{whole}.{thousandths:03d} {SERVICE_UNITS[service]}"


def credit_text(spec: MeterSpec, units: int) -> str:
    """Return units of the meter's credit register as people read them."""
    if spec.credit_kind is CreditKind.CURRENCY:
        return f"{currency_text(units)} {spec.currency}"
    return quantity_text(spec.service, units)


def watts_text(watts: int | None) -> str:
    """Return a limit in words."""
    return "no limit" if watts is None else f"{watts} W"


def amount_text(spec: MeterSpec, outcome: Outcome) -> str:
    """Return the amount that a token added, as printed on the receipt; empty without one."""
    if not isinstance(outcome, Accepted):
        return ""
    return ", ".join(
        _added_text(spec, effect) for effect in outcome.effects if isinstance(effect, CreditAdded)
    )


def outcome_text(spec: MeterSpec, outcome: Outcome) -> str:
    """Return the meter's answer in words for the household."""
    words = RESULTS[outcome.code].household
    match outcome:
        case Accepted():
            return " ".join((words, *(effect_text(spec, effect) for effect in outcome.effects)))
        case PartStored():
            missing = ", ".join(str(number) for number in outcome.missing)
            return f"Part {outcome.part} of a set stored. Now enter part {missing}."
        case Refused():
            return words
        case _ as never:
            assert_never(never)


def effect_text(spec: MeterSpec, effect: Effect) -> str:  # noqa: PLR0911 - one a kind of effect
    """Return what one effect of a token did, as a sentence."""
    match effect:
        case CreditAdded():
            return f"{_added_text(spec, effect)} added."
        case CreditCleared():
            held = credit_text(spec, effect.units)
            return f"The {REGISTER_NAMES[effect.register]} of {held} has been cleared."
        case LimitSet():
            return f"{effect.name}: {watts_text(effect.watts)}."
        case ValueStored():
            return f"{effect.name} = {effect.value}."
        case TamperCleared():
            return "Tamper status cleared." if effect.was_tampered else "There was no tamper."
        case Displayed():
            return "See the display."
        case KeyChanged():
            return "The meter has its new key."
        case _ as never:
            assert_never(never)


def supply_text(state: MeterState) -> str:
    """Return whether supply is on and, if not, why, in words for the household."""
    if not state.powered:
        return "The meter has no power."
    if state.relay_closed:
        return "Supply is on."
    reasons = " ".join(CAUSES[cause] for cause in sorted(state.causes))
    return f"Supply is off. {reasons or 'Press the button.'}"


def _added_text(spec: MeterSpec, effect: CreditAdded) -> str:
    if spec.credit_kind is CreditKind.CURRENCY:
        return credit_text(spec, effect.units)
    tenths = effect.units // MEASURES[spec.service].per_tenth
    return f"{tenths_text(tenths)} {SERVICE_UNITS[spec.service]}"
