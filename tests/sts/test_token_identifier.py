"""Token identifiers: minutes since a base date, and which of them may be handed out."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.errors import (
    AfterLastMinuteError,
    BeforeBaseDateError,
    KeyExpiredError,
    NaiveDatetimeError,
    OutOfRangeError,
    TidAheadOfClockError,
    TidAlreadyUsedError,
    TokenIdentifierError,
    UtcOffsetError,
)
from sts.identifiers import BaseDate, KeyExpiryNumber
from sts.token_identifier import (
    LAST_TID_MINUTES,
    TID_STORE_SIZE,
    datetime_from_tid,
    is_reserved_minute,
    last_minute_of,
    next_token_identifier,
    require_unexpired,
    require_utc,
    special_reserved_token_identifier,
    tid_from_datetime,
)
from tests.strategies import base_dates, key_expiry_numbers, moments, tids, utc_offsets, zones

BASE = BaseDate.Y2014
MINUTE = timedelta(minutes=1)
NO_CAP = 1 << 24


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(tid_minutes: int) -> datetime:
    return datetime_from_tid(tid_minutes, BASE)


# --- minutes and times ------------------------------------------------------------------------

# From the IEC 62055-41 facts sheet; the first two are printed wrong in other places.
WORKED = [
    ("2004-03-01T13:55", BaseDate.Y1993, 0x599863, 5871715),
    ("2016-12-11T15:49", BaseDate.Y1993, 0xC02A55, 12593749),
    ("1996-03-25T13:55:22", BaseDate.Y1993, 0x19EB23, 1698595),
    ("2014-01-01T00:00", BaseDate.Y1993, 0xA887C0, 11044800),
    ("2025-01-01T00:00", BaseDate.Y2014, 0x584940, 5785920),
    ("2026-01-01T00:00", BaseDate.Y2014, 0x604E60, 6311520),
    ("2014-03-01T13:00", BaseDate.Y2014, 0x014EEC, 85740),
]


@pytest.mark.parametrize(("when", "base_date", "tid_minutes", "decimal"), WORKED)
def test_the_worked_token_identifiers_come_out(
    when: str, base_date: BaseDate, tid_minutes: int, decimal: int
) -> None:
    assert tid_minutes == decimal
    assert tid_from_datetime(utc(when), base_date) == tid_minutes
    assert datetime_from_tid(tid_minutes, base_date) == utc(when).replace(second=0)


@pytest.mark.parametrize(
    ("base_date", "first", "last"),
    [
        (BaseDate.Y1993, "1993-01-01T00:00", "2024-11-24T20:15"),
        (BaseDate.Y2014, "2014-01-01T00:00", "2045-11-24T20:15"),
        (BaseDate.Y2035, "2035-01-01T00:00", "2066-11-24T20:15"),
    ],
)
def test_a_base_date_has_its_first_and_its_last_minute_and_no_other(
    base_date: BaseDate, first: str, last: str
) -> None:
    """Other engines wrapped the number, or let a minus sign run into the subclass."""
    assert tid_from_datetime(utc(first), base_date) == 0
    assert tid_from_datetime(utc(f"{last}:59.999999"), base_date) == 0xFFFFFF
    with pytest.raises(BeforeBaseDateError, match=f"is before the base date {base_date}"):
        tid_from_datetime(utc(first) - timedelta(microseconds=1), base_date)
    with pytest.raises(AfterLastMinuteError, match=f"is after {last}"):
        tid_from_datetime(utc(last) + MINUTE, base_date)


def test_the_ends_of_the_calendar_are_refused_like_any_other_time() -> None:
    far_east, far_west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
    with pytest.raises(BeforeBaseDateError):
        tid_from_datetime(datetime.min.replace(tzinfo=far_east), BASE)
    with pytest.raises(AfterLastMinuteError):
        tid_from_datetime(datetime.max.replace(tzinfo=far_west), BASE)


@given(tids, base_dates, utc_offsets)
def test_a_token_identifier_and_its_minute_make_each_other(
    tid_minutes: int, base_date: BaseDate, utc_offset: timedelta
) -> None:
    minute = datetime_from_tid(tid_minutes, base_date, utc_offset=utc_offset)
    assert minute.utcoffset() == timedelta(0)
    assert tid_from_datetime(minute, base_date, utc_offset=utc_offset) == tid_minutes


@given(
    tids,
    base_dates,
    zones,
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(seconds=59, microseconds=999_999)),
)
def test_the_zone_that_a_time_is_written_in_and_its_seconds_make_no_difference(
    tid_minutes: int, base_date: BaseDate, zone: timezone, seconds: timedelta
) -> None:
    """Other engines took the machine's zone, or passed over the offset in the input."""
    when = (datetime_from_tid(tid_minutes, base_date) + seconds).astimezone(zone)
    assert tid_from_datetime(when, base_date) == tid_minutes


