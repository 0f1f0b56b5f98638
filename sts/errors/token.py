"""Tokens that cannot be built or read."""

from collections.abc import Mapping
from typing import Literal

from sts.errors.root import StsError


class TokenError(StsError):
    """A token that cannot be built, or digits that are not an acceptable token."""

    code = "TOKEN"


class FieldRangeError(TokenError):
    """A field value that does not fit its bits or its range."""

    code = "FIELD_RANGE"

    def __init__(self, field: str, *, low: int, high: int, found: object) -> None:
        """Say which field takes which range and what was found."""
        super().__init__(f"{field} must be a whole number from {low} to {high}, found {found}")
        self.field = field
        self.low = low
        self.high = high
        self.found = found


class FieldTypeError(TokenError):
    """A field value of another class than the one that stands for it."""

    code = "FIELD_TYPE"

    def __init__(self, field: str, *, wanted: type, found: object) -> None:
        """Say which field takes which class and which was given; the value is not repeated."""
        super().__init__(f"{field} must be a {wanted.__name__}, found {type(found).__name__}")
        self.field = field


class NotTwentyDigitsError(TokenError):
    """The entry is not twenty decimal digits."""

    code = "NOT_TWENTY_DIGITS"
    hint = "a token has 20 digits, usually printed in five groups of four"

    def __init__(self, *, found: int, other_characters: bool) -> None:
        """Say how many digits there were and whether other characters stood between them."""
        other = " and characters that are not digits" if other_characters else ""
        super().__init__(f"a token is 20 digits, found {found}{other}")
        self.found = found
        self.other_characters = other_characters


class Exceeds66BitsError(TokenError):
    """Twenty digits above 73786976294838206463, so not an STS token."""

    code = "EXCEEDS_66_BITS"
    hint = "compare the digits with the receipt: no token begins with 74 or more"

    def __init__(self) -> None:
        """Say that no STS token has such a number."""
        super().__init__("the number is above 73786976294838206463: not an STS token")


class ReservedClassError(TokenError):
    """Token class 3, which the standard has not defined."""

    code = "RESERVED_CLASS"
    hint = "compare the digits with the receipt: nobody issues tokens of this class"

    def __init__(self) -> None:
        """Say that class 3 is reserved."""
        super().__init__("token class 3 is reserved")


class ReservedSubclassError(TokenError):
    """A subclass that the standard reserves: it is read, but never issued."""

    code = "RESERVED_SUBCLASS"
    hint = "choose a kind of token that the standard defines"

    def __init__(self, token_class: int, subclass: int) -> None:
        """Say which class and subclass is reserved."""
        super().__init__(f"class {token_class} subclass {subclass} is reserved and not issued")


class CrcMismatchError(TokenError):
    """The checksum fails: wrong digits, another meter's token, or another key."""

    code = "CRC_MISMATCH"
    hint = "check the digits, and that the token is for this meter and its present key"

    def __init__(self) -> None:
        """Say what a failed checksum can mean, without telling what was expected."""
        super().__init__("checksum mismatch: wrong digits, another meter, or another key")


class NonCanonicalTokenError(TokenError):
    """An authentic token whose content the standard does not allow.

    ``field`` names the offending field, ``fields`` holds all parsed values (raw integers) apart
    from parts of keys, and ``fault`` says how a meter answers: ``"format"`` (FormatError) or
    ``"range"`` (RangeError).
    """

    code = "NON_CANONICAL_TOKEN"
    hint = "no meter takes it: whoever issued it must make another"

    def __init__(
        self,
        *,
        token_class: int,
        kind: str,
        field: str,
        found: int,
        rule: str,
        fault: Literal["format", "range"],
        fields: Mapping[str, int],
    ) -> None:
        """Say which field of which kind of token breaks which rule."""
        super().__init__(f"{kind}: {field} {rule}, found {found}")
        self.token_class = token_class
        self.kind = kind
        self.field = field
        self.found = found
        self.fault = fault
        self.fields = dict(fields)


class DecoderKeyRequiredError(TokenError):
    """A class 0 or class 2 token is encrypted; without the meter's key it stays closed."""

    code = "DECODER_KEY_REQUIRED"
    hint = "give the meter's decoder key, or its number and the vending key"

    def __init__(self, token_class: int) -> None:
        """Say which class needs a key."""
        super().__init__(f"class {token_class} tokens are encrypted: a decoder key is needed")
        self.token_class = token_class


class CipherMismatchError(TokenError):
    """A token that belongs to the other key length (64 or 128 bits)."""

    code = "CIPHER_MISMATCH"
    hint = "check the encryption algorithm of the meter: 11 has keys of 128 bits, the others of 64"

    def __init__(self, kind: str, *, needs_bits: int, found_bits: int) -> None:
        """Say which key length the token kind belongs to."""
        super().__init__(f"{kind} belongs to a {needs_bits}-bit decoder key, found {found_bits}")
