"""Planning a key change: what changes, whether it may be, and the set that says so.

Pure: the keys are known by their metadata, and the new decoder key comes in at the last step.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from keys.answers import ChangeReason
from keys.errors import TokenMismatchError
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration, NewKey
from keys.token_making import CipherSource
from sts import (
    DecoderKey,
    EncryptionAlgorithm,
    KeyChange,
    KeyState,
    KeyType,
    Token,
    tid_from_datetime,
)
from sts.key_change import SetSize, check, join
from sts.tokens import KEY_CHANGE_TOKEN_TYPES

_REASONS: Final = {
    ChangeReason.SUPPLY_GROUP: "supply_group_code",
    ChangeReason.KEY_REVISION: "key_revision_number",
    ChangeReason.TARIFF_INDEX: "tariff_index",
    ChangeReason.KEY_TYPE: "key_type",
    ChangeReason.BASE_DATE: "base_date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """A key change that has been thought through.

    Attributes:
        present: The key in the meter.
        new: The key that it is to have.
        reasons: What changes.
        configuration: The meter afterwards.
        set_size: How many tokens it takes.
        allow_algorithm_change: Whether a meter may go from DKGA02 to DKGA04.
    """

    present: KeyState
    new: KeyState
    reasons: tuple[ChangeReason, ...]
    configuration: MeterConfiguration
    set_size: SetSize
    allow_algorithm_change: bool

    @property
    def rollover(self) -> bool:
        """Whether token identifiers start anew: exactly when the base date changes."""
        return self.present.attributes.base_date is not self.new.attributes.base_date

    def require_permitted(self, now: datetime) -> None:
        """Refuse a change that may not be issued.

        Raises:
            KeyChangeError: As ``sts.key_change.check``.
            BeforeBaseDateError, AfterLastMinuteError: Now is no minute of the new base date.
        """
        check(
            self.present,
            self.new,
            rollover=self.rollover,
            tid_now=tid_from_datetime(now, self.new.attributes.base_date),
            allow_dkga_change=self.allow_algorithm_change,
        )

    def change(self, new_key: DecoderKey) -> KeyChange:
        """Return what the set tells the meter."""
        attributes = self.new.attributes
        return KeyChange(
            new_key=new_key,
            key_expiry_number=self.new.key_expiry_number,
            key_revision_number=attributes.key_revision_number,
            key_type=attributes.key_type,
            tariff_index=attributes.tariff_index,
            rollover=self.rollover,
            supply_group_code=None if self.set_size == 2 else attributes.supply_group_code,  # noqa: PLR2004 - the size that has no room for it
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWork:
    """A key change on its way through a module.

    Attributes:
        plan: What it is to be.
        present: The metadata of the present key; None if it is the maker's own.
        target: The metadata of the new one.
        source: What makes the cipher of the present key.
        body: What the message id stands for.
    """

    plan: PlannedChange
    present: RegisteredKey | None
    target: RegisteredKey
    source: CipherSource
    body: bytes


def meter_after(meter: MeterConfiguration, new: NewKey) -> MeterConfiguration:
    """Return the meter with the names of its new key; type and expiry are the vending key's."""
    return replace(
        meter,
        supply_group_code=new.supply_group_code,
        key_revision_number=new.key_revision_number,
        tariff_index=new.tariff_index,
        key_expiry_number=None,
    )


def plan_change(
    meter: MeterConfiguration, new: NewKey, *, present: RegisteredKey, target: RegisteredKey
) -> PlannedChange:
    """Plan the change from a key that was derived.

    Args:
        meter: The meter with its present key.
        new: What is asked for.
        present: The vending key of the present key.
        target: The vending key of the new key.
    """
    state = KeyState(
        attributes=meter.key_attributes(present.record.base_date),
        algorithm=present.record.key_generation_algorithm,
        key_expiry_number=meter.key_expiry_number or present.record.key_expiry_number,
    )
    return _plan(meter, new, state=state, target=target)


def plan_commissioning(
    meter: MeterConfiguration, new: NewKey, *, target: RegisteredKey
) -> PlannedChange:
    """Plan the change from a maker's own key, which has no base date: the new one's will do."""
    state = KeyState(attributes=meter.key_attributes(target.record.base_date), algorithm=None)
    return _plan(meter, new, state=state, target=target)


def require_same_change(wanted: KeyChange, tokens: Iterable[Token], *, key_bits: int) -> None:
    """Put the tokens of a set together as a meter does, and compare.

    Raises:
        TokenMismatchError: The meter would come to another key, or to other attributes.
    """
    parts = [token for token in tokens if isinstance(token, KEY_CHANGE_TOKEN_TYPES)]
    if join(parts, key_bits=key_bits) != wanted:
        raise TokenMismatchError("key change")


def _plan(
    meter: MeterConfiguration, new: NewKey, *, state: KeyState, target: RegisteredKey
) -> PlannedChange:
    record = target.record
    configuration = replace(
        meter_after(meter, new),
        key_type=record.key_type,
        key_expiry_number=record.key_expiry_number,
    )
    goal = KeyState(
        attributes=configuration.key_attributes(record.base_date),
        algorithm=record.key_generation_algorithm,
        key_expiry_number=record.key_expiry_number,
    )
    return PlannedChange(
        present=state,
        new=goal,
        reasons=_reasons(state, goal),
        configuration=configuration,
        set_size=_set_size(meter.encryption_algorithm, new),
        allow_algorithm_change=new.allow_algorithm_change,
    )


def _set_size(algorithm: EncryptionAlgorithm, new: NewKey) -> SetSize:
    if algorithm is EncryptionAlgorithm.MISTY1:
        return 4
    return 3 if new.with_supply_group_code else 2


def _reasons(present: KeyState, new: KeyState) -> tuple[ChangeReason, ...]:
    """Return everything that changes; one set serves for all of it."""
    if present.attributes.key_type is KeyType.INITIALISATION:
        return (ChangeReason.COMMISSIONING,)
    reasons = [
        reason
        for reason, name in _REASONS.items()
        if getattr(present.attributes, name) != getattr(new.attributes, name)
    ]
    if present.key_expiry_number != new.key_expiry_number:
        reasons.append(ChangeReason.KEY_EXPIRY)
    if present.algorithm is not new.algorithm:
        reasons.append(ChangeReason.ALGORITHM)
    return tuple(reasons)
