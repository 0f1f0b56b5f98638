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
    │   ├── FieldTypeError                  FIELD_TYPE
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
    ├── ArrayError                          an array that cannot be taken row by row
    │   ├── ArrayTypeError                  ARRAY_TYPE
    │   └── ArrayShapeError                 ARRAY_SHAPE
    └── VectorFileError                     VECTOR_FILE
"""

from sts.errors.amount import (
    AmountError,
    AmountNegativeError,
    AmountNotIntegerError,
    AmountTooLargeError,
)
from sts.errors.array import ArrayError, ArrayShapeError, ArrayTypeError
from sts.errors.crypto import (
    CryptoError,
    KeyFormatError,
    KeyLengthError,
    SampleTablesInProductionError,
    StaTablesError,
    UnsupportedAlgorithmError,
    UnsupportedKeyTypeError,
)
from sts.errors.identifier import (
    IdentifierError,
    NotDigitsError,
    OutOfRangeError,
    UnknownCodeError,
    UnknownIinError,
    WrongCheckDigitError,
    WrongLengthError,
)
from sts.errors.key_change import (
    KeyChangeAlgorithmError,
    KeyChangeConflictError,
    KeyChangeError,
    KeyChangeIncompleteError,
    KeyChangeRolloverError,
    KeyChangeSameError,
    KeyChangeSetSizeError,
    KeyChangeToExpiredKeyError,
    KeyChangeTypeError,
)
from sts.errors.root import StsError
from sts.errors.token import (
    CipherMismatchError,
    CrcMismatchError,
    DecoderKeyRequiredError,
    Exceeds66BitsError,
    FieldRangeError,
    FieldTypeError,
    NonCanonicalTokenError,
    NotTwentyDigitsError,
    ReservedClassError,
    ReservedSubclassError,
    TokenError,
)
from sts.errors.token_identifier import (
    AfterLastMinuteError,
    BeforeBaseDateError,
    KeyExpiredError,
    NaiveDatetimeError,
    TidAheadOfClockError,
    TidAlreadyUsedError,
    TokenIdentifierError,
    UtcOffsetError,
)
from sts.errors.vector import VectorFileError

__all__ = [
    "AfterLastMinuteError",
    "AmountError",
    "AmountNegativeError",
    "AmountNotIntegerError",
    "AmountTooLargeError",
    "ArrayError",
    "ArrayShapeError",
    "ArrayTypeError",
    "BeforeBaseDateError",
    "CipherMismatchError",
    "CrcMismatchError",
    "CryptoError",
    "DecoderKeyRequiredError",
    "Exceeds66BitsError",
    "FieldRangeError",
    "FieldTypeError",
    "IdentifierError",
    "KeyChangeAlgorithmError",
    "KeyChangeConflictError",
    "KeyChangeError",
    "KeyChangeIncompleteError",
    "KeyChangeRolloverError",
    "KeyChangeSameError",
    "KeyChangeSetSizeError",
    "KeyChangeToExpiredKeyError",
    "KeyChangeTypeError",
    "KeyExpiredError",
    "KeyFormatError",
    "KeyLengthError",
    "NaiveDatetimeError",
    "NonCanonicalTokenError",
    "NotDigitsError",
    "NotTwentyDigitsError",
    "OutOfRangeError",
    "ReservedClassError",
    "ReservedSubclassError",
    "SampleTablesInProductionError",
    "StaTablesError",
    "StsError",
    "TidAheadOfClockError",
    "TidAlreadyUsedError",
    "TokenError",
    "TokenIdentifierError",
    "UnknownCodeError",
    "UnknownIinError",
    "UnsupportedAlgorithmError",
    "UnsupportedKeyTypeError",
    "UtcOffsetError",
    "VectorFileError",
    "WrongCheckDigitError",
    "WrongLengthError",
]
