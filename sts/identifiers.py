"""The numbers that name a meter, a supply group and a key (IEC 62055-41, 6.1).

Every class validates on construction and is frozen, so a value that exists is a value that is
right. ``parse`` takes what people type; ``str`` gives the standard's decimal form back.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum, StrEnum
from typing import Final, Self, TypeVar

from sts.check_digits import check_digit
from sts.errors import (
    NotDigitsError,
    OutOfRangeError,
    UnknownCodeError,
    UnknownIinError,
    WrongCheckDigitError,
    WrongLengthError,
)

_Code = TypeVar("_Code", bound=StrEnum)

_ASCII_DIGITS: Final = frozenset("0123456789")

IIN_TWO_DIGIT_MANUFACTURER: Final = "600727"
"""Issuer identification number of meters with an 11-digit decoder reference number."""
IIN_FOUR_DIGIT_MANUFACTURER: Final = "0000"
"""Issuer identification number of meters with a 13-digit decoder reference number."""

_DRN_LENGTHS: Final = (11, 13)
_PAN_LENGTH: Final = 18
_IIN_OF_DRN_LENGTH: Final = {11: IIN_TWO_DIGIT_MANUFACTURER, 13: IIN_FOUR_DIGIT_MANUFACTURER}
_MANUFACTURER_CODE_LENGTH: Final = {11: 2, 13: 4}


def _require_digits(name: str, text: str, lengths: tuple[int, ...]) -> None:
    """Check characters first, then length: a letter is a better reason than a count."""
    if not _ASCII_DIGITS.issuperset(text):
        raise NotDigitsError(name)
    if len(text) not in lengths:
        raise WrongLengthError(name, allowed=lengths, found=len(text))


def _require_check_digit(name: str, text: str) -> None:
    expected = check_digit(text[:-1])
    found = int(text[-1])
    if found != expected:
        raise WrongCheckDigitError(name, expected=expected, found=found)


def _require_range(name: str, value: int, *, low: int, high: int) -> None:
    # bool is an int to Python, but True is no key revision number.
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise OutOfRangeError(name, low=low, high=high, found=value)


@dataclass(frozen=True, slots=True)
class DecoderReferenceNumber:
    """The number on the meter's label: manufacturer code, serial number, check digit.

    11 digits with a 2-digit manufacturer code or 13 digits with a 4-digit one
    (IEC 62055-41, 6.1.2.3).

    Raises:
        NotDigitsError: Other characters than 0 to 9.
        WrongLengthError: Neither 11 nor 13 digits.
        WrongCheckDigitError: The last digit does not follow from the others.
    """

    digits: str

    def __post_init__(self) -> None:
        """Check characters, length and check digit, in this order."""
        _require_digits("decoder reference number", self.digits, _DRN_LENGTHS)
        _require_check_digit("decoder reference number", self.digits)

    @classmethod
    def from_serial(cls, manufacturer_code: str, serial_number: int) -> Self:
        """Make the number of one meter from its maker's code and its serial number.

        Args:
            manufacturer_code: 2 or 4 digits.
            serial_number: 0 to 99999999.

        Raises:
            NotDigitsError: The manufacturer code holds other characters than 0 to 9.
            WrongLengthError: The manufacturer code has neither 2 nor 4 digits.
            OutOfRangeError: The serial number has more than 8 digits.
        """
        _require_digits("manufacturer code", manufacturer_code, (2, 4))
        _require_range("decoder serial number", serial_number, low=0, high=99_999_999)
        body = f"{manufacturer_code}{serial_number:08d}"
        return cls(f"{body}{check_digit(body)}")

    @property
    def manufacturer_code(self) -> str:
        """The maker's code, 2 or 4 digits."""
        return self.digits[: _MANUFACTURER_CODE_LENGTH[len(self.digits)]]

    @property
    def serial_number(self) -> str:
        """The maker's 8-digit serial number."""
        return self.digits[-9:-1]

    def __str__(self) -> str:
        """Return the digits."""
        return self.digits


