"""The meter on the table: what it answers, shows and logs."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from sts.ciphers import SAMPLE_TABLES, parse_sta_tables
from sts.ciphers.sta_tables import SAMPLE_JSON
from sts.errors import NaiveDatetimeError
from sts.identifiers import EncryptionAlgorithm, KeyType, SupplyGroupCode
from sts.meter.device import create_meter, open_meter
from sts.meter.errors import MeterLoadError, MeterSpecError, MeterTablesError
from sts.meter.events import DayRecord, EventKind
from sts.meter.outcomes import PartStored
from sts.meter.profiles import MeterProfile, ReconnectPolicy
from sts.meter.registers import Register
from sts.meter.results import ResultCode
from sts.meter.spec import CreditKind
from sts.meter.state import SupplyCause, TamperKind
from sts.tokens import Service
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

NEW: Final = {"supply_group_code": SupplyGroupCode(203557)}


def test_a_token_adds_credit_and_says_so(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        entry = meter.enter(credit_digits(pair, 59), now=START)
        (kept,) = meter.history()
    assert entry.code is ResultCode.ACCEPT
    assert not entry.refused
    assert entry.household_text == "Accepted. 5.9 kWh added."
    assert entry.amount_text == kept.amount == "5.9 kWh"
    assert entry.engineer_text == kept.reason == ""
    assert entry.snapshot.credit_text == "5.900 kWh"
    assert entry.snapshot.credit_wh == 5900
    assert entry.snapshot.total_wh == 0
    assert entry.snapshot.supply_text == "Supply is on."
    assert (kept.at, kept.digits, kept.result) == (START, pair.digits, ResultCode.ACCEPT)


def test_a_refusal_is_an_answer_with_a_reason(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        entry = meter.enter("12-34 \x1b[31m\udcff" + "9" * 99, now=START)
        (kept,) = meter.history()
    assert entry.refused
    assert entry.code is ResultCode.FORMAT_ERROR
    assert entry.household_text == "This is not a token. Check the 20 digits."
    assert "20 digits" in entry.engineer_text
    assert entry.amount_text == ""
    assert kept.digits == entry.digits == "1234?[31m?" + "9" * 30


def test_a_display_token_answers_with_its_lines(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        entry = meter.enter("36893488147553322496", now=START)
    assert entry.lines == ("TI 01",)
    assert entry.household_text == "Accepted. See the display."


def test_a_part_of_a_set_says_what_is_missing_and_time_takes_it_away(tmp_path: Path) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    digits = pair.key_change_digits(NEW)
    with open_meter(path) as meter:
        entry = meter.enter(digits[0], now=START)
        assert isinstance(entry.outcome, PartStored)
        assert not entry.refused
        assert entry.household_text == "Part 1 of a set stored. Now enter part 2, 3, 4."
    with open_meter(path) as meter:
        assert meter.snapshot(now=START).missing_parts == (2, 3, 4)
        late = START + timedelta(minutes=11)
        assert meter.snapshot(now=late).missing_parts == ()
        assert meter.advance(now=late).missing_parts == ()


def test_a_key_change_is_taken_up_by_the_next_token(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        entry = [meter.enter(digits, now=START) for digits in pair.key_change_digits(NEW)][-1]
        pair.change_key(NEW)
        assert meter.enter(credit_digits(pair, 1), now=START).code is ResultCode.ACCEPT
        assert meter.events()[-1].kind is EventKind.KEY_CHANGED
    assert entry.household_text == "Accepted. The meter has its new key."
    assert entry.snapshot.supply_group_code == "203557"


def test_a_load_counts_credit_down_until_the_relay_opens(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        meter.enter(credit_digits(pair, 10), now=START)
        running = meter.set_load(500, now=START)
        later = meter.advance(now=START + timedelta(hours=3))
        opened, closed = meter.events()
    assert running.credit_ends_at == START + timedelta(hours=2) == opened.at
    assert later.supply_text == "Supply is off. The credit is used up. Buy a token."
    assert later.causes == (SupplyCause.CREDIT_EXHAUSTED,)
    assert (opened.kind, closed.kind) == (EventKind.RELAY_OPENED, EventKind.RELAY_CLOSED)


def test_a_load_beyond_the_rating_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        with pytest.raises(MeterLoadError):
            meter.set_load(200_000, now=START)
        assert meter.snapshot(now=START).load_w == 0


def test_cover_and_button_work(tmp_path: Path) -> None:
    pair = VendAndMeter(reconnect=ReconnectPolicy.BUTTON)
    with open_meter(meter_file(tmp_path, pair)) as meter:
        entry = meter.enter(credit_digits(pair, 10), now=START)
        assert entry.snapshot.supply_text == "Supply is off. Press the button."
        assert meter.press(now=START).relay_closed
        snapshot = meter.tamper(now=START)
    assert snapshot.tampered
    assert snapshot.causes == (SupplyCause.TAMPER,)


def test_a_moment_without_a_zone_is_refused(tmp_path: Path) -> None:
    naive = START.replace(tzinfo=None)
    with open_meter(meter_file(tmp_path, VendAndMeter())) as meter:
        for operate in (meter.advance, meter.snapshot):
            with pytest.raises(NaiveDatetimeError):
                operate(now=naive)
        with pytest.raises(NaiveDatetimeError):
            meter.enter("1", now=naive)
        assert meter.history() == ()


def test_what_does_not_belong_together_is_not_written(tmp_path: Path) -> None:
    pair = VendAndMeter()
    spec = replace(pair.spec, profile=MeterProfile(tid_store_size=60))
    with pytest.raises(MeterSpecError):
        create_meter(tmp_path / "house.meter", spec, pair.state, now=START)
    assert list(tmp_path.iterdir()) == []


def test_a_meter_is_made_at_its_moment(tmp_path: Path) -> None:
    later = START + timedelta(hours=1)
    with open_meter(meter_file(tmp_path, VendAndMeter(), now=later)) as meter:
        assert meter.snapshot(now=START).at == later


def test_an_ea07_meter_wants_the_tables_it_was_built_with(tmp_path: Path) -> None:
    path = meter_file(tmp_path, VendAndMeter("00100001023", EncryptionAlgorithm.STA))
    other = parse_sta_tables(SAMPLE_JSON.replace(b"SAMPLE", b"OTHER"))
    with pytest.raises(MeterTablesError) as caught:
        open_meter(path, sta_tables=other)
    assert caught.value.code == "METER_TABLES"
    with open_meter(path) as meter:
        assert meter.uses_sample_tables


def test_other_algorithms_do_not_care_for_tables(tmp_path: Path) -> None:
    path = meter_file(tmp_path, VendAndMeter())
    other = parse_sta_tables(SAMPLE_JSON.replace(b"SAMPLE", b"OTHER"))
    with open_meter(path, sta_tables=other) as meter:
        assert not meter.uses_sample_tables
    assert SAMPLE_TABLES.is_sample


def test_a_currency_meter_speaks_of_money(tmp_path: Path) -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY)
    with open_meter(meter_file(tmp_path, pair)) as meter:
        pair.currency_credit(1_638_300)
        entry = meter.enter(pair.digits, now=START)
    assert entry.amount_text == entry.snapshot.credit_text
    assert entry.amount_text.endswith(" ZAR")
    assert entry.snapshot.credit_unit == "0.00001 ZAR"


@pytest.mark.parametrize(
    ("service", "amount", "credit", "unit"),
    [
        (Service.WATER, "1.5 m³", "1.500 m³", "litre"),
        (Service.TIME, "1.5 min", "1 min 30 s", "second"),
    ],
)
def test_other_services_have_their_own_units(
    tmp_path: Path, service: Service, amount: str, credit: str, unit: str
) -> None:
    pair = VendAndMeter(service=service)
    with open_meter(meter_file(tmp_path, pair)) as meter:
        entry = meter.enter(credit_digits(pair, 15), now=START)
    assert (entry.amount_text, entry.snapshot.credit_text) == (amount, credit)
    assert entry.snapshot.credit_unit == unit


def test_a_debt_is_shown_with_its_sign(tmp_path: Path) -> None:
    pair = VendAndMeter(min_credit=-5000)
    pair.rebuild(credit=Register(-1500))
    with open_meter(meter_file(tmp_path, pair)) as meter:
        assert meter.snapshot(now=START).credit_text == "-1.500 kWh"


def test_a_snapshot_is_plain_json_without_the_key(tmp_path: Path) -> None:
    pair = VendAndMeter(key_type=KeyType.INITIALISATION)
    register = replace(pair.state.key_register, key_revision_number=None)
    pair.rebuild(key_register=register)
    with open_meter(meter_file(tmp_path, pair)) as meter:
        snapshot = meter.snapshot(now=START)
    fields = snapshot.as_json()
    assert fields["service"] == "ELECTRICITY"
    assert fields["causes"] == ["CREDIT_EXHAUSTED"]
    assert fields["at"] == "2026-03-02T08:00:00+00:00"
    assert fields["key_revision_number"] is None
    assert fields["last_result"] is None
    secret = register.decoder_key.expose().hex()
    assert secret not in str(fields).lower()


@pytest.mark.parametrize(
    ("vend", "text"),
    [
        ("power_limit", "Accepted. Maximum power limit: 5000 W."),
        ("write_control_value", "Accepted. control value = 5000."),
        ("clear_credit", "Accepted. The electricity credit of 0.000 kWh has been cleared."),
        ("clear_tamper", "Accepted. There was no tamper."),
    ],
)
def test_every_effect_has_words(tmp_path: Path, vend: str, text: str) -> None:
    pair = VendAndMeter()
    path = meter_file(tmp_path, pair)
    arguments = {"power_limit": (5000,), "write_control_value": (500,)}.get(vend, ())
    getattr(pair, vend)(*arguments)
    with open_meter(path) as meter:
        entry = meter.enter(pair.digits, now=START)
    assert entry.household_text == text.replace("= 5000", "= 500")


def test_a_cleared_tamper_has_words_of_its_own(tmp_path: Path) -> None:
    pair = VendAndMeter()
    pair.tamper()
    path = meter_file(tmp_path, pair)
    pair.clear_tamper()
    with open_meter(path) as meter:
        assert "Tamper status cleared" in meter.enter(pair.digits, now=START).household_text


def test_a_magnet_that_is_taken_away_lets_the_status_be_cleared(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        meter.enter(credit_digits(pair, 10), now=START)
        held = meter.tamper(TamperKind.MAGNETIC, now=START, lasting=True)
        assert held.causes == (SupplyCause.TAMPER,)
        pair.clear_tamper()
        assert meter.enter(pair.digits, now=START).snapshot.tampered
        assert meter.end_tamper(TamperKind.MAGNETIC, now=START).tampered
        pair.clear_tamper()
        assert meter.enter(pair.digits, now=START).snapshot.relay_closed
        assert {event.tamper for event in meter.events() if event.tamper} == {TamperKind.MAGNETIC}


def test_a_technician_switches_supply_off_and_on(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        meter.enter(credit_digits(pair, 10), now=START)
        assert meter.supervise(on=False, now=START).causes == (SupplyCause.SUPERVISOR,)
        assert meter.supervise(on=True, now=START).relay_closed


def test_the_load_profile_and_the_daily_totals_are_kept(tmp_path: Path) -> None:
    pair = VendAndMeter()
    with open_meter(meter_file(tmp_path, pair)) as meter:
        meter.enter(credit_digits(pair, 1000), now=START)
        meter.set_load(500, now=START)
        meter.advance(now=START + timedelta(days=100))
        half_hours, days = meter.load_profile(), meter.daily_totals()
    assert len(half_hours) == 90 * 48
    assert half_hours[0].ends_at == START + timedelta(days=100)
    assert len(days) == 100
    first = DayRecord(
        day=START.date(),
        starts_at=START,
        ends_at=START + timedelta(hours=16),
        imported=8000,
        exported=0,
    )
    assert days[-1] == first
    assert sum(day.imported for day in days) == 100_000
