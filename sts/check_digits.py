"""The modulo-10 check digit of meter numbers (ISO/IEC 7812, used by IEC 62055-41, 6.1.2.3.4).

Both the decoder reference number and the meter PAN end in one.
"""

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice a digit, with 9 taken off when that has two digits."""


def check_digit(digits: str) -> int:
    """Return the check digit, 0 to 9, that belongs behind ``digits``.

    ``digits`` holds decimal digits only; the caller has made sure of that.
    """
    total = 0
    for place, character in enumerate(reversed(digits)):
        digit = ord(character) - ord("0")
        total += digit if place % 2 else _DOUBLED[digit]
    return -total % 10
