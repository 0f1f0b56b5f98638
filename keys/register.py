"""The register of vending keys: which one serves a supply group, and until when each can be used.

Pure: everything follows from the metadata of the keys and a time. Key expiry and base dates are
counted in UTC here. A supply group that counts in another fixed offset reaches its ends that much
earlier or later; the module that issues a token applies the offset to the minute.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keys.errors import KeysError
from keys.registered_key import RegisteredKey, expires_at
from sts import (
    BaseDate,
    SupplyGroupCode,
    datetime_from_tid,
)
from sts.token_identifier import LAST_TID_MINUTES, require_utc

_MINUTE: Final = timedelta(minutes=1)
_LAST_REVISION: Final = 9


class NoServingKeyError(KeysError):
    """No vending key of the supply group can be used at this time."""

    code = "NO_SERVING_KEY"
    hint = "load the next key revision of this supply group"

    def __init__(self, supply_group_code: str, reasons: tuple[str, ...]) -> None:
        """Say why not, for each key there is."""
        why = "; ".join(reasons) or "there is none"
        super().__init__(f"no vending key serves supply group {supply_group_code}: {why}")


class DeadlineKind(StrEnum):
    """What ends."""

    ISSUED_UNTIL = "issued-until"
    """The module makes no tokens with the key any more."""
    KEY_EXPIRY = "key-expiry"
    """The key expiry number is reached: no credit and no management tokens any more."""
    CENTRE_EXPIRY = "centre-expiry"
    """The centre gives the key away no more."""
    TID_ROLLOVER = "tid-rollover"
    """The base date runs out of token identifiers: every meter needs a key of a later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Something of a vending key that ends.

    Attributes:
        at: The first moment at which it has ended, in UTC.
        kind: What ends.
        key: Of which key.
    """

    at: datetime
    kind: DeadlineKind
    key: RegisteredKey


def serving_key(
    keys: Iterable[RegisteredKey], supply_group_code: SupplyGroupCode, *, tenant: str, now: datetime
) -> RegisteredKey:
    """Return the vending key that a supply group is served with: its latest usable revision.

    Args:
        keys: The register.
        supply_group_code: The supply group.
        tenant: Whose.
        now: The time to answer for, aware.

    Raises:
        NoServingKeyError: None is active, or all have come to an end.
        NaiveDatetimeError: ``now`` has no zone.
    """
    group = [
        key
        for key in keys
        if key.record.tenant == tenant and key.record.supply_group_code == supply_group_code
    ]
    reasons = [(key, why_not(key, now)) for key in group]
    usable = [key for key, reason in reasons if reason is None]
    if not usable:
        raise NoServingKeyError(
            str(supply_group_code),
            tuple(f"revision {key.record.key_revision_number} {reason}" for key, reason in reasons),
        )
    return latest(usable)


def latest(keys: Iterable[RegisteredKey]) -> RegisteredKey:
    """Return the latest revision of one supply group.

    A later base date is a later key. Among keys of one base date the later activation decides, if
    every one of them has one. Else it is the greatest revision number; but 1 follows 9, so where
    both are there, the numbers from 1 on without a gap are the newest.

    Args:
        keys: At least one key, all of one tenant and supply group.
    """
    present = list(keys)
    if len(present) == 1:
        return present[0]
    newest = max(key.record.base_date.start for key in present)
    present = [key for key in present if key.record.base_date.start == newest]
    starts = [key.terms.activation for key in present]
    known = [start for start in starts if start is not None]
    if len(known) == len(present):
        present = [key for key in present if key.terms.activation == max(known)]
    by_number = {int(key.record.key_revision_number): key for key in present}
    return by_number[_latest_number(by_number)]


def why_not(key: RegisteredKey, now: datetime) -> str | None:
    """Return why a key cannot make tokens at this time, or None if it can.

    Raises:
        NaiveDatetimeError: ``now`` has no zone.
    """
    present, terms, base_date = require_utc(now), key.terms, key.record.base_date
    if key.first_moment <= present < key.end:
        return None
    if terms.activation is not None and present < terms.activation:
        return f"is not active before {terms.activation.isoformat()}"
    if present < base_date.start:
        return f"is not usable before its base date {base_date}"
    first = ends(key)[0]
    return f"came to its end ({first.kind}) at {first.at.isoformat()}"


def ends(key: RegisteredKey) -> tuple[Deadline, ...]:
    """Return after what a key makes no tokens any more, the earliest first."""
    base_date, until = key.record.base_date, key.terms.issued_until
    expiry = key.record.key_expiry_number
    found = [Deadline(at=rollover_at(base_date), kind=DeadlineKind.TID_ROLLOVER, key=key)]
    # A key that lasts as long as its base date ends with that, and not twice.
    if expiry.last_tid_minutes < LAST_TID_MINUTES:
        at = expires_at(expiry, base_date)
        found.append(Deadline(at=at, kind=DeadlineKind.KEY_EXPIRY, key=key))
    if until is not None:
        found.append(Deadline(at=until, kind=DeadlineKind.ISSUED_UNTIL, key=key))
    return _sorted(found)


def deadlines(key: RegisteredKey) -> tuple[Deadline, ...]:
    """Return everything of a key that ends, the earliest first."""
    if key.terms.expiry is None:
        return ends(key)
    centre = Deadline(at=key.terms.expiry, kind=DeadlineKind.CENTRE_EXPIRY, key=key)
    return _sorted((*ends(key), centre))


def expiring(
    keys: Iterable[RegisteredKey], *, now: datetime, within: timedelta
) -> tuple[Deadline, ...]:
    """Return what ends after ``now`` and not later than ``within`` from it, the earliest first.

    Raises:
        NaiveDatetimeError: ``now`` has no zone.
    """
    present = require_utc(now)
    found = (deadline for key in keys for deadline in deadlines(key))
    return _sorted(deadline for deadline in found if present < deadline.at <= present + within)


def rollover_at(base_date: BaseDate) -> datetime:
    """Return the first minute (UTC) that has no token identifier under this base date."""
    return datetime_from_tid(LAST_TID_MINUTES, base_date) + _MINUTE


def _sorted(found: Iterable[Deadline]) -> tuple[Deadline, ...]:
    return tuple(sorted(found, key=lambda deadline: deadline.at))


def _latest_number(numbers: Collection[int]) -> int:
    if not {1, _LAST_REVISION} <= set(numbers):
        return max(numbers)
    return next(number for number in range(1, _LAST_REVISION + 1) if number + 1 not in numbers)
