"""Key change in the meter: sections in any order, one atomic switch (IEC 62055-41, 8.9).

The sections of a set wait in volatile memory until all are there. The same section again is
harmless, a different section of the same number takes its place, and other tokens in between are
processed under the old key. Ten minutes after the last section the waiting ones are forgotten.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sts.errors import OutOfRangeError
from sts.identifiers import BaseDate
from sts.key_change import PERMITTED_KEY_TYPES, KeyChange, join, missing_parts, part_number
from sts.meter.events import EventKind, event
from sts.meter.outcomes import Accepted, KeyChanged, PartStored, Refused
from sts.meter.results import ResultCode
from sts.meter.spec import MeterSpec
from sts.meter.state import (
    NO_EXPIRY,
    UNKNOWN_SUPPLY_GROUP,
    DecoderKeyRegister,
    MeterState,
    Volatile,
)
from sts.meter.tid_store import filled_store
from sts.meter.transition import Situation, Transition
from sts.tokens import KeyChangeToken, Set1stSectionDecoderKey, Set3rdSectionSupplyGroup

PENDING_TIME: Final = timedelta(minutes=10)
"""How long sections wait after the last one; a make's practice, the standard's is not known."""
ROLLOVER_TID: Final = 0
"""What the store is filled with when token identifiers start anew."""

# A set only says that a base date follows; which one, the meter concludes. None follows the last.
_BASE_DATE_AFTER: Final[Mapping[BaseDate | None, BaseDate]] = dict(
    zip(tuple(BaseDate)[:-1], tuple(BaseDate)[1:], strict=True)
)


def without_stale(volatile: Volatile, now: datetime) -> Volatile:
    """Return volatile memory after sections that waited too long have been forgotten."""
    if volatile.last_part_at is None or now - volatile.last_part_at <= PENDING_TIME:
        return volatile
    return replace(volatile, pending=(), last_part_at=None)


def waiting_for(spec: MeterSpec, volatile: Volatile) -> tuple[int, ...]:
    """Return the numbers of the sections that the meter waits for."""
    if not volatile.pending:
        return ()
    return missing_parts(volatile.pending, key_bits=spec.encryption_algorithm.key_bits)


def enter_section(situation: Situation, token: KeyChangeToken) -> Transition | Refused:
    """Keep a section or, if it completes the set, change the key."""
    bits = situation.spec.encryption_algorithm.key_bits
    others = (
        part for part in situation.volatile.pending if part_number(part) != part_number(token)
    )
    pending = _of_one_set((*others, token))
    missing = missing_parts(pending, key_bits=bits)
    if missing:
        outcome = PartStored(token=token, part=part_number(token), missing=missing)
        volatile = replace(
            situation.volatile, pending=pending, last_part_at=situation.state.advanced_to
        )
        return Transition(state=situation.state, volatile=volatile, outcome=outcome)
    try:
        change = join(pending, key_bits=bits)
    except OutOfRangeError as error:
        return Refused(code=ResultCode.RANGE_ERROR, reason=str(error), token=token)
    return _switch(situation, token, change)


def _of_one_set(pending: tuple[KeyChangeToken, ...]) -> tuple[KeyChangeToken, ...]:
    """Drop a supply group section that the first section does not announce."""
    if any(
        isinstance(part, Set1stSectionDecoderKey) and not part.three_token_set for part in pending
    ):
        return tuple(part for part in pending if not isinstance(part, Set3rdSectionSupplyGroup))
    return pending


def _switch(situation: Situation, token: KeyChangeToken, change: KeyChange) -> Transition | Refused:
    present = situation.state.key_register
    if (present.key_type, change.key_type) not in PERMITTED_KEY_TYPES:
        reason = f"key type {present.key_type:d} may not become {change.key_type:d}"
        return Refused(code=ResultCode.KEY_TYPE_ERROR, reason=reason, token=token)
    state = _with_key(situation.spec, situation.state, change)
    effect = KeyChanged(
        key_type=change.key_type,
        supply_group_code=state.key_register.supply_group_code,
        tariff_index=change.tariff_index,
        key_revision_number=change.key_revision_number,
        rollover=change.rollover,
    )
    return Transition(
        state=state,
        volatile=replace(situation.volatile, pending=(), last_part_at=None),
        outcome=Accepted(token=token, effects=(effect,)),
        events=(event(state, EventKind.KEY_CHANGED),),
    )


def _with_key(spec: MeterSpec, state: MeterState, change: KeyChange) -> MeterState:
    """Replace key and attributes at once; credit, totals and limits stay (8.9)."""
    present = state.key_register.base_date
    register = DecoderKeyRegister(
        decoder_key=change.new_key,
        key_type=change.key_type,
        supply_group_code=change.supply_group_code or UNKNOWN_SUPPLY_GROUP,
        tariff_index=change.tariff_index,
        key_revision_number=change.key_revision_number,
        key_expiry_number=change.key_expiry_number if spec.supports_key_expiry else NO_EXPIRY,
        base_date=_BASE_DATE_AFTER.get(present) if change.rollover else present,
    )
    # Only a rollover forgets identifiers: the new key keeps tokens of the old base date out.
    store = filled_store(ROLLOVER_TID, spec.tid_store_size) if change.rollover else state.tid_store
    return replace(state, key_register=register, tid_store=store)