@given(moments, base_dates, utc_offsets)
def test_any_moment_has_a_token_identifier_or_lies_outside_the_base_date(
    moment: datetime, base_date: BaseDate, utc_offset: timedelta
) -> None:
    first = base_date.start - utc_offset
    end = first + (LAST_TID_MINUTES + 1) * MINUTE
    if moment < first:
        with pytest.raises(BeforeBaseDateError):
            tid_from_datetime(moment, base_date, utc_offset=utc_offset)
    elif moment >= end:
        with pytest.raises(AfterLastMinuteError):
            tid_from_datetime(moment, base_date, utc_offset=utc_offset)
    else:
        tid_minutes = tid_from_datetime(moment, base_date, utc_offset=utc_offset)
        assert first + tid_minutes * MINUTE <= moment < first + (tid_minutes + 1) * MINUTE


class SummerTime(tzinfo):
    """A zone two hours ahead of UTC, three in July."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        return timedelta(hours=3 if when is not None and when.month == 7 else 2)

    def dst(self, when: datetime | None) -> timedelta:
        return self.utcoffset(when) - timedelta(hours=2)

    def tzname(self, when: datetime | None) -> str:
        return str(self.utcoffset(when))


def test_summer_time_does_not_reach_the_token_identifier() -> None:
    """A day in July is as long as any other; a zone's clock that jumps must not repeat a TID."""
    june = datetime(2026, 6, 30, 12, tzinfo=SummerTime())
    july = datetime(2026, 7, 1, 12, tzinfo=SummerTime())
    assert tid_from_datetime(july, BASE) - tid_from_datetime(june, BASE) == 23 * 60


def test_a_fixed_offset_counts_local_minutes() -> None:
    offset = timedelta(hours=2)
    when = utc("2025-12-31T22:00")
    assert tid_from_datetime(when, BASE, utc_offset=offset) == 0x604E60
    assert datetime_from_tid(0x604E60, BASE, utc_offset=offset) == when


@pytest.mark.parametrize(
    "offset", [timedelta(minutes=841), timedelta(minutes=-841), timedelta(seconds=30)], ids=str
)
def test_a_fixed_offset_is_whole_minutes_within_fourteen_hours(offset: timedelta) -> None:
    when = utc("2026-01-01T00:00")
    with pytest.raises(UtcOffsetError, match="whole minutes within ±14 hours, found"):
        tid_from_datetime(when, BASE, utc_offset=offset)
    with pytest.raises(UtcOffsetError):
        datetime_from_tid(1, BASE, utc_offset=offset)
    with pytest.raises(UtcOffsetError):
        last_minute_of(KeyExpiryNumber(1), BASE, utc_offset=offset)
    with pytest.raises(UtcOffsetError):
        next_token_identifier([], when, base_date=BASE, utc_offset=offset)
    with pytest.raises(UtcOffsetError):
        special_reserved_token_identifier([], when, base_date=BASE, utc_offset=offset)


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - that it has no zone is the point


