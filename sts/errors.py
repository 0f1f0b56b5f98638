"""Every way in which the library says no.

One tree, one stable code a class. Callers catch the branch they care about and show ``code`` to
machines and ``str(error)`` to people. No message ever holds key bytes.

    StsError
    ├── IdentifierError                     a number that names something is not well formed
    │   ├── NotDigitsError                  NOT_DIGITS
    │   ├── WrongLengthError                WRONG_LENGTH
    │   ├── WrongCheckDigitError            WRONG_CHECK_DIGIT
    │   ├── OutOfRangeError                 OUT_OF_RANGE
    │   ├── UnknownIinError                 UNKNOWN_IIN
    │   └── UnknownCodeError                UNKNOWN_CODE
    ├── TokenIdentifierError                a time that cannot become a token identifier
    │   ├── NaiveDatetimeError              NAIVE_DATETIME
    │   ├── BeforeBaseDateError             BEFORE_BASE_DATE
    │   ├── AfterLastMinuteError            AFTER_LAST_MINUTE
    │   ├── KeyExpiredError                 KEY_EXPIRED
    │   ├── TidAheadOfClockError            TID_AHEAD_OF_CLOCK
    │   ├── TidAlreadyUsedError             TID_ALREADY_USED
    │   └── UtcOffsetError                  UTC_OFFSET
    ├── AmountError                         a quantity that has no code
    │   ├── AmountNotIntegerError           AMOUNT_NOT_INTEGER
    │   ├── AmountNegativeError             AMOUNT_NEGATIVE
    │   └── AmountTooLargeError             AMOUNT_TOO_LARGE
    ├── TokenError                          a token that cannot be built or read
    │   ├── FieldRangeError                 FIELD_RANGE
    │   ├── NotTwentyDigitsError            NOT_TWENTY_DIGITS
    │   ├── Exceeds66BitsError              EXCEEDS_66_BITS
    │   ├── ReservedClassError              RESERVED_CLASS
    │   ├── ReservedSubclassError           RESERVED_SUBCLASS
    │   ├── CrcMismatchError                CRC_MISMATCH
    │   ├── NonCanonicalTokenError          NON_CANONICAL_TOKEN
    │   ├── DecoderKeyRequiredError         DECODER_KEY_REQUIRED
    │   └── CipherMismatchError             CIPHER_MISMATCH
    ├── CryptoError                         keys, algorithms and tables that do not fit
    │   ├── KeyLengthError                  KEY_LENGTH
    │   ├── KeyFormatError                  KEY_FORMAT
    │   ├── UnsupportedAlgorithmError       UNSUPPORTED_ALGORITHM
    │   ├── UnsupportedKeyTypeError         UNSUPPORTED_KEY_TYPE
    │   ├── StaTablesError                  STA_TABLES
    │   └── SampleTablesInProductionError   SAMPLE_TABLES_IN_PRODUCTION
    ├── KeyChangeError                      a key change set that may not or cannot be
    │   ├── KeyChangeIncompleteError        KEY_CHANGE_INCOMPLETE
    │   ├── KeyChangeConflictError          KEY_CHANGE_CONFLICT
    │   ├── KeyChangeSetSizeError           KEY_CHANGE_SET_SIZE
    │   ├── KeyChangeSameError              KEY_CHANGE_SAME
    │   ├── KeyChangeTypeError              KEY_CHANGE_TYPE
    │   ├── KeyChangeRolloverError          KEY_CHANGE_ROLLOVER
    │   ├── KeyChangeAlgorithmError         KEY_CHANGE_ALGORITHM
    │   └── KeyChangeToExpiredKeyError      KEY_CHANGE_TO_EXPIRED_KEY
    └── VectorFileError                     VECTOR_FILE
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal


class StsError(Exception):
    """The library refused something; ``code`` says what, in a form that does not change."""

    code: ClassVar[str] = "STS_ERROR"
    hint: ClassVar[str] = ""
    """What a person can do about it, where the same advice always fits."""


# --- identifiers ------------------------------------------------------------------------------


class IdentifierError(StsError):
    """A number that names a meter, a group, a key or an algorithm is not well formed."""

    code = "IDENTIFIER"

    def __init__(self, name: str, message: str) -> None:
        """Remember which identifier (``name``, in the words of the field) was at fault."""
        super().__init__(f"{name}: {message}")
        self.name = name


class NotDigitsError(IdentifierError):
    """Something other than the decimal digits 0 to 9."""

    code = "NOT_DIGITS"
    hint = "use the digits 0 to 9 only"

    def __init__(self, name: str) -> None:
        """Say that ``name`` holds other characters than decimal digits."""
        super().__init__(name, "only the digits 0 to 9 are allowed")


class WrongLengthError(IdentifierError):
    """The right kind of characters, but not as many as there must be."""

    code = "WRONG_LENGTH"

    def __init__(self, name: str, *, allowed: Sequence[int], found: int) -> None:
        """Say how many digits ``name`` may have and how many were found."""
        numbers = " or ".join(str(length) for length in allowed)
        super().__init__(name, f"must have {numbers} digits, found {found}")
        self.allowed = tuple(allowed)
        self.found = found


class WrongCheckDigitError(IdentifierError):
    """The last digit does not follow from the others (IEC 62055-41, 6.1.2.3.4)."""

    code = "WRONG_CHECK_DIGIT"
    hint = "compare the number with the meter's label: a digit is wrong or two are swapped"

    def __init__(self, name: str, *, expected: int, found: int) -> None:
        """Say which check digit the other digits call for and which was found."""
        super().__init__(name, f"check digit must be {expected}, found {found}")
        self.expected = expected
        self.found = found


class OutOfRangeError(IdentifierError):
    """A whole number outside the range that the standard gives it."""

    code = "OUT_OF_RANGE"

    def __init__(self, name: str, *, low: int, high: int, found: object) -> None:
        """Say which range ``name`` has and what was found."""
        super().__init__(name, f"must be from {low} to {high}, found {found}")
        self.low = low
        self.high = high
        self.found = found


class UnknownIinError(IdentifierError):
    """An issuer identification number other than 600727 and 0000."""

    code = "UNKNOWN_IIN"
    hint = "an 11-digit meter number belongs to 600727, a 13-digit one to 0000"

    def __init__(self, found: str) -> None:
        """Say which issuer identification number was found."""
        super().__init__("meter PAN", f"must start with 600727 or 0000, found {found}")
        self.found = found


class UnknownCodeError(IdentifierError):
    """A code that is not in the standard's table for this element."""

    code = "UNKNOWN_CODE"

    def __init__(self, name: str, *, allowed: Sequence[str], found: object) -> None:
        """Say which codes ``name`` knows and which was found."""
        super().__init__(name, f"must be one of {', '.join(allowed)}, found {found}")
        self.allowed = tuple(allowed)
        self.found = found


