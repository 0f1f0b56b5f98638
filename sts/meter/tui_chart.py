"""A chart in Braille characters: four dots high and two wide each, filled from zero."""

from collections.abc import Sequence
from typing import Final

DOTS_HIGH: Final = 4
DOTS_WIDE: Final = 2

_BLANK: Final = 0x2800
# Of the left and of the right half, from the bottom up, as Unicode numbers the dots.
_BITS: Final = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))


def braille(values: Sequence[int], *, columns: int, rows: int) -> tuple[str, ...]:
    """Draw the latest values, the newest at the right edge.

    Zero is always in the picture. A value that is not zero has at least one dot, so a small load
    can be told from none.

    Args:
        values: Oldest first.
        columns: Characters across.
        rows: Lines.
    """
    shown = values[-columns * DOTS_WIDE :]
    first = columns * DOTS_WIDE - len(shown)
    low, high = min((0, *shown)), max((0, *shown))
    dots = rows * DOTS_HIGH
    cells = [[0] * columns for _ in range(rows)]
    zero = _height(0, low=low, high=high, dots=dots)
    for place, value in enumerate(shown, start=first):
        column, half = divmod(place, DOTS_WIDE)
        height = _height(value, low=low, high=high, dots=dots)
        for dot in _filled(value, zero=zero, height=height, dots=dots):
            row, bit = divmod(dot, DOTS_HIGH)
            cells[rows - 1 - row][column] |= _BITS[half][bit]
    return tuple("".join(chr(_BLANK + cell) for cell in line) for line in cells)


def _height(value: int, *, low: int, high: int, dots: int) -> int:
    """Return how many dots lie below a value, rounded to the nearest."""
    span = max(high - low, 1)
    return (2 * (value - low) * dots + span) // (2 * span)


def _filled(value: int, *, zero: int, height: int, dots: int) -> range:
    if value > 0:
        bottom = min(zero, dots - 1)
        return range(bottom, max(height, bottom + 1))
    if value < 0:
        top = max(zero, 1)
        return range(min(height, top - 1), top)
    return range(0)