def test_a_time_without_a_zone_is_refused_everywhere() -> None:
    with pytest.raises(NaiveDatetimeError):
        tid_from_datetime(NAIVE, BASE)
    with pytest.raises(NaiveDatetimeError):
        next_token_identifier([], NAIVE, base_date=BASE)
    with pytest.raises(NaiveDatetimeError):
        special_reserved_token_identifier([], NAIVE, base_date=BASE)
    with pytest.raises(NaiveDatetimeError):
        require_utc(NAIVE)


@given(moments)
def test_a_moment_stays_the_same_in_utc(moment: datetime) -> None:
    assert require_utc(moment) == moment
    assert require_utc(moment).tzinfo is UTC


@pytest.mark.parametrize("tid_minutes", [-1, 0x1000000, True, 1.0, "1", None])
def test_a_number_that_is_no_token_identifier_has_no_time(tid_minutes: int) -> None:
    with pytest.raises(OutOfRangeError) as caught:
        datetime_from_tid(tid_minutes, BASE)
    assert caught.value.found is tid_minutes
    assert (caught.value.low, caught.value.high) == (0, 0xFFFFFF)


# --- key expiry -------------------------------------------------------------------------------

# Key expiry number to its last minute under the base dates 1993, 2014 and 2035. The wiki of the
# STS Association prints other times for 170, which do not follow from the rule.
EXPIRY_TABLE = [
    (0, "1993-02-15T12:15", "2014-02-15T12:15", "2035-02-15T12:15"),
    (85, "2003-09-19T22:55", "2024-09-18T22:55", "2045-09-18T22:55"),
    (127, "2008-12-13T10:07", "2029-12-13T10:07", "2050-12-13T10:07"),
    (170, "2014-04-23T09:35", "2035-04-23T09:35", "2056-04-22T09:35"),
    (200, "2018-01-17T17:35", "2039-01-17T17:35", "2060-01-17T17:35"),
    (254, "2024-10-10T07:59", "2045-10-10T07:59", "2066-10-10T07:59"),
    (255, "2024-11-24T20:15", "2045-11-24T20:15", "2066-11-24T20:15"),
]


@pytest.mark.parametrize(("number", "last_minutes"), [(row[0], row[1:]) for row in EXPIRY_TABLE])
def test_the_last_minute_of_each_key_expiry_number_comes_out(
    number: int, last_minutes: tuple[str, ...]
) -> None:
    found = [last_minute_of(KeyExpiryNumber(number), base_date) for base_date in BaseDate]
    assert found == [utc(last_minute) for last_minute in last_minutes]


@given(tids, key_expiry_numbers)
def test_a_key_covers_what_has_its_number_or_less_in_the_top_byte(
    tid_minutes: int, key_expiry_number: KeyExpiryNumber
) -> None:
    """Another engine compared with 65535 times the number and refused too early."""
    covered = tid_minutes.to_bytes(3, "big")[0] <= key_expiry_number.number
    assert key_expiry_number.covers(tid_minutes) is covered
    assert (tid_minutes <= key_expiry_number.last_tid_minutes) is covered


def test_an_expired_key_is_refused_with_its_last_minute() -> None:
    number = KeyExpiryNumber(85)
    require_unexpired(number.last_tid_minutes, number, BASE)
    with pytest.raises(KeyExpiredError) as caught:
        require_unexpired(number.last_tid_minutes + 1, number, BASE)
    assert caught.value.tid_minutes == 86 << 16
    assert caught.value.key_expiry_number == 85
    assert caught.value.last_minute == utc("2024-09-18T22:55")


def test_the_last_minute_is_told_in_utc_also_under_a_fixed_offset() -> None:
    offset = timedelta(hours=2)
    number = KeyExpiryNumber(85)
    assert last_minute_of(number, BASE, utc_offset=offset) == utc("2024-09-18T20:55")
    with pytest.raises(KeyExpiredError) as caught:
        require_unexpired(86 << 16, number, BASE, utc_offset=offset)
    assert caught.value.last_minute == utc("2024-09-18T20:55")


# --- issuing ----------------------------------------------------------------------------------

