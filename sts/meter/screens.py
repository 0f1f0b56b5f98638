"""What stands on the display: at rest, while keys are pressed, and after a token or a short code.

Pages and their times are all that is made here; when they change the edge decides.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, assert_never

from sts.codec import TOKEN_DIGITS, format_token
from sts.meter.display import amount_text, effect_text, quantity_text
from sts.meter.keypad import FRAME, Incomplete, Keypad
from sts.meter.lcd import (
    ALL_SEGMENTS,
    AMOUNT_SECONDS,
    IDLE_SECONDS,
    LINES,
    RESULT_SECONDS,
    Block,
    Page,
    paginate,
    two_ends,
)
from sts.meter.outcomes import (
    Accepted,
    CreditAdded,
    Displayed,
    Effect,
    Outcome,
    PartStored,
    Refused,
)
from sts.meter.readouts import (
    SHORT_CODE_FAULTS,
    CodeRefused,
    Shown,
    credit_block,
    power_block,
    supply_blocks,
)
from sts.meter.results import RESULTS, ResultCode
from sts.meter.view import View
from sts.tokens import Service

BLANK: Final = Page(("",), IDLE_SECONDS)
"""A meter without power."""

DISPLAY_TEST_LINE: Final = "8888888888"
"""What test 2 of class 1 asks for; on the display it lights every segment."""

_EMPTY_PLACE: Final = "_"
_DIGITS_A_LINE: Final = TOKEN_DIGITS * 3 // 5
_SECOND: Final = timedelta(seconds=1)

SHORTER_WORDS: Final[Mapping[ResultCode, str]] = {
    ResultCode.OVERFLOW_ERROR: "Credit is full. Use some, then enter it again.",
    ResultCode.KEY_TYPE_ERROR: "These tokens do not fit. Ask your supplier.",
    ResultCode.KEY_EXPIRED_ERROR: "The key has expired. Ask your supplier.",
    ResultCode.DDTK_ERROR: "Meter not in service yet. Ask your supplier.",
}
"""Refusals whose words for the household do not fit below the word REJECT."""


def idle_pages(
    view: View, *, locked_for: timedelta = timedelta(), waiting_for: tuple[int, ...] = ()
) -> tuple[Page, ...]:
    """Return the pages that follow each other while nobody does anything.

    Args:
        view: The meter.
        locked_for: How much longer a lock-out lasts; zero if there is none.
        waiting_for: Parts of a key change set that the meter waits for.
    """
    blocks: list[Block] = []
    if locked_for:
        seconds = -(-locked_for // _SECOND)
        blocks.append(("WAIT", quantity_text(Service.TIME, seconds)))
    if waiting_for:
        blocks.append(("KEY CHANGE", _parts_to_enter(waiting_for)))
    if view.state.tampered:
        blocks.append(("TAMPER",))
    blocks.append(credit_block(view))
    if view.phases:
        blocks.append(power_block(view))
    blocks.extend(supply_blocks(view.state))
    return paginate(blocks, seconds=IDLE_SECONDS)


def entry_page(keypad: Keypad, head: str = "ENTER TOKEN") -> Page:
    """Return what stands on the display while somebody keys: digits in groups, and how many."""
    if keypad.framed:
        return Page(("SHORT CODE", f"{FRAME}{keypad.digits}{_EMPTY_PLACE}"), IDLE_SECONDS)
    places = keypad.digits.ljust(TOKEN_DIGITS, _EMPTY_PLACE)
    counter = f"{len(keypad.digits)}/{TOKEN_DIGITS}"
    groups = (format_token(places[:_DIGITS_A_LINE]), format_token(places[_DIGITS_A_LINE:]))
    return Page((two_ends(head, counter), *groups), IDLE_SECONDS)


def incomplete_page(keypad: Keypad, result: Incomplete) -> Page:
    """Return what is said to somebody who enters too few digits."""
    page = entry_page(keypad)
    return Page((*page.lines, f"{result.missing} digits missing"), RESULT_SECONDS)


def outcome_pages(view: View, outcome: Outcome) -> tuple[Page, ...]:
    """Return the answer to a token, and then what it did.

    Args:
        view: The meter after it.
        outcome: The answer.
    """
    match outcome:
        case Accepted():
            answered = paginate((("ACCEPT",),), seconds=RESULT_SECONDS)
            return (*answered, *paginate(_done_blocks(view, outcome), seconds=AMOUNT_SECONDS))
        case PartStored():
            stored = ("ACCEPT", f"Part {outcome.part} stored.", _parts_to_enter(outcome.missing))
            return paginate((stored,), seconds=RESULT_SECONDS)
        case Refused():
            words = SHORTER_WORDS.get(outcome.code, RESULTS[outcome.code].household)
            return paginate(((f"REJECT {outcome.code:d}", words),), seconds=RESULT_SECONDS)
        case _ as never:
            assert_never(never)


def short_code_pages(answered: Shown | CodeRefused) -> tuple[Page, ...]:
    """Return what a short code asked for, or why it is not to be had."""
    if isinstance(answered, CodeRefused):
        refused = (f"CODE {answered.code}", SHORT_CODE_FAULTS[answered.fault])
        return paginate((refused,), seconds=RESULT_SECONDS)
    return paginate(answered.blocks, seconds=AMOUNT_SECONDS)


def _parts_to_enter(missing: tuple[int, ...]) -> str:
    return f"Enter part {', '.join(str(number) for number in missing)}."


def _done_blocks(view: View, outcome: Accepted) -> tuple[Block, ...]:
    return tuple(
        block for effect in outcome.effects for block in _effect_blocks(view, outcome, effect)
    )


def _effect_blocks(view: View, outcome: Accepted, effect: Effect) -> tuple[Block, ...]:
    if isinstance(effect, CreditAdded):
        return (("AMOUNT", amount_text(view.spec, outcome), *credit_block(view)),)
    if isinstance(effect, Displayed):
        return tuple(_test_block(line) for line in effect.lines)
    return ((effect_text(view.spec, effect),),)


def _test_block(line: str) -> Block:
    return (ALL_SEGMENTS,) * LINES if line == DISPLAY_TEST_LINE else (line,)
