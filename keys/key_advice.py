"""When a meter must change its key, and why: all reasons together, for one key change set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from keys.register import serving_key, why_not
from keys.registered_key import RegisteredKey
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)


class KeyChangeReason(StrEnum):
    """In what the key in the meter and the one that it should have differ."""

    SUPPLY_GROUP = "supply-group"
    KEY_TYPE = "key-type"
    KEY_REVISION = "key-revision"
    TARIFF_INDEX = "tariff-index"
    KEY_EXPIRY = "key-expiry"
    """The meter was told another key expiry number."""
    BASE_DATE = "base-date"
    """Token identifiers start anew: the set carries the rollover bit."""
    KEY_ENDED = "key-ended"
    """The present key makes no credit any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInMeter:
    """The key that a meter holds, as the vending side knows it.

    Attributes:
        tenant: Whose meter it is.
        supply_group_code: Of the key.
        key_revision_number: Of the key.
        key_type: Of the key.
        tariff_index: Of the key.
        base_date: Of the key; None for a manufacturer's key, which has none of its own.
        key_expiry_number: What the meter was told; None if it is not known.
    """

    tenant: str
    supply_group_code: SupplyGroupCode
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    tariff_index: TariffIndex
    base_date: BaseDate | None
    key_expiry_number: KeyExpiryNumber | None = None


_COMPARED: Final[Mapping[KeyChangeReason, str]] = {
    KeyChangeReason.SUPPLY_GROUP: "supply_group_code",
    KeyChangeReason.KEY_TYPE: "key_type",
    KeyChangeReason.KEY_REVISION: "key_revision_number",
    KeyChangeReason.TARIFF_INDEX: "tariff_index",
    KeyChangeReason.KEY_EXPIRY: "key_expiry_number",
    KeyChangeReason.BASE_DATE: "base_date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAdvice:
    """The key that a meter should have.

    Attributes:
        target: The vending key of that key.
        tariff_index: Its tariff index.
        reasons: In what the present key differs; none means that there is nothing to do.
        rollover: Whether the set carries the rollover bit.
        usable_until: Until when the present key makes credit; None if the register does not have
            it, or it has come to its end.
    """

    target: RegisteredKey
    tariff_index: TariffIndex
    reasons: tuple[KeyChangeReason, ...]
    rollover: bool
    usable_until: datetime | None

    @property
    def is_needed(self) -> bool:
        """Whether there is a reason to change the key."""
        return bool(self.reasons)


def advise(
    meter: KeyInMeter,
    keys: Iterable[RegisteredKey],
    *,
    now: datetime,
    supply_group_code: SupplyGroupCode | None = None,
    tariff_index: TariffIndex | None = None,
) -> KeyAdvice:
    """Compare the key in a meter with the one that it should have.

    Args:
        meter: The key that it has.
        keys: The register.
        now: The present time, aware.
        supply_group_code: The group that it should be in; None for the present one.
        tariff_index: The index that it should have; None for the present one.

    Raises:
        NoServingKeyError: No key serves the group that it should be in.
        NaiveDatetimeError: ``now`` has no zone.
    """
    register = list(keys)
    group = supply_group_code or meter.supply_group_code
    target = serving_key(register, group, tenant=meter.tenant, now=now)
    present = _present(meter, register)
    wanted = KeyInMeter(
        tenant=meter.tenant,
        supply_group_code=group,
        key_revision_number=target.record.key_revision_number,
        key_type=target.record.key_type,
        tariff_index=tariff_index or meter.tariff_index,
        base_date=target.record.base_date,
        key_expiry_number=target.record.key_expiry_number,
    )
    reasons = _differences(meter, wanted)
    ended = present is not None and why_not(present, now) is not None
    if ended:
        reasons.append(KeyChangeReason.KEY_ENDED)
    return KeyAdvice(
        target=target,
        tariff_index=wanted.tariff_index,
        reasons=tuple(reasons),
        rollover=KeyChangeReason.BASE_DATE in reasons,
        usable_until=None if present is None or ended else present.end,
    )


def _present(meter: KeyInMeter, register: list[RegisteredKey]) -> RegisteredKey | None:
    """Return the vending key of the key in the meter, if the register has it."""
    for key in register:
        record = key.record
        if meter.base_date not in (None, record.base_date):
            # The numbering has come round: another key of the same name.
            continue
        if (record.tenant, record.supply_group_code, record.key_revision_number) == (
            meter.tenant,
            meter.supply_group_code,
            meter.key_revision_number,
        ):
            return key
    return None


def _differences(meter: KeyInMeter, wanted: KeyInMeter) -> list[KeyChangeReason]:
    """Return in what two keys differ; what is not known of the one in the meter is no reason."""
    return [
        reason
        for reason, field in _COMPARED.items()
        if getattr(meter, field) not in (None, getattr(wanted, field))
    ]
