"""When the meter warns: credit runs low, lower, and ends within moments."""

from datetime import timedelta

from sts.meter.buzzer import Alarm
from sts.meter.profiles import CreditLevels, MeterProfile
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import MeterState
from sts.meter.supply import cut_at


def habits_of(_spec: MeterSpec) -> MeterProfile:
    """Return the habits of the make."""
    return MeterProfile()


def levels_of(spec: MeterSpec) -> CreditLevels:
    """Return the amounts of credit at which something happens, in the meter's own register."""
    habits = habits_of(spec)
    return habits.unit_levels if spec.credit_kind is CreditKind.UNIT else habits.currency_levels


def alarm_of(spec: MeterSpec, state: MeterState) -> Alarm:
    """Return the gravest of what the meter warns of at the moment of the state.

    Where supply is off there is nothing left to warn of: lamp and display say it all.
    """
    if not state.relay_closed or not state.powered:
        return Alarm.NONE
    if _ends_within(spec, state, timedelta(seconds=habits_of(spec).cut_alarm_s)):
        return Alarm.CUT_AHEAD
    levels = levels_of(spec)
    credit = state.credit.whole
    if levels.very_low is not None and credit <= levels.very_low:
        return Alarm.VERY_LOW_CREDIT
    if levels.low is not None and credit <= levels.low:
        return Alarm.LOW_CREDIT
    return Alarm.NONE


def _ends_within(spec: MeterSpec, state: MeterState, length: timedelta) -> bool:
    end = cut_at(spec, state)
    return end is not None and end - state.advanced_to <= length
