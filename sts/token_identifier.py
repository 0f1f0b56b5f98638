"""Token identifiers: the minute that makes a token unique (IEC 62055-41, 6.3.5).

A token identifier (TID) is a 24-bit count of whole minutes since the base date of the key. Meters
remember the TIDs that they accepted and refuse them for ever after, so the issuing side must never
hand out the same one twice to a meter, and must stay inside the window that the meter remembers.

Time is an argument everywhere: aware datetimes in, whole minutes out. The count is in UTC, or in
one fixed offset that a supply group chose before its first token, never in a zone with summer time.
"""

from collections.abc import Collection
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Final

from sts.errors import (
    AfterLastMinuteError,
    BeforeBaseDateError,
    KeyExpiredError,
    NaiveDatetimeError,
    OutOfRangeError,
    TidAheadOfClockError,
    TidAlreadyUsedError,
    UtcOffsetError,
)
from sts.identifiers import BaseDate, KeyExpiryNumber

LAST_TID_MINUTES: Final = 0xFFFFFF
"""The last minute of every base date; the one after it is the TID rollover."""
TID_STORE_SIZE: Final = 50
"""How many accepted token identifiers a meter remembers (7.3.8), and an issuer with it."""
DEFAULT_LEAD_CAP_MINUTES: Final = 60
"""How far an issuer lets token identifiers run ahead of the clock."""

_MINUTES_PER_DAY: Final = 1440
_RESERVED_MINUTE_OF_DAY: Final = 1
_LARGEST_OFFSET: Final = timedelta(hours=14)
_MINUTE: Final = timedelta(minutes=1)
_NO_OFFSET: Final = timedelta(0)
_NO_EXPIRY: Final = KeyExpiryNumber(255)


def tid_from_datetime(
    when: datetime, base_date: BaseDate, *, utc_offset: timedelta = _NO_OFFSET
) -> int:
    """Return the token identifier of the minute that ``when`` lies in; seconds are cut off.

    The reserved minute 00:01 is not moved here: that is an issuing rule, see
    ``next_token_identifier``.

    Args:
        when: An aware datetime in any zone.
        base_date: The zero point.
        utc_offset: The supply group's fixed offset, if its history is in local time.

    Raises:
        NaiveDatetimeError: ``when`` has no zone.
        UtcOffsetError: The offset is not whole minutes within ±14 hours.
        BeforeBaseDateError: ``when`` lies before the base date.
        AfterLastMinuteError: ``when`` lies after the last minute of the base date.
    """
    if when.utcoffset() is None:
        raise NaiveDatetimeError
    if utc_offset:
        require_utc_offset(utc_offset)
    # Subtracting first keeps datetime.max in a far zone from overflowing.
    minutes = (when - base_date.start + utc_offset) // _MINUTE
    if minutes < 0:
        raise BeforeBaseDateError(when, str(base_date))
    if minutes > LAST_TID_MINUTES:
        last = datetime_from_tid(LAST_TID_MINUTES, base_date, utc_offset=utc_offset)
        raise AfterLastMinuteError(when.isoformat(), last.isoformat())
    return minutes


def datetime_from_tid(
    tid_minutes: int, base_date: BaseDate, *, utc_offset: timedelta = _NO_OFFSET
) -> datetime:
    """Return the aware UTC datetime at which the minute ``tid_minutes`` begins.

    Raises:
        OutOfRangeError: Not a whole number from 0 to 16777215.
        UtcOffsetError: The offset is not whole minutes within ±14 hours.
    """
    _require_tid(tid_minutes)
    require_utc_offset(utc_offset)
    return base_date.start + timedelta(minutes=tid_minutes) - utc_offset


def is_reserved_minute(tid_minutes: int) -> bool:
    """Tell whether this is the minute 00:01 of a day, which ordinary tokens never use.

    The minute is kept for special tokens of the utility (IEC 62055-41, 6.3.5.2).
    """
    return tid_minutes % _MINUTES_PER_DAY == _RESERVED_MINUTE_OF_DAY


def reserved_minute_of_day(tid_minutes: int) -> int:
    """Return the minute 00:01 of the day that ``tid_minutes`` lies in."""
    return tid_minutes - tid_minutes % _MINUTES_PER_DAY + _RESERVED_MINUTE_OF_DAY


def last_minute_of(
    key_expiry_number: KeyExpiryNumber,
    base_date: BaseDate,
    *,
    utc_offset: timedelta = _NO_OFFSET,
) -> datetime:
    """Return the last minute (UTC) in which a key with this expiry number may be used.

    Raises:
        UtcOffsetError: The offset is not whole minutes within ±14 hours.
    """
    return datetime_from_tid(key_expiry_number.last_tid_minutes, base_date, utc_offset=utc_offset)


def require_unexpired(
    tid_minutes: int,
    key_expiry_number: KeyExpiryNumber,
    base_date: BaseDate,
    *,
    utc_offset: timedelta = _NO_OFFSET,
) -> None:
    """Refuse a token identifier beyond the key's expiry.

    Raises:
        KeyExpiredError: The top 8 bits of the identifier are above the key expiry number.
    """
    if not key_expiry_number.covers(tid_minutes):
        raise KeyExpiredError(
            tid_minutes=tid_minutes,
            key_expiry_number=key_expiry_number.number,
            last_minute=last_minute_of(key_expiry_number, base_date, utc_offset=utc_offset),
        )


