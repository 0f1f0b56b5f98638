"""When the meter warns: credit runs low, lower, ends within moments; or too much is drawn."""

from sts.meter.buzzer import Alarm
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState
from sts.meter.supply import cut_ahead, overloaded


def alarm_of(spec: MeterSpec, state: MeterState) -> Alarm:
    """Return the gravest of what the meter warns of at the moment of the state.

    Where supply is off there is nothing left to warn of: lamp and display say it all.
    """
    if not state.relay_closed or not state.powered:
        return Alarm.NONE
    if cut_ahead(spec, state):
        return Alarm.CUT_AHEAD
    if overloaded(spec, state):
        return Alarm.OVERLOAD
    levels, credit = spec.levels, state.credit.whole
    if levels.very_low is not None and credit <= levels.very_low:
        return Alarm.VERY_LOW_CREDIT
    if levels.low is not None and credit <= levels.low:
        return Alarm.LOW_CREDIT
    return Alarm.NONE