# What STS 531 Edition 2.2 expects in CTSA09: already issued, time, token identifier.
CTSA09 = [
    ([], "2026-07-29T00:00", 6612480),
    ([], "2026-07-29T00:01", 6612482),
    ([], "2026-07-29T00:03", 6612483),
    ([6612483], "2026-07-29T00:03:20", 6612484),
    ([6612483, 6612484], "2026-07-29T00:03:40", 6612485),
    # When the clock has caught up, the identifiers follow it again.
    ([6612483, 6612484, 6612485], "2026-07-29T00:06", 6612486),
]


@pytest.mark.parametrize(("issued", "now", "expected"), CTSA09)
def test_the_token_identifiers_of_ctsa09_come_out(
    issued: list[int], now: str, expected: int
) -> None:
    assert next_token_identifier(issued, utc(now), base_date=BASE) == expected


def test_the_reserved_minute_is_also_skipped_when_counting_on() -> None:
    midnight = 6612480
    assert next_token_identifier([midnight], at(midnight), base_date=BASE) == midnight + 2


def test_the_reserved_minute_is_that_of_the_fixed_offset() -> None:
    offset = timedelta(hours=2)
    reserved_in_utc = utc("2026-07-29T00:01")
    reserved_there = utc("2026-07-28T22:01")
    issue = next_token_identifier
    assert issue([], reserved_in_utc, base_date=BASE, utc_offset=offset) == 6612481 + 120
    assert issue([], reserved_there, base_date=BASE, utc_offset=offset) == 6612482


@given(tids)
def test_the_reserved_minute_is_one_past_midnight(tid_minutes: int) -> None:
    minute = at(tid_minutes)
    assert is_reserved_minute(tid_minutes) is ((minute.hour, minute.minute) == (0, 1))


@pytest.mark.parametrize("base_date", BaseDate)
def test_the_first_token_of_a_base_date_is_neither_minute_zero_nor_the_reserved_one(
    base_date: BaseDate,
) -> None:
    """A meter's store is full of zeros after a rollover, so 0 counts as used."""
    for second in (0, 60, 120):
        now = base_date.start + timedelta(seconds=second)
        assert next_token_identifier([], now, base_date=base_date) == 2


# Issuing histories around one minute of the day 2026-07-29, on either side of midnight.
presents = st.integers(min_value=6612480 - 5, max_value=6612480 + 10)
histories = st.one_of(
    st.sets(st.integers(min_value=6612300, max_value=6612600), max_size=120),
    # About as many as a meter keeps, most of them ahead of the clock.
    st.sets(st.integers(min_value=6612470, max_value=6612570), min_size=40, max_size=70),
)


@given(histories, presents, st.integers(min_value=0, max_value=200))
def test_the_next_token_identifier_is_the_first_one_that_is_free(
    issued: set[int], present: int, cap: int
) -> None:
    oldest_kept = min(sorted(issued)[-TID_STORE_SIZE:], default=0)
    floor = oldest_kept if len(issued) >= TID_STORE_SIZE else 0
    free = present
    while free in issued or free <= floor or is_reserved_minute(free):
        free += 1
    if free - present > cap:
        with pytest.raises(TidAheadOfClockError) as caught:
            next_token_identifier(issued, at(present), base_date=BASE, lead_cap_minutes=cap)
        assert caught.value.lead_minutes == free - present
        assert caught.value.cap_minutes == cap
    else:
        found = next_token_identifier(issued, at(present), base_date=BASE, lead_cap_minutes=cap)
        assert found == free


@given(histories, presents)
def test_the_fifty_largest_are_all_that_need_to_be_kept(issued: set[int], present: int) -> None:
    kept = sorted(issued)[-TID_STORE_SIZE:]
    found = {
        next_token_identifier(some, at(present), base_date=BASE, lead_cap_minutes=NO_CAP)
        for some in (issued, kept, kept[::-1])
    }
    assert len(found) == 1


