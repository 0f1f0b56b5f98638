"""The extended token set (STS 202-5): a value for tests, and flags."""

from dataclasses import replace
from typing import Final

from sts.meanings import EXTENDED_FLAG_NAMES
from sts.meter.events import Advance
from sts.meter.outcomes import Accepted, ValueStored
from sts.meter.state import (
    DETECT_TAMPER_FLAG,
    DISCONNECT_ON_TAMPER_FLAG,
    DISCONNECT_SERVICE_FLAG,
    MeterState,
    SupplyCause,
)
from sts.meter.supply import switch_off, switch_on
from sts.meter.transition import Situation, Transition
from sts.tokens import ReadExtended, WriteExtended

CONTROL_VALUE_INDEX: Final = 0
"""Index of the value that certification tests write and read back."""
CONFORMANCE_FLAG: Final = 0
SUPPORTED_FLAGS: Final = frozenset(
    {CONFORMANCE_FLAG, DETECT_TAMPER_FLAG, DISCONNECT_SERVICE_FLAG, DISCONNECT_ON_TAMPER_FLAG}
)
"""Flags that mean something to this meter; the others are refused."""


def supports_extended(token: ReadExtended | WriteExtended) -> bool:
    """Tell whether the meter knows the register or the flag."""
    return token.index == CONTROL_VALUE_INDEX or token.flag_number in SUPPORTED_FLAGS


def extended_line(state: MeterState, token: ReadExtended) -> str:
    """Return the display line that a read token asks for."""
    number = token.flag_number
    if number is None:
        return f"CONTROL VALUE {state.control_value}"
    return f"FLAG {number} = {int(number in state.flags)}"


def write_extended(situation: Situation, token: WriteExtended) -> Transition:
    """Store the value or the flag; switching the service off or on is a flag too."""
    number, value = token.flag_number, bool(token.flag_value)
    if number is None:
        written = Advance(state=replace(situation.state, control_value=token.data))
        effect = ValueStored(name="control value", value=token.data)
    else:
        written = _with_flag(situation, number, value=value)
        name = f"flag {number}, {EXTENDED_FLAG_NAMES[number]}"
        effect = ValueStored(name=name, value=int(value))
    return Transition(
        state=written.state,
        volatile=situation.volatile,
        outcome=Accepted(token=token, effects=(effect,)),
        events=written.events,
    )


def _with_flag(situation: Situation, number: int, *, value: bool) -> Advance:
    state = situation.state
    flagged = replace(state, flags=state.flags | {number} if value else state.flags - {number})
    if number != DISCONNECT_SERVICE_FLAG:
        return Advance(state=flagged)
    switch = switch_off if value else switch_on
    return switch(situation.spec, flagged, SupplyCause.REMOTE)
