"""What the meter does with a valid token: one row a token kind (IEC 62055-41, 8).

``FUNCTIONS`` is the whole of it. A row says whether a meter so built has the function at all, and
how it is executed. Adding a token kind is adding a row; a test checks that none is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sts.amount import PowerLimit
from sts.meter.credit import clear_credit, transfer_credit, transfer_currency_credit
from sts.meter.events import Advance
from sts.meter.extended import extended_line, supports_extended, write_extended
from sts.meter.key_change import enter_section
from sts.meter.meter_tests import LOAD_SWITCH_TEST, lines_of_tests, supports_tests
from sts.meter.outcomes import (
    Accepted,
    Displayed,
    Effect,
    LimitSet,
    Refused,
    TamperCleared,
    ValueStored,
)
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import SupplyCause
from sts.meter.supply import begin_switch_test, clear_tamper, limit_changed
from sts.meter.transition import Situation, Transition
from sts.tokens import (
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
    ReservedToken,
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFunction:
    """One row: a function of the meter.

    Attributes:
        supported: Whether a meter so built has it for this token.
        execute: What it does.
        otherwise: Why not, for an engineer.
    """

    supported: Callable[[MeterSpec, Any], bool]
    execute: Callable[[Situation, Any], Transition | Refused]
    otherwise: str


def _done(situation: Situation, token: Token, effect: Effect, **changes: Any) -> Transition:
    return Transition(
        state=replace(situation.state, **changes),
        volatile=situation.volatile,
        outcome=Accepted(token=token, effects=(effect,)),
    )


def _switched(
    situation: Situation, token: Token, *, effect: Effect, switched: Advance
) -> Transition:
    """Return the transition of a token that may have moved the relay."""
    return Transition(
        state=switched.state,
        volatile=situation.volatile,
        outcome=Accepted(token=token, effects=(effect,)),
        events=switched.events,
    )


def _initiate_test(situation: Situation, token: InitiateMeterTest) -> Transition:
    spec, state = situation.spec, situation.state
    shown = Displayed(lines=lines_of_tests(spec, state, token))
    if LOAD_SWITCH_TEST not in token.tests:
        return _done(situation, token, shown)
    return _switched(situation, token, effect=shown, switched=begin_switch_test(spec, state))


def _read_extended(situation: Situation, token: ReadExtended) -> Transition:
    return _done(situation, token, Displayed(lines=(extended_line(situation.state, token),)))


def _watts(spec: MeterSpec, limit: PowerLimit) -> int | None:
    return None if limit.code == spec.no_limit_code else limit.watts


def _set_power_limit(situation: Situation, token: SetMaximumPowerLimit) -> Transition:
    watts = _watts(situation.spec, token.limit)
    effect = LimitSet(name="Maximum power limit", watts=watts)
    limited = replace(situation.state, power_limit_w=watts)
    begun = limit_changed(situation.spec, limited, SupplyCause.POWER_LIMIT)
    return _switched(situation, token, effect=effect, switched=begun)


def _set_unbalance_limit(
    situation: Situation, token: SetMaximumPhasePowerUnbalanceLimit
) -> Transition:
    watts = _watts(situation.spec, token.limit)
    effect = LimitSet(name="Maximum phase power unbalance limit", watts=watts)
    limited = replace(situation.state, unbalance_limit_w=watts)
    begun = limit_changed(situation.spec, limited, SupplyCause.PHASE_UNBALANCE)
    return _switched(situation, token, effect=effect, switched=begun)


def _set_tariff_rate(situation: Situation, token: SetTariffRate) -> Transition:
    effect = ValueStored(name="Tariff rate", value=token.rate)
    return _done(situation, token, effect, tariff_rate=token.rate)


def _set_water_factor(situation: Situation, token: SetWaterMeterFactor) -> Transition:
    effect = ValueStored(name="Water meter factor", value=token.factor)
    return _done(situation, token, effect, water_factor=token.factor)


def _clear_tamper(situation: Situation, token: ClearTamperCondition) -> Transition:
    """Clear the status and cancel what it caused (8.7)."""
    state = situation.state
    effect = TamperCleared(was_tampered=state.tampered)
    cleared = clear_tamper(situation.spec, state)
    return _switched(situation, token, effect=effect, switched=cleared)


def _always(_spec: MeterSpec, _token: Token) -> bool:
    return True


def _own_register(spec: MeterSpec, token: ClearCredit) -> bool:
    return token.register in (spec.register, CreditRegister.ALL)


def _announced_size(spec: MeterSpec, token: Set1stSectionDecoderKey) -> bool:
    return spec.supports_three_token_set or not token.three_token_set


_ANOTHER_KIND: Final = "the meter counts another service, or another kind of credit"
_NO_SUCH_SET: Final = "the decoder does not know sets of three key change tokens"
_KEY_CHANGE: Final = MeterFunction(
    supported=_always, execute=enter_section, otherwise="every meter can change its key"
)

FUNCTIONS: Final[Mapping[type, MeterFunction]] = {
    TransferCredit: MeterFunction(
        supported=lambda spec, token: (
            spec.credit_kind is CreditKind.UNIT and token.service is spec.service
        ),
        execute=transfer_credit,
        otherwise=_ANOTHER_KIND,
    ),
    TransferCurrencyCredit: MeterFunction(
        supported=lambda spec, token: (
            spec.credit_kind is CreditKind.CURRENCY and token.service is spec.service
        ),
        execute=transfer_currency_credit,
        otherwise=_ANOTHER_KIND,
    ),
    InitiateMeterTest: MeterFunction(
        supported=supports_tests, execute=_initiate_test, otherwise="no such test in this meter"
    ),
    ReadExtended: MeterFunction(
        supported=lambda _spec, token: supports_extended(token),
        execute=_read_extended,
        otherwise="no such register of the extended token set",
    ),
    SetMaximumPowerLimit: MeterFunction(
        supported=lambda spec, _token: spec.measures_power,
        execute=_set_power_limit,
        otherwise="the meter does not measure power",
    ),
    ClearCredit: MeterFunction(
        supported=_own_register, execute=clear_credit, otherwise="the meter has no such register"
    ),
    SetTariffRate: MeterFunction(
        supported=lambda spec, _token: spec.stores_tariff_rate,
        execute=_set_tariff_rate,
        otherwise="tariff rates are reserved by the standard",
    ),
    Set1stSectionDecoderKey: MeterFunction(
        supported=_announced_size, execute=enter_section, otherwise=_NO_SUCH_SET
    ),
    Set2ndSectionDecoderKey: _KEY_CHANGE,
    ClearTamperCondition: MeterFunction(
        supported=_always, execute=_clear_tamper, otherwise="every meter has a tamper status"
    ),
    SetMaximumPhasePowerUnbalanceLimit: MeterFunction(
        supported=lambda spec, _token: spec.is_polyphase,
        execute=_set_unbalance_limit,
        otherwise="the meter has one phase",
    ),
    SetWaterMeterFactor: MeterFunction(
        supported=lambda spec, _token: spec.stores_water_factor,
        execute=_set_water_factor,
        otherwise="water meter factors are reserved by the standard",
    ),
    Set3rdSectionSupplyGroup: MeterFunction(
        supported=lambda spec, _token: spec.supports_three_token_set,
        execute=enter_section,
        otherwise=_NO_SUCH_SET,
    ),
    Set3rdSectionDecoderKey: _KEY_CHANGE,
    Set4thSectionDecoderKey: _KEY_CHANGE,
    WriteExtended: MeterFunction(
        supported=lambda _spec, token: supports_extended(token),
        execute=write_extended,
        otherwise="no such register of the extended token set",
    ),
}
"""Token kind to what the meter makes of it."""

ABSENT: Final[Mapping[type, str]] = {
    ProprietaryTest: "the meter has no tests of its maker's own",
    ProprietaryManagement: "the meter has no management tokens of its maker's own",
    ReservedToken: "the subclass is reserved by the standard",
}
"""Token kinds that this meter never executes, and why."""


def lack_of(spec: MeterSpec, token: Token) -> str:
    """Return why the meter cannot execute the token; empty if it can."""
    absent = ABSENT.get(type(token))
    if absent is not None:
        return absent
    function = FUNCTIONS[type(token)]
    return "" if function.supported(spec, token) else function.otherwise


def execute(situation: Situation, token: Token) -> Transition | Refused:
    """Do what a valid token asks for."""
    return FUNCTIONS[type(token)].execute(situation, token)