# --- token identifiers ------------------------------------------------------------------------


class TokenIdentifierError(StsError):
    """A time, or a run of issued tokens, that allows no token identifier."""

    code = "TOKEN_IDENTIFIER"


class NaiveDatetimeError(TokenIdentifierError):
    """A datetime that does not say which zone it is in."""

    code = "NAIVE_DATETIME"
    hint = "give the time with its zone, for example datetime.now(UTC) or 2026-01-31T12:00Z"

    def __init__(self) -> None:
        """Say that a time without a zone is never guessed."""
        super().__init__("the time has no time zone, so its UTC minute is unknown")


class BeforeBaseDateError(TokenIdentifierError):
    """A time before the zero point of the key's token identifiers."""

    code = "BEFORE_BASE_DATE"

    def __init__(self, when: datetime, base_date: str) -> None:
        """Say which time lies before which base date."""
        super().__init__(f"{when.isoformat()} is before the base date {base_date}")


class AfterLastMinuteError(TokenIdentifierError):
    """A time after the 24-bit minute counter of the base date is full (TID rollover)."""

    code = "AFTER_LAST_MINUTE"
    hint = "move the meter to a key with a later base date (key change with rollover)"

    def __init__(self, when: str, last: str) -> None:
        """Say which minute was asked for and which is the last one of the base date."""
        super().__init__(f"{when} is after {last}, the last minute of this base date")


class KeyExpiredError(TokenIdentifierError):
    """The token identifier lies beyond the key expiry number (IEC 62055-41, 6.1.10)."""

    code = "KEY_EXPIRED"
    hint = "load a newer revision of the vending key and change the meter's key"

    def __init__(self, *, tid_minutes: int, key_expiry_number: int, last_minute: datetime) -> None:
        """Say until which minute the key could be used."""
        super().__init__(
            f"key expiry number {key_expiry_number} allows token identifiers until "
            f"{last_minute.isoformat()}, {tid_minutes} is later"
        )
        self.tid_minutes = tid_minutes
        self.key_expiry_number = key_expiry_number
        self.last_minute = last_minute


