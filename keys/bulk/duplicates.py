"""Meters, or tokens, that stand in the input twice: found over all parts with little memory.

Nobody can know which of two rows of a meter is the right one, so both are refused.

Every part has left the number of each row's meter on the disk, 8 bytes a row. So many of them as
fit are sorted at once: those that a hash puts into one of 2, 4, 8 … shares of the fleet. Equal
numbers come into the same share and stand side by side there. Memory holds one share, one part and
a bit for each row of the fleet, whether few are there twice or all.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from keys.bulk.part import NO_METER
from keys.bulk.sources import Part
from keys.bulk.workspace import Workspace

MOST_AT_ONCE: Final = 4_000_000
"""So many numbers are sorted at once; of more, the files are read once for each share."""
_MIXER: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
"""Mixes all bits into the upper ones: of credit, the lower ones may be the same for all rows."""
_BITS: Final = 64


def duplicates_of(workspace: Workspace, parts: Sequence[Part]) -> dict[int, bytes]:
    """Return which rows stand there twice, by the number of their part.

    Args:
        workspace: The job, with all its parts done.
        parts: The parts.

    Returns:
        A bit for each row that was read, as ``rows.set_bits`` reads them; parts without such rows
        are left out.
    """
    rows = sum(part.rows for part in parts)
    halvings = max(0, -(-rows // MOST_AT_ONCE) - 1).bit_length()
    found: dict[int, NDArray[np.uint8]] = {}
    for base in _bases(workspace, parts):
        for share in range(1 << halvings):
            twice = _twice(
                np.concatenate(
                    [
                        _of_share(*_read(workspace, part), base, share=share, halvings=halvings)
                        for part in parts
                    ]
                )
            )
            if len(twice):
                _mark(found, twice, base, workspace=workspace, parts=parts)
    return {number: bits.tobytes() for number, bits in sorted(found.items())}


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


def _of_share(
    numbers: NDArray[np.uint64],
    bases: NDArray[np.uint8],
    base: int,
    *,
    share: int,
    halvings: int,
) -> NDArray[np.uint64]:
    wanted = (numbers != NO_METER) & (bases == base)
    if halvings:
        wanted &= (numbers * _MIXER) >> np.uint64(_BITS - halvings) == share
    some: NDArray[np.uint64] = numbers[wanted]
    return some


def _twice(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers.sort()
    return np.unique(numbers[1:][numbers[1:] == numbers[:-1]])


def _mark(
    found: dict[int, NDArray[np.uint8]],
    twice: NDArray[np.uint64],
    base: int,
    *,
    workspace: Workspace,
    parts: Sequence[Part],
) -> None:
    for part in parts:
        numbers, bases = _read(workspace, part)
        place = np.minimum(np.searchsorted(twice, numbers), len(twice) - 1)
        flags = (bases == base) & (twice[place] == numbers)
        if flags.any():
            bits = np.packbits(flags)
            found[part.number] = found[part.number] | bits if part.number in found else bits
