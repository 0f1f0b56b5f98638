"""Exact amounts made whole, so that they add up to the last smallest unit.

Every line is rounded down. The units that are missing then go to one line each: first to taxes
whose fraction is a half or more, then to other lines by the size of their fractions, then to other
taxes. So a tax is rounded as the tax office does it, half up, as long as the money allows it, every
line stays within one unit of its exact amount, and none falls below nothing.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

_HALF: Final = Fraction(1, 2)


def apportion(exact: Sequence[Fraction], total: int, *, taxes: Sequence[bool]) -> tuple[int, ...]:
    """Return whole amounts that add up to ``total``, the sum of ``exact`` or the next whole above.

    Args:
        exact: The exact amounts, none below nothing.
        total: What they must add up to.
        taxes: Which of them are taxes.
    """
    whole = [amount.numerator // amount.denominator for amount in exact]
    fractions = [amount - down for amount, down in zip(exact, whole, strict=True)]

    def turn(number: int) -> tuple[int, Fraction]:
        fraction = fractions[number]
        if taxes[number]:
            return (0 if fraction >= _HALF else 2), -fraction
        return 1, -fraction

    waiting = sorted((number for number, rest in enumerate(fractions) if rest), key=turn)
    missing = total - sum(whole)
    assert 0 <= missing <= len(waiting)
    for number in waiting[:missing]:
        whole[number] += 1
    return tuple(whole)
