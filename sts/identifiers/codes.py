"""The codes of the standard's registers: base dates, algorithms, carriers."""

from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Final, Self

from sts.errors import UnknownCodeError
from sts.identifiers.checks import parse_code

_YEARS: Final = {"93": "1993", "14": "2014", "35": "2035"}


class BaseDate(Enum):
    """The zero point of a key's token identifiers (IEC 62055-41, 6.1.12).

    The value is the two-digit code that DKGA04 hashes.

    Attributes:
        code: The value.
        year: The year in four digits.
        start: The UTC minute of token identifier 0.
    """

    code: str
    year: str
    start: datetime

    Y1993 = "93"
    Y2014 = "14"
    Y2035 = "35"

    def __init__(self, code: str) -> None:
        """Set once what every token asks for."""
        self.code = code
        self.year = _YEARS[code]
        self.start = datetime(int(self.year), 1, 1, tzinfo=UTC)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a base date from its year (``2014``) or its code (``14``).

        Raises:
            UnknownCodeError: Neither one of the three years nor one of the three codes.
        """
        for base_date in cls:
            if text in (base_date.code, base_date.year):
                return base_date
        raise UnknownCodeError("base date", allowed=tuple(_YEARS.values()), found=text)

    def __str__(self) -> str:
        """Return the year."""
        return self.year


class EncryptionAlgorithm(StrEnum):
    """How tokens are encrypted (IEC 62055-41, 6.1.5).

    Attributes:
        key_bits: Length of the decoder key in bits.
    """

    key_bits: int

    STA = "07"
    """Standard Transfer Algorithm, 64-bit keys, tables licensed by the STS Association."""
    DEA = "09"
    """DES, 64-bit keys; withdrawn in 2018, for reading legacy systems only."""
    MISTY1 = "11"
    """MISTY1, 128-bit keys."""

    def __init__(self, code: str) -> None:
        """Set once what every token asks for."""
        self.key_bits = 128 if code == "11" else 64

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the algorithm with this code.

        Raises:
            UnknownCodeError: Not a code of the standard's table.
        """
        return parse_code(cls, "encryption algorithm", text)


class KeyGenerationAlgorithm(StrEnum):
    """How decoder keys are derived from vending keys (IEC 62055-41, 6.1.4)."""

    DKGA01 = "01"
    """DES for a closed list of early meters; recognised and refused."""
    DKGA02 = "02"
    """DES, 64-bit vending keys."""
    DKGA03 = "03"
    """Triple DES, two 64-bit vending keys; withdrawn in 2018."""
    DKGA04 = "04"
    """HMAC-SHA-256, 160-bit vending keys."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the algorithm with this code.

        Raises:
            UnknownCodeError: Not a code of the standard's table.
        """
        return parse_code(cls, "decoder key generation algorithm", text)


class TokenCarrierType(StrEnum):
    """How a token travels to the meter (IEC 62055-41, 6.1.3)."""

    MAGNETIC_CARD = "01"
    NUMERIC = "02"
    VIRTUAL_LOCAL = "07"
    VIRTUAL_DLMS = "08"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the carrier with this code.

        Raises:
            UnknownCodeError: Not a code of the standard's table.
        """
        return parse_code(cls, "token carrier type", text)
