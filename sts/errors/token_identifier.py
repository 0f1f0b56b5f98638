"""Times that cannot become a token identifier."""

from datetime import datetime

from sts.errors.root import StsError


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
    hint = "check the clock, and which base date the meter's key has"

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
    hint = "the special token of a day works once: issue an ordinary one, or wait for tomorrow"

    def __init__(self, tid_minutes: int) -> None:
        """Say which token identifier is taken."""
        super().__init__(
            f"token identifier {tid_minutes} has been issued to this meter before, or is older "
            "than those that the meter remembers"
        )
        self.tid_minutes = tid_minutes


class UtcOffsetError(TokenIdentifierError):
    """A fixed UTC offset that is not a whole number of minutes within a day."""

    code = "UTC_OFFSET"

    def __init__(self, found: object) -> None:
        """Say which offset was given."""
        super().__init__(f"a fixed UTC offset is whole minutes within ±14 hours, found {found}")
