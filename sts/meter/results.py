"""What a meter answers to a token: the sixteen values of the result register.

The standard has three groups of results (IEC 62055-41, 7.2.2 to 7.2.4: authentication, validation
and token result); meters show them as one number. ``RESULTS`` is the one table of their words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class ResultCode(IntEnum):
    """The number that a meter shows for its answer."""

    ACCEPT = 1
    FIRST_KEY_CHANGE_TOKEN = 2
    SECOND_KEY_CHANGE_TOKEN = 3
    OVERFLOW_ERROR = 4
    KEY_TYPE_ERROR = 5
    FORMAT_ERROR = 6
    RANGE_ERROR = 7
    FUNCTION_ERROR = 8
    OLD_ERROR = 9
    USED_ERROR = 10
    KEY_EXPIRED_ERROR = 11
    DDTK_ERROR = 12
    CRC_ERROR = 13
    MANUFACTURER_CODE_ERROR = 14
    TOKEN_LOCKOUT = 15
    RESULT_NOT_READY = 16


@dataclass(frozen=True, slots=True)
class ResultWords:
    """One row: a result in three languages.

    Attributes:
        name: As the standard writes it.
        household: For the person at the keypad.
        engineer: For the log.
    """

    name: str
    household: str
    engineer: str


RESULTS: Final[Mapping[ResultCode, ResultWords]] = {
    ResultCode.ACCEPT: ResultWords("Accept", "Accepted.", "token executed and cancelled"),
    ResultCode.FIRST_KEY_CHANGE_TOKEN: ResultWords(
        "1stKCT",
        "Part of a set stored. Enter the other tokens of the set.",
        "first section of a key change set stored",
    ),
    ResultCode.SECOND_KEY_CHANGE_TOKEN: ResultWords(
        "2ndKCT",
        "Part of a set stored. Enter the other tokens of the set.",
        "second or later section of a key change set stored",
    ),
    ResultCode.OVERFLOW_ERROR: ResultWords(
        "OverflowError",
        "The meter cannot hold this credit now. Use some and enter the token again.",
        "a register would leave its range; the token is not cancelled",
    ),
    ResultCode.KEY_TYPE_ERROR: ResultWords(
        "KeyTypeError",
        "This set of tokens does not fit the meter. Ask your supplier.",
        "the change of key type is not permitted (6.5.2.4)",
    ),
    ResultCode.FORMAT_ERROR: ResultWords(
        "FormatError",
        "This is not a token. Check the 20 digits.",
        "a data element does not have the required format",
    ),
    ResultCode.RANGE_ERROR: ResultWords(
        "RangeError",
        "The meter cannot use this token. Ask your supplier.",
        "a value is outside the range that is defined for it",
    ),
    ResultCode.FUNCTION_ERROR: ResultWords(
        "FunctionError",
        "This meter does not have what the token asks for.",
        "the function is not implemented in this meter",
    ),
    ResultCode.OLD_ERROR: ResultWords(
        "OldError",
        "This token is too old.",
        "the token identifier is below the smallest stored one",
    ),
    ResultCode.USED_ERROR: ResultWords(
        "UsedError",
        "This token has been used already.",
        "the token identifier is stored",
    ),
    ResultCode.KEY_EXPIRED_ERROR: ResultWords(
        "KeyExpiredError",
        "The meter's key has expired. Ask your supplier for a key change.",
        "the token identifier is beyond the key expiry number",
    ),
    ResultCode.DDTK_ERROR: ResultWords(
        "DDTKError",
        "This meter is not in service yet. Ask your supplier for a key change.",
        "no credit under a default transfer key",
    ),
    ResultCode.CRC_ERROR: ResultWords(
        "CRCError",
        "Wrong digits, or a token for another meter.",
        "checksum mismatch: wrong digits, another meter, or another key",
    ),
    ResultCode.MANUFACTURER_CODE_ERROR: ResultWords(
        "MfrCodeError",
        "This token is for a meter of another make.",
        "the manufacturer code is not this meter's",
    ),
    ResultCode.TOKEN_LOCKOUT: ResultWords(
        "TokenLockout",
        "Too many wrong tokens. Wait and try again.",
        "token entry is locked out for a time",
    ),
    ResultCode.RESULT_NOT_READY: ResultWords(
        "ResultNotReady", "Please wait.", "the result is not ready yet"
    ),
}
"""Every result with its words."""
