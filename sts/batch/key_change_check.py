"""Which key changes may not be issued: ``sts.key_change.check`` over columns."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import Numbers, flag_column, mark, number_column
from sts.batch.meter_numbers import MeterPans
from sts.batch.status import Status, StatusColumn, first_status
from sts.errors import ArrayShapeError
from sts.identifiers import EncryptionAlgorithm
from sts.key_change import PERMITTED_KEY_TYPES

_Flags: TypeAlias = NDArray[np.bool_]

NO_ALGORITHM: Final = 0
"""Stands for how a manufacturer's own key was made, which nobody derives."""

_DKGA02: Final = 2
_DKGA04: Final = 4
_KEY_TYPES: Final = 4
_PERMITTED: Final = np.array(
    [[(old, new) in PERMITTED_KEY_TYPES for new in range(_KEY_TYPES)] for old in range(_KEY_TYPES)]
)
_NUMBERS: Final = (
    "supply_group_codes",
    "tariff_indexes",
    "key_revision_numbers",
    "key_types",
    "base_dates",
    "generation_algorithms",
    "key_expiry_numbers",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyStateColumns:
    """Keys as the issuing side knows them, without their bytes.

    Columns are of any integer type and of one length, or one number for all rows.

    Attributes:
        meter_pans: The meters.
        supply_group_codes: 0 to 999999.
        tariff_indexes: 0 to 99.
        key_revision_numbers: 1 to 9.
        key_types: 0 to 3.
        base_dates: The two-digit codes, as numbers: 93, 14 or 35.
        generation_algorithms: 2, 3 or 4, or ``NO_ALGORITHM`` for a manufacturer's key.
        key_expiry_numbers: 0 to 255.
        encryption_algorithm: The cipher in the meters, the same for all.
    """

    meter_pans: MeterPans
    supply_group_codes: Numbers
    tariff_indexes: Numbers
    key_revision_numbers: Numbers
    key_types: Numbers
    base_dates: Numbers
    generation_algorithms: Numbers
    key_expiry_numbers: Numbers
    encryption_algorithm: EncryptionAlgorithm

    def columns(self) -> dict[str, NDArray[np.integer]]:
        """Return the columns of numbers by name, all as long as ``meter_pans``.

        Raises:
            ArrayTypeError, ArrayShapeError: Not columns of whole numbers of one length.
        """
        rows = len(self.meter_pans)
        return {name: number_column(name, getattr(self, name), rows) for name in _NUMBERS}


def check_key_changes(
    present: KeyStateColumns,
    new: KeyStateColumns,
    *,
    rollover: NDArray[np.bool_] | bool,
    tid_now: Numbers,
    allow_dkga_change: bool = True,
) -> StatusColumn:
    """Return why each key change may not be issued, or ``OK``.

    The checks and their order are those of ``sts.check_key_change``; before them comes the status
    of the meter numbers.

    Args:
        present: The keys in the meters.
        new: The keys that they are to have.
        rollover: The rollover bit of each set.
        tid_now: This minute as a token identifier of each new key's base date.
        allow_dkga_change: Whether the supply group lets EA07 meters go from DKGA02 to DKGA04.

    Returns:
        ``OK``, the status of a meter number, or ``KEY_CHANGE_TYPE``, ``KEY_CHANGE_CONFLICT``,
        ``KEY_CHANGE_ALGORITHM``, ``KEY_CHANGE_SAME``, ``KEY_CHANGE_ROLLOVER`` or
        ``KEY_CHANGE_TO_EXPIRED_KEY``.

    Raises:
        ArrayTypeError, ArrayShapeError: Not columns of one length.
    """
    old, goal = present.columns(), new.columns()
    rows = len(present.meter_pans)
    if len(new.meter_pans) != rows:
        raise ArrayShapeError("new", wanted=f"({rows},)", found=(len(new.meter_pans),))
    status = first_status(present.meter_pans.status, new.meter_pans.status)
    mark(status, Status.KEY_CHANGE_TYPE, ~_permitted(old["key_types"], goal["key_types"]))
    other_meter = present.meter_pans.digits != new.meter_pans.digits
    mark(status, Status.KEY_CHANGE_CONFLICT, other_meter)
    may_change = allow_dkga_change and new.encryption_algorithm is EncryptionAlgorithm.STA
    other_cipher = present.encryption_algorithm is not new.encryption_algorithm
    allowed = _algorithm_stays(old, goal, may_change=may_change)
    mark(status, Status.KEY_CHANGE_ALGORITHM, ~allowed | other_cipher)
    same = {name: old[name] == goal[name] for name in _NUMBERS}
    mark(status, Status.KEY_CHANGE_SAME, np.logical_and.reduce(list(same.values())))
    bit = flag_column("rollover", rollover, rows)
    mark(status, Status.KEY_CHANGE_ROLLOVER, bit == same["base_dates"])
    mark(status, Status.KEY_CHANGE_ROLLOVER, bit & _is_same_key(same, goal))
    now = number_column("tid_now", tid_now, rows)
    expired = now >> 16 > goal["key_expiry_numbers"]
    mark(status, Status.KEY_CHANGE_TO_EXPIRED_KEY, expired)
    return status


def _permitted(old: NDArray[np.integer], new: NDArray[np.integer]) -> _Flags:
    known = (old >= 0) & (old < _KEY_TYPES) & (new >= 0) & (new < _KEY_TYPES)
    permitted: _Flags = known & _PERMITTED[np.where(known, old, 0), np.where(known, new, 0)]
    return permitted


def _algorithm_stays(
    old: dict[str, NDArray[np.integer]], new: dict[str, NDArray[np.integer]], *, may_change: bool
) -> _Flags:
    """Tell where the algorithm is the same, or may become the other one."""
    before, after = old["generation_algorithms"], new["generation_algorithms"]
    upgrade = (before == _DKGA02) & (after == _DKGA04)
    stays: _Flags = (before == NO_ALGORITHM) | (before == after) | (upgrade & may_change)
    return stays


def _is_same_key(same: dict[str, _Flags], new: dict[str, NDArray[np.integer]]) -> _Flags:
    """Tell where nothing but the base date differs, and does not enter the key."""
    decides = [
        flags for name, flags in same.items() if name not in ("base_dates", "key_expiry_numbers")
    ]
    is_same: _Flags = np.logical_and.reduce(decides) & (new["generation_algorithms"] != _DKGA04)
    return is_same