class MeterStore:
    """The meter's side: it keeps the 50 largest identifiers that it accepted (7.3.8)."""

    def __init__(self) -> None:
        """Start as after a rollover."""
        self.kept = [0] * TID_STORE_SIZE

    def accepts(self, tid_minutes: int) -> bool:
        smallest = min(self.kept)
        if tid_minutes < smallest or tid_minutes in self.kept:
            return False
        self.kept[self.kept.index(smallest)] = tid_minutes
        return True


def issue_all(clock: Collection[int]) -> list[int]:
    issued: list[int] = []
    for minute in clock:
        issued.append(
            next_token_identifier(
                issued[-3 * TID_STORE_SIZE :], at(minute), base_date=BASE, lead_cap_minutes=NO_CAP
            )
        )
    return issued


@pytest.mark.parametrize("minute", [0, 1, 1435, 6612480, 6612481])
def test_a_meter_accepts_all_of_two_hundred_tokens_of_one_minute(minute: int) -> None:
    issued = issue_all([minute] * 200)
    store = MeterStore()
    assert all(store.accepts(tid_minutes) for tid_minutes in issued)
    assert len(set(issued)) == 200
    assert not any(store.accepts(tid_minutes) for tid_minutes in issued)


@given(st.lists(st.integers(min_value=1430, max_value=1450), max_size=130))
def test_a_meter_accepts_every_token_in_order_of_issue_even_from_a_clock_set_back(
    clock: list[int],
) -> None:
    issued = issue_all(clock)
    store = MeterStore()
    assert all(store.accepts(tid_minutes) for tid_minutes in issued)
    assert not any(is_reserved_minute(tid_minutes) or not tid_minutes for tid_minutes in issued)


def test_a_legacy_system_that_ran_ahead_blocks_nobody_at_the_cut_over() -> None:
    """It left some identifiers hours ahead; with fewer than 50 the present minute is free."""
    present = 6612600
    ahead = range(present + 300, present + 340)
    assert next_token_identifier(ahead, at(present), base_date=BASE) == present


def test_the_present_minute_is_too_old_below_the_fifty_that_the_meter_may_keep() -> None:
    present = 6612600
    ahead = range(present + 10, present + 60)
    assert next_token_identifier(ahead, at(present), base_date=BASE) == present + 60
    with pytest.raises(TidAheadOfClockError, match=r"is 60 minutes ahead .* at most 59 are"):
        next_token_identifier(ahead, at(present), base_date=BASE, lead_cap_minutes=59)


def test_the_first_minute_above_the_oldest_of_the_fifty_is_free() -> None:
    oldest = 6612600
    issued = {oldest, *range(oldest + 2, oldest + 1 + TID_STORE_SIZE)}
    assert len(issued) == TID_STORE_SIZE
    assert next_token_identifier(issued, at(oldest - 5), base_date=BASE) == oldest + 1


def test_an_hour_ahead_is_allowed_unless_told_otherwise() -> None:
    present = 6612600
    issued = set(range(present, present + 60))
    assert next_token_identifier(issued, at(present), base_date=BASE) == present + 60
    with pytest.raises(TidAheadOfClockError):
        next_token_identifier({*issued, present + 60}, at(present), base_date=BASE)


def test_no_token_is_issued_beyond_the_expiry_of_the_key() -> None:
    number = KeyExpiryNumber(85)
    last = number.last_tid_minutes
    assert next_token_identifier([], at(last), base_date=BASE, key_expiry_number=number) == last
    with pytest.raises(KeyExpiredError):
        next_token_identifier([last], at(last), base_date=BASE, key_expiry_number=number)
    with pytest.raises(KeyExpiredError):
        next_token_identifier([], at(last + 1), base_date=BASE, key_expiry_number=number)


def test_no_token_is_issued_after_the_last_minute_of_the_base_date() -> None:
    last = at(LAST_TID_MINUTES)
    assert next_token_identifier([], last, base_date=BASE) == LAST_TID_MINUTES
    with pytest.raises(AfterLastMinuteError, match="the next free token identifier is after 2045"):
        next_token_identifier([LAST_TID_MINUTES], last, base_date=BASE)
    with pytest.raises(AfterLastMinuteError):
        next_token_identifier([], last + MINUTE, base_date=BASE)


