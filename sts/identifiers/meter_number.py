"""The numbers of a meter: decoder reference number and primary account number."""

from dataclasses import dataclass
from typing import Final, Self

from sts.check_digits import check_digit
from sts.errors import UnknownIinError
from sts.identifiers.checks import require_check_digit, require_digits, require_range

IIN_TWO_DIGIT_MANUFACTURER: Final = "600727"
"""Issuer identification number of meters with an 11-digit decoder reference number."""
IIN_FOUR_DIGIT_MANUFACTURER: Final = "0000"
"""Issuer identification number of meters with a 13-digit decoder reference number."""

_DRN_LENGTHS: Final = (11, 13)
_PAN_LENGTH: Final = 18
_IIN_OF_DRN_LENGTH: Final = {11: IIN_TWO_DIGIT_MANUFACTURER, 13: IIN_FOUR_DIGIT_MANUFACTURER}
_MANUFACTURER_CODE_LENGTH: Final = {11: 2, 13: 4}


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
        require_digits("decoder reference number", self.digits, _DRN_LENGTHS)
        require_check_digit("decoder reference number", self.digits)

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
        require_digits("manufacturer code", manufacturer_code, (2, 4))
        require_range("decoder serial number", serial_number, low=0, high=99_999_999)
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
        require_digits("meter PAN", self.digits, (_PAN_LENGTH,))
        # 600727 is looked for first: 0000 cannot be its beginning, so the order is free.
        if not self.digits.startswith((IIN_TWO_DIGIT_MANUFACTURER, IIN_FOUR_DIGIT_MANUFACTURER)):
            raise UnknownIinError(self.digits[:6])
        require_check_digit("meter PAN", self.digits)
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
        require_digits("meter number", digits, (*_DRN_LENGTHS, _PAN_LENGTH))
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
