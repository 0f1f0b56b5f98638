"""The numbers of a key: supply group, tariff index, revision, expiry, type."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from sts.identifiers.checks import require_digits, require_range


@dataclass(frozen=True, slots=True)
class SupplyGroupCode:
    """The supply group whose vending keys serve a meter, 0 to 999999 (IEC 62055-41, 6.1.6).

    ``int(code)`` is the 24-bit number that key change tokens carry, ``str(code)`` the 6 digits.

    Raises:
        OutOfRangeError: Not a whole number from 0 to 999999.
    """

    number: int

    def __post_init__(self) -> None:
        """Check the range."""
        require_range("supply group code", self.number, low=0, high=999_999)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly 6 digits.

        Raises:
            NotDigitsError, WrongLengthError: Not 6 decimal digits.
        """
        require_digits("supply group code", text, (6,))
        return cls(int(text))

    def __int__(self) -> int:
        """Return the number."""
        return self.number

    def __str__(self) -> str:
        """Return the 6 digits."""
        return f"{self.number:06d}"


@dataclass(frozen=True, slots=True)
class TariffIndex:
    """The entry of the utility's tariff table that a meter is linked to, 0 to 99.

    IEC 62055-41, 6.1.7. Part of the decoder key: another index means a key change.

    Raises:
        OutOfRangeError: Not a whole number from 0 to 99.
    """

    number: int

    def __post_init__(self) -> None:
        """Check the range."""
        require_range("tariff index", self.number, low=0, high=99)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly 2 digits.

        Raises:
            NotDigitsError, WrongLengthError: Not 2 decimal digits.
        """
        require_digits("tariff index", text, (2,))
        return cls(int(text))

    def __int__(self) -> int:
        """Return the number."""
        return self.number

    def __str__(self) -> str:
        """Return the 2 digits."""
        return f"{self.number:02d}"


@dataclass(frozen=True, slots=True)
class KeyRevisionNumber:
    """Which of a supply group's vending keys, 1 to 9 and round again (IEC 62055-41, 6.1.8).

    Raises:
        OutOfRangeError: Not a whole number from 1 to 9.
    """

    number: int

    def __post_init__(self) -> None:
        """Check the range."""
        require_range("key revision number", self.number, low=1, high=9)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly 1 digit.

        Raises:
            NotDigitsError, WrongLengthError: Not 1 decimal digit.
            OutOfRangeError: The digit is 0.
        """
        require_digits("key revision number", text, (1,))
        return cls(int(text))

    def next(self) -> Self:
        """Return the revision that follows; after 9 comes 1."""
        return type(self)(self.number % 9 + 1)

    def __int__(self) -> int:
        """Return the number."""
        return self.number

    def __str__(self) -> str:
        """Return the digit."""
        return str(self.number)


@dataclass(frozen=True, slots=True)
class KeyExpiryNumber:
    """Until when a key may be used: the top 8 bits of the last token identifier, 0 to 255.

    IEC 62055-41, 6.1.10. One step is 65536 minutes, about 45½ days; 255 lasts as long as the
    base date does.

    Raises:
        OutOfRangeError: Not a whole number from 0 to 255.
    """

    number: int

    def __post_init__(self) -> None:
        """Check the range."""
        require_range("key expiry number", self.number, low=0, high=255)

    @property
    def last_tid_minutes(self) -> int:
        """The largest token identifier that the key still covers."""
        return (self.number << 16) + 0xFFFF

    def covers(self, tid_minutes: int) -> bool:
        """Tell whether a token with this identifier may be made or accepted."""
        return tid_minutes >> 16 <= self.number

    def __int__(self) -> int:
        """Return the number."""
        return self.number

    def __str__(self) -> str:
        """Return the number in decimal."""
        return str(self.number)


class KeyType(IntEnum):
    """What a decoder key is for (IEC 62055-41, 6.1.9)."""

    INITIALISATION = 0
    """DITK: the manufacturer's own value, in new and repaired meters."""
    DEFAULT = 1
    """DDTK: the meter is not yet allocated to a utility's group; no credit."""
    UNIQUE = 2
    """DUTK: normal service, a key for each meter."""
    COMMON = 3
    """DCTK: one key for a whole group of magnetic-card meters; obsolete."""

    @classmethod
    def parse(cls, number: int) -> Self:
        """Return the key type with this number.

        Raises:
            OutOfRangeError: Not a whole number from 0 to 3.
        """
        require_range("key type", number, low=0, high=3)
        return cls(number)
