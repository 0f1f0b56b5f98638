"""A virtual prepaid meter: a pure state machine with a thin edge.

``acceptance`` takes tokens, ``supply`` lets time pass and works the relay; both are values in,
values out. ``device`` is the meter on the table: the same machine over one file of memory.
"""

from sts.meter.acceptance import Reaction, apply, authenticate, validate
from sts.meter.errors import MeterError
from sts.meter.outcomes import (
    Accepted,
    Authentic,
    Effect,
    Malformed,
    Outcome,
    PartStored,
    Refused,
    Valid,
)
from sts.meter.profiles import PROFILES, MeterProfile, ReconnectPolicy
from sts.meter.results import RESULTS, ResultCode
from sts.meter.spec import CreditKind, MeterSpec, PricePeriod
from sts.meter.state import DecoderKeyRegister, MeterState, SupplyCause, Volatile, new_state
from sts.meter.supply import advance

__all__ = [
    "PROFILES",
    "RESULTS",
    "Accepted",
    "Authentic",
    "CreditKind",
    "DecoderKeyRegister",
    "Effect",
    "Malformed",
    "MeterError",
    "MeterProfile",
    "MeterSpec",
    "MeterState",
    "Outcome",
    "PartStored",
    "PricePeriod",
    "Reaction",
    "ReconnectPolicy",
    "Refused",
    "ResultCode",
    "SupplyCause",
    "Valid",
    "Volatile",
    "advance",
    "apply",
    "authenticate",
    "new_state",
    "validate",
]