def test_no_token_is_issued_before_the_base_date() -> None:
    with pytest.raises(BeforeBaseDateError):
        next_token_identifier([], utc("2034-12-31T23:59"), base_date=BaseDate.Y2035)


# --- the special reserved minute --------------------------------------------------------------


@pytest.mark.parametrize("time", ["00:00", "00:01", "00:02", "12:00", "23:59"])
def test_the_special_token_of_a_day_has_its_reserved_minute_at_any_time(time: str) -> None:
    now = utc(f"2026-07-29T{time}")
    assert special_reserved_token_identifier([6612480, 6612482], now, base_date=BASE) == 6612481


def test_the_special_token_of_a_day_follows_the_fixed_offset() -> None:
    now = utc("2026-07-28T22:30")
    found = special_reserved_token_identifier(
        [], now, base_date=BASE, utc_offset=timedelta(hours=2)
    )
    assert found == 6612481


def test_a_day_has_one_special_token() -> None:
    now = utc("2026-07-29T12:00")
    with pytest.raises(TidAlreadyUsedError) as caught:
        special_reserved_token_identifier([6612481], now, base_date=BASE)
    assert caught.value.tid_minutes == 6612481


def test_a_special_token_that_the_meter_would_call_old_is_not_issued() -> None:
    now = utc("2026-07-29T12:00")
    later = range(6612490, 6612490 + TID_STORE_SIZE)
    assert special_reserved_token_identifier(later[1:], now, base_date=BASE) == 6612481
    with pytest.raises(TidAlreadyUsedError):
        special_reserved_token_identifier(later, now, base_date=BASE)


def test_a_special_token_among_the_fifty_that_the_meter_may_keep_is_issued() -> None:
    now = utc("2026-07-29T12:00")
    issued = [*range(6612400, 6612430), *range(6612500, 6612530)]
    assert special_reserved_token_identifier(issued, now, base_date=BASE) == 6612481


@given(histories, presents)
def test_a_special_token_is_refused_exactly_when_the_meter_would_refuse_it(
    issued: set[int], present: int
) -> None:
    store = MeterStore()
    for tid_minutes in sorted(issued):
        store.accepts(tid_minutes)
    reserved = tid_from_datetime(at(present).replace(hour=0, minute=1), BASE)
    if store.accepts(reserved):
        assert special_reserved_token_identifier(issued, at(present), base_date=BASE) == reserved
    else:
        with pytest.raises(TidAlreadyUsedError):
            special_reserved_token_identifier(issued, at(present), base_date=BASE)


def test_a_special_token_needs_a_key_that_has_not_expired() -> None:
    now = utc("2026-07-29T12:00")
    covering, expired = KeyExpiryNumber(100), KeyExpiryNumber(99)
    issue = special_reserved_token_identifier
    assert issue([], now, base_date=BASE, key_expiry_number=covering) == 6612481
    with pytest.raises(KeyExpiredError):
        issue([], now, base_date=BASE, key_expiry_number=expired)


def test_a_reserved_identifier_is_not_made_by_a_key_that_has_expired_since() -> None:
    """00:01 lay before the expiry, now lies after it."""
    last = last_minute_of(KeyExpiryNumber(85), BASE)
    with pytest.raises(KeyExpiredError):
        special_reserved_token_identifier(
            [], last + timedelta(minutes=1), base_date=BASE, key_expiry_number=KeyExpiryNumber(85)
        )


@pytest.mark.parametrize(
    ("moment", "error"),
    [
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), BeforeBaseDateError),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), AfterLastMinuteError),
    ],
)
def test_a_moment_off_the_calendar_is_refused(
    moment: datetime, error: type[TokenIdentifierError]
) -> None:
    with pytest.raises(error):
        require_utc(moment)


def test_an_identifier_that_is_told_twice_counts_once() -> None:
    present = 6311520
    assert next_token_identifier([present + 20] * 60, at(present), base_date=BASE) == present
