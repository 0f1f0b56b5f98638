"""Meters, or tokens, that stand in the input twice: found over all parts with little memory.

Nobody can know which of two rows of a meter is the right one, so both are refused.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from keys.bulk.part import NO_METER
from keys.bulk.sources import Part
from keys.bulk.workspace import Workspace

MOST_AT_ONCE: Final = 4_000_000
"""So many numbers are sorted at once; of more, so many times the files are read."""


def duplicates_of(workspace: Workspace, parts: Sequence[Part]) -> dict[int, tuple[int, ...]]:
    """Return the rows, counted from 0, that stand there twice, by the number of their part.

    Args:
        workspace: The job, with all its parts done.
        parts: The parts.
    """
    rows = sum(part.rows for part in parts)
    passes = -(-rows // MOST_AT_ONCE)
    found = [
        each
        for base in _bases(workspace, parts)
        for turn in range(passes)
        for each in _twice(workspace, parts, base, turn=turn, passes=passes)
    ]
    if not found:
        return {}
    by_base: dict[int, list[int]] = {}
    for base, number in found:
        by_base.setdefault(base, []).append(number)
    return dict(_rows_of(workspace, parts, by_base))


def _read(workspace: Workspace, part: Part) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Return the number of the meter and the base date of each row that was read."""
    content = workspace.path(part.number, "meters").read_bytes()
    rows = len(content) // 9
    numbers = np.frombuffer(content, np.uint64, rows)
    return numbers, np.frombuffer(content, np.uint8, offset=8 * rows)


def _bases(workspace: Workspace, parts: Sequence[Part]) -> list[int]:
    """Return the base dates there are: identifiers of different ones are never the same."""
    found: set[int] = set()
    for part in parts:
        found |= {int(base) for base in np.unique(_read(workspace, part)[1])}
    return sorted(found)


def _twice(
    workspace: Workspace, parts: Sequence[Part], base: int, *, turn: int, passes: int
) -> Iterator[tuple[int, int]]:
    some = []
    for part in parts:
        numbers, bases = _read(workspace, part)
        wanted = (numbers != NO_METER) & (bases == base)
        if passes > 1:
            wanted &= numbers % np.uint64(passes) == turn
        some.append(numbers[wanted])
    whole = np.concatenate(some)
    whole.sort()
    for number in np.unique(whole[1:][whole[1:] == whole[:-1]]):
        yield base, int(number)


def _rows_of(
    workspace: Workspace, parts: Sequence[Part], by_base: dict[int, list[int]]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    for part in parts:
        numbers, bases = _read(workspace, part)
        twice = np.zeros(len(numbers), np.bool_)
        for base, known in by_base.items():
            twice |= (bases == base) & np.isin(numbers, np.array(known, np.uint64))
        if twice.any():
            yield part.number, tuple(int(row) for row in np.nonzero(twice)[0])
