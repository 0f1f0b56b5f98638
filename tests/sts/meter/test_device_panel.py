"""The front of the meter on the table: every key is written down, whoever pressed the last one."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from sts.errors import NaiveDatetimeError
from sts.meter.device import VirtualMeter, open_meter
from sts.meter.entry import Reply
from sts.meter.errors import MeterPowerError
from sts.meter.events import EventKind
from sts.meter.indicators import WITHOUT_POWER, SupplyLamp
from sts.meter.keypad import Buffered, Cleared, KeyRefused, MeterKeyError, TokenEntered
from sts.meter.readouts import CodeRefused, ShortCodeFault, Shown
from sts.meter.results import ResultCode
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

WRONG: Final = "00000000000000000001"
SECOND: Final = timedelta(seconds=1)


def _key_in(meter: VirtualMeter, keys: str) -> Reply:
    for symbol in keys[:-1]:
        meter.key(symbol, now=START)
    return meter.key(keys[-1], now=START)


def test_a_token_is_keyed_by_several_processes(tmp_path: Path) -> None:
    pair = VendAndMeter()
    path, digits = meter_file(tmp_path, pair), credit_digits(pair, 59)
    for symbol in digits[:19]:
        with open_meter(path) as meter:
            reply = meter.key(symbol, now=START)
        assert reply.results == (Buffered(),)
        assert (reply.entry, reply.short_code) == (None, None)
    with open_meter(path) as meter:
        reply = meter.key(digits[19], now=START)
        (kept,) = meter.history()
    assert reply.results == (TokenEntered(digits=digits),)
    assert reply.entry is not None
    assert reply.entry.code is ResultCode.ACCEPT
    assert reply.snapshot.credit_wh == 5900
    assert reply.face.lines[0] == "ACCEPT"
    assert (kept.digits, kept.amount) == (digits, "5.9 kWh")


def test_what_was_keyed_is_seen_by_everybody(tmp_path: Path) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    with open_meter(path) as meter, open_meter(path) as other:
        _key_in(meter, "123")
        assert other.display(now=START).lines[0] == "ENTER TOKEN     3/20"
        assert other.display(now=START + 20 * SECOND).lines[0] == "CREDIT"
        other.key("C", now=START)
        assert meter.key("4", now=START).face.lines[0] == "ENTER TOKEN     1/20"


def test_looking_writes_nothing(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        meter.display(now=START + timedelta(days=1))
        assert meter.snapshot(now=START).at == START


def test_a_short_code_is_answered_by_key_and_at_once(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        digits = credit_digits(pair, 59)
        meter.enter(digits, now=START)
        keyed = _key_in(meter, "#07#").short_code
        at_once = meter.short_code("07", now=START).short_code
    assert isinstance(keyed, Shown)
    assert keyed == at_once
    assert keyed.blocks[0][0] == "LAST          ACCEPT"
    assert keyed.blocks[0][3] == "5.9 kWh"


def test_an_unknown_short_code_is_an_answer(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        reply = meter.short_code("77", now=START)
    assert reply.short_code == CodeRefused(code="77", fault=ShortCodeFault.UNKNOWN)
    assert reply.face.lines[:3] == ("CODE 77", "There is no such", "short code.")


def test_a_whole_token_is_shown_too(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        meter.enter(WRONG, now=START)
        assert meter.display(now=START).lines[0] == "REJECT 13"


def test_a_key_that_is_none_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        _key_in(meter, "#123")
        with pytest.raises(MeterKeyError):
            meter.key("A", now=START + SECOND)
        assert meter.snapshot(now=START).at == START
        assert meter.key("4", now=START).results == (KeyRefused(),)
        assert meter.key("c", now=START).results == (Cleared(),)


def test_a_lock_out_outlives_the_process_and_ends_by_time_or_at_the_bench(tmp_path: Path) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    for _ in range(3):
        with open_meter(path) as meter:
            meter.enter(WRONG, now=START)
    digits = credit_digits(pair, 10)
    with open_meter(path) as meter:
        refused = meter.enter(digits, now=START + 9 * SECOND)
        assert refused.code is ResultCode.TOKEN_LOCKOUT
        assert refused.household_text == "Too many wrong tokens. Wait and try again."
        assert refused.snapshot.locked_until == START + 10 * SECOND
        assert [event.kind for event in meter.events()] == [EventKind.LOCKED_OUT]
        assert meter.reset_lockout(now=START + 9 * SECOND).locked_until is None
        assert meter.enter(digits, now=START + 9 * SECOND).code is ResultCode.ACCEPT


def test_power_goes_and_comes(tmp_path: Path) -> None:
    pair = VendAndMeter()
    pair.credit(100)
    with open_meter(meter_file(tmp_path, pair)) as meter:
        meter.set_load(1000, now=START)
        _key_in(meter, "123")
        dead = meter.power_off(now=START + timedelta(hours=1))
        assert (dead.powered, dead.credit_wh, dead.relay_closed) == (False, 9000, True)
        assert dead.supply_text == "The meter has no power."
        face = meter.display(now=START + timedelta(hours=2))
        assert (face.lines, face.indicators) == (("",) * 4, WITHOUT_POWER)
        for act in (meter.key, meter.enter, meter.short_code):
            with pytest.raises(MeterPowerError):
                act("1", now=START + timedelta(hours=2))
        alive = meter.power_on(now=START + timedelta(hours=3))
        assert (alive.powered, alive.credit_wh) == (True, 9000)
        assert meter.display(now=alive.at).indicators.supply is SupplyLamp.STEADY
        kinds = [event.kind for event in meter.events()]
    assert kinds == [EventKind.POWER_RETURNED, EventKind.POWER_LOST]


def test_a_moment_without_a_zone_is_refused(tmp_path: Path) -> None:
    naive = START.replace(tzinfo=None)
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        for act in (meter.power_off, meter.power_on, meter.reset_lockout, meter.display):
            with pytest.raises(NaiveDatetimeError):
                act(now=naive)
        with pytest.raises(NaiveDatetimeError):
            meter.key("1", now=naive)
