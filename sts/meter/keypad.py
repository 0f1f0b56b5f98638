"""The keypad: digits one by one into tokens and short codes, as IEC 62055-51 has them.

    key     with nothing keyed   within a token          within a short code
    ------  -------------------  ----------------------  ------------------------------------
    0 to 9  begins a token       next digit; the 20th    next digit; a fourth is refused
                                 enters the token
    #       begins a short code  says how many are       enters it; without digits, leaves it
                                 missing
    *       nothing              takes the last one      takes the last one, then the frame
    C       clears               clears                  clears

Twenty seconds after the last key what was keyed is forgotten; that, and what # and * do, are makes'
practice, for the text of the standard is not public. It knows nothing of keys and lock-outs:
during a lock-out everything can be keyed as ever, and the meter answers.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from sts.codec import TOKEN_DIGITS
from sts.meter.errors import MeterError, MeterStateError
from sts.token_identifier import require_utc

DIGITS: Final = "0123456789"
FRAME: Final = "#"
BACKSPACE: Final = "*"
CLEAR: Final = "C"
KEYS: Final = frozenset((*DIGITS, FRAME, BACKSPACE, CLEAR))
"""Every key; the button that closes the relay is not one of them."""
INTER_DIGIT_TIME: Final = timedelta(seconds=20)
"""How long after a key what was keyed is remembered; a make's practice."""
LONGEST_SHORT_CODE: Final = 3
"""Digits in the frame. Ours have two; there are makes with three."""


class MeterKeyError(MeterError):
    """A character that is not on the keypad."""

    code = "METER_KEY"

    def __init__(self, found: str) -> None:
        """Show what was pressed."""
        super().__init__(f"the keys are 0 to 9, # * and C, found {found[:1]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keypad:
    """What has been keyed so far.

    Attributes:
        digits: Up to 19 of a token, up to 3 of a short code.
        framed: Whether they are those of a short code, after a first ``#``.
        last_key_at: When the last key was pressed, aware; None if nothing is remembered.

    Raises:
        MeterStateError: More than can have been keyed, or something without its time.
        NaiveDatetimeError: The time has no zone.
    """

    digits: str = ""
    framed: bool = False
    last_key_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check that these keys can have led here."""
        longest = LONGEST_SHORT_CODE if self.framed else TOKEN_DIGITS - 1
        if len(self.digits) > longest or not set(self.digits) <= set(DIGITS):
            raise MeterStateError("keypad", f"holds more than {longest} digits, or no digits")
        if self.is_empty != (self.last_key_at is None):
            raise MeterStateError("keypad", "a time without keys, or keys without a time")
        if self.last_key_at is not None:
            require_utc(self.last_key_at)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is keyed."""
        return not self.digits and not self.framed


EMPTY: Final = Keypad()
"""A keypad at which nobody stands."""


# --- what a key does --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffered:
    """A digit, a frame or a backspace; the display shows what is keyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEntered:
    """The 20th digit: the token goes to the meter."""

    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortCodeEntered:
    """The second ``#``, with the digits between the two."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """``#`` after too few digits of a token, which stay."""

    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefused:
    """A digit that no short code has room for; nothing changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Whatever was keyed has been taken away by whoever keyed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """Whatever was keyed has been forgotten."""


KeypadResult: TypeAlias = (
    Buffered | TokenEntered | ShortCodeEntered | Incomplete | KeyRefused | Cleared | TimedOut
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """The keypad after a key, and what came of it.

    Attributes:
        keypad: What is keyed now.
        results: A time-out, if there was one, and then what the key did.
    """

    keypad: Keypad
    results: tuple[KeypadResult, ...]


def wait(keypad: Keypad, now: datetime) -> Pressed:
    """Let time pass without a key; there is a result only if something is forgotten.

    Raises:
        NaiveDatetimeError: ``now`` has no zone.
    """
    moment, last = require_utc(now), keypad.last_key_at
    if last is None or moment - last < INTER_DIGIT_TIME:
        return Pressed(keypad=keypad, results=())
    return Pressed(keypad=EMPTY, results=(TimedOut(),))


def press_key(keypad: Keypad, key: str, *, now: datetime) -> Pressed:
    """Press one key.

    Args:
        keypad: What was keyed before.
        key: One of ``KEYS``; a small ``c`` will do.
        now: When, aware.

    Raises:
        MeterKeyError: There is no such key.
        NaiveDatetimeError: ``now`` has no zone.
    """
    symbol = key.upper()
    if symbol not in KEYS:
        raise MeterKeyError(key)
    waited = wait(keypad, now)
    pressed = _after_key(waited.keypad, symbol, now=now)
    return replace(pressed, results=(*waited.results, *pressed.results))


def _after_key(keypad: Keypad, key: str, *, now: datetime) -> Pressed:
    if key == CLEAR:
        return _emptied(Cleared())
    if key == BACKSPACE:
        return _buffered(_without_last(keypad), now=now)
    if key == FRAME:
        return _after_frame(keypad, now=now)
    return _after_digit(keypad, key, now=now)


def _after_digit(keypad: Keypad, digit: str, *, now: datetime) -> Pressed:
    digits = keypad.digits + digit
    if keypad.framed and len(digits) > LONGEST_SHORT_CODE:
        return Pressed(keypad=replace(keypad, last_key_at=now), results=(KeyRefused(),))
    if not keypad.framed and len(digits) == TOKEN_DIGITS:
        return _emptied(TokenEntered(digits=digits))
    return _buffered(Keypad(digits=digits, framed=keypad.framed, last_key_at=now), now=now)


def _after_frame(keypad: Keypad, *, now: datetime) -> Pressed:
    if keypad.is_empty:
        return _buffered(Keypad(framed=True, last_key_at=now), now=now)
    if keypad.framed:
        entered = ShortCodeEntered(code=keypad.digits) if keypad.digits else Cleared()
        return _emptied(entered)
    incomplete = Incomplete(missing=TOKEN_DIGITS - len(keypad.digits))
    return Pressed(keypad=replace(keypad, last_key_at=now), results=(incomplete,))


def _without_last(keypad: Keypad) -> Keypad:
    """Take the last digit away or, if there is none, the frame."""
    if len(keypad.digits) + keypad.framed <= 1:
        return EMPTY
    return replace(keypad, digits=keypad.digits[:-1])


def _buffered(keypad: Keypad, *, now: datetime) -> Pressed:
    kept = keypad if keypad.is_empty else replace(keypad, last_key_at=now)
    return Pressed(keypad=kept, results=(Buffered(),))


def _emptied(result: KeypadResult) -> Pressed:
    return Pressed(keypad=EMPTY, results=(result,))
