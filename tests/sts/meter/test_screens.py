"""What stands on the display: at rest, while keys are pressed, after tokens and short codes."""

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.meter.energy import PhaseReading
from sts.meter.keypad import EMPTY, Incomplete, Keypad, press_key
from sts.meter.lcd import AMOUNT_SECONDS, COLUMNS, IDLE_SECONDS, LINES, RESULT_SECONDS, Page
from sts.meter.meter_tests import TESTS
from sts.meter.outcomes import Accepted, Displayed, Outcome, Refused
from sts.meter.readouts import CodeRefused, ShortCodeFault, Shown
from sts.meter.registers import LARGEST_REGISTER, Register
from sts.meter.results import RESULTS, ResultCode
from sts.meter.screens import (
    BLANK,
    DISPLAY_TEST_LINE,
    SHORTER_WORDS,
    entry_page,
    idle_pages,
    incomplete_page,
    outcome_pages,
    short_code_pages,
)
from sts.meter.short_codes import ShortFunction
from sts.meter.spec import CreditKind
from sts.meter.state import SupplyCause
from sts.meter.view import View
from sts.tokens import Service
from tests.pair import START, VendAndMeter

Lines = tuple[str, ...]

REFUSALS: Final = [code for code in ResultCode if code >= ResultCode.OVERFLOW_ERROR]


def _view(pair: VendAndMeter, **changes: Any) -> View:
    phases = (PhaseReading(2300, 230, 10_000),) if pair.spec.measures_power else ()
    return View(**{"spec": pair.spec, "state": pair.state, "phases": phases, **changes})


def _shown(pages: tuple[Page, ...]) -> list[tuple[int, Lines]]:
    return [(page.seconds, page.lines) for page in pages]


def _after(pair: VendAndMeter, outcome: Outcome) -> list[tuple[int, Lines]]:
    return _shown(outcome_pages(_view(pair), outcome))


def _keyed(keys: str) -> Keypad:
    keypad = EMPTY
    for key in keys:
        keypad = press_key(keypad, key, now=START).keypad
    return keypad


# --- at rest ----------------------------------------------------------------------------------


def test_at_rest_credit_power_and_supply_follow_each_other() -> None:
    pair = VendAndMeter()
    pair.credit(125)
    assert _shown(idle_pages(_view(pair))) == [
        (IDLE_SECONDS, ("CREDIT", "12.500 kWh")),
        (IDLE_SECONDS, ("POWER NOW", "2300 W")),
        (IDLE_SECONDS, ("SUPPLY ON",)),
    ]


def test_every_reason_why_supply_is_off_has_a_page() -> None:
    pair = VendAndMeter()
    pair.rebuild(causes=frozenset(SupplyCause))
    pages = idle_pages(_view(pair))
    assert [page.lines for page in pages][2:] == [
        ("SUPPLY OFF", "The credit is used", "up. Buy a token."),
        ("SUPPLY OFF", "The meter is testing", "its switch."),
        ("SUPPLY OFF", "The current is too", "high. Switch", "something off."),
        ("SUPPLY OFF", "The phases are", "loaded too unevenly.", "Wait."),
        ("SUPPLY OFF", "Too much is switched", "on. Switch something", "off and wait."),
        ("SUPPLY OFF", "Your supplier has", "switched off the", "supply."),
        ("SUPPLY OFF", "A technician has", "switched off the", "supply."),
        ("SUPPLY OFF", "The meter has been", "tampered with. Ask", "your supplier."),
    ]


def test_a_meter_without_power_measurement_shows_none() -> None:
    pages = idle_pages(_view(VendAndMeter(service=Service.WATER)))
    assert [page.lines[0] for page in pages] == ["CREDIT", "SUPPLY OFF"]


def test_what_one_must_know_comes_first() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    pair.tamper()
    locked_for = timedelta(seconds=79, microseconds=1)
    pages = idle_pages(_view(pair), locked_for=locked_for, waiting_for=(2, 3))
    assert [page.lines for page in pages][:4] == [
        ("WAIT", "1 min 20 s"),
        ("KEY CHANGE", "Enter part 2, 3."),
        ("TAMPER",),
        ("CREDIT", "1.000 kWh"),
    ]


def test_without_power_the_display_is_blank() -> None:
    assert not "".join(BLANK.lines)


# --- while keys are pressed -------------------------------------------------------------------

KEYED: Final[dict[str, Lines]] = {
    "": ("ENTER TOKEN     0/20", "____ ____ ____", "____ ____"),
    "1234567890": ("ENTER TOKEN    10/20", "1234 5678 90__", "____ ____"),
    "1234567890123": ("ENTER TOKEN    13/20", "1234 5678 9012", "3___ ____"),
    "1234567890123456789": ("ENTER TOKEN    19/20", "1234 5678 9012", "3456 789_"),
    "#": ("SHORT CODE", "#_"),
    "#1": ("SHORT CODE", "#1_"),
    "#123": ("SHORT CODE", "#123_"),
}