class TidAheadOfClockError(TokenIdentifierError):
    """The next free token identifier runs too far ahead of the clock."""

    code = "TID_AHEAD_OF_CLOCK"
    hint = "check the clock; during a cut-over raise the supply group's lead cap"

    def __init__(self, *, lead_minutes: int, cap_minutes: int) -> None:
        """Say how far ahead the identifier would be and how far is allowed."""
        super().__init__(
            f"the next free token identifier is {lead_minutes} minutes ahead of the clock, "
            f"at most {cap_minutes} are allowed"
        )
        self.lead_minutes = lead_minutes
        self.cap_minutes = cap_minutes


class TidAlreadyUsedError(TokenIdentifierError):
    """The one token identifier that was asked for has been issued before."""

    code = "TID_ALREADY_USED"

    def __init__(self, tid_minutes: int) -> None:
        """Say which token identifier is taken."""
        super().__init__(f"token identifier {tid_minutes} has been issued to this meter before")
        self.tid_minutes = tid_minutes


class UtcOffsetError(TokenIdentifierError):
    """A fixed UTC offset that is not a whole number of minutes within a day."""

    code = "UTC_OFFSET"

    def __init__(self, found: object) -> None:
        """Say which offset was given."""
        super().__init__(f"a fixed UTC offset is whole minutes within ±14 hours, found {found}")


# --- amounts ----------------------------------------------------------------------------------


class AmountError(StsError):
    """A quantity that the token's amount field has no code for."""

    code = "AMOUNT"


class AmountNotIntegerError(AmountError):
    """A float, a string or a bool where only an exact whole number will do."""

    code = "AMOUNT_NOT_INTEGER"
    hint = "give a whole number of the field's units: tenths of a kWh, watts, 0.00001 of currency"

    def __init__(self, found: object) -> None:
        """Say which type was given."""
        super().__init__(f"an amount must be an int, found {type(found).__name__}")


class AmountNegativeError(AmountError):
    """A negative quantity in a field without a sign."""

    code = "AMOUNT_NEGATIVE"

    def __init__(self, found: int) -> None:
        """Say which negative amount was given."""
        super().__init__(f"an amount cannot be negative, found {found}")


class AmountTooLargeError(AmountError):
    """More than the largest code can carry: the sale must be split."""

    code = "AMOUNT_TOO_LARGE"
    hint = "split the sale over several tokens"

    def __init__(self, found: int, largest: int) -> None:
        """Say how much was asked for and how much one token can carry."""
        super().__init__(f"{found} is more than one token can carry, at most {largest}")
        self.found = found
        self.largest = largest


# --- tokens -----------------------------------------------------------------------------------


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

    def __init__(self) -> None:
        """Say that no STS token has such a number."""
        super().__init__("the number is above 73786976294838206463: not an STS token")


class ReservedClassError(TokenError):
    """Token class 3, which the standard has not defined."""

    code = "RESERVED_CLASS"

    def __init__(self) -> None:
        """Say that class 3 is reserved."""
        super().__init__("token class 3 is reserved")


class ReservedSubclassError(TokenError):
    """A subclass that the standard reserves: it is read, but never issued."""

    code = "RESERVED_SUBCLASS"

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

    ``field`` names the offending field, ``fields`` holds all parsed values (raw integers), and
    ``fault`` says how a meter answers: ``"format"`` (FormatError) or ``"range"`` (RangeError).
    """

    code = "NON_CANONICAL_TOKEN"

    def __init__(
        self,
        *,
        kind: str,
        field: str,
        found: int,
        rule: str,
        fault: Literal["format", "range"],
        fields: Mapping[str, int],
    ) -> None:
        """Say which field of which kind of token breaks which rule."""
        super().__init__(f"{kind}: {field} {rule}, found {found}")
        self.kind = kind
        self.field = field
        self.found = found
        self.fault = fault
        self.fields = dict(fields)


class DecoderKeyRequiredError(TokenError):
    """A class 0 or class 2 token is encrypted; without the meter's key it stays closed."""

    code = "DECODER_KEY_REQUIRED"

    def __init__(self, token_class: int) -> None:
        """Say which class needs a key."""
        super().__init__(f"class {token_class} tokens are encrypted: a decoder key is needed")
        self.token_class = token_class


class CipherMismatchError(TokenError):
    """A token that belongs to the other key length (64 or 128 bits)."""

    code = "CIPHER_MISMATCH"

    def __init__(self, kind: str, *, needs_bits: int, found_bits: int) -> None:
        """Say which key length the token kind belongs to."""
        super().__init__(f"{kind} belongs to a {needs_bits}-bit decoder key, found {found_bits}")


