"""The store of accepted token identifiers: what makes a token work once (IEC 62055-41, 7.3.7).

The store is always full. A token whose identifier is below the smallest stored one is old, one
whose identifier is stored is used, any other is new: so tokens may be entered out of order within
the window. Accepting a token replaces the smallest identifier (7.3.8).
"""

from sts.meter.results import ResultCode


def filled_store(tid: int, size: int) -> tuple[int, ...]:
    """Return a store that holds nothing but ``tid``: at manufacture, and 0 after a rollover."""
    return (tid,) * size


def refusal_of(store: tuple[int, ...], tid: int) -> ResultCode | None:
    """Return how a meter with this store refuses the identifier, or None if it is new."""
    if tid < store[0]:
        return ResultCode.OLD_ERROR
    if tid in store:
        return ResultCode.USED_ERROR
    return None


def with_cancelled(store: tuple[int, ...], tid: int) -> tuple[int, ...]:
    """Return the store after a new identifier has taken the place of the smallest."""
    return tuple(sorted((*store[1:], tid)))
