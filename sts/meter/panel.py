"""The front of the meter: keys in, and a face of lines and lamps out.

One function a thing that a person can do there: press a key, key a whole token, key a short code,
look. Each returns the meter afterwards; what the display shows is part of its volatile memory.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sts.meter.acceptance import Reaction, apply
from sts.meter.alarms import alarm_of
from sts.meter.buzzer import MUTE_TIME, Alarm, muted
from sts.meter.display import credit_text
from sts.meter.emergency import emergency_left, take_emergency
from sts.meter.errors import EmergencyRefusedError, MeterPowerError
from sts.meter.events import NOTHING_WRITTEN, Advance, Event, Written
from sts.meter.indicators import Condition, Indicators, indicators_of
from sts.meter.key_change import waiting_for, without_stale
from sts.meter.keypad import (
    EMPTY,
    INTER_DIGIT_TIME,
    Incomplete,
    KeypadResult,
    ShortCodeEntered,
    TokenEntered,
    press_key,
    wait,
)
from sts.meter.lcd import LINES, Page, page_at, rotating_page
from sts.meter.readouts import CodeRefused, ShortCodeFault, Shown, answer
from sts.meter.screens import (
    BLANK,
    entry_page,
    idle_pages,
    incomplete_page,
    outcome_pages,
    short_code_pages,
)
from sts.meter.short_codes import ShortFunction, short_code_table
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, Volatile
from sts.meter.supply import advance
from sts.meter.view import KeyedToken, view_of
from sts.tokens import BlockCipher

_ANY_REST: Final = datetime(1993, 1, 1, tzinfo=UTC)
"""Since when the display of a meter that nobody has touched is at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A meter as somebody finds it who stands before it.

    Attributes:
        spec: What was built.
        state: What it remembers.
        volatile: What it would forget.
        cipher: Its cipher under its present key.
        tokens: The latest tokens, newest first.
        daily_use: What was used on each of the latest full days, in the service's units.
    """

    spec: MeterSpec
    state: MeterState
    volatile: Volatile
    cipher: BlockCipher
    tokens: tuple[KeyedToken, ...] = ()
    daily_use: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a key, a token or a short code.

    Attributes:
        state: The state after it; also advanced to the moment.
        volatile: Volatile memory after it, the display with it.
        events: What happened up to and with it, oldest first.
        written: Half hours and days that were completed before it.
        results: What the keypad made of a key.
        digits: The token that was entered; empty if none was.
        reaction: What the meter made of it; None without a token.
        short_code: The answer to a short code; None without one.
    """

    state: MeterState
    volatile: Volatile
    events: tuple[Event, ...] = ()
    written: Written = NOTHING_WRITTEN
    results: tuple[KeypadResult, ...] = ()
    digits: str = ""
    reaction: Reaction | None = None
    short_code: Shown | CodeRefused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What one sees and hears.

    Attributes:
        lines: Four lines of the display, each of up to twenty characters.
        indicators: Lamps, symbols and the buzzer.
    """

    lines: tuple[str, ...]
    indicators: Indicators


# --- what a person can do ---------------------------------------------------------------------


def key(panel: Panel, symbol: str, *, now: datetime) -> Answer:
    """Press a key; the 20th digit enters a token, the second ``#`` a short code.

    Raises:
        MeterKeyError: There is no such key.
        MeterPowerError: The meter has no power.
        NaiveDatetimeError: ``now`` has no zone.
    """
    ready, passed = _at(panel, now)
    moment = ready.state.advanced_to
    pressed = press_key(ready.volatile.keypad, symbol, now=moment)
    touched = replace(ready.volatile, keypad=pressed.keypad, shown=(), shown_at=moment)
    ready = replace(ready, volatile=touched)
    match pressed.results[-1]:
        case TokenEntered(digits=digits):
            done = enter(ready, digits, now=moment)
        case ShortCodeEntered(code=code):
            done = short_code(ready, code, now=moment)
        case Incomplete() as incomplete:
            page = incomplete_page(pressed.keypad, incomplete)
            done = Answer(state=ready.state, volatile=replace(touched, shown=(page,)))
        case _:
            done = Answer(state=ready.state, volatile=touched)
    return _after(passed, replace(done, results=pressed.results))


def enter(panel: Panel, digits: str, *, now: datetime) -> Answer:
    """Key in a whole token at once; whatever was keyed before is gone.

    Raises:
        MeterPowerError: The meter has no power.
        NaiveDatetimeError: ``now`` has no zone.
    """
    reaction = apply(
        panel.spec, panel.state, panel.volatile, digits=digits, cipher=panel.cipher, now=now
    )
    pages = outcome_pages(view_of(panel.spec, reaction.state), reaction.outcome)
    return Answer(
        state=reaction.state,
        volatile=_showing(reaction.volatile, pages, reaction.state.advanced_to),
        events=reaction.events,
        written=reaction.written,
        digits=digits,
        reaction=reaction,
    )


def short_code(panel: Panel, code: str, *, now: datetime) -> Answer:
    """Key in a short code at once; whatever was keyed before is gone.

    Raises:
        MeterPowerError: The meter has no power.
        NaiveDatetimeError: ``now`` has no zone.
    """
    ready, passed = _at(panel, now)
    view = view_of(ready.spec, ready.state, tokens=ready.tokens, daily_use=ready.daily_use)
    table = short_code_table(panel.spec.profile.short_codes)
    answered = answer(view, table, code=code)
    if isinstance(answered, Shown | CodeRefused):
        done = Answer(state=ready.state, volatile=ready.volatile, short_code=answered)
    elif answered.function is ShortFunction.MUTE_ALARM:
        done = _mute(ready, code)
    else:
        done = _take_emergency(ready, code)
    assert done.short_code is not None, "every code has an answer"
    pages = short_code_pages(done.short_code)
    volatile = _showing(done.volatile, pages, ready.state.advanced_to)
    return _after(passed, replace(done, volatile=volatile))


def face_of(spec: MeterSpec, state: MeterState, volatile: Volatile) -> Face:
    """Return what one sees and hears at the moment of the state."""
    now = state.advanced_to
    condition = Condition(
        powered=state.powered,
        alarm=alarm_of(spec, state),
        mute=volatile.mute,
        locked_out=state.lockout.is_active(now),
        emergency_taken=state.emergency_floor is not None,
    )
    lines = (_page(spec, state, volatile) if state.powered else BLANK).lines
    return Face(
        lines=(*lines, *("",) * (LINES - len(lines))),
        indicators=indicators_of(state, condition, now=now),
    )


# --- how ------------------------------------------------------------------------------------


def _at(panel: Panel, now: datetime) -> tuple[Panel, Advance]:
    """Let time pass up to ``now``, and forget what must not be remembered for so long."""
    if not panel.state.powered:
        raise MeterPowerError
    passed = advance(panel.spec, panel.state, now)
    kept = without_stale(panel.volatile, passed.state.advanced_to)
    return replace(panel, state=passed.state, volatile=kept), passed


def _after(passed: Advance, done: Answer) -> Answer:
    """Return an answer with what happened before it; the two are at the same moment."""
    return replace(done, events=(*passed.events, *done.events), written=passed.written)


def _showing(volatile: Volatile, pages: tuple[Page, ...], now: datetime) -> Volatile:
    return replace(volatile, keypad=EMPTY, shown=pages, shown_at=now)


def _mute(panel: Panel, code: str) -> Answer:
    alarm = alarm_of(panel.spec, panel.state)
    if alarm is Alarm.NONE:
        return _refuse(panel, code, ShortCodeFault.NOT_NOW)
    mute = muted(alarm, panel.state.advanced_to)
    hours = MUTE_TIME // timedelta(hours=1)
    blocks = (("ALARM OFF", f"for {hours} hours"),)
    return Answer(
        state=panel.state,
        volatile=replace(panel.volatile, mute=mute),
        short_code=Shown(code=code, function=ShortFunction.MUTE_ALARM, blocks=blocks),
    )


def _take_emergency(panel: Panel, code: str) -> Answer:
    spec = panel.spec
    if not spec.levels.emergency:
        return _refuse(panel, code, ShortCodeFault.NOT_IN_METER)
    try:
        taken = take_emergency(spec, panel.state)
    except EmergencyRefusedError:
        return _refuse(panel, code, ShortCodeFault.NOT_NOW)
    left = credit_text(spec, emergency_left(spec, taken.state))
    return Answer(
        state=taken.state,
        volatile=panel.volatile,
        events=taken.events,
        short_code=Shown(
            code=code,
            function=ShortFunction.TAKE_EMERGENCY_CREDIT,
            blocks=(("EMERGENCY CREDIT", left),),
        ),
    )


def _refuse(panel: Panel, code: str, fault: ShortCodeFault) -> Answer:
    refused = CodeRefused(code=code, fault=fault)
    return Answer(state=panel.state, volatile=panel.volatile, short_code=refused)


def _page(spec: MeterSpec, state: MeterState, volatile: Volatile) -> Page:
    """Return the page that stands now: an answer, what is being keyed, or the display at rest."""
    now = state.advanced_to
    since = now - (volatile.shown_at or _ANY_REST)
    answered = page_at(volatile.shown, since)
    if answered is not None:
        return answered
    keypad = wait(volatile.keypad, now).keypad
    if not keypad.is_empty:
        return entry_page(keypad)
    idle = idle_pages(
        view_of(spec, state),
        locked_for=state.lockout.remaining(now),
        waiting_for=waiting_for(spec, volatile),
    )
    answered_for = sum((page.time for page in volatile.shown), timedelta())
    keyed_for = timedelta() if volatile.keypad.is_empty else INTER_DIGIT_TIME
    return rotating_page(idle, since - max(answered_for, keyed_for))