def next_token_identifier(
    issued: Collection[int],
    now: datetime,
    *,
    base_date: BaseDate,
    key_expiry_number: KeyExpiryNumber = _NO_EXPIRY,
    lead_cap_minutes: int = DEFAULT_LEAD_CAP_MINUTES,
    utc_offset: timedelta = _NO_OFFSET,
) -> int:
    """Return the token identifier for the next ordinary token of one meter.

    It is this minute if that is free, else the next free one. What counts as free mirrors the
    meter: it refuses an identifier that it has stored, and any that is not above the smallest of
    the 50 it stores. An issuer that has made 50 or more tokens therefore starts above the smallest
    of its own last 50; with fewer, the meter still holds older ones and nothing is too old. A
    legacy system that ran hours ahead of the clock thus blocks nobody at cut-over.

    Args:
        issued: Token identifiers issued to this meter under this base date, in any order. More
            than the 50 largest are not needed, fewer only if there are fewer.
        now: The present time, aware.
        base_date: The base date of the meter's key.
        key_expiry_number: The expiry of the meter's key; 255 for none.
        lead_cap_minutes: How far the result may be ahead of ``now``.
        utc_offset: The supply group's fixed offset.

    Raises:
        NaiveDatetimeError, UtcOffsetError, BeforeBaseDateError, AfterLastMinuteError: As for
            ``tid_from_datetime``; the latter also when all minutes up to the last are used.
        KeyExpiredError: The free minute lies beyond the key's expiry.
        TidAheadOfClockError: The free minute is more than ``lead_cap_minutes`` ahead.
    """
    present = tid_from_datetime(now, base_date, utc_offset=utc_offset)
    kept = sorted(set(issued), reverse=True)[:TID_STORE_SIZE]
    # 0 is what a meter's store is filled with after a rollover, so it counts as used.
    candidate = max(present, 1)
    if len(kept) == TID_STORE_SIZE:
        candidate = max(candidate, kept[-1] + 1)
    used = frozenset(kept)
    while candidate in used or is_reserved_minute(candidate):
        candidate += 1
    if candidate > LAST_TID_MINUTES:
        last = datetime_from_tid(LAST_TID_MINUTES, base_date, utc_offset=utc_offset)
        raise AfterLastMinuteError("the next free token identifier", last.isoformat())
    require_unexpired(candidate, key_expiry_number, base_date, utc_offset=utc_offset)
    if candidate - present > lead_cap_minutes:
        raise TidAheadOfClockError(lead_minutes=candidate - present, cap_minutes=lead_cap_minutes)
    return candidate


def special_reserved_token_identifier(
    issued: Collection[int],
    now: datetime,
    *,
    base_date: BaseDate,
    key_expiry_number: KeyExpiryNumber = _NO_EXPIRY,
    utc_offset: timedelta = _NO_OFFSET,
) -> int:
    """Return the reserved identifier of today, minute 00:01, for an agreed special token.

    There is one a day for a meter, so it works once (IEC 62055-41, 6.3.5.2).

    Raises:
        NaiveDatetimeError, UtcOffsetError, BeforeBaseDateError, AfterLastMinuteError: As for
            ``tid_from_datetime``.
        KeyExpiredError: The key has expired.
        TidAlreadyUsedError: Today's reserved identifier has been issued before, or lies below
            the 50 the meter may remember, where it would refuse it as old.
    """
    present = tid_from_datetime(now, base_date, utc_offset=utc_offset)
    reserved = reserved_minute_of_day(present)
    kept = sorted(set(issued), reverse=True)[:TID_STORE_SIZE]
    if reserved in kept or (len(kept) == TID_STORE_SIZE and reserved < kept[-1]):
        raise TidAlreadyUsedError(reserved)
    # A key that has expired since is not used for a minute in which it had not.
    require_unexpired(max(present, reserved), key_expiry_number, base_date, utc_offset=utc_offset)
    return reserved


def require_utc(when: datetime) -> datetime:
    """Return the same moment in UTC.

    Raises:
        NaiveDatetimeError: ``when`` has no zone.
        BeforeBaseDateError, AfterLastMinuteError: It is off the calendar in UTC.
    """
    if when.tzinfo is UTC:
        return when
    if when.utcoffset() is None:
        raise NaiveDatetimeError
    try:
        return when.astimezone(UTC)
    except OverflowError:
        # The first and the last hours of the calendar, in a zone where UTC has none.
        if when.year == MINYEAR:
            raise BeforeBaseDateError(when, str(BaseDate.Y1993)) from None
        raise AfterLastMinuteError(when.isoformat(), str(MAXYEAR)) from None


def _require_tid(tid_minutes: int) -> None:
    if isinstance(tid_minutes, bool) or not isinstance(tid_minutes, int):
        raise OutOfRangeError("token identifier", low=0, high=LAST_TID_MINUTES, found=tid_minutes)
    if not 0 <= tid_minutes <= LAST_TID_MINUTES:
        raise OutOfRangeError("token identifier", low=0, high=LAST_TID_MINUTES, found=tid_minutes)


def require_utc_offset(utc_offset: timedelta) -> None:
    """Refuse an offset that is not whole minutes within ±14 hours.

    Raises:
        UtcOffsetError: As said.
    """
    if abs(utc_offset) > _LARGEST_OFFSET or utc_offset % _MINUTE:
        raise UtcOffsetError(utc_offset)
