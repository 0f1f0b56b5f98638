"""The modulo-10 check digit of meter numbers (ISO/IEC 7812, used by IEC 62055-41, 6.1.2.3.4).

Both the decoder reference number and the meter PAN end in one.
"""

_DOUBLED = str.maketrans("0123456789", "0246813579")
"""Twice a digit, with 9 taken off when that has two digits."""
_ZERO = ord("0")


def check_digit(digits: str) -> int:
    """Return the check digit, 0 to 9, that belongs behind ``digits``.

    ``digits`` holds decimal digits only; the caller has made sure of that.
    """
    # Every second digit counts twice, beginning with the last; then all are added up as characters.
    counted = digits[::-2].translate(_DOUBLED) + digits[-2::-2]
    return (_ZERO * len(counted) - sum(counted.encode("ascii"))) % 10
