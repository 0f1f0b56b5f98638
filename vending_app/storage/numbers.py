"""The numbers that name rows, and those from outside that can name none.

Somebody may ask for sale number 10**20. A database has no such number, and its driver would fail
over it; so it is answered like any other number that nothing has.
"""

from typing import Final

LARGEST_NUMBER: Final = 2**63 - 1


def names_nothing(number: int) -> bool:
    """Tell whether a number is beyond what a database counts up to."""
    return not 0 < number <= LARGEST_NUMBER