@dataclass(frozen=True, slots=True)
class MeterPan:
    """The 18-digit primary account number of a meter: IIN, DRN, check digit.

    IEC 62055-41, 6.1.2. Build it from what the label says with ``MeterPan.from_drn``.

    Raises:
        NotDigitsError, WrongLengthError: Not 18 decimal digits.
        UnknownIinError: Starts with neither 600727 nor 0000.
        WrongCheckDigitError: The check digit of the PAN, or of the DRN in it, is wrong.
    """

    digits: str

    def __post_init__(self) -> None:
        """Check form, issuer, and both check digits."""
        _require_digits("meter PAN", self.digits, (_PAN_LENGTH,))
        # 600727 is looked for first: 0000 cannot be its beginning, so the order is free.
        if not self.digits.startswith((IIN_TWO_DIGIT_MANUFACTURER, IIN_FOUR_DIGIT_MANUFACTURER)):
            raise UnknownIinError(self.digits[:6])
        _require_check_digit("meter PAN", self.digits)
        DecoderReferenceNumber(self.digits[len(self.iin) : -1])

    @classmethod
    def from_drn(cls, drn: DecoderReferenceNumber | str) -> Self:
        """Make the PAN of the meter whose label shows ``drn``.

        Raises:
            NotDigitsError, WrongLengthError, WrongCheckDigitError: As for the DRN itself.
        """
        number = drn if isinstance(drn, DecoderReferenceNumber) else DecoderReferenceNumber(drn)
        body = _IIN_OF_DRN_LENGTH[len(number.digits)] + number.digits
        return cls(f"{body}{check_digit(body)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an 11- or 13-digit DRN or an 18-digit PAN; spaces and dashes are ignored.

        Raises:
            NotDigitsError, WrongLengthError, WrongCheckDigitError, UnknownIinError: As above.
        """
        digits = text.replace(" ", "").replace("-", "")
        _require_digits("meter number", digits, (*_DRN_LENGTHS, _PAN_LENGTH))
        return cls(digits) if len(digits) == _PAN_LENGTH else cls.from_drn(digits)

    @property
    def iin(self) -> str:
        """The issuer identification number, ``600727`` or ``0000``."""
        if self.digits.startswith(IIN_TWO_DIGIT_MANUFACTURER):
            return IIN_TWO_DIGIT_MANUFACTURER
        return IIN_FOUR_DIGIT_MANUFACTURER

    @property
    def drn(self) -> DecoderReferenceNumber:
        """The decoder reference number inside."""
        return DecoderReferenceNumber(self.digits[len(self.iin) : -1])

    @property
    def manufacturer_code(self) -> str:
        """The maker's code, 2 or 4 digits."""
        return self.drn.manufacturer_code

    def __str__(self) -> str:
        """Return the 18 digits."""
        return self.digits


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
        _require_range("supply group code", self.number, low=0, high=999_999)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly 6 digits.

        Raises:
            NotDigitsError, WrongLengthError: Not 6 decimal digits.
        """
        _require_digits("supply group code", text, (6,))
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
        _require_range("tariff index", self.number, low=0, high=99)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly 2 digits.

        Raises:
            NotDigitsError, WrongLengthError: Not 2 decimal digits.
        """
        _require_digits("tariff index", text, (2,))
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
        _require_range("key revision number", self.number, low=1, high=9)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly 1 digit.

        Raises:
            NotDigitsError, WrongLengthError: Not 1 decimal digit.
            OutOfRangeError: The digit is 0.
        """
        _require_digits("key revision number", text, (1,))
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
        _require_range("key expiry number", self.number, low=0, high=255)

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
        _require_range("key type", number, low=0, high=3)
        return cls(number)


class BaseDate(Enum):
    """The zero point of a key's token identifiers (IEC 62055-41, 6.1.12).

    The value is the two-digit code that DKGA04 hashes.
    """

    Y1993 = "93"
    Y2014 = "14"
    Y2035 = "35"

    @property
    def start(self) -> datetime:
        """The UTC minute of token identifier 0."""
        return _BASE_DATE_START[self.value]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a base date from its year (``2014``) or its code (``14``).

        Raises:
            UnknownCodeError: Neither one of the three years nor one of the three codes.
        """
        for base_date in cls:
            if text in (base_date.value, str(base_date.start.year)):
                return base_date
        raise UnknownCodeError("base date", allowed=("1993", "2014", "2035"), found=text)

    def __str__(self) -> str:
        """Return the year."""
        return str(self.start.year)


_BASE_DATE_START: Final = {
    "93": datetime(1993, 1, 1, tzinfo=UTC),
    "14": datetime(2014, 1, 1, tzinfo=UTC),
    "35": datetime(2035, 1, 1, tzinfo=UTC),
}


class EncryptionAlgorithm(StrEnum):
    """How tokens are encrypted (IEC 62055-41, 6.1.5)."""

    STA = "07"
    """Standard Transfer Algorithm, 64-bit keys, tables licensed by the STS Association."""
    DEA = "09"
    """DES, 64-bit keys; withdrawn in 2018, for reading legacy systems only."""
    MISTY1 = "11"
    """MISTY1, 128-bit keys."""

    @property
    def key_bits(self) -> int:
        """Length of the decoder key in bits."""
        return 128 if self is EncryptionAlgorithm.MISTY1 else 64

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the algorithm with this code.

        Raises:
            UnknownCodeError: Not a code of the standard's table.
        """
        return _parse_code(cls, "encryption algorithm", text)


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
        return _parse_code(cls, "decoder key generation algorithm", text)


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
        return _parse_code(cls, "token carrier type", text)


def _parse_code(codes: type[_Code], name: str, text: str) -> _Code:
    try:
        return codes(text)
    except ValueError:
        allowed = tuple(code.value for code in codes)
        raise UnknownCodeError(name, allowed=allowed, found=text) from None
