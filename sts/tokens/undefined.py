"""Tokens that the standard leaves to the makers, or to the future."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from sts.errors import FieldRangeError
from sts.tokens.meter_test import CONTROL_BITS
from sts.tokens.vocabulary import require_width


@dataclass(frozen=True, slots=True, kw_only=True)
class ProprietaryTest:
    """A maker's own unencrypted token (class 1, subclasses 6 to 15).

    Attributes:
        subclass: 6 to 10 with a 4-digit manufacturer code, 11 to 15 with a 2-digit one.
        control: The maker's business; 28 or 36 bits.
        manufacturer_code: The raw field, 16 or 8 bits.
    """

    token_class: ClassVar[int] = 1
    subclass: int
    control: int
    manufacturer_code: int

    def __post_init__(self) -> None:
        """Check the widths that belong to the subclass."""
        if not 6 <= self.subclass <= 15:  # noqa: PLR2004 - the range is what is being defined
            raise FieldRangeError("subclass", low=6, high=15, found=self.subclass)
        require_width("control", self.control, CONTROL_BITS[self.manufacturer_digits])
        require_width("manufacturer_code", self.manufacturer_code, self.manufacturer_digits * 4)

    @property
    def manufacturer_digits(self) -> Literal[2, 4]:
        """How many digits the manufacturer code has."""
        return 4 if self.subclass <= 10 else 2  # noqa: PLR2004 - see the class


@dataclass(frozen=True, slots=True, kw_only=True)
class ProprietaryManagement:
    """A maker's own encrypted token (class 2, subclasses 11 to 15)."""

    token_class: ClassVar[int] = 2
    subclass: int
    content: int

    def __post_init__(self) -> None:
        """Check the subclass and the width of the content."""
        if not 11 <= self.subclass <= 15:  # noqa: PLR2004 - the range is what is being defined
            raise FieldRangeError("subclass", low=11, high=15, found=self.subclass)
        require_width("content", self.content, 44)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedToken:
    """An authentic token of a subclass without a definition: read, but never issued."""

    token_class: int
    subclass: int
    content: int

    def __post_init__(self) -> None:
        """Check the widths."""
        require_width("token_class", self.token_class, 2)
        require_width("subclass", self.subclass, 4)
        require_width("content", self.content, 44)
