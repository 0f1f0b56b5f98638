"""What a screen is made of, without one: time, charts, loads, words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.meter.device import open_meter
from sts.meter.log_rows import HistoryEntry
from sts.meter.results import ResultCode
from sts.meter.tui_chart import braille
from sts.meter.tui_session import Session, load_steps, nearest_step, stepped
from sts.meter.tui_time import MeterTime
from sts.meter.tui_words import lasts_text, load_text, plate_text, token_text
from sts.tokens import Service
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        """Begin with the pair's."""
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def test_time_goes_at_its_speed() -> None:
    clock = Clock()
    time = MeterTime(clock, speed=60)
    clock.now += SECOND
    assert time.now() == START + timedelta(minutes=1)
    time.set_speed(3600)
    clock.now += SECOND
    assert time.now() == START + timedelta(hours=1, minutes=1)
    assert time.speed == 3600


def test_a_clock_that_is_put_back_stops_time() -> None:
    clock = Clock()
    time = MeterTime(clock, speed=60)
    clock.now -= timedelta(hours=1)
    assert time.now() == START


def test_a_hold_lasts_as_long_as_it_says() -> None:
    clock = Clock()
    time = MeterTime(clock, speed=60)
    time.hold(10 * SECOND)
    clock.now += 4 * SECOND
    assert time.is_held
    assert time.now() == START + 4 * SECOND
    clock.now += 7 * SECOND
    assert not time.is_held
    assert time.now() == START + 10 * SECOND + timedelta(minutes=1)


def test_time_catches_up_with_a_meter_that_is_ahead_and_never_goes_back() -> None:
    time = MeterTime(Clock())
    time.catch_up(START + SECOND)
    time.catch_up(START)
    assert time.now() == START + SECOND


def test_time_ends_with_the_calendar() -> None:
    clock = Clock()
    time = MeterTime(clock, speed=1_000_000)
    clock.now += timedelta(days=100_000)
    assert time.now() == datetime.max.replace(tzinfo=UTC)


def test_a_chart_fills_from_zero_in_both_directions() -> None:
    assert braille((4, 2, 0, -4), columns=2, rows=2) == ("⣧⠀", "⠀⢸")


def test_a_chart_shows_what_is_small() -> None:
    assert braille((1, 1000), columns=1, rows=1) == ("⣸",)
    assert braille((-1000, 1), columns=1, rows=1) == ("⡏",)
    assert braille((-1, 1000), columns=1, rows=1) == ("⣸",)


@given(
    st.lists(st.integers(-(10**12), 10**12), max_size=40),
    st.integers(1, 12),
    st.integers(1, 6),
)
def test_a_chart_fits_and_has_a_dot_for_all_but_zero(
    values: list[int], columns: int, rows: int
) -> None:
    lines = braille(values, columns=columns, rows=rows)
    assert [len(line) for line in lines] == [columns] * rows
    drawn = sum(any(_half(line[place // 2], place % 2) for line in lines) for place in _all(lines))
    assert drawn == sum(value != 0 for value in values[-2 * columns :])


def _all(lines: tuple[str, ...]) -> range:
    return range(2 * len(lines[0]))


def _half(letter: str, right: int) -> int:
    return (ord(letter) - 0x2800) & (0b10111000 if right else 0b01000111)


def test_loads_go_up_to_the_rating_and_down_to_nothing() -> None:
    steps = load_steps(13_800)
    assert steps[0] == 0
    assert steps[-2:] == (10_000, 13_800)
    assert stepped(steps, 0, -1) == 0
    assert stepped(steps, 13_800, 1) == 13_800
    assert stepped(steps, 70, 1) == 100
    assert stepped(steps, 70, -1) == 60
    assert stepped(steps, 70, 0) == 70
    assert stepped(steps, 70, 99) == 13_800
    assert stepped(steps, 70, -99) == 0


@pytest.mark.parametrize(("load", "place"), [(0, 0), (59, 0), (60, 1), (99, 1), (13_800, 12)])
def test_a_load_between_two_stops_is_at_the_lower_one(load: int, place: int) -> None:
    assert nearest_step(load_steps(13_800), load) == place


@pytest.mark.parametrize(
    ("load", "text"),
    [(0, "0 W"), (999, "999 W"), (1000, "1 kW"), (2300, "2.3 kW"), (-1050, "-1.05 kW")],
)
def test_a_load_is_said_as_people_say_it(load: int, text: str) -> None:
    assert load_text(VendAndMeter().spec, load) == text


def test_a_water_meter_has_a_flow() -> None:
    assert load_text(VendAndMeter(service=Service.WATER).spec, 1500) == "1500 litre/h"


def test_a_screen_begins_where_a_meter_ahead_of_the_clock_is(tmp_path: Path) -> None:
    later = START + timedelta(hours=1)
    path = meter_file(tmp_path, VendAndMeter(), now=later)
    attended: list[datetime] = []
    with open_meter(path) as meter:
        session = Session(meter, Clock(), attend=attended.append)
        assert session.look().snapshot.at == later
        session.pass_time()
        assert session.time.now() == later
    assert attended == [later]


def test_only_what_has_flowed_makes_the_rate_lamp_flash(tmp_path: Path) -> None:
    pair, clock = VendAndMeter(), Clock()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        meter.enter(credit_digits(pair, 10), now=START)
        session = Session(meter, clock)
        session.set_load(1000)
        clock.now += timedelta(seconds=36)
        assert session.look().pulses == 10
        assert session.look().pulses == 0
        assert session.pass_time().power_w == 1000
        assert session.samples[-1].power_w == 1000
        plate = plate_text(session.look().snapshot)
        assert "SGC 201457 KRN 1 TI 01" in plate
        assert "limit   none" in plate
        snapshot = replace(
            session.look().snapshot,
            credit_ends_at=None,
            key_revision_number=None,
            power_limit_w=500,
        )
        assert lasts_text(snapshot) == ""
        assert "KRN - " in plate_text(snapshot)
        assert "limit   500 W" in plate_text(snapshot)


def test_a_clear_key_lets_time_rush_again(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        session = Session(meter, Clock(), speed=60)
        assert session.key("1").speed == 1
        assert session.key("C").speed == 60
        assert [session.next_speed().speed for _ in range(3)] == [600, 3600, 1]


def test_a_token_in_the_history_has_its_mark() -> None:
    token = HistoryEntry(
        at=START,
        digits="12345678901234567890",
        result=ResultCode.USED_ERROR,
        amount="",
        text="",
        reason="",
    )
    assert token_text(token) == "08:00 1234 5678 9012 3456 7890 ✗ UsedError"
    stored = replace(token, result=ResultCode.FIRST_KEY_CHANGE_TOKEN)
    assert token_text(stored).endswith("✓ 1stKCT")
