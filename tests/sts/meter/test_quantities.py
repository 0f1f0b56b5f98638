"""Loads, times and prices are read exactly or not at all."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sts.meter.errors import MeterQuantityError
from sts.meter.quantities import parse_duration, parse_load, parse_moment, parse_price


@pytest.mark.parametrize(
    ("text", "watts"),
    [
        ("0", 0),
        ("2300", 2300),
        ("2300W", 2300),
        ("2.3kW", 2300),
        (" 2.301 KW ", 2301),
        ("-1.5kW", -1500),
        ("1kW, 2kW,-500", (1000, 2000, -500)),
    ],
)
def test_loads(text: str, watts: int | tuple[int, ...]) -> None:
    assert parse_load(text) == watts


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("30min", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1d 12h", timedelta(hours=36)),
        ("1h30min", timedelta(minutes=90)),
    ],
)
def test_lengths_of_time(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["2026-03-02T08:00Z", "2026-03-02T10:00+02:00"])
def test_moments_are_in_utc(text: str) -> None:
    assert parse_moment(text) == datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(("text", "units"), [("3.425", 342_500), ("0.00001", 1), ("12", 1_200_000)])
def test_prices(text: str, units: int) -> None:
    assert parse_price(text) == (None, units)


def test_a_price_from_a_time_on() -> None:
    july = datetime(2026, 7, 1, tzinfo=UTC)
    assert parse_price("2026-07-01T00:00Z=3.9") == (july, 390_000)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_load, ""),
        (parse_load, "--1"),
        (parse_load, "1kW,"),
        (parse_load, "1kW;2kW"),
        (parse_load, "2.3"),
        (parse_load, "2.30005kW"),
        (parse_load, "1e9"),
        (parse_load, "٣"),
        (parse_load, "9" * 99 + "x"),
        (parse_duration, ""),
        (parse_duration, "0s"),
        (parse_duration, "5"),
        (parse_duration, "5 weeks"),
        (parse_duration, "h"),
        (parse_duration, "999999999999d"),
        (parse_duration, "999999999d9999h"),
        (parse_moment, "yesterday"),
        (parse_moment, "2026-03-02T08:00"),
        (parse_moment, "0001-01-01T00:00+14:00"),
        (parse_price, ""),
        (parse_price, "dear"),
        (parse_price, "=3.9"),
        (parse_price, "2026-07-01=3.9"),
        (parse_price, "0.000001"),
        (parse_price, "NaN"),
        (parse_price, "Infinity"),
    ],
)
def test_what_is_none_of_these_is_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(MeterQuantityError) as caught:
        parse(text)
    assert caught.value.code == "METER_QUANTITY"