# --- crypto -----------------------------------------------------------------------------------


class CryptoError(StsError):
    """Keys, algorithms and tables that do not fit together."""

    code = "CRYPTO"


class KeyLengthError(CryptoError):
    """A key of the wrong length for its use."""

    code = "KEY_LENGTH"

    def __init__(self, use: str, *, allowed_bits: Sequence[int], found_bits: int) -> None:
        """Say how long the key must be for this use and how long it is."""
        numbers = " or ".join(str(bits) for bits in allowed_bits)
        super().__init__(f"{use} takes a key of {numbers} bits, found {found_bits}")
        self.allowed_bits = tuple(allowed_bits)
        self.found_bits = found_bits


class KeyFormatError(CryptoError):
    """A key that is not written in hexadecimal."""

    code = "KEY_FORMAT"
    hint = "write the key as hexadecimal digits, two for each byte"

    def __init__(self, use: str) -> None:
        """Say which key is not hexadecimal; what it is instead is never shown."""
        super().__init__(f"{use}: not an even number of hexadecimal digits")


class UnsupportedAlgorithmError(CryptoError):
    """An algorithm that is known but not implemented, or a pair that does not exist."""

    code = "UNSUPPORTED_ALGORITHM"


class UnsupportedKeyTypeError(CryptoError):
    """A key type that this operation never makes."""

    code = "UNSUPPORTED_KEY_TYPE"


class StaTablesError(CryptoError):
    """A file of STA tables that is not three permutations."""

    code = "STA_TABLES"
    hint = (
        'the file is JSON: {"name", "substitution_1": [16], "substitution_2": [16], '
        '"permutation": [64]}'
    )


class SampleTablesInProductionError(CryptoError):
    """The printed SAMPLE tables were about to make a token for a real meter."""

    code = "SAMPLE_TABLES_IN_PRODUCTION"
    hint = "load the licensed tables that the STS Association gives to its members"

    def __init__(self) -> None:
        """Say that tokens made with the SAMPLE tables open no real meter."""
        super().__init__("the SAMPLE STA tables are not for real meters: refused outside lab mode")


# --- key change -------------------------------------------------------------------------------


class KeyChangeError(StsError):
    """A key change set that cannot be joined, or that may not be issued."""

    code = "KEY_CHANGE"


class KeyChangeIncompleteError(KeyChangeError):
    """Parts of the set are missing; ``missing`` numbers them from 1."""

    code = "KEY_CHANGE_INCOMPLETE"
    hint = "enter the missing tokens of the set, in any order"

    def __init__(self, missing: Sequence[int]) -> None:
        """Say which parts are missing."""
        super().__init__(f"missing part {', '.join(str(part) for part in missing)} of the set")
        self.missing = tuple(missing)


class KeyChangeConflictError(KeyChangeError):
    """Tokens that do not belong to one set."""

    code = "KEY_CHANGE_CONFLICT"


class KeyChangeSetSizeError(KeyChangeError):
    """A set size that this key length does not have."""

    code = "KEY_CHANGE_SET_SIZE"

    def __init__(self, *, key_bits: int, allowed: Sequence[int], found: int) -> None:
        """Say how many tokens a key of this length is split over."""
        numbers = " or ".join(str(size) for size in allowed)
        super().__init__(f"a {key_bits}-bit key is split over {numbers} tokens, found {found}")


class KeyChangeSameError(KeyChangeError):
    """The new key is the old key: the set would be repeatable for ever."""

    code = "KEY_CHANGE_SAME"

    def __init__(self) -> None:
        """Say that nothing would change."""
        super().__init__("the new key has the same attributes as the present one")


class KeyChangeTypeError(KeyChangeError):
    """A change of key type that IEC 62055-41, 6.5.2.4 does not permit."""

    code = "KEY_CHANGE_TYPE"


class KeyChangeRolloverError(KeyChangeError):
    """The rollover bit must be set exactly when the base date changes."""

    code = "KEY_CHANGE_ROLLOVER"


class KeyChangeAlgorithmError(KeyChangeError):
    """A change of key generation or encryption algorithm that is not allowed."""

    code = "KEY_CHANGE_ALGORITHM"


class KeyChangeToExpiredKeyError(KeyChangeError):
    """A set that would move the meter to a key that has expired (IEC 62055-41, 6.1.10)."""

    code = "KEY_CHANGE_TO_EXPIRED_KEY"


# --- vectors ----------------------------------------------------------------------------------


class VectorFileError(StsError):
    """A file of test vectors that cannot be read as one."""

    code = "VECTOR_FILE"
