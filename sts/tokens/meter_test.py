"""Class 1: tests and displays, not encrypted, for any meter."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, Self

from sts.errors import FieldRangeError
from sts.tokens.vocabulary import require_width

CONTROL_BITS: Final[dict[int, int]] = {2: 36, 4: 28}
"""Width of the control field by the number of digits of the manufacturer code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateMeterTest:
    """A test or display that any meter performs (class 1, subclasses 0 and 1).

    Not encrypted and without token identifier: it works in every meter, as often as one likes.

    Attributes:
        control: Bit n − 1 asks for test n; all ones is test 0. 36 bits with a 2-digit
            manufacturer code, 28 with a 4-digit one.
        manufacturer_code: The raw field, 8 or 16 bits; 0 is for every make.
        manufacturer_digits: 2 or 4.
    """

    token_class: ClassVar[int] = 1
    control: int
    manufacturer_code: int = 0
    manufacturer_digits: Literal[2, 4] = 2

    def __post_init__(self) -> None:
        """Check the widths that belong to the length of the manufacturer code."""
        if self.manufacturer_digits not in CONTROL_BITS:
            raise FieldRangeError(
                "manufacturer_digits", low=2, high=4, found=self.manufacturer_digits
            )
        require_width("control", self.control, CONTROL_BITS[self.manufacturer_digits])
        require_width("manufacturer_code", self.manufacturer_code, self.manufacturer_digits * 4)

    @property
    def subclass(self) -> int:
        """0 with a 2-digit manufacturer code, 1 with a 4-digit one."""
        return self.manufacturer_digits // 2 - 1

    @classmethod
    def for_tests(cls, tests: Iterable[int], *, manufacturer_digits: Literal[2, 4] = 2) -> Self:
        """Ask a meter of any make for these tests; test 0 alone means all of them.

        Raises:
            FieldRangeError: A test number that has no control bit.
        """
        bits = CONTROL_BITS.get(manufacturer_digits, 0)
        control = 0
        tests = tuple(tests)
        if len(set(tests)) > 1 and 0 in tests:
            raise FieldRangeError("test beside others", low=1, high=bits, found=0)
        for test in tests:
            if not 0 <= test <= bits:
                raise FieldRangeError("test", low=0, high=bits, found=test)
            control |= (1 << bits) - 1 if test == 0 else 1 << (test - 1)
        return cls(control=control, manufacturer_digits=manufacturer_digits)

    @property
    def tests(self) -> tuple[int, ...]:
        """The tests asked for, ascending; ``(0,)`` for all of them."""
        bits = CONTROL_BITS[self.manufacturer_digits]
        if self.control == (1 << bits) - 1:
            return (0,)
        return tuple(bit + 1 for bit in range(bits) if self.control >> bit & 1)


EXTENDED_FLAG_INDEX: Final = 63
"""Index of the flags in the extended token set: the data names a flag and, written, its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExtended:
    """Display a value of the extended token set (class 1, subclass 2; STS 202-5).

    Attributes:
        index: Which register, 6 bits; 63 is the flags.
        data: 30 bits; of a flag, its number in the upper 9.
        manufacturer_code: The raw field, 8 bits; 0 is for every make.
    """

    token_class: ClassVar[int] = 1
    subclass: ClassVar[int] = 2
    index: int
    data: int = 0
    manufacturer_code: int = 0

    def __post_init__(self) -> None:
        """Check the widths."""
        require_width("index", self.index, 6)
        require_width("data", self.data, 30)
        require_width("manufacturer_code", self.manufacturer_code, 8)

    @classmethod
    def flag(cls, number: int) -> Self:
        """Ask for one flag, 0 to 511.

        Raises:
            FieldRangeError: The flag number has more than 9 bits.
        """
        require_width("flag", number, 9)
        return cls(index=EXTENDED_FLAG_INDEX, data=number << 21)

    @property
    def flag_number(self) -> int | None:
        """The flag asked for, or None if another register is."""
        return self.data >> 21 if self.index == EXTENDED_FLAG_INDEX else None