@pytest.mark.parametrize("keys", KEYED)
def test_digits_stand_in_groups_with_their_number(keys: str) -> None:
    assert entry_page(_keyed(keys)).lines == KEYED[keys]


def test_too_few_digits_are_counted() -> None:
    page = incomplete_page(_keyed("12345678"), Incomplete(missing=12))
    assert page.lines == (
        "ENTER TOKEN     8/20",
        "1234 5678 ____",
        "____ ____",
        "12 digits missing",
    )
    assert page.seconds == RESULT_SECONDS


@given(st.text(alphabet="0123456789#*C", max_size=60))
def test_whatever_is_keyed_fits(keys: str) -> None:
    lines = entry_page(_keyed(keys)).lines
    assert len(lines) < LINES
    assert all(len(line) <= COLUMNS for line in lines)


# --- after a token ----------------------------------------------------------------------------


def test_the_answer_stands_three_seconds_and_the_amount_five() -> None:
    pair = VendAndMeter()
    pair.credit(10)
    assert _after(pair, pair.credit(59)) == [
        (3, ("ACCEPT",)),
        (5, ("AMOUNT", "5.9 kWh", "CREDIT", "6.900 kWh")),
    ]


def test_currency_is_shown_as_on_the_receipt() -> None:
    pair = VendAndMeter(credit_kind=CreditKind.CURRENCY)
    assert _after(pair, pair.currency_credit(16_000))[1:] == [
        (AMOUNT_SECONDS, ("AMOUNT", "0.16000 ZAR", "CREDIT", "0.16000 ZAR")),
    ]


def test_a_refusal_says_why_in_words_for_the_household() -> None:
    pair = VendAndMeter()
    pair.credit(59)
    assert _after(pair, pair.enter(pair.digits)) == [
        (3, ("REJECT 10", "This token has been", "used already.")),
    ]


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_fits_one_page(code: ResultCode) -> None:
    (page,) = outcome_pages(_view(VendAndMeter()), Refused(code=code, reason=""))
    assert page.lines[0] == f"REJECT {code:d}"
    words = SHORTER_WORDS.get(code, RESULTS[code].household)
    assert " ".join(page.lines[1:]) == words


def test_a_stored_part_of_a_key_change_names_the_missing_ones() -> None:
    pair = VendAndMeter()
    (first, *_) = pair.key_change_digits({})
    assert _after(pair, pair.enter(first)) == [
        (3, ("ACCEPT", "Part 1 stored.", "Enter part 2, 3, 4.")),
    ]


def test_a_new_key_is_told() -> None:
    pair = VendAndMeter()
    last = pair.change_key({})[-1]
    assert _after(pair, last)[1:] == [(AMOUNT_SECONDS, ("The meter has its", "new key."))]


def test_each_test_has_a_page_of_its_own() -> None:
    pair = VendAndMeter()
    assert _after(pair, pair.test(4, 5, 18))[1:] == [
        (AMOUNT_SECONDS, ("KRN 1 KT 2",)),
        (AMOUNT_SECONDS, ("TI 01",)),
        (AMOUNT_SECONDS, ("DRN 0100200002010",)),
    ]


def test_all_tests_of_a_meter_fit_the_display() -> None:
    pair = VendAndMeter(phases=3)
    outcome = pair.test(0)
    assert isinstance(outcome, Accepted)
    (effect,) = outcome.effects
    assert isinstance(effect, Displayed)
    assert len(_after(pair, outcome)) == 1 + len(effect.lines)


def test_the_display_test_lights_every_segment() -> None:
    pair = VendAndMeter()
    assert TESTS[2].line(pair.spec, pair.state) == DISPLAY_TEST_LINE
    assert _after(pair, pair.test(2))[1:] == [(AMOUNT_SECONDS, ("8" * COLUMNS,) * LINES)]


@pytest.mark.parametrize("kind", list(CreditKind))
def test_the_largest_amounts_fit(kind: CreditKind) -> None:
    pair = VendAndMeter(credit_kind=kind)
    outcome = pair.currency_credit(1) if kind is CreditKind.CURRENCY else pair.credit(1)
    for credit in (LARGEST_REGISTER, -LARGEST_REGISTER):
        pair.rebuild(credit=Register(credit))
        assert len(_after(pair, outcome)) >= 2
        assert idle_pages(_view(pair))


# --- after a short code -----------------------------------------------------------------------


def test_what_was_asked_for_stands_five_seconds() -> None:
    shown = Shown(code="01", function=ShortFunction.CREDIT, blocks=(("CREDIT", "1 kWh"), ("X",)))
    assert _shown(short_code_pages(shown)) == [(5, ("CREDIT", "1 kWh")), (5, ("X",))]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ShortCodeFault.UNKNOWN, ("There is no such", "short code.")),
        (ShortCodeFault.NOT_IN_METER, ("This meter does not", "have that.")),
    ],
)
def test_a_refused_code_says_why(fault: ShortCodeFault, words: Lines) -> None:
    refused = CodeRefused(code="77", fault=fault)
    assert _shown(short_code_pages(refused)) == [(3, ("CODE 77", *words))]
