"""The lock-out, the keypad and the display as rows: back and forth, and never out of nonsense."""

from datetime import timedelta
from typing import Any, Final

import pytest

from sts.meter.buzzer import Alarm, muted
from sts.meter.errors import MeterStateError
from sts.meter.lockout import NO_LOCKOUT, Lockout
from sts.meter.records import (
    state_from_rows,
    state_to_rows,
    volatile_from_rows,
    volatile_to_rows,
)
from tests.pair import START, VendAndMeter

WRONG: Final = "00000000000000000001"
AT: Final = START.isoformat()


def _state_with(name: str, value: Any) -> None:  # noqa: ANN401 - wrong types are the point
    pair = VendAndMeter()
    rows = {**state_to_rows(pair.state), name: value}
    state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store)


@pytest.mark.parametrize("refusals", [0, 1, 2, 3, 10])
def test_a_lock_out_comes_back_from_its_row(refusals: int) -> None:
    pair = VendAndMeter()
    until = START + timedelta(seconds=10, microseconds=5) if refusals > 2 else None
    pair.rebuild(lockout=Lockout(refusals=refusals, until=until), powered=False)
    rows = state_to_rows(pair.state)
    assert state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store) == pair.state


@pytest.mark.parametrize(
    "keys", ["1", "1234567890123456789", "#", "#07", f"{WRONG}", "#08#", "12#"]
)
def test_keypad_and_display_come_back_from_their_rows(keys: str) -> None:
    pair = VendAndMeter()
    pair.keys(keys)
    rows = volatile_to_rows(pair.spec, pair.volatile)
    assert volatile_from_rows(pair.spec, rows) == pair.volatile


def test_a_muted_alarm_comes_back_from_its_row() -> None:
    pair = VendAndMeter()
    mute = muted(Alarm.VERY_LOW_CREDIT, START)
    rows = {"mute": f"2 {mute.until.isoformat()}"}
    volatile = volatile_from_rows(pair.spec, rows)
    assert volatile.mute == mute
    assert volatile_to_rows(pair.spec, volatile)["mute"] == rows["mute"]


def test_files_from_before_the_lock_out_have_none_and_their_power_is_on() -> None:
    pair = VendAndMeter()
    rows = dict(state_to_rows(pair.state))
    del rows["lockout"], rows["powered"]
    state = state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store)
    assert (state.lockout, state.powered) == (NO_LOCKOUT, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lockout", None),
        ("lockout", 3),
        ("lockout", "3"),
        ("lockout", "3 -"),
        ("lockout", f"0 {AT}"),
        ("lockout", f"11 {AT}"),
        ("lockout", f"many {AT}"),
        ("lockout", "3 soon"),
        ("lockout", "3 2026-01-01T00:00:00"),
        ("lockout", "3 0001-01-01T00:00:00+14:00"),
        ("powered", None),
        ("powered", 2),
    ],
)
def test_rows_of_no_state_are_refused(
    name: str,
    value: Any,  # noqa: ANN401 - wrong types are the point
) -> None:
    with pytest.raises(MeterStateError, match=name):
        _state_with(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keypad", 5),
        ("keypad", ""),
        ("keypad", "12"),
        ("keypad", f"x {AT}"),
        ("keypad", f"##1 {AT}"),
        ("keypad", f"1234567890123456789012 {AT}"),
        ("keypad", "12 yesterday"),
        ("shown", None),
        ("shown", 1),
        ("shown", "3"),
        ("shown", "x\tCREDIT"),
        ("shown", "0\tCREDIT"),
        ("shown", "3\tA LINE THAT IS TOO LONG FOR IT"),
        ("shown", "3\ta\tb\tc\td\te"),
        ("shown_at", "noon"),
        ("mute", "5 soon"),
        ("mute", f"9 {AT}"),
        ("mute", f"0 {AT}"),
        ("mute", 7),
    ],
)
def test_rows_of_no_volatile_memory_are_refused(
    name: str,
    value: Any,  # noqa: ANN401 - wrong types are the point
) -> None:
    with pytest.raises(MeterStateError):
        volatile_from_rows(VendAndMeter().spec, {name: value})
